//! Where evidence comes from: one narrow trait, implemented over the store and by tests.

use std::future::Future;
use std::sync::Arc;

use noetl_domain::Value;
use noetl_domain::error::TaskError;
use noetl_domain::event::{Recorded, Status};
use noetl_domain::id::ExecutionId;
use noetl_domain::report::LogLine;
use noetl_domain::result::ResultRef;

use crate::evidence::{CredentialFound, Definition, OpenProposal, Similar};

#[derive(Debug, thiserror::Error)]
#[error("cannot {attempted}")]
pub struct SourceError {
    pub attempted: &'static str,
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

/// An execution as lists show it.
#[derive(Clone, Debug)]
pub struct Brief {
    pub execution: ExecutionId,
    pub path: String,
    pub version: u32,
    pub status: Status,
    /// Unix milliseconds.
    pub started_ms: i64,
    pub finished_ms: Option<i64>,
    pub error: Option<TaskError>,
    pub failed_steps: u64,
    /// Events in its log.
    pub events: u64,
}

/// A part of a log, in order.
#[derive(Clone, Debug)]
pub enum Slice {
    After {
        seq: u64,
        limit: usize,
    },
    /// The last ones.
    Last {
        limit: usize,
    },
    /// Those that tell of errors, oldest first.
    Errors {
        limit: usize,
    },
}

/// Everything that is asked for; reading it changes nothing.
pub trait Sources: Send + Sync + 'static {
    fn brief(&self, id: ExecutionId) -> impl Future<Output = Result<Option<Brief>, SourceError>> + Send;

    fn events(
        &self,
        id: ExecutionId,
        slice: Slice,
    ) -> impl Future<Output = Result<Vec<Recorded>, SourceError>> + Send;

    /// Executions of a playbook, newest first; `before`: only those that were started before this one.
    fn others(
        &self,
        path: &str,
        before: Option<ExecutionId>,
        status: Option<Status>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Brief>, SourceError>> + Send;

    fn definition(
        &self,
        path: &str,
        version: u32,
    ) -> impl Future<Output = Result<Option<Definition>, SourceError>> + Send;

    fn credential(
        &self,
        name: &str,
    ) -> impl Future<Output = Result<Option<CredentialFound>, SourceError>> + Send;

    /// What lies behind a reference; None when it is gone.
    fn result(
        &self,
        reference: &ResultRef,
    ) -> impl Future<Output = Result<Option<Arc<Value>>, SourceError>> + Send;

    /// What tools printed, newest first.
    fn lines(
        &self,
        id: ExecutionId,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<LogLine>, SourceError>> + Send;

    /// Whether somebody takes the work of this pool.
    fn serves(&self, pool: &str) -> bool;

    /// Failures that look like this one; nothing when the vector store is off.
    fn similar(&self, brief: &Brief) -> impl Future<Output = Vec<Similar>> + Send;

    /// Proposals for a playbook that wait for a decision; nothing where none are kept.
    fn proposals(&self, _path: &str) -> impl Future<Output = Vec<OpenProposal>> + Send {
        async { Vec::new() }
    }
}
