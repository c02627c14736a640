//! The followers, until the process stops.

use std::sync::Arc;

use noetl_bus::feed::Feed;
use tokio_util::sync::CancellationToken;

use crate::again::until_stopped;
use crate::config::Config;
use crate::follow::Follower;
use crate::semantic::{Semantic, Unavailable};
use crate::vectors;

/// Follows the feed into the stores that are there, each for itself, until told to stop.
pub async fn run<F: Feed>(config: Config, semantic: Semantic, feed: Arc<F>, stop: CancellationToken) {
    let (fingerprints, status) = (semantic.fingerprints().clone(), semantic.status().clone());
    semantic.set_policy(config.policy);
    let analytics = {
        let (semantic, feed, config, stop) =
            (semantic.clone(), Arc::clone(&feed), config.clone(), stop.clone());
        let (fingerprints, status) = (fingerprints.clone(), status.clone());
        async move {
            let Some(analytics) = there(&semantic, Semantic::opened, &stop).await else { return };
            let follower = Follower::new(feed, analytics, fingerprints, config, status);
            until_stopped(follower, stop).await;
        }
    };
    let vectors = async move {
        let Some(vectors) = there(&semantic, Semantic::opened_vectors, &stop).await else { return };
        let learned = vectors::follow::Learned { fingerprints, usual: semantic.usual().clone() };
        let follower = vectors::follow::Follower::new(feed, vectors, learned, config, status);
        until_stopped(follower, stop).await;
    };
    // On tasks of their own, so that one does not take turns with the other.
    let (analytics, vectors) = (tokio::spawn(analytics), tokio::spawn(vectors));
    for follower in [analytics, vectors] {
        if let Err(error) = follower.await {
            tracing::error!(%error, "a follower of the feed has come apart");
        }
    }
}

/// An engine, once it is opened; none when it will not be, or there is no time left to wait.
async fn there<E>(
    semantic: &Semantic,
    opened: impl Fn(&Semantic) -> Result<E, Unavailable>,
    stop: &CancellationToken,
) -> Option<E> {
    loop {
        let changed = semantic.status().changed();
        match opened(semantic) {
            Ok(engine) => return Some(engine),
            Err(Unavailable::Off { .. }) => return None,
            Err(Unavailable::Starting(_)) => {}
        }
        tokio::select! {
            () = stop.cancelled() => return None,
            () = changed => {}
        }
    }
}
