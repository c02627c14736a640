//! `noetl status ID`: one execution, its steps, its result.

use clap::Args;
use noetl_api::execution::ExecutionStatus;
use noetl_domain::Value;

use crate::connect::{Need, connect};
use crate::context::Context;
use crate::exit::Exit;
use crate::which::Which;
use crate::{live, notice, output, terminal};

#[derive(Debug, Args)]
pub(crate) struct Status {
    /// Id of the execution, or `last`
    #[arg(value_name = "ID")]
    pub(crate) execution: Which,
}

impl Status {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        context.block_on(async {
            let connection = connect(context, Need::Read).await?;
            let id = self.execution.find(&connection.client).await?;
            let status = connection.client.status(id).await?;
            if context.json {
                output::json(&status)?;
            } else {
                print(&status)?;
            }
            connection.close().await?;
            Ok(Exit::Success)
        })
    }
}

fn print(status: &ExecutionStatus) -> anyhow::Result<()> {
    let style = terminal::stdout_style();
    let mut head = vec![
        format!(
            "{}  {}  {} v{}",
            status.execution_id,
            live::painted(&status.status, style),
            status.path,
            status.version
        ),
        format!("started {}, took {}", output::moment(&status.started_at), live::elapsed(status.duration)),
    ];
    if let Some(reason) = &status.reason {
        head.push(format!("reason: {reason}"));
    }
    if let Some(why) = &status.why {
        let id = status.execution_id;
        head.push(format!("why: {} {}", why.line(), style.dim(&format!("(noetl why {id})"))));
    }
    output::text(&head.join("\n"))?;
    if !status.steps.is_empty() {
        let mut table = output::Table::new(&["STEP", "STATUS", "RUN", "RETRIES", "TOOK", "ITEMS", "ERROR"]);
        for step in &status.steps {
            let items = step.iterations.as_ref().map(|progress| match progress.total {
                Some(total) => format!("{}/{total}", progress.done),
                None => progress.done.to_string(),
            });
            table.row([
                step.name.clone(),
                live::painted(&step.status, style),
                step.run.to_string(),
                step.retries.to_string(),
                step.duration.map(live::elapsed).unwrap_or_default(),
                items.unwrap_or_default(),
                step.error.as_ref().map(|error| first_line(&error.message)).unwrap_or_default(),
            ]);
        }
        table.print()?;
    }
    for wait in &status.waiting {
        output::text(&format!("waits for {wait}"))?;
    }
    for pool in &status.unserved {
        output::text(&notice::unserved(pool, style))?;
    }
    if !status.result.is_null() {
        output::text(&format!("result: {}", result(&status.result)))?;
    }
    Ok(())
}

fn result(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}
