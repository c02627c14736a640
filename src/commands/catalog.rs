//! `noetl catalog register|list|get|execute`.

use std::path::PathBuf;

use clap::Subcommand;
use noetl_api::catalog::CatalogListRequest;

use super::execute::Start;
use super::register::{self, Source};
use super::{credential, list};
use crate::connect::{Connection, Need, connect};
use crate::context::Context;
use crate::exit::Exit;
use crate::payload::Payload;
use crate::{output, terminal};

#[derive(Debug, Subcommand)]
pub(crate) enum Catalog {
    /// Register playbooks or credentials: `register FILE`, or `register playbook FILE`
    Register {
        /// `playbook` or `credential`, or a file or directory of playbooks
        #[arg(value_name = "TYPE_OR_PATH")]
        first: String,
        #[arg(value_name = "PATH")]
        second: Option<PathBuf>,
    },
    /// List what is registered: playbook, credential, schedule
    List {
        #[arg(value_name = "TYPE", default_value = "playbook")]
        kind: String,
        /// Every version, not only the newest
        #[arg(long)]
        all_versions: bool,
    },
    /// Print the text of a registered playbook
    Get {
        path: String,
        #[arg(long, short = 'v')]
        version: Option<u32>,
    },
    /// Start a registered playbook: `execute PATH`, or `execute playbook PATH`
    Execute {
        #[arg(value_name = "TYPE_OR_PATH")]
        first: String,
        #[arg(value_name = "PATH")]
        second: Option<String>,
        #[arg(long, short = 'v', value_name = "N")]
        version: Option<u32>,
        /// Wait for the end, and exit by its status
        #[arg(long, alias = "sync")]
        wait: bool,
        #[command(flatten)]
        payload: Payload,
    },
}

impl Catalog {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        match self {
            Self::Register { first, second } => {
                let (kind, path) = match second {
                    Some(path) => (first, path),
                    None => ("playbook".to_owned(), PathBuf::from(first)),
                };
                let source = Source { path: Some(path), ..Source::default() };
                if is_credential(&kind) {
                    register::credentials(&source, context)
                } else {
                    register::playbooks(&source, context)
                }
            }
            Self::List { kind, all_versions } if is_playbook(&kind) => playbooks(context, all_versions),
            Self::List { kind, .. } if is_credential(&kind) => credential::list(context, None),
            Self::List { kind, .. } => list::List { kind }.run(context),
            Self::Get { path, version } => get(context, &path, version),
            Self::Execute { first, second, version, wait, payload } => {
                Start { path: second.unwrap_or(first), version, wait, payload }.run(context)
            }
        }
    }
}

pub(super) fn is_playbook(kind: &str) -> bool {
    matches!(kind.to_ascii_lowercase().as_str(), "playbook" | "playbooks")
}

pub(super) fn is_credential(kind: &str) -> bool {
    matches!(kind.to_ascii_lowercase().as_str(), "credential" | "credentials")
}

pub(super) fn playbooks(context: &Context, all_versions: bool) -> anyhow::Result<Exit> {
    context.block_on(async {
        let connection: Connection = connect(context, Need::Read).await?;
        let request = CatalogListRequest {
            resource_type: Some("Playbook".to_owned()),
            all_versions,
            ..CatalogListRequest::default()
        };
        let list = connection.client.catalog_list(&request).await?;
        if context.json {
            output::json(&list)?;
        } else if list.entries.is_empty() {
            terminal::tell("nothing is registered; try: noetl register examples/");
        } else {
            let mut table = output::Table::new(&["PATH", "VERSION", "REGISTERED", "DESCRIPTION"]);
            for entry in list.entries {
                table.row([
                    entry.path,
                    entry.version.to_string(),
                    output::moment(&entry.created_at),
                    entry.description.unwrap_or_default(),
                ]);
            }
            table.print()?;
        }
        connection.close().await?;
        Ok(Exit::Success)
    })
}

fn get(context: &Context, path: &str, version: Option<u32>) -> anyhow::Result<Exit> {
    context.block_on(async {
        let connection = connect(context, Need::Read).await?;
        let entry = connection.client.resource(path, version).await?;
        if context.json {
            output::json(&entry)?;
        } else {
            output::text(entry.content.as_deref().unwrap_or_default())?;
        }
        connection.close().await?;
        Ok(Exit::Success)
    })
}
