//! What the terminal can do: colours, width, and whether anybody is looking.
//!
//! Data goes to stdout, talk goes to stderr.

use std::io::{IsTerminal as _, Write as _};
use std::sync::OnceLock;
use std::time::Duration;

use indicatif::ProgressBar;

use crate::cli::Color;

static COLOR: OnceLock<Color> = OnceLock::new();

/// Set once at the start, from `--color` and `NO_COLOR`.
pub(crate) fn choose_color(color: Color, no_color: bool) {
    let color = if color == Color::Auto && no_color { Color::Never } else { color };
    // A second call would be the same choice again.
    let _ = COLOR.set(color);
}

fn colored(is_terminal: bool) -> bool {
    match COLOR.get().copied().unwrap_or_default() {
        Color::Auto => is_terminal,
        Color::Always => true,
        Color::Never => false,
    }
}

pub(crate) fn stdout_style() -> Style {
    Style { on: colored(std::io::stdout().is_terminal()) }
}

pub(crate) fn stderr_style() -> Style {
    Style { on: colored(std::io::stderr().is_terminal()) }
}

/// Says lines to whoever looks. A stderr that is closed or full has nobody to tell, and that stops no execution.
pub(crate) fn tell(text: &str) {
    let mut stderr = std::io::stderr().lock();
    let _ = stderr.write_all(format!("{}\n", text.trim_end_matches('\n')).as_bytes());
}

/// A line on stderr while something lasts, for those who look at it; a pipe gets nothing. It goes when it is dropped.
pub(crate) fn waiting(words: &'static str) -> Waiting {
    let bar = ProgressBar::new_spinner().with_message(words);
    bar.enable_steady_tick(Duration::from_millis(100));
    Waiting(bar)
}

#[derive(Debug)]
pub(crate) struct Waiting(ProgressBar);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// Text from outside without what a terminal would obey.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { '\u{fffd}' } else { character }).collect()
}

/// Paints text, or leaves it alone.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    on: bool,
}

impl Style {
    #[cfg(test)]
    pub(crate) fn plain() -> Self {
        Self { on: false }
    }

    pub(crate) fn is_on(self) -> bool {
        self.on
    }

    fn paint(self, sequence: &str, text: &str) -> String {
        if self.on { format!("\x1b[{sequence}m{text}\x1b[0m") } else { text.to_owned() }
    }

    pub(crate) fn error(self, text: &str) -> String {
        self.paint("1;31", text)
    }

    pub(crate) fn success(self, text: &str) -> String {
        self.paint("32", text)
    }

    pub(crate) fn warning(self, text: &str) -> String {
        self.paint("33", text)
    }

    pub(crate) fn hint(self, text: &str) -> String {
        self.paint("36", text)
    }

    pub(crate) fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    pub(crate) fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }
}
