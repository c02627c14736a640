//! One input carried through: every Execution it touches is advanced, and what follows is made ready to commit.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use noetl_domain::command::{Command, StepResult};
use noetl_domain::error::TaskError;
use noetl_domain::event::{Event, Parent, Recorded, Status};
use noetl_domain::execution;
use noetl_domain::execution::{Advance, ChildStart, Execution, Needs, Plan, Timer};
use noetl_domain::id::{CommandId, ExecutionId};
use noetl_domain::result::Stored;

use super::ahead::{Ahead, Generation};
use super::clock::now_ms;
use super::decider::Decider;
use super::plans::{Which, choose};
use super::summary::summary;
use crate::error::ServerError;
use crate::store::{Append, AppendError, Dedup, EventStore};

/// An Execution in memory.
#[derive(Debug)]
pub(super) struct Active {
    pub(super) plan: Arc<Plan>,
    pub(super) execution: Execution,
    pub(super) generation: Generation,
    /// Set until its first append.
    pub(super) dedup: Option<Dedup>,
    pub(super) ahead: Ahead,
}

pub(super) type After = Box<dyn FnOnce(Result<(), AppendError>) + Send>;

/// One append, and what is done once it is committed.
pub(super) struct Item {
    pub(super) id: ExecutionId,
    pub(super) generation: Generation,
    /// Taken by the committer.
    pub(super) append: Option<Append>,
    pub(super) commands: Vec<Command>,
    pub(super) timers: Vec<Timer>,
    /// Workers stop working on what was issued up to this Event.
    pub(super) abort: Option<u64>,
    /// The decider goes on with it.
    pub(super) more: bool,
    pub(super) after: Option<After>,
}

impl Item {
    /// Nothing to append: an answer that waits for everything handed on before it.
    pub(super) fn answer(
        active: &Active,
        after: impl FnOnce(Result<(), AppendError>) + Send + 'static,
    ) -> Self {
        Self {
            id: active.execution.id,
            generation: active.generation,
            append: None,
            commands: Vec::new(),
            timers: Vec::new(),
            abort: None,
            more: false,
            after: Some(Box::new(after)),
        }
    }
}

impl<S: EventStore, B: noetl_bus::Bus> Decider<S, B> {
    /// Advances `id` and whatever follows in other Executions: children start, parents learn of an end.
    pub(super) async fn advance(
        &mut self,
        id: ExecutionId,
        happened: Vec<Event>,
        out: &mut Vec<Item>,
    ) -> Result<(), ServerError> {
        self.advance_all(VecDeque::from([(id, happened)]), out).await
    }

    /// Starts children that an earlier process was asked for and did not start.
    pub(super) async fn start_children(
        &mut self,
        id: ExecutionId,
        children: Vec<ChildStart>,
        out: &mut Vec<Item>,
    ) -> Result<(), ServerError> {
        let root = self.active.get(&id).and_then(|active| active.execution.requested.root).unwrap_or(id);
        let mut queue = VecDeque::new();
        for child in children {
            self.child(root, child, &mut queue).await;
        }
        self.advance_all(queue, out).await
    }

    async fn advance_all(
        &mut self,
        mut queue: VecDeque<(ExecutionId, Vec<Event>)>,
        out: &mut Vec<Item>,
    ) -> Result<(), ServerError> {
        while let Some((id, happened)) = queue.pop_front() {
            self.load(id).await?;
            let Some(mut active) = self.active.remove(&id) else { continue };
            let advanced = self.one(&mut active, happened, &mut queue).await;
            match advanced {
                Ok(item) => {
                    self.keep(id, active);
                    out.extend(item);
                }
                // The state is ahead of the log now; the log is read again when it is next needed.
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn one(
        &mut self,
        active: &mut Active,
        happened: Vec<Event>,
        queue: &mut VecDeque<(ExecutionId, Vec<Event>)>,
    ) -> Result<Option<Item>, ServerError> {
        let id = active.execution.id;
        let expected = active.execution.seq;
        let was = active.execution.status;
        let flew: HashMap<CommandId, u32> = active.execution.flights().collect();
        // What has just been answered is no longer in a worker's hands.
        let in_hand = flew.keys().any(|command| {
            !happened.iter().any(|event| matches!(event, Event::Called(report) if report.id == *command))
        });
        let at_ms = now_ms();
        let mut advance = Advance::new(happened, at_ms);
        while let Err(needs) = advance.run(&active.plan, &mut active.execution) {
            self.fetch(&mut active.execution, needs).await?;
        }
        active.execution.release();
        if advance.events.is_empty() {
            return Ok(None);
        }
        let execution = &active.execution;
        let mut append = Append::new(id, expected, summary(execution, active.plan.steps.len() as u64));
        append.summary.dedup = active.dedup.take();
        let flies: HashMap<CommandId, u32> = execution.flights().collect();
        for (command, attempt) in &flies {
            if flew.get(command) != Some(attempt) {
                append.open(command.clone(), *attempt);
            }
        }
        for command in flew.keys().filter(|command| !flies.contains_key(command)) {
            append.close(command.clone());
        }
        for timer in &advance.timers {
            append.set_timer(timer.key.clone(), timer.due_ms);
        }
        for event in &advance.events {
            if let Event::TimerFired { timer } = event {
                append.clear_timer(timer.clone());
            }
        }
        self.count(&advance.events, &advance.commands);
        append.events = advance
            .events
            .into_iter()
            .zip(expected + 1..)
            .map(|(event, seq)| Recorded { execution: id, seq, event_id: self.ids.next_id(), at_ms, event })
            .collect();
        let root = execution.requested.root.unwrap_or(id);
        for child in advance.children {
            self.child(root, child, queue).await;
        }
        let ended = was == Status::Running && execution.status.is_final();
        if ended {
            ended_for_others(execution, queue);
        }
        Ok(Some(Item {
            id,
            generation: active.generation,
            append: Some(append),
            commands: if execution.status.is_final() { Vec::new() } else { advance.commands },
            timers: advance.timers,
            abort: (ended && in_hand).then_some(execution.seq),
            more: advance.more,
            after: None,
        }))
    }

    async fn fetch(&self, execution: &mut Execution, needs: Needs) -> Result<(), ServerError> {
        for reference in needs.load {
            let value = self
                .results
                .get(&reference)
                .await
                .map_err(|error| ServerError::store("read a result", error))?;
            execution.provide(reference, value);
        }
        for object in needs.store {
            let stats = object.preview["stats"].clone();
            let mut reference = self
                .results
                .put_json(execution.id, &object.step, object.json.into_bytes(), object.preview)
                .await
                .map_err(|error| ServerError::store("keep a result", error))?;
            // Routing by counts must not load a million results.
            reference.extracted = serde_json::json!({ "count": stats["total"], "stats": stats });
            execution.stored(object.step, object.run, reference);
        }
        Ok(())
    }

    /// Starts a sub-playbook in the same transaction in which its parent learns of it.
    async fn child(
        &mut self,
        root: ExecutionId,
        start: ChildStart,
        queue: &mut VecDeque<(ExecutionId, Vec<Event>)>,
    ) {
        let ChildStart { id, index, request } = start;
        let parent = id.execution;
        let made = self.make_child(root, &id, index, &request).await;
        let event = match made {
            Ok((child, active, requested)) => {
                self.active.insert(child, active);
                queue.push_back((child, vec![requested]));
                Event::ChildStarted { id, index, child, request }
            }
            Err(error) => {
                let problem = TaskError::new("playbook", error.detail.clone()).with_code(error.code.as_str());
                let status = Status::Failed;
                let result = StepResult {
                    status: status.as_str().into(),
                    value: Stored::default(),
                    error: Some(problem),
                    ..StepResult::default()
                };
                Event::ChildFinished { id, index, child: ExecutionId(0), status, result: Box::new(result) }
            }
        };
        queue.push_back((parent, vec![event]));
    }

    async fn make_child(
        &mut self,
        root: ExecutionId,
        id: &CommandId,
        index: u64,
        request: &noetl_domain::report::ChildRequest,
    ) -> Result<(ExecutionId, Active, Event), ServerError> {
        let path = request.path.trim_end_matches(".yaml").trim_end_matches(".yml").to_owned();
        let child = ExecutionId(self.ids.next_id());
        let (which, rollout) = choose(&*self.plans, Which::Path(path, request.version), child);
        let plan = super::family::plan(&*self.plans, which).await?;
        let payload = super::family::payload(&*self.plans, &plan.path, &request.payload).await?;
        let requested = execution::request(
            &plan,
            child,
            now_ms(),
            execution::Request {
                payload,
                merge: true,
                parent: (!request.detached).then(|| Parent {
                    id: id.clone(),
                    index,
                    return_step: request.return_step.clone(),
                }),
                root: Some(root),
                trigger: "playbook".into(),
                env: Arc::clone(&self.env),
                rollout,
                ..execution::Request::default()
            },
        )
        .map_err(|error| ServerError::from_start(&error))?;
        let active = self.new_active(plan, Execution::new(child));
        Ok((child, active, Event::ExecutionRequested(Box::new(requested))))
    }
}

/// A parent learns how its child ended.
fn ended_for_others(execution: &Execution, queue: &mut VecDeque<(ExecutionId, Vec<Event>)>) {
    let Some(parent) = &execution.requested.parent else { return };
    let event = Event::ChildFinished {
        id: parent.id.clone(),
        index: parent.index,
        child: execution.id,
        status: execution.status,
        result: Box::new(returned(execution, parent.return_step.as_deref())),
    };
    queue.push_back((parent.id.execution, vec![event]));
}

/// What a child gives to its parent.
fn returned(execution: &Execution, return_step: Option<&str>) -> StepResult {
    let error = execution.finished.as_ref().and_then(|finished| finished.error.clone());
    let named =
        return_step.and_then(|step| execution.steps.get(step)).and_then(|state| state.result.as_ref());
    let result =
        named.or_else(|| execution.final_result()).map(|result| (**result).clone()).unwrap_or_default();
    StepResult { status: execution.status.as_str().into(), error, ..result }
}
