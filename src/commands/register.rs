//! `noetl register FILE|DIR`: playbooks and credentials for the server. All of a directory, or nothing.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use noetl_api::catalog::Registered;
use noetl_api::client::Client;

use crate::connect::{Need, connect};
use crate::context::Context;
use crate::exit::Exit;
use crate::playbook_file::{self, PlaybookFile};
use crate::problem::Problem;
use crate::{credential_file, output};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Register {
    #[command(flatten)]
    source: Source,
    #[command(subcommand)]
    kind: Option<Kind>,
}

#[derive(Debug, Subcommand)]
enum Kind {
    /// Register playbooks
    Playbook(Source),
    /// Register credentials
    Credential(Source),
}

/// One file, or every file below a directory.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Source {
    /// File, or directory whose files are all meant
    #[arg(value_name = "FILE|DIR")]
    pub(crate) path: Option<PathBuf>,
    /// The same, as older CLIs spell it
    #[arg(long, short = 'f', value_name = "FILE", hide_short_help = true, conflicts_with = "path")]
    pub(crate) file: Option<PathBuf>,
    /// The same, as older CLIs spell it
    #[arg(long, short = 'd', value_name = "DIR", hide_short_help = true, conflicts_with_all = ["path", "file"])]
    pub(crate) directory: Option<PathBuf>,
}

impl Source {
    fn path(&self) -> anyhow::Result<&Path> {
        let path = self.path.as_ref().or(self.file.as_ref()).or(self.directory.as_ref());
        path.map(PathBuf::as_path).ok_or_else(|| {
            Problem::usage("nothing to register was named").hint("noetl register examples/").into()
        })
    }
}

impl Register {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        match self.kind {
            Some(Kind::Credential(source)) => credentials(&source, context),
            Some(Kind::Playbook(source)) => playbooks(&source, context),
            None => playbooks(&self.source, context),
        }
    }
}

pub(super) fn playbooks(source: &Source, context: &Context) -> anyhow::Result<Exit> {
    let files = playbook_file::below(source.path()?)?;
    // Every file is judged before the first is sent, so that nothing is registered in part.
    let playbooks = playbook_file::read_all(&files)?;
    context.block_on(async {
        let connection = connect(context, Need::Write).await?;
        let mut registered = Vec::new();
        for playbook in &playbooks {
            registered.push(send(&connection.client, playbook).await?);
        }
        if context.json {
            output::json(&registered)?;
        } else {
            for playbook in &registered {
                output::text(&format!("{} version {}", playbook.path, playbook.version))?;
            }
        }
        connection.close().await?;
        Ok(Exit::Success)
    })
}

/// Registers one playbook as a new version.
async fn send(client: &Client, file: &PlaybookFile) -> anyhow::Result<Registered> {
    client
        .register(&file.text, Some(&file.playbook.path))
        .await
        .with_context(|| format!("cannot register {}", file.path.display()))
}

/// Registers one playbook, unless its newest version has the same text; returns path and version.
pub(crate) async fn send_if_new(client: &Client, file: &PlaybookFile) -> anyhow::Result<(String, u32)> {
    if let Ok(entry) = client.resource(&file.playbook.path, None).await
        && entry.content.as_deref() == Some(file.text.as_str())
    {
        return Ok((entry.path, entry.version));
    }
    let registered = send(client, file).await?;
    Ok((registered.path, registered.version))
}

pub(super) fn credentials(source: &Source, context: &Context) -> anyhow::Result<Exit> {
    let credentials = credential_file::read_all(source.path()?)?;
    context.block_on(async {
        let connection = connect(context, Need::Write).await?;
        let mut kept = Vec::new();
        for credential in &credentials {
            let body = connection.client.put_credential(credential).await;
            kept.push(body.with_context(|| format!("cannot keep the credential {:?}", credential.name))?);
        }
        if context.json {
            output::json(&kept)?;
        } else {
            for credential in &kept {
                output::text(&format!("{} ({})", credential.name, credential.kind))?;
            }
        }
        connection.close().await?;
        Ok(Exit::Success)
    })
}
