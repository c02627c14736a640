//! Which Commands are void because their Execution was cancelled, and what is being worked on.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use noetl_bus::Cancel;
use noetl_domain::command::Command;
use noetl_domain::id::ExecutionId;
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio_util::sync::CancellationToken;

/// Cancels remembered for Commands that still wait for a worker; the oldest are forgotten first.
const REMEMBERED: usize = 10_000;

#[derive(Debug, Default)]
pub(super) struct Cancels(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// What is being worked on, by Execution and a number of our own.
    running: BTreeMap<(ExecutionId, u64), Running>,
    taken: u64,
    void: HashMap<ExecutionId, Cancel>,
    oldest: VecDeque<ExecutionId>,
}

#[derive(Debug)]
struct Running {
    issued: u64,
    token: CancellationToken,
}

/// Work on a Command, until it is dropped.
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) token: CancellationToken,
    key: (ExecutionId, u64),
    cancels: Arc<Cancels>,
}

impl Cancels {
    pub(super) fn watch(self: &Arc<Self>, command: &Command) -> Watched {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let execution = command.id.execution;
        let token = CancellationToken::new();
        if state.void.get(&execution).is_some_and(|cancel| cancel.reaches(execution, command.issued)) {
            token.cancel();
        }
        state.taken += 1;
        let key = (execution, state.taken);
        state.running.insert(key, Running { issued: command.issued, token: token.clone() });
        Watched { token, key, cancels: Arc::clone(self) }
    }

    pub(super) async fn listen(self: Arc<Self>, mut cancellations: Receiver<Cancel>) {
        loop {
            match cancellations.recv().await {
                Ok(cancel) => self.cancel(cancel),
                Err(RecvError::Lagged(missed)) => {
                    tracing::warn!(missed, "cancellations were missed; their work runs to its end");
                }
                Err(RecvError::Closed) => return,
            }
        }
    }

    fn cancel(&self, cancel: Cancel) {
        let execution = cancel.execution;
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (_, running) in state.running.range((execution, 0)..=(execution, u64::MAX)) {
            if cancel.reaches(execution, running.issued) {
                running.token.cancel();
            }
        }
        if let Some(known) = state.void.get_mut(&execution) {
            known.until = known.until.max(cancel.until);
        } else {
            state.void.insert(execution, cancel);
            state.oldest.push_back(execution);
        }
        if state.oldest.len() > REMEMBERED
            && let Some(forgotten) = state.oldest.pop_front()
        {
            state.void.remove(&forgotten);
        }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.cancels.0.lock().unwrap_or_else(PoisonError::into_inner).running.remove(&self.key);
    }
}
