//! `noetl stats PLAYBOOK`: how long it takes, how often it fails, whether retries help, what it costs.

use clap::Args;
use noetl_api::insight::{InsightFilter, Stats as Answer, StepStats};

use super::insight::{self, bytes, milliseconds, p50_p95_p99, percent, rate};
use crate::context::Context;
use crate::exit::Exit;
use crate::{output, terminal};

#[derive(Debug, Args)]
#[command(
    after_help = "Counts begin with the full hour; without --since the last thirty days are looked at."
)]
pub(crate) struct Stats {
    /// Catalog path of the playbook
    playbook: String,
    /// Only this step
    #[arg(long, value_name = "STEP")]
    step: Option<String>,
    /// How far back: 30m, 24h, 7d, 4w, or a moment
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
}

impl Stats {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let filter = InsightFilter {
            playbook: Some(self.playbook),
            step: self.step,
            since: self.since,
            ..InsightFilter::default()
        };
        let stats = context.block_on(insight::ask(context, async |client| client.stats(&filter).await))?;
        if context.json {
            output::json(&stats)?;
        } else if stats.executions.total == 0 && stats.steps.is_empty() {
            terminal::tell(&format!(
                "{} has not run since {}; noetl catalog list playbook shows what there is",
                stats.playbook,
                insight::moment(&stats.since)
            ));
        } else {
            print(&stats)?;
        }
        Ok(Exit::Success)
    }
}

fn print(stats: &Answer) -> anyhow::Result<()> {
    let executions = &stats.executions;
    let [p50, p95, p99] = p50_p95_p99(executions.duration_ms);
    output::text(&format!(
        "{} since {}: {} executions, {} failed {}, p50 {p50}, p95 {p95}, p99 {p99}\n",
        stats.playbook,
        insight::moment(&stats.since),
        executions.total,
        executions.failed,
        rate(executions.failure_rate),
    ))?;
    table("STEP", &stats.steps, |step| step.step.clone())?;
    if stats.versions.len() > 1 {
        output::text("")?;
        table("VERSION", &stats.versions, |step| step.version.map(|v| v.to_string()).unwrap_or_default())?;
    }
    if stats.pools.len() > 1 {
        output::text("")?;
        table("POOL", &stats.pools, |step| step.pool.clone().unwrap_or_default())?;
    }
    Ok(())
}

fn table(what: &str, rows: &[StepStats], name: impl Fn(&StepStats) -> String) -> anyhow::Result<()> {
    let mut table = output::Table::new(&[
        what, "TOOL", "RUNS", "FAILED", "P50", "P95", "P99", "RETRIED", "HELPED", "RESULT", "WORK", "CPU",
    ]);
    for row in rows {
        let [p50, p95, p99] = p50_p95_p99(row.total_ms);
        let helped =
            if row.retried == 0 { String::new() } else { percent(row.rescued as f64 / row.retried as f64) };
        table.row([
            name(row),
            row.tool.clone(),
            row.runs.to_string(),
            if row.failed == 0 { "0".to_owned() } else { rate(row.failure_rate) },
            p50,
            p95,
            p99,
            row.retried.to_string(),
            helped,
            bytes(row.bytes_out.p50),
            milliseconds(row.work_seconds * 1000.0),
            if row.cpu_seconds > 0.0 { milliseconds(row.cpu_seconds * 1000.0) } else { String::new() },
        ]);
    }
    table.print()
}
