//! The vault: named credentials, encrypted at rest, and the only place that opens them.
//!
//! Each record is sealed with AES-256-GCM under a nonce of its own, with its name as associated data, so that a record
//! cannot be put in another one's place.

mod key;
mod rows;

use std::path::Path;
use std::sync::Arc;

use aes_gcm::aead::{Aead as _, Generate as _, Payload};
use aes_gcm::{Aes256Gcm, KeyInit as _, Nonce};
use noetl_domain::code::Code;
use noetl_domain::{Map, Value};

use crate::error::ServerError;
use crate::ids::{Ids, now_ms};
use crate::store::{SqliteStore, StoreError};

pub use key::KeySource;

/// First byte of sealed data, so that another scheme can follow.
const SCHEME: u8 = 1;
const NONCE_BYTES: usize = 12;

/// Clones share the key.
#[derive(Clone)]
pub struct Vault {
    store: SqliteStore,
    ids: Arc<Ids>,
    cipher: Aes256Gcm,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault")
    }
}

/// What anyone may know about a credential.
#[derive(Clone, Debug, PartialEq)]
pub struct CredentialRecord {
    pub id: u64,
    pub name: String,
    /// `postgres`, `bearer`, `basic`, `api_key`, `secret`, …
    pub kind: String,
    pub meta: Value,
    pub tags: Vec<String>,
    pub description: Option<String>,
    pub schema: Value,
    /// Unix milliseconds.
    pub created_ms: i64,
    pub updated_ms: i64,
}

/// A credential to keep; Debug shows no secret.
#[derive(Clone, Default)]
pub struct NewCredential {
    pub name: String,
    pub kind: String,
    pub data: Map,
    pub meta: Value,
    pub tags: Vec<String>,
    pub description: Option<String>,
    pub schema: Value,
}

impl std::fmt::Debug for NewCredential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewCredential")
            .field("name", &self.name)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// An opened credential; it has no Serialize, and Debug shows no secret.
#[derive(Clone)]
pub struct OpenedCredential {
    pub record: CredentialRecord,
    pub data: Map,
}

impl std::fmt::Debug for OpenedCredential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenedCredential").field("record", &self.record).finish_non_exhaustive()
    }
}

#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    #[error("there is no credential named {0:?}")]
    Unknown(String),
    #[error("a credential needs {0}")]
    Shape(&'static str),
    #[error("there are credentials, but their key {file} is gone")]
    KeyMissing { file: String },
    #[error("the key from {from} does not open the credentials of this store")]
    WrongKey { from: KeySource },
    #[error("the key file {file} cannot be used: {reason}")]
    KeyFile { file: String, reason: String },
    #[error("credential {name:?} is damaged, or was sealed with another key")]
    Damaged { name: String },
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl VaultError {
    pub fn code(&self) -> Code {
        match self {
            Self::Unknown(_) => Code::UnknownCredential,
            Self::Shape(_) => Code::CredentialShape,
            Self::KeyMissing { .. } | Self::WrongKey { .. } | Self::KeyFile { .. } | Self::Damaged { .. } => {
                Code::VaultKey
            }
            Self::Store(error) => error.code(),
        }
    }

    /// The next thing to try.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Unknown(_) => Some("noetl credential list".to_owned()),
            Self::Shape(_) => None,
            Self::KeyMissing { .. } | Self::WrongKey { .. } => Some(format!(
                "bring back {} or set {} to the key that was used; otherwise delete the credentials and register \
                 them again",
                key::FILE,
                key::VARIABLE
            )),
            Self::KeyFile { .. } => Some(format!("set {} to 32 random bytes in base64", key::VARIABLE)),
            Self::Damaged { .. } => Some("register the credential again".to_owned()),
            Self::Store(error) => error.hint(),
        }
    }
}

impl From<VaultError> for ServerError {
    fn from(error: VaultError) -> Self {
        let mut answer = Self::new(error.code(), error.to_string());
        answer.hint = error.hint();
        answer.because(error)
    }
}

impl Vault {
    /// Opens the vault of a data directory.
    ///
    /// The key is `environment_key` (the value of `NOETL_ENCRYPTION_KEY`), or the file `vault.key`, which is created
    /// on the first start only: a store that has credentials never gets a new key.
    pub async fn open(
        store: SqliteStore,
        ids: Arc<Ids>,
        directory: &Path,
        environment_key: Option<&str>,
    ) -> Result<Self, VaultError> {
        let sample = rows::sample(&store).await?;
        let (key, from) = key::find(directory, environment_key, sample.is_none())?;
        let vault = Self { store, ids, cipher: Aes256Gcm::new(&key) };
        match sample {
            Some((name, sealed)) if vault.unseal(&name, &sealed).is_none() => {
                Err(VaultError::WrongKey { from })
            }
            _ => Ok(vault),
        }
    }

    /// Keeps a credential; one of the same name is replaced.
    pub async fn put(&self, credential: NewCredential) -> Result<CredentialRecord, VaultError> {
        let name = credential.name.trim();
        if name.is_empty() || name.len() > 255 || name.chars().any(char::is_control) {
            return Err(VaultError::Shape("a name of at most 255 characters"));
        }
        if credential.kind.trim().is_empty() {
            return Err(VaultError::Shape("a type, such as postgres or bearer"));
        }
        if credential.data.is_empty() {
            return Err(VaultError::Shape("data: an object with its fields"));
        }
        let sealed = self.seal(name, &credential.data);
        let now = now_ms();
        let record = CredentialRecord {
            id: self.ids.next_id(),
            name: name.to_owned(),
            kind: credential.kind.trim().to_owned(),
            meta: credential.meta,
            tags: credential.tags,
            description: credential.description,
            schema: credential.schema,
            created_ms: now,
            updated_ms: now,
        };
        Ok(rows::upsert(&self.store, record, sealed).await?)
    }

    /// A credential by its name or its id, without its secrets.
    pub async fn get(&self, name_or_id: &str) -> Result<CredentialRecord, VaultError> {
        let found = rows::find(&self.store, name_or_id).await?;
        Ok(found.ok_or_else(|| VaultError::Unknown(name_or_id.to_owned()))?.0)
    }

    /// Credentials by type and by a piece of their name, description or tags, in the order of their names.
    pub async fn list(
        &self,
        kind: Option<&str>,
        text: Option<&str>,
    ) -> Result<Vec<CredentialRecord>, VaultError> {
        Ok(rows::list(&self.store, kind, text).await?)
    }

    /// Deletes a credential by its name or its id.
    pub async fn delete(&self, name_or_id: &str) -> Result<(), VaultError> {
        let record = self.get(name_or_id).await?;
        rows::delete(&self.store, &record.name).await?;
        Ok(())
    }

    /// Opens a credential by its name or its id. Callers answer for where the secrets go.
    pub async fn open_credential(&self, name_or_id: &str) -> Result<OpenedCredential, VaultError> {
        let (record, sealed) = rows::find(&self.store, name_or_id)
            .await?
            .ok_or_else(|| VaultError::Unknown(name_or_id.to_owned()))?;
        match self.unseal(&record.name, &sealed) {
            Some(data) => Ok(OpenedCredential { record, data }),
            None => Err(VaultError::Damaged { name: record.name }),
        }
    }

    fn seal(&self, name: &str, data: &Map) -> Vec<u8> {
        let text = serde_json::to_vec(data).expect("JSON values serialise");
        let nonce = Nonce::generate();
        let payload = Payload { msg: &text, aad: name.as_bytes() };
        let sealed = self.cipher.encrypt(&nonce, payload).expect("shorter than the cipher's 64 GiB");
        let mut bytes = Vec::with_capacity(1 + NONCE_BYTES + sealed.len());
        bytes.push(SCHEME);
        bytes.extend_from_slice(&nonce);
        bytes.extend_from_slice(&sealed);
        bytes
    }

    fn unseal(&self, name: &str, bytes: &[u8]) -> Option<Map> {
        let (scheme, rest) = bytes.split_first()?;
        let (nonce, sealed) = rest.split_at_checked(NONCE_BYTES)?;
        if *scheme != SCHEME {
            return None;
        }
        let nonce = Nonce::try_from(nonce).ok()?;
        let text = self.cipher.decrypt(&nonce, Payload { msg: sealed, aad: name.as_bytes() }).ok()?;
        serde_json::from_slice(&text).ok()
    }
}

#[cfg(test)]
mod tests;
