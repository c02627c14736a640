//! `noetl bottlenecks PLAYBOOK`: where its time goes, and when it meets its deadline.

use clap::Args;
use noetl_api::insight::{InsightFilter, Trend};

use super::insight::{self, bar, milliseconds, p50_p95_p99, percent};
use crate::context::Context;
use crate::exit::Exit;
use crate::{output, terminal};

#[derive(Debug, Args)]
pub(crate) struct Bottlenecks {
    /// Catalog path of the playbook
    playbook: String,
    /// Seconds an execution may take [default: the playbook's own timeout]
    #[arg(long, value_name = "SECONDS")]
    deadline: Option<f64>,
    /// How far back: 30m, 24h, 7d, 4w, or a moment [default: 30d]
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
}

impl Bottlenecks {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let filter =
            InsightFilter { playbook: Some(self.playbook), since: self.since, ..InsightFilter::default() };
        let deadline_ms = self.deadline.map(|seconds| seconds * 1000.0);
        let found = context
            .block_on(insight::ask(context, async |client| client.bottlenecks(&filter, deadline_ms).await))?;
        if context.json {
            output::json(&found)?;
            return Ok(Exit::Success);
        }
        if found.executions == 0 {
            terminal::tell(&format!(
                "{} has not completed since {}",
                found.playbook,
                insight::moment(&found.since)
            ));
            return Ok(Exit::Success);
        }
        let [p50, p95, p99] = p50_p95_p99(found.duration_ms);
        output::text(&format!(
            "{}: {} completed executions since {}, p50 {p50}, p95 {p95}, p99 {p99}, {}\n",
            found.playbook,
            found.executions,
            insight::moment(&found.since),
            told(found.trend)
        ))?;
        let mut table =
            output::Table::new(&["STEP", "TOOL", "SHARE", "", "ON PATH", "P50", "P95", "QUEUE", "TREND"]);
        for step in &found.steps {
            table.row([
                step.step.clone(),
                step.tool.clone(),
                percent(step.share),
                bar(step.share),
                percent(step.on_path),
                milliseconds(step.path_ms.p50),
                milliseconds(step.path_ms.p95),
                milliseconds(step.queue_ms),
                told(step.trend),
            ]);
        }
        table.print()?;
        if let (Some(at), Some(deadline)) = (&found.crosses_at, found.deadline_ms) {
            let at = insight::moment(at);
            output::text(&format!("\nmeets its deadline of {} on {at}", milliseconds(deadline)))?;
        }
        for note in &found.notes {
            terminal::tell(note);
        }
        Ok(Exit::Success)
    }
}

fn told(trend: Trend) -> String {
    if trend.is_clear {
        let sign = if trend.ms_per_day > 0.0 { "+" } else { "-" };
        format!("{sign}{} a day", milliseconds(trend.ms_per_day.abs()))
    } else {
        "no clear trend".to_owned()
    }
}
