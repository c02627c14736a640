//! `noetl cleanup`: cancels executions in which nothing happened for a while.

use clap::Args;
use noetl_api::execution::CleanupRequest;

use crate::connect::{Need, connect};
use crate::context::Context;
use crate::exit::Exit;
use crate::output;

#[derive(Debug, Args)]
pub(crate) struct Cleanup {
    /// Nothing happened for so long
    #[arg(long, value_name = "N", default_value_t = 60)]
    older_than_minutes: u64,
    /// Only say which ones
    #[arg(long)]
    dry_run: bool,
}

impl Cleanup {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        context.block_on(async {
            let connection = connect(context, Need::Write).await?;
            let request =
                CleanupRequest { older_than_minutes: self.older_than_minutes, dry_run: self.dry_run };
            let cleaned = connection.client.cleanup(&request).await?;
            if context.json {
                output::json(&cleaned)?;
            } else {
                for id in &cleaned.execution_ids {
                    output::text(&id.to_string())?;
                }
                eprintln!("{}", cleaned.message);
            }
            connection.close().await?;
            Ok(Exit::Success)
        })
    }
}
