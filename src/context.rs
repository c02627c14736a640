//! What every command gets: the configuration in effect and how to print.

use std::path::PathBuf;

use anyhow::Context as _;

use crate::cli::Global;
use crate::config::{Chosen, Config};
use crate::env::Environment;
use crate::terminal;

#[derive(Clone, Debug)]
pub(crate) struct Context {
    pub(crate) config: Config,
    pub(crate) chosen: Chosen,
    /// The configuration file that was read.
    pub(crate) chosen_file: Option<PathBuf>,
    pub(crate) environment: Environment,
    /// `--json`: one document on stdout instead of text.
    pub(crate) json: bool,
}

impl Context {
    pub(crate) fn new(global: &Global) -> anyhow::Result<Self> {
        let environment = Environment::read();
        terminal::choose_color(global.color, environment.no_color);
        let (config, chosen) = Config::load(global, &environment)?;
        let chosen_file = Config::file(global, &environment);
        Ok(Self { config, chosen, chosen_file, environment, json: global.json })
    }
}

impl Context {
    #[expect(
        clippy::unused_self,
        reason = "commands have a context in hand, and nothing else starts a runtime"
    )]
    /// Runs async work to its end. Threads start here, so commands that need none start none.
    pub(crate) fn block_on<T>(&self, work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .thread_name("noetl")
            .build()
            .context("cannot start the async runtime")?;
        let done = runtime.block_on(work);
        // What still runs on blocking threads (an interpreter that warms up) must not hold up the exit.
        runtime.shutdown_background();
        done
    }
}
