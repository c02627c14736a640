//! `noetl logs ID`: what the tools of an execution printed.

use clap::Args;
use noetl_api::log::{LogBody, LogFilter};

use crate::connect::{Need, connect};
use crate::context::Context;
use crate::exit::Exit;
use crate::terminal::{self, Style};
use crate::which::Which;
use crate::{listing, notice};

#[derive(Debug, Args)]
pub(crate) struct Logs {
    /// Id of the execution, or `last`
    #[arg(value_name = "ID")]
    execution: Which,
    /// Keep printing until the execution ends
    #[arg(long, short = 'f')]
    follow: bool,
    /// Only lines of this step
    #[arg(long)]
    step: Option<String>,
}

impl Logs {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        context.block_on(self.print(context))
    }

    async fn print(self, context: &Context) -> anyhow::Result<Exit> {
        let connection = connect(context, Need::Read).await?;
        let id = self.execution.find(&connection.client).await?;
        let client = &connection.client;
        let line = |log: &LogBody| line(log, terminal::stdout_style());
        let filter = LogFilter { step: self.step, ..LogFilter::default() };
        if self.follow {
            if !context.json {
                notice::tell(client, id).await;
            }
            listing::follow(context.json, client.follow_logs(id, &filter), line).await?;
        } else {
            let fetch = async |after: Option<u64>| {
                let page = client.logs(id, &LogFilter { after, ..filter.clone() }).await?;
                Ok((page.lines, page.next_after))
            };
            listing::pages(context.json, fetch, line).await?;
        }
        connection.close().await?;
        Ok(Exit::Success)
    }
}

/// `fetch[3] ! text`: the step, the iteration, and a mark for what went to stderr.
pub(crate) fn line(log: &LogBody, style: Style) -> String {
    let index = log.index.map(|index| format!("[{index}]")).unwrap_or_default();
    let text = match log.level.as_str() {
        "error" => style.error(&log.text),
        "warn" => style.warning(&log.text),
        _ => log.text.clone(),
    };
    let mark = if log.stream == "stderr" { "!" } else { "|" };
    format!("{}{index} {} {text}", log.step, style.dim(mark))
}
