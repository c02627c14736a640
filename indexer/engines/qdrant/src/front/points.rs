//! Points: writing, reading, asking.

mod read;
mod write;

use std::sync::Arc;

use ::qdrant_client::qdrant::points_server::Points as Service;
use ::qdrant_client::qdrant::{
    BatchResult, ClearPayloadPoints, CountPoints, CountResponse, CountResult, CreateFieldIndexCollection,
    CreateVectorNameRequest, DeleteFieldIndexCollection, DeletePayloadPoints, DeletePointVectors,
    DeletePoints, DeleteVectorNameRequest, DiscoverBatchPoints, DiscoverBatchResponse, DiscoverPoints,
    DiscoverResponse, FacetCounts, FacetResponse, GetPoints, GetResponse, PointsOperationResponse,
    QueryBatchPoints, QueryBatchResponse, QueryGroupsResponse, QueryPointGroups, QueryPoints, QueryResponse,
    RecommendBatchPoints, RecommendBatchResponse, RecommendGroupsResponse, RecommendPointGroups,
    RecommendPoints, RecommendResponse, ScrollPoints, ScrollResponse, SearchBatchPoints, SearchBatchResponse,
    SearchGroupsResponse, SearchMatrixOffsetsResponse, SearchMatrixPairsResponse, SearchMatrixPoints,
    SearchPointGroups, SearchPoints, SearchResponse, SetPayloadPoints, UpdateBatchPoints,
    UpdateBatchResponse, UpdatePointVectors, UpsertPoints,
};
use tonic::{Request, Response, Status};

use super::Clock;
use crate::catalog::Catalog;
use crate::query::older;
use crate::wire::error::absent;

pub(super) struct Points {
    pub(super) catalog: Arc<Catalog>,
}

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl Service for Points {
    async fn upsert(&self, request: Request<UpsertPoints>) -> Answer<PointsOperationResponse> {
        let request = request.into_inner();
        let upsert = write::upsert(request.points, request.update_filter, request.update_mode)?;
        self.write(&request.collection_name, request.wait, upsert).await
    }

    async fn delete(&self, request: Request<DeletePoints>) -> Answer<PointsOperationResponse> {
        let request = request.into_inner();
        self.write(&request.collection_name, request.wait, write::delete(request.points)?).await
    }

    async fn update_vectors(&self, request: Request<UpdatePointVectors>) -> Answer<PointsOperationResponse> {
        let request = request.into_inner();
        let update = write::update_vectors(request.points, request.update_filter)?;
        self.write(&request.collection_name, request.wait, update).await
    }

    async fn delete_vectors(&self, request: Request<DeletePointVectors>) -> Answer<PointsOperationResponse> {
        let request = request.into_inner();
        let delete = write::delete_vectors(request.points_selector, request.vectors)?;
        self.write(&request.collection_name, request.wait, delete).await
    }

    async fn set_payload(&self, request: Request<SetPayloadPoints>) -> Answer<PointsOperationResponse> {
        let request = request.into_inner();
        let set = write::set_payload(request.payload, request.points_selector, request.key)?;
        self.write(&request.collection_name, request.wait, set).await
    }

    async fn overwrite_payload(&self, request: Request<SetPayloadPoints>) -> Answer<PointsOperationResponse> {
        let request = request.into_inner();
        let overwrite = write::overwrite_payload(request.payload, request.points_selector, request.key)?;
        self.write(&request.collection_name, request.wait, overwrite).await
    }

    async fn delete_payload(&self, request: Request<DeletePayloadPoints>) -> Answer<PointsOperationResponse> {
        let request = request.into_inner();
        let delete = write::delete_payload(&request.keys, request.points_selector)?;
        self.write(&request.collection_name, request.wait, delete).await
    }

    async fn clear_payload(&self, request: Request<ClearPayloadPoints>) -> Answer<PointsOperationResponse> {
        let request = request.into_inner();
        self.write(&request.collection_name, request.wait, write::clear_payload(request.points)?).await
    }

    async fn create_field_index(
        &self,
        request: Request<CreateFieldIndexCollection>,
    ) -> Answer<PointsOperationResponse> {
        let request = request.into_inner();
        let create =
            write::create_index(&request.field_name, request.field_type, request.field_index_params)?;
        self.write(&request.collection_name, request.wait, create).await
    }

    async fn delete_field_index(
        &self,
        request: Request<DeleteFieldIndexCollection>,
    ) -> Answer<PointsOperationResponse> {
        let request = request.into_inner();
        self.write(&request.collection_name, request.wait, write::delete_index(&request.field_name)?).await
    }

    async fn update_batch(&self, request: Request<UpdateBatchPoints>) -> Answer<UpdateBatchResponse> {
        let clock = Clock::start();
        let request = request.into_inner();
        let operations: Result<Vec<_>, _> = request.operations.into_iter().map(write::batched).collect();
        let operations = operations?;
        let count = operations.len();
        let result = self.apply(&request.collection_name, request.wait, operations).await?;
        Ok(Response::new(UpdateBatchResponse {
            result: vec![result; count],
            time: clock.seconds(),
            usage: None,
        }))
    }

    async fn get(&self, request: Request<GetPoints>) -> Answer<GetResponse> {
        let clock = Clock::start();
        let result = self.retrieve(request.into_inner()).await?;
        Ok(Response::new(GetResponse { result, time: clock.seconds(), usage: None }))
    }

    async fn scroll(&self, request: Request<ScrollPoints>) -> Answer<ScrollResponse> {
        let clock = Clock::start();
        let (result, next_page_offset) = self.page(request.into_inner()).await?;
        Ok(Response::new(ScrollResponse { next_page_offset, result, time: clock.seconds(), usage: None }))
    }

    async fn count(&self, request: Request<CountPoints>) -> Answer<CountResponse> {
        let clock = Clock::start();
        let count = self.counted(request.into_inner()).await?;
        let result = Some(CountResult { count });
        Ok(Response::new(CountResponse { result, time: clock.seconds(), usage: None }))
    }

    async fn facet(&self, request: Request<FacetCounts>) -> Answer<FacetResponse> {
        let clock = Clock::start();
        let hits = self.facets(request.into_inner()).await?;
        Ok(Response::new(FacetResponse { hits, time: clock.seconds(), usage: None }))
    }

    async fn query(&self, request: Request<QueryPoints>) -> Answer<QueryResponse> {
        let clock = Clock::start();
        let result = self.ask(request.into_inner()).await?;
        Ok(Response::new(QueryResponse { result, time: clock.seconds(), usage: None }))
    }

    async fn query_batch(&self, request: Request<QueryBatchPoints>) -> Answer<QueryBatchResponse> {
        let clock = Clock::start();
        let request = request.into_inner();
        let mut result = Vec::with_capacity(request.query_points.len());
        for query in request.query_points {
            let query = QueryPoints { collection_name: request.collection_name.clone(), ..query };
            result.push(BatchResult { result: self.ask(query).await? });
        }
        Ok(Response::new(QueryBatchResponse { result, time: clock.seconds(), usage: None }))
    }

    async fn query_groups(&self, request: Request<QueryPointGroups>) -> Answer<QueryGroupsResponse> {
        let clock = Clock::start();
        let result = Some(self.grouped(request.into_inner()).await?);
        Ok(Response::new(QueryGroupsResponse { result, time: clock.seconds(), usage: None }))
    }

    async fn search(&self, request: Request<SearchPoints>) -> Answer<SearchResponse> {
        let clock = Clock::start();
        let result = self.ask(older::search(request.into_inner())).await?;
        Ok(Response::new(SearchResponse { result, time: clock.seconds(), usage: None }))
    }

    async fn search_batch(&self, request: Request<SearchBatchPoints>) -> Answer<SearchBatchResponse> {
        let clock = Clock::start();
        let request = request.into_inner();
        let mut result = Vec::with_capacity(request.search_points.len());
        for search in request.search_points {
            let search = SearchPoints { collection_name: request.collection_name.clone(), ..search };
            result.push(BatchResult { result: self.ask(older::search(search)).await? });
        }
        Ok(Response::new(SearchBatchResponse { result, time: clock.seconds(), usage: None }))
    }

    async fn search_groups(&self, request: Request<SearchPointGroups>) -> Answer<SearchGroupsResponse> {
        let clock = Clock::start();
        let result = Some(self.grouped(older::search_groups(request.into_inner())).await?);
        Ok(Response::new(SearchGroupsResponse { result, time: clock.seconds(), usage: None }))
    }

    async fn recommend(&self, request: Request<RecommendPoints>) -> Answer<RecommendResponse> {
        let clock = Clock::start();
        let result = self.ask(older::recommend(request.into_inner())?).await?;
        Ok(Response::new(RecommendResponse { result, time: clock.seconds(), usage: None }))
    }

    async fn recommend_batch(&self, _: Request<RecommendBatchPoints>) -> Answer<RecommendBatchResponse> {
        Err(absent("Points/RecommendBatch; ask with Points/QueryBatch"))
    }

    async fn recommend_groups(&self, _: Request<RecommendPointGroups>) -> Answer<RecommendGroupsResponse> {
        Err(absent("Points/RecommendGroups; ask with Points/QueryGroups"))
    }

    async fn discover(&self, _: Request<DiscoverPoints>) -> Answer<DiscoverResponse> {
        Err(absent("Points/Discover; ask with Points/Query"))
    }

    async fn discover_batch(&self, _: Request<DiscoverBatchPoints>) -> Answer<DiscoverBatchResponse> {
        Err(absent("Points/DiscoverBatch; ask with Points/QueryBatch"))
    }

    async fn create_vector_name(
        &self,
        _: Request<CreateVectorNameRequest>,
    ) -> Answer<PointsOperationResponse> {
        Err(absent("Points/CreateVectorName"))
    }

    async fn delete_vector_name(
        &self,
        _: Request<DeleteVectorNameRequest>,
    ) -> Answer<PointsOperationResponse> {
        Err(absent("Points/DeleteVectorName"))
    }

    async fn search_matrix_pairs(&self, _: Request<SearchMatrixPoints>) -> Answer<SearchMatrixPairsResponse> {
        Err(absent("Points/SearchMatrixPairs"))
    }

    async fn search_matrix_offsets(
        &self,
        _: Request<SearchMatrixPoints>,
    ) -> Answer<SearchMatrixOffsetsResponse> {
        Err(absent("Points/SearchMatrixOffsets"))
    }
}
