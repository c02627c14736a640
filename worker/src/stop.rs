//! When a task must stop: its execution was cancelled, or its time is up.

use std::time::Instant;

use noetl_domain::error::TaskError;
use tokio_util::sync::CancellationToken;

/// Resolves when the work must stop; `what` names the work in the error.
pub(crate) async fn stopped(what: &str, deadline: Option<Instant>, cancel: &CancellationToken) -> TaskError {
    let started = Instant::now();
    let late = async {
        match deadline {
            Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = cancel.cancelled() => {
            TaskError::new("cancelled", format!("{what} was stopped: the execution was cancelled"))
        }
        () = late => {
            let seconds = started.elapsed().as_secs_f64();
            TaskError::new("timeout", format!("{what} was stopped after {seconds:.1} s: it took too long"))
                .with_code(noetl_domain::code::Code::StepTimeout.as_str())
                .retryable()
        }
    }
}
