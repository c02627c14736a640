//! `noetl list TYPE`, as an older CLI spells it.

use clap::Args;

use super::executions::Executions;
use super::{catalog, credential, schedule};
use crate::context::Context;
use crate::exit::Exit;
use crate::problem::Problem;

#[derive(Debug, Args)]
pub(crate) struct List {
    /// playbook, credential, execution or schedule
    #[arg(value_name = "TYPE")]
    pub(super) kind: String,
}

impl List {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        match self.kind.to_ascii_lowercase().trim_end_matches('s') {
            "playbook" => catalog::playbooks(context, false),
            "credential" => credential::list(context, None),
            "execution" => Executions::all().run(context),
            "schedule" => schedule::Schedule::List.run(context),
            _ => Err(Problem::usage(format!("there is no list of {:?}", self.kind))
                .hint("there is one of: playbook, credential, execution, schedule")
                .into()),
        }
    }
}
