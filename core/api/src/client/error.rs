//! What can go wrong between this client and the server.

use noetl_domain::code::Code;

use crate::error::{ErrorBody, FindingBody};

#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error("{address:?} is not the address of a server: {reason}")]
    Address { address: String, reason: BadAddress },
    #[error("the HTTP client could not be set up")]
    Setup { source: reqwest::Error },
    #[error("the server at {address} cannot be reached")]
    Unreachable { address: String, source: reqwest::Error },
    /// The server said no, and why.
    #[error("{}", body.detail)]
    Refused { status: u16, body: Box<ErrorBody> },
    #[error("{address} answered {status} with something that NoETL does not say: {start:?}")]
    Unreadable { address: String, status: u16, start: String, source: Option<serde_json::Error> },
}

#[derive(Debug, thiserror::Error)]
pub enum BadAddress {
    #[error("{0}")]
    Unreadable(String),
    #[error("http or https expected, not {0:?}")]
    Scheme(String),
}

impl ClientError {
    pub fn code(&self) -> Code {
        match self {
            Self::Address { .. } => Code::InvalidRequest,
            Self::Setup { .. } => Code::Internal,
            Self::Unreachable { .. } | Self::Unreadable { .. } => Code::Unreachable,
            Self::Refused { body, .. } => body.code().unwrap_or(Code::Internal),
        }
    }

    /// The next thing to type.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Address { .. } => Some("write it as http://127.0.0.1:8082".to_owned()),
            Self::Setup { .. } => None,
            Self::Unreachable { .. } => {
                Some("start one with `noetl up`, or name another with --host and --port".to_owned())
            }
            Self::Unreadable { .. } => {
                Some("does another program use this port? name NoETL's with --host and --port".to_owned())
            }
            Self::Refused { body, .. } => body.hint.clone(),
        }
    }

    /// Every remark on a refused playbook.
    pub fn findings(&self) -> &[FindingBody] {
        match self {
            Self::Refused { body, .. } => &body.findings,
            _ => &[],
        }
    }

    /// The server does not know what was asked for.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused { status: 404, .. })
    }
}
