//! `noetl proposals draft`: a step from a description, as a Proposal.

use clap::Args;
use noetl_api::proposal::DraftStep;

use crate::connect::{Need, connect};
use crate::context::Context;
use crate::exit::Exit;
use crate::{output, terminal};

#[derive(Debug, Args)]
pub(crate) struct Draft {
    /// Catalog path
    #[arg(value_name = "PLAYBOOK")]
    playbook: String,
    /// The step that the new one stands behind
    #[arg(long, value_name = "STEP")]
    after: String,
    /// What the step shall do
    #[arg(required = true, value_name = "WORDS")]
    description: Vec<String>,
}

impl Draft {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let request =
            DraftStep { playbook: self.playbook, after: self.after, description: self.description.join(" ") };
        let proposal = context.block_on(async {
            let connection = connect(context, Need::Write).await?;
            let proposal = connection.client.draft_step(&request).await;
            connection.close().await?;
            anyhow::Ok(proposal?)
        })?;
        if context.json {
            output::json(&proposal)?;
            return Ok(Exit::Success);
        }
        output::text(&format!("{}  {}", proposal.id, proposal.proposed.title))?;
        output::text(proposal.proposed.diff.as_deref().unwrap_or_default())?;
        terminal::tell("read it, and complete what words cannot say");
        Ok(Exit::Success)
    }
}
