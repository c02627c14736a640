//! `noetl clusters`: failures that say the same thing.

use clap::Args;
use noetl_api::insight::{Cluster, InsightFilter};

use super::insight::{self, Window};
use crate::context::Context;
use crate::exit::Exit;
use crate::{output, terminal};

#[derive(Debug, Args)]
#[command(after_help = "Counts begin with the full hour; without --since the last seven days are looked at.")]
pub(crate) struct Clusters {
    /// Only failures of this playbook
    #[arg(long, value_name = "PATH")]
    playbook: Option<String>,
    #[command(flatten)]
    window: Window,
}

impl Clusters {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let filter = InsightFilter { playbook: self.playbook, ..self.window.filter() };
        let found = context.block_on(insight::ask(context, async |client| client.clusters(&filter).await))?;
        if context.json {
            output::json(&found)?;
        } else if found.is_empty() {
            terminal::tell("no failures in this time");
        } else {
            output::text(&found.iter().map(told).collect::<Vec<_>>().join("\n\n"))?;
        }
        Ok(Exit::Success)
    }
}

fn told(cluster: &Cluster) -> String {
    let style = terminal::stdout_style();
    let trend = match cluster.trend.as_str() {
        "new" => style.error("new"),
        "rising" => style.error("rising"),
        "falling" => style.success("falling"),
        other => other.to_owned(),
    };
    let before = if cluster.before > 0 { format!(", {} before", cluster.before) } else { String::new() };
    let handled = if cluster.handled > 0 { format!(", {} handled", cluster.handled) } else { String::new() };
    let line = |label: &str, text: &str| format!("  {} {text}", style.dim(label));
    [
        format!("{}×  {}", cluster.count, cluster.template),
        line("cause", &format!("{}  {}", cluster.cause, style.dim(&cluster.fingerprint))),
        line("trend", &format!("{trend}{before}{handled}  {}", insight::sparkline(&cluster.history))),
        line(
            "seen ",
            &format!("{} to {}", insight::moment(&cluster.first_seen), insight::moment(&cluster.last_seen)),
        ),
        line("where", &format!("{}: {}", insight::few(&cluster.playbooks), insight::few(&cluster.steps))),
        line(
            "such ",
            &format!("{}  (noetl status {})", cluster.example.message, cluster.example.execution_id),
        ),
    ]
    .join("\n")
}
