//! `noetl cancel ID`.

use clap::Args;
use noetl_domain::code::Code;

use crate::connect::{Need, connect};
use crate::context::Context;
use crate::exit::Exit;
use crate::output;
use crate::problem::Problem;
use crate::which::Which;

#[derive(Debug, Args)]
pub(crate) struct Cancel {
    /// Id of the execution, or `last`
    #[arg(value_name = "ID")]
    execution: Which,
    /// Kept in the log
    #[arg(long)]
    reason: Option<String>,
    /// Cancel its sub-playbooks too (they are cancelled unless --no-cascade is given)
    #[arg(long, conflicts_with = "no_cascade")]
    cascade: bool,
    /// Let its sub-playbooks run on
    #[arg(long)]
    no_cascade: bool,
}

impl Cancel {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        context.block_on(async {
            let connection = connect(context, Need::Write).await?;
            let id = self.execution.find(&connection.client).await?;
            let cascade = self.cascade || !self.no_cascade;
            let cancelled = connection.client.cancel(id, self.reason, cascade).await?;
            let exit = if cancelled.status == "error" { Exit::Failed } else { Exit::Success };
            if context.json {
                output::json(&cancelled)?;
            } else if exit == Exit::Success {
                output::text(&cancelled.message)?;
            } else {
                connection.close().await?;
                return Err(Problem::new(cancelled.message)
                    .code(Code::AlreadyFinished)
                    .hint(format!("noetl status {id}"))
                    .into());
            }
            connection.close().await?;
            Ok(exit)
        })
    }
}
