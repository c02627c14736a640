//! From the parser's character positions to lines, columns and bytes of the text the author wrote.

use saphyr_parser::Marker;

use crate::finding::Span;

/// Characters between two remembered byte offsets.
const STRIDE: usize = 64;

/// A character that the lenient pass put into the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Insertion {
    /// Byte offset in the changed text.
    pub(super) byte: usize,
    pub(super) line: u32,
    /// Column from 0, in characters, in the changed text.
    pub(super) column: u32,
}

pub(super) struct Places<'a> {
    text: &'a str,
    ascii: bool,
    /// Byte offset of every [`STRIDE`]th character.
    checkpoints: Vec<u32>,
    /// Bytes before the text: a byte order mark.
    base: usize,
    insertions: &'a [Insertion],
}

impl<'a> Places<'a> {
    pub(super) fn new(text: &'a str, base: usize, insertions: &'a [Insertion]) -> Self {
        let ascii = text.is_ascii();
        let checkpoints = if ascii {
            Vec::new()
        } else {
            text.char_indices().step_by(STRIDE).map(|(byte, _)| byte as u32).collect()
        };
        Self { text, ascii, checkpoints, base, insertions }
    }

    pub(super) fn span(&self, start: &Marker, end: &Marker) -> Span {
        let (start_byte, end_byte) = (self.byte(start.index()), self.byte(end.index()));
        let line = start.line() as u32;
        let before =
            |insertion: &Insertion| (insertion.line, insertion.column as usize) < (line, start.col());
        let first = self.insertions.partition_point(|insertion| insertion.line < line);
        let shift = self.insertions[first..].partition_point(before) as u32;
        Span {
            line,
            column: (start.col() as u32 + 1).saturating_sub(shift),
            start: self.original(start_byte),
            end: self.original(end_byte.max(start_byte)),
        }
    }

    fn byte(&self, index: usize) -> usize {
        if self.ascii {
            return index.min(self.text.len());
        }
        let Some(&checkpoint) = self.checkpoints.get(index / STRIDE) else { return self.text.len() };
        let rest = &self.text[checkpoint as usize..];
        rest.char_indices()
            .nth(index % STRIDE)
            .map_or(self.text.len(), |(offset, _)| checkpoint as usize + offset)
    }

    fn original(&self, byte: usize) -> usize {
        let byte = byte + self.base;
        byte - self.insertions.partition_point(|insertion| insertion.byte < byte)
    }
}
