//! The one error that the control plane shows to callers, and the one place that turns it into a response.
//!
//! `detail` and `hint` are sent; the cause is kept as source, logged once at the edge, and never sent.

use std::sync::Arc;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use noetl_api::error::{ErrorBody, FindingBody};
use noetl_domain::code::Code;
use noetl_domain::finding::Finding;

type Cause = Arc<dyn std::error::Error + Send + Sync>;

#[derive(Clone, Debug, thiserror::Error)]
#[error("{detail}")]
pub struct ServerError {
    pub code: Code,
    /// What went wrong here, for the caller.
    pub detail: String,
    /// The next thing to type.
    pub hint: Option<String>,
    /// Every remark on a refused playbook, with its excerpt.
    pub findings: Vec<FindingBody>,
    #[source]
    source: Option<Cause>,
    /// When the Code alone does not say it (a body too large, a method not known).
    status: Option<StatusCode>,
}

impl ServerError {
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), hint: None, findings: Vec::new(), source: None, status: None }
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Keeps the cause for the log.
    #[must_use]
    pub fn because(mut self, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(Arc::from(cause.into()));
        self
    }

    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.status = Some(status);
        self
    }

    /// AP003: the request cannot be read.
    pub fn invalid(detail: impl Into<String>) -> Self {
        Self::new(Code::InvalidRequest, detail)
    }

    /// AP005: there is nothing here.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(Code::NotFound, detail)
    }

    /// AP004: the settings forbid it.
    pub fn not_allowed(detail: impl Into<String>) -> Self {
        Self::new(Code::NotAllowed, detail)
    }

    /// AP001.
    pub fn unknown_playbook(path: &str, version: Option<u32>) -> Self {
        let which = version.map_or_else(String::new, |version| format!(" in version {version}"));
        Self::new(Code::UnknownPlaybook, format!("no playbook {path:?} is registered{which}"))
            .hint("noetl catalog list playbook")
    }

    /// AP002.
    pub fn unknown_execution(id: impl std::fmt::Display) -> Self {
        Self::new(Code::UnknownExecution, format!("there is no execution {id}")).hint("noetl executions")
    }

    /// CR001.
    pub fn unknown_credential(name: &str) -> Self {
        Self::new(Code::UnknownCredential, format!("there is no credential named {name:?}"))
            .hint("noetl credential list")
    }

    /// EX009.
    pub fn already_finished(id: impl std::fmt::Display, status: &str) -> Self {
        Self::new(Code::AlreadyFinished, format!("execution {id} has already ended: {status}"))
    }

    /// AP006: the store failed while it tried to do `attempted`.
    pub fn store(
        attempted: impl std::fmt::Display,
        cause: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::new(Code::StoreFailed, format!("could not {attempted}"))
            .hint("see the server's log; is the disk full?")
            .because(cause)
    }

    /// AP010: try again later.
    pub fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(Code::Unavailable, detail)
    }

    /// AP011: a bug of ours.
    pub fn internal(detail: impl Into<String>) -> Self {
        Self::new(Code::Internal, detail)
    }

    /// Inputs that cannot be made into an Execution.
    pub fn from_start(error: &noetl_domain::execution::StartError) -> Self {
        use noetl_domain::execution::StartError;
        match error {
            StartError::Workload(source) => {
                Self::new(Code::TemplateFailed, format!("the workload cannot be rendered: {source}"))
            }
            StartError::UnknownTarget(_) => Self::new(Code::UnknownStep, error.to_string()),
        }
    }

    /// A refused playbook: the first error names the Code, all findings travel along.
    pub fn findings(text: &str, findings: &[Finding]) -> Self {
        use noetl_domain::finding::Severity;
        let errors: Vec<&Finding> =
            findings.iter().filter(|finding| finding.severity == Severity::Error).collect();
        let first = errors.first().copied().or(findings.first());
        let code = first.map_or(Code::NotAPlaybook, |finding| finding.code);
        let detail = match first {
            Some(first) if errors.len() > 1 => {
                format!("line {}: {} (and {} more)", first.span.line, first.message, errors.len() - 1)
            }
            Some(first) => format!("line {}: {}", first.span.line, first.message),
            None => "the playbook was refused".to_owned(),
        };
        let mut error = Self::new(code, detail);
        error.hint = first.and_then(|finding| finding.hint.clone());
        error.findings = findings.iter().map(|finding| FindingBody::new(finding, text)).collect();
        error
    }

    /// The HTTP status that belongs to the Code.
    pub fn status(&self) -> StatusCode {
        self.status.unwrap_or_else(|| status_of(self.code))
    }

    pub fn body(&self) -> ErrorBody {
        ErrorBody {
            // Where nothing better is known, the page of the code is the next thing to read.
            hint: self.hint.clone().or_else(|| Some(format!("noetl explain {}", self.code))),
            findings: self.findings.clone(),
            ..ErrorBody::new(self.code, shortened(&self.detail))
        }
    }
}

/// Details quote what was sent; nobody reads a megabyte of it twice.
fn shortened(detail: &str) -> String {
    const MOST: usize = 4000;
    match detail.char_indices().nth(MOST) {
        None => detail.to_owned(),
        Some((end, _)) => format!("{}… ({} bytes in all)", &detail[..end], detail.len()),
    }
}

impl IntoResponse for ServerError {
    fn into_response(self) -> Response {
        let status = self.status();
        if status.is_server_error() {
            let cause = self.source.as_ref().map(|cause| chain(cause.as_ref()));
            tracing::error!(code = %self.code, cause, "{}", self.detail);
        }
        (status, Json(self.body())).into_response()
    }
}

/// The whole chain of causes on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}

#[expect(clippy::match_same_arms, reason = "one arm per family of Codes")]
fn status_of(code: Code) -> StatusCode {
    use Code as C;
    match code {
        // The text of a playbook, its graph and its templates.
        C::YamlSyntax
        | C::YamlTooLarge
        | C::NotAPlaybook
        | C::UnknownKey
        | C::WrongType
        | C::MissingKey
        | C::DuplicateKey
        | C::UnknownValue
        | C::Conflict
        | C::UnknownStep
        | C::DuplicateStep
        | C::MissingTool
        | C::UnknownTool
        | C::UnreachableStep
        | C::EndlessLoop
        | C::MissingStart
        | C::UnknownWorkbookTask
        | C::UnknownTaskLabel
        | C::InvalidLoop
        | C::InvalidSchedule
        | C::TemplateSyntax
        | C::TemplateFailed
        | C::TemplateFuel
        | C::UnknownName => StatusCode::UNPROCESSABLE_ENTITY,
        // Running: what an execution met is the answer, not a failure of the server.
        C::LoopSource
        | C::StepTimeout
        | C::ExecutionTimeout
        | C::NoRoute
        | C::TooManySteps
        | C::ChildFailed
        | C::CommandLost
        | C::ToolFailed
        | C::ToolInput
        | C::PythonMissingModule
        | C::PythonNotFound
        | C::ScriptUnavailable
        | C::SaveFailed
        | C::ResourceLimit
        | C::KeychainFailed
        | C::SecretNotFound
        | C::SecretRefused
        | C::TokenFailed => StatusCode::UNPROCESSABLE_ENTITY,
        C::IllegalTransition | C::AlreadyFinished => StatusCode::CONFLICT,
        C::CredentialShape => StatusCode::UNPROCESSABLE_ENTITY,
        C::UnknownCredential
        | C::UnknownPlaybook
        | C::UnknownExecution
        | C::NotFound
        | C::UnknownSchedule => StatusCode::NOT_FOUND,
        // The command line's own; no answer of the server carries it.
        C::InvalidRequest | C::CommandLine => StatusCode::BAD_REQUEST,
        C::NotAllowed => StatusCode::FORBIDDEN,
        C::Connection | C::Unreachable => StatusCode::BAD_GATEWAY,
        C::StoreLocked | C::Unavailable | C::UnservedPool | C::CannotListen => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        C::VaultKey | C::StoreFailed | C::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        // The semantic layer and the assistant answer for themselves; these stand here so that every Code has its status.
        C::QueryRefused => StatusCode::BAD_REQUEST,
        C::DocumentRefused => StatusCode::UNPROCESSABLE_ENTITY,
        C::UnknownSource => StatusCode::NOT_FOUND,
        C::LayerStarting | C::LayerOff | C::ToolOff => StatusCode::SERVICE_UNAVAILABLE,
        C::LayerFailed => StatusCode::BAD_GATEWAY,
        C::UnknownProposal | C::UnknownRollout => StatusCode::NOT_FOUND,
        C::ProposalRefused | C::PolicyInvalid => StatusCode::UNPROCESSABLE_ENTITY,
        C::ProposalRepeated | C::ProposalSettled | C::ProposalOutdated | C::RolloutBusy | C::RolloutEnded => {
            StatusCode::CONFLICT
        }
        C::PolicyForbids => StatusCode::FORBIDDEN,
    }
}

impl From<noetl_bus::results::ResultsError> for ServerError {
    fn from(error: noetl_bus::results::ResultsError) -> Self {
        use noetl_bus::results::ResultsError as E;
        match &error {
            E::NotAReference(_) => Self::invalid(error.to_string()),
            E::Missing(_) => Self::not_found(error.to_string()),
            E::Location { .. } | E::Damaged { .. } | E::Json { .. } | E::Store { .. } => {
                Self::store("read or write a large result", error)
            }
        }
    }
}
