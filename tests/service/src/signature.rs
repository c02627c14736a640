//! Checks an AWS signature (version 4) the way the receiving side does: from the headers that came.

use std::fmt::Write as _;

use axum::http::HeaderMap;
use ring::{digest, hmac};

/// The key that is known here.
pub const KEY: (&str, &str) = ("AKIATEST0001", "aws-secret-access-key-9b27");

pub(crate) fn check(
    method: &str,
    path: &str,
    service: &str,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<(), &'static str> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let given = header("authorization").ok_or("no authorization")?;
    let given = given.strip_prefix("AWS4-HMAC-SHA256 ").ok_or("another algorithm")?;
    let part = |name: &str| {
        given
            .split(", ")
            .find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
            .ok_or("a part is missing")
    };
    let (credential, names, proof) = (part("Credential")?, part("SignedHeaders")?, part("Signature")?);
    let (id, scope) = credential.split_once('/').ok_or("no scope")?;
    let [day, region, named, "aws4_request"] = scope.split('/').collect::<Vec<_>>()[..] else {
        return Err("the scope is wrong");
    };
    let stamp = header("x-amz-date").ok_or("no date")?;
    if id != KEY.0
        || named != service
        || !stamp.starts_with(day)
        || !names.split(';').any(|name| name == "host")
    {
        return Err("key, service, day or signed headers are wrong");
    }
    let mut lines = String::new();
    for name in names.split(';') {
        lines.push_str(&format!("{name}:{}\n", header(name).ok_or("a signed header is missing")?));
    }
    let request = format!("{method}\n{path}\n\n{lines}\n{names}\n{}", hex(hash(body).as_ref()));
    let text = format!("AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{}", hex(hash(request.as_bytes()).as_ref()));
    let mut key = format!("AWS4{}", KEY.1).into_bytes();
    for part in [day, region, service, "aws4_request"] {
        key = mac(&key, part).as_ref().to_vec();
    }
    if hex(mac(&key, &text).as_ref()) == proof { Ok(()) } else { Err("The signature does not match.") }
}

fn hash(bytes: &[u8]) -> digest::Digest {
    digest::digest(&digest::SHA256, bytes)
}

fn mac(key: &[u8], text: &str) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
