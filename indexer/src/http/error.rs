//! Refusals, in the one form that every endpoint uses.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use noetl_api::error::ErrorBody;
use noetl_domain::code::Code;

use crate::analytics::AnalyticsError;
use crate::follow::{brief, chain};
use crate::semantic::Unavailable;
use crate::vectors::{Condition, ConditionError, KnowledgeError, SimilarError, VectorError};

#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    body: ErrorBody,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, code: Code, detail: impl Into<String>) -> Self {
        Self { status, body: ErrorBody::new(code, detail) }
    }

    pub(super) fn invalid(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, Code::InvalidRequest, detail)
    }

    #[must_use]
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.body.hint = Some(hint.into());
        self
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status, Json(self.body)).into_response()
    }
}

impl From<Unavailable> for Refusal {
    fn from(error: Unavailable) -> Self {
        let code = match error {
            Unavailable::Starting(_) => Code::LayerStarting,
            Unavailable::Failing { .. } | Unavailable::Off { .. } => Code::LayerOff,
        };
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, error.to_string())
            .hint("`noetl cluster status` says what is on and what is off")
    }
}

impl From<AnalyticsError> for Refusal {
    fn from(error: AnalyticsError) -> Self {
        match error {
            AnalyticsError::Refused { reason } => {
                Self::new(StatusCode::BAD_REQUEST, Code::QueryRefused, reason).hint(
                    "the tables and their columns: docs/semantic-layer.md, or SELECT * FROM system.columns",
                )
            }
            AnalyticsError::Engine { .. }
            | AnalyticsError::Newer { .. }
            | AnalyticsError::Unreadable { .. } => {
                tracing::warn!(error = %chain(&error), "a question could not be answered");
                Self::new(StatusCode::BAD_GATEWAY, Code::LayerFailed, brief(&error))
                    .hint("`noetl cluster status` says how the engine is doing")
            }
        }
    }
}

impl From<VectorError> for Refusal {
    fn from(error: VectorError) -> Self {
        tracing::warn!(error = %chain(&error), "a question could not be answered");
        Self::new(StatusCode::BAD_GATEWAY, Code::LayerFailed, chain(&error))
            .hint("`noetl cluster status` says how the engine is doing")
    }
}

impl From<ConditionError> for Refusal {
    fn from(error: ConditionError) -> Self {
        let hint = match &error {
            ConditionError::Form(_) => {
                "such as cause=quota, count>=3 or tool!=http, joined by commas".to_owned()
            }
            ConditionError::Field(_) => format!("their fields: {}", Condition::fields().join(", ")),
            ConditionError::Number { .. } => "= and != compare words".to_owned(),
        };
        Self::invalid(error.to_string()).hint(hint)
    }
}

impl From<KnowledgeError> for Refusal {
    fn from(error: KnowledgeError) -> Self {
        let refused = |status| Self::new(status, Code::DocumentRefused, error.to_string());
        match error {
            KnowledgeError::Name { .. } => Self::invalid(error.to_string())
                .hint("a file, an address or any name of your own, such as docs/ops.md"),
            KnowledgeError::TooLarge(_) | KnowledgeError::TooMany(_) => {
                refused(StatusCode::PAYLOAD_TOO_LARGE).hint("cut it into several documents")
            }
            KnowledgeError::Empty => refused(StatusCode::UNPROCESSABLE_ENTITY)
                .hint("headings alone are no text; format is markdown, text or html"),
            KnowledgeError::Vectors(error) => error.into(),
            KnowledgeError::Unreadable | KnowledgeError::Files { .. } => {
                tracing::warn!(error = %chain(&error), "the knowledge cannot be changed or read");
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, Code::LayerFailed, chain(&error))
                    .hint("is there room on the disk of the data directory, and may the server write there?")
            }
        }
    }
}

impl From<SimilarError> for Refusal {
    fn from(error: SimilarError) -> Self {
        match error {
            SimilarError::Unknown(_) => {
                Self::new(StatusCode::NOT_FOUND, Code::UnknownExecution, error.to_string())
                    .hint("noetl executions lists them; noetl events ID shows the ids of events")
            }
            SimilarError::Unavailable(error) => error.into(),
            SimilarError::Vectors(error) => error.into(),
            SimilarError::Feed(_) => Self::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                Code::LayerFailed,
                format!("the log cannot be read: {}", chain(&error)),
            ),
        }
    }
}
