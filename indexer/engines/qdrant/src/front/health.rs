//! Whether anybody is there, and who.

use ::qdrant_client::qdrant::qdrant_server::Qdrant;
use ::qdrant_client::qdrant::{HealthCheckReply, HealthCheckRequest};
use tonic::{Request, Response, Status};

/// The protocol this front speaks; clients compare it with their own version.
const PROTOCOL: &str = "1.20.0";

pub(super) struct Health;

#[tonic::async_trait]
impl Qdrant for Health {
    async fn health_check(
        &self,
        _: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckReply>, Status> {
        Ok(Response::new(HealthCheckReply {
            title: "qdrant-edge in NoETL - vector search engine".to_owned(),
            version: PROTOCOL.to_owned(),
            commit: None,
        }))
    }
}
