//! What people order: cancel, finalize, retry, variables, notes, a look. Each is answered once it is committed.

use std::collections::VecDeque;
use std::sync::Arc;

use noetl_bus::Bus;
use noetl_domain::code::Code;
use noetl_domain::event::{Diagnosed, Event, Status};
use noetl_domain::execution::{self, ControlError, Execution};
use noetl_domain::id::ExecutionId;

use super::Snapshot;
use super::decider::Decider;
use super::input::Reply;
use super::round::{Active, Item};
use crate::error::ServerError;
use crate::store::{AppendError, EventStore};

impl<S: EventStore, B: Bus> Decider<S, B> {
    pub(super) async fn cancel(
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

    pub(super) async fn order(
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

    pub(super) async fn note(
        &mut self,
        id: ExecutionId,
        noted: Event,
        reply: Reply<u64>,
        out: &mut Vec<Item>,
    ) {
        let mark = out.len();
        let done = self.advance(id, vec![noted], out).await;
        let appended =
            out.get(mark).and_then(|item| item.append.as_ref()).and_then(|append| append.events.first());
        let event_id = appended.map_or(0, |event| event.event_id);
        answer_after(out, mark, reply, done, event_id);
    }

    /// Keeps a Diagnosis, unless the Execution has gone on since.
    pub(super) async fn diagnosed(
        &mut self,
        id: ExecutionId,
        diagnosed: Box<Diagnosed>,
        reply: Reply<u64>,
        out: &mut Vec<Item>,
    ) {
        let refusal = match self.load(id).await {
            Err(error) => Some(error),
            Ok(()) => match self.active.get(&id).map(|active| active.execution.status) {
                Some(Status::Failed) => None,
                Some(_) => Some(ServerError::new(
                    Code::IllegalTransition,
                    "the execution is not a failed one any more",
                )),
                None => Some(ServerError::unknown_execution(id)),
            },
        };
        match refusal {
            None => self.note(id, Event::DiagnosisMade(diagnosed), reply, out).await,
            Some(error) => {
                let _ = reply.send(Err(error));
            }
        }
    }

    /// Nobody is told what is not committed yet: the answer waits for everything decided before it.
    pub(super) async fn look(&mut self, id: ExecutionId, reply: Reply<Arc<Snapshot>>, out: &mut Vec<Item>) {
        match self.snapshot(id).await {
            Ok((active, snapshot)) => out.push(Item::answer(active, move |committed| {
                let _ = reply.send(committed.map(|()| snapshot).map_err(not_committed));
            })),
            Err(error) => {
                let _ = reply.send(Err(error));
            }
        }
    }

    async fn snapshot(&mut self, id: ExecutionId) -> Result<(&Active, Arc<Snapshot>), ServerError> {
        self.load(id).await?;
        let active = self.active.get(&id).ok_or_else(|| ServerError::unknown_execution(id))?;
        Ok((active, Arc::new(Snapshot::new(&active.execution, &active.plan))))
    }
}

fn refused(error: &ControlError) -> ServerError {
    ServerError::new(error.code, error.message.clone())
}

pub(super) fn not_committed(error: AppendError) -> ServerError {
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
