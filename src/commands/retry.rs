//! `noetl retry ID`: a new attempt that keeps the results of completed steps.

use anyhow::Context as _;
use clap::Args;

use crate::connect::{Need, connect};
use crate::context::Context;
use crate::exit::Exit;
use crate::live::{Talk, View};
use crate::which::Which;
use crate::{outcome, output, watch};

#[derive(Debug, Args)]
pub(crate) struct Retry {
    /// Id of the execution, or `last`
    #[arg(value_name = "ID")]
    execution: Which,
    /// Run this step and all after it again; otherwise the steps that failed
    #[arg(long, value_name = "STEP")]
    from: Option<String>,
    /// Do not wait for the end
    #[arg(long)]
    no_wait: bool,
}

impl Retry {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        context.block_on(async {
            let connection = connect(context, if self.no_wait { Need::Server } else { Need::Run }).await?;
            let id = self.execution.find(&connection.client).await?;
            let ordered = connection.client.retry(id, self.from).await;
            let ordered = ordered.with_context(|| format!("cannot retry execution {id}"))?;
            if self.no_wait {
                if context.json {
                    output::json(&ordered)?;
                } else {
                    output::text(&ordered.message)?;
                }
                return Ok(Exit::Success);
            }
            let mut view = View::choose(context.json, Talk::Steps);
            let (connection, status) =
                watch::until_end(context, connection, ordered.execution_id, &mut view).await?;
            let exit = outcome::print(context, &connection.client, &status).await?;
            connection.close().await?;
            Ok(exit)
        })
    }
}
