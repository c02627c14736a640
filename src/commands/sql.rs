//! `noetl sql "SELECT …"`: a question in SQL over the analytic tables; it may read.

use std::io::Read as _;

use anyhow::Context as _;
use clap::Args;
use noetl_api::insight::{SqlAnswer, SqlQuestion};
use noetl_domain::Value;

use super::insight;
use crate::context::Context;
use crate::exit::Exit;
use crate::{output, terminal};

#[derive(Debug, Args)]
#[command(after_help = "The tables are in docs/semantic-layer.md; for example:\n  \
                        noetl sql \"SELECT playbook, count() FROM noetl_executions GROUP BY playbook\"")]
pub(crate) struct Sql {
    /// The query; `-` reads it from standard input
    query: String,
    /// Rows at most
    #[arg(long, value_name = "N")]
    max_rows: Option<u64>,
    /// Seconds at most
    #[arg(long, value_name = "SECONDS")]
    max_seconds: Option<u64>,
    /// Print comma-separated values
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

impl Sql {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let query = if self.query == "-" {
            let mut text = String::new();
            std::io::stdin()
                .read_to_string(&mut text)
                .context("cannot read the query from standard input")?;
            text
        } else {
            self.query
        };
        let question = SqlQuestion { query, max_rows: self.max_rows, max_seconds: self.max_seconds };
        let answer =
            context.block_on(insight::ask(context, async |client| client.ask_sql(&question).await))?;
        if context.json {
            output::json(&answer)?;
        } else if self.csv {
            output::text(&csv(&answer))?;
        } else {
            print(&answer)?;
        }
        if answer.is_cut {
            terminal::tell(&format!(
                "only the first {} rows; --max-rows raises the limit",
                answer.rows.len()
            ));
        }
        Ok(Exit::Success)
    }
}

fn print(answer: &SqlAnswer) -> anyhow::Result<()> {
    let names: Vec<&str> = answer.columns.iter().map(|column| column.name.as_str()).collect();
    let mut table = output::Table::new(&names);
    for row in &answer.rows {
        table.row(row.iter().map(shown));
    }
    table.print()
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.replace('\n', "⏎"),
        other => other.to_string(),
    }
}

fn csv(answer: &SqlAnswer) -> String {
    let quoted = |text: String| {
        if text.contains([',', '"', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
    };
    let cell = |value: &Value| match value {
        Value::Null => String::new(),
        Value::String(text) => quoted(text.clone()),
        other => quoted(other.to_string()),
    };
    let header =
        answer.columns.iter().map(|column| quoted(column.name.clone())).collect::<Vec<_>>().join(",");
    let rows = answer.rows.iter().map(|row| row.iter().map(cell).collect::<Vec<_>>().join(","));
    std::iter::once(header).chain(rows).collect::<Vec<_>>().join("\n")
}
