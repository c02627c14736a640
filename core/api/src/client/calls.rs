//! The endpoints, noun by noun.

use noetl_domain::Value;
use noetl_domain::id::ExecutionId;

use super::{Client, ClientError};
use crate::catalog::{
    ArchiveRequest, Archived, CatalogEntry, CatalogList, CatalogListRequest, RegisterRequest, Registered,
    ResourceRequest, UiSchema, VersionChoice,
};
use crate::credential::{CredentialBody, CredentialFilter, CredentialList, CredentialRequest};
use crate::event::{EventBatch, EventBatchPosted, EventFilter, EventPage, EventPosted, PostedEvent};
use crate::execute::{BatchExecuted, ExecuteBatch, ExecuteRequest, Executed};
use crate::execution::{
    CancelRequest, Cancelled, CleanedUp, CleanupRequest, ExecutionDetail, ExecutionFilter, ExecutionStatus,
    ExecutionSummary, FinalizeRequest, Ordered, RetryRequest,
};
use crate::health::{DatabaseState, Done, Health};
use crate::log::{LogFilter, LogPage};
use crate::pool::{PoolList, PoolRegistered, PoolRequest, RetryBudgets};
use crate::render::{RenderRequest, Rendered};
use crate::result::{PutResult, Resolved, ResultPut};
use crate::schedule::{ScheduleBody, ScheduleList, ScheduleRequest};
use crate::sql::{SqlRequest, SqlResult};
use crate::variable::{SetVariables, VariableBody, VariableList, VariableSet, VariablesSet};

type Answer<T> = Result<T, ClientError>;

/// Health and the store.
impl Client {
    pub async fn health(&self) -> Answer<Health> {
        self.read(self.get(&["api", "health"])).await
    }

    /// Prometheus text.
    pub async fn metrics(&self) -> Answer<String> {
        let response = self.send(self.get(&["metrics"])).await?;
        response.text().await.map_err(|source| self.unreachable(source))
    }

    pub async fn db_init(&self) -> Answer<DatabaseState> {
        self.read(self.post(&["api", "db", "init"], &Value::Null)).await
    }

    pub async fn db_validate(&self) -> Answer<DatabaseState> {
        self.read(self.get(&["api", "db", "validate"])).await
    }

    pub async fn sql(&self, request: &SqlRequest) -> Answer<SqlResult> {
        self.read(self.post(&["api", "postgres", "execute"], request)).await
    }
}

/// The catalog.
impl Client {
    /// Registers one YAML text as a new version.
    pub async fn register(&self, content: &str, path: Option<&str>) -> Answer<Registered> {
        let request = RegisterRequest {
            content: Some(content.to_owned()),
            resource_type: Some("Playbook".to_owned()),
            path: path.map(str::to_owned),
            ..RegisterRequest::default()
        };
        self.read(self.post(&["api", "catalog", "register"], &request)).await
    }

    pub async fn catalog_list(&self, request: &CatalogListRequest) -> Answer<CatalogList> {
        self.read(self.post(&["api", "catalog", "list"], request)).await
    }

    /// One version with its text; without `version`, the newest.
    pub async fn resource(&self, path: &str, version: Option<u32>) -> Answer<CatalogEntry> {
        let request = ResourceRequest {
            path: Some(path.to_owned()),
            version: version.map(VersionChoice::Number),
            ..ResourceRequest::default()
        };
        self.read(self.post(&["api", "catalog", "resource"], &request)).await
    }

    pub async fn ui_schema(&self, path: &str) -> Answer<UiSchema> {
        self.read(self.get(&["api", "catalog", path, "ui_schema"])).await
    }

    pub async fn archive(&self, request: &ArchiveRequest) -> Answer<Archived> {
        self.read(self.post(&["api", "catalog", "delete"], request)).await
    }

    pub async fn restore(&self, request: &ArchiveRequest) -> Answer<Archived> {
        self.read(self.post(&["api", "catalog", "restore"], request)).await
    }
}

/// Executions.
impl Client {
    pub async fn execute(&self, request: &ExecuteRequest) -> Answer<Executed> {
        self.read(self.post(&["api", "execute"], request)).await
    }

    pub async fn execute_batch(&self, executions: Vec<ExecuteRequest>) -> Answer<BatchExecuted> {
        self.read(self.post(&["api", "execute", "batch"], &ExecuteBatch { executions })).await
    }

    /// Newest first. The next page is asked for with `before` set to the last id of this one.
    pub async fn executions(&self, filter: &ExecutionFilter) -> Answer<Vec<ExecutionSummary>> {
        self.read(self.get(&["api", "executions"]).query(filter)).await
    }

    pub async fn execution(&self, id: ExecutionId) -> Answer<ExecutionDetail> {
        self.read(self.get(&["api", "executions", &id.to_string()])).await
    }

    pub async fn status(&self, id: ExecutionId) -> Answer<ExecutionStatus> {
        self.read(self.get(&["api", "executions", &id.to_string(), "status"])).await
    }

    pub async fn events(&self, id: ExecutionId, filter: &EventFilter) -> Answer<EventPage> {
        self.read(self.get(&["api", "executions", &id.to_string(), "events"]).query(filter)).await
    }

    pub async fn logs(&self, id: ExecutionId, filter: &LogFilter) -> Answer<LogPage> {
        self.read(self.get(&["api", "executions", &id.to_string(), "logs"]).query(filter)).await
    }

    pub async fn cancel(&self, id: ExecutionId, reason: Option<String>, cascade: bool) -> Answer<Cancelled> {
        let request = CancelRequest { reason, cascade: Some(cascade) };
        self.read(self.post(&["api", "executions", &id.to_string(), "cancel"], &request)).await
    }

    pub async fn finalize(&self, id: ExecutionId, request: &FinalizeRequest) -> Answer<Ordered> {
        self.read(self.post(&["api", "executions", &id.to_string(), "finalize"], request)).await
    }

    pub async fn retry(&self, id: ExecutionId, from: Option<String>) -> Answer<Ordered> {
        let request = RetryRequest { from };
        self.read(self.post(&["api", "executions", &id.to_string(), "retry"], &request)).await
    }

    pub async fn cleanup(&self, request: &CleanupRequest) -> Answer<CleanedUp> {
        self.read(self.post(&["api", "executions", "cleanup"], request)).await
    }

    pub async fn post_event(&self, event: &PostedEvent) -> Answer<EventPosted> {
        self.read(self.post(&["api", "events"], event)).await
    }

    pub async fn post_events(&self, batch: &EventBatch) -> Answer<EventBatchPosted> {
        self.read(self.post(&["api", "events", "batch"], batch)).await
    }
}

/// What belongs to one Execution: variables, templates, large results.
impl Client {
    pub async fn variables(&self, id: ExecutionId) -> Answer<VariableList> {
        self.read(self.get(&["api", "vars", &id.to_string()])).await
    }

    pub async fn variable(&self, id: ExecutionId, name: &str) -> Answer<VariableBody> {
        self.read(self.get(&["api", "vars", &id.to_string(), name])).await
    }

    pub async fn set_variables(&self, id: ExecutionId, variables: noetl_domain::Map) -> Answer<VariablesSet> {
        let request = SetVariables { variables: VariableSet::Map(variables), ..SetVariables::default() };
        self.read(self.post(&["api", "vars", &id.to_string()], &request)).await
    }

    pub async fn delete_variable(&self, id: ExecutionId, name: &str) -> Answer<Done> {
        self.read(self.delete(&["api", "vars", &id.to_string(), name])).await
    }

    pub async fn render(&self, request: &RenderRequest) -> Answer<Rendered> {
        self.read(self.post(&["api", "context", "render"], request)).await
    }

    /// What lies behind a `noetl://…` reference.
    pub async fn resolve(&self, uri: &str) -> Answer<Resolved> {
        self.read(self.get(&["api", "result", "resolve"]).query(&[("ref", uri)])).await
    }

    pub async fn put_result(&self, id: ExecutionId, result: &PutResult) -> Answer<ResultPut> {
        self.read(self.request(reqwest::Method::PUT, &["api", "result", &id.to_string()]).json(result)).await
    }
}

/// Credentials.
impl Client {
    pub async fn put_credential(&self, request: &CredentialRequest) -> Answer<CredentialBody> {
        self.read(self.post(&["api", "credentials"], request)).await
    }

    pub async fn credentials(&self, filter: &CredentialFilter) -> Answer<CredentialList> {
        self.read(self.get(&["api", "credentials"]).query(filter)).await
    }

    /// With `include_data` only where the server's settings allow it.
    pub async fn credential(&self, name: &str, include_data: bool) -> Answer<CredentialBody> {
        let request = self.get(&["api", "credentials", name]).query(&[("include_data", include_data)]);
        self.read(request).await
    }

    pub async fn delete_credential(&self, name: &str) -> Answer<Done> {
        self.read(self.delete(&["api", "credentials", name])).await
    }
}

/// Schedules.
impl Client {
    pub async fn schedules(&self) -> Answer<ScheduleList> {
        self.read(self.get(&["api", "schedules"])).await
    }

    pub async fn add_schedule(&self, request: &ScheduleRequest) -> Answer<ScheduleBody> {
        self.read(self.post(&["api", "schedules"], request)).await
    }

    pub async fn remove_schedule(&self, id: &str) -> Answer<Done> {
        self.read(self.delete(&["api", "schedules", id])).await
    }

    pub async fn pause_schedule(&self, id: &str) -> Answer<ScheduleBody> {
        self.read(self.post(&["api", "schedules", id, "pause"], &Value::Null)).await
    }

    pub async fn resume_schedule(&self, id: &str) -> Answer<ScheduleBody> {
        self.read(self.post(&["api", "schedules", id, "resume"], &Value::Null)).await
    }
}

/// Worker pools.
impl Client {
    pub async fn pools(&self) -> Answer<PoolList> {
        self.read(self.get(&["api", "worker", "pools"])).await
    }

    pub async fn retry_budgets(&self) -> Answer<RetryBudgets> {
        self.read(self.get(&["api", "worker", "budgets"])).await
    }

    pub async fn register_pool(&self, request: &PoolRequest) -> Answer<PoolRegistered> {
        self.read(self.post(&["api", "worker", "pool", "register"], request)).await
    }

    pub async fn heartbeat_pool(&self, request: &PoolRequest) -> Answer<PoolRegistered> {
        self.read(self.post(&["api", "worker", "pool", "heartbeat"], request)).await
    }
}
