//! Words of a text, and their stems.

/// Words that say nothing about which failure it is.
const COMMON: &[&str] = &[
    "a", "an", "and", "are", "as", "at", "be", "been", "but", "by", "can", "could", "did", "do", "does",
    "for", "from", "get", "got", "had", "has", "have", "how", "i", "if", "in", "into", "is", "it", "its",
    "me", "my", "of", "on", "or", "our", "so", "some", "that", "the", "their", "them", "then", "there",
    "these", "they", "this", "those", "to", "was", "we", "were", "what", "when", "where", "which", "while",
    "who", "why", "will", "with", "would", "you", "your",
];

pub(super) fn is_common(word: &str) -> bool {
    COMMON.binary_search(&word).is_ok()
}

/// Endings, longest first, and how much must remain before them.
const ENDINGS: &[(&str, usize)] = &[
    ("ations", 4),
    ("ation", 4),
    ("ions", 4),
    ("ings", 4),
    ("ment", 5),
    ("able", 4),
    ("ible", 4),
    ("ance", 4),
    ("ence", 4),
    ("ion", 4),
    ("ing", 4),
    ("ies", 3),
    ("ied", 3),
    ("ers", 4),
    ("es", 4),
    ("ed", 4),
    ("er", 4),
    ("or", 5),
    ("ly", 4),
    ("s", 3),
    ("e", 4),
    ("y", 3),
];

/// The word without its ending, so that `connections`, `connected` and `connecting` meet.
///
/// Light on purpose: an ending is cut only where enough remains, and no word is changed into another.
pub(super) fn stem(word: &str) -> &str {
    if !word.is_ascii() || word.bytes().any(|byte| byte.is_ascii_digit()) {
        return word;
    }
    for (ending, least) in ENDINGS {
        if let Some(stem) = word.strip_suffix(ending)
            && stem.len() >= *least
            && !(*ending == "s" && stem.ends_with('s'))
        {
            return undoubled(stem);
        }
    }
    word
}

/// `dropped` and `drop` meet.
fn undoubled(stem: &str) -> &str {
    let bytes = stem.as_bytes();
    match bytes {
        [.., a, b] if a == b && stem.len() > 4 && !matches!(b, b'l' | b's' | b'e' | b'o') => {
            &stem[..stem.len() - 1]
        }
        _ => stem,
    }
}

/// A 32-bit hash that stays the same over versions and machines (FNV-1a, mixed).
pub(super) fn hash(text: &str) -> u32 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in text.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash ^= hash >> 32;
    hash = hash.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (hash >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_words_are_in_order() {
        assert!(COMMON.is_sorted());
    }

    #[test]
    fn forms_of_a_word_meet() {
        for forms in [
            ["connection", "connections", "connect", "connected", "connecting"].as_slice(),
            &["drop", "dropped", "drops", "dropping"],
            &["refuse", "refused", "refuses", "refusing"],
            &["certificate", "certificates"],
            &["query", "queries"],
            &["retry", "retries", "retried"],
            &["class", "class"],
        ] {
            let stems: Vec<&str> = forms.iter().map(|word| stem(word)).collect();
            assert!(stems.iter().all(|stem| stem == &stems[0]), "{stems:?}");
        }
        assert_ne!(stem("address"), stem("add"));
        assert_eq!(stem("42p01"), "42p01");
    }

    #[test]
    fn hashes_stay_the_same() {
        // Indexes of stored vectors depend on them.
        assert_eq!(
            [hash(""), hash("connect"), hash("connected")],
            [2_238_767_700, 319_141_308, 3_958_139_769]
        );
    }
}
