//! Where Proposals read history: the log of the newest executions, not the analytic tables.
//!
//! A row of `noetl_steps` tells how often a step was tried and forgets which try failed of what, and the tables may be
//! off or behind; the log has every try, and a thousand executions of it are read in about a second. The query that a
//! Proposal carries counts the same in the tables, where each such try is a row (`call.try`).

use noetl_assistant::evidence::Definition;
use noetl_assistant::gather::{Options, SourceError, Sources as _, gather};
use noetl_assistant::proposal::{Defect, History, Observed, defect_of, fold};
use noetl_domain::event::{Recorded, Status};
use noetl_domain::id::ExecutionId;
use noetl_server::catalog::{CatalogError, CatalogQuery, PLAYBOOK};
use noetl_server::orchestrator::Which;
use noetl_server::store::{EventQuery, EventStore as _, SummaryQuery};

use super::sources::{FromStore, failed};

/// Executions with longer logs are left out: reading one would cost as much as reading all others.
const LONGEST_LOG: u64 = 5_000;

impl History for FromStore {
    async fn paths(&self) -> Result<Vec<String>, SourceError> {
        let query = CatalogQuery { kind: Some(PLAYBOOK.to_owned()), ..CatalogQuery::default() };
        let entries = self.catalog.list(query).await.map_err(failed("list playbooks"))?;
        let mut paths: Vec<String> = entries.into_iter().map(|entry| entry.path).collect();
        paths.sort();
        paths.dedup();
        Ok(paths)
    }

    async fn definition(&self, path: &str, version: Option<u32>) -> Result<Option<Definition>, SourceError> {
        let Some(version) = version else {
            let newest = match self.catalog.get(&Which::Path(path.to_owned(), None)).await {
                Ok(entry) => entry.version,
                Err(CatalogError::Unknown(_)) => return Ok(None),
                Err(error) => return Err(failed("read a playbook")(error)),
            };
            return noetl_assistant::Sources::definition(self, path, newest).await;
        };
        noetl_assistant::Sources::definition(self, path, version).await
    }

    async fn observed(&self, path: &str, most: usize) -> Result<Vec<Observed>, SourceError> {
        let query =
            SummaryQuery { path: Some(path.to_owned()), limit: Some(most), ..SummaryQuery::default() };
        let summaries = self.store.summaries(query).await.map_err(failed("list executions"))?;
        let mut found = Vec::new();
        // Newest first; estimators read them in order of time.
        for summary in summaries.iter().rev() {
            if summary.status.is_final() && summary.events <= LONGEST_LOG {
                found.extend(fold(&self.log(summary.execution).await?));
            }
        }
        Ok(found)
    }

    async fn has_credential(&self, name: &str) -> Result<bool, SourceError> {
        Ok(self.credential(name).await?.is_some())
    }

    async fn defects(&self, failures: &[Observed]) -> Result<Vec<Defect>, SourceError> {
        let mut found = Vec::new();
        for one in failures {
            // An execution that was deleted meanwhile says nothing.
            if let Ok(evidence) = gather(self, one.execution, Options::default()).await {
                found.extend(defect_of(&noetl_assistant::diagnose(&evidence)));
            }
        }
        Ok(found)
    }

    async fn ended_since(&self, path: &str, since_ms: i64, most: usize) -> Result<u64, SourceError> {
        let query = SummaryQuery {
            path: Some(path.to_owned()),
            since_ms: Some(since_ms),
            limit: Some(most),
            ..SummaryQuery::default()
        };
        let newest = self.store.summaries(query).await.map_err(failed("list executions"))?;
        Ok(newest.iter().filter(|one| one.status != Status::Running).count() as u64)
    }
}

impl FromStore {
    async fn log(&self, execution: ExecutionId) -> Result<Vec<Recorded>, SourceError> {
        let query = EventQuery {
            execution: Some(execution),
            limit: Some(LONGEST_LOG as usize),
            ..EventQuery::default()
        };
        let events = self.store.events(query).await.map_err(failed("read the log of an execution"))?;
        Ok(events.into_iter().map(|positioned| positioned.recorded).collect())
    }
}
