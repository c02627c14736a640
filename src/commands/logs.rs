//! `noetl logs ID`: what the tools of an execution printed.

use clap::Args;
use futures::StreamExt as _;
use noetl_api::log::{LogBody, LogFilter};

use crate::connect::{Need, connect};
use crate::context::Context;
use crate::exit::Exit;
use crate::which::Which;
use crate::{output, terminal};

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
        if self.follow {
            let mut feed = std::pin::pin!(connection.client.follow_logs(id, None));
            while let Some(log) = feed.next().await {
                let log = log?;
                if self.step.as_ref().is_none_or(|wanted| *wanted == log.step) {
                    if context.json {
                        output::json_line(&log)?;
                    } else {
                        output::text(&line(&log))?;
                    }
                }
            }
            return Ok(Exit::Success);
        }
        let mut filter = LogFilter { step: self.step.clone(), ..LogFilter::default() };
        let mut all = Vec::new();
        loop {
            let page = connection.client.logs(id, &filter).await?;
            if context.json {
                all.extend(page.lines);
            } else {
                for log in &page.lines {
                    output::text(&line(log))?;
                }
            }
            match page.next_after {
                Some(after) => filter.after = Some(after),
                None => break,
            }
        }
        if context.json {
            output::json(&all)?;
        }
        connection.close().await?;
        Ok(Exit::Success)
    }
}

/// `fetch[3] ! text`: the step, the iteration, and a mark for what went to stderr.
pub(crate) fn line(log: &LogBody) -> String {
    let style = terminal::stdout_style();
    let index = log.index.map(|index| format!("[{index}]")).unwrap_or_default();
    let text = match log.level.as_str() {
        "error" => style.error(&log.text),
        "warn" => style.warning(&log.text),
        _ => log.text.clone(),
    };
    let mark = if log.stream == "stderr" { "!" } else { "|" };
    format!("{}{index} {} {text}", log.step, style.dim(mark))
}
