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
        for kind in Kind::ALL {
            let name = self.collection(kind);
            if self
                .client
                .collection_exists(&name)
                .await
                .map_err(VectorError::engine("look for a collection"))?
            {
                continue;
            }
            self.create(kind, &name).await?;
        }
        Ok(())
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
