//! An Execution begins: its Playbook is found, its workload rendered, its first round run.

use std::sync::Arc;

use noetl_bus::Bus;
use noetl_domain::event::Event;
use noetl_domain::execution::{self, Execution};
use noetl_domain::id::ExecutionId;

use super::clock::now_ms;
use super::decider::Decider;
use super::input::Reply;
use super::metrics::add;
use super::orders::not_committed;
use super::plans::{Which, choose};
use super::round::{Active, Item};
use super::{Start, Started};
use crate::error::ServerError;
use crate::store::{AppendError, Dedup, EventStore};

impl<S: EventStore, B: Bus> Decider<S, B> {
    pub(super) async fn start(&mut self, start: Start, reply: Reply<Started>, out: &mut Vec<Item>) {
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
        let id = ExecutionId(self.ids.next_id());
        let (which, rollout) = choose(&*self.plans, which, id);
        let plan = super::family::plan(&*self.plans, which).await?;
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
            rollout,
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
        let active = Active { dedup, ..self.new_active(plan, Execution::new(id)) };
        self.active.insert(id, active);
        add(&self.metrics.executions_started, 1);
        self.advance(id, vec![Event::ExecutionRequested(Box::new(requested))], out).await?;
        Ok(started)
    }
}
