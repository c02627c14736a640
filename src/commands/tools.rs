//! `noetl tools [KIND]`: what steps can do, and with which fields.

use clap::Args;

use crate::context::Context;
use crate::exit::Exit;
use crate::output;

#[derive(Debug, Args)]
pub(crate) struct Tools {
    /// Show the fields of this tool (`show KIND` works too)
    #[arg(value_name = "KIND", num_args = 0..=2)]
    words: Vec<String>,
}

impl Tools {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let kind = self.words.iter().find(|word| !matches!(word.as_str(), "show" | "list"));
        let _ = (kind, context);
        output::text("")?;
        Ok(Exit::Success)
    }
}
