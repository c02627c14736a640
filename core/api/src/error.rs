//! Errors as they cross the wire: one body for every refusal.

use noetl_domain::code::Code;
use noetl_domain::finding::{Finding, Severity};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The body of every answer that is not a success.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ErrorBody {
    /// The stable name of the error; `noetl explain CODE` prints its page.
    #[schema(example = "AP002")]
    pub code: String,
    /// What went wrong here and now.
    #[schema(example = "there is no execution 42")]
    pub detail: String,
    /// What the code means in general.
    #[schema(example = "There is no execution with this id")]
    pub error: String,
    /// The next thing to try.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The page of the code, on this server.
    #[schema(example = "/docs/codes/AP002")]
    pub link: String,
    /// Every remark on a refused playbook.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<FindingBody>,
}

impl ErrorBody {
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code: code.as_str().to_owned(),
            detail: detail.into(),
            error: code.title().to_owned(),
            hint: None,
            link: format!("/docs/codes/{code}"),
            findings: Vec::new(),
        }
    }

    /// None: a server newer than this client knows a code that we do not.
    pub fn code(&self) -> Option<Code> {
        self.code.parse().ok()
    }
}

/// A remark on a playbook, with its place in the text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct FindingBody {
    #[schema(example = "PB101")]
    pub code: String,
    /// `error` refuses the playbook, `warning` does not.
    pub severity: String,
    pub message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// From 1.
    pub line: u32,
    /// From 1.
    pub column: u32,
    /// The line itself and a caret under the place.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub excerpt: String,
}

impl FindingBody {
    /// Shows a finding beside the text it speaks of.
    pub fn new(finding: &Finding, text: &str) -> Self {
        Self {
            code: finding.code.to_string(),
            severity: match finding.severity {
                Severity::Error => "error".to_owned(),
                Severity::Warning => "warning".to_owned(),
            },
            message: finding.message.clone(),
            hint: finding.hint.clone(),
            line: finding.span.line,
            column: finding.span.column,
            excerpt: excerpt(text, finding.span.line, finding.span.column),
        }
    }
}

/// Long lines are cut around the place, so that a one-line file of megabytes stays readable.
const EXCERPT_WIDTH: usize = 100;

fn excerpt(text: &str, line: u32, column: u32) -> String {
    let Some(source) = (line as usize).checked_sub(1).and_then(|index| text.lines().nth(index)) else {
        return String::new();
    };
    let place = (column.max(1) as usize) - 1;
    let skipped = place.saturating_sub(EXCERPT_WIDTH * 2 / 3);
    let shown: String = source.chars().skip(skipped).take(EXCERPT_WIDTH).collect();
    let caret = place - skipped;
    format!("{}\n{:caret$}^", shown.replace('\t', " "), "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_puts_the_caret_under_the_place_and_cuts_long_lines() {
        assert_eq!(excerpt("a: 1\nworkflw: []\n", 2, 1), "workflw: []\n^");
        assert_eq!(excerpt("a: [1, 2", 1, 5), "a: [1, 2\n    ^");
        assert_eq!(excerpt("one line", 9, 1), "");
        let long = excerpt(&"x".repeat(10_000), 1, 5_000);
        assert!(long.len() < 300, "{} bytes", long.len());
        assert_eq!(long.lines().last().map(str::len), Some(67));
    }
}
