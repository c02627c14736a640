//! Snapshots: the embedded engine's directory is copied with the data directory, so there are none.

use ::qdrant_client::qdrant::snapshots_server::Snapshots as Service;
use ::qdrant_client::qdrant::{
    CreateFullSnapshotRequest, CreateSnapshotRequest, CreateSnapshotResponse, DeleteFullSnapshotRequest,
    DeleteSnapshotRequest, DeleteSnapshotResponse, ListFullSnapshotsRequest, ListSnapshotsRequest,
    ListSnapshotsResponse,
};
use tonic::{Request, Response, Status};

use crate::wire::error::absent;

pub(super) struct Snapshots;

#[tonic::async_trait]
impl Service for Snapshots {
    async fn create(
        &self,
        _: Request<CreateSnapshotRequest>,
    ) -> Result<Response<CreateSnapshotResponse>, Status> {
        Err(absent("Snapshots/Create"))
    }

    async fn list(
        &self,
        _: Request<ListSnapshotsRequest>,
    ) -> Result<Response<ListSnapshotsResponse>, Status> {
        Err(absent("Snapshots/List"))
    }

    async fn delete(
        &self,
        _: Request<DeleteSnapshotRequest>,
    ) -> Result<Response<DeleteSnapshotResponse>, Status> {
        Err(absent("Snapshots/Delete"))
    }

    async fn create_full(
        &self,
        _: Request<CreateFullSnapshotRequest>,
    ) -> Result<Response<CreateSnapshotResponse>, Status> {
        Err(absent("Snapshots/CreateFull"))
    }

    async fn list_full(
        &self,
        _: Request<ListFullSnapshotsRequest>,
    ) -> Result<Response<ListSnapshotsResponse>, Status> {
        Err(absent("Snapshots/ListFull"))
    }

    async fn delete_full(
        &self,
        _: Request<DeleteFullSnapshotRequest>,
    ) -> Result<Response<DeleteSnapshotResponse>, Status> {
        Err(absent("Snapshots/DeleteFull"))
    }
}
