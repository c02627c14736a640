//! `noetl schedule add|list|remove|pause|resume`.

use clap::{Args, Subcommand};
use noetl_api::schedule::{ScheduleBody, ScheduleRequest};

use crate::connect::{Need, connect};
use crate::context::Context;
use crate::exit::Exit;
use crate::payload::Payload;
use crate::{output, terminal};

#[derive(Debug, Subcommand)]
pub(crate) enum Schedule {
    /// Run a registered playbook at times or intervals, as long as a server is up
    Add(Add),
    /// List schedules with their next time
    List,
    /// Remove a schedule
    Remove { id: String },
    /// Stop a schedule from firing
    Pause { id: String },
    /// Let a schedule fire again
    Resume { id: String },
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("when").required(true))]
pub(crate) struct Add {
    /// Catalog path of the playbook
    path: String,
    /// Such as "0 6 * * MON-FRI"
    #[arg(long, group = "when", value_name = "EXPRESSION")]
    cron: Option<String>,
    /// Such as 30s, 5m, 2h, or seconds
    #[arg(long, group = "when", value_name = "INTERVAL", value_parser = seconds)]
    every: Option<f64>,
    /// Such as Europe/Berlin
    #[arg(long, value_name = "ZONE")]
    timezone: Option<String>,
    /// What to do about times missed while no server was up: skip, latest, all
    #[arg(long, value_name = "POLICY", value_parser = ["skip", "latest", "all"])]
    catch_up: Option<String>,
    /// This version instead of the newest
    #[arg(long, short = 'V', value_name = "N")]
    version: Option<u32>,
    #[command(flatten)]
    payload: Payload,
}

impl Schedule {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        context.block_on(async {
            let need = if matches!(self, Self::List) { Need::Read } else { Need::Write };
            let connection = connect(context, need).await?;
            let client = &connection.client;
            match self {
                Self::Add(add) => {
                    let request = ScheduleRequest {
                        path: add.path,
                        version: add.version,
                        cron: add.cron,
                        interval_seconds: add.every,
                        timezone: add.timezone,
                        payload: add.payload.read()?,
                        catch_up: add.catch_up,
                        enabled: Some(true),
                    };
                    tell(context, "added", &client.add_schedule(&request).await?)?;
                }
                Self::List => list(context, &client.schedules().await?.items)?,
                Self::Remove { id } => {
                    let done = client.remove_schedule(&id).await?;
                    if context.json { output::json(&done)? } else { output::text(&done.message)? }
                }
                Self::Pause { id } => tell(context, "paused", &client.pause_schedule(&id).await?)?,
                Self::Resume { id } => tell(context, "resumed", &client.resume_schedule(&id).await?)?,
            }
            connection.close().await?;
            Ok(Exit::Success)
        })
    }
}

fn tell(context: &Context, what: &str, schedule: &ScheduleBody) -> anyhow::Result<()> {
    if context.json {
        return output::json(schedule);
    }
    let next = schedule.next_at.as_deref().map(output::moment);
    let next = next.map(|next| format!(", next at {next}")).unwrap_or_default();
    output::text(&format!("{what} schedule {} of {}: {}{next}", schedule.id, schedule.path, when(schedule)))
}

fn list(context: &Context, schedules: &[ScheduleBody]) -> anyhow::Result<()> {
    if context.json {
        return output::json(&schedules);
    }
    if schedules.is_empty() {
        terminal::tell("no schedules; add one: noetl schedule add PATH --every 5m");
        return Ok(());
    }
    let mut table = output::Table::new(&["ID", "PLAYBOOK", "WHEN", "STATE", "NEXT", "LAST EXECUTION"]);
    for schedule in schedules {
        table.row([
            schedule.id.clone(),
            schedule.path.clone(),
            when(schedule),
            if schedule.enabled { "active".to_owned() } else { "paused".to_owned() },
            schedule.next_at.as_deref().map(output::moment).unwrap_or_default(),
            schedule.last_execution_id.clone().unwrap_or_default(),
        ]);
    }
    table.print()
}

fn when(schedule: &ScheduleBody) -> String {
    match (&schedule.cron, schedule.interval_seconds) {
        (Some(cron), _) => format!("{cron} {}", schedule.timezone.as_deref().unwrap_or("UTC")),
        (None, Some(seconds)) => format!("every {seconds} s"),
        (None, None) => String::new(),
    }
}

/// `90`, `90s`, `5m`, `2h`, `1d`.
fn seconds(text: &str) -> Result<f64, String> {
    let text = text.trim();
    let (number, factor) = match text.char_indices().next_back() {
        Some((at, 's')) => (&text[..at], 1.0),
        Some((at, 'm')) => (&text[..at], 60.0),
        Some((at, 'h')) => (&text[..at], 3_600.0),
        Some((at, 'd')) => (&text[..at], 86_400.0),
        _ => (text, 1.0),
    };
    match number.trim().parse::<f64>() {
        Ok(number) if number > 0.0 && number.is_finite() => Ok(number * factor),
        _ => Err("write an interval as 30s, 5m or 2h".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_have_units() {
        for (text, expected) in
            [("90", 90.0), ("1.5s", 1.5), ("5m", 300.0), ("2h", 7_200.0), ("1d", 86_400.0)]
        {
            assert_eq!(seconds(text), Ok(expected));
        }
        for text in ["", "0", "-1s", "soon", "5 parsecs", "é"] {
            assert!(seconds(text).is_err(), "{text:?}");
        }
    }
}
