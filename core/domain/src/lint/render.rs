//! Findings as text for people: file, line, column, Code, message, the line with a caret, the hint.

use std::fmt::Write;

use crate::finding::{Finding, Severity};

/// Plain text.
pub fn render(findings: &[Finding], file: &str, text: &str) -> String {
    write(findings, file, text, &PLAIN)
}

/// With ANSI colours, for a terminal.
pub fn render_colored(findings: &[Finding], file: &str, text: &str) -> String {
    write(findings, file, text, &COLORED)
}

struct Style {
    error: &'static str,
    warning: &'static str,
    faint: &'static str,
    bold: &'static str,
    end: &'static str,
}

const PLAIN: Style = Style { error: "", warning: "", faint: "", bold: "", end: "" };
const COLORED: Style = Style {
    error: "\u{1b}[1;31m",
    warning: "\u{1b}[1;33m",
    faint: "\u{1b}[34m",
    bold: "\u{1b}[1m",
    end: "\u{1b}[0m",
};

/// Characters of a source line shown at most.
const WIDTH: usize = 110;
/// Characters before the caret when the line is cut.
const BEFORE: usize = 40;
/// Characters of a message shown at most.
const LONGEST_MESSAGE: usize = 600;

fn write(findings: &[Finding], file: &str, text: &str, style: &Style) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let mut out = String::new();
    for finding in findings {
        // Writing to a String cannot fail.
        let _ = one(&mut out, finding, file, &lines, style);
    }
    out
}

fn one(out: &mut String, finding: &Finding, file: &str, lines: &[&str], style: &Style) -> std::fmt::Result {
    let (word, color) = match finding.severity {
        Severity::Error => ("error", style.error),
        Severity::Warning => ("warning", style.warning),
    };
    let (Style { faint, bold, end, .. }, span) = (style, finding.span);
    let message = printable(&finding.message, LONGEST_MESSAGE);
    writeln!(
        out,
        "{bold}{file}:{}:{}{end}: {color}{word}[{}]{end}: {bold}{message}{end}",
        span.line, span.column, finding.code
    )?;
    let number = span.line.to_string();
    let gutter = " ".repeat(number.len());
    if let Some(line) = (span.line as usize).checked_sub(1).and_then(|index| lines.get(index)) {
        let column = (span.column as usize).saturating_sub(1);
        let (shown, at) = window(line, column);
        // The span may go on in later lines: the caret stays on this one.
        let length = span.end.saturating_sub(span.start).max(1);
        let room = shown.chars().count().saturating_sub(at).max(1);
        writeln!(out, "{faint}{gutter} |{end}")?;
        writeln!(out, "{faint}{number} |{end} {shown}")?;
        writeln!(
            out,
            "{faint}{gutter} |{end} {}{color}{}{end}",
            " ".repeat(at),
            "^".repeat(length.min(room).min(WIDTH))
        )?;
    }
    if let Some(hint) = &finding.hint {
        writeln!(out, "{faint}{gutter} ={end} hint: {}", printable(hint, LONGEST_MESSAGE))?;
    }
    writeln!(out)
}

/// The part of a line around a column, and where the column lies in it.
fn window(line: &str, column: usize) -> (String, usize) {
    // Only as much as is looked at: a line may be megabytes long.
    let from = if column > WIDTH - BEFORE { column - BEFORE } else { 0 };
    let mut shown: String = line.chars().skip(from).take(WIDTH + 1).map(visible).collect();
    if shown.chars().count() > WIDTH {
        shown = shown.chars().take(WIDTH - 1).collect();
        shown.push('…');
    }
    if from > 0 {
        shown.insert(0, '…');
        return (shown, column - from + 1);
    }
    let trimmed = shown.trim_end().to_owned();
    let at = column.min(trimmed.chars().count());
    (trimmed, at)
}

/// Control characters could move the cursor or hide text.
fn visible(c: char) -> char {
    match c {
        '\t' => ' ',
        c if c.is_control() => '\u{FFFD}',
        c => c,
    }
}

fn printable(text: &str, most: usize) -> String {
    let mut shown: String =
        text.chars().take(most + 1).map(|c| if c == '\n' { ' ' } else { visible(c) }).collect();
    if shown.chars().count() > most {
        shown = shown.chars().take(most - 1).collect();
        shown.push('…');
    }
    shown
}
