//! What reads points: by id, page by page, counted, asked for.

use std::sync::Arc;

use ::qdrant_client::qdrant::{
    self, CountPoints, FacetCounts, FacetHit, GetPoints, GroupsResult, QueryPointGroups, QueryPoints,
    RetrievedPoint, ScrollPoints,
};
use qdrant_edge::{CountRequest, FacetRequest, OrderByInterface, ScrollRequest};
use tonic::Status;

use super::Points;
use crate::collection::Collection;
use crate::query::{self, example::Examples};
use crate::wire::error::{status, wrong};
use crate::wire::{filter, id, payload, point, selector};

impl Points {
    pub(super) async fn retrieve(&self, request: GetPoints) -> Result<Vec<RetrievedPoint>, Status> {
        let ids = id::parse_all(request.ids)?;
        if ids.len() as u64 > query::MAX_HITS {
            return Err(wrong(format_args!("at most {} points at once", query::MAX_HITS)));
        }
        let with_payload = selector::with_payload(request.with_payload, true)?;
        let with_vectors = selector::with_vectors(request.with_vectors);
        self.catalog
            .find(&request.collection_name)?
            .read(move |shard| {
                let found = shard.retrieve(&ids, Some(with_payload), Some(with_vectors)).map_err(status)?;
                Ok(found.into_iter().map(point::print_record).collect())
            })
            .await
    }

    pub(super) async fn page(
        &self,
        request: ScrollPoints,
    ) -> Result<(Vec<RetrievedPoint>, Option<qdrant::PointId>), Status> {
        let limit = query::hits(request.limit.map(u64::from))?;
        let scroll = ScrollRequest {
            offset: request.offset.map(|offset| id::parse(Some(offset))).transpose()?,
            limit: Some(limit as usize),
            filter: filter::parse_optional(request.filter)?,
            with_payload: Some(selector::with_payload(request.with_payload, true)?),
            with_vector: selector::with_vectors(request.with_vectors),
            order_by: request.order_by.map(point::parse_order).transpose()?.map(OrderByInterface::Struct),
        };
        self.catalog
            .find(&request.collection_name)?
            .read(move |shard| {
                let (records, next) = shard.scroll(scroll).map_err(status)?;
                Ok((records.into_iter().map(point::print_record).collect(), next.map(id::print)))
            })
            .await
    }

    pub(super) async fn counted(&self, request: CountPoints) -> Result<u64, Status> {
        let count = CountRequest {
            filter: filter::parse_optional(request.filter)?,
            exact: request.exact.unwrap_or(true),
        };
        let collection = self.catalog.find(&request.collection_name)?;
        collection.read(move |shard| Ok(shard.count(count).map_err(status)? as u64)).await
    }

    pub(super) async fn facets(&self, request: FacetCounts) -> Result<Vec<FacetHit>, Status> {
        let facet = FacetRequest {
            key: payload::path(&request.key)?,
            limit: query::hits(request.limit)? as usize,
            filter: filter::parse_optional(request.filter)?,
            exact: request.exact.unwrap_or(false),
        };
        self.catalog
            .find(&request.collection_name)?
            .read(move |shard| {
                let found = shard.facet(facet).map_err(status)?;
                let print = |hit: qdrant_edge::FacetValueHit| FacetHit {
                    value: Some(point::print_facet(hit.value)),
                    count: hit.count as u64,
                };
                Ok(found.hits.into_iter().map(print).collect())
            })
            .await
    }

    pub(super) async fn ask(&self, query: QueryPoints) -> Result<Vec<qdrant::ScoredPoint>, Status> {
        let collection = self.catalog.find(&query.collection_name)?;
        let points = self.with_examples(collection, move |examples| query::run(examples, query)).await?;
        Ok(points.into_iter().map(point::print_scored).collect())
    }

    pub(super) async fn grouped(&self, query: QueryPointGroups) -> Result<GroupsResult, Status> {
        let collection = self.catalog.find(&query.collection_name)?;
        self.with_examples(collection, move |examples| query::groups::run(examples, query)).await
    }

    async fn with_examples<T: Send + 'static>(
        &self,
        collection: Arc<Collection>,
        work: impl FnOnce(&Examples<'_>) -> Result<T, Status> + Send + 'static,
    ) -> Result<T, Status> {
        let catalog = self.catalog.clone();
        let name = collection.name().to_owned();
        collection.read(move |shard| work(&Examples { shard, name: &name, catalog: &catalog })).await
    }
}
