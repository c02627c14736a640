//! `noetl proposals simulate`: a Proposal replayed over what its executions recorded.

use clap::Args;
use noetl_api::proposal::Simulation;

use crate::commands::insight::milliseconds;
use crate::connect::{Need, connect};
use crate::context::Context;
use crate::exit::Exit;
use crate::{output, terminal};

#[derive(Debug, Args)]
pub(crate) struct Simulate {
    /// Id of a proposal
    #[arg(value_name = "ID")]
    id: String,
}

impl Simulate {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let simulation = context.block_on(async {
            let connection = connect(context, Need::Read).await?;
            let waiting = terminal::waiting("replaying what the executions recorded");
            let simulation = connection.client.simulate_proposal(&self.id).await;
            drop(waiting);
            connection.close().await?;
            anyhow::Ok(simulation?)
        })?;
        if context.json {
            output::json(&simulation)?;
            return Ok(Exit::Success);
        }
        output::text(&simulation.reading)?;
        table(&simulation)?;
        Ok(Exit::Success)
    }
}

fn table(one: &Simulation) -> anyhow::Result<()> {
    let mut table = output::Table::new(&["", "AS IT WAS", "UNDER THE CHANGE", "BETWEEN", "AND"]);
    let failed = &one.failed_after;
    table.row([
        "failed".to_owned(),
        format!("{} of {}", one.failed_before, one.executions),
        format!("{:.0}", failed.value),
        format!("{:.0}", failed.low),
        format!("{:.0}", failed.high),
    ]);
    let duration = &one.duration_ms_after;
    table.row([
        "median duration".to_owned(),
        milliseconds(one.duration_ms_before),
        milliseconds(duration.value),
        milliseconds(duration.low),
        milliseconds(duration.high),
    ]);
    output::text("")?;
    table.print()
}
