//! The decider's loop: takes inputs, carries each through, and hands everything to the committer.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use noetl_bus::Bus;
use noetl_bus::results::Results;
use noetl_domain::Map;
use noetl_domain::command::Command;
use noetl_domain::event::{Event, Status};
use noetl_domain::execution::{self, ControlError, Execution};
use noetl_domain::id::ExecutionId;
use noetl_domain::report::Report;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::clock::{Clock, now_ms};
use super::input::{Input, Reply};
use super::metrics::{Metrics, add};
use super::plans::{PlanSource, Which};
use super::round::{Active, Item};
use super::{Parts, Snapshot, Start, Started};
use crate::error::ServerError;
use crate::ids::Ids;
use crate::store::{AppendError, Dedup, EventStore};

/// Inputs carried through before what they gave is handed on.
const BATCH: usize = 256;
/// Finished Executions kept in memory for those who look at them right away.
const RECENT: usize = 64;

pub(super) struct Decider<S, B> {
    store: Arc<S>,
    bus: Arc<B>,
    pub(super) results: Results,
    pub(super) ids: Arc<Ids>,
    pub(super) env: Arc<Map>,
    pub(super) plans: Arc<dyn PlanSource>,
    pub(super) active: HashMap<ExecutionId, Active>,
    /// Finished ones among `active`, oldest first.
    recent: VecDeque<ExecutionId>,
    commits: mpsc::Sender<Vec<Item>>,
    internal: mpsc::UnboundedReceiver<Input>,
    to_self: mpsc::UnboundedSender<Input>,
    clock: Clock,
    metrics: Arc<Metrics>,
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
            recent: VecDeque::new(),
            commits,
            internal,
            to_self,
            clock,
            metrics,
        }
    }

    pub(super) fn bus(&self) -> &Arc<B> {
        &self.bus
    }

    pub(super) fn store(&self) -> &Arc<S> {
        &self.store
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

    async fn hand_on(&self, items: Vec<Item>) {
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
                let mark = out.len();
                let noted = self.advance(id, vec![Event::Noted { name, step, payload }], out).await;
                let appended = out
                    .get(mark)
                    .and_then(|item| item.append.as_ref())
                    .and_then(|append| append.events.first());
                let event_id = appended.map_or(0, |event| event.event_id);
                answer_after(out, mark, reply, noted, event_id);
            }
            Input::Snapshot { id, reply } => {
                // Nobody is told what is not committed yet: the answer waits for everything decided before it.
                match self.snapshot(id).await {
                    Ok(snapshot) => out.push(Item::answer(id, move |committed| {
                        let _ = reply.send(committed.map(|()| snapshot).map_err(not_committed));
                    })),
                    Err(error) => {
                        let _ = reply.send(Err(error));
                    }
                }
            }
            Input::Timer { id, key } => {
                let running =
                    self.active.get(&id).is_some_and(|active| active.execution.status == Status::Running);
                if running {
                    self.carry(id, vec![Event::TimerFired { timer: key }], out).await;
                }
            }
            Input::Continue(id) => self.carry(id, Vec::new(), out).await,
            Input::Lost(id) | Input::Recover(id) => {
                self.active.remove(&id);
                if let Err(error) = self.take_up(id, out).await {
                    tracing::warn!(execution.id = %id, error = %error, "could not be taken up; trying again soon");
                    self.recover_later(id);
                }
            }
        }
    }

    /// Advances where nobody waits for an answer; a failure means reading the log again later.
    async fn carry(&mut self, id: ExecutionId, happened: Vec<Event>, out: &mut Vec<Item>) {
        if let Err(error) = self.advance(id, happened, out).await {
            tracing::warn!(execution.id = %id, error = %error, "could not go on; trying again soon");
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

    async fn start(&mut self, start: Start, reply: Reply<Started>, out: &mut Vec<Item>) {
        let mark = out.len();
        let started = self.start_one(start, out).await;
        match started {
            Ok(started) => {
                let Some(item) = out.get_mut(mark) else { return };
                item.after = Some(Box::new(move |committed| {
                    let _ = reply.send(match committed {
                        Ok(()) => Ok(started),
                        Err(AppendError::Duplicate { execution }) => {
                            Ok(Started { execution_id: execution, duplicate: true, ..started })
                        }
                        Err(error) => Err(not_committed(error)),
                    });
                }));
            }
            Err(error) => {
                let _ = reply.send(Err(error));
            }
        }
    }

    async fn start_one(&mut self, start: Start, out: &mut Vec<Item>) -> Result<Started, ServerError> {
        let which = match (start.path, start.catalog_id) {
            (_, Some(id)) => Which::CatalogId(id),
            (Some(path), None) => Which::Path(path, start.version),
            (None, None) => return Err(ServerError::invalid("name a playbook by path or catalog_id")),
        };
        let plan = super::family::plan(&*self.plans, which).await?;
        let id = ExecutionId(self.ids.next_id());
        let at_ms = now_ms();
        let request = execution::Request {
            payload: start.payload,
            merge: start.merge,
            parent: start.parent,
            root: None,
            trigger: start.trigger,
            target: start.target,
            trace: start.trace,
            env: Arc::clone(&self.env),
        };
        let requested =
            execution::request(&plan, id, at_ms, request).map_err(|error| ServerError::from_start(&error))?;
        let started = Started {
            execution_id: id,
            duplicate: false,
            path: plan.path.clone(),
            version: plan.version,
            catalog_id: plan.catalog_id.clone(),
        };
        let dedup = start.dedup.map(|dedup| Dedup {
            key: dedup.key,
            window_ms: dedup.window_seconds.map(|seconds| (seconds * 1000.0) as i64),
        });
        self.active.insert(id, Active { plan, execution: Execution::new(id), dedup });
        add(&self.metrics.executions_started, 1);
        self.advance(id, vec![Event::ExecutionRequested(Box::new(requested))], out).await?;
        Ok(started)
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

    async fn cancel(
        &mut self,
        id: ExecutionId,
        reason: Option<String>,
        cascade: bool,
        reply: Reply<Vec<ExecutionId>>,
        out: &mut Vec<Item>,
    ) {
        let mark = out.len();
        let cancelled = self.cancel_family(id, reason, cascade, out).await;
        match cancelled {
            Ok(ids) => answer_after(out, mark, reply, Ok(()), ids),
            Err(error) => {
                let _ = reply.send(Err(error));
            }
        }
    }

    /// Parents first, so that none of them takes its child's end for a reason to go on.
    async fn cancel_family(
        &mut self,
        id: ExecutionId,
        reason: Option<String>,
        cascade: bool,
        out: &mut Vec<Item>,
    ) -> Result<Vec<ExecutionId>, ServerError> {
        let mut family = VecDeque::from([id]);
        let mut cancelled = Vec::new();
        while let Some(member) = family.pop_front() {
            self.load(member).await?;
            let Some(active) = self.active.get(&member) else { continue };
            let children: Vec<ExecutionId> =
                active.execution.children_under_way().into_iter().map(|(_, _, child)| child).collect();
            match execution::cancel(&active.execution, reason.clone()) {
                Ok(event) => {
                    if cascade {
                        family.extend(children);
                    }
                    self.advance(member, vec![event], out).await?;
                    cancelled.push(member);
                }
                Err(error) if member == id => return Err(refused(&error)),
                Err(_) => {}
            }
        }
        Ok(cancelled)
    }

    async fn order(
        &mut self,
        id: ExecutionId,
        reply: Reply<()>,
        out: &mut Vec<Item>,
        order: impl FnOnce(&Execution) -> Result<Event, ControlError>,
    ) {
        let mark = out.len();
        let event = match self.load(id).await {
            Ok(()) => match self.active.get(&id) {
                Some(active) => order(&active.execution).map_err(|error| refused(&error)),
                None => Err(ServerError::unknown_execution(id)),
            },
            Err(error) => Err(error),
        };
        let done = match event {
            Ok(event) => self.advance(id, vec![event], out).await,
            Err(error) => Err(error),
        };
        answer_after(out, mark, reply, done, ());
    }

    async fn snapshot(&mut self, id: ExecutionId) -> Result<Arc<Snapshot>, ServerError> {
        self.load(id).await?;
        let active = self.active.get(&id).ok_or_else(|| ServerError::unknown_execution(id))?;
        let total_steps = Some(active.plan.steps.len() as u64);
        Ok(Arc::new(Snapshot { execution: active.execution.clone(), total_steps }))
    }

    /// Brings an Execution into memory from its log.
    pub(super) async fn load(&mut self, id: ExecutionId) -> Result<(), ServerError> {
        if self.active.contains_key(&id) {
            return Ok(());
        }
        let log =
            self.store.load(id, 0).await.map_err(|error| ServerError::store("read the event log", error))?;
        if log.is_empty() {
            return Err(ServerError::unknown_execution(id));
        }
        let mut execution = Execution::new(id);
        for recorded in &log {
            execution.apply(&recorded.event, recorded.at_ms);
        }
        let requested = Arc::clone(&execution.requested);
        let plan =
            super::family::plan(&*self.plans, Which::Path(requested.path.clone(), Some(requested.version)))
                .await?;
        self.keep(id, Active { plan, execution, dedup: None });
        Ok(())
    }

    /// Keeps an Execution in memory: as long as it runs, and a while after it ended.
    pub(super) fn keep(&mut self, id: ExecutionId, active: Active) {
        let ended = active.execution.status.is_final();
        self.active.insert(id, active);
        if ended && !self.recent.contains(&id) {
            self.recent.push_back(id);
        }
        while self.recent.len() > RECENT {
            let Some(oldest) = self.recent.pop_front() else { break };
            if self.active.get(&oldest).is_some_and(|active| active.execution.status.is_final()) {
                self.active.remove(&oldest);
            }
        }
    }

    /// Sends unfinished Commands again, starts children that were asked for, and goes on.
    async fn take_up(&mut self, id: ExecutionId, out: &mut Vec<Item>) -> Result<(), ServerError> {
        match self.load(id).await {
            Err(error) if error.code == noetl_domain::code::Code::UnknownExecution => return Ok(()),
            loaded => loaded?,
        }
        let Some(active) = self.active.get(&id) else { return Ok(()) };
        if active.execution.status.is_final() {
            return Ok(());
        }
        let events = active.execution.resend();
        let children = active.execution.children_to_start();
        for timer in active.execution.timers_to_set(now_ms()) {
            // A timer that is in the store fires first, and then this one changes nothing.
            self.clock.set(id, timer.key, timer.due_ms);
        }
        self.advance(id, events, out).await?;
        self.start_children(id, children, out).await
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

fn refused(error: &ControlError) -> ServerError {
    ServerError::new(error.code, error.message.clone())
}

fn not_committed(error: AppendError) -> ServerError {
    match error {
        AppendError::Store(error) => ServerError::store("commit the decision", error),
        error => ServerError::unavailable(format!("the decision was not committed, try again: {error}")),
    }
}

/// Answers once everything since `mark` is committed; at once when nothing needs to be.
fn answer_after<T: Send + 'static>(
    out: &mut [Item],
    mark: usize,
    reply: Reply<T>,
    done: Result<(), ServerError>,
    value: T,
) {
    if let Err(error) = done {
        let _ = reply.send(Err(error));
        return;
    }
    match out.get_mut(mark..).and_then(<[Item]>::first_mut) {
        Some(item) => {
            item.after = Some(Box::new(move |committed| {
                let _ = reply.send(committed.map(|()| value).map_err(not_committed));
            }));
        }
        None => {
            let _ = reply.send(Ok(value));
        }
    }
}
