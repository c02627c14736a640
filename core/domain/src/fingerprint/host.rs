//! Which dotted words are names of hosts, and which are packages, files or settings.

use super::atom::count;
use super::bytes::{DIGIT, LETTER, is};

/// Names that end in a top-level domain and do not begin like a package.
pub(super) fn is_host(text: &[u8]) -> bool {
    let mut labels = text.rsplit(|byte| *byte == b'.');
    let (Some(last), Some(second)) = (labels.next(), labels.next()) else { return false };
    if second.is_empty() || last.len() < 2 || !is_made_of_labels(text) || is_package(text) {
        return false;
    }
    let has_three = labels.next().is_some();
    match last {
        b"com" | b"org" | b"net" | b"edu" | b"gov" | b"mil" | b"info" | b"biz" | b"dev" | b"app"
        | b"cloud" | b"local" | b"internal" | b"lan" | b"corp" | b"localdomain" | b"example" | b"arpa" => {
            true
        }
        // Extensions of files, and last words of names of settings.
        b"py" | b"js" | b"rs" | b"md" | b"so" | b"sh" | b"pl" | b"cc" | b"go" | b"ps" | b"gz" | b"cs"
        | b"ts" | b"rb" | b"hs" | b"db" | b"xz" | b"id" | b"is" | b"to" | b"do" | b"ip" | b"os" | b"fs"
        | b"ms" | b"mb" | b"kb" | b"no" | b"my" => false,
        [a, b] if has_three => a.is_ascii_lowercase() && b.is_ascii_lowercase(),
        _ => {
            let common: [&[u8]; 20] = [
                b"io", b"us", b"uk", b"de", b"fr", b"nl", b"es", b"ru", b"cn", b"jp", b"kr", b"tw", b"hk",
                b"br", b"ca", b"au", b"ch", b"se", b"cz", b"eu",
            ];
            common.contains(&last)
        }
    }
}

/// `name.of.host` before a port: any domain will do.
pub(super) fn is_host_of_port(text: &[u8]) -> bool {
    let is_lower =
        text.iter().all(|byte| byte.is_ascii_lowercase() || is(*byte, DIGIT) || matches!(byte, b'.' | b'-'));
    is_host(text) || is_lower && count(text, b'.') >= 2 && is_made_of_labels(text) && !is_package(text)
}

fn is_made_of_labels(text: &[u8]) -> bool {
    text.iter().all(|byte| is(*byte, DIGIT | LETTER) || matches!(byte, b'.' | b'-' | b'_'))
}

fn is_package(text: &[u8]) -> bool {
    let first = text.split(|byte| *byte == b'.').next().unwrap_or_default();
    matches!(
        first,
        b"com"
            | b"org"
            | b"net"
            | b"edu"
            | b"gov"
            | b"io"
            | b"java"
            | b"javax"
            | b"sun"
            | b"scala"
            | b"System"
            | b"android"
    )
}
