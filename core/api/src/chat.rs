//! Questions in plain words, and what comes back: what was understood, tables, sentences with citations.
//!
//! The assistant keeps nothing between questions: whoever asks sends along what was said before.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::diagnosis::EvidenceItem;
use crate::error::ErrorBody;
use crate::proposal::NewProposal;
use crate::show;

/// One question, in the course of a conversation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ChatRequest {
    #[schema(example = "what fails most this week?")]
    pub question: String,
    /// What was asked before, oldest first, so that "and the week before?" can be understood.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<ChatTurn>,
    /// The playbook that is meant where the question names none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub playbook: Option<String>,
    /// How far back where the question does not say: `24h`, `7d`, or a moment in RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Where days begin: a name such as `Europe/Berlin`, or `+02:00`; the server's own unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// Lets rules read and answer the question, though a model is configured.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub without_model: bool,
}

/// A question and what came back.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ChatTurn {
    pub question: String,
    /// As the answer to it told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub understood: Option<Understood>,
    /// The sentences of the answer.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub answer: String,
}

/// How a question was read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Understood {
    /// The tool that answers; empty when the question was not understood.
    #[schema(example = "clusters")]
    pub tool: String,
    pub arguments: Value,
    /// In words: `failures by what they say since 2026-11-20, all playbooks`.
    pub reading: String,
    /// Between 0 and 1.
    pub confidence: f64,
    /// What "it" and "that one" mean in the next question.
    pub about: About,
}

/// What a question and its answer were about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct About {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub playbook: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub execution_id: Option<String>,
    /// The stretch of time, as moments in RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// What a column holds, which decides how it is shown and whether a model may see it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ColumnKind {
    /// Words from outside, such as an error message: shown to people, never to a model.
    #[default]
    Text,
    /// A message with its particulars masked.
    Template,
    /// A name from a playbook, or a word from one of our closed lists.
    Name,
    Names,
    Id,
    Number,
    Milliseconds,
    /// Between 0 and 1.
    Share,
    Bytes,
    Moment,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ChatColumn {
    pub name: String,
    pub kind: ColumnKind,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ChatTable {
    pub title: String,
    pub columns: Vec<ChatColumn>,
    pub rows: Vec<Vec<Value>>,
    /// What citations call each row.
    pub refs: Vec<String>,
    /// SQL that gives the same (`noetl sql`), where SQL gave it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
}

impl ChatTable {
    /// A cell as people read it.
    pub fn shown(&self, row: usize, column: usize) -> String {
        let kind = self.columns.get(column).map_or(ColumnKind::Text, |column| column.kind);
        let cell = self.rows.get(row).and_then(|cells| cells.get(column));
        cell.map_or_else(String::new, |cell| shown(kind, cell))
    }
}

/// A value as people read it.
pub fn shown(kind: ColumnKind, value: &Value) -> String {
    let number = value.as_f64().or_else(|| value.as_str()?.parse().ok());
    match (kind, value) {
        (_, Value::Null) => String::new(),
        (ColumnKind::Milliseconds, _) => number.map(show::milliseconds).unwrap_or_default(),
        (ColumnKind::Share, _) => number.map(show::percent).unwrap_or_default(),
        (ColumnKind::Bytes, _) => number.map(show::bytes).unwrap_or_default(),
        (ColumnKind::Moment, Value::String(text)) => show::moment(text),
        (_, Value::Array(names)) => {
            let names: Vec<String> = names.iter().map(|name| shown(ColumnKind::Name, name)).collect();
            match names.as_slice() {
                [one, two, rest @ ..] if rest.len() > 1 => format!("{one}, {two} and {} more", rest.len()),
                names => names.join(", "),
            }
        }
        (_, Value::String(text)) => text.clone(),
        (_, Value::Number(_)) => match number {
            Some(number) if number.fract() != 0.0 => format!("{number:.2}"),
            // `500.0` reads as what it is.
            Some(number) if value.is_f64() => format!("{number:.0}"),
            _ => value.to_string(),
        },
        (_, other) => other.to_string(),
    }
}

/// A tool that was asked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ToolCalled {
    pub name: String,
    pub arguments: Value,
    pub took_ms: f64,
    /// Why it did not answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorBody>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct TextDelta {
    pub delta: String,
}

/// The end of an answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ChatDone {
    /// To be sent along with the next question.
    pub turn: ChatTurn,
    /// `rules`, or the name of a model.
    pub written_by: String,
    /// What kept a better answer away.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Questions of the kinds that can be answered, when this one was not understood.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<String>,
    pub took_ms: f64,
}

/// One part of an answer, in the order in which it comes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "event", content = "data", rename_all = "snake_case")]
pub enum ChatEvent {
    Understood(Understood),
    Tool(ToolCalled),
    Table(ChatTable),
    Text(TextDelta),
    Citations(Vec<EvidenceItem>),
    /// A change that a model drafted for a person to look at; nothing was changed and nothing was filed.
    Draft(Box<NewProposal>),
    Done(ChatDone),
    Error(ErrorBody),
}

impl ChatEvent {
    /// What the stream calls it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Understood(_) => "understood",
            Self::Tool(_) => "tool",
            Self::Table(_) => "table",
            Self::Text(_) => "text",
            Self::Citations(_) => "citations",
            Self::Draft(_) => "draft",
            Self::Done(_) => "done",
            Self::Error(_) => "error",
        }
    }
}

/// A whole answer, for those who do not read streams.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ChatAnswer {
    pub understood: Understood,
    pub tools: Vec<ToolCalled>,
    pub tables: Vec<ChatTable>,
    /// Sentences that cite `[e:REF]`.
    pub text: String,
    pub citations: Vec<EvidenceItem>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub drafts: Vec<NewProposal>,
    #[serde(flatten)]
    pub done: ChatDone,
}

impl ChatAnswer {
    /// Takes in the next part.
    pub fn add(&mut self, event: ChatEvent) -> Result<(), Box<ErrorBody>> {
        match event {
            ChatEvent::Understood(understood) => self.understood = understood,
            ChatEvent::Tool(tool) => self.tools.push(tool),
            ChatEvent::Table(table) => self.tables.push(table),
            ChatEvent::Text(text) => self.text.push_str(&text.delta),
            ChatEvent::Citations(citations) => self.citations = citations,
            ChatEvent::Draft(draft) => self.drafts.push(*draft),
            ChatEvent::Done(done) => self.done = done,
            ChatEvent::Error(error) => return Err(Box::new(error)),
        }
        Ok(())
    }
}
