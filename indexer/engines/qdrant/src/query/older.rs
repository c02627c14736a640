//! The calls from before there was one query for everything, as that query.

use ::qdrant_client::qdrant::{
    DenseVector, Query, QueryPointGroups, QueryPoints, RecommendInput, RecommendPoints, SearchPointGroups,
    SearchPoints, SparseIndices, SparseVector, VectorInput, query, vector_input,
};
use tonic::Status;

use crate::wire::vector;

pub(crate) fn search(search: SearchPoints) -> QueryPoints {
    QueryPoints {
        collection_name: search.collection_name,
        query: Some(nearest(search.vector, search.sparse_indices)),
        using: search.vector_name,
        filter: search.filter,
        params: search.params,
        score_threshold: search.score_threshold,
        limit: Some(search.limit),
        offset: search.offset,
        with_vectors: search.with_vectors,
        with_payload: search.with_payload,
        ..QueryPoints::default()
    }
}

pub(crate) fn search_groups(search: SearchPointGroups) -> QueryPointGroups {
    QueryPointGroups {
        collection_name: search.collection_name,
        query: Some(nearest(search.vector, search.sparse_indices)),
        using: search.vector_name,
        filter: search.filter,
        params: search.params,
        score_threshold: search.score_threshold,
        with_payload: search.with_payload,
        with_vectors: search.with_vectors,
        limit: Some(u64::from(search.limit)),
        group_size: Some(u64::from(search.group_size)),
        group_by: search.group_by,
        with_lookup: search.with_lookup,
        ..QueryPointGroups::default()
    }
}

pub(crate) fn recommend(recommend: RecommendPoints) -> Result<QueryPoints, Status> {
    let inputs = |ids: Vec<::qdrant_client::qdrant::PointId>,
                  vectors: Vec<::qdrant_client::qdrant::Vector>| {
        let by_id = ids.into_iter().map(|id| Ok(vector_input::Variant::Id(id)));
        let by_value = vectors.into_iter().map(written);
        by_id
            .chain(by_value)
            .map(|variant| variant.map(|variant| VectorInput { variant: Some(variant) }))
            .collect::<Result<Vec<_>, Status>>()
    };
    let input = RecommendInput {
        positive: inputs(recommend.positive, recommend.positive_vectors)?,
        negative: inputs(recommend.negative, recommend.negative_vectors)?,
        strategy: recommend.strategy,
    };
    Ok(QueryPoints {
        collection_name: recommend.collection_name,
        query: Some(Query { variant: Some(query::Variant::Recommend(input)) }),
        using: recommend.using,
        filter: recommend.filter,
        params: recommend.params,
        score_threshold: recommend.score_threshold,
        limit: Some(recommend.limit),
        offset: recommend.offset,
        with_vectors: recommend.with_vectors,
        with_payload: recommend.with_payload,
        lookup_from: recommend.lookup_from,
        ..QueryPoints::default()
    })
}

fn nearest(values: Vec<f32>, indices: Option<SparseIndices>) -> Query {
    let variant = match indices {
        Some(indices) => vector_input::Variant::Sparse(SparseVector { values, indices: indices.data }),
        None => vector_input::Variant::Dense(DenseVector { data: values }),
    };
    Query { variant: Some(query::Variant::Nearest(VectorInput { variant: Some(variant) })) }
}

fn written(example: ::qdrant_client::qdrant::Vector) -> Result<vector_input::Variant, Status> {
    use qdrant_edge::VectorPersisted;
    Ok(match vector::parse(example)? {
        VectorPersisted::Dense(data) => vector_input::Variant::Dense(DenseVector { data }),
        VectorPersisted::Sparse(sparse) => {
            vector_input::Variant::Sparse(SparseVector { values: sparse.values, indices: sparse.indices })
        }
        VectorPersisted::MultiDense(rows) => {
            vector_input::Variant::MultiDense(::qdrant_client::qdrant::MultiDenseVector {
                vectors: rows.into_iter().map(|data| DenseVector { data }).collect(),
            })
        }
    })
}
