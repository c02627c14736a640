//! An engine that cannot be opened now (a full disk, a directory in use, a library being installed) is tried again.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// What was opened; `None` when the process stops first. Each reason is told once, and again when it changes.
pub(super) async fn until_opened<E, F>(
    what: &str,
    mut open: impl FnMut() -> F,
    mut failing: impl FnMut(String),
    stop: &CancellationToken,
) -> Option<E>
where
    F: Future<Output = anyhow::Result<E>>,
{
    let mut wait = FIRST_WAIT;
    let mut told = String::new();
    while !stop.is_cancelled() {
        // Never cut short: what is half open would have to be closed.
        let error = match open().await {
            Ok(opened) => {
                if !told.is_empty() {
                    tracing::info!("the {what} could be opened");
                }
                return Some(opened);
            }
            Err(error) => format!("{error:#}"),
        };
        if error != told {
            // Told on request too: `noetl cluster status`.
            tracing::info!(reason = %error, "the {what} cannot be opened and are tried again");
            failing(error.clone());
            told = error;
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(wait) => wait = (wait * 2).min(LONGEST_WAIT),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_is_given_up_when_the_process_stops() {
        let stop = CancellationToken::new();
        let mut reasons = Vec::new();
        let open = || async { anyhow::Result::<()>::Err(anyhow::anyhow!("no room").context("cannot open")) };
        let failing = |reason| {
            reasons.push(reason);
            stop.cancel();
        };
        let opened = until_opened("stores", open, failing, &stop).await;
        assert_eq!((opened, reasons), (None, vec!["cannot open: no room".to_owned()]));
    }
}
