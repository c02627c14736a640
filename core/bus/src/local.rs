//! The bus inside one process: bounded windows, nothing durable.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use noetl_domain::command::Command;
use noetl_domain::report::{LogLine, Report};
use tokio::sync::{Semaphore, broadcast, mpsc};

use crate::{Bus, BusError, Cancel, Delivery, Inbound};

/// The pool of Commands that name none.
pub const DEFAULT_POOL: &str = "default";

#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// Commands of one pool that may wait for a worker.
    pub commands: usize,
    /// Messages that may wait for the control plane.
    pub inbound: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self { commands: 1024, inbound: 1024 }
    }
}

#[derive(Debug)]
pub struct Local {
    config: Config,
    pools: Mutex<HashMap<String, Arc<Pool>>>,
    to_control: Mutex<Option<mpsc::Sender<Inbound>>>,
    from_workers: tokio::sync::Mutex<mpsc::Receiver<Inbound>>,
    cancellations: broadcast::Sender<Cancel>,
    closed: AtomicBool,
}

#[derive(Debug)]
struct Pool {
    queue: Mutex<VecDeque<Command>>,
    waiting: Semaphore,
    room: Semaphore,
    /// Commands in workers' hands.
    held: AtomicU64,
}

/// How many Commands wait for a worker, and how many workers hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depth {
    pub waiting: u64,
    pub held: u64,
}

impl Pool {
    fn push_front(&self, command: Command) {
        lock(&self.queue).push_front(command);
        self.waiting.add_permits(1);
    }

    fn pop(&self) -> Option<Command> {
        let command = lock(&self.queue).pop_front();
        if command.is_some() {
            self.room.add_permits(1);
        }
        command
    }
}

/// Gives the Command back when it is dropped unanswered.
#[derive(Debug)]
pub struct LocalLease {
    pool: Arc<Pool>,
    command: Option<Command>,
}

impl Drop for LocalLease {
    fn drop(&mut self) {
        self.pool.held.fetch_sub(1, Ordering::Relaxed);
        if let Some(command) = self.command.take() {
            self.pool.push_front(command);
        }
    }
}

impl Local {
    pub fn new(config: Config) -> Self {
        let (to_control, from_workers) = mpsc::channel(config.inbound);
        Self {
            config,
            pools: Mutex::default(),
            to_control: Mutex::new(Some(to_control)),
            from_workers: tokio::sync::Mutex::new(from_workers),
            cancellations: broadcast::channel(1024).0,
            closed: AtomicBool::new(false),
        }
    }

    /// For metrics.
    pub fn depth(&self) -> Depth {
        lock(&self.pools).values().fold(Depth::default(), |depth, pool| Depth {
            waiting: depth.waiting + lock(&pool.queue).len() as u64,
            held: depth.held + pool.held.load(Ordering::Relaxed),
        })
    }

    fn pool(&self, name: &str) -> Arc<Pool> {
        let mut pools = lock(&self.pools);
        if let Some(pool) = pools.get(name) {
            return Arc::clone(pool);
        }
        let pool = Arc::new(Pool {
            queue: Mutex::default(),
            waiting: Semaphore::new(0),
            room: Semaphore::new(self.config.commands),
            held: AtomicU64::new(0),
        });
        if self.closed.load(Ordering::SeqCst) {
            pool.waiting.close();
            pool.room.close();
        }
        pools.insert(name.to_owned(), Arc::clone(&pool));
        pool
    }

    async fn to_control(&self, message: Inbound) -> Result<(), BusError> {
        let sender = lock(&self.to_control).clone().ok_or(BusError::Closed)?;
        sender.send(message).await.map_err(|_| BusError::Closed)
    }
}

impl Bus for Local {
    type Lease = LocalLease;

    async fn send(&self, command: Command) -> Result<(), BusError> {
        let pool = self.pool(command.pool.as_deref().unwrap_or(DEFAULT_POOL));
        pool.room.acquire().await.map_err(|_| BusError::Closed)?.forget();
        lock(&pool.queue).push_back(command);
        pool.waiting.add_permits(1);
        Ok(())
    }

    async fn take(&self, pool: &str) -> Option<Delivery<LocalLease>> {
        let pool = self.pool(pool);
        // A closed semaphore still lets what has arrived be taken.
        if let Ok(permit) = pool.waiting.acquire().await {
            permit.forget();
        }
        let command = pool.pop()?;
        pool.held.fetch_add(1, Ordering::Relaxed);
        let lease = LocalLease { pool, command: Some(command.clone()) };
        Some(Delivery { command, lease })
    }

    async fn extend(&self, _lease: &LocalLease) -> Result<(), BusError> {
        // Worker and control plane die together here, so a Lease needs no end.
        Ok(())
    }

    async fn report(&self, mut lease: LocalLease, report: Report) -> Result<(), BusError> {
        let sent = self.to_control(Inbound::Report(Box::new(report))).await;
        if sent.is_ok() {
            lease.command = None;
        }
        sent
    }

    async fn logs(&self, lines: Vec<LogLine>) -> Result<(), BusError> {
        self.to_control(Inbound::Logs(lines)).await
    }

    async fn inbound(&self) -> Option<Inbound> {
        self.from_workers.lock().await.recv().await
    }

    async fn cancel(&self, cancel: Cancel) -> Result<(), BusError> {
        // Nobody listening means nobody works.
        let _ = self.cancellations.send(cancel);
        Ok(())
    }

    fn cancellations(&self) -> broadcast::Receiver<Cancel> {
        self.cancellations.subscribe()
    }

    fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        lock(&self.to_control).take();
        for pool in lock(&self.pools).values() {
            pool.waiting.close();
            pool.room.close();
        }
    }
}

/// A poisoned lock only means that another thread panicked between two plain assignments.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn keeps_the_promises_of_a_bus() {
        crate::conformance::suite(|commands, inbound| Local::new(Config { commands, inbound })).await;
    }
}
