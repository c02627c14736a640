//! `noetl credential register|list|get|delete`. Secrets are shown only when asked for and allowed.

use clap::Subcommand;
use noetl_api::credential::CredentialFilter;

use super::register::{self, Source};
use crate::connect::{Need, connect};
use crate::context::Context;
use crate::exit::Exit;
use crate::{output, terminal};

#[derive(Debug, Subcommand)]
pub(crate) enum Credential {
    /// Keep credentials from a JSON or YAML file, or from every file of a directory
    Register(Source),
    /// List credentials without their secrets
    List {
        /// Only of this type
        #[arg(long = "type", value_name = "TYPE")]
        kind: Option<String>,
    },
    /// Show one credential
    Get {
        name: String,
        /// With its secrets, where the server allows it
        #[arg(long)]
        include_data: bool,
    },
    /// Remove one credential
    Delete { name: String },
}

impl Credential {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        match self {
            Self::Register(source) => register::credentials(&source, context),
            Self::List { kind } => list(context, kind),
            Self::Get { name, include_data } => get(context, &name, include_data),
            Self::Delete { name } => delete(context, &name),
        }
    }
}

pub(super) fn list(context: &Context, kind: Option<String>) -> anyhow::Result<Exit> {
    context.block_on(async {
        let connection = connect(context, Need::Read).await?;
        let list = connection.client.credentials(&CredentialFilter { kind, q: None }).await?;
        if context.json {
            output::json(&list)?;
        } else if list.items.is_empty() {
            terminal::tell("no credentials; keep one with: noetl credential register FILE");
        } else {
            let mut table = output::Table::new(&["NAME", "TYPE", "UPDATED", "DESCRIPTION"]);
            for item in list.items {
                let updated = output::moment(&item.updated_at);
                table.row([item.name, item.kind, updated, item.description.unwrap_or_default()]);
            }
            table.print()?;
        }
        connection.close().await?;
        Ok(Exit::Success)
    })
}

pub(super) fn get(context: &Context, name: &str, include_data: bool) -> anyhow::Result<Exit> {
    context.block_on(async {
        let connection = connect(context, Need::Read).await?;
        let credential = connection.client.credential(name, include_data).await?;
        // Its fields are data either way; JSON is their plainest form.
        output::json(&credential)?;
        connection.close().await?;
        Ok(Exit::Success)
    })
}

fn delete(context: &Context, name: &str) -> anyhow::Result<Exit> {
    context.block_on(async {
        let connection = connect(context, Need::Write).await?;
        let done = connection.client.delete_credential(name).await?;
        if context.json {
            output::json(&done)?;
        } else {
            output::text(&done.message)?;
        }
        connection.close().await?;
        Ok(Exit::Success)
    })
}
