//! `noetl db init|validate`: the tables of the store. No running server is needed.

use std::path::PathBuf;

use clap::Subcommand;
use noetl_api::health::DatabaseState;

use crate::connect::{Need, connect};
use crate::context::Context;
use crate::exit::Exit;
use crate::output;

#[derive(Debug, Subcommand)]
pub(crate) enum Db {
    /// Create the store, or bring it up to date
    #[command(alias = "apply-schema")]
    Init {
        /// Read by older CLIs; the schema is built in
        #[arg(long, hide = true)]
        schema_file: Option<PathBuf>,
        /// Read by older CLIs; the embedded store has no roles
        #[arg(long, hide = true)]
        ensure_role: bool,
    },
    /// Check that the store has its tables
    Validate,
}

impl Db {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        context.block_on(async {
            let need = if matches!(self, Self::Init { .. }) { Need::Write } else { Need::Read };
            let connection = connect(context, need).await?;
            let state = match self {
                Self::Init { .. } => connection.client.db_init().await?,
                Self::Validate => connection.client.db_validate().await?,
            };
            print(context, &state)?;
            connection.close().await?;
            Ok(if state.valid { Exit::Success } else { Exit::Failed })
        })
    }
}

fn print(context: &Context, state: &DatabaseState) -> anyhow::Result<()> {
    if context.json {
        return output::json(state);
    }
    output::text(&state.message)?;
    for table in &state.missing {
        output::text(&format!("missing: {table}"))?;
    }
    Ok(())
}
