//! The pages of the Codes, built into the binary.

use noetl_domain::code::Code;

/// The page of a Code, in Markdown.
pub(crate) fn of(code: Code) -> &'static str {
    code.page()
}
