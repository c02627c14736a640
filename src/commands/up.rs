//! `noetl up`: the server and a worker in one process, until Ctrl-C.

use std::path::PathBuf;

use clap::Args;

use crate::context::Context;
use crate::exit::Exit;
use crate::serve;

#[derive(Debug, Default, Args)]
#[command(
    after_help = "The server listens on 127.0.0.1:8082 unless told otherwise; --host 0.0.0.0 opens it to the network."
)]
pub(crate) struct Up {
    /// Register this playbook, or every playbook of this directory, before serving
    #[arg(long, value_name = "FILE|DIR")]
    pub(crate) register: Vec<PathBuf>,
    /// Run this playbook once the server is up, and print its result
    #[arg(long, value_name = "FILE")]
    pub(crate) run: Option<PathBuf>,
    /// Stop after the playbook of --run has ended
    #[arg(long, requires = "run")]
    pub(crate) once: bool,
    /// Keep analytics in this ClickHouse server instead of the engine in this process
    #[arg(long, value_name = "URL")]
    pub(crate) clickhouse: Option<String>,
    /// Keep vectors in this Qdrant server (its gRPC port) instead of the engine in this process
    #[arg(long, value_name = "URL")]
    pub(crate) qdrant: Option<String>,
}

impl Up {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let mut context = context.clone();
        let indexer = &mut context.config.indexer;
        if let Some(url) = &self.clickhouse {
            indexer.clickhouse.clone_from(url);
        }
        if let Some(url) = &self.qdrant {
            indexer.qdrant.clone_from(url);
        }
        context.block_on(serve::until_stopped(&context, &self))
    }
}
