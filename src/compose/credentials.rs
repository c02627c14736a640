//! Hands the worker of this process what the vault opens.

use std::future::Future;
use std::pin::Pin;

use noetl_domain::id::ExecutionId;
use noetl_server::vault::{Vault, VaultError};
use noetl_worker::credential::{Credential, CredentialSource, OpenError};

#[derive(Debug)]
pub(super) struct FromVault {
    vault: Vault,
}

impl FromVault {
    pub(super) fn new(vault: Vault) -> Self {
        Self { vault }
    }
}

impl CredentialSource for FromVault {
    fn open<'a>(
        &'a self,
        name: &'a str,
        _: ExecutionId,
    ) -> Pin<Box<dyn Future<Output = Result<Credential, OpenError>> + Send + 'a>> {
        Box::pin(async move {
            let opened = self.vault.open_credential(name).await.map_err(|error| match error {
                VaultError::Unknown(name) => OpenError::Unknown(name),
                error => OpenError::Failed { name: name.to_owned(), reason: error.to_string() },
            })?;
            Ok(Credential { name: opened.record.name, kind: opened.record.kind, data: opened.data })
        })
    }
}
