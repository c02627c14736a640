//! `noetl policy [show|check FILE]`: what may be changed by itself, how far, and when.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Subcommand};

use crate::compose::policy;
use crate::connect::{Need, connect};
use crate::context::Context;
use crate::exit::Exit;
use crate::{output, terminal};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Policy {
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Print the policy in effect, with every key
    Show,
    /// Say whether a policy file, or the [policy] section of a noetl.toml, is valid
    Check { file: PathBuf },
}

impl Policy {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        match self.what {
            Some(What::Check { file }) => {
                let checked = policy::checked(&file)?;
                if context.json {
                    output::json(&checked)?;
                } else {
                    output::text(&format!(
                        "{} is valid; its mode is {}",
                        file.display(),
                        checked.mode.as_str()
                    ))?;
                }
                Ok(Exit::Success)
            }
            None | Some(What::Show) => show(context),
        }
    }
}

fn show(context: &Context) -> anyhow::Result<Exit> {
    context.block_on(async {
        let connection = connect(context, Need::Read).await?;
        let state = connection.client.policy().await?;
        connection.close().await?;
        if context.json {
            output::json(&state)?;
            return Ok(Exit::Success);
        }
        output::text(&toml::to_string_pretty(&state.policy).context("cannot write the policy as TOML")?)?;
        match &state.closed {
            Some(why) => terminal::tell(&format!("nothing can be approved now: {why}")),
            None => {
                terminal::tell("change it in [policy] of noetl.toml, or in the file that `file` names there");
            }
        }
        Ok(Exit::Success)
    })
}
