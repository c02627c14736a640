//! `noetl similar`: what is like an execution or a failure, and what ended it.

use clap::Args;
use noetl_api::search::{Ended, SimilarExecution, SimilarFailure};

use super::insight::{self, milliseconds, moment};
use crate::context::Context;
use crate::exit::Exit;
use crate::{output, terminal};

#[derive(Debug, Args)]
pub(crate) struct Similar {
    /// Id of an execution, or of an event that tells of a failure
    #[arg(value_name = "ID")]
    id: String,
    /// How many of each at most
    #[arg(long, short = 'n', value_name = "N")]
    limit: Option<u64>,
}

impl Similar {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let asked = async |client: &noetl_api::client::Client| client.similar(&self.id, self.limit).await;
        let found = context.block_on(insight::ask_everything(context, asked))?;
        if context.json {
            output::json(&found)?;
            return Ok(Exit::Success);
        }
        if let Some(note) = &found.note {
            terminal::tell(&format!("note: {note}"));
        }
        let style = terminal::stdout_style();
        let of = &found.of.execution;
        let about = [of.playbook.clone(), of.status.clone(), output::one_line(&of.text, 200)];
        output::text(&format!("{}  {}", style.dim("like"), about.join("  ")))?;
        if !found.failures.is_empty() {
            output::text(&format!("\n{}", style.dim("FAILURES")))?;
            output::text(&found.failures.iter().map(failure).collect::<Vec<_>>().join("\n\n"))?;
        }
        if !found.executions.is_empty() {
            output::text(&format!("\n{}", style.dim("EXECUTIONS")))?;
            let mut table =
                output::Table::new(&["LIKE", "EXECUTION", "STATUS", "TIME", "ENDED", "HOW", "SINCE"]);
            for one in &found.executions {
                table.row(execution(one));
            }
            table.print()?;
        }
        if found.failures.is_empty() && found.executions.is_empty() {
            terminal::tell("nothing like it is known");
        }
        Ok(Exit::Success)
    }
}

fn failure(one: &SimilarFailure) -> String {
    let style = terminal::stdout_style();
    let facts = &one.facts;
    let same = if one.is_same { "  the same" } else { "" };
    [
        format!("{:.2}{same}  {}", one.score, output::one_line(&facts.text, 200)),
        format!(
            "      {}",
            style.dim(&format!(
                "{}: {}  ·  {}  ·  {}×  ·  {} to {}  ·  noetl status {}",
                facts.playbook,
                facts.step,
                facts.cause,
                facts.count,
                moment(&facts.first_at),
                moment(&facts.at),
                facts.execution_id,
            ))
        ),
        format!("      {}", ended(&one.ended)),
    ]
    .join("\n")
}

fn execution(one: &SimilarExecution) -> [String; 7] {
    let facts = &one.facts;
    [
        format!("{:.2}", one.score),
        facts.execution_id.clone(),
        facts.status.clone(),
        milliseconds(facts.duration_ms as f64),
        moment(&facts.at),
        output::one_line(&facts.text, 60),
        one.ended.as_ref().map(ended).unwrap_or_default(),
    ]
}

/// What ended a failure, in one line.
fn ended(ended: &Ended) -> String {
    let style = terminal::stdout_style();
    let how = match ended.by.as_deref() {
        Some("version") => match (ended.from_version, ended.to_version) {
            (Some(from), Some(to)) => format!("after version {from} became {to}"),
            _ => "after a new version".to_owned(),
        },
        Some("retry") => "after a retry".to_owned(),
        _ => "by itself".to_owned(),
    };
    let after = ended.after_ms.map(|ms| format!(", {} later", milliseconds(ms as f64))).unwrap_or_default();
    let runs = match ended.good_runs {
        1 => "1 good run since".to_owned(),
        runs => format!("{runs} good runs since"),
    };
    match ended.state.as_str() {
        "happening" => style.error("still happening"),
        "quiet" => format!("quiet: went well {how}{after}, {runs}, which chance could explain"),
        "gone" => style.success(&format!("gone {how}{after}, {runs}")),
        _ => style.dim(&format!("unknown: {}", ended.reason.as_deref().unwrap_or("nothing is recorded"))),
    }
}
