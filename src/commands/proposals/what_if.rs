//! `noetl proposals what-if`: what the history of a step lets expect of another value of one of its parameters.

use clap::{ArgGroup, Args};
use noetl_api::what_if::{Foreseen, WhatIf as Question, WhatIfParameter};

use super::show;
use crate::connect::{Need, connect};
use crate::context::Context;
use crate::exit::Exit;
use crate::{output, terminal};

#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("parameter").required(true),
    after_help = "Nothing is changed by asking. `noetl proposals look PLAYBOOK` chooses the value itself."
)]
pub(crate) struct WhatIf {
    /// Catalog path of the playbook; its newest version is meant
    #[arg(value_name = "PLAYBOOK")]
    playbook: String,
    #[arg(value_name = "STEP")]
    step: String,
    /// Elements of a loop that one call takes
    #[arg(long, value_name = "N", group = "parameter")]
    batch_size: Option<f64>,
    /// Elements of a loop that are worked on side by side
    #[arg(long, value_name = "N", group = "parameter")]
    max_in_flight: Option<f64>,
    /// Calls of a tool before it counts as failed, the first one included
    #[arg(long, value_name = "N", group = "parameter")]
    max_attempts: Option<f64>,
    /// Seconds that the step may take
    #[arg(long, value_name = "SECONDS", group = "parameter")]
    timeout: Option<f64>,
}

impl WhatIf {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let question = self.question();
        let foreseen = context.block_on(async {
            let connection = connect(context, Need::Read).await?;
            let waiting = terminal::waiting("looking at what the executions recorded");
            let foreseen = connection.client.what_if(&question).await;
            drop(waiting);
            connection.close().await?;
            anyhow::Ok(foreseen?)
        })?;
        if context.json {
            output::json(&foreseen)?;
        } else {
            print(&foreseen)?;
        }
        Ok(Exit::Success)
    }

    fn question(self) -> Question {
        let Self { playbook, step, batch_size, max_in_flight, max_attempts, timeout } = self;
        let written = [
            (WhatIfParameter::BatchSize, batch_size),
            (WhatIfParameter::MaxInFlight, max_in_flight),
            (WhatIfParameter::MaxAttempts, max_attempts),
            (WhatIfParameter::Timeout, timeout),
        ];
        let found = written.into_iter().find_map(|(parameter, value)| Some((parameter, value?)));
        // The command line asks for exactly one of them.
        let (parameter, value) = found.unwrap_or_default();
        Question { playbook, step, parameter, value }
    }
}

fn name(parameter: WhatIfParameter) -> &'static str {
    match parameter {
        WhatIfParameter::BatchSize => "batch_size",
        WhatIfParameter::MaxInFlight => "max_in_flight",
        WhatIfParameter::MaxAttempts => "max_attempts",
        WhatIfParameter::Timeout => "timeout",
    }
}

fn print(foreseen: &Foreseen) -> anyhow::Result<()> {
    let Foreseen { playbook, version, step, parameter, value, present, expected, n, law, is_beyond, why_not } =
        foreseen;
    let now = present.map_or_else(|| "not written".to_owned(), |present| present.to_string());
    output::text(&format!(
        "{} {value} instead of {now}, step {step} of {playbook} v{version}",
        name(*parameter)
    ))?;
    if let Some(why) = why_not {
        return output::text(&format!("nothing can be expected of it: {why}"));
    }
    output::text("")?;
    let mut table = output::Table::new(&["EXPECTED", "NOW", "THEN"]);
    for one in expected {
        table.row([one.now.what.clone(), show::value(&one.now), show::value(&one.then)]);
    }
    table.print()?;
    output::text("")?;
    output::text(&format!("out of {n} observations: {law}"))?;
    if *is_beyond {
        terminal::tell(
            "this value lies outside of everything that was seen; the law is continued beyond its data",
        );
    }
    Ok(())
}
