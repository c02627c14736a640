//! What of a text speaks for a cause: its words, pairs of neighbours, and the parts of names written together.

use std::collections::HashSet;

/// Bytes of a text that are looked at.
const READ: usize = 4 * 1024;
/// Letters of a word that count: endings say little.
const STEM: usize = 7;

/// Words and pairs of neighbours; numbers are one word, those of three digits stay, and ids go. The parts of a name such as
/// `TooManyRequestsException` begin with `@`.
pub(super) fn of(text: &str) -> HashSet<String> {
    let text = &text[..text.floor_char_boundary(READ)];
    let found = words(&text.to_lowercase());
    let pairs: Vec<String> = found.windows(2).map(|pair| format!("{} {}", pair[0], pair[1])).collect();
    found.into_iter().chain(pairs).chain(parts_of_names(text)).collect()
}

/// Whether a feature is a pair of words.
pub(super) fn is_pair(feature: &str) -> bool {
    feature.contains(' ')
}

fn words(lower: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for run in lower.split(|one: char| !one.is_alphanumeric()).filter(|run| !run.is_empty()) {
        let is_hex = run.len() >= 8 && run.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_hex && run.bytes().any(|byte| byte.is_ascii_digit()) {
            found.push("#".to_owned());
            continue;
        }
        if run.chars().any(is_of_no_alphabet) {
            let signs: Vec<char> = run.chars().collect();
            found.extend(signs.windows(2).map(|pair| pair.iter().collect::<String>()));
            continue;
        }
        let mut part = String::new();
        for one in run.chars() {
            if part.chars().next_back().is_some_and(|last| last.is_numeric() != one.is_numeric()) {
                finish(&mut part, &mut found);
            }
            part.push(one);
        }
        finish(&mut part, &mut found);
    }
    found
}

/// Chinese and Japanese put no spaces between words; two signs together are one.
fn is_of_no_alphabet(one: char) -> bool {
    matches!(one, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}')
}

fn finish(part: &mut String, found: &mut Vec<String>) {
    let is_number = part.bytes().all(|byte| byte.is_ascii_digit());
    match part.chars().count() {
        0 => {}
        3 if is_number => found.push(part.clone()),
        _ if is_number => found.push("#".to_owned()),
        1 => {}
        _ => found.push(part.chars().take(STEM).collect()),
    }
    part.clear();
}

/// `@too`, `@many`, `@request`, `@excepti` of `TooManyRequestsException`.
fn parts_of_names(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for name in text.split(|one: char| !one.is_ascii_alphabetic()) {
        let letters = name.as_bytes();
        let is_turn = |at: usize| {
            let (before, here) = (letters[at - 1], letters[at]);
            let next_is_small = letters.get(at + 1).is_some_and(u8::is_ascii_lowercase);
            here.is_ascii_uppercase() && (before.is_ascii_lowercase() || next_is_small)
        };
        let turns: Vec<usize> = (1..letters.len()).filter(|at| is_turn(*at)).collect();
        if turns.is_empty() {
            continue;
        }
        let starts = std::iter::once(0).chain(turns.iter().copied());
        let ends = turns.iter().copied().chain([name.len()]);
        found.extend(starts.zip(ends).map(|(start, end)| {
            let part: String = name[start..end].chars().take(STEM).collect();
            format!("@{}", part.to_lowercase())
        }));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_cut_and_ids_left_out() {
        let mut found: Vec<String> = of("HTTP 503: id 7f3a9c21bb, took 12s").into_iter().collect();
        found.sort();
        let pairs = ["# took", "503 id", "http 503", "id #", "took #"];
        let mut expected: Vec<&str> = ["#", "503", "http", "id", "took"].into_iter().chain(pairs).collect();
        expected.sort_unstable();
        assert_eq!(found, expected);
    }

    #[test]
    fn names_written_together_are_taken_apart() {
        let parts = parts_of_names("botocore.TooManyRequestsException: HTTPError, plain Word");
        assert_eq!(parts, ["@too", "@many", "@request", "@excepti", "@http", "@error"]);
    }
}
