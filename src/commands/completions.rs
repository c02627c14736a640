//! `noetl completions SHELL`: a script that teaches a shell our options.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use crate::cli::Cli;
use crate::context::Context;
use crate::exit::Exit;
use crate::output;

#[derive(Debug, Args)]
#[command(after_help = "Example: noetl completions bash > /etc/bash_completion.d/noetl")]
pub(crate) struct Completions {
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(self, _: &Context) -> anyhow::Result<Exit> {
        // The generator panics where it cannot write.
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "noetl", &mut script);
        output::text(&String::from_utf8_lossy(&script))?;
        Ok(Exit::Success)
    }
}
