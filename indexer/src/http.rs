//! The HTTP surface of the indexer: one file per group of questions, one line per endpoint in [`endpoints`].

mod error;
mod insights;
mod knowledge;
mod search;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use noetl_api::search::Similar;
use noetl_bus::feed::{Definition, Feed};
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::semantic::Semantic;
use crate::vectors::{self, SimilarError};

type Pending<T> = Pin<Box<dyn Future<Output = T> + Send>>;
type Likeness = Result<Similar, SimilarError>;

/// Everything that handlers ask. Clones share it.
#[derive(Clone)]
pub(crate) struct Services {
    semantic: Semantic,
    definition: Arc<dyn Fn(String, u32) -> Pending<Option<Definition>> + Send + Sync>,
    similar: Arc<dyn Fn(u64, usize) -> Pending<Likeness> + Send + Sync>,
}

/// The whole surface, ready to be merged with the control plane's.
pub fn router<F: Feed>(semantic: Semantic, feed: Arc<F>) -> Router {
    let logs = Arc::clone(&feed);
    let definition = move |path: String, version: u32| -> Pending<Option<Definition>> {
        let feed = Arc::clone(&feed);
        Box::pin(async move { feed.definition(&path, version).await.ok().flatten() })
    };
    let layer = semantic.clone();
    let similar = move |id, limit| -> Pending<Likeness> {
        let (layer, logs) = (layer.clone(), Arc::clone(&logs));
        let now_ms = chrono::Utc::now().timestamp_millis();
        Box::pin(async move { vectors::similar(&layer, &logs, id, limit, now_ms).await })
    };
    let services = Services { semantic, definition: Arc::new(definition), similar: Arc::new(similar) };
    endpoints().split_for_parts().0.with_state(services)
}

/// The contract as a document.
pub fn openapi() -> OpenApi {
    endpoints().split_for_parts().1
}

/// Every endpoint.
fn endpoints() -> OpenApiRouter<Services> {
    OpenApiRouter::new()
        .routes(routes!(insights::status))
        .routes(routes!(insights::stats))
        .routes(routes!(insights::clusters))
        .routes(routes!(insights::anomalies))
        .routes(routes!(insights::bottlenecks))
        .routes(routes!(insights::compare))
        .routes(routes!(insights::sql))
        .routes(routes!(search::search))
        .routes(routes!(search::similar))
        .merge(knowledge::endpoints())
}
