//! A question answered by a model: it asks the same tools as everybody, some rounds of them, and then tells what they said.
//!
//! It decides which tools are asked and in which words the answer comes, and nothing else: what it is shown is masked,
//! what it asks for is read like anybody's question, and of what it says only the sentences stay that hold. Whatever
//! goes wrong, the reader of questions answers instead.

use std::sync::Arc;
use std::time::{Duration, Instant};

use noetl_api::chat::{About, ChatEvent, ChatRequest, ChatTable, Understood};
use noetl_api::diagnosis::EvidenceItem;
use noetl_api::proposal::NewProposal;
use noetl_domain::lint::ToolSchemas;
use noetl_domain::mask::Masker;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::mpsc::Sender;

use super::read::Reading;
use super::told::{Seen, told};
use super::{draft, names};
use crate::llm::{Ask, Message, Model, ModelError, Prompt, PromptError, Role, Schema, prompt};
use crate::tools::{self, Answers};
use crate::write::{Sentence, plain};

/// Turns of the model, the last one of which has to be an answer.
const ROUNDS: usize = 6;
/// For all of them together.
const PATIENCE: Duration = Duration::from_secs(90);
/// Bytes of what a tool found that are shown to the model.
const LONGEST: usize = 4_500;
/// Playbooks that are named to the model.
const PLAYBOOKS: usize = 60;
/// Earlier turns that are told to the model.
const EARLIER: usize = 4;
/// Tables that are shown with an answer.
const TABLES: usize = 3;
/// Drafts of one answer.
const DRAFTS: usize = 3;

/// What a model needs to answer questions. Clones share it.
#[derive(Clone, Debug)]
pub struct Talk {
    pub model: Arc<dyn Model>,
    /// What a drafted change is checked against.
    pub tools: Arc<ToolSchemas>,
}

/// What the model does next.
#[derive(Debug, Deserialize)]
struct Move {
    action: Action,
    #[serde(default)]
    tool: String,
    /// An object, or its text.
    #[serde(default)]
    arguments: Value,
    #[serde(default)]
    sentences: Vec<Sentence>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Action {
    Tool,
    Answer,
}

/// Why a model's answer is not shown.
#[derive(Debug, thiserror::Error)]
pub(super) enum TalkError {
    #[error(transparent)]
    Model(#[from] ModelError),
    #[error("the question to the model cannot be written")]
    Prompt(#[from] PromptError),
    #[error("the model came to no answer in {ROUNDS} turns")]
    Endless,
    #[error("the model took longer than {} s", PATIENCE.as_secs())]
    Late,
    #[error("of what the model said, no sentence holds")]
    Nothing,
}

/// What a model's answer consists of.
#[derive(Debug, Default)]
pub(super) struct Spoken {
    pub(super) understood: Understood,
    pub(super) text: String,
    pub(super) tables: Vec<ChatTable>,
    pub(super) citations: Vec<EvidenceItem>,
    pub(super) drafts: Vec<NewProposal>,
    pub(super) notes: Vec<String>,
}

/// The question as it is put to the model.
pub(super) struct Question<'a> {
    pub(super) request: &'a ChatRequest,
    pub(super) known: &'a [names::Known],
    pub(super) zone: String,
    /// How the reader of questions reads it.
    pub(super) reading: &'a Reading,
}

/// Lets the model answer. Tools are told as they are asked; the rest comes back whole, or not at all.
pub(super) async fn talk<A: Answers>(
    answers: &A,
    talk: &Talk,
    question: &Question<'_>,
    out: &Sender<ChatEvent>,
) -> Result<Spoken, TalkError> {
    let began = Instant::now();
    let mark = format!("{:032x}", uuid::Uuid::new_v4().as_u128());
    let first = opening(question, &mark)?;
    let mut ask =
        Ask { schema: Some(Schema { name: "turn".to_owned(), schema: schema() }), ..Ask::new(&first) };
    let mut seen = Seen::new(&question.request.question);
    let mut spoken = Spoken::default();
    for round in 1..=ROUNDS {
        let left = PATIENCE.checked_sub(began.elapsed()).ok_or(TalkError::Late)?;
        ask.timeout = Some(left);
        let answer = talk.model.ask(&ask).await?;
        let next = answer.read::<Move>()?;
        if next.action == Action::Answer {
            return finished(spoken, &seen, &next.sentences);
        }
        let told = turn(answers, talk, &next, &mut seen, &mut spoken, out).await;
        let last = if round + 1 == ROUNDS { " This is your last turn: answer." } else { "" };
        let text = format!("BEGIN {mark}\n{}\nEND {mark}\nGo on.{last}", cut(&told.to_string()));
        ask.messages.push(Message { role: Role::Assistant, text: answer.text });
        ask.messages.push(Message { role: Role::User, text });
    }
    if spoken.drafts.is_empty() { Err(TalkError::Endless) } else { finished(spoken, &seen, &[]) }
}

/// Carries out one turn, and returns what the model is told of it.
async fn turn<A: Answers>(
    answers: &A,
    talk: &Talk,
    next: &Move,
    seen: &mut Seen,
    spoken: &mut Spoken,
    out: &Sender<ChatEvent>,
) -> Value {
    let arguments = match &next.arguments {
        Value::String(text) if text.trim().is_empty() => json!({}),
        Value::String(text) => match serde_json::from_str::<Value>(text) {
            Ok(arguments) => arguments,
            Err(_) => return json!({ "error": "the arguments are no JSON object" }),
        },
        other => other.clone(),
    };
    if !seen.is_new(&next.tool, &arguments) {
        return json!({ "error": "this was asked before with the same arguments; the answer stands above" });
    }
    if next.tool == draft::NAME {
        if spoken.drafts.len() >= DRAFTS {
            return json!({ "error": "there are enough drafts" });
        }
        return match draft::draft(answers, talk, arguments).await {
            Ok(drafted) => {
                let told = json!({ "drafted": drafted.title, "note": "it is shown to the person; nothing has changed" });
                spoken.drafts.push(drafted);
                told
            }
            Err(why) => json!({ "error": why }),
        };
    }
    match super::call(answers, &next.tool, &arguments, out).await {
        Ok(found) => {
            let about = found.about.clone();
            spoken.understood = Understood {
                tool: next.tool.clone(),
                arguments,
                reading: format!("{} asked {}", talk.model.name(), next.tool),
                confidence: 0.0,
                about: merged(&spoken.understood.about, about),
            };
            seen.add(found)
        }
        // Details of a refusal may repeat words from outside.
        Err(trouble) => json!({ "error": plain(&trouble.0.detail), "code": trouble.0.code }),
    }
}

/// The newest of what an answer was about.
fn merged(before: &About, now: About) -> About {
    About {
        playbook: now.playbook.or_else(|| before.playbook.clone()),
        step: now.step.or_else(|| before.step.clone()),
        execution_id: now.execution_id.or_else(|| before.execution_id.clone()),
        since: now.since.or_else(|| before.since.clone()),
        until: now.until.or_else(|| before.until.clone()),
    }
}

fn finished(mut spoken: Spoken, seen: &Seen, sentences: &[Sentence]) -> Result<Spoken, TalkError> {
    let mut held = told(seen, sentences);
    if held.is_empty() && spoken.drafts.is_empty() {
        return Err(TalkError::Nothing);
    }
    if held.len() < sentences.len() {
        let dropped = sentences.len() - held.len();
        spoken
            .notes
            .push(format!("{dropped} of {} sentences did not hold and are not shown", sentences.len()));
    }
    if held.is_empty() {
        // The draft was patched and read by lint; what was said of it is another matter.
        let said = match sentences {
            [] => "the model said nothing about it",
            _ => "nothing that the model said about it holds",
        };
        held.push(format!("There is a draft of a change below; {said}."));
    }
    spoken.text = held.join(" ");
    spoken.citations = seen.cited(&spoken.text);
    spoken.tables = seen.tables(&spoken.citations, TABLES);
    if !spoken.drafts.is_empty() {
        let how = "a draft changes nothing: save its text and register it (`noetl register FILE`), or look at \
                   measured ones with `noetl proposals`";
        spoken.notes.push(how.to_owned());
    }
    Ok(spoken)
}

fn opening(question: &Question<'_>, mark: &str) -> Result<Prompt, PromptError> {
    let masker = Masker::new();
    let turns = &question.request.messages;
    let earlier: Vec<String> = turns[turns.len().saturating_sub(EARLIER)..]
        .iter()
        .map(|turn| {
            let read = turn.understood.as_ref().map(|understood| {
                format!(
                    " (asked {} {})",
                    understood.tool,
                    serde_json::to_string(&understood.about).unwrap_or_default()
                )
            });
            format!("- {}{}", masker.text(&turn.question), read.unwrap_or_default())
        })
        .collect();
    let mut playbooks: Vec<&str> = question.known.iter().map(|known| known.path.as_str()).collect();
    playbooks.truncate(PLAYBOOKS);
    let hint = match question.reading {
        Reading::Tool(understood) => format!("{} {}", understood.tool, understood.arguments),
        Reading::Help | Reading::Nothing(_) => String::new(),
    };
    let tools: Vec<Value> = offered().into_iter().map(|(name, description, arguments)| {
        json!({ "name": name, "description": description, "arguments": arguments })
    }).collect();
    prompt(
        "chat",
        json!({
            "mark": mark,
            "tools": tools,
            "now": chrono::Utc::now().format("%A, %Y-%m-%dT%H:%MZ").to_string(),
            "zone": question.zone,
            "earlier": masker.text(&cut(&earlier.join("\n"))),
            "playbooks": if playbooks.is_empty() { "none".to_owned() } else { playbooks.join(", ") },
            "hint": masker.text(&hint),
            "question": masker.text(&question.request.question),
        }),
    )
}

/// Every tool that the model may ask, with its arguments in short.
fn offered() -> Vec<(&'static str, &'static str, String)> {
    let mut offered: Vec<_> =
        tools::all().into_iter().map(|tool| (tool.name, tool.description, short(&tool.schema))).collect();
    offered.push((draft::NAME, draft::DESCRIPTION, draft::arguments()));
    offered
}

/// `{"playbook": path of the playbook, …}`: a schema in a line.
fn short(schema: &Value) -> String {
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let none = serde_json::Map::new();
    let properties = schema["properties"].as_object().unwrap_or(&none);
    let told: Vec<String> = properties
        .iter()
        .map(|(name, property)| {
            let is_needed = if required.contains(&name.as_str()) { "" } else { " (optional)" };
            let words = words_of(schema, property);
            let words =
                if words.is_empty() { String::new() } else { format!(" One of {}.", words.join(", ")) };
            format!("\"{name}\"{is_needed}: {}{words}", property["description"].as_str().unwrap_or_default())
        })
        .collect();
    format!("{{{}}}", told.join(" "))
}

/// The words of a closed list that a property takes.
fn words_of(schema: &Value, property: &Value) -> Vec<String> {
    let reference = property["$ref"].as_str().or_else(|| {
        let any = property["anyOf"].as_array()?;
        any.iter().find_map(|one| one["$ref"].as_str())
    });
    let place = reference.and_then(|reference| schema.pointer(reference.trim_start_matches('#')));
    let found = place.unwrap_or(property);
    let from = |value: &Value| value.as_str().map(ToOwned::to_owned);
    let listed = found["enum"].as_array().into_iter().flatten().filter_map(from);
    let told = found["oneOf"].as_array().into_iter().flatten().filter_map(|one| from(&one["const"]));
    listed.chain(told).collect()
}

fn schema() -> Value {
    let text = json!({ "type": "string" });
    let mut names: Vec<&str> = offered().into_iter().map(|(name, ..)| name).collect();
    names.push("");
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["action", "tool", "arguments", "sentences"],
        "properties": {
            "action": { "type": "string", "enum": ["tool", "answer"] },
            "tool": { "type": "string", "enum": names },
            "arguments": text,
            "sentences": { "type": "array", "items": {
                "type": "object",
                "additionalProperties": false,
                "required": ["text", "cites"],
                "properties": { "text": text, "cites": { "type": "array", "items": text } },
            } },
        },
    })
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}… (cut)", &text[..end]),
        None => text.to_owned(),
    }
}
