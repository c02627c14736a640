//! The one place that decides: requests and Reports in, Events and Commands out.
//!
//! One task folds and decides, another commits what was decided, many Executions per transaction.
//! Whatever leaves the process (Commands, answers, the feed) leaves after its commit.

mod ahead;
mod clock;
mod commit;
mod decider;
mod dispatch;
mod family;
mod input;
mod memory;
mod metrics;
mod orders;
mod plans;
mod round;
mod snapshot;
mod starting;
mod summary;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use noetl_bus::Bus;
use noetl_bus::results::Results;
use noetl_domain::event::{Diagnosed, Parent, Status};
use noetl_domain::id::ExecutionId;
use noetl_domain::{Map, Value};
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::error::ServerError;
use crate::ids::Ids;
use crate::store::{EventStore, Positioned};
use input::{Input, Reply};

pub use metrics::Metrics;
pub use plans::{PlanSource, Which};
pub use snapshot::Snapshot;

/// Inputs that may wait for the decider.
const WINDOW: usize = 4096;

/// What the orchestrator is made of.
#[derive(Debug)]
pub struct Parts<S, B> {
    pub store: Arc<S>,
    pub bus: Arc<B>,
    pub results: Results,
    pub ids: Arc<Ids>,
    pub env: Arc<Map>,
}

/// A handle to the running orchestrator; clones are cheap.
#[derive(Clone, Debug)]
pub struct Orchestrator {
    inputs: mpsc::Sender<Input>,
    feed: broadcast::Sender<Arc<Vec<Positioned>>>,
    metrics: Arc<Metrics>,
    stop: CancellationToken,
}

/// What a caller wants to run.
#[derive(Clone, Debug, Default)]
pub struct Start {
    pub path: Option<String>,
    pub catalog_id: Option<String>,
    pub version: Option<u32>,
    pub payload: Map,
    /// Merge nested maps of the payload into the workload instead of replacing them.
    pub merge: bool,
    /// `api`, `cli`, `schedule`, `playbook`.
    pub trigger: String,
    pub parent: Option<Parent>,
    pub dedup: Option<Dedup>,
    /// End after this step.
    pub target: Option<String>,
    pub trace: Value,
}

/// A start that must not happen twice.
#[derive(Clone, Debug, PartialEq)]
pub struct Dedup {
    pub key: String,
    /// None: ever.
    pub window_seconds: Option<f64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Started {
    pub execution_id: ExecutionId,
    /// An Execution with the same dedup key was there already; it is the one named.
    pub duplicate: bool,
    pub path: String,
    pub version: u32,
    pub catalog_id: String,
}

impl Orchestrator {
    /// Takes up unfinished work from the log and begins to decide.
    pub async fn open<S: EventStore, B: Bus>(
        parts: Parts<S, B>,
        plans: Arc<dyn PlanSource>,
    ) -> Result<Self, ServerError> {
        let (orchestrator, mut decider, from_callers) = Self::assemble(parts, plans);
        decider.recover().await?;
        orchestrator.begin(decider, from_callers);
        Ok(orchestrator)
    }

    /// As [`Orchestrator::open`], but unfinished work is left alone until a server takes it up.
    ///
    /// For a process that looks at a store for a moment, or runs one Execution of its own: each taking up counts as
    /// an Attempt, and a Command that is lost too often fails.
    pub fn open_beside_unfinished<S: EventStore, B: Bus>(
        parts: Parts<S, B>,
        plans: Arc<dyn PlanSource>,
    ) -> Self {
        let (orchestrator, decider, from_callers) = Self::assemble(parts, plans);
        orchestrator.begin(decider, from_callers);
        orchestrator
    }

    fn assemble<S: EventStore, B: Bus>(
        parts: Parts<S, B>,
        plans: Arc<dyn PlanSource>,
    ) -> (Self, decider::Decider<S, B>, mpsc::Receiver<Input>) {
        let (inputs, from_callers) = mpsc::channel(WINDOW);
        let (feed, _) = broadcast::channel(1024);
        let metrics = Arc::new(Metrics::default());
        let stop = CancellationToken::new();
        let clock = clock::start(inputs.clone(), stop.clone());
        let dispatch = dispatch::Dispatch::new(Arc::clone(&parts.bus));
        let internal = mpsc::unbounded_channel();
        let commits = commit::start(commit::Context {
            store: Arc::clone(&parts.store),
            bus: Arc::clone(&parts.bus),
            dispatch,
            clock: clock.clone(),
            feed: feed.clone(),
            decider: internal.0.clone(),
            metrics: Arc::clone(&metrics),
            void: ahead::Void::default(),
        });
        let decider = decider::Decider::new(parts, plans, commits, internal, clock, Arc::clone(&metrics));
        (Self { inputs, feed, metrics, stop }, decider, from_callers)
    }

    fn begin<S: EventStore, B: Bus>(
        &self,
        decider: decider::Decider<S, B>,
        from_callers: mpsc::Receiver<Input>,
    ) {
        let bus = Arc::clone(&decider.bus);
        let store = Arc::clone(&decider.store);
        tokio::spawn(decider.run(from_callers, self.stop.clone()));
        tokio::spawn(input::listen(bus, store, self.inputs.clone(), self.stop.clone()));
    }

    pub async fn start(&self, start: Start) -> Result<Started, ServerError> {
        self.ask(|reply| Input::Start(Box::new(start), reply)).await
    }

    /// Cancels an Execution, and with `cascade` the children it waits for; returns every one that was cancelled.
    pub async fn cancel(
        &self,
        id: ExecutionId,
        reason: Option<String>,
        cascade: bool,
    ) -> Result<Vec<ExecutionId>, ServerError> {
        self.ask(|reply| Input::Cancel { id, reason, cascade, reply }).await
    }

    /// Forces a final state.
    pub async fn finalize(
        &self,
        id: ExecutionId,
        status: Status,
        reason: Option<String>,
    ) -> Result<(), ServerError> {
        self.ask(|reply| Input::Finalize { id, status, reason, reply }).await
    }

    /// Runs a finished Execution again from its failed steps, or from one step, keeping all other results.
    pub async fn retry(&self, id: ExecutionId, from: Option<String>) -> Result<(), ServerError> {
        self.ask(|reply| Input::Retry { id, from, reply }).await
    }

    /// Writes variables from outside the flow.
    pub async fn set_vars(&self, id: ExecutionId, vars: Map, source: String) -> Result<(), ServerError> {
        self.ask(|reply| Input::SetVars { id, vars, source, reply }).await
    }

    /// Adds an informative Event; returns its id.
    pub async fn note(
        &self,
        id: ExecutionId,
        name: String,
        step: Option<String>,
        payload: Value,
    ) -> Result<u64, ServerError> {
        self.ask(|reply| Input::Note { id, name, step, payload, reply }).await
    }

    /// Adds why an Execution failed to its log; refused when it is not a failed one any more. Returns the Event's id.
    pub async fn diagnosed(&self, id: ExecutionId, diagnosed: Diagnosed) -> Result<u64, ServerError> {
        let diagnosed = Box::new(diagnosed);
        self.ask(|reply| Input::Diagnosed { id, diagnosed, reply }).await
    }

    /// Lets go of Executions that were deleted from the store.
    pub(crate) async fn forget(&self, ids: Vec<ExecutionId>) {
        // Whoever stops remembers nothing anyway.
        let _ = self.inputs.send(Input::Forget(ids)).await;
    }

    /// The state folded from the log, running or finished.
    pub async fn snapshot(&self, id: ExecutionId) -> Result<Arc<Snapshot>, ServerError> {
        self.ask(|reply| Input::Snapshot { id, reply }).await
    }

    /// Committed Events as they come; a receiver that lags, or gets an empty batch, reads the store's feed instead.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Vec<Positioned>>> {
        self.feed.subscribe()
    }

    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Stops deciding; what is under way is taken up again by the next start.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    async fn ask<T>(&self, input: impl FnOnce(Reply<T>) -> Input) -> Result<T, ServerError> {
        let (reply, answer) = oneshot::channel();
        let stopped = || ServerError::unavailable("the server is shutting down");
        self.inputs.send(input(reply)).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }
}
