//! From a place inside a string's value to the place in the file that holds it.

use crate::finding::Span;
use crate::template::TemplateError;
use crate::yaml::Node;

/// Where in `text` the error of the template in `node` stands; the string itself when its text was escaped or folded.
pub(super) fn of(text: &str, node: &Node, error: &TemplateError) -> Span {
    let (Some(value), Some((start, end))) = (node.as_str(), error.range) else { return node.span };
    let Some(raw) = text.get(node.span.start..node.span.end.max(node.span.start)) else { return node.span };
    let start = start.min(value.len());
    let line_start = value.get(..start).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1);
    let Some(line) = value.get(line_start..).and_then(|rest| rest.lines().next()) else { return node.span };
    let wanted = line.trim();
    if wanted.is_empty() {
        return node.span;
    }
    // The same line may stand several times: skip as many as stand before it in the value.
    let earlier = value.get(..line_start).unwrap_or_default().matches(wanted).count();
    let Some((found, _)) = raw.match_indices(wanted).nth(earlier) else { return node.span };
    let indent = line.len() - line.trim_start().len();
    let inside = (start - line_start).saturating_sub(indent).min(wanted.len());
    let at = node.span.start + found + inside;
    let length = end.saturating_sub(start).min(wanted.len() - inside);
    span_at(text, at, at + length)
}

/// The span of a byte range of the file.
pub(super) fn span_at(text: &str, start: usize, end: usize) -> Span {
    let mut start = start.min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let before = &text[..start];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    Span {
        line: before.matches('\n').count() as u32 + 1,
        column: before[line_start..].chars().count() as u32 + 1,
        start,
        end: end.clamp(start, text.len()),
    }
}

/// The word inside a span, or before it on the same line; else the span.
pub(super) fn word(text: &str, span: Span, word: &str) -> Span {
    let Some(before) = text.get(..span.start) else { return span };
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = &before[line_start..];
    if let Some(at) =
        line.rfind(word).filter(|at| line[at + word.len()..].trim_matches([' ', '"', '\'']) == ":")
    {
        return span_at(text, line_start + at, line_start + at + word.len());
    }
    let Some(at) = text.get(span.start..span.end).and_then(|inside| inside.find(word)) else { return span };
    span_at(text, span.start + at, span.start + at + word.len())
}
