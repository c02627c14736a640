//! The engine behind Qdrant's own gRPC protocol, so that any Qdrant client can use it.
//!
//! One process, one shard per collection: what is about clusters, shard keys, snapshots, matrices and inference is
//! refused by name with `Unimplemented`.

mod collections;
mod health;
mod points;
mod snapshots;

use std::sync::Arc;
use std::time::Instant;

use ::qdrant_client::qdrant::collections_server::CollectionsServer;
use ::qdrant_client::qdrant::points_server::PointsServer;
use ::qdrant_client::qdrant::qdrant_server::QdrantServer;
use ::qdrant_client::qdrant::snapshots_server::SnapshotsServer;
use subtle::ConstantTimeEq;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Status};
use tower::limit::GlobalConcurrencyLimitLayer;

use crate::catalog::Catalog;

/// With this many requests of this size at once, the front's memory is bounded.
const REQUESTS: usize = 32;
const MESSAGE_BYTES: usize = 32 << 20;

pub(crate) async fn serve(
    catalog: Arc<Catalog>,
    listener: TcpListener,
    api_key: Arc<str>,
    stop: CancellationToken,
) {
    let key = Key(api_key);
    let guard = move |request: Request<()>| key.check(request);
    let points = PointsServer::new(points::Points { catalog: catalog.clone() })
        .max_decoding_message_size(MESSAGE_BYTES)
        .max_encoding_message_size(usize::MAX);
    let collections = CollectionsServer::new(collections::Collections { catalog });
    let served = Server::builder()
        .layer(GlobalConcurrencyLimitLayer::new(REQUESTS))
        // Like Qdrant's, this one answers without a key: whether anybody is there is no secret.
        .add_service(QdrantServer::new(health::Health))
        .add_service(InterceptedService::new(points, guard.clone()))
        .add_service(InterceptedService::new(collections, guard.clone()))
        .add_service(InterceptedService::new(SnapshotsServer::new(snapshots::Snapshots), guard))
        .serve_with_incoming_shutdown(
            TcpIncoming::from(listener).with_nodelay(Some(true)),
            stop.cancelled_owned(),
        )
        .await;
    if let Err(error) = served {
        tracing::error!(%error, "the front of the vector engine ended");
    }
}

#[derive(Clone)]
struct Key(Arc<str>);

impl Key {
    fn check(&self, request: Request<()>) -> Result<Request<()>, Status> {
        let metadata = request.metadata();
        let shown = metadata.get("api-key").or_else(|| metadata.get("authorization")).ok_or_else(|| {
            Status::unauthenticated("Must provide an API key or an Authorization bearer token")
        })?;
        let shown = shown.as_bytes();
        let shown = shown.strip_prefix(b"Bearer ").unwrap_or(shown);
        if bool::from(shown.ct_eq(self.0.as_bytes())) {
            Ok(request)
        } else {
            Err(Status::unauthenticated("Invalid API key or JWT"))
        }
    }
}

/// Seconds since a request came in, which every answer carries.
struct Clock(Instant);

impl Clock {
    fn start() -> Self {
        Self(Instant::now())
    }

    fn seconds(&self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }
}
