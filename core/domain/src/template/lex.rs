//! Just enough reading of template text to know facts about it; parsing proper is minijinja's.

use std::borrow::Cow;

/// Whether the text has anything to render (playbooks.md 3.1, rule 1).
pub(super) fn has_template(text: &str) -> bool {
    text.contains("{{") || text.contains("{%")
}

/// Byte ranges of the code between `{{ }}` and `{% %}`, without the delimiters.
pub(super) fn regions(text: &str) -> Vec<(usize, usize)> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at + 1 < bytes.len() {
        match &bytes[at..at + 2] {
            b"{{" | b"{%" => {
                let close = bytes[at + 1] == b'%';
                let end = region_end(bytes, at + 2, close);
                found.push((at + 2, end));
                at = end + 2;
            }
            b"{#" => at = text[at..].find("#}").map_or(bytes.len(), |end| at + end + 2),
            _ => at += 1,
        }
    }
    found
}

/// Where the code that starts at `at` ends: before `%}`, or before a `}}` that closes no brace of the code itself.
fn region_end(bytes: &[u8], mut at: usize, block: bool) -> usize {
    let mut depth = 0_usize;
    while at < bytes.len() {
        match bytes[at] {
            quote @ (b'\'' | b'"') => {
                at += 1;
                while at < bytes.len() && bytes[at] != quote {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
            }
            b'%' if block && bytes.get(at + 1) == Some(&b'}') => return at,
            b'{' => depth += 1,
            b'}' if depth > 0 => depth -= 1,
            b'}' if !block && bytes.get(at + 1) == Some(&b'}') => return at,
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    Name(&'a str),
    /// The text between the quotes, escapes as written.
    Text(&'a str),
    Number,
    Operator(&'a str),
}

pub(super) fn tokens(code: &str) -> Vec<(usize, Token<'_>)> {
    let bytes = code.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        let byte = bytes[at];
        if byte.is_ascii_whitespace() {
            at += 1;
            continue;
        }
        if byte == b'\'' || byte == b'"' {
            at += 1;
            while at < bytes.len() && bytes[at] != byte {
                at += if bytes[at] == b'\\' { 2 } else { 1 };
            }
            let end = at.min(bytes.len());
            found.push((start, Token::Text(code.get(start + 1..end).unwrap_or_default())));
            at += 1;
        } else if is_name_start(byte) {
            while at < bytes.len() && is_name(bytes[at]) {
                at += 1;
            }
            found.push((start, Token::Name(&code[start..at])));
        } else if byte.is_ascii_digit() {
            while at < bytes.len() && (is_name(bytes[at])) {
                at += 1;
            }
            found.push((start, Token::Number));
        } else {
            let two = code.get(at..at + 2).unwrap_or_default();
            let length = if matches!(two, "==" | "!=" | "<=" | ">=" | "//" | "**") { 2 } else { 1 };
            found.push((start, Token::Operator(&code[start..start + length])));
            at += length;
        }
    }
    found
}

fn is_name_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80
}

fn is_name(byte: u8) -> bool {
    is_name_start(byte) || byte.is_ascii_digit()
}

/// Rewrites what the first generation writes and Jinja does not know, keeping every byte in its place:
/// `$.` before a path, and names with hyphens (`hyphenated`), which become names with underscores.
pub(super) fn prepare<'a>(text: &'a str, bare: bool, hyphenated: &[Box<str>]) -> Cow<'a, str> {
    let suspicious = text.contains("$.") || hyphenated.iter().any(|name| text.contains(&**name));
    if !suspicious {
        return Cow::Borrowed(text);
    }
    let regions = if bare { vec![(0, text.len())] } else { regions(text) };
    let mut bytes = text.as_bytes().to_vec();
    for (from, to) in regions {
        let code = &text[from..to.min(text.len())];
        let mut next = 0;
        for (at, token) in tokens(code) {
            if at < next {
                continue;
            }
            match token {
                Token::Operator("$") if code[at..].starts_with("$.") => {
                    bytes[from + at] = b' ';
                    bytes[from + at + 1] = b' ';
                }
                Token::Name(_) => {
                    let rest = &code[at..];
                    let known = hyphenated
                        .iter()
                        .filter(|name| rest.starts_with(&***name) && ends_there(rest, name.len()))
                        .max_by_key(|name| name.len());
                    if let Some(name) = known {
                        next = at + name.len();
                        for byte in &mut bytes[from + at..from + next] {
                            if *byte == b'-' {
                                *byte = b'_';
                            }
                        }
                    }
                }
                _ => {}
            }
        }
    }
    String::from_utf8(bytes).map_or(Cow::Borrowed(text), Cow::Owned)
}

fn ends_there(rest: &str, length: usize) -> bool {
    let mut after = rest[length..].bytes();
    match after.next() {
        Some(b'-') => !after.next().is_some_and(is_name),
        Some(next) => !is_name(next),
        None => true,
    }
}

/// The code of a text that is one `{{ … }}` and nothing else, and where it starts.
pub(super) fn lone(text: &str) -> Option<(usize, &str)> {
    let trimmed = text.trim();
    let inner = trimmed.strip_prefix("{{")?.strip_suffix("}}")?;
    let start = text.len() - text.trim_start().len() + 2;
    let [(from, to)] = regions(trimmed)[..] else { return None };
    if from != 2 || to != trimmed.len() - 2 {
        return None;
    }
    let left = usize::from(inner.starts_with(['-', '+']));
    let inner = inner.get(left..)?;
    // `{{ x -}}`: the hyphen belongs to the delimiter.
    let inner = inner.strip_suffix('-').unwrap_or(inner);
    Some((start + left, inner))
}

/// The names of a path such as `a.b.c`, if the code is one.
pub(super) fn path(code: &str) -> Option<Vec<String>> {
    const WORDS: &[&str] = &[
        "true", "false", "none", "True", "False", "None", "null", "not", "and", "or", "in", "is", "if",
        "else",
    ];
    let code = code.trim();
    let names: Vec<&str> = code.split('.').map(str::trim).collect();
    let named = |name: &&str| {
        name.bytes().next().is_some_and(is_name_start) && name.bytes().all(is_name) && !WORDS.contains(name)
    };
    (code.is_ascii() && names.iter().all(named)).then(|| names.into_iter().map(str::to_owned).collect())
}

/// Operators in one expression, brackets inside one another, and `elif` branches in one text.
const MOST_OPERATORS: usize = 400;
const DEEPEST_BRACKETS: usize = 48;
const MOST_BRANCHES: usize = 100;

/// Where a text becomes more complex than the parser's stack can bear. Nothing that a person writes comes near.
pub(super) fn too_complex(text: &str, bare: bool) -> Option<usize> {
    let regions = if bare { vec![(0, text.len())] } else { regions(text) };
    let mut branches = 0;
    for (from, to) in regions {
        let (mut operators, mut depth) = (0, 0_usize);
        for (at, token) in tokens(text.get(from..to)?) {
            match token {
                Token::Operator("(" | "[" | "{") => depth += 1,
                Token::Operator(")" | "]" | "}") => depth = depth.saturating_sub(1),
                Token::Operator("," | ":") => operators = 0,
                Token::Name("elif") => branches += 1,
                Token::Operator(_) | Token::Name("not" | "and" | "or" | "in" | "is" | "if" | "else") => {
                    operators += 1;
                }
                Token::Name(_) | Token::Text(_) | Token::Number => {}
            }
            if operators > MOST_OPERATORS || depth > DEEPEST_BRACKETS || branches > MOST_BRANCHES {
                return Some(from + at);
            }
        }
    }
    None
}
