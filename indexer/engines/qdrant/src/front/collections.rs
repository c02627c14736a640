//! Collections and aliases.

use std::sync::Arc;

use ::qdrant_client::qdrant::collections_server::Collections as Service;
use ::qdrant_client::qdrant::{
    ChangeAliases, CollectionClusterInfoRequest, CollectionClusterInfoResponse, CollectionDescription,
    CollectionExists, CollectionExistsRequest, CollectionExistsResponse, CollectionInfo,
    CollectionOperationResponse, CollectionStatus, CreateCollection, CreateShardKeyRequest,
    CreateShardKeyResponse, DeleteCollection, DeleteShardKeyRequest, DeleteShardKeyResponse,
    GetCollectionInfoRequest, GetCollectionInfoResponse, ListAliasesRequest, ListAliasesResponse,
    ListCollectionAliasesRequest, ListCollectionsRequest, ListCollectionsResponse, ListShardKeysRequest,
    ListShardKeysResponse, OptimizerStatus, UpdateCollection, UpdateCollectionClusterSetupRequest,
    UpdateCollectionClusterSetupResponse,
};
use qdrant_edge::CountRequest;
use tonic::{Request, Response, Status};

use super::Clock;
use crate::catalog::Catalog;
use crate::collection::Order;
use crate::wire::error::absent;
use crate::wire::{self, payload};

pub(super) struct Collections {
    pub(super) catalog: Arc<Catalog>,
}

fn done(result: bool, clock: &Clock) -> Response<CollectionOperationResponse> {
    Response::new(CollectionOperationResponse { result, time: clock.seconds() })
}

#[tonic::async_trait]
impl Service for Collections {
    async fn get(
        &self,
        request: Request<GetCollectionInfoRequest>,
    ) -> Result<Response<GetCollectionInfoResponse>, Status> {
        let clock = Clock::start();
        let collection = self.catalog.find(&request.into_inner().collection_name)?;
        let metadata = collection.metadata();
        let optimising = collection.is_optimising();
        let info = collection
            .read(move |shard| {
                let info = shard.info();
                // While segments are rebuilt, a moved point is counted twice by the engine's own figure.
                let points =
                    shard.count(CountRequest { filter: None, exact: true }).map_err(wire::error::status)?;
                let schema = &info.payload_schema;
                let status = if optimising { CollectionStatus::Yellow } else { CollectionStatus::Green };
                Ok(CollectionInfo {
                    status: status.into(),
                    optimizer_status: Some(OptimizerStatus { ok: true, error: String::new() }),
                    segments_count: info.segments_count as u64,
                    config: Some(wire::collection::print(&shard.config(), metadata)),
                    payload_schema: schema
                        .iter()
                        .map(|(key, index)| (key.to_string(), wire::index::print(index)))
                        .collect(),
                    points_count: Some(points as u64),
                    indexed_vectors_count: Some(info.indexed_vectors_count as u64),
                    ..CollectionInfo::default()
                })
            })
            .await?;
        Ok(Response::new(GetCollectionInfoResponse { result: Some(info), time: clock.seconds() }))
    }

    async fn list(
        &self,
        _: Request<ListCollectionsRequest>,
    ) -> Result<Response<ListCollectionsResponse>, Status> {
        let clock = Clock::start();
        let describe = |name: &str| CollectionDescription { name: name.to_owned() };
        let collections = self.catalog.all().iter().map(|collection| describe(collection.name())).collect();
        Ok(Response::new(ListCollectionsResponse { collections, time: clock.seconds() }))
    }

    async fn create(
        &self,
        request: Request<CreateCollection>,
    ) -> Result<Response<CollectionOperationResponse>, Status> {
        let clock = Clock::start();
        let request = request.into_inner();
        let config = wire::collection::parse(&request)?;
        let metadata = payload::parse(request.metadata).0;
        self.catalog.create(Order { name: request.collection_name, config, metadata }).await?;
        Ok(done(true, &clock))
    }

    async fn update(
        &self,
        request: Request<UpdateCollection>,
    ) -> Result<Response<CollectionOperationResponse>, Status> {
        let clock = Clock::start();
        let request = request.into_inner();
        let refused = [
            (request.vectors_config.is_some(), "change of vector parameters"),
            (request.sparse_vectors_config.is_some(), "change of sparse vector parameters"),
            (request.quantization_config.is_some(), "change of quantization"),
            (request.params.is_some(), "change of collection parameters"),
            (request.strict_mode_config.is_some(), "strict mode"),
        ];
        if let Some((_, what)) = refused.into_iter().find(|(asked, _)| *asked) {
            return Err(absent(what));
        }
        let collection = self.catalog.find(&request.collection_name)?;
        collection.update(request).await?;
        Ok(done(true, &clock))
    }

    async fn delete(
        &self,
        request: Request<DeleteCollection>,
    ) -> Result<Response<CollectionOperationResponse>, Status> {
        let clock = Clock::start();
        let deleted = self.catalog.delete(&request.into_inner().collection_name).await?;
        Ok(done(deleted, &clock))
    }

    async fn update_aliases(
        &self,
        request: Request<ChangeAliases>,
    ) -> Result<Response<CollectionOperationResponse>, Status> {
        let clock = Clock::start();
        self.catalog.change_aliases(request.into_inner().actions).await?;
        Ok(done(true, &clock))
    }

    async fn list_collection_aliases(
        &self,
        request: Request<ListCollectionAliasesRequest>,
    ) -> Result<Response<ListAliasesResponse>, Status> {
        let clock = Clock::start();
        let collection = self.catalog.find(&request.into_inner().collection_name)?;
        let aliases = self.catalog.aliases(Some(collection.name()));
        Ok(Response::new(ListAliasesResponse { aliases, time: clock.seconds() }))
    }

    async fn list_aliases(
        &self,
        _: Request<ListAliasesRequest>,
    ) -> Result<Response<ListAliasesResponse>, Status> {
        let clock = Clock::start();
        Ok(Response::new(ListAliasesResponse { aliases: self.catalog.aliases(None), time: clock.seconds() }))
    }

    async fn collection_exists(
        &self,
        request: Request<CollectionExistsRequest>,
    ) -> Result<Response<CollectionExistsResponse>, Status> {
        let clock = Clock::start();
        let exists = self.catalog.find(&request.into_inner().collection_name).is_ok();
        let result = Some(CollectionExists { exists });
        Ok(Response::new(CollectionExistsResponse { result, time: clock.seconds() }))
    }

    async fn collection_cluster_info(
        &self,
        _: Request<CollectionClusterInfoRequest>,
    ) -> Result<Response<CollectionClusterInfoResponse>, Status> {
        Err(absent("Collections/CollectionClusterInfo"))
    }

    async fn update_collection_cluster_setup(
        &self,
        _: Request<UpdateCollectionClusterSetupRequest>,
    ) -> Result<Response<UpdateCollectionClusterSetupResponse>, Status> {
        Err(absent("Collections/UpdateCollectionClusterSetup"))
    }

    async fn create_shard_key(
        &self,
        _: Request<CreateShardKeyRequest>,
    ) -> Result<Response<CreateShardKeyResponse>, Status> {
        Err(absent("Collections/CreateShardKey"))
    }

    async fn delete_shard_key(
        &self,
        _: Request<DeleteShardKeyRequest>,
    ) -> Result<Response<DeleteShardKeyResponse>, Status> {
        Err(absent("Collections/DeleteShardKey"))
    }

    async fn list_shard_keys(
        &self,
        _: Request<ListShardKeysRequest>,
    ) -> Result<Response<ListShardKeysResponse>, Status> {
        Err(absent("Collections/ListShardKeys"))
    }
}
