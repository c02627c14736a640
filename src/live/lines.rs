//! One line per step that ended, for logs and pipes.

use std::collections::HashMap;

use noetl_api::execution::ExecutionStatus;

use super::words::{elapsed, mark, particulars};
use crate::terminal;

#[derive(Debug, Default)]
pub(crate) struct Lines {
    /// The run of each step that was told already.
    told: HashMap<String, u32>,
}

impl Lines {
    pub(super) fn show(&mut self, status: &ExecutionStatus) {
        let style = terminal::stderr_style();
        for step in &status.steps {
            let ended = matches!(step.status.as_str(), "COMPLETED" | "FAILED" | "SKIPPED");
            if !ended || self.told.get(&step.name) == Some(&step.run) {
                continue;
            }
            self.told.insert(step.name.clone(), step.run);
            let time = step.duration.map(elapsed).unwrap_or_default();
            let particulars = particulars(step);
            let line = format!("{} {}  {time}  {particulars}", mark(&step.status, style), step.name);
            terminal::tell(line.trim_end());
        }
    }
}
