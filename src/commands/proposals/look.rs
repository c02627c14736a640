//! `noetl proposals look`: what history gives reason to change.

use clap::Args;
use noetl_api::proposal::{LookRequest, Looked, Proposal};

use crate::commands::insight::percent;
use crate::connect::{Need, connect};
use crate::context::Context;
use crate::exit::Exit;
use crate::{output, terminal};

#[derive(Debug, Args)]
#[command(after_help = "Reads what the newest executions did, which may take a second for each thousand.\n\
                  `noetl up` looks by itself from time to time ([assistant.propose] in noetl.toml).")]
pub(crate) struct Look {
    /// Catalog path; all playbooks by default
    #[arg(value_name = "PLAYBOOK")]
    playbook: Option<String>,
    /// Also say why nothing is proposed where something might have been
    #[arg(long, short = 'v')]
    verbose: bool,
}

impl Look {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let request = LookRequest { playbook: self.playbook };
        let looked = context.block_on(async {
            let connection = connect(context, Need::Write).await?;
            let waiting = terminal::waiting("reading what the executions did");
            let looked = connection.client.look_for_proposals(&request).await;
            drop(waiting);
            connection.close().await?;
            anyhow::Ok(looked?)
        })?;
        if context.json {
            output::json(&looked)?;
            return Ok(Exit::Success);
        }
        show(&looked, self.verbose)?;
        Ok(Exit::Success)
    }
}

fn show(looked: &Looked, verbose: bool) -> anyhow::Result<()> {
    let read = format!("{} playbooks, {} executions", looked.playbooks, looked.executions);
    if looked.proposals.is_empty() {
        terminal::tell(&format!("nothing to propose ({read})"));
    }
    for proposal in &looked.proposals {
        output::text(&lines(proposal))?;
    }
    if verbose || looked.proposals.is_empty() && looked.playbooks == 1 {
        for refused in &looked.refused {
            let step = refused.step.as_deref().unwrap_or("the playbook");
            terminal::tell(&format!(
                "no {} for {} of {}: {}",
                refused.kind.as_str(),
                step,
                refused.playbook,
                refused.why
            ));
        }
    }
    if !looked.proposals.is_empty() {
        terminal::tell(&format!("{read}; `noetl proposals show ID` has the grounds and the change"));
    }
    Ok(())
}

fn lines(proposal: &Proposal) -> String {
    let style = terminal::stdout_style();
    let proposed = &proposal.proposed;
    let effect = &proposed.effect;
    let number = |value: f64| match effect.metric.as_str() {
        "failure_rate" => percent(value),
        _ => format!("{value:.1} ms"),
    };
    let expected = format!(
        "{} {} → {} (between {} and {})",
        effect.metric.replace('_', " "),
        number(effect.before),
        number(effect.expected),
        number(effect.low),
        number(effect.high)
    );
    [
        format!("{}  {}", proposal.id, proposed.title),
        style.dim(&format!(
            "      {} v{}  ·  {}  ·  {}",
            proposed.playbook,
            proposed.base_version,
            expected,
            proposal.state.as_str()
        )),
    ]
    .join("\n")
}
