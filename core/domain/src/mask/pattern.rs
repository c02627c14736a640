//! Text that looks like a secret: authorization headers, JSON web tokens, private keys, vendor keys, passwords in URLs.

use std::borrow::Cow;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use regex::{Captures, Regex};

use super::MASK;

static LOOKS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?P<pem>-----BEGIN [A-Z ]*PRIVATE KEY-----(?s:.*?)(?:-----END [A-Z ]*PRIVATE KEY-----|\z))",
        r"|\b(?P<scheme>[Bb]earer|BEARER|[Bb]asic|BASIC) +(?P<given>[A-Za-z0-9+/_.=~-]{8,})",
        r"|\b(?P<jwt>eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*)",
        r"|\b(?P<vendor>sk-[A-Za-z0-9_-]{20,}|xox[abeprs]-[A-Za-z0-9-]{10,}|gh[opsur]_[A-Za-z0-9]{30,}",
        r"|github_pat_[A-Za-z0-9_]{30,}|glpat-[A-Za-z0-9_-]{16,}|AKIA[0-9A-Z]{16}|AIza[0-9A-Za-z_-]{35})",
        r"|(?P<login>[A-Za-z][A-Za-z0-9+.-]*://[^\s:/@'\x22]*):(?P<password>[^\s@/'\x22]+)@",
        r"|(?P<name>\b(?:[Pp]assword|PASSWORD|passwd|pwd|api_key|apikey|access_token|client_secret)=)",
        r"(?P<value>[^\s&;,'\x22{}\[\]]{3,})",
    ))
    .expect("the pattern is a constant that tests compile")
});

pub(super) fn mask(text: &str) -> Cow<'_, str> {
    LOOKS.replace_all(text, |found: &Captures<'_>| {
        let part = |name| found.name(name).map(|part| part.as_str());
        match (part("scheme"), part("given"), part("login"), part("name")) {
            (Some(scheme), Some(given), ..) if is_given(scheme, given) => format!("{scheme} {MASK}"),
            (Some(_), ..) => found[0].to_owned(),
            (_, _, Some(login), _) => format!("{login}:{MASK}@"),
            (_, _, _, Some(name)) => format!("{name}{MASK}"),
            _ => MASK.to_owned(),
        }
    })
}

/// Tells a header from prose such as `basic information`.
fn is_given(scheme: &str, given: &str) -> bool {
    if scheme.eq_ignore_ascii_case("basic") {
        let decoded = STANDARD
            .decode(given)
            .or_else(|_| base64::engine::general_purpose::STANDARD_NO_PAD.decode(given));
        return decoded.is_ok_and(|bytes| bytes.contains(&b':'));
    }
    given.len() >= 20 || given.bytes().any(|byte| byte.is_ascii_digit())
}
