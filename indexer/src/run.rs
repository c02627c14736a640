//! The followers, until the process stops.

use std::sync::Arc;

use noetl_bus::feed::Feed;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::follow::Follower;
use crate::semantic::Semantic;

/// Follows the feed into the analytic store, if there is one, until told to stop.
pub async fn run<F: Feed>(config: Config, semantic: Semantic, feed: Arc<F>, stop: CancellationToken) {
    let Ok(analytics) = semantic.opened() else { return };
    let (fingerprints, status) = (semantic.fingerprints().clone(), semantic.status().clone());
    Follower::new(feed, analytics, fingerprints, config, status).run(stop).await;
}
