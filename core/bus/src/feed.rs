//! The feed of what was committed, for those who follow it and are never waited for.
//!
//! A follower keeps its own place; the feed knows nobody.
//! What it hands out is not parsed, so that an Event that somebody cannot read does not stop the ones after it.

use std::future::Future;

use noetl_domain::id::ExecutionId;
use noetl_domain::report::LogLine;

#[derive(Debug, thiserror::Error)]
#[error("cannot {attempted}")]
pub struct FeedError {
    pub attempted: &'static str,
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

/// An Event as the log holds it.
#[derive(Clone, Debug)]
pub struct CommittedEvent {
    /// Its place in the order of all commits; grows, with gaps where old Executions were deleted.
    pub position: u64,
    pub execution: ExecutionId,
    pub seq: u64,
    pub event_id: u64,
    /// Unix milliseconds.
    pub at_ms: i64,
    /// The Event as JSON.
    pub data: String,
}

/// A log line with its place among all lines.
#[derive(Clone, Debug)]
pub struct CommittedLine {
    pub position: u64,
    pub line: LogLine,
}

/// Where the feed ends at the moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Heads {
    pub events: u64,
    pub lines: u64,
}

/// One version of a Playbook as it was registered.
#[derive(Clone, Debug)]
pub struct Definition {
    pub path: String,
    pub version: u32,
    pub content: String,
    /// Unix milliseconds.
    pub created_ms: i64,
}

/// Names one version of a Playbook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    pub path: String,
    pub version: u32,
}

/// Hands out what was committed, in the order of commits.
pub trait Feed: Send + Sync + 'static {
    fn heads(&self) -> impl Future<Output = Result<Heads, FeedError>> + Send;

    /// Events after a position: at most so many, and about so many bytes of them; at least one if there is one.
    fn events(
        &self,
        after: u64,
        limit: usize,
        bytes: usize,
    ) -> impl Future<Output = Result<Vec<CommittedEvent>, FeedError>> + Send;

    /// The log of one Execution up to a position, for a follower that comes in half-way.
    fn history(
        &self,
        execution: ExecutionId,
        up_to: u64,
    ) -> impl Future<Output = Result<Vec<CommittedEvent>, FeedError>> + Send;

    /// The first Event of an Execution.
    fn opening(
        &self,
        execution: ExecutionId,
    ) -> impl Future<Output = Result<Option<CommittedEvent>, FeedError>> + Send;

    /// What tools printed, after a position.
    fn lines(
        &self,
        after: u64,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<CommittedLine>, FeedError>> + Send;

    /// Comes when there may be something after these places; may come for nothing.
    fn changed(&self, after: Heads) -> impl Future<Output = ()> + Send;

    /// A registered version of a Playbook; versions count from 1, and 0 asks for the newest.
    fn definition(
        &self,
        path: &str,
        version: u32,
    ) -> impl Future<Output = Result<Option<Definition>, FeedError>> + Send;

    /// The newest version of every registered Playbook.
    fn definitions(&self) -> impl Future<Output = Result<Vec<Definition>, FeedError>> + Send;

    /// The same without their texts, for those who look often whether something has changed.
    fn versions(&self) -> impl Future<Output = Result<Vec<Version>, FeedError>> + Send;
}
