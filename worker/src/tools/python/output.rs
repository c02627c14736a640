//! What a task prints: log lines while it runs, and text for its result.

use crate::tool::Log;

/// Text kept per stream for the result; the log lines go on.
const KEPT_BYTES: usize = 1 << 20;
/// Log lines of one task and stream; a runaway print must not fill the log.
const LOGGED_LINES: u32 = 10_000;
/// A line longer than this is logged in pieces.
const LINE_BYTES: usize = 64 * 1024;

/// One of the two streams of a task.
#[derive(Debug)]
pub(super) struct Captured {
    stream: &'static str,
    level: &'static str,
    log: Log,
    kept: Vec<u8>,
    line: Vec<u8>,
    lines: u32,
}

impl Captured {
    pub(super) fn stdout(log: &Log) -> Self {
        Self::new("stdout", "info", log)
    }

    pub(super) fn stderr(log: &Log) -> Self {
        Self::new("stderr", "warn", log)
    }

    fn new(stream: &'static str, level: &'static str, log: &Log) -> Self {
        Self { stream, level, log: log.clone(), kept: Vec::new(), line: Vec::new(), lines: 0 }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        let room = KEPT_BYTES.saturating_sub(self.kept.len()).min(bytes.len());
        self.kept.extend_from_slice(&bytes[..room]);
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(piece);
            if piece.ends_with(b"\n") || self.line.len() >= LINE_BYTES {
                self.end_line();
            }
        }
    }

    /// Logs what has no line end and gives back the text.
    pub(super) fn finish(mut self) -> String {
        if !self.line.is_empty() {
            self.end_line();
        }
        String::from_utf8_lossy(&self.kept).into_owned()
    }

    fn end_line(&mut self) {
        self.lines = self.lines.saturating_add(1);
        if self.lines <= LOGGED_LINES {
            let text = String::from_utf8_lossy(&self.line);
            self.log.line(self.stream, self.level, text.trim_end_matches(['\n', '\r']));
        } else if self.lines == LOGGED_LINES + 1 {
            let note = format!("more than {LOGGED_LINES} lines: the rest is not logged");
            self.log.line(self.stream, "warn", note);
        }
        self.line.clear();
    }
}
