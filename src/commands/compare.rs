//! `noetl compare A B`: two executions side by side.

use clap::Args;
use noetl_api::insight::{Comparison, Shape, Side, StepComparison, StepSide};

use super::insight::{self, bytes, milliseconds};
use crate::context::Context;
use crate::exit::Exit;
use crate::{output, terminal};

#[derive(Debug, Args)]
pub(crate) struct Compare {
    /// Id of the first execution
    a: String,
    /// Id of the second execution
    b: String,
}

impl Compare {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let question = async |client: &noetl_api::client::Client| client.compare(&self.a, &self.b).await;
        let found = context.block_on(insight::ask(context, question))?;
        if context.json {
            output::json(&found)?;
        } else {
            print(&found)?;
        }
        Ok(Exit::Success)
    }
}

fn print(found: &Comparison) -> anyhow::Result<()> {
    let mut table = output::Table::new(&["", "A", "B"]);
    let both = |what: &str, of: &dyn Fn(&Side) -> String| [what.to_owned(), of(&found.a), of(&found.b)];
    table.row(both("execution", &|side| side.execution_id.clone()));
    table.row(both("playbook", &|side| format!("{} v{}", side.playbook, side.version)));
    table.row(both("status", &|side| side.status.clone()));
    table.row(both("started", &|side| insight::moment(&side.started_at)));
    table.row(both("took", &|side| milliseconds(side.duration_ms)));
    table.row(both("input", &|side| bytes(side.bytes_in as f64)));
    table.row(both("result", &|side| bytes(side.bytes_out as f64)));
    table.row(both("cause", &|side| side.cause.clone()));
    table.print()?;
    let input = match (found.same_input, found.same_input_shape) {
        (true, _) => "the inputs are the same",
        (false, true) => "the inputs differ in their values, not in their shape",
        (false, false) => "the inputs differ in their shape",
    };
    output::text(&format!("\n{input}\n"))?;
    let mut table = output::Table::new(&["STEP", "A", "B", "DIFFERS"]);
    for step in &found.steps {
        table.row([step.step.clone(), side(step.a.as_ref()), side(step.b.as_ref()), differs(step)]);
    }
    table.print()?;
    shapes("new failures in B", &found.new_failures)?;
    shapes("failures only in A", &found.vanished_failures)?;
    shapes("new lines in B", &found.new_lines)?;
    shapes("lines only in A", &found.vanished_lines)?;
    if let Some(diff) = &found.definition_diff {
        output::text(&format!("\n{diff}"))?;
    }
    Ok(())
}

fn side(of: Option<&StepSide>) -> String {
    let Some(of) = of else { return "-".to_owned() };
    let tries = if of.attempts > 1 { format!(", {} tries", of.attempts) } else { String::new() };
    let rows = if of.rows_out > 0 { format!(", {} rows", of.rows_out) } else { String::new() };
    let status = if of.status == "COMPLETED" { "" } else { of.status.as_str() };
    format!("{status} {}, {}{rows}{tries}", milliseconds(of.total_ms), bytes(of.bytes_out as f64))
        .trim()
        .to_owned()
}

fn differs(step: &StepComparison) -> String {
    let text = step.differs.join(", ").replace('_', " in ");
    if text.is_empty() { text } else { terminal::stdout_style().error(&text) }
}

fn shapes(title: &str, shapes: &[Shape]) -> anyhow::Result<()> {
    if shapes.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> =
        shapes.iter().map(|shape| format!("  {}×  {}", shape.count, shape.template)).collect();
    output::text(&format!("\n{title}\n{}", lines.join("\n")))
}
