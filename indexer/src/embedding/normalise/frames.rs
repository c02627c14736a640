//! Which lines of a text are frames of a stack, which say where and not what.

use std::borrow::Cow;

/// Bytes read of one text, half of them from its end.
const BYTES: usize = 8 * 1024;

pub(super) fn without_frames(text: &str) -> Cow<'_, str> {
    let text = bounded(text);
    if !text.contains('\n') {
        return text;
    }
    let mut kept = String::with_capacity(text.len());
    let mut below_file = false;
    for line in text.lines() {
        let trimmed = line.trim_start();
        // Below a frame of Python its source is quoted, further in.
        let is_source = below_file && line.len() - trimmed.len() >= 4;
        below_file =
            (trimmed.starts_with("File \"") && trimmed.contains("line ")) || (below_file && is_source);
        if is_source || below_file || is_frame(trimmed) {
            continue;
        }
        kept.push_str(line);
        kept.push('\n');
    }
    Cow::Owned(kept)
}

fn is_frame(line: &str) -> bool {
    let at =
        line.starts_with("at ") && (line.contains('(') || line.contains(".rs:") || line.contains(".js:"));
    let heading = line.starts_with("Traceback (most recent") || line.starts_with("stack backtrace:");
    let marks = !line.is_empty() && line.bytes().all(|byte| matches!(byte, b'^' | b'~' | b'-' | b'=' | b' '));
    at || heading || marks
}

fn bounded(text: &str) -> Cow<'_, str> {
    if text.len() <= BYTES {
        return Cow::Borrowed(text);
    }
    let head = &text[..text.floor_char_boundary(BYTES / 2)];
    let tail = &text[text.ceil_char_boundary(text.len() - BYTES / 2)..];
    Cow::Owned(format!("{head} {tail}"))
}
