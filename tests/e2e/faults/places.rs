//! The addresses that cases name: a service with switchable answers, a broken one, none, one that nobody trusts, a database.

use std::sync::Arc;

use noetl_test_service::Service;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::case::Case;
use crate::postgres::Database;

pub(super) struct Places {
    pub(super) service: Service,
    /// Accepts connections and breaks them.
    breaks: String,
    /// Nobody listens there.
    closed: String,
    /// Its certificate is signed by nobody.
    tls: String,
    /// Started when a case asks for it.
    database: Option<Database>,
}

impl Places {
    pub(super) async fn open(cases: &[Case]) -> Self {
        let service = Service::start().await.expect("the test service");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let breaks = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                drop(connection);
            }
        });
        let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let closed = format!("http://{}", free.local_addr().expect("an address"));
        let asks = cases.iter().any(super::case::Case::needs_a_database);
        let database = if asks { Some(Database::start().await) } else { None };
        Self { service, breaks, closed, tls: untrusted().await, database }
    }

    pub(super) fn fill(&self, text: &str, case: &Case) -> String {
        text.replace("$SERVICE", &self.service.url)
            .replace("$FAULT", &format!("{}/fault/{}", self.service.url, case.name))
            .replace("$BREAKS", &self.breaks)
            .replace("$CLOSED", &self.closed)
            .replace("$TLS", &self.tls)
            .replace("$CASE", &case.name)
            .replace("$PGPORT", &self.database_field("db_port"))
            .replace("$PGUSER", &self.database_field("db_user"))
            .replace("$PGNAME", &self.database_field("db_name"))
            // As a word of a shell, in a text that YAML leaves as it is.
            .replace("$PGQUOTED", &quoted_for_shell(&self.database_field("db_password")))
            .replace("$PGWORD", &self.database_field("db_password").replace('\\', "\\\\"))
    }

    fn database_field(&self, name: &str) -> String {
        let Some(database) = &self.database else { return String::new() };
        match &database.credential("lab")["data"][name] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    }
}

fn quoted_for_shell(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// A TLS server on a free port whose certificate is signed by itself.
async fn untrusted() -> String {
    let pem = include_bytes!("nobody.pem");
    let chain: Vec<CertificateDer<'static>> =
        CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().expect("a certificate");
    let key = PrivateKeyDer::from_pem_slice(pem).expect("a key");
    let _ = rustls::crypto::ring::default_provider().install_default();
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .expect("the two belong together");
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("https://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                // Whoever trusts it all the same gets an answer.
                if let Ok(mut stream) = acceptor.accept(connection).await {
                    let mut request = [0; 1024];
                    let _ = stream.read(&mut request).await;
                    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await;
                }
            });
        }
    });
    url
}
