//! `noetl run FILE`: one playbook, here and now, to its end.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use noetl_api::catalog::VersionChoice;
use noetl_api::client::Client;
use noetl_api::execute::ExecuteRequest;
use noetl_domain::Map;
use noetl_domain::id::ExecutionId;

use super::execute::reference;
use super::register;
use crate::connect::{Connection, Need, connect};
use crate::context::Context;
use crate::exit::Exit;
use crate::live::{Talk, View};
use crate::payload::Payload;
use crate::playbook_file::{self, PlaybookFile};
use crate::problem::{self, Problem};
use crate::{children, outcome, output, watch};

#[derive(Debug, Args)]
#[command(after_help = "Exit status: 0 COMPLETED, 1 FAILED, 2 bad playbook or command line, 3 cancelled.")]
pub(crate) struct Run {
    /// Playbook file, directory with a noetl.yaml or main.yaml, or catalog path (also catalog://PATH@VERSION)
    #[arg(value_name = "FILE|PATH")]
    reference: Option<String>,
    /// Stop after this step
    #[arg(long, short = 't', value_name = "STEP")]
    target: Option<String>,
    /// This version of a registered playbook instead of the newest
    #[arg(long = "version", short = 'V', value_name = "N", hide_short_help = true)]
    version: Option<u32>,
    #[command(flatten)]
    payload: Payload,
    /// Check the playbook and print what would run, without running it
    #[arg(long)]
    dry_run: bool,
    /// Show what tools print while they run
    #[arg(long, short = 'v')]
    verbose: bool,
    /// Read by older CLIs: `distributed` needs a server, `local` and `auto` use one when there is one
    #[arg(long, short = 'r', value_name = "WHERE", default_value = "auto", hide = true)]
    runtime: Runtime,
    /// Read by older CLIs: `run` always waits
    #[arg(long, hide = true, alias = "sync")]
    wait: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Runtime {
    Auto,
    Local,
    Distributed,
}

/// What is to be run.
enum Subject {
    File(Box<PlaybookFile>),
    Registered { path: String, version: Option<u32> },
}

impl Run {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let subject = self.subject()?;
        let payload = self.payload.read()?;
        if self.dry_run {
            return dry_run(context, &subject);
        }
        if let (Subject::File(file), Some(target)) = (&subject, &self.target)
            && file.playbook.step(target).is_none()
        {
            return Err(unknown_target(file, target).into());
        }
        let need = if self.runtime == Runtime::Distributed { Need::Server } else { Need::Run };
        context.block_on(async {
            let (connection, id) = self.start(context, need, &subject, payload).await?;
            let mut view =
                View::choose(context.json, if self.verbose { Talk::StepsAndTools } else { Talk::Steps });
            let (connection, status) = watch::until_end(context, connection, id, &mut view).await?;
            let exit = outcome::print(context, &connection.client, &status).await?;
            connection.close().await?;
            Ok(exit)
        })
    }

    /// Registers and starts; a server that leaves in the middle of it is replaced.
    async fn start(
        &self,
        context: &Context,
        need: Need,
        subject: &Subject,
        payload: Map,
    ) -> anyhow::Result<(Connection, ExecutionId)> {
        let mut tries = 0;
        loop {
            let connection = connect(context, need).await?;
            match self.start_at(&connection.client, subject, payload.clone()).await {
                Ok(id) => return Ok((connection, id)),
                Err(error) if connection.shared && tries < 5 && problem::is_unreachable(&error) => tries += 1,
                Err(error) => {
                    connection.close().await?;
                    return Err(error);
                }
            }
        }
    }

    async fn start_at(
        &self,
        client: &Client,
        subject: &Subject,
        payload: Map,
    ) -> anyhow::Result<ExecutionId> {
        let (path, version) = match subject {
            Subject::File(file) => {
                for child in children::of(file) {
                    register::send_if_new(client, &child).await?;
                }
                let (path, version) = register::send_if_new(client, file).await?;
                (path, Some(version))
            }
            Subject::Registered { path, version } => (path.clone(), self.version.or(*version)),
        };
        let request = ExecuteRequest {
            version: version.map(VersionChoice::Number),
            payload: Some(payload),
            merge: self.payload.is_deep(),
            trigger: Some("cli".to_owned()),
            target: self.target.clone(),
            ..ExecuteRequest::path(path.clone())
        };
        let executed = client.execute(&request).await;
        Ok(executed.with_context(|| format!("cannot start {path}"))?.execution_id)
    }

    fn subject(&self) -> anyhow::Result<Subject> {
        let file = match &self.reference {
            None => Some(in_directory(Path::new("."))?),
            Some(text) if Path::new(text).is_dir() => Some(in_directory(Path::new(text))?),
            Some(text) if Path::new(text).exists() => Some(PathBuf::from(text)),
            Some(text) if is_yaml(Path::new(text)) => {
                return Err(Problem::usage(format!("there is no file {text}"))
                    .hint("`noetl catalog list` lists what is registered, to be run by its path")
                    .into());
            }
            Some(_) => None,
        };
        match (file, &self.reference) {
            (Some(file), _) => {
                let mut files = playbook_file::read_all(std::slice::from_ref(&file))?;
                let file = files.pop().context("a valid file has a playbook")?;
                Ok(Subject::File(Box::new(file)))
            }
            (None, reference_text) => {
                let (path, version) = reference(reference_text.as_deref().unwrap_or_default());
                Ok(Subject::Registered { path: path.to_owned(), version })
            }
        }
    }
}

fn is_yaml(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
}

fn in_directory(directory: &Path) -> anyhow::Result<PathBuf> {
    ["noetl.yaml", "main.yaml"]
        .iter()
        .map(|name| directory.join(name))
        .find(|path| path.is_file())
        .ok_or_else(|| {
            Problem::usage(format!("there is no noetl.yaml or main.yaml in {}", directory.display()))
                .hint("name a playbook: noetl run examples/hello.yaml")
                .into()
        })
}

fn unknown_target(file: &PlaybookFile, target: &str) -> Problem {
    let names: Vec<&str> = file.playbook.steps.iter().map(|step| step.name.as_str()).collect();
    Problem::usage(format!("{} has no step {target:?}", file.path.display()))
        .hint(format!("its steps are {}", names.join(", ")))
}

fn dry_run(context: &Context, subject: &Subject) -> anyhow::Result<Exit> {
    let Subject::File(file) = subject else {
        return Err(Problem::usage("--dry-run checks a file, and this is a catalog path")
            .hint("noetl catalog get PATH > FILE writes a registered playbook into a file")
            .into());
    };
    if context.json {
        output::json(&file.playbook)?;
    } else {
        for step in &file.playbook.steps {
            let kinds: Vec<&str> = step.body.iter().map(|task| task.kind.as_str()).collect();
            let to: Vec<&str> =
                step.routes.arcs.iter().chain(&step.routes.otherwise).map(|arc| arc.to.as_str()).collect();
            let kinds = if kinds.is_empty() { "route".to_owned() } else { kinds.join(", ") };
            let to = if to.is_empty() { String::new() } else { format!(" -> {}", to.join(", ")) };
            let looped = if step.looped.is_some() { " (loop)" } else { "" };
            output::text(&format!("{}: {kinds}{looped}{to}", step.name))?;
        }
    }
    Ok(Exit::Success)
}
