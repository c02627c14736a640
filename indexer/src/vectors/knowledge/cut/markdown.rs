//! Markdown: what headings and fences mean is read, what stands inside a line stays as it is written.

use super::Outline;

pub(super) fn read(content: &str, outline: &mut Outline) {
    let mut lines = content.lines().peekable();
    if lines.peek().is_some_and(|line| line.trim_end() == "---") {
        lines.next();
        // What stands before the document is about it, not in it.
        for line in lines.by_ref().take_while(|line| !matches!(line.trim_end(), "---" | "...")) {
            if let Some(title) = line.strip_prefix("title:") {
                outline.name(title.trim().trim_matches(['"', '\'']));
            }
        }
    }
    let mut paragraph = Paragraph::default();
    while let Some(line) = lines.next() {
        let trimmed = line.trim();
        if let Some(fence) = fence(line) {
            paragraph.end(outline);
            // A fence that nobody closes goes on to the end.
            paragraph.add(line);
            for line in lines.by_ref() {
                paragraph.add(line);
                if closes(line, fence) {
                    break;
                }
            }
            paragraph.end(outline);
        } else if trimmed.starts_with("<!--") {
            if !trimmed.contains("-->") {
                lines.by_ref().find(|line| line.contains("-->"));
            }
        } else if trimmed.is_empty() {
            paragraph.end(outline);
        } else if let Some((level, text)) = heading(line) {
            paragraph.end(outline);
            outline.heading(level, &without_marks(text));
        } else if let (Some(level), Some(text)) = (underline(trimmed), paragraph.title()) {
            outline.heading(level, &without_marks(text));
            paragraph = Paragraph::default();
        } else {
            paragraph.add(line);
        }
    }
    paragraph.end(outline);
}

#[derive(Default)]
struct Paragraph {
    text: String,
    lines: usize,
}

impl Paragraph {
    fn add(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
        self.lines += 1;
    }

    fn end(&mut self, outline: &mut Outline) {
        outline.paragraph(&self.text);
        *self = Self::default();
    }

    /// A line that a line below it may make a heading: not an item, quote or row, which end with a line of their own.
    fn title(&self) -> Option<&str> {
        let text = self.text.trim();
        let is_title = self.lines == 1 && !text.starts_with(['-', '*', '+', '>', '|']);
        is_title.then_some(text)
    }
}

/// `## Heading ##`, with its level.
fn heading(line: &str) -> Option<(usize, &str)> {
    let text = line.trim_start_matches(' ');
    let level = text.bytes().take_while(|byte| *byte == b'#').count();
    let rest = &text[level..];
    let is_heading =
        line.len() - text.len() < 4 && (1..=6).contains(&level) && !rest.starts_with(is_no_space);
    is_heading.then(|| (level, rest.trim().trim_end_matches('#').trim_end()))
}

fn is_no_space(character: char) -> bool {
    !character.is_whitespace()
}

/// A line that makes the one above it a heading, with its level.
fn underline(trimmed: &str) -> Option<usize> {
    let all = |mark| trimmed.len() > 1 && trimmed.chars().all(|character| character == mark);
    if all('=') { Some(1) } else { all('-').then_some(2) }
}

/// The mark that a block of code begins with, and how often.
fn fence(line: &str) -> Option<(char, usize)> {
    let text = line.trim_start();
    let mark = text.chars().next().filter(|mark| matches!(mark, '`' | '~'))?;
    let count = text.chars().take_while(|character| *character == mark).count();
    // A line such as ```` ```code``` ```` is no fence.
    let is_fence = count >= 3 && !(mark == '`' && text[count..].contains('`'));
    is_fence.then_some((mark, count))
}

fn closes(line: &str, (mark, count): (char, usize)) -> bool {
    let text = line.trim();
    text.len() >= count && text.chars().all(|character| character == mark)
}

fn without_marks(text: &str) -> String {
    text.replace("**", "").replace('`', "")
}
