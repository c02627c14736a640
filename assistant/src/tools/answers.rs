//! Where tools read: one narrow trait. The typed client of the API is one implementation, so that the server, a process
//! of its own and a test ask the same way and under the same limits.

use std::fmt;
use std::future::Future;

use noetl_api::catalog::{CatalogEntry, CatalogListRequest};
use noetl_api::client::{Client, ClientError};
use noetl_api::diagnosis::{DiagnoseRequest, Diagnosis};
use noetl_api::error::ErrorBody;
use noetl_api::event::{EventFilter, EventPage};
use noetl_api::execution::{ExecutionFilter, ExecutionStatus, ExecutionSummary};
use noetl_api::insight::{
    Anomalies, Bottlenecks, Cluster, Comparison, InsightFilter, SqlAnswer, SqlQuestion, Stats,
};
use noetl_api::proposal::{Proposal, ProposalFilter, Simulation};
use noetl_api::search::{SearchAnswer, SearchQuestion, Similar};
use noetl_api::what_if::{Foreseen, WhatIf};
use noetl_domain::code::Code;
use noetl_domain::id::ExecutionId;

/// Why a question was not answered, with a Code and the next thing to try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble(pub Box<ErrorBody>);

impl Trouble {
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self(Box::new(ErrorBody::new(code, detail)))
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    pub(crate) fn is(&self, codes: &[Code]) -> bool {
        self.0.code().is_some_and(|code| codes.contains(&code))
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.detail)?;
        self.0.hint.as_ref().map_or(Ok(()), |hint| write!(f, " ({hint})"))
    }
}

impl std::error::Error for Trouble {}

impl From<ClientError> for Trouble {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Refused { body, .. } => Self(body),
            other => {
                let trouble = Self::new(other.code(), other.to_string());
                match other.hint() {
                    Some(hint) => trouble.hint(hint),
                    None => trouble,
                }
            }
        }
    }
}

/// A question on its way.
pub(crate) type Asked<T> = Result<T, Trouble>;

/// Everything that tools ask; reading it changes nothing.
pub trait Answers: Send + Sync + 'static {
    fn search(&self, question: &SearchQuestion) -> impl Future<Output = Asked<SearchAnswer>> + Send;
    fn similar(&self, id: &str, limit: Option<u64>) -> impl Future<Output = Asked<Similar>> + Send;
    fn stats(&self, filter: &InsightFilter) -> impl Future<Output = Asked<Stats>> + Send;
    fn clusters(&self, filter: &InsightFilter) -> impl Future<Output = Asked<Vec<Cluster>>> + Send;
    fn anomalies(&self, filter: &InsightFilter) -> impl Future<Output = Asked<Anomalies>> + Send;
    fn bottlenecks(&self, filter: &InsightFilter) -> impl Future<Output = Asked<Bottlenecks>> + Send;
    fn compare(&self, a: &str, b: &str) -> impl Future<Output = Asked<Comparison>> + Send;
    fn sql(&self, question: &SqlQuestion) -> impl Future<Output = Asked<SqlAnswer>> + Send;
    fn events(&self, id: ExecutionId, filter: &EventFilter) -> impl Future<Output = Asked<EventPage>> + Send;
    fn execution(&self, id: ExecutionId) -> impl Future<Output = Asked<ExecutionStatus>> + Send;
    /// Newest first.
    fn executions(
        &self,
        filter: &ExecutionFilter,
    ) -> impl Future<Output = Asked<Vec<ExecutionSummary>>> + Send;
    /// The newest version of every playbook, without the texts.
    fn playbooks(&self) -> impl Future<Output = Asked<Vec<CatalogEntry>>> + Send;
    /// One version with its text; without `version`, the newest.
    fn playbook(&self, path: &str, version: Option<u32>) -> impl Future<Output = Asked<CatalogEntry>> + Send;
    fn why(&self, id: ExecutionId) -> impl Future<Output = Asked<Diagnosis>> + Send;

    /// Proposals that are kept.
    fn proposals(&self, _filter: &ProposalFilter) -> impl Future<Output = Asked<Vec<Proposal>>> + Send {
        async { Err(off("proposals")) }
    }

    /// What one of them would have done to past executions.
    fn simulate(&self, _id: &str) -> impl Future<Output = Asked<Simulation>> + Send {
        async { Err(off("simulations of proposals")) }
    }

    /// What the laws of Proposals expect of another value of a parameter.
    fn foresee(&self, _question: &WhatIf) -> impl Future<Output = Asked<Foreseen>> + Send {
        async { Err(off("expectations of other values")) }
    }
}

pub(crate) fn off(what: &str) -> Trouble {
    Trouble::new(Code::ToolOff, format!("{what} are not offered by this server"))
        .hint("`noetl chat \"what can you answer?\"` lists what is")
}

impl Answers for Client {
    async fn search(&self, question: &SearchQuestion) -> Asked<SearchAnswer> {
        Ok(self.search(question).await?)
    }

    async fn similar(&self, id: &str, limit: Option<u64>) -> Asked<Similar> {
        Ok(self.similar(id, limit).await?)
    }

    async fn stats(&self, filter: &InsightFilter) -> Asked<Stats> {
        Ok(self.stats(filter).await?)
    }

    async fn clusters(&self, filter: &InsightFilter) -> Asked<Vec<Cluster>> {
        Ok(self.clusters(filter).await?)
    }

    async fn anomalies(&self, filter: &InsightFilter) -> Asked<Anomalies> {
        Ok(self.anomalies(filter).await?)
    }

    async fn bottlenecks(&self, filter: &InsightFilter) -> Asked<Bottlenecks> {
        Ok(self.bottlenecks(filter, None).await?)
    }

    async fn compare(&self, a: &str, b: &str) -> Asked<Comparison> {
        Ok(self.compare(a, b).await?)
    }

    async fn sql(&self, question: &SqlQuestion) -> Asked<SqlAnswer> {
        Ok(self.ask_sql(question).await?)
    }

    async fn events(&self, id: ExecutionId, filter: &EventFilter) -> Asked<EventPage> {
        Ok(self.events(id, filter).await?)
    }

    async fn execution(&self, id: ExecutionId) -> Asked<ExecutionStatus> {
        Ok(self.status(id).await?)
    }

    async fn executions(&self, filter: &ExecutionFilter) -> Asked<Vec<ExecutionSummary>> {
        Ok(self.executions(filter).await?)
    }

    async fn playbooks(&self) -> Asked<Vec<CatalogEntry>> {
        Ok(self.catalog_list(&CatalogListRequest::default()).await?.entries)
    }

    async fn playbook(&self, path: &str, version: Option<u32>) -> Asked<CatalogEntry> {
        Ok(self.resource(path, version).await?)
    }

    async fn why(&self, id: ExecutionId) -> Asked<Diagnosis> {
        Ok(self.diagnose(id, &DiagnoseRequest::default()).await?)
    }

    async fn proposals(&self, filter: &ProposalFilter) -> Asked<Vec<Proposal>> {
        Ok(self.proposals(filter).await?.items)
    }

    async fn simulate(&self, id: &str) -> Asked<Simulation> {
        Ok(self.simulate_proposal(id).await?)
    }

    async fn foresee(&self, question: &WhatIf) -> Asked<Foreseen> {
        Ok(self.what_if(question).await?)
    }
}
