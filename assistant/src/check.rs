//! Checks prose against the evidence: every sentence cites something that exists, and its numbers are the cited ones.
//!
//! What does not resolve is dropped, whoever wrote it.

use noetl_api::diagnosis::EvidenceItem;

/// Keeps the sentences that hold.
pub(crate) fn check(prose: &str, evidence: &[EvidenceItem]) -> String {
    let kept: Vec<&str> = sentences(prose).into_iter().filter(|sentence| holds(sentence, evidence)).collect();
    kept.join(" ")
}

/// Whether a sentence cites evidence that exists, and states no number that is not in it.
fn holds(sentence: &str, evidence: &[EvidenceItem]) -> bool {
    let (text, citations) = apart(sentence);
    if citations.is_empty() {
        return false;
    }
    let cited: Vec<&EvidenceItem> = citations
        .iter()
        .filter_map(|reference| evidence.iter().find(|item| item.reference == *reference))
        .collect();
    if cited.len() < citations.len() {
        return false;
    }
    numbers(&unquoted(&text)).iter().all(|number| {
        cited
            .iter()
            .any(|item| numbers(&item.excerpt).contains(number) || numbers(&item.reference).contains(number))
    })
}

/// The text without its citations, and what they name.
fn apart(sentence: &str) -> (String, Vec<&str>) {
    let (mut text, mut citations, mut rest) = (String::new(), Vec::new(), sentence);
    while let Some(at) = rest.find("[e:") {
        let Some(end) = rest[at..].find(']') else { break };
        text.push_str(&rest[..at]);
        citations.push(&rest[at + 3..at + end]);
        rest = &rest[at + end + 1..];
    }
    text.push_str(rest);
    (text, citations)
}

/// The text without names in backticks and messages in quotes: digits there belong to what is quoted.
fn unquoted(text: &str) -> String {
    let mut out = String::new();
    let mut inside: Option<char> = None;
    for character in text.chars() {
        match inside {
            Some(quote) if character == quote => inside = None,
            Some(_) => {}
            None if matches!(character, '`' | '"') => inside = Some(character),
            None => out.push(character),
        }
    }
    out
}

fn numbers(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut number = String::new();
    for character in text.chars().chain([' ']) {
        if character.is_ascii_digit() || character == '.' && !number.is_empty() && !number.contains('.') {
            number.push(character);
        } else if !number.is_empty() {
            found.push(std::mem::take(&mut number).trim_end_matches('.').to_owned());
        }
    }
    found
}

/// Sentences end with a full stop outside quotes; citations behind it belong to it.
pub(crate) fn sentences(prose: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let (mut from, mut inside) = (0, None);
    let mut characters = prose.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        match inside {
            Some(quote) if character == quote => inside = None,
            Some(_) => {}
            None if matches!(character, '`' | '"') => inside = Some(character),
            None => {
                let ends = matches!(character, '.' | '!' | '?')
                    && characters.peek().is_none_or(|(_, next)| next.is_whitespace());
                let goes_on = prose[at + character.len_utf8()..].trim_start().starts_with("[e:");
                if ends && !goes_on {
                    found.push(prose[from..=at].trim());
                    from = at + 1;
                }
            }
        }
    }
    found.push(prose[from..].trim());
    found.retain(|sentence| !sentence.is_empty());
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evidence() -> Vec<EvidenceItem> {
        let item = |reference: &str, excerpt: &str| EvidenceItem {
            reference: reference.into(),
            excerpt: excerpt.into(),
            ..EvidenceItem::default()
        };
        vec![item("17", "fetch.rows has 3 elements, before 40"), item("a/b@2:7", "- step: fetch")]
    }

    #[test]
    fn what_resolves_stays_and_the_rest_goes() {
        let prose = "Step `fetch2` gave 3 rows where there were 40 [e:17]. It gave 4 rows [e:17]. \
                     It was the weather. See [e:99]. It says \"12 of 13. Done\" [e:a/b@2:7].";
        assert_eq!(
            check(prose, &evidence()),
            "Step `fetch2` gave 3 rows where there were 40 [e:17]. It says \"12 of 13. Done\" [e:a/b@2:7]."
        );
    }
}
