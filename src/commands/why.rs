//! `noetl why`: why an execution failed, at a glance.

use clap::Args;
use noetl_api::client::Client;
use noetl_api::diagnosis::{Contribution, DiagnoseRequest, Diagnosis, EvidenceStatus, Verdict};
use noetl_api::execution::ExecutionFilter;
use noetl_api::search::SearchQuestion;
use noetl_domain::code::Code;
use noetl_domain::id::ExecutionId;

use crate::connect::{Need, connect};
use crate::context::Context;
use crate::exit::Exit;
use crate::problem::Problem;
use crate::terminal::Style;
use crate::{output, prose, terminal};

#[derive(Debug, Args)]
#[command(after_help = "A line such as [e:386…] in the JSON names an event: `noetl events ID` prints it.")]
pub(crate) struct Why {
    /// Id of an execution, `last`, or words that describe its failure
    #[arg(value_name = "ID or WORDS", required_unless_present = "last")]
    which: Vec<String>,
    /// The execution that failed most recently
    #[arg(long, conflicts_with = "which")]
    last: bool,
    /// Do not compare with earlier executions
    #[arg(long)]
    without_history: bool,
    /// Let rules explain, though a model is configured
    #[arg(long, alias = "without-model")]
    no_model: bool,
    /// Show the evidence, the chain of events and what else was considered
    #[arg(long, short)]
    verbose: bool,
}

impl Why {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        context.block_on(async {
            let connection = connect(context, self.need()).await?;
            if let (Need::Insight, Some(layer)) = (self.need(), connection.layer()) {
                layer.caught_up().await;
            }
            let id = self.find(&connection.client).await?;
            let request =
                DiagnoseRequest { without_history: self.without_history, without_model: self.no_model };
            let diagnosis = connection.client.diagnose(id, &request).await?;
            connection.close().await?;
            if context.json {
                output::json(&diagnosis)?;
            } else {
                output::text(&told(&diagnosis, self.verbose, terminal::stdout_style()))?;
            }
            Ok(Exit::Success)
        })
    }

    /// Words need the vector store; an id does not.
    fn need(&self) -> Need {
        if self.words().is_some() { Need::Insight } else { Need::Read }
    }

    fn words(&self) -> Option<String> {
        let is_name =
            matches!(self.which.as_slice(), [one] if is_last(one) || one.parse::<ExecutionId>().is_ok());
        (!self.last && !is_name).then(|| self.which.join(" "))
    }

    async fn find(&self, client: &Client) -> anyhow::Result<ExecutionId> {
        match (self.words(), self.which.as_slice()) {
            (Some(words), _) => searched(client, &words).await,
            (None, [one]) if !is_last(one) => Ok(one.parse()?),
            (None, _) => last(client).await,
        }
    }
}

fn is_last(word: &str) -> bool {
    matches!(word, "last" | "latest")
}

/// The newest failure that no other execution waits for; without one, the newest execution.
async fn last(client: &Client) -> anyhow::Result<ExecutionId> {
    let failed = ExecutionFilter { status: Some("FAILED".to_owned()), ..ExecutionFilter::default() };
    let failures = client.executions(&failed).await?;
    let newest =
        failures.iter().find(|execution| execution.parent_execution_id.is_none()).or(failures.first());
    if let Some(newest) = newest {
        return Ok(newest.execution_id);
    }
    crate::which::Which::Last.find(client).await
}

/// The failure that the words describe best.
async fn searched(client: &Client, words: &str) -> anyhow::Result<ExecutionId> {
    let ask = async |kind: &str| {
        let question = SearchQuestion {
            q: words.to_owned(),
            kind: Some(kind.to_owned()),
            limit: Some(5),
            ..SearchQuestion::default()
        };
        client.search(&question).await
    };
    for kind in ["failure", "execution"] {
        let answer = ask(kind).await?;
        let named = answer.hits.iter().find_map(|hit| hit.facts.execution_id.parse().ok());
        if let Some(id) = named {
            return Ok(id);
        }
    }
    let problem = Problem::new(format!("no failure is like {words:?}"))
        .code(Code::UnknownExecution)
        .hint("`noetl executions` lists them; `noetl why ID` asks about one");
    Err(problem.into())
}

fn told(diagnosis: &Diagnosis, verbose: bool, style: Style) -> String {
    let mut out = vec![heading(diagnosis, style)];
    if let Some(cause) = &diagnosis.cause {
        out.push(String::new());
        out.extend(root(diagnosis, cause, style));
    }
    out.push(String::new());
    out.extend(prose::lines(&diagnosis.explanation));
    section(&mut out, "what changed since the last good run", &changes(diagnosis, style), style);
    let next: Vec<String> = diagnosis
        .recommendations
        .iter()
        .map(|advice| {
            let code = advice.code.as_ref().map(|code| format!("  (noetl explain {code})"));
            let command = advice.command.as_ref().map(|command| format!(": {command}"));
            format!("{}{}{}", advice.text, command.unwrap_or_default(), style.dim(&code.unwrap_or_default()))
        })
        .collect();
    section(&mut out, "what to do", &next, style);
    let symptoms: Vec<String> = diagnosis
        .symptoms
        .iter()
        .map(|symptom| format!("{}  {}", symptom.step, output::one_line(&symptom.what, 160)))
        .collect();
    section(&mut out, "symptoms", &symptoms, style);
    let similar: Vec<String> = diagnosis
        .similar
        .iter()
        .map(|similar| {
            let ended = similar.ended_by.as_ref().map(|ended| format!(", ended by {ended}"));
            format!("{}{}", similar.execution_id, ended.unwrap_or_default())
        })
        .collect();
    section(&mut out, "failures like it", &similar, style);
    if verbose {
        let evidence: Vec<String> = diagnosis
            .evidence
            .iter()
            .map(|item| format!("{}  {}", style.dim(&item.reference), output::one_line(&item.excerpt, 200)))
            .collect();
        section(&mut out, "evidence", &evidence, style);
        let others: Vec<String> = diagnosis
            .alternatives
            .iter()
            .map(|other| {
                format!(
                    "{} in {} ({:.0} %)",
                    other.cause,
                    other.step.as_deref().unwrap_or("-"),
                    other.confidence * 100.0
                )
            })
            .collect();
        section(&mut out, "also considered", &others, style);
    }
    section(&mut out, "not looked at", &diagnosis.evidence_gaps, style);
    if diagnosis.written_by != "rules" && !diagnosis.written_by.is_empty() {
        let by = format!("decided by rules, written by {}", terminal::printable(&diagnosis.written_by));
        out.extend([String::new(), style.dim(&by)]);
    }
    if let Some(note) = &diagnosis.model_note {
        let note = format!("written by rules: {}", terminal::printable(note));
        out.extend([String::new(), style.dim(&note)]);
    }
    out.join("\n")
}

fn heading(diagnosis: &Diagnosis, style: Style) -> String {
    let verdict = match diagnosis.verdict {
        Verdict::Failed => style.error("FAILED"),
        Verdict::Completed => style.success("did not fail: COMPLETED"),
        Verdict::Running => style.bold("has not ended: RUNNING"),
        Verdict::Cancelled => style.warning("CANCELLED"),
    };
    format!("{}  {} v{}  {verdict}", diagnosis.execution_id, diagnosis.playbook, diagnosis.version)
}

fn root(diagnosis: &Diagnosis, cause: &str, style: Style) -> Vec<String> {
    let place = match (&diagnosis.root_step, &diagnosis.root_playbook) {
        (Some(step), Some(playbook))
            if diagnosis.root_execution_id.as_ref() != Some(&diagnosis.execution_id) =>
        {
            format!(
                "step {} of {playbook} (execution {})",
                style.bold(step),
                diagnosis.root_execution_id.as_deref().unwrap_or_default()
            )
        }
        (Some(step), _) => format!("step {}", style.bold(step)),
        (None, _) => "the execution as a whole".to_owned(),
    };
    let mut lines = vec![
        format!("  {}  {place}", style.dim("root      ")),
        format!(
            "  {}  {}  {}",
            style.dim("cause     "),
            style.error(cause),
            diagnosis.meaning.as_deref().unwrap_or_default()
        ),
    ];
    if let Some(transience) = diagnosis.transience {
        lines.push(format!("  {}  {}", style.dim("lasts     "), transience.as_str()));
    }
    let status = match diagnosis.evidence_status {
        EvidenceStatus::Confirmed => "confirmed",
        EvidenceStatus::Hypothesis => "hypothesis",
        EvidenceStatus::Insufficient => "the evidence is not sufficient",
    };
    lines.push(format!(
        "  {}  {status}, {:.0} % sure",
        style.dim("confidence"),
        diagnosis.confidence * 100.0
    ));
    lines
}

fn changes(diagnosis: &Diagnosis, style: Style) -> Vec<String> {
    let one = |change: &Contribution| {
        let values = match (&change.before, &change.after) {
            (Some(before), Some(after)) => format!(": {before} → {after}"),
            (None, Some(after)) => format!(": {after}"),
            _ => String::new(),
        };
        let mut lines = vec![output::one_line(&format!("{}{values}", change.what), 200)];
        lines.extend(change.diff.iter().flat_map(|diff| diff.lines()).skip(2).map(|line| {
            let line = terminal::printable(line);
            match line.as_bytes().first() {
                Some(b'+') => style.success(&format!("    {line}")),
                Some(b'-') => style.error(&format!("    {line}")),
                _ => style.dim(&format!("    {line}")),
            }
        }));
        lines.join("\n")
    };
    diagnosis.contributing.iter().map(one).collect()
}

fn section(out: &mut Vec<String>, title: &str, lines: &[String], style: Style) {
    if lines.is_empty() {
        return;
    }
    out.push(String::new());
    out.push(style.dim(title));
    out.extend(lines.iter().map(|line| format!("  {line}")));
}
