//! Sentences of the assistant on a terminal: without their citations, in lines of a width that reads well.

use crate::terminal;

const WIDTH: usize = 96;

/// The text in lines, without its citations, which are for machines and for `--verbose`.
pub(crate) fn lines(cited: &str) -> Vec<String> {
    wrapped(&without_citations(cited), WIDTH)
}

fn without_citations(cited: &str) -> String {
    let mut text = String::new();
    let mut rest = cited;
    while let Some((before, after)) = rest.split_once("[e:") {
        text.push_str(before.trim_end());
        rest = after.split_once(']').map_or("", |(_, rest)| rest);
    }
    text.push_str(rest);
    text
}

fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("there is a line");
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(terminal::printable(word));
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(&terminal::printable(word));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_loses_its_citations_and_fits_the_width() {
        assert_eq!(
            lines("Step `a` failed [e:1] [e:p@1:2]. Then all ended [e:3]."),
            ["Step `a` failed. Then all ended."]
        );
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
    }
}
