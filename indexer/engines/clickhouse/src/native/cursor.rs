//! A place in bytes. What would go beyond the end is `None`.

pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.at == self.bytes.len()
    }

    /// The bytes that were passed since then.
    pub(super) fn since(&self, at: usize) -> &'a [u8] {
        &self.bytes[at..self.at]
    }

    pub(super) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(count)?;
        let taken = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    /// So many values of so many bytes.
    pub(super) fn pass(&mut self, count: usize, size: usize) -> Option<()> {
        self.take(count.checked_mul(size)?).map(|_| ())
    }

    /// Seven bits a byte, lowest first.
    pub(super) fn number(&mut self) -> Option<usize> {
        crate::sql::format::number(self.bytes, &mut self.at)
    }

    /// Its length, then its bytes.
    pub(super) fn text(&mut self) -> Option<&'a [u8]> {
        let length = self.number()?;
        self.take(length)
    }

    /// Eight bytes, lowest first.
    pub(super) fn word(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }
}
