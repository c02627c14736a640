//! A document from anywhere on the web, within limits.

use std::time::Duration;

use futures::StreamExt as _;
use reqwest::Url;
use reqwest::header::CONTENT_TYPE;

use super::is_local;

/// What lies at an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// The address without a login and without a place inside the document.
    pub address: String,
    /// Such as `text/html`, without parameters, in lower case; empty when it was not said.
    pub content_type: String,
    pub content: String,
}

#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    #[error("{address:?} is no address on the web: {reason}")]
    Address { address: String, reason: String },
    #[error("the HTTP client could not be set up")]
    Setup(#[source] reqwest::Error),
    #[error("{address} cannot be reached")]
    Unreachable { address: String, source: reqwest::Error },
    #[error("{address} answered {status}")]
    Status { address: String, status: u16 },
    #[error("{address} gives more than {most} bytes")]
    TooLarge { address: String, most: usize },
    #[error("{address} gives what is no text")]
    NotText { address: String },
    #[error("{address} did not give everything within {} s", patience.as_secs())]
    Slow { address: String, patience: Duration },
}

/// Fetches text: at most so many bytes of it, and not longer than so long.
pub async fn fetch(address: &str, most: usize, patience: Duration) -> Result<Fetched, FetchError> {
    let bad = |reason: String| FetchError::Address { address: address.to_owned(), reason };
    let url = Url::parse(address.trim()).map_err(|error| bad(error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(bad("http:// or https:// expected".to_owned()));
    }
    let name = name(&url);
    let slow = FetchError::Slow { address: name.clone(), patience };
    tokio::time::timeout(patience, get(url, name, most)).await.unwrap_or(Err(slow))
}

async fn get(url: Url, address: String, most: usize) -> Result<Fetched, FetchError> {
    // Another one may be installed already; any will do.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = reqwest::Client::builder()
        .connect_timeout(super::CONNECT)
        .user_agent(concat!("noetl/", env!("CARGO_PKG_VERSION")));
    if is_local(&url) {
        builder = builder.no_proxy();
    }
    let client = builder.build().map_err(FetchError::Setup)?;
    let unreachable = |source: reqwest::Error| FetchError::Unreachable {
        address: address.clone(),
        source: source.without_url(),
    };
    let response = client.get(url).send().await.map_err(unreachable)?;
    if !response.status().is_success() {
        return Err(FetchError::Status { address, status: response.status().as_u16() });
    }
    let described = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let described = described.unwrap_or_default().to_ascii_lowercase();
    let mut bytes = Vec::new();
    let mut stream = response.bytes_stream();
    // What was said about the length is not what comes, and what comes is unpacked on the way.
    while let Some(chunk) = stream.next().await {
        bytes.extend_from_slice(&chunk.map_err(unreachable)?);
        if bytes.len() > most {
            return Err(FetchError::TooLarge { address, most });
        }
    }
    let (content_type, parameters) = described.split_once(';').unwrap_or((&described, ""));
    let Some(content) = text(&bytes, charset(parameters)) else {
        return Err(FetchError::NotText { address });
    };
    Ok(Fetched { content_type: content_type.trim().to_owned(), content, address })
}

fn name(url: &Url) -> String {
    let mut url = url.clone();
    url.set_fragment(None);
    // Only addresses without a host refuse, and those were refused before.
    let _ = (url.set_username(""), url.set_password(None));
    url.to_string()
}

fn charset(parameters: &str) -> &str {
    let charset = parameters.split(';').find_map(|parameter| parameter.trim().strip_prefix("charset="));
    charset.unwrap_or("utf-8").trim_matches(['"', '\''])
}

/// None for what no charset reads: the bytes of a picture, an archive.
fn text(bytes: &[u8], charset: &str) -> Option<String> {
    let encoding = encoding_rs::Encoding::for_label(charset.as_bytes()).unwrap_or(encoding_rs::UTF_8);
    let (text, _, _) = encoding.decode(bytes);
    (!text.contains('\0')).then(|| text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_an_address_tells_no_login() {
        let name = |text| name(&Url::parse(text).expect(text));
        assert_eq!(name("https://me:secret@x.example/a?b=c#d"), "https://x.example/a?b=c");
    }

    #[test]
    fn bytes_are_read_as_they_are_described() {
        assert_eq!(charset(" boundary=x; charset=\"ISO-8859-1\""), "ISO-8859-1");
        assert_eq!(text(b"caf\xe9", "iso-8859-1").as_deref(), Some("café"));
        assert_eq!(text("\u{feff}café".as_bytes(), "no such charset").as_deref(), Some("café"));
        assert_eq!(text(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "utf-8"), None);
    }

    #[tokio::test]
    async fn what_is_no_address_is_not_asked() {
        for address in ["docs/ops.md", "ftp://x.example/a", "https://", "file:///etc/passwd"] {
            let error = fetch(address, 10, Duration::from_secs(1)).await.expect_err(address);
            assert!(matches!(error, FetchError::Address { .. }), "{error}");
        }
    }
}
