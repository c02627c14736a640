//! Points put in and taken out. Every write is on disk when it is answered.

use std::collections::HashMap;

use qdrant_client::Payload;
use qdrant_client::qdrant::points_selector::PointsSelectorOneOf;
use qdrant_client::qdrant::points_update_operation::{Operation, OverwritePayload};
use qdrant_client::qdrant::{
    DeletePointsBuilder, Filter, NamedVectors, PointId, PointStruct, PointsIdsList, PointsSelector,
    PointsUpdateOperation, UpdateBatchPointsBuilder, UpdateMode, UpsertPointsBuilder, Value, Vector,
};

use super::kind::Kind;
use super::point::{Point, Stored};
use super::{BEHAVIOUR, MEANING, VectorError, Vectors, WORDS};
use crate::embedding;

/// Points of one request; with the longest texts they stay far below what the engine takes at once.
const CHUNK: usize = 200;

impl Vectors {
    /// Puts points in, or in the place of the ones with their ids. Texts that are new are embedded.
    pub async fn put(&self, kind: Kind, points: &[Point]) -> Result<(), VectorError> {
        for chunk in points.chunks(CHUNK) {
            let meanings = self.meanings(kind, chunk).await?;
            self.put_made(kind, chunk, meanings, UpdateMode::Upsert).await?;
        }
        Ok(())
    }

    /// Puts points in whose meaning is known already; without an embedder they have none.
    pub(crate) async fn put_known(
        &self,
        kind: Kind,
        points: &[Point],
        meanings: &[Option<Vec<f32>>],
    ) -> Result<(), VectorError> {
        for (chunk, meanings) in points.chunks(CHUNK).zip(meanings.chunks(CHUNK)) {
            self.put_made(kind, chunk, meanings.to_vec(), UpdateMode::Upsert).await?;
        }
        Ok(())
    }

    /// As [`Self::put_known`], for ids that are free; points that are there stay as they are.
    pub(crate) async fn add_known(
        &self,
        kind: Kind,
        points: &[Point],
        meanings: &[Option<Vec<f32>>],
    ) -> Result<(), VectorError> {
        for (chunk, meanings) in points.chunks(CHUNK).zip(meanings.chunks(CHUNK)) {
            self.put_made(kind, chunk, meanings.to_vec(), UpdateMode::InsertOnly).await?;
        }
        Ok(())
    }

    async fn put_made(
        &self,
        kind: Kind,
        points: &[Point],
        meanings: Vec<Option<Vec<f32>>>,
        mode: UpdateMode,
    ) -> Result<(), VectorError> {
        let made = points.iter().zip(meanings).map(|(point, meaning)| structure(point, meaning));
        let made: Vec<PointStruct> = made.collect::<Result<_, _>>()?;
        let mut request = UpsertPointsBuilder::new(self.collection(kind), made).wait(true);
        if mode != UpdateMode::Upsert {
            request = request.update_mode(mode);
        }
        self.client.upsert_points(request).await.map_err(VectorError::engine("put points"))?;
        Ok(())
    }

    /// Replaces what is known of points that are there, and leaves their vectors alone.
    pub(crate) async fn tell(&self, kind: Kind, points: &[(u64, Stored)]) -> Result<(), VectorError> {
        for chunk in points.chunks(CHUNK) {
            let told = chunk.iter().map(|(id, stored)| {
                let ids = PointsIdsList { ids: vec![PointId::from(*id)] };
                let points =
                    PointsSelector { points_selector_one_of: Some(PointsSelectorOneOf::Points(ids)) };
                let payload = payload(stored)?;
                let told = OverwritePayload {
                    payload,
                    points_selector: Some(points),
                    ..OverwritePayload::default()
                };
                Ok(PointsUpdateOperation { operation: Some(Operation::OverwritePayload(told)) })
            });
            let told: Vec<PointsUpdateOperation> = told.collect::<Result<_, VectorError>>()?;
            let request = UpdateBatchPointsBuilder::new(self.collection(kind), told).wait(true);
            self.client.update_points_batch(request).await.map_err(VectorError::engine("change points"))?;
        }
        Ok(())
    }

    pub(crate) async fn delete(&self, kind: Kind, ids: &[u64]) -> Result<(), VectorError> {
        if ids.is_empty() {
            return Ok(());
        }
        let ids = PointsIdsList { ids: ids.iter().map(|id| PointId::from(*id)).collect() };
        let request = DeletePointsBuilder::new(self.collection(kind)).points(ids).wait(true);
        self.client.delete_points(request).await.map_err(VectorError::engine("delete points"))?;
        Ok(())
    }

    pub(crate) async fn delete_where(&self, kind: Kind, filter: Filter) -> Result<(), VectorError> {
        let request = DeletePointsBuilder::new(self.collection(kind)).points(filter).wait(true);
        self.client.delete_points(request).await.map_err(VectorError::engine("delete points"))?;
        Ok(())
    }

    /// The vector of each point's meaning; none without an embedder.
    pub(crate) async fn meanings(
        &self,
        kind: Kind,
        points: &[Point],
    ) -> Result<Vec<Option<Vec<f32>>>, VectorError> {
        let Some(embedder) = &self.embedder else { return Ok(vec![None; points.len()]) };
        let texts: Vec<String> = points.iter().map(|point| kind.meaning(&point.stored.facts)).collect();
        Ok(embedder.embed(&texts).await?.into_iter().map(Some).collect())
    }
}

fn structure(point: &Point, meaning: Option<Vec<f32>>) -> Result<PointStruct, VectorError> {
    let mut vectors = NamedVectors::default();
    if let Some(meaning) = meaning {
        vectors = vectors.add_vector(MEANING, meaning);
    }
    if let Some(behaviour) = &point.behaviour {
        vectors = vectors.add_vector(BEHAVIOUR, behaviour.clone());
    }
    let words = embedding::document(&Kind::words(&point.stored.facts));
    if !words.is_empty() {
        vectors = vectors.add_vector(WORDS, Vector::new_sparse(words.indices, words.values));
    }
    Ok(PointStruct::new(point.id, vectors, payload(&point.stored)?))
}

fn payload(stored: &Stored) -> Result<HashMap<String, Value>, VectorError> {
    let unreadable = |reason: String| VectorError::Unreadable { reason };
    let value = serde_json::to_value(stored).map_err(|error| unreadable(error.to_string()))?;
    Ok(Payload::try_from(value).map_err(|error| unreadable(error.to_string()))?.into())
}
