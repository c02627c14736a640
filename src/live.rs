//! What a person sees while an execution runs: bars on a terminal, plain lines elsewhere. All of it goes to stderr.

mod bars;
mod lines;
mod words;

use std::cmp::Ordering;
use std::collections::HashSet;
use std::io::IsTerminal as _;

use noetl_api::execution::ExecutionStatus;
use noetl_api::log::{LogBody, LogFilter};

use self::bars::Bars;
use self::lines::Lines;
use crate::commands::logs;
use crate::{notice, terminal};

pub(crate) use self::words::{elapsed, painted};

/// Whom to listen to besides the steps, which are always shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Talk {
    Steps,
    StepsAndTools,
}

/// A look at an execution.
pub(crate) struct View {
    style: Show,
    talk: Talk,
    /// Pools that were told to have no worker.
    told: HashSet<String>,
    /// Lines of the engine that were shown.
    notes: u32,
}

/// A loop may try thousands of items again; a person reads a few.
const MOST_NOTES: u32 = 20;

enum Show {
    Bars(Bars),
    Lines(Lines),
    /// `--json`: nobody looks.
    Nothing,
}

impl View {
    pub(crate) fn choose(json: bool, talk: Talk) -> Self {
        let style = if json {
            Show::Nothing
        } else if std::io::stderr().is_terminal() && terminal::stderr_style().is_on() {
            Show::Bars(Bars::new())
        } else {
            Show::Lines(Lines::default())
        };
        Self { style, talk, told: HashSet::new(), notes: 0 }
    }

    /// The log lines that are shown while a step works: what its tools print when that was asked for, otherwise only
    /// what the engine says of it, as that it tries again, and why. None: nobody looks.
    pub(crate) fn lines(&self) -> Option<LogFilter> {
        let stream = match self.talk {
            Talk::StepsAndTools => None,
            Talk::Steps if matches!(self.style, Show::Nothing) => return None,
            Talk::Steps => Some("noetl".to_owned()),
        };
        Some(LogFilter { stream, ..LogFilter::default() })
    }

    pub(crate) fn shows_tools(&self) -> bool {
        self.talk == Talk::StepsAndTools
    }

    pub(crate) fn line(&mut self, line: &LogBody) {
        if !self.shows_tools() {
            if !matches!(line.level.as_str(), "warn" | "error") {
                return;
            }
            self.notes += 1;
            match self.notes.cmp(&MOST_NOTES) {
                Ordering::Less => {}
                Ordering::Equal => {
                    return self.say(&format!("more is in: noetl logs {}", line.execution_id));
                }
                Ordering::Greater => return,
            }
        }
        self.say(&logs::line(line, terminal::stderr_style()));
    }

    pub(crate) fn say(&mut self, text: &str) {
        match &self.style {
            Show::Bars(bars) => bars.say(text),
            Show::Lines(_) => terminal::tell(text),
            Show::Nothing if self.shows_tools() => terminal::tell(text),
            Show::Nothing => {}
        }
    }

    pub(crate) fn show(&mut self, status: &ExecutionStatus) {
        match &mut self.style {
            Show::Bars(bars) => bars.show(status),
            Show::Lines(lines) => lines.show(status),
            Show::Nothing => return,
        }
        let is_unserved = |pool: &String| status.unserved.iter().any(|unserved| unserved.pool == *pool);
        self.told.retain(is_unserved);
        for unserved in &status.unserved {
            if self.told.insert(unserved.pool.clone()) {
                self.say(&notice::unserved(unserved, terminal::stderr_style()));
            }
        }
    }

    pub(crate) fn finish(&mut self, status: &ExecutionStatus) {
        self.show(status);
        if let Show::Bars(bars) = &mut self.style {
            bars.clear();
        }
    }
}
