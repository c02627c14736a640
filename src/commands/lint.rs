//! `noetl lint FILE…`: everything that is wrong with playbooks, at once.

use std::path::PathBuf;

use clap::Args;
use noetl_domain::finding::Severity;
use serde_json::json;

use crate::context::Context;
use crate::exit::Exit;
use crate::playbook_file::{self, Judged};
use crate::{output, terminal};

#[derive(Debug, Args)]
pub(crate) struct Lint {
    /// Files, or directories whose .yaml files are all meant
    #[arg(value_name = "FILE|DIR", required = true)]
    paths: Vec<PathBuf>,
    /// Warnings refuse a playbook too
    #[arg(long)]
    strict: bool,
}

impl Lint {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let mut judged = Vec::new();
        for path in &self.paths {
            for file in playbook_file::below(path)? {
                judged.push(playbook_file::judge(&file)?);
            }
        }
        let errors: usize = judged.iter().map(|judged| judged.count(Severity::Error)).sum();
        let warnings: usize = judged.iter().map(|judged| judged.count(Severity::Warning)).sum();
        if context.json {
            output::json(&judged.iter().map(as_json).collect::<Vec<_>>())?;
        } else {
            for judged in judged.iter().filter(|judged| !judged.findings.is_empty()) {
                output::text(&playbook_file::render(judged, terminal::stdout_style()))?;
            }
            terminal::tell(&summary(judged.len(), errors, warnings));
        }
        let refused = judged.iter().any(Judged::is_refused) || (self.strict && warnings > 0);
        Ok(if refused { Exit::Usage } else { Exit::Success })
    }
}

fn summary(files: usize, errors: usize, warnings: usize) -> String {
    let style = terminal::stderr_style();
    let files = plural(files, "playbook");
    match (errors, warnings) {
        (0, 0) => style.success(&format!("{files}, nothing to say")),
        (0, _) => style.warning(&format!("{files}, {}", plural(warnings, "warning"))),
        (_, 0) => style.error(&format!("{files}, {}", plural(errors, "error"))),
        _ => style.error(&format!("{files}, {}, {}", plural(errors, "error"), plural(warnings, "warning"))),
    }
}

fn plural(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

fn as_json(judged: &Judged) -> serde_json::Value {
    json!({
        "file": judged.path,
        "valid": !judged.is_refused(),
        "path": judged.playbook.as_ref().map(|playbook| &playbook.path),
        "findings": judged.findings,
    })
}
