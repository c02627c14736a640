//! Delivery: Commands out, Reports back, Events onward. Decides nothing.
//!
//! The log is the record: a bus may lose or repeat anything, and the control plane sends again what was not answered.

pub mod conformance;
pub mod feed;
pub mod local;
pub mod results;

use std::future::Future;

use noetl_domain::command::Command;
use noetl_domain::id::ExecutionId;
use noetl_domain::report::{LogLine, Report};

#[derive(Debug, thiserror::Error)]
pub enum BusError {
    #[error("the bus is closed")]
    Closed,
    #[error("cannot {attempted}")]
    Transport {
        attempted: &'static str,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// A Command in a worker's hands: the right to work on it until the Lease ends.
#[derive(Debug)]
pub struct Delivery<L> {
    pub command: Command,
    pub lease: L,
}

/// What workers send to the control plane.
#[derive(Debug)]
pub enum Inbound {
    Report(Box<Report>),
    Logs(Vec<LogLine>),
}

/// An Execution ended before its time: Commands that were issued up to an Event of it are void.
///
/// Those of a later retry bear higher numbers, so that a cancel which arrives late cannot hit them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cancel {
    pub execution: ExecutionId,
    /// `seq` of the Event that ended it.
    pub until: u64,
}

impl Cancel {
    /// Whether it voids what Event `issued` of an Execution ordered.
    pub fn reaches(&self, execution: ExecutionId, issued: u64) -> bool {
        execution == self.execution && issued <= self.until
    }
}

/// Carries messages between the control plane and the workers. One suite, [`conformance`], runs over every one.
pub trait Bus: Send + Sync + 'static {
    /// The right to work on a Command; dropping it without a Report gives the Command back.
    type Lease: Send + Sync + std::fmt::Debug + 'static;

    /// Hands a Command to the workers of its pool; waits while the pool's window is full.
    fn send(&self, command: Command) -> impl Future<Output = Result<(), BusError>> + Send;

    /// The next Command for a worker of `pool`; waits until there is one. None: the bus is closed.
    fn take(&self, pool: &str) -> impl Future<Output = Option<Delivery<Self::Lease>>> + Send;

    /// Extends the Lease: the heartbeat.
    fn extend(&self, lease: &Self::Lease) -> impl Future<Output = Result<(), BusError>> + Send;

    /// Answers a Command and ends its Lease; waits while the control plane's window is full.
    fn report(&self, lease: Self::Lease, report: Report)
    -> impl Future<Output = Result<(), BusError>> + Send;

    /// Passes on what tools print, while they run.
    fn logs(&self, lines: Vec<LogLine>) -> impl Future<Output = Result<(), BusError>> + Send;

    /// The next message from a worker, for the control plane. None: the bus is closed.
    fn inbound(&self) -> impl Future<Output = Option<Inbound>> + Send;

    /// Tells every worker to stop working on what was issued for an Execution so far.
    fn cancel(&self, cancel: Cancel) -> impl Future<Output = Result<(), BusError>> + Send;

    /// Follows [`Bus::cancel`].
    fn cancellations(&self) -> tokio::sync::broadcast::Receiver<Cancel>;

    /// Ends delivery: `take` and `inbound` return None once what is on its way has arrived.
    fn close(&self);
}
