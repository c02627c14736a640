//! The followers, until the process stops.

use std::sync::Arc;

use noetl_bus::feed::Feed;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::follow::{Follower, chain};
use crate::semantic::Semantic;
use crate::status::Part;

/// Follows the feed into the analytic store, if there is one, until told to stop.
pub async fn run<F: Feed>(config: Config, semantic: Semantic, feed: Arc<F>, stop: CancellationToken) {
    if let Ok(vectors) = semantic.opened_vectors() {
        let part = match vectors.prepare().await {
            Ok(()) => Part::On,
            Err(error) => Part::Failing { reason: chain(&error) },
        };
        semantic.status().change(|status| status.vectors.part = part);
    }
    let Ok(analytics) = semantic.opened() else { return };
    let (fingerprints, status) = (semantic.fingerprints().clone(), semantic.status().clone());
    Follower::new(feed, analytics, fingerprints, config, status).run(stop).await;
}
