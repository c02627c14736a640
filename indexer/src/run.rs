//! The followers, until the process stops.

use std::sync::Arc;

use noetl_bus::feed::Feed;
use tokio_util::sync::CancellationToken;

use crate::again::until_stopped;
use crate::config::Config;
use crate::follow::Follower;
use crate::semantic::{Semantic, Unavailable};
use crate::vectors;

/// Follows the feed into the stores that are there, each for itself, until told to stop; keeps playbooks and documents
/// beside it.
pub async fn run<F: Feed>(config: Config, semantic: Semantic, feed: Arc<F>, stop: CancellationToken) {
    semantic.set_policy(config.policy);
    // On tasks of their own, so that one does not take turns with the other.
    let works = [
        tokio::spawn(analytics(config.clone(), semantic.clone(), Arc::clone(&feed), stop.clone())),
        tokio::spawn(vectors(config, semantic.clone(), Arc::clone(&feed), stop.clone())),
        tokio::spawn(playbooks(semantic.clone(), feed, stop.clone())),
        tokio::spawn(documents(semantic.clone(), stop.clone())),
        tokio::spawn(calls(semantic, stop)),
    ];
    for work in works {
        if let Err(error) = work.await {
            tracing::error!(%error, "a part of the indexer has come apart");
        }
    }
}

async fn analytics<F: Feed>(config: Config, semantic: Semantic, feed: Arc<F>, stop: CancellationToken) {
    let Some(analytics) = there(&semantic, Semantic::opened, &stop).await else { return };
    let (fingerprints, status) = (semantic.fingerprints().clone(), semantic.status().clone());
    until_stopped(Follower::new(feed, analytics, fingerprints, config, status), stop).await;
}

async fn vectors<F: Feed>(config: Config, semantic: Semantic, feed: Arc<F>, stop: CancellationToken) {
    let Some(vectors) = there(&semantic, Semantic::opened_vectors, &stop).await else { return };
    let (fingerprints, usual) = (semantic.fingerprints().clone(), semantic.usual().clone());
    let learned = vectors::follow::Learned { fingerprints, usual };
    let status = semantic.status().clone();
    until_stopped(vectors::follow::Follower::new(feed, vectors, learned, config, status), stop).await;
}

async fn playbooks<F: Feed>(semantic: Semantic, feed: Arc<F>, stop: CancellationToken) {
    // The follower makes the collections.
    let Some(vectors) = there(&semantic, Semantic::vectors, &stop).await else { return };
    let status = semantic.status().clone();
    until_stopped(vectors::playbooks::Keeper::new(vectors, feed, status), stop).await;
}

async fn documents(semantic: Semantic, stop: CancellationToken) {
    let Some(vectors) = there(&semantic, Semantic::vectors, &stop).await else { return };
    let (knowledge, status) = (semantic.knowledge().ok(), semantic.status().clone());
    until_stopped(vectors::knowledge::Keeper::new(vectors, knowledge, status), stop).await;
}

async fn calls(semantic: Semantic, stop: CancellationToken) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = semantic.calls().put(&semantic) => {}
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
            Err(Unavailable::Starting(_) | Unavailable::Failing { .. }) => {}
        }
        tokio::select! {
            () = stop.cancelled() => return None,
            () = changed => {}
        }
    }
}
