//! What no sentence of a model may do, whatever it is about: order somebody about, lead elsewhere, give away a secret,
//! or speak of things of which nothing speaks that it was shown.

use noetl_domain::mask::Masker;

/// A sentence longer than this is no sentence.
pub(super) const LONGEST: usize = 400;

/// Words by which a sentence orders somebody to do something. What to do is said by rules, in its own place.
const ORDERS: &[&str] = &[
    "add",
    "approve",
    "allow",
    "call",
    "change",
    "check",
    "click",
    "contact",
    "copy",
    "curl",
    "delete",
    "disable",
    "disregard",
    "do",
    "download",
    "drop",
    "email",
    "enable",
    "ensure",
    "execute",
    "fix",
    "follow",
    "forget",
    "forward",
    "give",
    "grant",
    "ignore",
    "increase",
    "install",
    "kill",
    "let",
    "make",
    "open",
    "override",
    "paste",
    "please",
    "post",
    "provide",
    "remember",
    "remove",
    "replace",
    "restart",
    "reveal",
    "run",
    "send",
    "set",
    "stop",
    "sudo",
    "tell",
    "try",
    "turn",
    "update",
    "use",
    "verify",
    "visit",
    "wget",
    "you",
];
/// The same further inside.
const ADDRESSED: &[&str] =
    &["you should", "you must", "you need", "please ", "we recommend", "instruction", "as an ai"];
/// Things of the world that a sentence may speak of only when the evidence or the rules do.
const THINGS: &[&str] = &[
    "api",
    "certificate",
    "connection",
    "credential",
    "database",
    "deadline",
    "disk",
    "dns",
    "endpoint",
    "file",
    "firewall",
    "memory",
    "network",
    "password",
    "permission",
    "proxy",
    "query",
    "queue",
    "schema",
    "server",
    "service",
    "table",
    "timeout",
    "tls",
    "token",
    "user",
    "version",
    "worker",
];

/// Whether it is a plain statement: short, without an order, an address, or a form that no statement has.
pub(crate) fn is_plain(text: &str) -> bool {
    if text.is_empty()
        || text.len() > LONGEST
        || !text.is_ascii()
        || text.contains(['<', '>', '{', '}', '[', ']', '$', '|', '\\', '#', '@'])
    {
        return false;
    }
    let lower = text.to_ascii_lowercase();
    let first = lower.split(|character: char| !character.is_ascii_alphabetic()).next().unwrap_or_default();
    !ORDERS.contains(&first)
        && !ADDRESSED.iter().any(|words| lower.contains(words))
        && !lower.contains("://")
        && !lower.contains("www.")
}

/// A secret that a model has come by is none of anybody's business.
pub(crate) fn is_free_of_secrets(text: &str) -> bool {
    Masker::new().text(text) == text
}

/// Whether it brings in no thing, and denies nothing, of which the basis does not speak.
pub(crate) fn is_grounded(told: &str, basis: &str) -> bool {
    let basis = basis.to_ascii_lowercase();
    // Names and messages are quoted from the evidence.
    let own: String = told.split(['`', '"']).step_by(2).collect::<Vec<_>>().join(" ").to_ascii_lowercase();
    let words = || own.split(|character: char| !character.is_ascii_alphabetic() && character != '\'');
    let is_thing = |word: &str| THINGS.contains(&word.strip_suffix('s').unwrap_or(word));
    let said: Vec<&str> = words().filter(|word| !word.is_empty()).collect();
    let denies_anew = said.windows(2).any(|pair| {
        let is_denial = matches!(pair[0], "not" | "never") || pair[0].ends_with("n't");
        is_denial && !basis.contains(&format!("{} {}", pair[0], pair[1]))
    });
    !denies_anew
        && said.iter().all(|word| !is_thing(word) || basis.contains(word.strip_suffix('s').unwrap_or(word)))
}

/// Citations stand in a field of their own; models write them into the text all the same.
pub(crate) fn without_citations(text: &str) -> String {
    let (mut out, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once('[') {
        out.push_str(before.trim_end());
        match after.split_once(']') {
            Some((inside, after)) if inside.len() <= 40 => rest = after,
            _ => {
                // Not closed: no form that we know.
                out.push('[');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}
