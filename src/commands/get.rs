//! `noetl get credential NAME`, as an older CLI spells it.

use clap::Subcommand;

use super::credential;
use crate::context::Context;
use crate::exit::Exit;

#[derive(Debug, Subcommand)]
pub(crate) enum Get {
    /// Show one credential
    Credential {
        name: String,
        /// With its secrets, where the server allows it
        #[arg(long)]
        include_data: bool,
    },
}

impl Get {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let Self::Credential { name, include_data } = self;
        credential::get(context, &name, include_data)
    }
}
