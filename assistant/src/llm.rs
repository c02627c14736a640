//! Language models: one narrow way to ask any of them, with its limits, its cost and its record.
//!
//! Nothing in this room needs a model: whoever asks has an answer of its own, and shows it when [`Model::ask`] fails.
//! What is sent has been made harmless before it comes here; what comes back is checked by whoever asked.

mod config;
mod endpoint;
mod meter;
mod prompt;
mod record;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use noetl_domain::Value;
use noetl_domain::id::ExecutionId;
use serde::de::DeserializeOwned;

pub use config::{Config, KeySource, Keys};
pub use prompt::{Prompt, PromptError, prompt};
pub use record::{Call, Calls, NoCalls, Spending};

/// Something that writes when it is asked.
pub trait Model: Send + Sync + fmt::Debug {
    /// The name that answers are signed with.
    fn name(&self) -> &str;

    /// Asks once. Comes back within the time limit, whatever the other side does.
    fn ask<'a>(&'a self, ask: &'a Ask) -> Asking<'a>;

    /// Takes note that a question of this prompt needed no asking, because its answer was known.
    fn remembered(&self, prompt: &str, execution: Option<ExecutionId>) {
        let _ = (prompt, execution);
    }
}

pub type Asking<'a> = Pin<Box<dyn Future<Output = Result<Answer, ModelError>> + Send + 'a>>;

/// One question.
#[derive(Clone, Debug, Default)]
pub struct Ask {
    /// Name and version of the prompt, such as `why/1`; it stands in the record.
    pub prompt: String,
    pub messages: Vec<Message>,
    /// The form of the answer; none: plain text.
    pub schema: Option<Schema>,
    /// Less than what is configured; more is cut to it.
    pub max_output_tokens: Option<u32>,
    /// Less than what is configured; more is cut to it.
    pub timeout: Option<Duration>,
    /// The Execution asked about; it stands in the record.
    pub execution: Option<ExecutionId>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub role: Role,
    pub text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    System,
    User,
    Assistant,
}

/// A JSON schema that the answer has to follow.
#[derive(Clone, Debug, PartialEq)]
pub struct Schema {
    /// Letters, digits, `_` and `-`.
    pub name: String,
    pub schema: Value,
}

/// What came back.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    pub text: String,
    /// The model that answered, as it calls itself.
    pub model: String,
    pub input_tokens: u32,
    pub output_tokens: u32,
    /// `stop`, `length`, …
    pub finish_reason: String,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    #[error("the model's {0} is not configured")]
    Missing(&'static str),
    #[error("no HTTP client can be made")]
    Client(#[source] reqwest::Error),
    #[error("the key of the model cannot be had: {0}")]
    Key(String),
    #[error("the question has about {tokens} tokens, and max_input_tokens allows {most}")]
    TooLong { tokens: u32, most: u32 },
    #[error("today's calls have cost {spent:.4}, and max_cost_per_day allows {most:.4}")]
    Spent { spent: f64, most: f64 },
    #[error("the model did not answer within {:.0} s", .0.as_secs_f64())]
    Timeout(Duration),
    #[error("the model cannot be reached: {0}")]
    Unreachable(String),
    #[error("the model refused: {reason}")]
    Refused { status: Option<u16>, reason: String },
    #[error("the answer of the model ended before it was complete")]
    Cut,
    #[error("the answer of the model cannot be read: {0}")]
    Unreadable(String),
}

impl Ask {
    pub fn new(prompt: &Prompt) -> Self {
        let message = |role, text: &str| Message { role, text: text.to_owned() };
        Self {
            prompt: prompt.name.clone(),
            messages: vec![message(Role::System, &prompt.system), message(Role::User, &prompt.user)],
            ..Self::default()
        }
    }

    /// About so many tokens: a token has three bytes or more in every text that we send.
    pub fn tokens(&self) -> u32 {
        let schema = self.schema.as_ref().map_or(0, |schema| schema.schema.to_string().len());
        let bytes: usize = self.messages.iter().map(|message| message.text.len() + 12).sum();
        u32::try_from((bytes + schema).div_ceil(3)).unwrap_or(u32::MAX)
    }
}

impl Answer {
    /// The answer in the form of the schema.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, ModelError> {
        if self.finish_reason == "length" {
            return Err(ModelError::Cut);
        }
        // Some models put what they write between fences, whatever the schema says.
        let text = self.text.trim();
        let text = text.strip_prefix("```json").or_else(|| text.strip_prefix("```")).unwrap_or(text);
        let text = text.strip_suffix("```").unwrap_or(text);
        // What cannot be read is not repeated: nobody has checked it.
        serde_json::from_str(text.trim()).map_err(|error| {
            let place = format!("{} at line {}", kind(error.classify()), error.line());
            ModelError::Unreadable(place)
        })
    }
}

fn kind(category: serde_json::error::Category) -> &'static str {
    match category {
        serde_json::error::Category::Eof => "it ends too early",
        serde_json::error::Category::Data => "it has another form than was asked for",
        serde_json::error::Category::Syntax | serde_json::error::Category::Io => "it is not JSON",
    }
}

impl ModelError {
    /// `error.type` of the record.
    pub fn kind(&self) -> String {
        let kind = match self {
            Self::Missing(_) | Self::Client(_) => "not_configured",
            Self::Key(_) => "no_key",
            Self::TooLong { .. } => "too_long",
            Self::Spent { .. } => "budget_spent",
            Self::Timeout(_) => "timeout",
            Self::Unreachable(_) => "unreachable",
            Self::Refused { status: Some(status), .. } => return format!("http_{status}"),
            Self::Refused { status: None, .. } => "refused",
            Self::Cut => "cut",
            Self::Unreadable(_) => "unreadable",
        };
        kind.to_owned()
    }
}

/// The configured model behind its limits; none when none is configured.
pub fn open(
    config: &Config,
    keys: Keys,
    calls: Arc<dyn Calls>,
) -> Result<Option<Arc<dyn Model>>, ModelError> {
    if !config.is_on() {
        return Ok(None);
    }
    let endpoint = endpoint::Endpoint::new(config, keys)?;
    Ok(Some(Arc::new(meter::Metered::new(endpoint, config, calls))))
}
