//! Data for stdout: one JSON document, text, or a table.

use std::io::Write as _;

use anyhow::Context as _;
pub(crate) use noetl_api::show::moment;
use serde::Serialize;

/// Prints one JSON document.
pub(crate) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    let mut text = serde_json::to_string_pretty(value).context("cannot write JSON")?;
    text.push('\n');
    as_is(&text)
}

/// Prints one JSON document on one line, for streams.
pub(crate) fn json_line(value: &impl Serialize) -> anyhow::Result<()> {
    let mut text = serde_json::to_string(value).context("cannot write JSON")?;
    text.push('\n');
    as_is(&text)
}

/// Prints text that ends with exactly one line break.
pub(crate) fn text(text: &str) -> anyhow::Result<()> {
    as_is(&format!("{}\n", text.trim_end_matches('\n')))
}

/// Prints text that has its line breaks already.
pub(crate) fn as_is(text: &str) -> anyhow::Result<()> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        // `noetl events ID | head` is not a failure.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => std::process::exit(0),
        written => written.context("cannot write to standard output"),
    }
}

/// Columns as wide as their widest cell; nothing is cut, so that what is printed can be copied and piped.
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(header: &[&str]) -> Self {
        let style = crate::terminal::stdout_style();
        Self { rows: vec![header.iter().map(|name| style.dim(name)).collect()] }
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    pub(crate) fn print(self) -> anyhow::Result<()> {
        text(&self.lines().join("\n"))
    }

    fn lines(&self) -> Vec<String> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or_default();
        let widths: Vec<usize> = (0..columns)
            .map(|column| {
                self.rows.iter().filter_map(|row| row.get(column)).map(|cell| width(cell)).max().unwrap_or(0)
            })
            .collect();
        self.rows
            .iter()
            .map(|row| {
                let mut line = String::new();
                for (cell, wide) in row.iter().zip(&widths) {
                    line.push_str(cell);
                    line.push_str(&" ".repeat(wide - width(cell) + 2));
                }
                line.trim_end().to_owned()
            })
            .collect()
    }
}

/// Characters that take room: colour sequences take none.
fn width(cell: &str) -> usize {
    let mut count = 0;
    let mut hidden = false;
    for character in cell.chars() {
        match character {
            '\x1b' => hidden = true,
            'm' if hidden => hidden = false,
            _ if hidden => {}
            _ => count += 1,
        }
    }
    count
}

/// The beginning of a text, in so many characters.
pub(crate) fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The beginning of a text on one line.
pub(crate) fn one_line(text: &str, most: usize) -> String {
    shortened(&text.split_whitespace().collect::<Vec<_>>().join(" "), most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_whatever_their_colour() {
        let mut table = Table { rows: Vec::new() };
        table.row(["a".to_owned(), "STATUS".to_owned(), "x".to_owned()]);
        table.row(["bcd".to_owned(), "\x1b[32mOK\x1b[0m".to_owned(), "y".to_owned()]);
        assert_eq!(table.lines(), ["a    STATUS  x", "bcd  \x1b[32mOK\x1b[0m      y"]);
    }
}
