//! Where a worker gets credentials from: the vault, by name, against the Lease it holds.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use noetl_domain::Map;
use noetl_domain::id::ExecutionId;

/// An opened credential: `data` holds the secret fields. It has no Serialize, and Debug shows no content.
#[derive(Clone)]
pub struct Credential {
    pub name: String,
    /// `postgres`, `bearer`, `basic`, `api_key`, `secret`, …
    pub kind: String,
    pub data: Map,
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential")
            .field("name", &self.name)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("there is no credential named {0:?}")]
    Unknown(String),
    #[error("credential {name:?} could not be opened: {reason}")]
    Failed { name: String, reason: String },
}

type Opening<'a> = Pin<Box<dyn Future<Output = Result<Credential, OpenError>> + Send + 'a>>;

/// Opens credentials for work in hand. The server's vault implements it in process; HTTP does when apart.
pub trait CredentialSource: Send + Sync + 'static {
    fn open<'a>(&'a self, name: &'a str, execution: ExecutionId) -> Opening<'a>;
}
