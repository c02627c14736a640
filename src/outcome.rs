//! What is printed when an execution has ended: its result to stdout, the rest to stderr.

use std::time::Duration;

use noetl_api::client::Client;
use noetl_api::diagnosis::DiagnoseRequest;
use noetl_api::execution::{ExecutionStatus, StepError, Why};
use noetl_domain::Value;
use noetl_domain::event::Status;

use crate::context::Context;
use crate::exit::Exit;
use crate::terminal::{self, Style};
use crate::{live, output};

/// Warnings that are worth a line of their own.
const WARNINGS: usize = 5;

/// How long the last words wait to say why: as long as an answer may take, and mostly a hundredth of it.
const PATIENCE: Duration = Duration::from_secs(2);

/// Prints the end of an execution and says how the process must exit.
pub(crate) async fn print(
    context: &Context,
    client: &Client,
    status: &ExecutionStatus,
) -> anyhow::Result<Exit> {
    let exit = exit_of(&status.status);
    if context.json {
        output::json(status)?;
        return Ok(exit);
    }
    let why = if exit == Exit::Failed { why(client, status).await } else { None };
    terminal::tell(&closing(status, why.as_ref(), terminal::stderr_style()));
    match &status.result {
        _ if exit != Exit::Success => {}
        Value::Null => {}
        Value::String(text) => output::text(text)?,
        value => output::json(value)?,
    }
    Ok(exit)
}

/// Why it failed, if rules can say so before anybody has to wait for it.
async fn why(client: &Client, status: &ExecutionStatus) -> Option<Why> {
    if status.why.is_some() {
        return status.why.clone();
    }
    let request = DiagnoseRequest { without_model: true, ..DiagnoseRequest::default() };
    let asked = client.diagnose(status.execution_id, &request);
    let diagnosis = tokio::time::timeout(PATIENCE, asked).await.ok()?.ok()?;
    let is_child = diagnosis.root_execution_id.as_ref() != Some(&diagnosis.execution_id);
    Some(Why {
        root_step: diagnosis.root_step,
        root_playbook: diagnosis.root_playbook.filter(|_| is_child),
        cause: diagnosis.cause?,
        confidence: diagnosis.confidence,
    })
}

fn exit_of(status: &str) -> Exit {
    [Status::Completed, Status::Failed, Status::Cancelled]
        .into_iter()
        .find(|known| known.as_str() == status)
        .map_or(Exit::Failed, Exit::from)
}

/// The last words: status, time, what failed and why, and the next thing to type.
fn closing(status: &ExecutionStatus, why: Option<&Why>, style: Style) -> String {
    let id = status.execution_id;
    let mut out = format!(
        "{} {} in {} {}\n",
        status.path,
        live::painted(&status.status, style),
        live::elapsed(status.duration),
        style.dim(&format!("(execution {id})")),
    );
    if let Some(error) = &status.error {
        out.push_str(&failure(error, style));
    } else if let Some(reason) = &status.reason {
        out.push_str(&format!("  {} {reason}\n", style.dim("because:")));
    }
    for step in &status.handled_failures {
        out.push_str(&format!(
            "  {} step {step} failed, and the playbook answered it\n",
            style.warning("note:")
        ));
    }
    for warning in status.warnings.iter().take(WARNINGS) {
        let step = warning.step.as_deref().map(|step| format!("step {step}: ")).unwrap_or_default();
        out.push_str(&format!("  {}\n", style.dim(&format!("warning: {step}{}", warning.message))));
    }
    if status.warnings.len() > WARNINGS {
        let more = status.warnings.len() - WARNINGS;
        out.push_str(&format!("  {}\n", style.dim(&format!("and {more} more warnings: noetl events {id}"))));
    }
    match status.status.as_str() {
        "FAILED" => {
            if let Some(why) = why {
                let ask = style.dim(&format!("(noetl why {id})"));
                out.push_str(&format!("  {} {} {ask}\n", style.error("why:"), why.line()));
            }
            let next = style.hint("next:");
            out.push_str(&format!("  {next} noetl why {id}         why it failed, and what to do\n"));
            out.push_str(&format!("  {next} noetl logs {id}        what its tools printed\n"));
            out.push_str(&format!("  {next} noetl retry {id}       run again from the step that failed\n"));
        }
        "CANCELLED" => {
            let next = style.hint("next:");
            out.push_str(&format!("  {next} noetl retry {id}       go on from where it stopped\n"));
        }
        _ => {}
    }
    out
}

fn failure(error: &StepError, style: Style) -> String {
    let mut out = String::new();
    let step = error.step.as_deref().map(|step| format!("step {step}: ")).unwrap_or_default();
    let mut lines = error.message.lines();
    let first = lines.next().unwrap_or("no message");
    out.push_str(&format!("{} {step}{first}\n", style.error("error:")));
    for line in lines {
        out.push_str(&format!("  {line}\n"));
    }
    let kind: Vec<String> = [
        (!error.kind.is_empty()).then(|| format!("kind {}", error.kind)),
        error.code.as_ref().map(|code| format!("code {code}")),
        error.status_code.map(|code| format!("HTTP {code}")),
    ]
    .into_iter()
    .flatten()
    .collect();
    if !kind.is_empty() {
        out.push_str(&format!("  {}\n", style.dim(&kind.join(", "))));
    }
    for note in &error.notes {
        out.push_str(&format!("  {} {note}\n", style.hint("note:")));
    }
    if let Some(traceback) = error.details.get("traceback").and_then(Value::as_str) {
        for line in traceback.trim_end().lines() {
            out.push_str(&format!("  {}\n", style.dim(line)));
        }
    }
    if let Some(hint) = error.details.get("hint").and_then(Value::as_str) {
        out.push_str(&format!("  {} {hint}\n", style.hint("hint:")));
    }
    out
}
