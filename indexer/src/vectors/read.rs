//! Points read back by id or by condition, and counted.

use std::collections::HashMap;

use qdrant_client::Payload;
use qdrant_client::qdrant::point_id::PointIdOptions;
use qdrant_client::qdrant::{
    CountPointsBuilder, Filter, GetPointsBuilder, PointId, RetrievedPoint, ScrollPointsBuilder, Value,
    vector_output,
};

use super::kind::Kind;
use super::point::{Point, Stored};
use super::{BEHAVIOUR, MEANING, VectorError, Vectors};

/// Points of one page.
const PAGE: u32 = 1_000;

/// A point with the vector of its meaning.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Whole {
    pub(crate) point: Point,
    pub(crate) meaning: Option<Vec<f32>>,
}

impl Vectors {
    /// What is known of the points among these that are there.
    pub(crate) async fn get(&self, kind: Kind, ids: &[u64]) -> Result<HashMap<u64, Stored>, VectorError> {
        self.get_from(&self.collection(kind), ids).await
    }

    /// As [`Self::get`], from a collection of any space.
    pub(crate) async fn get_from(
        &self,
        collection: &str,
        ids: &[u64],
    ) -> Result<HashMap<u64, Stored>, VectorError> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let ids: Vec<PointId> = ids.iter().map(|id| PointId::from(*id)).collect();
        let request = GetPointsBuilder::new(collection, ids).with_payload(true);
        let found = self.client.get_points(request).await.map_err(VectorError::engine("read points"))?;
        found
            .result
            .into_iter()
            .map(|point| Ok((number(point.id.as_ref())?, stored(point.payload)?)))
            .collect()
    }

    /// Points with their vectors.
    pub(crate) async fn whole(&self, kind: Kind, ids: &[u64]) -> Result<Vec<Whole>, VectorError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<PointId> = ids.iter().map(|id| PointId::from(*id)).collect();
        let request = GetPointsBuilder::new(self.collection(kind), ids).with_payload(true).with_vectors(true);
        let found = self.client.get_points(request).await.map_err(VectorError::engine("read points"))?;
        found.result.into_iter().map(whole).collect()
    }

    /// A page of the points of a collection with their vectors, and where the next page begins.
    pub(crate) async fn whole_page(
        &self,
        collection: &str,
        from: Option<u64>,
        limit: u32,
    ) -> Result<(Vec<Whole>, Option<u64>), VectorError> {
        let mut request =
            ScrollPointsBuilder::new(collection).limit(limit).with_payload(true).with_vectors(true);
        if let Some(from) = from {
            request = request.offset(PointId::from(from));
        }
        let answer = self.client.scroll(request).await.map_err(VectorError::engine("read points"))?;
        let next = answer.next_page_offset.as_ref().map(|id| number(Some(id))).transpose()?;
        Ok((answer.result.into_iter().map(whole).collect::<Result<_, _>>()?, next))
    }

    /// A page of the points of a collection, by id, and where the next page begins.
    pub(crate) async fn page(
        &self,
        collection: &str,
        filter: Option<Filter>,
        from: Option<u64>,
    ) -> Result<(Vec<(u64, Stored)>, Option<u64>), VectorError> {
        let mut request = ScrollPointsBuilder::new(collection).limit(PAGE).with_payload(true);
        if let Some(filter) = filter {
            request = request.filter(filter);
        }
        if let Some(from) = from {
            request = request.offset(PointId::from(from));
        }
        let answer = self.client.scroll(request).await.map_err(VectorError::engine("read points"))?;
        let next = answer.next_page_offset.as_ref().map(|id| number(Some(id))).transpose()?;
        let points = answer.result.into_iter();
        let points: Result<_, VectorError> =
            points.map(|point| Ok((number(point.id.as_ref())?, stored(point.payload)?))).collect();
        Ok((points?, next))
    }

    pub(crate) async fn count(&self, kind: Kind, filter: Option<Filter>) -> Result<u64, VectorError> {
        self.count_in(&self.collection(kind), filter).await
    }

    /// As [`Self::count`], in a collection of any space.
    pub(crate) async fn count_in(
        &self,
        collection: &str,
        filter: Option<Filter>,
    ) -> Result<u64, VectorError> {
        let mut request = CountPointsBuilder::new(collection).exact(filter.is_some());
        if let Some(filter) = filter {
            request = request.filter(filter);
        }
        let answer = self.client.count(request).await.map_err(VectorError::engine("count points"))?;
        Ok(answer.result.map_or(0, |result| result.count))
    }
}

fn whole(point: RetrievedPoint) -> Result<Whole, VectorError> {
    let vector = |name: &str| match point.vectors.as_ref()?.get_vector_by_name(name)? {
        vector_output::Vector::Dense(dense) => Some(dense.data),
        _ => None,
    };
    let (meaning, behaviour) = (vector(MEANING), vector(BEHAVIOUR));
    let point = Point { id: number(point.id.as_ref())?, stored: stored(point.payload)?, behaviour };
    Ok(Whole { point, meaning })
}

pub(super) fn number(id: Option<&PointId>) -> Result<u64, VectorError> {
    match id.and_then(|id| id.point_id_options.as_ref()) {
        Some(PointIdOptions::Num(number)) => Ok(*number),
        other => Err(VectorError::Unreadable { reason: format!("its id is {other:?}") }),
    }
}

pub(super) fn stored(payload: HashMap<String, Value>) -> Result<Stored, VectorError> {
    let value: serde_json::Value = Payload::from(payload).into();
    serde_json::from_value(value).map_err(|error| VectorError::Unreadable { reason: error.to_string() })
}
