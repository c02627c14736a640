//! Which formats can be sent piece by piece.
//!
//! The engine starts its output format anew for every piece of a streamed result: each piece of JSON is a document of
//! its own, each of Parquet a file. So a result is streamed only where its pieces, put together, are the result.

/// How the pieces of a streamed result make one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pieces {
    /// One behind the other.
    Join,
    /// The same, but every piece begins with the names of the columns, and with their types where `types` says so.
    JoinWithoutHead { types: bool },
    /// They do not: the result must be asked for whole.
    Apart,
}

const JOINED: &[&str] = &[
    "BSONEachRow",
    "CSV",
    "JSONCompactEachRow",
    "JSONCompactStringsEachRow",
    "JSONEachRow",
    "JSONL",
    "JSONLines",
    "JSONStringsEachRow",
    "LineAsString",
    "MsgPack",
    "NDJSON",
    "Native",
    "Null",
    "RawBLOB",
    "RowBinary",
    "TSKV",
    "TSV",
    "TSVRaw",
    "TabSeparated",
    "TabSeparatedRaw",
];

impl Pieces {
    pub(crate) fn of(format: &str) -> Self {
        match format {
            "RowBinaryWithNames" => Self::JoinWithoutHead { types: false },
            "RowBinaryWithNamesAndTypes" => Self::JoinWithoutHead { types: true },
            _ if JOINED.contains(&format) => Self::Join,
            _ => Self::Apart,
        }
    }

    /// How many bytes of a piece are its head; `None` when it has none that can be read.
    pub(crate) fn head(self, piece: &[u8]) -> Option<usize> {
        let Self::JoinWithoutHead { types } = self else {
            return Some(0);
        };
        let mut at = 0;
        let columns = number(piece, &mut at)?;
        for _ in 0..columns.checked_mul(if types { 2 } else { 1 })? {
            let length = number(piece, &mut at)?;
            at = at.checked_add(length).filter(|end| *end <= piece.len())?;
        }
        Some(at)
    }
}

/// A number in seven bits a byte, lowest first.
pub(crate) fn number(bytes: &[u8], at: &mut usize) -> Option<usize> {
    let mut value = 0;
    for shift in (0..usize::BITS).step_by(7) {
        let byte = *bytes.get(*at)?;
        *at += 1;
        value |= usize::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_of_a_piece_is_found() {
        let both = Pieces::of("RowBinaryWithNamesAndTypes");
        assert_eq!(both.head(b"\x02\x01a\x02bc\x05UInt8\x06Stringrows"), Some(19));
        assert_eq!(Pieces::of("RowBinaryWithNames").head(b"\x01\x01arows"), Some(3));
        assert_eq!(Pieces::of("CSV").head(b"1,2"), Some(0));
        assert_eq!(both.head(b"\x02\x01a\x02"), None);
        assert_eq!(both.head(&[0xff; 20]), None);
        assert_eq!(Pieces::of("JSON"), Pieces::Apart);
    }
}
