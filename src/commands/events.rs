//! `noetl events ID`: the log of an execution.

use clap::Args;
use futures::StreamExt as _;
use noetl_api::event::{EventBody, EventFilter};

use crate::connect::{Need, connect};
use crate::context::Context;
use crate::exit::Exit;
use crate::which::Which;
use crate::{listing, live, notice, output, terminal};

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
        let client = &connection.client;
        if self.follow {
            if !context.json {
                notice::tell(client, id).await;
            }
            let feed = client.follow_execution(id);
            let wanted = feed.filter(|event| {
                futures::future::ready(event.as_ref().map_or(true, |event| self.wants(event)))
            });
            listing::follow(context.json, wanted, line).await?;
        } else {
            let filter = EventFilter {
                event_type: self.event_type.clone(),
                step: self.step.clone(),
                ..EventFilter::default()
            };
            let fetch = async |after: Option<u64>| {
                let page = client.events(id, &EventFilter { after, ..filter.clone() }).await?;
                Ok((page.events, page.next_after))
            };
            listing::pages(context.json, fetch, line).await?;
            if !context.json {
                notice::tell(client, id).await;
            }
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
    if let ("warning", Some(message)) = (event.event_type.as_str(), event.meta["message"].as_str()) {
        line.push_str(&format!("  {}", style.warning(message)));
    }
    if let ("diagnosis.made", Some(cause)) = (event.event_type.as_str(), event.meta["cause"].as_str()) {
        line.push_str(&format!("  {}", style.warning(cause)));
    }
    line.trim_end().to_owned()
}
