//! Vectors against a collection's configuration, before anything of a request is done.
//!
//! The engine would find a wrong vector too, but only when it reaches it, with the points before it already stored.

use qdrant_edge::{
    EdgeConfig, PointInsertOperations, PointOperations, UpdateOperation, VectorInternal, VectorOperations,
    VectorPersisted, VectorStructPersisted,
};
use tonic::Status;

use crate::wire::error::{status, wrong};

/// What is wrong with an operation's vectors, if anything.
pub(crate) fn operation(config: &EdgeConfig, operation: &UpdateOperation) -> Result<(), Status> {
    match operation {
        UpdateOperation::PointOperation(PointOperations::UpsertPoints(insert)) => inserted(config, insert),
        UpdateOperation::PointOperation(PointOperations::UpsertPointsConditional(insert)) => {
            inserted(config, &insert.points_op)
        }
        UpdateOperation::VectorOperation(VectorOperations::UpdateVectors(update)) => {
            update.points.iter().try_for_each(|point| stored(config, &point.vector))
        }
        UpdateOperation::VectorOperation(
            VectorOperations::DeleteVectors(_, names) | VectorOperations::DeleteVectorsByFilter(_, names),
        ) => names.iter().try_for_each(|name| known(config, name)),
        _ => Ok(()),
    }
}

/// What is wrong with a vector that a query compares with.
pub(crate) fn compared(config: &EdgeConfig, name: &str, vector: &VectorInternal) -> Result<(), Status> {
    match vector {
        VectorInternal::Dense(dense) => dimension(config, name, dense.len(), "dense"),
        VectorInternal::MultiDense(multi) => dimension(config, name, multi.dim, "multi"),
        VectorInternal::Sparse(_) => sparse(config, name),
    }
}

fn inserted(config: &EdgeConfig, insert: &PointInsertOperations) -> Result<(), Status> {
    match insert {
        PointInsertOperations::PointsList(points) => {
            points.iter().try_for_each(|point| stored(config, &point.vector))
        }
        // The front makes lists only.
        PointInsertOperations::PointsBatch(_) => Ok(()),
    }
}

fn stored(config: &EdgeConfig, vectors: &VectorStructPersisted) -> Result<(), Status> {
    let rows = |multi: &Vec<Vec<f32>>| multi.first().map_or(0, Vec::len);
    let unnamed = qdrant_edge::DEFAULT_VECTOR_NAME;
    match vectors {
        VectorStructPersisted::Single(dense) => dimension(config, unnamed, dense.len(), "dense"),
        VectorStructPersisted::MultiDense(multi) => dimension(config, unnamed, rows(multi), "multi"),
        VectorStructPersisted::Named(named) => named.iter().try_for_each(|(name, vector)| match vector {
            VectorPersisted::Dense(dense) => dimension(config, name, dense.len(), "dense"),
            VectorPersisted::MultiDense(multi) => dimension(config, name, rows(multi), "multi"),
            VectorPersisted::Sparse(_) => sparse(config, name),
        }),
    }
}

fn known(config: &EdgeConfig, name: &str) -> Result<(), Status> {
    if config.vectors.contains_key(name) || config.sparse_vectors.contains_key(name) {
        Ok(())
    } else {
        Err(wrong(format_args!("Not existing vector name error: {name}")))
    }
}

fn dimension(config: &EdgeConfig, name: &str, received_dim: usize, kind: &str) -> Result<(), Status> {
    known(config, name)?;
    let Some(params) = config.vectors.get(name) else {
        return Err(wrong(format_args!("the vector {name:?} is sparse, and a {kind} one was given")));
    };
    if params.multivector_config.is_none() && kind == "multi" {
        return Err(wrong(format_args!("the vector {name:?} is dense, and a multi one was given")));
    }
    if params.size != received_dim {
        let expected_dim = params.size;
        return Err(status(qdrant_edge::OperationError::WrongVectorDimension { expected_dim, received_dim }));
    }
    Ok(())
}

fn sparse(config: &EdgeConfig, name: &str) -> Result<(), Status> {
    known(config, name)?;
    if config.sparse_vectors.contains_key(name) {
        Ok(())
    } else {
        Err(wrong(format_args!("the vector {name:?} is dense, and a sparse one was given")))
    }
}
