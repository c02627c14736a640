//! Where the assistant reads: the store, the catalog, the vault's labels, and the semantic layer when it is on.

use std::sync::Arc;

use noetl_api::proposal::{Proposal, ProposalFilter, ProposalState};
use noetl_assistant::evidence::{CredentialFound, Definition, OpenProposal, Similar};
use noetl_assistant::gather::{Brief, Slice, SourceError, Sources};
use noetl_bus::results::Results;
use noetl_domain::Value;
use noetl_domain::error::TaskError;
use noetl_domain::event::{Recorded, Status};
use noetl_domain::fingerprint::{Config, Miner};
use noetl_domain::id::ExecutionId;
use noetl_domain::report::LogLine;
use noetl_domain::result::ResultRef;
use noetl_indexer::Semantic;
use noetl_indexer::vectors::{Kind, Question};
use noetl_server::catalog::{Catalog, CatalogError};
use noetl_server::http::Pools;
use noetl_server::ids::now_ms;
use noetl_server::orchestrator::Which;
use noetl_server::proposals::Proposals;
use noetl_server::store::{
    EventQuery, EventStore as _, LogQuery, Order, SqliteStore, StoreError, Summary, SummaryQuery,
};
use noetl_server::vault::{Vault, VaultError};

/// Reads what the control plane keeps; changes nothing.
#[derive(Debug)]
pub(super) struct FromStore {
    pub(super) store: Arc<SqliteStore>,
    pub(super) catalog: Catalog,
    pub(super) vault: Vault,
    pub(super) results: Results,
    pub(super) pools: Pools,
    pub(super) semantic: Semantic,
    pub(super) proposals: Proposals,
}

/// Failures like this one that are named at most.
const SIMILAR: usize = 5;
/// Proposals that are looked at.
const PROPOSALS: u64 = 50;
/// Failures before one among which the same is looked for.
const EARLIER: usize = 20;

impl Sources for FromStore {
    async fn brief(&self, id: ExecutionId) -> Result<Option<Brief>, SourceError> {
        let found = self.store.summary(id).await.map_err(failed("read an execution"))?;
        Ok(found.map(brief))
    }

    async fn events(&self, id: ExecutionId, slice: Slice) -> Result<Vec<Recorded>, SourceError> {
        let mut query = EventQuery { execution: Some(id), ..EventQuery::default() };
        match slice {
            Slice::After { seq, limit } => {
                query.after_seq = Some(seq);
                query.limit = Some(limit);
            }
            Slice::Last { limit } => {
                query.order = Order::NewestFirst;
                query.limit = Some(limit);
            }
            Slice::Errors { limit } => {
                query.names = vec!["call.error".to_owned()];
                query.limit = Some(limit);
            }
        }
        let is_reversed = query.order == Order::NewestFirst;
        let found = self.store.events(query).await.map_err(failed("read the log of an execution"))?;
        let mut log: Vec<Recorded> = found.into_iter().map(|positioned| positioned.recorded).collect();
        if is_reversed {
            log.reverse();
        }
        Ok(log)
    }

    async fn others(
        &self,
        path: &str,
        before: Option<ExecutionId>,
        status: Option<Status>,
        limit: usize,
    ) -> Result<Vec<Brief>, SourceError> {
        let query = SummaryQuery {
            path: Some(path.to_owned()),
            status,
            before,
            limit: Some(limit),
            ..SummaryQuery::default()
        };
        let found = self.store.summaries(query).await.map_err(failed("list executions"))?;
        Ok(found.into_iter().map(brief).collect())
    }

    async fn definition(&self, path: &str, version: u32) -> Result<Option<Definition>, SourceError> {
        let which = Which::Path(path.to_owned(), Some(version));
        let entry = match self.catalog.get(&which).await {
            Ok(entry) => entry,
            Err(CatalogError::Unknown(_)) => return Ok(None),
            Err(error) => return Err(failed("read a playbook")(error)),
        };
        match self.catalog.plan_of(&which).await {
            Ok(plan) => Ok(Some(Definition {
                version: entry.version,
                text: entry.content,
                playbook: Arc::new(noetl_domain::playbook::Playbook::clone(&plan)),
                created_ms: entry.created_ms,
            })),
            // Registered by a version that read it otherwise: the rules do without it.
            Err(CatalogError::Refused { .. } | CatalogError::NotAPlaybook { .. }) => Ok(None),
            Err(error) => Err(failed("read a playbook")(error)),
        }
    }

    async fn credential(&self, name: &str) -> Result<Option<CredentialFound>, SourceError> {
        match self.vault.get(name).await {
            Ok(record) => Ok(Some(CredentialFound {
                kind: record.kind,
                created_ms: record.created_ms,
                updated_ms: record.updated_ms,
            })),
            Err(VaultError::Unknown(_)) => Ok(None),
            Err(error) => Err(failed("look up a credential")(error)),
        }
    }

    async fn result(&self, reference: &ResultRef) -> Result<Option<Arc<Value>>, SourceError> {
        // One that was deleted or damaged is not known, whatever the reason.
        Ok(self.results.get(reference).await.ok())
    }

    async fn lines(&self, id: ExecutionId, limit: usize) -> Result<Vec<LogLine>, SourceError> {
        let query = LogQuery { order: Order::NewestFirst, limit: Some(limit), ..LogQuery::of(id) };
        let found = self.store.logs(query).await.map_err(failed("read log lines"))?;
        Ok(found.into_iter().map(|logged| logged.line).collect())
    }

    fn serves(&self, pool: &str) -> bool {
        self.pools.serves(pool)
    }

    async fn similar(&self, brief: &Brief) -> Vec<Similar> {
        let (Some(error), Ok(vectors)) = (&brief.error, self.semantic.vectors()) else { return Vec::new() };
        let question = Question {
            text: &error.message,
            kinds: vec![Kind::Failure],
            limit: SIMILAR,
            ..Question::default()
        };
        // The answer is complete without them.
        let hits = vectors.search(&question, now_ms()).await.unwrap_or_default();
        let mut found = Vec::new();
        for hit in hits {
            let Ok(mut execution) = hit.facts.execution_id.parse() else { continue };
            if execution == brief.execution {
                // A point stands for all failures of its shape and names the newest; the one before it is meant.
                let Some(earlier) = self.same_before(brief, error).await.unwrap_or_default() else {
                    continue;
                };
                execution = earlier;
            }
            let ended_by = self.ended_by(execution).await.unwrap_or_default();
            found.push(Similar { execution, score: f64::from(hit.score), ended_by });
        }
        found
    }

    async fn proposals(&self, path: &str) -> Vec<OpenProposal> {
        let filter = ProposalFilter {
            playbook: Some(path.to_owned()),
            state: Some(ProposalState::Proposed),
            limit: Some(PROPOSALS),
            ..ProposalFilter::default()
        };
        // The answer is complete without them.
        let found = self.proposals.list(&filter).await.unwrap_or_default();
        let open = |one: Proposal| OpenProposal {
            id: one.id,
            kind: one.proposed.kind,
            step: one.proposed.step,
            cause: one.proposed.cause,
            title: one.proposed.title,
        };
        found.into_iter().map(open).collect()
    }
}

impl FromStore {
    /// The newest failure of the same playbook before this one whose message has the same shape.
    async fn same_before(&self, brief: &Brief, error: &TaskError) -> Result<Option<ExecutionId>, StoreError> {
        let query = SummaryQuery {
            path: Some(brief.path.clone()),
            status: Some(Status::Failed),
            before: Some(brief.execution),
            limit: Some(EARLIER),
            ..SummaryQuery::default()
        };
        let mut miner = Miner::new(Config::default());
        let shape = miner.observe(&error.message).id;
        let earlier = self.store.summaries(query).await?;
        let same = earlier
            .into_iter()
            .find(|one| one.error.as_ref().is_some_and(|error| miner.observe(&error.message).id == shape));
        Ok(same.map(|one| one.execution))
    }

    /// What went well after a failure: itself when it was tried again, else the newest good run of its playbook.
    async fn ended_by(&self, id: ExecutionId) -> Result<Option<String>, StoreError> {
        let Some(failed) = self.store.summary(id).await? else { return Ok(None) };
        if failed.status == Status::Completed {
            return Ok(Some("a retry".to_owned()));
        }
        let query = SummaryQuery {
            path: Some(failed.path),
            status: Some(Status::Completed),
            since_ms: Some(failed.started_ms),
            limit: Some(1),
            ..SummaryQuery::default()
        };
        let newest = self.store.summaries(query).await?.pop().filter(|newest| newest.execution > id);
        Ok(newest.map(|newest| format!("a good run of version {}", newest.version)))
    }
}

fn brief(summary: Summary) -> Brief {
    Brief {
        execution: summary.execution,
        path: summary.path,
        version: summary.version,
        status: summary.status,
        started_ms: summary.started_ms,
        finished_ms: summary.finished_ms,
        error: summary.error,
        failed_steps: summary.counts.failed,
        events: summary.events,
    }
}

pub(super) fn failed<E: std::error::Error + Send + Sync + 'static>(
    attempted: &'static str,
) -> impl Fn(E) -> SourceError {
    move |source| SourceError { attempted, source: Box::new(source) }
}
