//! Plain text: paragraphs with empty lines between them.

use super::Outline;

pub(super) fn read(content: &str, outline: &mut Outline) {
    let mut paragraph = String::new();
    for line in content.lines() {
        if line.trim().is_empty() {
            outline.paragraph(&paragraph);
            paragraph.clear();
        } else {
            paragraph.push_str(line);
            paragraph.push('\n');
        }
    }
    outline.paragraph(&paragraph);
}
