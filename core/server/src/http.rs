//! The HTTP surface: one file per noun, one line per endpoint in [`endpoints`].
//!
//! Handlers read the request, ask a service, show the answer.
//! The older generations' queue (`/api/queue/*`, claims over HTTP) is left out: Commands travel over the bus.

mod budgets;
mod catalog;
mod cleanup;
mod credentials;
mod database;
mod events;
mod execute;
mod executions;
mod feed;
mod guard;
mod health;
mod logs;
mod metrics;
mod openapi;
mod orders;
mod pools;
mod proposals;
mod render;
mod request;
mod results;
mod rollouts;
mod schedules;
mod show;
mod sql;
#[cfg(test)]
mod tests;
mod variables;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{StatusCode, Uri};
use axum::routing::get;
use noetl_bus::results::Results;
use noetl_domain::Map;
use noetl_domain::code::Code;
use noetl_domain::id::ExecutionId;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::trace::TraceLayer;
use utoipa::openapi::{OpenApi, OpenApiBuilder};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) use show::time;

pub use budgets::BudgetsOf;
pub use metrics::{Depth, Metrics};
pub use pools::Pools;
pub use sql::{SqlCall, SqlRunner};

use crate::catalog::Catalog;
use crate::error::ServerError;
use crate::orchestrator::Orchestrator;
use crate::proposals::Proposals;
use crate::schedule::Schedules;
use crate::store::{EventStore, SqliteStore, Summary};
use crate::vault::Vault;

/// The store that answers readers.
pub type Store = SqliteStore;

/// What the surface may do, and how it presents itself.
#[derive(Clone, Debug)]
pub struct HttpConfig {
    /// Bodies above this many bytes are refused.
    pub body_limit_bytes: usize,
    /// `include_data=true` hands out the secret fields of a credential.
    pub allow_credential_data: bool,
    /// `/api/postgres/execute` takes connection strings besides named credentials.
    pub allow_connection_strings: bool,
    /// Set when listening on loopback: requests under other host names are refused (DNS rebinding).
    pub local_only: bool,
    /// `local` or `nats`, for the health report.
    pub bus: String,
    /// The Markdown page of a Code; the binary carries the pages.
    pub code_page: Option<fn(Code) -> Option<&'static str>>,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            body_limit_bytes: 32 * 1024 * 1024,
            allow_credential_data: false,
            allow_connection_strings: false,
            local_only: false,
            bus: "local".to_owned(),
            code_page: None,
        }
    }
}

/// Everything that handlers ask. Clones share it.
#[derive(Clone)]
pub struct Services {
    pub orchestrator: Orchestrator,
    pub store: Arc<Store>,
    pub catalog: Catalog,
    pub vault: Vault,
    pub schedules: Schedules,
    pub proposals: Proposals,
    pub results: Results,
    pub pools: Pools,
    pub metrics: Metrics,
    pub config: Arc<HttpConfig>,
    /// Cancelled when the server stops, so that followers let go.
    pub stop: CancellationToken,
    /// How deep the bus is, where somebody knows.
    pub depth: Option<Arc<dyn Fn() -> Depth + Send + Sync>>,
    /// What the workers of this process have left of their retry budgets.
    pub budgets: Option<BudgetsOf>,
    /// Runs SQL on a Postgres, where somebody can.
    pub sql: Option<SqlRunner>,
}

impl std::fmt::Debug for Services {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Services").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Services {
    /// Counts committed Events for `/metrics` until the control plane stops; call it once, before anything runs.
    pub fn count_events(&self) -> tokio::task::JoinHandle<()> {
        let live = self.orchestrator.subscribe();
        tokio::spawn(self.metrics.clone().follow(Arc::clone(&self.store), live))
    }

    /// The row of an Execution that must exist.
    async fn known(&self, id: ExecutionId) -> Result<Summary, ServerError> {
        self.store.summary(id).await?.ok_or_else(|| ServerError::unknown_execution(id))
    }

    /// The fields of a credential that must be of a kind.
    async fn open_credential(&self, name: &str, kind: &str) -> Result<Map, ServerError> {
        let opened = self.vault.open_credential(name).await?;
        if opened.record.kind.eq_ignore_ascii_case(kind) {
            Ok(opened.data)
        } else {
            let found = &opened.record.kind;
            Err(ServerError::new(
                Code::CredentialShape,
                format!("credential {name:?} is of type {found:?}, not {kind:?}"),
            ))
        }
    }
}

/// The whole surface, ready to be served.
pub fn router(services: Services) -> Router {
    router_with(services, Router::new(), OpenApiBuilder::new().build())
}

/// The whole surface and another room's, which is guarded and described like our own.
pub fn router_with(services: Services, others: Router, described: OpenApi) -> Router {
    let (router, mut document) = endpoints().split_for_parts();
    document.merge(described);
    let document = openapi::Document::new(&document);
    let documents = Router::new().route("/api/openapi.json", get(openapi::json)).with_state(document);
    router
        .route("/docs", get(openapi::docs))
        .route("/api/catalog/{*rest}", get(catalog::under_path))
        .fallback(nothing_here)
        .method_not_allowed_fallback(wrong_method)
        .with_state(services.clone())
        .merge(documents)
        .merge(others)
        .layer(DefaultBodyLimit::max(services.config.body_limit_bytes))
        .layer(axum::middleware::from_fn_with_state(services, guard::foreign_pages))
        .layer(CatchPanicLayer::custom(guard::panicked))
        // Failures say more about themselves where they happen.
        .layer(TraceLayer::new_for_http().on_failure(()))
}

/// The contract as a document.
pub fn openapi() -> OpenApi {
    endpoints().split_for_parts().1
}

/// Every endpoint.
fn endpoints() -> OpenApiRouter<Services> {
    let mut document = openapi::document();
    // Served by `under_path`: a route cannot end after a parameter that holds slashes.
    let (schemas, paths, _) = routes!(catalog::ui_schema);
    document.paths.paths.extend(paths.paths);
    document.components.get_or_insert_default().schemas.extend(schemas);
    OpenApiRouter::with_openapi(document)
        .routes(routes!(health::alive))
        .routes(routes!(health::health))
        .routes(routes!(metrics::metrics))
        .routes(routes!(openapi::code_page))
        .routes(routes!(catalog::register))
        .routes(routes!(catalog::list))
        .routes(routes!(catalog::resource))
        .routes(routes!(catalog::playbooks))
        .routes(routes!(catalog::archive))
        .routes(routes!(catalog::restore))
        .routes(routes!(execute::execute))
        .routes(routes!(execute::batch))
        .routes(routes!(execute::run))
        .routes(routes!(execute::executions_run))
        .routes(routes!(executions::list))
        .routes(routes!(cleanup::cleanup))
        .routes(routes!(executions::detail))
        .routes(routes!(executions::status))
        .routes(routes!(events::list))
        .routes(routes!(logs::logs))
        .routes(routes!(executions::cancellation_check))
        .routes(routes!(orders::cancel))
        .routes(routes!(orders::finalize))
        .routes(routes!(orders::retry))
        .routes(routes!(events::post))
        .routes(routes!(events::post_batch))
        .routes(routes!(events::emit))
        .routes(routes!(events::old_list))
        .routes(routes!(events::one))
        .routes(routes!(feed::feed))
        .routes(routes!(credentials::list, credentials::put))
        .routes(routes!(credentials::one, credentials::remove))
        .routes(routes!(variables::list, variables::set, variables::remove_all))
        .routes(routes!(variables::one, variables::remove))
        .routes(routes!(render::render))
        .routes(routes!(sql::execute))
        .routes(routes!(database::init))
        .routes(routes!(database::validate))
        .routes(routes!(results::resolve))
        .routes(routes!(results::put))
        .routes(routes!(executions::loop_results))
        .routes(routes!(schedules::list, schedules::add))
        .routes(routes!(schedules::remove))
        .routes(routes!(schedules::pause))
        .routes(routes!(schedules::resume))
        .routes(routes!(pools::register))
        .routes(routes!(pools::heartbeat))
        .routes(routes!(pools::deregister, pools::deregister_by_delete))
        .routes(routes!(pools::list))
        .routes(routes!(pools::remove))
        .routes(routes!(budgets::list))
        .routes(routes!(proposals::list, proposals::make))
        .routes(routes!(proposals::ledger))
        .routes(routes!(proposals::one))
        .routes(routes!(proposals::approve))
        .routes(routes!(proposals::reject))
        .routes(routes!(proposals::events))
        .routes(routes!(proposals::policy))
        .routes(routes!(rollouts::list))
        .routes(routes!(rollouts::one))
        .routes(routes!(rollouts::pause))
        .routes(routes!(rollouts::resume))
        .routes(routes!(rollouts::promote))
        .routes(routes!(rollouts::rollback))
}

async fn nothing_here(uri: Uri) -> ServerError {
    let path: String = uri.path().chars().take(200).collect();
    ServerError::not_found(format!("there is nothing at {path}")).hint("/docs lists every endpoint")
}

async fn wrong_method(method: axum::http::Method, uri: Uri) -> ServerError {
    let path: String = uri.path().chars().take(200).collect();
    ServerError::invalid(format!("{path} does not take {method}"))
        .hint("/docs lists every endpoint")
        .with_status(StatusCode::METHOD_NOT_ALLOWED)
}
