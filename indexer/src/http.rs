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
use noetl_bus::feed::{Definition, Feed};
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::semantic::Semantic;

type Reading = Pin<Box<dyn Future<Output = Option<Definition>> + Send>>;

/// Everything that handlers ask. Clones share it.
#[derive(Clone)]
pub(crate) struct Services {
    semantic: Semantic,
    definition: Arc<dyn Fn(String, u32) -> Reading + Send + Sync>,
}

/// The whole surface, ready to be merged with the control plane's.
pub fn router<F: Feed>(semantic: Semantic, feed: Arc<F>) -> Router {
    let definition = move |path: String, version: u32| -> Reading {
        let feed = Arc::clone(&feed);
        Box::pin(async move { feed.definition(&path, version).await.ok().flatten() })
    };
    endpoints().split_for_parts().0.with_state(Services { semantic, definition: Arc::new(definition) })
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
        .merge(knowledge::endpoints())
}
