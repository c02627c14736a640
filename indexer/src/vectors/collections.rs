//! Collections made ready: their vectors, and the fields that are filtered by most.

use qdrant_client::qdrant::{
    CreateCollectionBuilder, CreateFieldIndexCollectionBuilder, Distance, FieldType, Modifier,
    SparseVectorParamsBuilder, SparseVectorsConfigBuilder, VectorParamsBuilder, VectorsConfigBuilder,
};

use super::kind::Kind;
use super::{BEHAVIOUR, BEHAVIOUR_NUMBERS, MEANING, VectorError, Vectors, WORDS};

/// Fields that the engine keeps an index of.
const INDEXED: &[(&str, FieldType)] = &[
    ("playbook", FieldType::Keyword),
    ("step", FieldType::Keyword),
    ("cause", FieldType::Keyword),
    ("fingerprint", FieldType::Keyword),
    ("execution_id", FieldType::Keyword),
    ("status", FieldType::Keyword),
    ("source", FieldType::Keyword),
    ("at_ms", FieldType::Integer),
];

impl Vectors {
    /// Makes the collections that are missing.
    pub async fn prepare(&self) -> Result<(), VectorError> {
        let there = self.collections().await?;
        self.prepare_index(&there).await?;
        for kind in Kind::ALL {
            let name = self.collection(kind);
            if !there.contains(&name) {
                self.create(kind, &name).await?;
            }
        }
        Ok(())
    }

    /// Collections of kinds in the spaces of other embedders: what they hold is on its way into this one's.
    pub(crate) async fn former(&self) -> Result<Vec<(Kind, String)>, VectorError> {
        let mut former = Vec::new();
        for name in self.collections().await? {
            let kind = Kind::ALL.into_iter().find(|kind| name.starts_with(&Self::prefix(*kind)));
            former.extend(kind.filter(|kind| self.collection(*kind) != name).map(|kind| (kind, name)));
        }
        former.sort_unstable();
        Ok(former)
    }

    pub(crate) async fn drop_collection(&self, name: &str) -> Result<(), VectorError> {
        self.client.delete_collection(name).await.map_err(VectorError::engine("delete a collection"))?;
        Ok(())
    }

    /// Names of all collections.
    async fn collections(&self) -> Result<Vec<String>, VectorError> {
        let list =
            self.client.list_collections().await.map_err(VectorError::engine("list the collections"))?;
        Ok(list.collections.into_iter().map(|one| one.name).collect())
    }

    async fn create(&self, kind: Kind, name: &str) -> Result<(), VectorError> {
        let failed = VectorError::engine("create a collection");
        let mut vectors = VectorsConfigBuilder::default();
        let mut has_vectors = false;
        if let Some(embedder) = &self.embedder {
            let dimension = embedder.identity().dimension as u64;
            vectors.add_named_vector_params(MEANING, VectorParamsBuilder::new(dimension, Distance::Cosine));
            has_vectors = true;
        }
        if kind == Kind::Execution {
            vectors.add_named_vector_params(
                BEHAVIOUR,
                VectorParamsBuilder::new(BEHAVIOUR_NUMBERS as u64, Distance::Euclid),
            );
            has_vectors = true;
        }
        let mut sparse = SparseVectorsConfigBuilder::default();
        sparse.add_named_vector_params(
            WORDS,
            SparseVectorParamsBuilder::default().modifier(Modifier::Idf as i32),
        );
        let mut create = CreateCollectionBuilder::new(name).sparse_vectors_config(sparse);
        if has_vectors {
            create = create.vectors_config(vectors);
        }
        self.client.create_collection(create).await.map_err(&failed)?;
        for (field, of) in INDEXED {
            let index = CreateFieldIndexCollectionBuilder::new(name, *field, *of).wait(true);
            self.client.create_field_index(index).await.map_err(&failed)?;
        }
        Ok(())
    }
}
