//! A line that moves for every step at work; steps that ended scroll away above.

use std::collections::HashMap;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use noetl_api::execution::{ExecutionStatus, StepState};

use super::words::{elapsed, mark, particulars};
use crate::terminal;

/// More lines than this scroll the terminal; what does not fit is counted.
const MOST: usize = 12;

pub(crate) struct Bars {
    all: MultiProgress,
    running: HashMap<String, ProgressBar>,
    told: HashMap<String, u32>,
    more: Option<ProgressBar>,
}

impl std::fmt::Debug for Bars {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bars").field("running", &self.running.len()).finish_non_exhaustive()
    }
}

impl Bars {
    pub(super) fn new() -> Self {
        Self { all: MultiProgress::new(), running: HashMap::new(), told: HashMap::new(), more: None }
    }

    pub(super) fn say(&self, text: &str) {
        // A terminal that went away has nobody to read it.
        let _ = self.all.println(text);
    }

    pub(super) fn show(&mut self, status: &ExecutionStatus) {
        let mut hidden = 0;
        for step in &status.steps {
            match step.status.as_str() {
                "RUNNING" => hidden += usize::from(!self.at_work(step)),
                "COMPLETED" | "FAILED" | "SKIPPED" => self.ended(step),
                _ => {}
            }
        }
        match (&self.more, hidden) {
            (None, 0) => {}
            (Some(bar), 0) => {
                bar.finish_and_clear();
                self.more = None;
            }
            (_, hidden) => {
                let all = &self.all;
                let bar = self.more.get_or_insert_with(|| all.add(spinner("{msg}")));
                bar.set_message(format!("  and {hidden} more steps"));
            }
        }
    }

    /// False: there is no room for another line.
    fn at_work(&mut self, step: &StepState) -> bool {
        if !self.running.contains_key(&step.name) {
            if self.running.len() >= MOST {
                return false;
            }
            let bar = self.all.add(spinner("{spinner} {prefix:.bold}  {wide_msg}"));
            bar.set_prefix(step.name.clone());
            bar.enable_steady_tick(Duration::from_millis(100));
            self.running.insert(step.name.clone(), bar);
        }
        if let Some(bar) = self.running.get(&step.name) {
            let time = step.duration.map(elapsed).unwrap_or_default();
            bar.set_message(format!("{time}  {}", particulars(step)));
        }
        true
    }

    fn ended(&mut self, step: &StepState) {
        if self.told.get(&step.name) == Some(&step.run) {
            return;
        }
        self.told.insert(step.name.clone(), step.run);
        if let Some(bar) = self.running.remove(&step.name) {
            bar.finish_and_clear();
            self.all.remove(&bar);
        }
        let style = terminal::stderr_style();
        let time = step.duration.map(elapsed).unwrap_or_default();
        let particulars = particulars(step);
        let line =
            format!("{} {}  {}  {particulars}", mark(&step.status, style), step.name, style.dim(&time));
        self.say(line.trim_end());
    }

    pub(super) fn clear(&mut self) {
        for (_, bar) in self.running.drain() {
            bar.finish_and_clear();
        }
        if let Some(bar) = self.more.take() {
            bar.finish_and_clear();
        }
    }
}

fn spinner(template: &str) -> ProgressBar {
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner());
    ProgressBar::new_spinner().with_style(style.tick_chars("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ "))
}
