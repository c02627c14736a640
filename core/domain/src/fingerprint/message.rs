//! What of a message of several lines says what happened.
//!
//! A traceback is as long as the stack was deep; its shape is what was raised, not through which calls.

use std::borrow::Cow;

/// Lines kept of one message.
const LINES: usize = 6;

/// One line that stands for the message: its lines without the frames of a stack.
pub(super) fn essence(message: &str, limit: usize) -> Cow<'_, str> {
    let message = message.get(..message.floor_char_boundary(limit)).unwrap_or_default();
    if !message.trim_end().contains('\n') {
        return Cow::Borrowed(message.trim_end());
    }
    let mut kept: Vec<&str> = Vec::new();
    let mut omitted = Vec::new();
    for line in message.lines().filter(|line| !line.trim().is_empty()) {
        if is_frame(line) {
            if kept.is_empty() {
                omitted.push(line);
            }
        } else {
            kept.push(line.trim());
        }
    }
    if kept.is_empty() {
        kept = omitted;
    }
    if kept.len() > LINES {
        // The first lines say where it began, the last what was raised.
        let last = kept.len() - LINES / 2;
        kept.drain(LINES / 2..last);
    }
    Cow::Owned(kept.join(" "))
}

/// A line that says through which call the error came, in the manner of some runtime.
fn is_frame(line: &str) -> bool {
    let text = line.trim_start();
    let is_indented = text.len() < line.len();
    is_indented
        || text.starts_with("File \"")
        || text.starts_with("at ") && text.contains(['(', ':'])
        || text.starts_with("goroutine ")
        || text.starts_with("... ") && text.ends_with(" more")
        || text.chars().all(|character| matches!(character, '^' | '~' | ' ' | '-' | '='))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_traceback_is_what_was_raised() {
        let deep = "Traceback (most recent call last):\n  File \"a.py\", line 1, in <module>\n    f()\n  File \"b.py\", line 9\n    g()\n    ~^^\nValueError: bad id 7";
        let flat = "Traceback (most recent call last):\n  File \"c.py\", line 3, in <module>\n    h()\nValueError: bad id 8";
        assert_eq!(essence(deep, 9999), "Traceback (most recent call last): ValueError: bad id 7");
        assert_eq!(essence(flat, 9999), "Traceback (most recent call last): ValueError: bad id 8");
        let java = "java.io.IOException: broken\n\tat a.B.c(B.java:1)\n\t... 12 more\nCaused by: java.net.ConnectException: refused\n\tat d.E.f(E.java:2)";
        assert_eq!(
            essence(java, 9999),
            "java.io.IOException: broken Caused by: java.net.ConnectException: refused"
        );
    }

    #[test]
    fn long_messages_are_cut_between_characters() {
        assert_eq!(essence("ééé", 3), "é");
        assert_eq!(essence("one line\n", 99), "one line");
    }
}
