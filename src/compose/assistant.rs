//! The assistant in this process: its model, where its calls are recorded, and its way into the log.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use noetl_assistant::Assistant;
use noetl_assistant::attend::{self, Journal, Noticed, Watch};
use noetl_assistant::gather::SourceError;
use noetl_assistant::llm::{self, Call, Calls, KeySource, Keys, Spending};
use noetl_domain::code::Code;
use noetl_domain::event::{Diagnosed, Status};
use noetl_domain::id::ExecutionId;
use noetl_indexer::{CallRow, Semantic};
use noetl_server::error::ServerError;
use noetl_server::orchestrator::Orchestrator;
use noetl_server::store::{EventStore as _, Positioned, SqliteStore, SummaryQuery};
use noetl_server::vault::{Vault, VaultError};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::sources::FromStore;
use crate::config::{self, Diagnose};
use crate::context::Context;
use crate::env;

/// The assistant with its model, as the configuration has it.
pub(super) fn open(context: &Context, sources: Arc<FromStore>, vault: &Vault) -> Assistant<FromStore> {
    let settings = &context.config.assistant;
    let calls = Arc::new(IntoTables { semantic: sources.semantic.clone() });
    let assistant = Assistant::new(sources);
    if !settings.enabled {
        return assistant;
    }
    let keys = Keys::new(FromVaultOrEnvironment {
        credential: settings.model.credential.clone(),
        variable: settings.model.key_env.clone(),
        vault: vault.clone(),
    });
    assistant.with_model(llm::open(&settings.model, keys, calls))
}

/// Explains failures by itself, until told to stop.
pub(super) fn attend(
    settings: &config::Assistant,
    assistant: Assistant<FromStore>,
    store: Arc<SqliteStore>,
    orchestrator: &Orchestrator,
    stop: CancellationToken,
) -> Option<JoinHandle<()>> {
    if !settings.enabled || settings.diagnose == Diagnose::OnDemand {
        return None;
    }
    let config = attend::Config { with_model: settings.model.on_every_failure };
    let watch = Commits { commits: orchestrator.subscribe(), found: Vec::new() };
    let journal = IntoLog { store, orchestrator: orchestrator.clone() };
    Some(tokio::spawn(attend::run(config, assistant, journal, watch, stop)))
}

/// Failures among what was committed; read in memory, so that looking costs next to nothing.
struct Commits {
    commits: broadcast::Receiver<Arc<Vec<Positioned>>>,
    /// Of the last batch, the newest first.
    found: Vec<ExecutionId>,
}

impl Watch for Commits {
    async fn next(&mut self) -> Option<Noticed> {
        loop {
            if let Some(id) = self.found.pop() {
                return Some(Noticed::Failed(id));
            }
            match self.commits.recv().await {
                // An empty batch stands for one that was too large to hand around.
                Ok(batch) if batch.is_empty() => return Some(Noticed::Gap),
                Ok(batch) => {
                    let failed = |event: &&Positioned| event.recorded.event.name() == "playbook.failed";
                    self.found
                        .extend(batch.iter().rev().filter(failed).map(|event| event.recorded.execution));
                }
                Err(RecvError::Lagged(_)) => return Some(Noticed::Gap),
                Err(RecvError::Closed) => return None,
            }
        }
    }
}

struct IntoLog {
    store: Arc<SqliteStore>,
    orchestrator: Orchestrator,
}

impl Journal for IntoLog {
    async fn newest_failures(&self, limit: usize) -> Result<Vec<ExecutionId>, SourceError> {
        let query =
            SummaryQuery { status: Some(Status::Failed), limit: Some(limit), ..SummaryQuery::default() };
        let found = self.store.summaries(query).await;
        let found = found
            .map_err(|source| SourceError { attempted: "list what failed", source: Box::new(source) })?;
        Ok(found.into_iter().map(|summary| summary.execution).collect())
    }

    async fn report(&self, id: ExecutionId, diagnosed: Diagnosed) -> Result<bool, SourceError> {
        match self.orchestrator.diagnosed(id, diagnosed).await {
            Ok(_) => Ok(true),
            // It was retried or deleted in the meantime.
            Err(ServerError { code: Code::IllegalTransition | Code::UnknownExecution, .. }) => Ok(false),
            Err(source) => Err(SourceError { attempted: "report a diagnosis", source: Box::new(source) }),
        }
    }
}

/// Records calls in the analytic store, where there is one.
#[derive(Debug)]
struct IntoTables {
    semantic: Semantic,
}

impl Calls for IntoTables {
    fn record(&self, call: Call) {
        self.semantic.record_call(CallRow {
            call_id: CallRow::new_id(),
            at: call.at_ms,
            execution_id: call.execution.map_or(0, |id| id.0),
            operation: call.operation.to_owned(),
            provider: call.provider,
            model: call.model,
            response_model: call.response_model,
            prompt: call.prompt,
            input_tokens: call.input_tokens,
            output_tokens: call.output_tokens,
            duration_ms: call.duration_ms,
            cost_usd: call.cost_usd,
            finish_reason: call.finish_reason,
            error: call.error,
            cached: u8::from(call.is_cached),
        });
    }

    fn spent(&self, from_ms: i64, until_ms: i64) -> Spending<'_> {
        Box::pin(self.semantic.spent_on_calls(from_ms, until_ms))
    }
}

/// Opens the key of the model for each question: from the vault when a credential is named, else from the environment.
struct FromVaultOrEnvironment {
    credential: String,
    variable: String,
    vault: Vault,
}

/// Fields of a credential that hold a key, the first that is there.
const FIELDS: &[&str] = &["api_key", "key", "token", "access_token", "password"];

impl KeySource for FromVaultOrEnvironment {
    fn key(&self) -> Pin<Box<dyn Future<Output = Result<String, String>> + Send + '_>> {
        Box::pin(async {
            if self.credential.is_empty() {
                return Ok(env::named(&self.variable).unwrap_or_default());
            }
            let opened = self.vault.open_credential(&self.credential).await.map_err(|error| match error {
                VaultError::Unknown(name) => format!("there is no credential {name}"),
                error => error.to_string(),
            })?;
            let found = FIELDS.iter().find_map(|field| opened.data.get(*field)?.as_str());
            found.map(str::to_owned).ok_or_else(|| {
                format!("the credential {} has none of {}", self.credential, FIELDS.join(", "))
            })
        })
    }
}
