//! Which Executions are in memory: every running one, and a few that ended lately; the others are in their logs.

use std::sync::Arc;

use noetl_bus::Bus;
use noetl_domain::execution::{Execution, Plan};
use noetl_domain::id::ExecutionId;

use super::ahead::Ahead;
use super::clock::now_ms;
use super::decider::Decider;
use super::plans::Which;
use super::round::{Active, Item};
use crate::error::ServerError;
use crate::store::EventStore;

/// Finished Executions kept in memory for those who look at them right away.
const RECENT: usize = 64;

impl<S: EventStore, B: Bus> Decider<S, B> {
    pub(super) fn new_active(&mut self, plan: Arc<Plan>, execution: Execution) -> Active {
        self.generations += 1;
        Active { plan, execution, generation: self.generations, dedup: None, ahead: Ahead::default() }
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
        let active = self.new_active(plan, execution);
        self.keep(id, active);
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

    /// Lets go of what was deleted from the store. One that runs again by now was not deleted: it is kept.
    pub(super) fn forget(&mut self, ids: &[ExecutionId]) {
        for id in ids {
            if self.active.get(id).is_some_and(|active| active.execution.status.is_final()) {
                self.active.remove(id);
            }
        }
    }

    /// Sends unfinished Commands again, starts children that were asked for, and goes on.
    pub(super) async fn take_up(&mut self, id: ExecutionId, out: &mut Vec<Item>) -> Result<(), ServerError> {
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
}
