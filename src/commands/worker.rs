//! `noetl worker start|stop`: a worker apart from the server.

use clap::Subcommand;
use noetl_domain::code::Code;

use crate::context::Context;
use crate::exit::Exit;
use crate::problem::Problem;

#[derive(Debug, Subcommand)]
pub(crate) enum Worker {
    /// Start a worker (not yet: in this version the server brings its own)
    Start {
        /// Commands to run side by side
        #[arg(long, short = 'm', alias = "workers")]
        max_workers: Option<usize>,
    },
    /// Stop a worker (not yet: in this version it stops with its server)
    Stop {
        #[arg(long, short = 'n')]
        name: Option<String>,
        #[arg(long)]
        force: bool,
    },
}

impl Worker {
    pub(crate) fn run(self, _: &Context) -> anyhow::Result<Exit> {
        Err(match self {
            Self::Start { .. } => Problem::new(
                "a worker cannot run apart from its server in this version, so nothing was started",
            )
            .code(Code::NotAllowed)
            .hint("`noetl up` starts the server with a worker inside; NOETL_MAX_WORKERS sets its size"),
            Self::Stop { .. } => Problem::new("there is no worker apart from the server to stop")
                .code(Code::Unreachable)
                .hint("`noetl server stop` stops the server and the worker inside"),
        }
        .into())
    }
}
