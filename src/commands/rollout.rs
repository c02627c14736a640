//! `noetl rollout status|pause|resume|promote|rollback`: a new version beside the one it may replace.

use clap::{Args, Subcommand};
use noetl_api::client::Client;
use noetl_api::proposal::Decide;
use noetl_api::rollout::{Arm, Rollout as Body, RolloutFilter, RolloutState};
use noetl_domain::code::Code;

use super::proposals::who;
use crate::connect::{Need, connect};
use crate::context::Context;
use crate::exit::Exit;
use crate::problem::Problem;
use crate::{output, terminal};

#[derive(Debug, Subcommand)]
pub(crate) enum Rollout {
    /// Show what is being tried, and what the arms say
    Status(Status),
    /// Give everybody the stable version for now
    Pause(Steer),
    /// Go on with one that was paused
    Resume(Steer),
    /// Give everybody the new version
    Promote(Steer),
    /// Take the new version back
    Rollback(Steer),
}

#[derive(Debug, Args)]
pub(crate) struct Status {
    /// Id of a rollout, or the path of its playbook
    #[arg(value_name = "ID or PLAYBOOK")]
    which: Option<String>,
    /// Those that ended as well
    #[arg(long)]
    all: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Steer {
    /// Id of the rollout, or the path of its playbook
    #[arg(value_name = "ID or PLAYBOOK")]
    which: String,
    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

impl Rollout {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        context.block_on(async {
            let need = if matches!(self, Self::Status(_)) { Need::Read } else { Need::Write };
            let connection = connect(context, need).await?;
            let client = &connection.client;
            match self {
                Self::Status(status) => show(context, client, status).await?,
                Self::Pause(steer) => steer.run(context, client, "pause", "paused").await?,
                Self::Resume(steer) => steer.run(context, client, "resume", "resumed").await?,
                Self::Promote(steer) => steer.run(context, client, "promote", "promoted").await?,
                Self::Rollback(steer) => steer.run(context, client, "rollback", "rolled back").await?,
            }
            connection.close().await?;
            Ok(Exit::Success)
        })
    }
}

impl Steer {
    async fn run(self, context: &Context, client: &Client, what: &str, done: &str) -> anyhow::Result<()> {
        let id = find(client, &self.which).await?;
        let decide = Decide { actor: Some(who(context)), note: self.note, share_percent: None };
        let rollout = client.steer_rollout(&id, what, &decide).await?;
        if context.json {
            return output::json(&rollout);
        }
        let version = match rollout.state {
            RolloutState::Promoted => format!("everybody gets version {}", rollout.canary_version),
            RolloutState::Running => {
                format!("{} % get version {}", rollout.share_percent, rollout.canary_version)
            }
            _ => format!("everybody gets version {}", rollout.stable_version),
        };
        output::text(&format!("{done} rollout {} of {}: {version}", rollout.id, rollout.playbook))
    }
}

async fn show(context: &Context, client: &Client, status: Status) -> anyhow::Result<()> {
    let one = match &status.which {
        Some(which) if is_id(which) => Some(client.rollout(which).await?),
        _ => None,
    };
    let found = if let Some(one) = one {
        vec![one]
    } else {
        let filter = RolloutFilter { playbook: status.which.clone(), all: status.all };
        client.rollouts(&filter).await?.items
    };
    if context.json {
        return output::json(&found);
    }
    if found.is_empty() {
        terminal::tell("nothing is being tried; noetl rollout status --all shows what was");
        return Ok(());
    }
    for rollout in &found {
        print(rollout)?;
    }
    if let [Body { state: RolloutState::Running, id, .. }] = found.as_slice() {
        terminal::tell(&format!("it goes on by itself; noetl rollout pause {id} stops it for now"));
    }
    Ok(())
}

fn print(rollout: &Body) -> anyhow::Result<()> {
    let style = terminal::stdout_style();
    let state = rollout.state.as_str().replace('_', " ");
    output::text(&format!(
        "{} rollout {} of {}, since {}",
        match rollout.state {
            RolloutState::Running => style.hint(&state),
            RolloutState::Promoted => style.success(&state),
            _ => style.warning(&state),
        },
        rollout.id,
        rollout.playbook,
        output::moment(&rollout.started_at)
    ))?;
    let mut table =
        output::Table::new(&["ARM", "VERSION", "SHARE", "FINISHED", "FAILED", "RATE", "RUNNING", "MEDIAN"]);
    let share = rollout.share_percent;
    for (name, arm, share) in [("control", &rollout.control, 100 - share), ("canary", &rollout.canary, share)]
    {
        table.row([
            name.to_owned(),
            arm.version.to_string(),
            format!("{share} %"),
            arm.finished.to_string(),
            arm.failed.to_string(),
            rate(arm),
            arm.running.to_string(),
            arm.duration_ms.map(|ms| super::proposals::number("duration_ms", ms)).unwrap_or_default(),
        ]);
    }
    table.print()?;
    let judgement = &rollout.judgement;
    if !judgement.verdict.is_empty() {
        output::text(&format!("{}: {}\n", judgement.verdict.replace('_', " "), judgement.why))?;
    }
    Ok(())
}

fn rate(arm: &Arm) -> String {
    if arm.finished == 0 {
        return String::new();
    }
    format!("{:.1} %", arm.failed as f64 / arm.finished as f64 * 100.0)
}

fn is_id(which: &str) -> bool {
    !which.is_empty() && which.bytes().all(|byte| byte.is_ascii_digit())
}

/// The rollout that is meant: by its id, or the open one of a playbook.
async fn find(client: &Client, which: &str) -> anyhow::Result<String> {
    if is_id(which) {
        return Ok(which.to_owned());
    }
    let filter = RolloutFilter { playbook: Some(which.to_owned()), all: false };
    let open = client.rollouts(&filter).await?.items.into_iter().next();
    open.map(|rollout| rollout.id).ok_or_else(|| {
        Problem::new(format!("no rollout of {which} is going on"))
            .code(Code::UnknownRollout)
            .hint("noetl rollout status --all")
            .into()
    })
}
