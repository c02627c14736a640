//! A typed client: one method per endpoint, errors with a Code and the next thing to type.

mod calls;
mod chat;
mod diagnosis;
mod error;
mod fetch;
mod follow;
mod insights;
mod knowledge;
mod looking;
mod proposals;
mod search;

use std::time::Duration;

use reqwest::{Method, RequestBuilder, Response, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use self::error::{BadAddress, ClientError};
pub use self::fetch::{FetchError, Fetched, fetch};
use crate::error::ErrorBody;

const CONNECT: Duration = Duration::from_secs(5);
const REQUEST: Duration = Duration::from_mins(2);

/// Speaks to one server. Cloning shares its connections.
#[derive(Clone, Debug)]
pub struct Client {
    base: Url,
    http: reqwest::Client,
}

impl Client {
    /// `address` is such as `http://127.0.0.1:8082`; the scheme may be left out.
    pub fn new(address: &str) -> Result<Self, ClientError> {
        let base = parse(address)?;
        // Both libraries may be linked in by others; the process needs one provider, and any will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .user_agent(concat!("noetl/", env!("CARGO_PKG_VERSION")));
        if is_local(&base) {
            // A proxy for the outside world cannot reach this machine's own ports.
            builder = builder.no_proxy();
        }
        let http = builder.build().map_err(|source| ClientError::Setup { source })?;
        Ok(Self { base, http })
    }

    /// Where the server is, without a trailing slash.
    pub fn address(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    fn url(&self, segments: &[&str]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }

    fn request(&self, method: Method, segments: &[&str]) -> RequestBuilder {
        self.http.request(method, self.url(segments)).timeout(REQUEST)
    }

    fn get(&self, segments: &[&str]) -> RequestBuilder {
        self.request(Method::GET, segments)
    }

    fn delete(&self, segments: &[&str]) -> RequestBuilder {
        self.request(Method::DELETE, segments)
    }

    fn post(&self, segments: &[&str], body: &impl Serialize) -> RequestBuilder {
        self.request(Method::POST, segments).json(body)
    }

    async fn read<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, ClientError> {
        let response = self.send(request).await?;
        let status = response.status().as_u16();
        let bytes = response.bytes().await.map_err(|source| self.unreachable(source))?;
        serde_json::from_slice(&bytes).map_err(|source| ClientError::Unreadable {
            address: self.address().to_owned(),
            status,
            start: start_of(&bytes),
            source: Some(source),
        })
    }

    /// The response, when it is a success.
    async fn send(&self, request: RequestBuilder) -> Result<Response, ClientError> {
        let response = request.send().await.map_err(|source| self.unreachable(source))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let bytes = response.bytes().await.map_err(|source| self.unreachable(source))?;
        Err(match serde_json::from_slice::<ErrorBody>(&bytes) {
            Ok(body) if !body.code.is_empty() => {
                ClientError::Refused { status: status.as_u16(), body: Box::new(body) }
            }
            _ => ClientError::Unreadable {
                address: self.address().to_owned(),
                status: status.as_u16(),
                start: start_of(&bytes),
                source: None,
            },
        })
    }

    fn unreachable(&self, source: reqwest::Error) -> ClientError {
        // Some messages repeat the whole URL; the address is in ours.
        ClientError::Unreachable { address: self.address().to_owned(), source: source.without_url() }
    }
}

fn parse(address: &str) -> Result<Url, ClientError> {
    let text = address.trim();
    let full = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let bad = |reason| ClientError::Address { address: address.to_owned(), reason };
    let url = Url::parse(&full).map_err(|error| bad(BadAddress::Unreadable(error.to_string())))?;
    match url.scheme() {
        "http" | "https" if url.has_host() => Ok(url),
        scheme => Err(bad(BadAddress::Scheme(scheme.to_owned()))),
    }
}

fn is_local(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn start_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use noetl_domain::code::Code;

    use super::*;

    #[test]
    fn addresses_are_read_as_people_write_them() {
        for (text, address) in [
            ("127.0.0.1:8082", "http://127.0.0.1:8082"),
            ("localhost:8082", "http://localhost:8082"),
            ("https://noetl.example/base/", "https://noetl.example/base"),
        ] {
            assert_eq!(Client::new(text).expect(text).address(), address);
        }
        for text in ["", "ftp://x", "http://", "http://[::1"] {
            let error = Client::new(text).expect_err(text);
            assert_eq!(error.code(), Code::InvalidRequest, "{text:?}: {error}");
        }
    }

    #[test]
    fn names_with_slashes_stay_one_segment() {
        let client = Client::new("http://h:1/base").expect("an address");
        assert_eq!(
            client.url(&["api", "credentials", "a/b c"]).as_str(),
            "http://h:1/base/api/credentials/a%2Fb%20c"
        );
    }

    #[tokio::test]
    async fn a_server_that_is_not_there_is_named() {
        // A port that was just free: nobody listens there.
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .expect("a free port")
            .port();
        let client = Client::new(&format!("127.0.0.1:{port}")).expect("an address");
        let error = client.health().await.expect_err("nobody is there");
        assert_eq!(error.code(), Code::Unreachable);
        assert_eq!(error.to_string(), format!("the server at http://127.0.0.1:{port} cannot be reached"));
        assert!(error.hint().is_some_and(|hint| hint.contains("noetl up")));
    }
}
