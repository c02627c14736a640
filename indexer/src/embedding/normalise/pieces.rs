//! A text in pieces: names, numbers and codes, each whole, without what stands around them.

use super::codes::is_known_number;

/// One name, number or code as it was written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece<'t> {
    pub(super) text: &'t str,
}

/// The pieces of a text in order. Of addresses and paths only what names a thing remains.
pub(super) fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    text.split_whitespace().flat_map(of_chunk)
}

pub(super) fn of_chunk(chunk: &str) -> Vec<Piece<'_>> {
    let bare = chunk.trim_matches(|c: char| !c.is_alphanumeric() && !matches!(c, '/' | '~' | '.' | '\\'));
    if let Some((_, rest)) = bare.split_once("://") {
        let address = rest.split(['?', '#']).next().unwrap_or_default();
        let (host, path) = address.split_once('/').unwrap_or((address, ""));
        let host = host.rsplit('@').next().unwrap_or_default();
        let path = path.split('/').filter(|part| names_a_thing(part)).flat_map(split);
        return host_names(host).into_iter().chain(path).collect();
    }
    if is_email(bare) || is_time(bare) {
        return Vec::new();
    }
    if let Some(file) = file_of(bare) {
        return split(file);
    }
    split(bare)
}

/// Neither an address, nor a path, nor a host, nor a time.
pub(super) fn is_plain(chunk: &str) -> bool {
    let bare = chunk.trim_matches(|c: char| !c.is_alphanumeric() && !matches!(c, '/' | '~' | '.' | '\\'));
    !(bare.contains("://") || is_email(bare) || is_time(bare) || is_host(bare) || file_of(bare).is_some())
}

fn split(text: &str) -> Vec<Piece<'_>> {
    if is_host(text) {
        return host_names(text);
    }
    class_name(text)
        .unwrap_or(text)
        .split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .filter(|text| !text.is_empty())
        .map(|text| Piece { text })
        .collect()
}

/// `java.io.IOException`: the last name is what is meant.
fn class_name(text: &str) -> Option<&str> {
    let text = text.trim_end_matches([':', ',', '.', ';']);
    let (path, name) = text.rsplit_once('.')?;
    let is_name = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_alphanumeric() || c == '_')
    };
    let is_class =
        name.starts_with(|c: char| c.is_ascii_uppercase()) && name.bytes().any(|c| c.is_ascii_lowercase());
    (is_class && path.split('.').all(is_name)).then_some(name)
}

/// Three small names or more with dots between them, and perhaps a port.
fn is_host(text: &str) -> bool {
    let text = text.split_once(':').map_or(text, |(host, _)| host);
    let small = |part: &str| {
        !part.is_empty() && part.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-')
    };
    text.split('.').count() >= 3 && text.split('.').all(small)
}

/// Names of services; where in the world they are is left out, as far as it shows.
fn host_names(host: &str) -> Vec<Piece<'_>> {
    let host = host.split_once(':').map_or(host, |(host, _)| host);
    let names = host.rsplit_once('.').map_or(host, |(names, _)| names);
    names
        .split(['.', '-'])
        .filter(|name| names_a_thing(name) && *name != "www")
        .map(|text| Piece { text })
        .collect()
}

/// The file's own name, when this is a path.
fn file_of(text: &str) -> Option<&str> {
    let rooted = text.starts_with(['/', '~'])
        || text.starts_with("./")
        || text.starts_with("../")
        || text.contains(":\\");
    let deep = text.matches('/').count() >= 2 || text.matches('\\').count() >= 2;
    if !(rooted || deep) || text.len() < 2 {
        return None;
    }
    text.trim_end_matches(['/', '\\', ':']).rsplit(['/', '\\']).find(|part| names_a_thing(part)).or(Some(""))
}

/// Not an id, a version or a number.
fn names_a_thing(part: &str) -> bool {
    let letters = part.bytes().filter(u8::is_ascii_alphabetic).count();
    let digits = part.bytes().filter(u8::is_ascii_digit).count();
    letters >= 2 && digits * 2 <= letters
}

fn is_email(text: &str) -> bool {
    text.split_once('@')
        .is_some_and(|(name, host)| !name.is_empty() && host.contains('.') && !host.contains('/'))
}

fn is_time(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let parted = text.contains(['-', ':']);
    parted
        && digits >= 4
        && text.bytes().all(|byte| {
            byte.is_ascii_digit() || matches!(byte, b'-' | b':' | b'.' | b'T' | b'Z' | b'+' | b'/' | b',')
        })
}

impl Piece<'_> {
    /// A number, or a number with letters.
    pub(super) fn is_code(&self) -> bool {
        self.text.bytes().any(|byte| byte.is_ascii_digit())
    }

    /// A code that means the same everywhere: a status, a state, an error's number.
    pub(super) fn is_known(&self) -> bool {
        is_known_number(self.text) || self.is_error_number()
    }

    pub(super) fn lower(&self) -> String {
        self.text.to_lowercase()
    }

    /// `E11000`, `ERR1040`: capitals and a few digits.
    fn is_error_number(&self) -> bool {
        let digits = self.text.trim_start_matches(|c: char| c.is_ascii_uppercase());
        let letters = self.text.len() - digits.len();
        (1..=4).contains(&letters)
            && (3..=5).contains(&digits.len())
            && digits.bytes().all(|c| c.is_ascii_digit())
    }

    /// What remains of it as words: camel case and snake case taken apart, ids and numbers left out.
    pub(super) fn words(&self) -> Vec<String> {
        if self.is_error_number() {
            return vec![self.lower()];
        }
        self.text.split('_').flat_map(camel).filter_map(word).collect()
    }
}

/// `loadJSONFile` → `load`, `JSON`, `File`.
fn camel(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    let chars: Vec<(usize, char)> = text.char_indices().collect();
    for at in 1..chars.len() {
        let (before, here) = (chars[at - 1].1, chars[at].1);
        let next_is_lower = chars.get(at + 1).is_some_and(|(_, next)| next.is_lowercase());
        // `MySQL`, `RabbitMQ`: one name.
        if matches!(text.get(chars[at].0..), Some("SQL" | "QL" | "MQ" | "DB")) {
            break;
        }
        // The plural of an abbreviation is no new word.
        let plural =
            next_is_lower && chars.get(at + 1).is_some_and(|(_, next)| *next == 's') && at + 2 == chars.len();
        let boundary = (before.is_lowercase() && here.is_uppercase())
            || (before.is_uppercase() && here.is_uppercase() && next_is_lower && !plural);
        if boundary {
            parts.push(&text[start..chars[at].0]);
            start = chars[at].0;
        }
    }
    parts.push(&text[start..]);
    parts
}

/// A word in lower case, or nothing where it is a number or an id.
fn word(text: &str) -> Option<String> {
    let lower = text.to_lowercase();
    let digits = lower.bytes().filter(u8::is_ascii_digit).count();
    if digits == 0 {
        let alone = lower.len() == 1 && !matches!(lower.as_str(), "a" | "i");
        return (!lower.is_empty() && !alone).then_some(lower);
    }
    // `utf8`, `base64`, `db1` are names; `sku4711` is a name and a number; `7f9c4` is an id.
    let name = lower.trim_end_matches(|c: char| c.is_ascii_digit());
    let is_name = name.len() >= 2 && !name.bytes().any(|byte| byte.is_ascii_digit());
    // `s3`, `k8s`, `p99`.
    let is_short = lower.len() <= 3 && lower.starts_with(|c: char| c.is_ascii_lowercase());
    match (is_name || is_short, digits) {
        (true, ..=3) => Some(lower),
        (true, _) => Some(name.to_owned()),
        (false, _) => None,
    }
}
