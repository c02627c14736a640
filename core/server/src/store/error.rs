//! What can go wrong with a store.

use std::path::PathBuf;
use std::sync::Arc;

use noetl_domain::code::Code;

use crate::error::ServerError;

type Cause = Arc<dyn std::error::Error + Send + Sync>;

/// Clones, because one failed transaction answers many callers.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the data directory {} is used by {holder}", directory.display())]
    Locked { directory: PathBuf, holder: Holder },
    #[error("the data directory {} cannot be used", directory.display())]
    Directory {
        directory: PathBuf,
        #[source]
        source: Cause,
    },
    #[error("the database was written by a newer version of noetl (schema {found}, this one knows {known})")]
    Newer { found: i64, known: i64 },
    #[error("cannot {attempted}")]
    Failed {
        attempted: &'static str,
        #[source]
        source: Cause,
    },
    #[error("cannot read {what} back")]
    Unreadable {
        what: String,
        #[source]
        source: Cause,
    },
    /// A bug of ours, refused before it does harm.
    #[error("refused an append: {0}")]
    Refused(String),
}

impl StoreError {
    pub fn failed(attempted: &'static str, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Failed { attempted, source: Arc::new(source) }
    }

    pub fn unreadable(
        what: impl Into<String>,
        source: impl std::error::Error + Send + Sync + 'static,
    ) -> Self {
        Self::Unreadable { what: what.into(), source: Arc::new(source) }
    }

    pub fn code(&self) -> Code {
        match self {
            Self::Locked { .. } => Code::StoreLocked,
            Self::Refused(_) => Code::Internal,
            Self::Directory { .. } | Self::Newer { .. } | Self::Failed { .. } | Self::Unreadable { .. } => {
                Code::StoreFailed
            }
        }
    }

    /// The next thing to try.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Locked { holder: Holder { address: Some(address), .. }, .. } => Some(format!(
                "talk to the running server at {address}, or name another directory with --data"
            )),
            Self::Locked { .. } => {
                Some("wait for it to end, or name another directory with --data".to_owned())
            }
            Self::Directory { .. } => Some("name a directory that you may write with --data".to_owned()),
            Self::Newer { .. } => Some("use the newer noetl, or another directory with --data".to_owned()),
            Self::Failed { source, .. } if source.to_string().contains("full") => {
                Some("free some space on the disk".to_owned())
            }
            Self::Failed { .. } | Self::Unreadable { .. } | Self::Refused(_) => None,
        }
    }
}

impl From<StoreError> for ServerError {
    fn from(error: StoreError) -> Self {
        let mut answer = Self::new(error.code(), error.to_string());
        answer.hint = error.hint();
        answer.because(error)
    }
}

/// Who uses a data directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holder {
    pub pid: Option<u32>,
    /// Where it serves, when it does.
    pub address: Option<String>,
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.pid {
            Some(pid) => write!(f, "process {pid}")?,
            None => f.write_str("another process")?,
        }
        self.address.as_ref().map_or(Ok(()), |address| write!(f, " at {address}"))
    }
}
