//! `noetl execute playbook|status|rerun`.

use anyhow::Context as _;
use clap::Subcommand;
use noetl_api::catalog::VersionChoice;
use noetl_api::client::Client;
use noetl_api::execute::{ExecuteRequest, Executed};

use super::status;
use crate::connect::{Connection, Need, connect};
use crate::context::Context;
use crate::exit::Exit;
use crate::live::{Talk, View};
use crate::payload::Payload;
use crate::which::Which;
use crate::{outcome, output, terminal, watch};

#[derive(Debug, Subcommand)]
pub(crate) enum Execute {
    /// Start an execution of a registered playbook
    Playbook(Start),
    /// Show one execution
    Status(status::Status),
    /// Start an execution again from the beginning, with the same playbook and inputs
    Rerun {
        /// Id of the execution, or `last`
        #[arg(value_name = "ID")]
        execution: Which,
        /// Wait for the end, and exit by its status
        #[arg(long)]
        wait: bool,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct Start {
    /// Catalog path, also as catalog://PATH@VERSION
    #[arg(value_name = "PATH")]
    pub(crate) path: String,
    /// This version instead of the newest
    #[arg(long, short = 'V', value_name = "N")]
    pub(crate) version: Option<u32>,
    /// Wait for the end, and exit by its status
    #[arg(long, alias = "sync")]
    pub(crate) wait: bool,
    #[command(flatten)]
    pub(crate) payload: Payload,
}

impl Execute {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        match self {
            Self::Playbook(start) => start.run(context),
            Self::Status(status) => status.run(context),
            Self::Rerun { execution, wait } => rerun(context, execution, wait),
        }
    }
}

impl Start {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let (path, version) = reference(&self.path);
        let request = ExecuteRequest {
            version: self.version.or(version).map(VersionChoice::Number),
            payload: Some(self.payload.read()?),
            merge: self.payload.is_deep(),
            trigger: Some("cli".to_owned()),
            ..ExecuteRequest::path(path)
        };
        start(context, &request, self.wait)
    }
}

/// `catalog://path@version`, `path@version` or a plain path.
pub(crate) fn reference(text: &str) -> (&str, Option<u32>) {
    let path = text.strip_prefix("catalog://").unwrap_or(text);
    match path.rsplit_once('@') {
        Some((path, version)) => match version.trim_start_matches('v').parse() {
            Ok(version) => (path, Some(version)),
            Err(_) if version == "latest" => (path, None),
            Err(_) => (text, None),
        },
        None => (path, None),
    }
}

fn rerun(context: &Context, execution: Which, wait: bool) -> anyhow::Result<Exit> {
    context.block_on(async {
        let connection = connect(context, if wait { Need::Run } else { Need::Server }).await?;
        let id = execution.find(&connection.client).await?;
        let before = connection.client.execution(id).await?;
        let request = ExecuteRequest {
            version: Some(VersionChoice::Number(before.summary.version)),
            payload: Some(before.workload),
            trigger: Some("cli".to_owned()),
            ..ExecuteRequest::path(before.summary.path)
        };
        let executed = send(&connection.client, &request).await?;
        after_start(context, connection, &executed, wait).await
    })
}

fn start(context: &Context, request: &ExecuteRequest, wait: bool) -> anyhow::Result<Exit> {
    context.block_on(async {
        let connection = connect(context, if wait { Need::Run } else { Need::Server }).await?;
        let executed = send(&connection.client, request).await?;
        after_start(context, connection, &executed, wait).await
    })
}

async fn send(client: &Client, request: &ExecuteRequest) -> anyhow::Result<Executed> {
    let path = request.path.as_deref().unwrap_or_default();
    client.execute(request).await.with_context(|| format!("cannot start {path}"))
}

async fn after_start(
    context: &Context,
    connection: Connection,
    executed: &Executed,
    wait: bool,
) -> anyhow::Result<Exit> {
    if !wait {
        if context.json {
            output::json(executed)?;
        } else {
            output::text(&executed.execution_id.to_string())?;
            terminal::tell(&format!(
                "started {} v{}; see it with: noetl status {}",
                executed.path, executed.version, executed.id
            ));
        }
        return Ok(Exit::Success);
    }
    let mut view = View::choose(context.json, Talk::Steps);
    let (connection, status) =
        watch::until_end(context, connection, executed.execution_id, &mut view).await?;
    let exit = outcome::print(context, &connection.client, &status).await?;
    connection.close().await?;
    Ok(exit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_names_a_path_and_perhaps_a_version() {
        for (text, expected) in [
            ("demo/a", ("demo/a", None)),
            ("catalog://demo/a@3", ("demo/a", Some(3))),
            ("demo/a@v2", ("demo/a", Some(2))),
            ("demo/a@latest", ("demo/a", None)),
            ("team@home/a", ("team@home/a", None)),
        ] {
            assert_eq!(reference(text), expected);
        }
    }
}
