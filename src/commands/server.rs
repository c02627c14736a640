//! `noetl server start|stop`.

use std::time::{Duration, Instant};

use clap::Subcommand;
use noetl_domain::code::Code;
use noetl_server::store::DataLock;

use super::up::Up;
use crate::context::Context;
use crate::exit::Exit;
use crate::output;
use crate::problem::Problem;

/// A server lets the commands in hand finish before it leaves.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug, Subcommand)]
pub(crate) enum Server {
    /// Start the server; in this version it brings its own worker, like `noetl up`
    Start {
        /// Create the store first; it is created anyway when it is missing
        #[arg(long, overrides_with = "no_init_db")]
        init_db: bool,
        #[arg(long, hide = true)]
        no_init_db: bool,
    },
    /// Stop the server that holds the data directory
    Stop {
        /// Do not let it finish what it holds
        #[arg(long)]
        force: bool,
    },
}

impl Server {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        match self {
            Self::Start { .. } => Up::default().run(context),
            Self::Stop { force } => stop(context, force),
        }
    }
}

fn stop(context: &Context, force: bool) -> anyhow::Result<Exit> {
    let directory = &context.config.store.data_dir;
    let Some(holder) = DataLock::holder(directory) else {
        return Err(Problem::new(format!("no server holds the data directory {}", directory.display()))
            .code(Code::Unreachable)
            .hint("start one with `noetl up`")
            .into());
    };
    let Some(pid) = holder.pid else {
        return Err(Problem::new("the server has not said which process it is")
            .code(Code::StoreLocked)
            .hint("it is only just starting; try again")
            .into());
    };
    let signal = if force { "-KILL" } else { "-TERM" };
    let told = std::process::Command::new("kill").args([signal, &pid.to_string()]).status();
    if !told.is_ok_and(|status| status.success()) {
        return Err(Problem::new(format!("process {pid} could not be told to stop"))
            .code(Code::StoreLocked)
            .hint("does it belong to another user?")
            .into());
    }
    let since = Instant::now();
    while DataLock::holder(directory).is_some() {
        if since.elapsed() > PATIENCE {
            return Err(Problem::new(format!(
                "process {pid} has not stopped after {} s",
                PATIENCE.as_secs()
            ))
            .code(Code::StoreLocked)
            .hint("noetl server stop --force")
            .into());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    output::text(&format!("stopped process {pid}"))?;
    Ok(Exit::Success)
}
