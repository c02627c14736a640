//! `noetl convert FILE`: any generation of the language in, the canonical form out.

use std::path::PathBuf;

use clap::Args;

use crate::context::Context;
use crate::exit::Exit;
use crate::{output, playbook_file};

#[derive(Debug, Args)]
pub(crate) struct Convert {
    file: PathBuf,
}

impl Convert {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let files = playbook_file::read_all(std::slice::from_ref(&self.file))?;
        for file in &files {
            if context.json {
                output::json(&file.playbook)?;
            } else {
                output::text(&playbook_file::canonical(file))?;
            }
        }
        Ok(Exit::Success)
    }
}
