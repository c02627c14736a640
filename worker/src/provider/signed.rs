//! AWS signature, version 4: a request is signed with a key that is good for one day, region and service.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use ring::{digest, hmac};

pub(super) struct Key<'a> {
    pub(super) id: &'a str,
    pub(super) secret: &'a str,
    pub(super) region: &'a str,
    pub(super) service: &'a str,
}

/// The headers with `host`, `x-amz-date` and `authorization` added. Names must be lower case.
pub(super) fn sign(
    key: &Key<'_>,
    method: &str,
    url: &reqwest::Url,
    mut headers: Vec<(String, String)>,
    body: &[u8],
    at: DateTime<Utc>,
) -> Vec<(String, String)> {
    let (stamp, day) = (at.format("%Y%m%dT%H%M%SZ").to_string(), at.format("%Y%m%d").to_string());
    let host = url.host_str().unwrap_or_default();
    let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    headers.push(("host".into(), host));
    headers.push(("x-amz-date".into(), stamp.clone()));
    headers.sort();

    let names = headers.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(";");
    let lines: String = headers.iter().fold(String::new(), |mut lines, (name, value)| {
        lines.push_str(&format!("{name}:{}\n", value.trim()));
        lines
    });
    let mut query: Vec<&str> =
        url.query().unwrap_or_default().split('&').filter(|part| !part.is_empty()).collect();
    query.sort_unstable();
    let request =
        format!("{method}\n{}\n{}\n{lines}\n{names}\n{}", url.path(), query.join("&"), hashed(body));
    let scope = format!("{day}/{}/{}/aws4_request", key.region, key.service);
    let text = format!("AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{}", hashed(request.as_bytes()));

    let secret = format!("AWS4{}", key.secret);
    let parts = [day.as_str(), key.region, key.service, "aws4_request"];
    let signing = parts.iter().fold(secret.into_bytes(), |key, part| mac(&key, part).as_ref().to_vec());
    let signature = hex(mac(&signing, &text).as_ref());
    let id = key.id;
    let authorization =
        format!("AWS4-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders={names}, Signature={signature}");
    headers.push(("authorization".into(), authorization));
    headers
}

fn mac(key: &[u8], text: &str) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes())
}

fn hashed(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The suite that AWS publishes for implementations: `get-vanilla` and `post-vanilla`.
    #[test]
    fn published_requests_get_their_published_signatures() {
        let key = Key {
            id: "AKIDEXAMPLE",
            secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
            region: "us-east-1",
            service: "service",
        };
        let at = "2015-08-30T12:36:00Z".parse().unwrap();
        for (method, expected) in [
            ("GET", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
            ("POST", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        ] {
            let url = "https://example.amazonaws.com/".parse().unwrap();
            let headers = sign(&key, method, &url, Vec::new(), b"", at);
            let (_, authorization) = headers.last().unwrap();
            assert_eq!(
                authorization,
                &format!(
                    "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
                     SignedHeaders=host;x-amz-date, Signature={expected}"
                )
            );
        }
    }
}
