//! Classes of bytes, looked up rather than compared, and the hash that names words and shapes.

pub(super) const SPACE: u8 = 1;
pub(super) const DIGIT: u8 = 2;
pub(super) const LETTER: u8 = 4;
/// Ends a word wherever it stands.
pub(super) const DELIMITER: u8 = 8;
/// Makes a word worth a second look: `/ \ : @`.
pub(super) const SPECIAL: u8 = 16;
pub(super) const DOT: u8 = 32;
/// `a` to `f` in either case.
pub(super) const HEX_LETTER: u8 = 64;

static CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match byte as u8 {
            b' ' | b'\t' | b'\r' | b'\n' | 0x0b | 0x0c => SPACE,
            b'0'..=b'9' => DIGIT,
            b'a'..=b'f' | b'A'..=b'F' => LETTER | HEX_LETTER,
            b'g'..=b'z' | b'G'..=b'Z' | 0x80..=0xff => LETTER,
            b'=' | b',' | b';' | b'(' | b')' | b'[' | b']' | b'{' | b'}' | b'"' | b'\'' | b'`' | b'|'
            | b'<' | b'>' | b'#' | b'&' | b'?' | b'!' | b'*' | b'^' => DELIMITER,
            b'/' | b'\\' | b':' | b'@' => SPECIAL,
            b'.' => DOT,
            _ => 0,
        };
        byte += 1;
    }
    table
}

pub(super) fn class(byte: u8) -> u8 {
    CLASSES[byte as usize]
}

pub(super) fn is(byte: u8, classes: u8) -> bool {
    class(byte) & classes != 0
}

/// Every class that occurs in the text.
pub(super) fn union(text: &[u8]) -> u8 {
    text.iter().fold(0, |all, byte| all | class(*byte))
}

/// FNV-1a: short words, one multiplication a byte, the same everywhere and for ever.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hash(u64);

impl Hash {
    pub(super) fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    pub(super) fn byte(&mut self, byte: u8) {
        self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.byte(*byte);
        }
    }

    pub(super) fn number(&mut self, number: u64) {
        self.0 = mix(self.0.rotate_left(5) ^ number);
    }

    pub(super) fn finish(self) -> u64 {
        mix(self.0)
    }
}

/// Spreads every bit of the input over all bits of the output.
pub(super) fn mix(mut value: u64) -> u64 {
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}
