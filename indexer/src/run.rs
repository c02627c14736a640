//! The followers, until the process stops.

use std::sync::Arc;

use noetl_bus::feed::Feed;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::follow::{Follower, chain};
use crate::semantic::Semantic;
use crate::status::Part;
use crate::vectors::{keep_knowledge, keep_playbooks};

/// Follows the feed into the stores that there are, until told to stop.
pub async fn run<F: Feed>(config: Config, semantic: Semantic, feed: Arc<F>, stop: CancellationToken) {
    tokio::join!(
        analytics(config, &semantic, Arc::clone(&feed), stop.clone()),
        vectors(&semantic, feed, stop)
    );
}

async fn analytics<F: Feed>(config: Config, semantic: &Semantic, feed: Arc<F>, stop: CancellationToken) {
    let Ok(analytics) = semantic.opened() else { return };
    let (fingerprints, status) = (semantic.fingerprints().clone(), semantic.status().clone());
    Follower::new(feed, analytics, fingerprints, config, status).run(stop).await;
}

async fn vectors<F: Feed>(semantic: &Semantic, feed: Arc<F>, stop: CancellationToken) {
    let Ok(vectors) = semantic.opened_vectors() else { return };
    let part = match vectors.prepare().await {
        Ok(()) => Part::On,
        Err(error) => Part::Failing { reason: chain(&error) },
    };
    semantic.status().change(|status| status.vectors.part = part);
    let ((playbooks, has_playbooks), (knowledge, has_knowledge)) = (oneshot::channel(), oneshot::channel());
    let looked_through = async {
        // Who stopped before has nothing more to tell either.
        let _ = (has_playbooks.await, has_knowledge.await);
        semantic.status().change(|status| status.looked_through = true);
    };
    let documents = async {
        if let Ok(documents) = semantic.knowledge() {
            keep_knowledge(vectors.clone(), documents, knowledge, stop.clone()).await;
        } else {
            drop(knowledge);
        }
    };
    tokio::join!(keep_playbooks(vectors.clone(), feed, playbooks, stop.clone()), documents, looked_through);
}
