//! Quotes templates that stand unquoted where YAML expects a value: `key: {{ x }}`.

use super::places::Insertion;

/// The text with quotes put around bare templates, and where they were put.
pub(super) fn quote_templates(text: &str) -> (String, Vec<Insertion>) {
    let mut output = String::with_capacity(text.len() + 64);
    let mut insertions = Vec::new();
    let mut state = State::default();
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let start = output.len();
        state.line(line, &mut output, &mut |column, byte| {
            insertions.push(Insertion { byte: start + byte, line: index as u32 + 1, column: column as u32 });
        });
    }
    (output, insertions)
}

#[derive(Default)]
struct State {
    /// Inside a quoted scalar that goes on over lines.
    quote: Option<char>,
    flow: usize,
    /// Indentation of the line that opened a block scalar.
    block: Option<usize>,
}

impl State {
    fn line(&mut self, line: &str, output: &mut String, inserted: &mut impl FnMut(usize, usize)) {
        let indent = line.len() - line.trim_start_matches(' ').len();
        if let Some(outer) = self.block {
            if line.trim().is_empty() || indent > outer {
                output.push_str(line);
                return;
            }
            self.block = None;
        }
        let start = output.len();
        let characters: Vec<char> = line.chars().collect();
        let mut value_may_start = true;
        let mut at = 0;
        while at < characters.len() {
            let (character, next) = (characters[at], characters.get(at + 1).copied());
            if let Some(quote) = self.quote {
                if character == '\\' && quote == '"' {
                    output.push(character);
                    at += 1;
                    if let Some(&escaped) = characters.get(at) {
                        output.push(escaped);
                    }
                } else {
                    if character == quote {
                        self.quote = None;
                        value_may_start = false;
                    }
                    output.push(character);
                }
                at += 1;
                continue;
            }
            if character == '{' && next == Some('{') && value_may_start {
                let end = if self.flow == 0 { block_end(&characters, at) } else { flow_end(&characters, at) };
                let value: String = characters[at..end].iter().collect();
                inserted(output[start..].chars().count(), output.len() - start);
                output.push('\'');
                for character in value.chars() {
                    if character == '\'' {
                        inserted(output[start..].chars().count(), output.len() - start);
                        output.push('\'');
                    }
                    output.push(character);
                }
                inserted(output[start..].chars().count(), output.len() - start);
                output.push('\'');
                at = end;
                value_may_start = false;
                continue;
            }
            match character {
                '"' | '\'' if value_may_start => self.quote = Some(character),
                '#' if at == 0 || characters[at - 1].is_whitespace() => {
                    output.extend(&characters[at..]);
                    return;
                }
                '|' | '>' if value_may_start && self.flow == 0 && at > 0 => {
                    output.extend(&characters[at..]);
                    self.block = Some(indent);
                    return;
                }
                '{' | '[' if value_may_start || self.flow > 0 => self.flow += 1,
                '}' | ']' if self.flow > 0 => self.flow -= 1,
                _ => {}
            }
            value_may_start = match character {
                ' ' | '\t' => value_may_start,
                ':' => next.is_none_or(char::is_whitespace),
                '-' => value_may_start && next.is_some_and(char::is_whitespace),
                ',' | '[' | '{' => self.flow > 0,
                _ => false,
            };
            output.push(character);
            at += 1;
        }
    }
}

/// In block context a value lasts until the end of the line or a comment.
fn block_end(characters: &[char], from: usize) -> usize {
    let mut end = characters.len();
    for at in from + 1..characters.len() {
        if characters[at] == '#' && characters[at - 1].is_whitespace() {
            end = at;
            break;
        }
    }
    while end > from && characters[end - 1].is_whitespace() {
        end -= 1;
    }
    end
}

/// In flow context it lasts until a delimiter after the last closed template.
fn flow_end(characters: &[char], from: usize) -> usize {
    let mut at = from;
    let mut open = false;
    let mut quote = None;
    while at < characters.len() {
        let pair = (characters[at], characters.get(at + 1).copied());
        match pair {
            ('{', Some('{')) if quote.is_none() => {
                open = true;
                at += 1;
            }
            ('}', Some('}')) if open && quote.is_none() => {
                open = false;
                at += 1;
            }
            (character @ ('"' | '\''), _) if open => {
                quote = match quote {
                    None => Some(character),
                    Some(current) if current == character => None,
                    other => other,
                };
            }
            (',' | ']' | '}' | '\n', _) if !open => break,
            _ => {}
        }
        at += 1;
    }
    while at > from && characters[at - 1].is_whitespace() {
        at -= 1;
    }
    at
}
