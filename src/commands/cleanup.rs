//! `noetl cleanup`: cancels executions in which nothing happened for a while, deletes those that ended long ago.

use clap::Args;
use noetl_api::execution::CleanupRequest;

use crate::connect::{Need, connect};
use crate::context::Context;
use crate::exit::Exit;
use crate::{output, terminal};

#[derive(Debug, Args)]
pub(crate) struct Cleanup {
    /// Cancel executions in which nothing happened for so long [default: 60, unless old ones are deleted]
    #[arg(long, value_name = "N")]
    older_than_minutes: Option<u64>,
    /// Delete executions that ended so long ago, with their logs and large results
    #[arg(long, value_name = "N")]
    delete_older_than_days: Option<f64>,
    /// Only say what would be done
    #[arg(long)]
    dry_run: bool,
}

impl Cleanup {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        context.block_on(async {
            let connection = connect(context, Need::Write).await?;
            let request = CleanupRequest {
                older_than_minutes: self.older_than_minutes,
                delete_older_than_days: self.delete_older_than_days,
                dry_run: self.dry_run,
            };
            let cleaned = connection.client.cleanup(&request).await?;
            if context.json {
                output::json(&cleaned)?;
            } else {
                for id in &cleaned.execution_ids {
                    output::text(&id.to_string())?;
                }
                terminal::tell(&cleaned.message);
            }
            connection.close().await?;
            Ok(Exit::Success)
        })
    }
}
