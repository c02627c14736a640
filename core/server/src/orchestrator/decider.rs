//! The decider's loop: takes inputs, carries each through, and hands everything to the committer.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use noetl_bus::Bus;
use noetl_bus::results::Results;
use noetl_domain::Map;
use noetl_domain::command::Command;
use noetl_domain::event::{Event, Status};
use noetl_domain::execution;
use noetl_domain::id::ExecutionId;
use noetl_domain::report::Report;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Parts;
use super::ahead::Generation;
use super::clock::Clock;
use super::input::Input;
use super::metrics::{Metrics, add};
use super::plans::PlanSource;
use super::round::{Active, Item};
use crate::error::ServerError;
use crate::ids::Ids;
use crate::store::EventStore;

/// Inputs carried through before what they gave is handed on.
const BATCH: usize = 256;

pub(super) struct Decider<S, B> {
    pub(super) store: Arc<S>,
    pub(super) bus: Arc<B>,
    pub(super) results: Results,
    pub(super) ids: Arc<Ids>,
    pub(super) env: Arc<Map>,
    pub(super) plans: Arc<dyn PlanSource>,
    pub(super) active: HashMap<ExecutionId, Active>,
    /// How many states were brought into memory.
    pub(super) generations: Generation,
    /// Finished ones among `active`, oldest first.
    pub(super) recent: VecDeque<ExecutionId>,
    commits: mpsc::Sender<Vec<Item>>,
    internal: mpsc::UnboundedReceiver<Input>,
    to_self: mpsc::UnboundedSender<Input>,
    pub(super) clock: Clock,
    pub(super) metrics: Arc<Metrics>,
}

impl<S: EventStore, B: Bus> Decider<S, B> {
    pub(super) fn new(
        parts: Parts<S, B>,
        plans: Arc<dyn PlanSource>,
        commits: mpsc::Sender<Vec<Item>>,
        (to_self, internal): (mpsc::UnboundedSender<Input>, mpsc::UnboundedReceiver<Input>),
        clock: Clock,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            store: parts.store,
            bus: parts.bus,
            results: parts.results,
            ids: parts.ids,
            env: parts.env,
            plans,
            active: HashMap::new(),
            generations: 0,
            recent: VecDeque::new(),
            commits,
            internal,
            to_self,
            clock,
            metrics,
        }
    }

    /// Takes up everything that had not ended when the process did.
    pub(super) async fn recover(&mut self) -> Result<(), ServerError> {
        let failed = |error| ServerError::store("read what is unfinished", error);
        for timer in self.store.timers().await.map_err(failed)? {
            self.clock.set(timer.execution, timer.key, timer.due_ms);
        }
        for id in self.store.unfinished().await.map_err(failed)? {
            let mut out = Vec::new();
            if let Err(error) = self.take_up(id, &mut out).await {
                tracing::error!(execution.id = %id, error = %error, "an unfinished execution could not be taken up");
                continue;
            }
            self.hand_on(out).await;
        }
        Ok(())
    }

    pub(super) async fn run(mut self, mut inputs: mpsc::Receiver<Input>, stop: CancellationToken) {
        loop {
            let input = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                input = self.internal.recv() => input,
                input = inputs.recv() => input,
            };
            let Some(input) = input else { return };
            let mut out = Vec::new();
            self.handle(input, &mut out).await;
            for _ in 1..BATCH {
                let Ok(input) = self.internal.try_recv().or_else(|_| inputs.try_recv()) else { break };
                self.handle(input, &mut out).await;
            }
            self.metrics
                .executions_active
                .store(self.active.len() as u64, std::sync::atomic::Ordering::Relaxed);
            self.hand_on(out).await;
        }
    }

    async fn hand_on(&mut self, items: Vec<Item>) {
        for item in items.iter().filter(|item| item.more) {
            let active = self.active.get_mut(&item.id).filter(|active| active.generation == item.generation);
            if active.is_some_and(|active| active.ahead.sent()) {
                let _ = self.to_self.send(Input::Continue(item.id));
            }
        }
        if !items.is_empty() && self.commits.send(items).await.is_err() {
            tracing::error!("the committer has ended; nothing more can be committed");
        }
    }

    async fn handle(&mut self, input: Input, out: &mut Vec<Item>) {
        match input {
            Input::Start(start, reply) => self.start(*start, reply, out).await,
            Input::Report(report) => self.report(report, out).await,
            Input::Cancel { id, reason, cascade, reply } => {
                self.cancel(id, reason, cascade, reply, out).await;
            }
            Input::Finalize { id, status, reason, reply } => {
                self.order(id, reply, out, |execution| execution::finalize(execution, status, reason)).await;
            }
            Input::Retry { id, from, reply } => {
                self.order(id, reply, out, |execution| execution::retry(execution, from.as_deref())).await;
            }
            Input::SetVars { id, vars, source, reply } => {
                self.order(id, reply, out, |_| Ok(Event::ContextUpdated { ctx: vars, source })).await;
            }
            Input::Note { id, name, step, payload, reply } => {
                self.note(id, Event::Noted { name, step, payload }, reply, out).await;
            }
            Input::Diagnosed { id, diagnosed, reply } => self.diagnosed(id, diagnosed, reply, out).await,
            Input::Snapshot { id, reply } => self.look(id, reply, out).await,
            Input::Timer { id, key } => {
                let running =
                    self.active.get(&id).is_some_and(|active| active.execution.status == Status::Running);
                if running {
                    self.carry(id, vec![Event::TimerFired { timer: key }], out).await;
                }
            }
            Input::Continue(id) => self.carry(id, Vec::new(), out).await,
            Input::Committed(id, generation) => {
                let active = self.active.get_mut(&id).filter(|active| active.generation == generation);
                if active.is_some_and(|active| active.ahead.committed()) {
                    self.carry(id, Vec::new(), out).await;
                }
            }
            Input::Lost(id, generation) => {
                // Everything decided on the same state is lost with it; the log is read once for all of it.
                if self.active.get(&id).is_none_or(|active| active.generation == generation) {
                    self.read_again(id, out).await;
                }
            }
            Input::Recover(id) => self.read_again(id, out).await,
            Input::Forget(ids) => self.forget(&ids),
        }
    }

    /// Advances where nobody waits for an answer; a failure means reading the log again later.
    async fn carry(&mut self, id: ExecutionId, happened: Vec<Event>, out: &mut Vec<Item>) {
        if let Err(error) = self.advance(id, happened, out).await {
            tracing::warn!(execution.id = %id, error = %error, "could not go on; trying again soon");
            self.recover_later(id);
        }
    }

    async fn read_again(&mut self, id: ExecutionId, out: &mut Vec<Item>) {
        self.active.remove(&id);
        if let Err(error) = self.take_up(id, out).await {
            tracing::warn!(execution.id = %id, error = %error, "could not be taken up; trying again soon");
            self.recover_later(id);
        }
    }

    fn recover_later(&self, id: ExecutionId) {
        let to_self = self.to_self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
            let _ = to_self.send(Input::Recover(id));
        });
    }

    async fn report(&mut self, report: Box<Report>, out: &mut Vec<Item>) {
        add(&self.metrics.reports_received, 1);
        let id = report.id.execution;
        // Whatever is running is in memory, so a Report for anything else is late.
        if !self.active.get(&id).is_some_and(|active| active.execution.accepts(&report)) {
            add(&self.metrics.reports_stale, 1);
            return;
        }
        self.carry(id, vec![Event::Called(report)], out).await;
    }

    pub(super) fn count(&self, events: &[Event], commands: &[Command]) {
        add(&self.metrics.commands_issued, commands.len() as u64);
        for event in events {
            match event {
                Event::StepExited(_) => add(&self.metrics.steps_finished, 1),
                Event::ExecutionFinished(finished) => match finished.status {
                    Status::Completed | Status::Running => add(&self.metrics.executions_completed, 1),
                    Status::Failed => add(&self.metrics.executions_failed, 1),
                    Status::Cancelled => add(&self.metrics.executions_cancelled, 1),
                },
                _ => {}
            }
        }
    }
}
