//! What the decider may be told.

use std::sync::Arc;

use noetl_bus::{Bus, Inbound};
use noetl_domain::event::{Diagnosed, Status, TimerKey};
use noetl_domain::id::ExecutionId;
use noetl_domain::report::Report;
use noetl_domain::{Map, Value};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::ahead::Generation;
use super::{Snapshot, Start, Started};
use crate::error::ServerError;
use crate::store::EventStore;

pub(super) type Reply<T> = oneshot::Sender<Result<T, ServerError>>;

#[derive(Debug)]
pub(super) enum Input {
    Start(Box<Start>, Reply<Started>),
    Report(Box<Report>),
    Cancel {
        id: ExecutionId,
        reason: Option<String>,
        cascade: bool,
        reply: Reply<Vec<ExecutionId>>,
    },
    Finalize {
        id: ExecutionId,
        status: Status,
        reason: Option<String>,
        reply: Reply<()>,
    },
    Retry {
        id: ExecutionId,
        from: Option<String>,
        reply: Reply<()>,
    },
    SetVars {
        id: ExecutionId,
        vars: Map,
        source: String,
        reply: Reply<()>,
    },
    Note {
        id: ExecutionId,
        name: String,
        step: Option<String>,
        payload: Value,
        reply: Reply<u64>,
    },
    /// What the assistant says of an Execution that failed.
    Diagnosed {
        id: ExecutionId,
        diagnosed: Box<Diagnosed>,
        reply: Reply<u64>,
    },
    Snapshot {
        id: ExecutionId,
        reply: Reply<Arc<Snapshot>>,
    },
    Timer {
        id: ExecutionId,
        key: TimerKey,
    },
    /// More follows than one transaction should hold.
    Continue(ExecutionId),
    /// A slice of a round that is longer than one transaction is committed.
    Committed(ExecutionId, Generation),
    /// What was decided could not be committed: forget it and read the log again.
    Lost(ExecutionId, Generation),
    /// These are no longer in the store.
    Forget(Vec<ExecutionId>),
    /// Take up an Execution again from its log.
    Recover(ExecutionId),
}

/// Brings what workers send to the decider, and what their tools print to the store.
pub(super) async fn listen<B: Bus, S: EventStore>(
    bus: Arc<B>,
    store: Arc<S>,
    inputs: mpsc::Sender<Input>,
    stop: CancellationToken,
) {
    loop {
        let message = tokio::select! {
            () = stop.cancelled() => return,
            message = bus.inbound() => message,
        };
        match message {
            None => return,
            Some(Inbound::Report(report)) => {
                if inputs.send(Input::Report(report)).await.is_err() {
                    return;
                }
            }
            Some(Inbound::Logs(lines)) => {
                if let Err(error) = store.append_logs(lines).await {
                    tracing::warn!(error = %error, "log lines could not be kept");
                }
            }
        }
    }
}
