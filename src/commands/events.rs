//! `noetl events ID`: the log of an execution.

use clap::Args;
use futures::StreamExt as _;
use noetl_api::event::{EventBody, EventFilter};

use crate::connect::{Need, connect};
use crate::context::Context;
use crate::exit::Exit;
use crate::which::Which;
use crate::{live, output, terminal};

#[derive(Debug, Args)]
pub(crate) struct Events {
    /// Id of the execution, or `last`
    #[arg(value_name = "ID")]
    execution: Which,
    /// Keep printing until the execution ends
    #[arg(long, short = 'f')]
    follow: bool,
    /// Only events of this type
    #[arg(long = "type", value_name = "TYPE")]
    event_type: Option<String>,
    /// Only events of this step
    #[arg(long)]
    step: Option<String>,
}

impl Events {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        context.block_on(self.print(context))
    }

    async fn print(self, context: &Context) -> anyhow::Result<Exit> {
        let connection = connect(context, Need::Read).await?;
        let id = self.execution.find(&connection.client).await?;
        if self.follow {
            let mut feed = std::pin::pin!(connection.client.follow_execution(id));
            while let Some(event) = feed.next().await {
                let event = event?;
                if self.wants(&event) {
                    if context.json {
                        output::json_line(&event)?;
                    } else {
                        output::text(&line(&event))?;
                    }
                }
            }
            return Ok(Exit::Success);
        }
        let mut filter = EventFilter {
            event_type: self.event_type.clone(),
            step: self.step.clone(),
            ..EventFilter::default()
        };
        let mut all = Vec::new();
        loop {
            let page = connection.client.events(id, &filter).await?;
            if context.json {
                all.extend(page.events);
            } else {
                for event in &page.events {
                    output::text(&line(event))?;
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

    fn wants(&self, event: &EventBody) -> bool {
        self.event_type.as_ref().is_none_or(|wanted| *wanted == event.event_type)
            && self.step.as_ref().is_none_or(|wanted| event.node_name.as_ref() == Some(wanted))
    }
}

fn line(event: &EventBody) -> String {
    let style = terminal::stdout_style();
    let mut line = format!(
        "{:>5}  {}  {:<20} {}",
        event.seq,
        style.dim(&output::moment(&event.created_at)),
        event.event_type,
        event.node_name.as_deref().unwrap_or_default(),
    );
    if let Some(seconds) = event.duration {
        line.push_str(&format!("  {}", live::elapsed(seconds)));
    }
    if let Some(error) = &event.error {
        line.push_str(&format!("  {}", style.error(error.lines().next().unwrap_or_default())));
    }
    line.trim_end().to_owned()
}
