//! `noetl cluster status`: how the semantic layer is doing, and what is left of the retry budgets.

use clap::Subcommand;
use noetl_api::insight::{EmbedderStatus, LayerStatus, Moving, PartStatus};
use noetl_api::pool::RetryBudgets;
use serde::Serialize;

use super::insight::{bytes, milliseconds};
use crate::connect::{Need, connect};
use crate::context::Context;
use crate::exit::Exit;
use crate::{output, terminal};

/// The layer's status as the server has it, with the budgets beside it.
#[derive(Serialize)]
struct Told<'s> {
    #[serde(flatten)]
    status: &'s LayerStatus,
    retry_budgets: &'s RetryBudgets,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Cluster {
    /// Show what is on, what is off and why, how far behind the indexer is, and what is left of the retry budgets
    Status,
}

impl Cluster {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let Self::Status = self;
        context.block_on(async {
            let connection = connect(context, Need::Insight).await?;
            let status = connection.client.layer_status().await?;
            // A server of an earlier version has none to show.
            let budgets = connection.client.retry_budgets().await.unwrap_or_default();
            if context.json {
                output::json(&Told { status: &status, retry_budgets: &budgets })?;
            } else {
                print(&status)?;
                print_budgets(&budgets)?;
            }
            connection.close().await?;
            Ok(Exit::Success)
        })
    }
}

fn print(status: &LayerStatus) -> anyhow::Result<()> {
    let mut table = output::Table::new(&["PART", "STATE", "BEHIND", "LAG", "POSITION", "SET ASIDE", "NOTE"]);
    for (name, part) in [("analytics", &status.analytics), ("vectors", &status.vectors)] {
        table.row([
            name.to_owned(),
            painted(part),
            format!("{} events", part.behind),
            milliseconds(part.lag_ms as f64),
            format!("{} of {}", part.position, part.head),
            part.poison.to_string(),
            part.reason.clone().or_else(|| part.address.clone()).unwrap_or_default(),
        ]);
    }
    table.print()?;
    output::text(&format!("fingerprints {}", status.fingerprints))?;
    if let Some(embedder) = &status.embedder {
        let EmbedderStatus { name, note, calls, texts, remembered } = embedder;
        output::text(&format!(
            "embedder     {name}: {texts} texts in {calls} calls, {remembered} answered from memory"
        ))?;
        if let Some(note) = note {
            output::text(&format!("             {note}"))?;
        }
    }
    if let Some(Moving { from, done, total }) = &status.moving {
        output::text(&format!("moving       {done} of {total} points out of {from}"))?;
    }
    if !status.collections.is_empty() {
        output::text("")?;
        let mut table = output::Table::new(&["COLLECTION", "POINTS"]);
        for size in &status.collections {
            table.row([size.collection.clone(), size.points.to_string()]);
        }
        table.print()?;
    }
    if !status.tables.is_empty() {
        output::text("")?;
        let mut table = output::Table::new(&["TABLE", "ROWS", "SIZE"]);
        for size in &status.tables {
            table.row([size.table.clone(), size.rows.to_string(), bytes(size.bytes as f64)]);
        }
        table.print()?;
    }
    if !status.poison.is_empty() {
        output::text("")?;
        let mut table = output::Table::new(&["SET ASIDE", "POSITION", "EXECUTION", "WHEN", "REASON"]);
        for poison in &status.poison {
            table.row([
                poison.kind.clone(),
                poison.position.to_string(),
                poison.execution_id.clone(),
                output::moment(&poison.at),
                poison.reason.clone(),
            ]);
        }
        table.print()?;
    }
    Ok(())
}

/// Budgets shown at most: those with the least left.
const MOST_BUDGETS: usize = 10;

fn print_budgets(budgets: &RetryBudgets) -> anyhow::Result<()> {
    if budgets.items.is_empty() {
        return Ok(());
    }
    output::text("")?;
    let mut table = output::Table::new(&["RETRY BUDGET", "NAME", "LEFT", "RETRIES", "WAITED", "REFUSED"]);
    for budget in budgets.items.iter().take(MOST_BUDGETS) {
        let left = format!("{:.0} of {:.0}", budget.left, budgets.burst);
        let counts = [budget.retries, budget.delayed, budget.refused].map(|count| count.to_string());
        let [retries, delayed, refused] = counts;
        table.row([budget.kind.clone(), budget.name.clone(), left, retries, delayed, refused]);
    }
    table.print()?;
    if budgets.count > MOST_BUDGETS {
        output::text(&format!("and {} more; --json has all of them", budgets.count - MOST_BUDGETS))?;
    }
    Ok(())
}

fn painted(part: &PartStatus) -> String {
    let style = terminal::stdout_style();
    match part.state.as_str() {
        "on" => style.success("on"),
        "failing" | "off" => style.error(&part.state),
        other => other.to_owned(),
    }
}
