//! The log of the process, on stderr.

use std::sync::Once;

use tracing_subscriber::EnvFilter;

use crate::config::{Log, LogFormat};
use crate::terminal;

static STARTED: Once = Once::new();

/// The vector engine warns of settings that only its own server has; what is configured comes after and wins.
const QUIETER: &str = "qdrant_edge=error";

/// Begins to log, once per process. A filter that cannot be read counts as `warn`, and says so.
pub(super) fn start(config: &Log) {
    STARTED.call_once(|| {
        let filter = EnvFilter::try_new(format!("{QUIETER},{}", config.level)).unwrap_or_else(|error| {
            terminal::tell(&format!(
                "warning: the log level {:?} cannot be read ({error}); using warn",
                config.level
            ));
            EnvFilter::new(format!("{QUIETER},warn"))
        });
        let builder = tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_ansi(terminal::stderr_style().is_on())
            .with_writer(std::io::stderr);
        // Somebody else's subscriber would be a bug of ours, and no reason not to run.
        let _ = match config.format {
            LogFormat::Text => builder.with_target(false).try_init(),
            LogFormat::Json => builder.json().flatten_event(true).try_init(),
        };
    });
}
