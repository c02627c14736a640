//! The one place that turns errors into terminal text: what went wrong, why, and what to type next.

use std::fmt;
use std::io::Write as _;

use noetl_api::client::ClientError;
use noetl_api::error::FindingBody;
use noetl_domain::code::Code;
use noetl_server::error::ServerError;
use noetl_server::store::StoreError;
use noetl_server::vault::VaultError;

use crate::exit::Exit;
use crate::findings;
use crate::terminal::{self, Style};

/// An error with the facts a user needs; carried inside `anyhow::Error`.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) message: String,
    pub(crate) code: Option<Code>,
    pub(crate) hint: Option<String>,
    pub(crate) exit: Exit,
}

impl Problem {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: None, hint: None, exit: Exit::Failed }
    }

    /// A mistake in what was typed: exit status 2.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, ..Self::new(message).code(Code::CommandLine) }
    }

    #[must_use]
    pub(crate) fn code(mut self, code: Code) -> Self {
        self.code = Some(code);
        self
    }

    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Problem {}

/// What the errors of a chain know besides their words; ours know best.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    pub(crate) code: Option<Code>,
    pub(crate) hint: Option<String>,
    pub(crate) exit: Option<Exit>,
}

impl Facts {
    pub(crate) fn of(error: &anyhow::Error) -> Self {
        let mut facts = Self::default();
        if let Some(problem) = find::<Problem>(error) {
            facts.add(problem.code, problem.hint.clone(), Some(problem.exit));
        }
        if let Some(error) = find::<ClientError>(error) {
            let code = error.code();
            let is_about_input = matches!(code, Code::UnknownPlaybook | Code::InvalidRequest);
            let exit = (is_about_input || !error.findings().is_empty()).then_some(Exit::Usage);
            facts.add(Some(code), error.hint(), exit);
        }
        if let Some(error) = find::<StoreError>(error) {
            facts.add(Some(error.code()), error.hint(), None);
        }
        if let Some(error) = find::<VaultError>(error) {
            facts.add(Some(error.code()), error.hint(), None);
        }
        if let Some(error) = find::<ServerError>(error) {
            facts.add(Some(error.code), error.hint.clone(), None);
        }
        facts
    }

    fn add(&mut self, code: Option<Code>, hint: Option<String>, exit: Option<Exit>) {
        self.code = self.code.or(code);
        self.hint = self.hint.take().or(hint);
        self.exit = self.exit.or(exit);
    }
}

/// An error of one type, given as context or as a cause.
fn find<T: std::error::Error + Send + Sync + 'static>(error: &anyhow::Error) -> Option<&T> {
    error.downcast_ref::<T>().or_else(|| error.chain().find_map(|cause| cause.downcast_ref::<T>()))
}

/// Nobody answered at the address.
pub(crate) fn is_unreachable(error: &anyhow::Error) -> bool {
    matches!(find::<ClientError>(error), Some(ClientError::Unreachable { .. }))
}

/// Remarks of a server on a playbook that it refused.
fn remarks(error: &anyhow::Error) -> &[FindingBody] {
    find::<ClientError>(error).map_or(&[], ClientError::findings)
}

/// Writes an error to stderr: the message, each cause once, the hint, the Code's page.
pub(crate) fn report(error: &anyhow::Error) {
    let mut stderr = std::io::stderr().lock();
    // A closed stderr leaves nobody to tell.
    let _ = write!(stderr, "{}", text(error, terminal::stderr_style()));
}

pub(crate) fn text(error: &anyhow::Error, style: Style) -> String {
    let mut parts: Vec<String> = Vec::new();
    for cause in error.chain() {
        let message = cause.to_string();
        // Some libraries repeat their source in their own message.
        if parts.last().is_none_or(|last| !last.contains(&message)) {
            parts.push(message);
        }
    }
    let Facts { code, hint, .. } = Facts::of(error);
    let mut out = String::new();
    let mut lines = parts.iter();
    let label = code.map_or_else(|| "error".to_owned(), |code| format!("error[{code}]"));
    if let Some(first) = lines.next() {
        out.push_str(&format!("{}: {first}\n", style.error(&label)));
    }
    // The client's own layers say nothing to a person; where the chain ends, the reason is.
    let skipped = if is_unreachable(error) { lines.len().saturating_sub(1) } else { 0 };
    for cause in lines.skip(skipped) {
        out.push_str(&format!("  {} {cause}\n", style.dim("because:")));
    }
    for finding in remarks(error) {
        out.push_str(&findings::render(finding, None, style));
    }
    let explains = |hint: &String| code.is_some_and(|code| *hint == format!("noetl explain {code}"));
    if let Some(hint) = hint.filter(|hint| !explains(hint)) {
        out.push_str(&format!("  {} {hint}\n", style.hint("hint:")));
    }
    if let Some(code) = code {
        out.push_str(&format!("  {} noetl explain {code}\n", style.dim("more:")));
    }
    out
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;

    #[test]
    fn an_error_shows_each_cause_once_then_the_hint_and_the_page() {
        let problem =
            Problem::new("connection refused").code(Code::Unreachable).hint("start a server with `noetl up`");
        let error = Err::<(), _>(problem)
            .context("cannot reach the server: connection refused")
            .context("cannot list executions")
            .unwrap_err();
        assert_eq!(
            text(&error, Style::plain()),
            "error[AP007]: cannot list executions\n  \
             because: cannot reach the server: connection refused\n  \
             hint: start a server with `noetl up`\n  \
             more: noetl explain AP007\n"
        );
    }
}
