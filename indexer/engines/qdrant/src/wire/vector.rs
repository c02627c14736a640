//! Vectors: dense, sparse and multi, named or not, in the protocol's two ways of writing them.

use std::collections::HashMap;

use ::qdrant_client::qdrant::{
    self, DenseVector, MultiDenseVector, NamedVectorsOutput, VectorOutput, VectorsOutput,
    vector::Vector as Shape, vector_output::Vector as ShapeOut, vectors::VectorsOptions,
    vectors_output::VectorsOptions as OptionsOut,
};
use qdrant_edge::{
    DEFAULT_VECTOR_NAME, SparseVector, TypedMultiDenseVector, VectorInternal, VectorPersisted,
    VectorStructInternal, VectorStructPersisted,
};
use tonic::Status;

use super::error::{absent, missing, status, wrong};

/// The vectors of one point, to be stored.
pub(crate) fn parse_point(vectors: Option<qdrant::Vectors>) -> Result<VectorStructPersisted, Status> {
    match vectors.and_then(|vectors| vectors.vectors_options) {
        // A point may live without vectors.
        None => Ok(VectorStructPersisted::Named(HashMap::new())),
        Some(VectorsOptions::Vector(vector)) => Ok(match parse(vector)? {
            VectorPersisted::Dense(dense) => VectorStructPersisted::Single(dense),
            VectorPersisted::MultiDense(multi) => VectorStructPersisted::MultiDense(multi),
            sparse @ VectorPersisted::Sparse(_) => {
                VectorStructPersisted::Named(HashMap::from([(DEFAULT_VECTOR_NAME.to_owned(), sparse)]))
            }
        }),
        Some(VectorsOptions::Vectors(named)) => {
            let parsed: Result<HashMap<_, _>, Status> =
                named.vectors.into_iter().map(|(name, vector)| Ok((name, parse(vector)?))).collect();
            parsed.map(VectorStructPersisted::Named)
        }
    }
}

#[expect(deprecated, reason = "older clients write a vector's numbers without saying its kind")]
pub(crate) fn parse(vector: qdrant::Vector) -> Result<VectorPersisted, Status> {
    let qdrant::Vector { data, indices, vectors_count, vector } = vector;
    let shape = match (vector, indices, vectors_count) {
        (Some(shape), _, _) => shape,
        (None, Some(indices), _) => {
            Shape::Sparse(qdrant::SparseVector { values: data, indices: indices.data })
        }
        (None, None, Some(count)) if count > 1 => {
            let count = count as usize;
            if data.is_empty() || !data.len().is_multiple_of(count) {
                return Err(wrong(format_args!("{} numbers do not make {count} vectors", data.len())));
            }
            let rows = data.chunks(data.len() / count);
            Shape::MultiDense(MultiDenseVector {
                vectors: rows.map(|row| DenseVector { data: row.to_vec() }).collect(),
            })
        }
        (None, None, _) => Shape::Dense(DenseVector { data }),
    };
    Ok(match shape {
        Shape::Dense(dense) => VectorPersisted::Dense(finite(dense.data)?),
        Shape::Sparse(vector) => VectorPersisted::Sparse(sparse(vector.indices, vector.values)?),
        Shape::MultiDense(multi) => VectorPersisted::MultiDense(rows(multi)?),
        Shape::Document(_) | Shape::Image(_) | Shape::Object(_) => {
            return Err(absent("inference of vectors"));
        }
    })
}

/// The same, to compare with.
pub(crate) fn to_query(vector: VectorPersisted) -> Result<VectorInternal, Status> {
    Ok(match vector {
        VectorPersisted::Dense(dense) => VectorInternal::Dense(dense),
        VectorPersisted::Sparse(sparse) => VectorInternal::Sparse(sparse),
        VectorPersisted::MultiDense(multi) => {
            VectorInternal::MultiDense(TypedMultiDenseVector::try_from_matrix(multi).map_err(status)?)
        }
    })
}

pub(crate) fn sparse(indices: Vec<u32>, values: Vec<f32>) -> Result<SparseVector, Status> {
    SparseVector::new(indices, finite(values)?).map_err(|error| wrong(format_args!("sparse vector: {error}")))
}

pub(crate) fn rows(multi: MultiDenseVector) -> Result<Vec<Vec<f32>>, Status> {
    let rows: Result<Vec<_>, _> = multi.vectors.into_iter().map(|row| finite(row.data)).collect();
    let rows = rows?;
    if rows.is_empty() || rows.iter().any(|row| row.len() != rows[0].len() || row.is_empty()) {
        return Err(wrong("the rows of a multi vector must be of one length and not empty"));
    }
    Ok(rows)
}

/// A number that is none would poison every score it meets.
pub(crate) fn finite(values: Vec<f32>) -> Result<Vec<f32>, Status> {
    if values.iter().all(|value| value.is_finite()) {
        Ok(values)
    } else {
        Err(wrong("a vector holds a number that is not finite"))
    }
}

pub(crate) fn print(vectors: VectorStructInternal) -> VectorsOutput {
    let options = match vectors {
        VectorStructInternal::Single(dense) => OptionsOut::Vector(output(VectorInternal::Dense(dense))),
        VectorStructInternal::MultiDense(multi) => {
            OptionsOut::Vector(output(VectorInternal::MultiDense(multi)))
        }
        VectorStructInternal::Named(named) => OptionsOut::Vectors(NamedVectorsOutput {
            vectors: named.into_iter().map(|(name, vector)| (name, output(vector))).collect(),
        }),
    };
    VectorsOutput { vectors_options: Some(options) }
}

fn output(vector: VectorInternal) -> VectorOutput {
    let shape = match vector {
        VectorInternal::Dense(data) => ShapeOut::Dense(DenseVector { data }),
        VectorInternal::Sparse(sparse) => {
            ShapeOut::Sparse(qdrant::SparseVector { values: sparse.values, indices: sparse.indices })
        }
        VectorInternal::MultiDense(multi) => ShapeOut::MultiDense(MultiDenseVector {
            vectors: multi
                .flattened_vectors
                .chunks(multi.dim.max(1))
                .map(|row| DenseVector { data: row.to_vec() })
                .collect(),
        }),
    };
    VectorOutput { vector: Some(shape), ..VectorOutput::default() }
}

/// The one vector of a stored point that a query by id means.
pub(crate) fn pick(vectors: VectorStructInternal, name: &str) -> Result<VectorInternal, Status> {
    match vectors {
        VectorStructInternal::Single(dense) if name.is_empty() => Some(VectorInternal::Dense(dense)),
        VectorStructInternal::MultiDense(multi) if name.is_empty() => Some(VectorInternal::MultiDense(multi)),
        VectorStructInternal::Named(mut named) => named.remove(name),
        VectorStructInternal::Single(_) | VectorStructInternal::MultiDense(_) => None,
    }
    .ok_or_else(|| missing(&format!("the vector {name:?} of a referenced point")))
}
