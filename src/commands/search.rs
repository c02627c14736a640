//! `noetl search`: what is known, found by meaning and by words.

use clap::Args;
use noetl_api::search::{Hit, SearchAnswer, SearchQuestion};

use super::insight;
use crate::context::Context;
use crate::exit::Exit;
use crate::{output, terminal};

#[derive(Debug, Args)]
#[command(
    after_help = "Conditions compare fields of the results: --where cause=dependency.unavailable --where 'count>=3'.\n\
                  Fields: playbook, version, step, tool, status, cause, fingerprint, execution_id, count, attempts,\n\
                  duration_ms, source and more; a wrong one names them all."
)]
pub(crate) struct Search {
    /// What is looked for, in your own words, or an exact name, code or id
    #[arg(required = true, value_name = "WORDS")]
    words: Vec<String>,
    /// failure, execution, playbook or knowledge [default: all of them]
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// Only what concerns this playbook
    #[arg(long, value_name = "PATH")]
    playbook: Option<String>,
    /// Only results that fulfil this
    #[arg(long = "where", value_name = "CONDITION")]
    conditions: Vec<String>,
    #[command(flatten)]
    window: insight::Window,
}

impl Search {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let question = SearchQuestion {
            q: self.words.join(" "),
            kind: self.kind,
            since: self.window.since,
            playbook: self.playbook,
            filter: Some(self.conditions.join(",")).filter(|conditions| !conditions.is_empty()),
            limit: self.window.limit,
        };
        let answer = context
            .block_on(insight::ask_everything(context, async |client| client.search(&question).await))?;
        if context.json {
            output::json(&answer)?;
            return Ok(Exit::Success);
        }
        if let Some(note) = &answer.note {
            terminal::tell(&format!("note: {note}"));
        }
        print(&answer)?;
        Ok(Exit::Success)
    }
}

fn print(answer: &SearchAnswer) -> anyhow::Result<()> {
    if answer.hits.is_empty() {
        terminal::tell("nothing like it is known");
        return Ok(());
    }
    output::text(&answer.hits.iter().map(told).collect::<Vec<_>>().join("\n\n"))
}

fn told(hit: &Hit) -> String {
    let style = terminal::stdout_style();
    let facts = &hit.facts;
    let mut lines = vec![format!("{:.2}  {}  {}", hit.score, style.dim(&hit.kind), heading(hit))];
    let text = output::one_line(&facts.text, 300);
    if !text.is_empty() && hit.kind != "failure" && hit.kind != "execution" {
        lines.push(format!("      {text}"));
    }
    let mut about = Vec::new();
    if !facts.step.is_empty() {
        about.push(format!("{}: {}", facts.playbook, facts.step));
    } else if !facts.playbook.is_empty() && hit.kind != "playbook" {
        about.push(facts.playbook.clone());
    }
    if !facts.cause.is_empty() {
        about.push(facts.cause.clone());
    }
    if facts.count > 1 {
        about.push(format!("{}×", facts.count));
    }
    if !facts.at.is_empty() && hit.kind != "knowledge" {
        about.push(format!("last {}", insight::moment(&facts.at)));
    }
    if !facts.execution_id.is_empty() {
        about.push(format!("noetl status {}", facts.execution_id));
    }
    if hit.kind == "knowledge" && !facts.source.is_empty() {
        about.push(facts.source.clone());
    }
    if !about.is_empty() {
        lines.push(format!("      {}", style.dim(&about.join("  ·  "))));
    }
    lines.join("\n")
}

/// What a result is about, in one line.
fn heading(hit: &Hit) -> String {
    let facts = &hit.facts;
    match hit.kind.as_str() {
        "playbook" => facts.playbook.clone(),
        "knowledge" => facts.title.clone(),
        _ => output::one_line(&facts.text, 200),
    }
}
