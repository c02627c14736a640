//! Work that goes on until the process stops: what fails is tried again, for as long as it takes.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

/// Waits between tries while a store is away.
const FIRST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// How long is waited before the next try: twice as long each time, until something goes well.
#[derive(Debug)]
pub(crate) struct Patience {
    wait: Duration,
}

impl Patience {
    /// It goes well again.
    pub(crate) fn restore(&mut self) {
        self.wait = FIRST_WAIT;
    }
}

pub(crate) trait Work: Send {
    type Error: std::error::Error + Send;

    /// Begins where it is, and goes on until something fails. It is dropped where it waits when the process stops.
    fn go_on(&mut self, patience: &mut Patience) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Says why it does not work at the moment.
    fn failing(&self, reason: String) -> impl Future<Output = ()> + Send;
}

pub(crate) async fn until_stopped<W: Work>(mut work: W, stop: CancellationToken) {
    let mut patience = Patience { wait: FIRST_WAIT };
    while !stop.is_cancelled() {
        let ended = tokio::select! {
            () = stop.cancelled() => return,
            ended = work.go_on(&mut patience) => ended,
        };
        let Err(error) = ended else { continue };
        let reason = chain(&error);
        tracing::warn!(%reason, "indexing waits and tries again");
        work.failing(reason).await;
        let wait = patience.wait;
        patience.wait = (wait * 2).min(LONGEST_WAIT);
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// An error and its causes in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.ends_with(&inner_text) {
            text.push_str(": ");
            text.push_str(&inner_text);
        }
        cause = inner.source();
    }
    text
}
