//! The engine's errors as the status codes Qdrant's server answers.

use qdrant_edge::OperationError;
use tonic::Status;

/// What the engine said, as the client of a Qdrant server expects to hear it.
#[expect(clippy::needless_pass_by_value, reason = "this is what map_err hands over")]
pub(crate) fn status(error: OperationError) -> Status {
    let words = error.to_string();
    match error {
        OperationError::WrongVectorDimension { .. }
        | OperationError::VectorNameNotExists { .. }
        | OperationError::TypeError { .. }
        | OperationError::TypeInferenceError { .. }
        | OperationError::ValidationError { .. }
        | OperationError::WrongSparse
        | OperationError::WrongMulti
        | OperationError::MissingRangeIndexForOrderBy { .. }
        | OperationError::MissingMapIndexForFacet { .. }
        | OperationError::VariableTypeError { .. }
        | OperationError::NonFiniteNumber { .. } => Status::invalid_argument(format!("Wrong input: {words}")),
        OperationError::PointIdError { .. } => Status::not_found(words),
        OperationError::Timeout { .. } => Status::deadline_exceeded(words),
        OperationError::Cancelled { .. } => Status::cancelled(words),
        OperationError::OutOfMemory { .. } => Status::resource_exhausted(words),
        OperationError::ServiceError { .. } | OperationError::InconsistentStorage { .. } => {
            tracing::error!(error = words, "the vector engine failed");
            Status::internal(words)
        }
    }
}

pub(crate) fn wrong(words: impl std::fmt::Display) -> Status {
    Status::invalid_argument(format!("Wrong input: {words}"))
}

pub(crate) fn missing(what: &str) -> Status {
    Status::invalid_argument(format!("Wrong input: {what} is not specified"))
}

/// A part of the protocol that this engine does not have.
pub(crate) fn absent(what: &str) -> Status {
    Status::unimplemented(format!("the embedded vector engine has no {what}"))
}
