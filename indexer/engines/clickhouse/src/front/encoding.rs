//! Packed bodies: gzip, deflate, LZ4 frames, and ClickHouse's own blocks.

use std::io::{self, Read, Write as _};

use axum::http::HeaderMap;
use axum::http::header::ACCEPT_ENCODING;
use bytes::Bytes;
use flate2::Compression;
use flate2::read::{MultiGzDecoder, ZlibDecoder};
use flate2::write::{GzEncoder, ZlibEncoder};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Plain,
    Gzip,
    Deflate,
    Lz4,
    /// `compress=1`
    Blocks,
}

impl Encoding {
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name.trim().to_ascii_lowercase().as_str() {
            "" | "identity" => Some(Self::Plain),
            "gzip" | "x-gzip" => Some(Self::Gzip),
            "deflate" => Some(Self::Deflate),
            "lz4" => Some(Self::Lz4),
            _ => None,
        }
    }

    /// The one the client likes best of those we know; what it rates with `q=0` is out.
    pub(crate) fn accepted(headers: &HeaderMap, pairs: &[(String, String)]) -> Self {
        let is = |name: &str, wanted: &str| pairs.iter().any(|(key, value)| key == name && value == wanted);
        if is("compress", "1") {
            return Self::Blocks;
        }
        if is("enable_http_compression", "0") {
            return Self::Plain;
        }
        let offered = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
        let known = offered.flat_map(|value| value.split(',')).find_map(|one| {
            let (name, rating) = one.split_once(';').unwrap_or((one, "q=1"));
            let out = rating.trim().strip_prefix("q=").and_then(|q| q.parse().ok()) == Some(0.0);
            Self::named(name).filter(|_| !out)
        });
        known.unwrap_or(Self::Plain)
    }

    /// As a header; blocks are no encoding in HTTP's sense.
    pub(crate) fn name(self) -> Option<&'static str> {
        match self {
            Self::Plain | Self::Blocks => None,
            Self::Gzip => Some("gzip"),
            Self::Deflate => Some("deflate"),
            Self::Lz4 => Some("lz4"),
        }
    }

    pub(crate) fn unpack<'a>(self, packed: impl Read + Send + 'a) -> Box<dyn Read + Send + 'a> {
        match self {
            Self::Plain => Box::new(packed),
            Self::Gzip => Box::new(MultiGzDecoder::new(packed)),
            Self::Deflate => Box::new(ZlibDecoder::new(packed)),
            Self::Lz4 => Box::new(lz4_flex::frame::FrameDecoder::new(packed)),
            Self::Blocks => Box::new(Blocks { packed, block: Vec::new(), at: 0 }),
        }
    }

    pub(crate) fn packer(self) -> Packer {
        match self {
            Self::Plain => Packer::Plain,
            Self::Gzip => Packer::Gzip(GzEncoder::new(Vec::new(), Compression::fast())),
            Self::Deflate => Packer::Deflate(ZlibEncoder::new(Vec::new(), Compression::fast())),
            Self::Lz4 => Packer::Lz4(Box::new(lz4_flex::frame::FrameEncoder::new(Vec::new()))),
            Self::Blocks => Packer::Blocks,
        }
    }
}

/// Packs a body piece by piece; each piece can be read when it arrives.
pub(crate) enum Packer {
    Plain,
    Gzip(GzEncoder<Vec<u8>>),
    Deflate(ZlibEncoder<Vec<u8>>),
    Lz4(Box<lz4_flex::frame::FrameEncoder<Vec<u8>>>),
    Blocks,
}

impl Packer {
    pub(crate) fn pack(&mut self, plain: Vec<u8>) -> io::Result<Bytes> {
        let packed = match self {
            Self::Plain => plain,
            Self::Gzip(encoder) => {
                encoder.write_all(&plain)?;
                encoder.flush()?;
                std::mem::take(encoder.get_mut())
            }
            Self::Deflate(encoder) => {
                encoder.write_all(&plain)?;
                encoder.flush()?;
                std::mem::take(encoder.get_mut())
            }
            Self::Lz4(encoder) => {
                encoder.write_all(&plain)?;
                encoder.flush()?;
                std::mem::take(encoder.get_mut())
            }
            Self::Blocks => plain.chunks(BLOCK).flat_map(block).collect(),
        };
        Ok(packed.into())
    }

    /// What must follow the last piece.
    pub(crate) fn end(self) -> io::Result<Bytes> {
        Ok(match self {
            Self::Plain | Self::Blocks => Bytes::new(),
            Self::Gzip(encoder) => encoder.finish()?.into(),
            Self::Deflate(encoder) => encoder.finish()?.into(),
            Self::Lz4(encoder) => encoder.finish().map_err(io::Error::other)?.into(),
        })
    }
}

/// Raw bytes in a block that we write.
const BLOCK: usize = 1 << 20;

/// Raw bytes in a block that we read; ClickHouse refuses larger ones too.
const LARGEST: usize = 1 << 30;

/// Method and both sizes; the checksum before them covers them.
const HEADER: usize = 9;
const LZ4: u8 = 0x82;
const NONE: u8 = 0x02;

fn block(plain: &[u8]) -> Vec<u8> {
    let packed = lz4_flex::block::compress(plain);
    let mut body = Vec::with_capacity(HEADER + packed.len());
    body.push(LZ4);
    body.extend(((HEADER + packed.len()) as u32).to_le_bytes());
    body.extend((plain.len() as u32).to_le_bytes());
    body.extend(packed);
    let mut block = checksum(&body).to_vec();
    block.extend(body);
    block
}

/// The two halves of CityHash stand in ClickHouse's order.
fn checksum(body: &[u8]) -> [u8; 16] {
    cityhash_rs::cityhash_102_128(body).rotate_left(64).to_le_bytes()
}

/// Reads blocks of `decompress=1`.
struct Blocks<R> {
    packed: R,
    block: Vec<u8>,
    at: usize,
}

impl<R: Read> Blocks<R> {
    /// `false` at the end of the body, which must be the end of a block.
    fn next(&mut self) -> io::Result<bool> {
        let mut first = [0];
        if self.packed.read(&mut first)? == 0 {
            return Ok(false);
        }
        let mut head = [0; 16 + HEADER];
        head[0] = first[0];
        self.packed.read_exact(&mut head[1..])?;
        let size =
            |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]) as usize;
        let (packed, raw) = (size(17), size(21));
        if !(HEADER..=LARGEST).contains(&packed) || raw > LARGEST {
            return Err(invalid("a block of data has an impossible size"));
        }
        let mut body = head[16..].to_vec();
        // Grows as data arrives: a size is only a claim.
        let read = self.packed.by_ref().take((packed - HEADER) as u64).read_to_end(&mut body)?;
        if read != packed - HEADER {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if checksum(&body) != head[..16] {
            return Err(invalid("the checksum of a block of data does not match"));
        }
        self.at = 0;
        self.block = match body[0] {
            // LZ4 packs at most 255 to 1, so a larger claim is a lie.
            LZ4 if raw / 255 > packed => return Err(invalid("a block of data has an impossible size")),
            LZ4 => lz4_flex::block::decompress(&body[HEADER..], raw).map_err(io::Error::other)?,
            NONE => body.split_off(HEADER),
            other => {
                return Err(invalid(format!(
                    "compression method {other:#x} is not supported, LZ4 (0x82) is"
                )));
            }
        };
        Ok(true)
    }
}

fn invalid(text: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text)
}

impl<R: Read> Read for Blocks<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.at == self.block.len() {
            if !self.next()? {
                return Ok(0);
            }
        }
        let count = into.len().min(self.block.len() - self.at);
        into[..count].copy_from_slice(&self.block[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(encoding: Encoding, pieces: &[Vec<u8>]) -> Vec<u8> {
        let mut packer = encoding.packer();
        let mut all: Vec<u8> = pieces.iter().flat_map(|piece| packer.pack(piece.clone()).unwrap()).collect();
        all.extend(packer.end().unwrap());
        all
    }

    #[test]
    fn what_is_packed_is_unpacked_the_same() {
        let pieces = [b"short".to_vec(), vec![7; 3 * BLOCK + 1], (0..=255).cycle().take(100_000).collect()];
        for encoding in [Encoding::Plain, Encoding::Gzip, Encoding::Deflate, Encoding::Lz4, Encoding::Blocks]
        {
            let packed = packed(encoding, &pieces);
            let mut plain = Vec::new();
            encoding.unpack(packed.as_slice()).read_to_end(&mut plain).unwrap();
            assert!(plain == pieces.concat(), "{encoding:?}");
        }
    }

    #[test]
    fn a_block_that_is_cut_or_changed_is_an_error() {
        let whole = packed(Encoding::Blocks, &[vec![7; 1000]]);
        let read = |bytes: &[u8]| {
            let mut plain = Vec::new();
            Encoding::Blocks.unpack(bytes).read_to_end(&mut plain).map_err(|error| error.kind())
        };
        assert_eq!(read(&whole), Ok(1000));
        for cut in 1..whole.len() {
            assert_eq!(read(&whole[..cut]), Err(io::ErrorKind::UnexpectedEof), "cut at {cut}");
        }
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            assert!(read(&changed).is_err(), "changed at {at}");
        }
    }
}
