//! `noetl completions SHELL`: a script that teaches a shell our options.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use crate::cli::Cli;
use crate::context::Context;
use crate::exit::Exit;

#[derive(Debug, Args)]
#[command(after_help = "Example: noetl completions bash > /etc/bash_completion.d/noetl")]
pub(crate) struct Completions {
    shell: Shell,
}

impl Completions {
    #[expect(clippy::unnecessary_wraps, reason = "every command is run the same way")]
    pub(crate) fn run(self, _: &Context) -> anyhow::Result<Exit> {
        clap_complete::generate(self.shell, &mut Cli::command(), "noetl", &mut std::io::stdout());
        Ok(Exit::Success)
    }
}
