//! Errors that the decider itself finds.

use serde_json::json;

use crate::code::Code;
use crate::error::TaskError;
use crate::template::TemplateError;

pub(super) fn coded(code: Code, kind: &str, message: impl Into<String>) -> TaskError {
    TaskError::new(kind, message)
        .with_code(code.as_str())
        .with_details(json!({ "hint": format!("noetl explain {code}") }))
}

pub(super) fn template(what: &str, error: &TemplateError) -> TaskError {
    coded(Code::TemplateFailed, "template", format!("{what}: {error}"))
}
