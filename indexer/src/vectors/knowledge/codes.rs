//! The pages of the error Codes, which everybody has.

use noetl_api::knowledge::Format;
use noetl_domain::code::Code;

use super::cut::cut;
use super::place::point;
use crate::vectors::Point;

/// What their sources begin with.
pub(super) const PREFIX: &str = "code:";

pub(super) fn sources() -> Vec<String> {
    Code::ALL.iter().copied().map(source).collect()
}

fn source(code: Code) -> String {
    format!("{PREFIX}{code}")
}

/// A page is about one thing, so it is one passage where it is short enough: its headings are no borders.
pub(super) fn points() -> Vec<Point> {
    let mut points = Vec::new();
    for code in Code::ALL.iter().copied() {
        let page = code.page();
        let text = page.split_once('\n').map_or(page, |(_, text)| text);
        let cut = cut(text, Format::Text, &format!("{code}: {}", code.title()));
        points.extend(cut.passages.iter().map(|passage| point(&source(code), passage, 0)));
    }
    points
}
