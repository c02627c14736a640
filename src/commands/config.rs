//! `noetl config`: the configuration in effect, in the form of a `noetl.toml`.

use anyhow::Context as _;
use clap::Args;

use crate::context::Context;
use crate::exit::Exit;
use crate::output;

#[derive(Debug, Args)]
pub(crate) struct Config {}

impl Config {
    #[expect(clippy::unused_self, reason = "every command is run the same way")]
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        if context.json {
            output::json(&context.config)?;
        } else {
            output::text(&toml::to_string(&context.config).context("cannot print the configuration")?)?;
        }
        Ok(Exit::Success)
    }
}
