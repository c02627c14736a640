//! What a person sees while an execution runs: bars on a terminal, plain lines elsewhere. All of it goes to stderr.

mod bars;
mod lines;
mod words;

use std::io::IsTerminal as _;

use noetl_api::execution::ExecutionStatus;

use self::bars::Bars;
use self::lines::Lines;

pub(crate) use self::words::{elapsed, painted};

/// One way of looking at an execution.
pub(crate) enum View {
    Bars(Bars),
    Lines(Lines),
    /// `--json`: nobody looks.
    Nothing,
}

impl View {
    pub(crate) fn choose(json: bool) -> Self {
        if json {
            Self::Nothing
        } else if std::io::stderr().is_terminal() && crate::terminal::stderr_style().is_on() {
            Self::Bars(Bars::new())
        } else {
            Self::Lines(Lines::default())
        }
    }

    pub(crate) fn say(&mut self, text: &str) {
        match self {
            Self::Bars(bars) => bars.say(text),
            Self::Lines(_) => eprintln!("{text}"),
            Self::Nothing => {}
        }
    }

    pub(crate) fn show(&mut self, status: &ExecutionStatus) {
        match self {
            Self::Bars(bars) => bars.show(status),
            Self::Lines(lines) => lines.show(status),
            Self::Nothing => {}
        }
    }

    pub(crate) fn finish(&mut self, status: &ExecutionStatus) {
        self.show(status);
        if let Self::Bars(bars) = self {
            bars.clear();
        }
    }
}
