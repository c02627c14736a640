//! SQL comments: braces inside them are not templates (playbooks.md 3.1, rule 5).

use std::borrow::Cow;

const OPEN: char = '\u{F8F0}';
const CLOSE: char = '\u{F8F1}';

/// Replaces the braces of `--` and `/* */` comments by private characters. [`show`] puts them back.
pub(super) fn hide(text: &str) -> Cow<'_, str> {
    if !(text.contains("--") || text.contains("/*")) {
        return Cow::Borrowed(text);
    }
    let bytes = text.as_bytes();
    let mut out = String::with_capacity(text.len());
    let (mut start, mut at) = (0, 0);
    while at < bytes.len() {
        let rest = &text[at..];
        let next = match bytes[at] {
            b'{' if rest.starts_with("{{") => at + rest.find("}}").map_or(rest.len(), |end| end + 2),
            b'{' if rest.starts_with("{%") => at + rest.find("%}").map_or(rest.len(), |end| end + 2),
            b'\'' | b'"' => at + quoted(rest),
            b'-' if rest.starts_with("--") => {
                let end = at + rest.find('\n').unwrap_or(rest.len());
                out.push_str(&text[start..at]);
                masked(&text[at..end], &mut out);
                start = end;
                end
            }
            b'/' if rest.starts_with("/*") => {
                let end = at + rest.find("*/").map_or(rest.len(), |end| end + 2);
                out.push_str(&text[start..at]);
                masked(&text[at..end], &mut out);
                start = end;
                end
            }
            _ => at + rest.chars().next().map_or(1, char::len_utf8),
        };
        at = next;
    }
    out.push_str(&text[start..]);
    Cow::Owned(out)
}

/// Length of the quoted text that starts here; the whole rest when a template inside holds the quote.
fn quoted(rest: &str) -> usize {
    let quote = rest.as_bytes()[0];
    let mut inside = 1;
    let bytes = rest.as_bytes();
    while inside < bytes.len() {
        if bytes[inside..].starts_with(b"{{") {
            inside += rest
                .get(inside..)
                .and_then(|code| code.find("}}"))
                .map_or(bytes.len() - inside, |end| end + 2);
            continue;
        }
        if bytes[inside] == quote {
            return inside + 1;
        }
        inside += 1;
    }
    bytes.len()
}

fn masked(comment: &str, out: &mut String) {
    out.extend(comment.chars().map(|c| match c {
        '{' => OPEN,
        '}' => CLOSE,
        other => other,
    }));
}

pub(super) fn show(text: String) -> String {
    if text.contains([OPEN, CLOSE]) { text.replace(OPEN, "{").replace(CLOSE, "}") } else { text }
}
