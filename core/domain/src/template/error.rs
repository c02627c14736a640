//! What can go wrong with a template, with its place in the template's text.

use crate::code::Code;
use crate::error::TaskError;

/// A template that does not parse, or that failed or ran too long while it was rendered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}{}", shown(.template, *.line))]
pub struct TemplateError {
    /// [`Code::TemplateSyntax`], [`Code::TemplateFailed`] or [`Code::TemplateFuel`].
    pub code: Code,
    pub message: String,
    /// The template's text, shortened.
    pub template: String,
    /// Line inside the template's text, from 1; 0 when it is not known.
    pub line: u32,
    /// Column inside that line in characters, from 1; 0 when it is not known.
    pub column: u32,
    /// Byte range inside the template's text.
    pub range: Option<(usize, usize)>,
}

const SHOWN: usize = 120;

fn shown(template: &str, line: u32) -> String {
    if template.is_empty() {
        String::new()
    } else if line > 1 {
        format!(" (line {line} of `{template}`)")
    } else {
        format!(" (in `{template}`)")
    }
}

impl TemplateError {
    pub(super) fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), template: String::new(), line: 0, column: 0, range: None }
    }

    pub(super) fn fuel() -> Self {
        Self::new(Code::TemplateFuel, "the template ran too long or made too much data")
    }

    /// `offset`: where the compiled text starts inside `text`.
    pub(super) fn from_engine(error: &minijinja::Error, text: &str, offset: usize, syntax: bool) -> Self {
        use minijinja::ErrorKind;
        let code = match error.kind() {
            ErrorKind::OutOfFuel => return Self::fuel().within(text),
            ErrorKind::SyntaxError | ErrorKind::UnknownFilter | ErrorKind::UnknownTest => {
                Code::TemplateSyntax
            }
            _ if syntax => Code::TemplateSyntax,
            _ => Code::TemplateFailed,
        };
        let mut message = match error.detail() {
            Some(detail) => detail.to_owned(),
            None => error.kind().to_string(),
        };
        if let Some(inner) = std::error::Error::source(error) {
            message = format!("{message}: {inner}");
        }
        let mut made = Self::new(code, message).within(text);
        if let Some(range) = error.range() {
            made.place(text, range.start + offset, range.end + offset);
        } else if let Some(line) = error.line() {
            made.line = u32::try_from(line).unwrap_or(0);
        }
        made
    }

    #[must_use]
    pub(super) fn within(mut self, text: &str) -> Self {
        let text = text.trim();
        self.template = text.chars().take(SHOWN).collect();
        if self.template.len() < text.len() {
            self.template.push('…');
        }
        self
    }

    fn place(&mut self, text: &str, start: usize, end: usize) {
        let start = floor_boundary(text, start.min(text.len()));
        let before = &text[..start];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        self.line = 1 + u32::try_from(before.matches('\n').count()).unwrap_or(0);
        self.column = 1 + u32::try_from(before[line_start..].chars().count()).unwrap_or(0);
        self.range = Some((start, end.clamp(start, text.len())));
    }
}

fn floor_boundary(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

impl From<TemplateError> for TaskError {
    fn from(error: TemplateError) -> Self {
        TaskError::new("template", error.to_string()).with_code(error.code.as_str())
    }
}

impl TemplateError {
    pub(super) fn too_complex(text: &str, at: usize) -> Self {
        let message = "the template is too complex: split it into several";
        let mut made = Self::new(Code::TemplateSyntax, message).within(text);
        made.place(text, at, at + 1);
        made
    }

    pub(super) fn unknown(sort: &str, name: &str, text: &str, at: usize) -> Self {
        let mut made = Self::new(Code::TemplateSyntax, format!("{sort} {name} is unknown")).within(text);
        made.place(text, at, at + name.len());
        made
    }
}
