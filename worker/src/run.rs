//! The worker's loop: takes Commands of its pool, works on them side by side, and answers each with one Report.

mod cancels;
mod logs;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt as _;
use noetl_bus::results::Results;
use noetl_bus::{Bus, Delivery};
use noetl_domain::report::{ItemReport, Outcome, Report};
use noetl_domain::usage::Usage;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use self::cancels::Cancels;
use self::logs::Logs;
use crate::config::Config;
use crate::credential::CredentialSource;
use crate::job::{Job, Services, now_ms};
use crate::slot::Slot;
use crate::work;

/// Runs until `shutdown` fires or the bus closes. Commands in hand get `config.grace` to finish; what is not answered
/// by then goes back to the bus.
pub async fn run<B: Bus>(
    config: Config,
    bus: Arc<B>,
    credentials: Arc<dyn CredentialSource>,
    results: Results,
    shutdown: CancellationToken,
) {
    let services = Arc::new(Services::new(config, credentials, results));
    serve(services, bus, shutdown).await;
}

/// As [`run`], over services that are set up already.
pub async fn serve<B: Bus>(services: Arc<Services>, bus: Arc<B>, shutdown: CancellationToken) {
    let config = &services.config;
    services.registry.warm();
    let places = Arc::new(Semaphore::new(config.concurrency.max(1)));
    let cancels = Arc::new(Cancels::default());
    let logs = Logs::start(Arc::clone(&bus));
    let listening = tokio::spawn(Arc::clone(&cancels).listen(bus.cancellations()));
    let mut working = JoinSet::new();
    tracing::info!(
        worker = config.name,
        pool = config.pool,
        concurrency = config.concurrency,
        "worker started"
    );
    loop {
        while working.try_join_next().is_some() {}
        let permit = tokio::select! {
            permit = Arc::clone(&places).acquire_owned() => permit,
            () = shutdown.cancelled() => break,
        };
        let Ok(permit) = permit else { break };
        let delivery = tokio::select! {
            delivery = bus.take(&config.pool) => delivery,
            () = shutdown.cancelled() => break,
        };
        let Some(delivery) = delivery else { break };
        let slot = Slot::new(Arc::clone(&places), permit);
        let (services, bus) = (Arc::clone(&services), Arc::clone(&bus));
        working.spawn(answer(services, bus, delivery, slot, Arc::clone(&cancels), logs.clone()));
    }
    let finished = async { while working.join_next().await.is_some() {} };
    if tokio::time::timeout(config.grace, finished).await.is_err() {
        tracing::warn!(worker = config.name, commands = working.len(), "commands given back at shutdown");
    }
    working.shutdown().await;
    logs.flush().await;
    listening.abort();
}

async fn answer<B: Bus>(
    services: Arc<Services>,
    bus: Arc<B>,
    delivery: Delivery<B::Lease>,
    slot: Slot,
    cancels: Arc<Cancels>,
    logs: Logs,
) {
    let Delivery { command, lease } = delivery;
    let (execution, step) = (command.id.execution, command.id.step.clone());
    let watched = cancels.watch(&command);
    let heartbeat = services.config.heartbeat;
    let report = if watched.token.is_cancelled() {
        cancelled(&command, &services.config.name)
    } else {
        let message = "the worker failed in the middle of this step, which is a bug of ours";
        let broken = work::broken(&command, &services.config.name, message);
        let job = Job::new(Arc::clone(&services), command, watched.token.clone(), slot, logs.sink());
        let mut working = Box::pin(AssertUnwindSafe(work::work(job)).catch_unwind());
        let mut beat = tokio::time::interval(heartbeat);
        beat.reset();
        let outcome = loop {
            tokio::select! {
                outcome = &mut working => break outcome,
                _ = beat.tick() => {
                    if let Err(error) = bus.extend(&lease).await {
                        tracing::warn!(execution.id = %execution, step, %error, "the lease could not be extended");
                    }
                }
            }
        };
        outcome.unwrap_or_else(|_| {
            tracing::error!(execution.id = %execution, step, "the work on a command panicked");
            broken
        })
    };
    logs.flush().await;
    if let Err(error) = bus.report(lease, report).await {
        tracing::warn!(execution.id = %execution, step, %error, "a report could not be delivered; the command will be sent again");
    }
}

/// For a Command whose Execution was cancelled while it waited for a worker.
fn cancelled(command: &noetl_domain::command::Command, worker: &str) -> Report {
    let now = now_ms();
    Report {
        id: command.id.clone(),
        attempt: command.attempt,
        worker: worker.to_owned(),
        started_ms: now,
        finished_ms: now,
        runs: Vec::new(),
        items: vec![ItemReport { outcome: Outcome::Cancelled, ..ItemReport::default() }],
        claimed: None,
        undefined: Vec::new(),
        usage: Usage::default(),
    }
}
