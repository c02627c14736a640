//! Points put in and taken out. Every write is on disk when it is answered.

use std::collections::HashMap;

use qdrant_client::Payload;
use qdrant_client::qdrant::{
    DeletePointsBuilder, Filter, NamedVectors, PointId, PointStruct, PointsIdsList, SetPayloadPointsBuilder,
    UpsertPointsBuilder, Value, Vector,
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
            let made = chunk.iter().zip(meanings).map(|(point, meaning)| structure(point, meaning));
            let made: Vec<PointStruct> = made.collect::<Result<_, _>>()?;
            let request = UpsertPointsBuilder::new(self.collection(kind), made).wait(true);
            self.client.upsert_points(request).await.map_err(VectorError::engine("put points"))?;
        }
        Ok(())
    }

    /// Replaces what is known of points that are there, and leaves their vectors alone.
    pub(crate) async fn tell(&self, kind: Kind, points: &[(u64, Stored)]) -> Result<(), VectorError> {
        for (id, stored) in points {
            let request = SetPayloadPointsBuilder::new(self.collection(kind), payload(stored)?)
                .points_selector(PointsIdsList { ids: vec![PointId::from(*id)] })
                .wait(true);
            self.client.set_payload(request).await.map_err(VectorError::engine("change a point"))?;
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

    async fn meanings(&self, kind: Kind, points: &[Point]) -> Result<Vec<Option<Vec<f32>>>, VectorError> {
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
