//! Which Executions were cancelled, and what is being worked on for each.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use noetl_domain::id::ExecutionId;
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio_util::sync::CancellationToken;

/// How long a cancel is remembered for Commands that were taken just before it and are not watched yet.
/// Not longer: whoever retries a cancelled Execution wants its new Commands to run.
const REMEMBERED: Duration = Duration::from_millis(100);

#[derive(Debug, Default)]
pub(super) struct Cancels(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    running: HashMap<ExecutionId, (CancellationToken, usize)>,
    recent: VecDeque<(ExecutionId, Instant)>,
}

/// Work for an Execution, until it is dropped.
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) token: CancellationToken,
    execution: ExecutionId,
    cancels: Arc<Cancels>,
}

impl Cancels {
    pub(super) fn watch(self: &Arc<Self>, execution: ExecutionId) -> Watched {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.forget();
        let was_cancelled = state.recent.iter().any(|(cancelled, _)| *cancelled == execution);
        let (token, count) = state.running.entry(execution).or_default();
        *count += 1;
        if was_cancelled {
            token.cancel();
        }
        Watched { token: token.clone(), execution, cancels: Arc::clone(self) }
    }

    pub(super) async fn listen(self: Arc<Self>, mut cancellations: Receiver<ExecutionId>) {
        loop {
            match cancellations.recv().await {
                Ok(execution) => self.cancel(execution),
                Err(RecvError::Lagged(missed)) => {
                    tracing::warn!(missed, "cancellations were missed; their work runs to its end");
                }
                Err(RecvError::Closed) => return,
            }
        }
    }

    fn cancel(&self, execution: ExecutionId) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((token, _)) = state.running.get(&execution) {
            token.cancel();
        }
        state.forget();
        state.recent.push_back((execution, Instant::now()));
    }
}

impl State {
    fn forget(&mut self) {
        while self.recent.front().is_some_and(|(_, at)| at.elapsed() > REMEMBERED) {
            self.recent.pop_front();
        }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let mut state = self.cancels.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, count)) = state.running.get_mut(&self.execution) {
            *count -= 1;
            if *count == 0 {
                state.running.remove(&self.execution);
            }
        }
    }
}
