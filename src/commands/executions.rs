//! `noetl executions`: what ran, newest first.

use clap::Args;
use noetl_api::execution::ExecutionFilter;

use crate::connect::{Need, connect};
use crate::context::Context;
use crate::exit::Exit;
use crate::output;
use crate::{live, terminal};

#[derive(Debug, Args)]
pub(crate) struct Executions {
    /// Only those of this playbook; a prefix ends with `*`
    #[arg(long)]
    path: Option<String>,
    /// Only these: running, completed, failed, cancelled; several with commas
    #[arg(long)]
    status: Option<String>,
    /// Children of this execution
    #[arg(long, value_name = "ID")]
    parent: Option<String>,
    /// Only those older than this one: the last id of the page before
    #[arg(long, value_name = "ID")]
    before: Option<String>,
    /// How many at most
    #[arg(long, short = 'n', default_value_t = 20)]
    limit: u32,
}

impl Executions {
    pub(crate) fn all() -> Self {
        Self { path: None, status: None, parent: None, before: None, limit: 20 }
    }

    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        context.block_on(self.list(context))
    }

    async fn list(self, context: &Context) -> anyhow::Result<Exit> {
        let connection = connect(context, Need::Read).await?;
        let filter = ExecutionFilter {
            path: self.path,
            status: self.status.map(|status| status.to_uppercase()),
            parent_execution_id: self.parent,
            before: self.before,
            limit: Some(self.limit),
            ..ExecutionFilter::default()
        };
        let executions = connection.client.executions(&filter).await?;
        if context.json {
            output::json(&executions)?;
        } else if executions.is_empty() {
            terminal::tell("no executions; start one: noetl run examples/hello.yaml");
        } else {
            let style = terminal::stdout_style();
            let mut table = output::Table::new(&["EXECUTION", "STATUS", "PLAYBOOK", "STARTED", "TOOK"]);
            for execution in &executions {
                table.row([
                    execution.execution_id.to_string(),
                    live::painted(&execution.status, style),
                    format!("{} v{}", execution.path, execution.version),
                    output::moment(&execution.started_at),
                    live::elapsed(execution.duration),
                ]);
            }
            table.print()?;
            if executions.len() == self.limit as usize
                && let Some(last) = executions.last()
            {
                terminal::tell(&format!("older ones: noetl executions --before {}", last.execution_id));
            }
        }
        connection.close().await?;
        Ok(Exit::Success)
    }
}
