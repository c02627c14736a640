//! Which copy of the index this is: a random id beside the points.
//!
//! A place in the feed is believed only by the copy it was written for, so whoever deletes points gets them back.

use std::collections::HashMap;

use qdrant_client::qdrant::{
    CreateCollectionBuilder, GetPointsBuilder, NamedVectors, PointId, PointStruct, SparseVectorParamsBuilder,
    SparseVectorsConfigBuilder, UpsertPointsBuilder, Value,
};

use super::kind::Kind;
use super::{VectorError, Vectors, WORDS};

/// It belongs to no space, as it says nothing about vectors.
const COLLECTION: &str = "noetl_index";
const POINT: u64 = 1;
const FIELD: &str = "index";

impl Vectors {
    /// The id of this copy.
    pub(crate) async fn index(&self) -> Result<String, VectorError> {
        let missing = || VectorError::Unreadable { reason: "the copy of the index has no id".to_owned() };
        self.read_index().await?.ok_or_else(missing)
    }

    /// Gives the copy a new id when it has none, or when points are gone that a place in the feed would skip.
    ///
    /// It comes before collections are made: dying in between must not leave an empty collection under the old id.
    pub(super) async fn prepare_index(&self, there: &[String]) -> Result<(), VectorError> {
        let has = |kind: Kind| there.iter().any(|name| name.starts_with(&Self::prefix(kind)));
        let is_whole = [Kind::Failure, Kind::Execution].into_iter().all(has);
        if !there.iter().any(|name| name == COLLECTION) {
            let mut sparse = SparseVectorsConfigBuilder::default();
            sparse.add_named_vector_params(WORDS, SparseVectorParamsBuilder::default());
            let create = CreateCollectionBuilder::new(COLLECTION).sparse_vectors_config(sparse);
            self.client
                .create_collection(create)
                .await
                .map_err(VectorError::engine("create a collection"))?;
        } else if is_whole && self.read_index().await?.is_some() {
            return Ok(());
        }
        let id = Value::from(uuid::Uuid::new_v4().to_string());
        let point = PointStruct::new(POINT, NamedVectors::default(), HashMap::from([(FIELD.to_owned(), id)]));
        let request = UpsertPointsBuilder::new(COLLECTION, vec![point]).wait(true);
        self.client.upsert_points(request).await.map_err(VectorError::engine("put points"))?;
        Ok(())
    }

    async fn read_index(&self) -> Result<Option<String>, VectorError> {
        let request = GetPointsBuilder::new(COLLECTION, vec![PointId::from(POINT)]).with_payload(true);
        let found = self.client.get_points(request).await.map_err(VectorError::engine("read points"))?;
        let id = found.result.into_iter().next().and_then(|mut point| point.payload.remove(FIELD));
        Ok(id.and_then(|id| id.as_str().cloned()))
    }
}
