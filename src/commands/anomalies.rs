//! `noetl anomalies`: steps that are not as they used to be.

use clap::Args;
use noetl_api::insight::{Anomaly, InsightFilter};

use super::insight::{self, Window, bytes, milliseconds, percent};
use crate::context::Context;
use crate::exit::Exit;
use crate::{output, terminal};

#[derive(Debug, Args)]
#[command(
    after_help = "The time since --since (one day) is compared with the fourteen days or more before it.\n\
                  A step is shown when chance alone would hardly do it and the difference matters."
)]
pub(crate) struct Anomalies {
    /// Only steps of this playbook
    #[arg(long, value_name = "PATH")]
    playbook: Option<String>,
    /// Only steps of this name
    #[arg(long, value_name = "STEP")]
    step: Option<String>,
    #[command(flatten)]
    window: Window,
}

impl Anomalies {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let filter = InsightFilter { playbook: self.playbook, step: self.step, ..self.window.filter() };
        let found =
            context.block_on(insight::ask(context, async |client| client.anomalies(&filter).await))?;
        if context.json {
            output::json(&found)?;
            return Ok(Exit::Success);
        }
        let compared = format!(
            "since {}, compared with the time from {}; {} measures had runs enough",
            insight::moment(&found.since),
            insight::moment(&found.baseline_since),
            found.judged
        );
        if found.anomalies.is_empty() {
            terminal::tell(&format!("nothing unusual {compared}"));
            return Ok(Exit::Success);
        }
        let mut table = output::Table::new(&[
            "PLAYBOOK", "STEP", "WHAT", "NOW", "BEFORE", "USUALLY", "RUNS", "CHANCE", "SUCH AS",
        ]);
        for anomaly in &found.anomalies {
            table.row(cells(anomaly));
        }
        table.print()?;
        terminal::tell(&compared);
        Ok(Exit::Success)
    }
}

fn cells(anomaly: &Anomaly) -> [String; 9] {
    let style = terminal::stdout_style();
    let number = |value: f64| match anomaly.measure.as_str() {
        "duration" => milliseconds(value),
        "payload_size" => bytes(value),
        _ => percent(value),
    };
    let what = format!("{} {}", anomaly.measure.replace('_', " "), anomaly.direction);
    [
        anomaly.playbook.clone(),
        anomaly.step.clone(),
        if anomaly.direction == "up" { style.error(&what) } else { what },
        number(anomaly.value),
        number(anomaly.baseline),
        format!("{} to {}", number(anomaly.baseline_low), number(anomaly.baseline_high)),
        format!("{} / {}", anomaly.runs, anomaly.baseline_runs),
        if anomaly.q_value < 0.000_1 { "< 0.0001".to_owned() } else { format!("{:.4}", anomaly.q_value) },
        anomaly.executions.first().cloned().unwrap_or_default(),
    ]
}
