//! The vault's key: from the environment, or from a file that is made once.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use aes_gcm::aead::Generate as _;
use aes_gcm::{Aes256Gcm, Key};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};

use super::VaultError;

pub(super) const FILE: &str = "vault.key";
pub(super) const VARIABLE: &str = "NOETL_ENCRYPTION_KEY";

/// Where the key came from; for messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    Environment,
    File(String),
}

impl std::fmt::Display for KeySource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Environment => f.write_str(VARIABLE),
            Self::File(path) => f.write_str(path),
        }
    }
}

/// The key to use. `may_create`: nothing is sealed yet, so a new one does no harm.
pub(super) fn find(
    directory: &Path,
    environment: Option<&str>,
    may_create: bool,
) -> Result<(Key<Aes256Gcm>, KeySource), VaultError> {
    if let Some(text) = environment.map(str::trim).filter(|text| !text.is_empty()) {
        return Ok((from_text(text), KeySource::Environment));
    }
    let path = directory.join(FILE);
    let file = path.display().to_string();
    let refused = |reason: String| VaultError::KeyFile { file: file.clone(), reason };
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && may_create => {
            create(&path).map_err(|error| refused(error.to_string()))?
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(VaultError::KeyMissing { file });
        }
        Err(error) => return Err(refused(error.to_string())),
    };
    let key =
        exact(text.trim()).ok_or_else(|| refused("it does not hold 32 bytes in base64 or hex".to_owned()))?;
    Ok((key, KeySource::File(file)))
}

/// Writes a random key that only its owner may read, durably, and never over another one.
fn create(path: &Path) -> std::io::Result<String> {
    let key = Key::<Aes256Gcm>::generate();
    let text = STANDARD.encode(key);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file = options.open(path)?;
    writeln!(file, "{text}")?;
    file.sync_all()?;
    if let Some(directory) = path.parent() {
        std::fs::File::open(directory)?.sync_all()?;
    }
    Ok(text)
}

/// 32 bytes in base64 or hex as they are; any other text by its SHA-256, after a prefix that sets our use apart.
fn from_text(text: &str) -> Key<Aes256Gcm> {
    exact(text).unwrap_or_else(|| {
        let digest =
            Sha256::new().chain_update(b"noetl vault key 1\0").chain_update(text.as_bytes()).finalize();
        Key::<Aes256Gcm>::from(<[u8; 32]>::from(digest))
    })
}

fn exact(text: &str) -> Option<Key<Aes256Gcm>> {
    let hex = || -> Option<Vec<u8>> {
        if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        (0..32).map(|index| u8::from_str_radix(&text[index * 2..index * 2 + 2], 16).ok()).collect()
    };
    let base64 = || {
        [STANDARD, URL_SAFE, STANDARD_NO_PAD, URL_SAFE_NO_PAD]
            .iter()
            .find_map(|engine| engine.decode(text).ok())
    };
    let bytes: [u8; 32] = hex().or_else(base64)?.try_into().ok()?;
    Some(Key::<Aes256Gcm>::from(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_reads_the_same_in_every_spelling() {
        let bytes = [0xfb; 32];
        let key = Key::<Aes256Gcm>::from(bytes);
        let hex = "FB".repeat(32);
        for text in [hex.clone(), hex.to_lowercase(), STANDARD.encode(bytes), URL_SAFE_NO_PAD.encode(bytes)] {
            assert_eq!(from_text(&text), key, "{text}");
        }
        assert_ne!(from_text("a passphrase"), from_text("a passphrasf"));
        assert_eq!(exact("a passphrase"), None);
    }
}
