//! Questions in plain words over the whole history.
//!
//! Without a model a small grammar reads the question, one tool answers it, and the answer says how it was read. With one
//! the model asks the tools; where it fails the grammar answers. Nothing is kept between questions: whoever asks sends
//! along what was said before.

mod calendar;
mod dialogue;
mod draft;
mod earlier;
mod http;
mod intent;
mod names;
mod read;
mod told;
mod when;
mod words;
mod zone;

#[cfg(test)]
mod modelled;
#[cfg(test)]
mod questions;
#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use chrono::Utc;
use noetl_api::catalog::CatalogEntry;
use noetl_api::chat::{ChatDone, ChatEvent, ChatRequest, ChatTurn, TextDelta, ToolCalled, Understood};
use noetl_domain::code::Code;
use noetl_domain::dialect;
use tokio::sync::mpsc::Sender;

pub use dialogue::Talk;
pub use http::{openapi, router};

use self::dialogue::{Question, Spoken, talk};
use self::intent::EXAMPLES;
use self::names::Known;
use self::read::{Asked, Reading, read};
use self::when::Clock;
use self::zone::Zone;
use crate::check::check;
use crate::tools::{self, Answer, Answers, Trouble};

/// Characters of a question that are read; a longer one is a document.
const LONGEST: usize = 4_000;
/// Turns of a conversation that are looked back over.
const TURNS: usize = 20;
/// How long one tool may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// Answers one question, part by part. An error that comes back has not been told yet.
async fn answer<A: Answers>(
    answers: &A,
    with: Option<&Talk>,
    request: &ChatRequest,
    out: &Sender<ChatEvent>,
) -> Result<(), Trouble> {
    let began = Instant::now();
    let question = request.question.trim();
    if question.is_empty() {
        return Err(Trouble::new(Code::InvalidRequest, "nothing is asked: the question is empty")
            .hint("such as \"what fails most this week?\""));
    }
    if question.chars().count() > LONGEST {
        return Err(Trouble::new(
            Code::InvalidRequest,
            format!("a question has at most {LONGEST} characters"),
        ));
    }
    let zone = Zone::read(request.timezone.as_deref()).ok_or_else(|| {
        Trouble::new(
            Code::InvalidRequest,
            format!("{:?} is no time zone", request.timezone.as_deref().unwrap_or_default()),
        )
        .hint("such as Europe/Berlin, UTC or +02:00")
    })?;
    let known: Vec<Known> = answers.playbooks().await?.into_iter().map(known).collect();
    let asked = Asked {
        question,
        turns: &request.messages[request.messages.len().saturating_sub(TURNS)..],
        playbook: request.playbook.as_deref(),
        since: request.since.as_deref(),
        clock: Clock { now: Utc::now(), zone },
        known: &known,
        steps: None,
    };
    let reading = reading(answers, asked).await;
    let understood = match &reading {
        Reading::Tool(understood) => (**understood).clone(),
        Reading::Help | Reading::Nothing(_) => Understood::default(),
    };
    emit(out, ChatEvent::Understood(understood)).await;
    let mut failed = None;
    let mut written_by = "rules".to_owned();
    let mut said = None;
    // What can be asked needs no model to be listed.
    if let Some(with) = with.filter(|_| !request.without_model && !matches!(reading, Reading::Help)) {
        let zone = request.timezone.clone().unwrap_or_else(|| "the server's time zone".to_owned());
        let question = Question { request, known: &known, zone, reading: &reading };
        match talk(answers, with, &question, out).await {
            Ok(spoken) => {
                said = Some(by_model(spoken, out).await);
                with.model.name().clone_into(&mut written_by);
            }
            Err(error) => failed = Some(format!("{error}; rules answer instead")),
        }
    }
    let said = match (said, reading) {
        (Some(said), _) => said,
        (None, Reading::Tool(understood)) => by_tool(answers, *understood, out).await?,
        (None, Reading::Help) => without_tool("These are questions that I can answer.", out).await,
        (None, Reading::Nothing(missing)) => {
            without_tool(&format!("I did not understand this: {missing}."), out).await
        }
    };
    let Said { understood, text, mut notes, examples } = said;
    notes.extend(failed);
    let done = ChatDone {
        turn: ChatTurn { question: question.to_owned(), understood: Some(understood), answer: text },
        written_by,
        notes,
        examples,
        took_ms: began.elapsed().as_secs_f64() * 1_000.0,
    };
    emit(out, ChatEvent::Done(done)).await;
    Ok(())
}

/// What was told, as far as the end of an answer repeats it.
#[derive(Debug, Default)]
struct Said {
    understood: Understood,
    text: String,
    notes: Vec<String>,
    examples: Vec<String>,
}

/// Reads a question; once more with the steps of its playbook, when one is named.
async fn reading<A: Answers>(answers: &A, asked: Asked<'_>) -> Reading {
    let first = read(asked);
    let Reading::Tool(understood) = &first else { return first };
    let takes_step = matches!(understood.tool.as_str(), "stats" | "anomalies" | "events" | "what_if");
    let (true, Some(path)) = (takes_step, &understood.about.playbook) else { return first };
    let Ok(entry) = answers.playbook(path, None).await else { return first };
    let definition = dialect::read(entry.content.as_deref().unwrap_or_default()).playbook;
    let Some(definition) = definition else { return first };
    let steps: Vec<String> = definition.steps.into_iter().map(|step| step.name).collect();
    read(Asked { steps: Some(&steps), ..asked })
}

fn known(entry: CatalogEntry) -> Known {
    Known { path: entry.path, name: entry.name, description: entry.description.unwrap_or_default() }
}

/// Nobody may be listening any more; then the answer ends at its next part.
async fn emit(out: &Sender<ChatEvent>, event: ChatEvent) {
    let _ = out.send(event).await;
}

/// Tells what a model said.
async fn by_model(spoken: Spoken, out: &Sender<ChatEvent>) -> Said {
    let Spoken { understood, text, tables, citations, drafts, notes } = spoken;
    emit(out, ChatEvent::Text(TextDelta { delta: text.clone() })).await;
    for table in tables {
        emit(out, ChatEvent::Table(table)).await;
    }
    emit(out, ChatEvent::Citations(citations)).await;
    for draft in drafts {
        emit(out, ChatEvent::Draft(Box::new(draft))).await;
    }
    Said { understood, text, notes, examples: Vec::new() }
}

async fn by_tool<A: Answers>(
    answers: &A,
    mut understood: Understood,
    out: &Sender<ChatEvent>,
) -> Result<Said, Trouble> {
    let found = match call(answers, &understood.tool, &understood.arguments, out).await {
        Ok(found) => found,
        // That there is none is an answer.
        Err(trouble) if trouble.is(&[Code::UnknownExecution, Code::UnknownPlaybook]) => {
            let text = format!("{}.", capitalised(&trouble.0.detail));
            emit(out, ChatEvent::Text(TextDelta { delta: text.clone() })).await;
            let notes = trouble.0.hint.clone().into_iter().collect();
            return Ok(Said { understood, text, notes, ..Said::default() });
        }
        Err(trouble) => return Err(trouble),
    };
    let Answer { reading, tables, evidence, notes, about, .. } = found;
    let text = check(&reading, &evidence);
    emit(out, ChatEvent::Text(TextDelta { delta: text.clone() })).await;
    for table in tables {
        emit(out, ChatEvent::Table(table)).await;
    }
    emit(out, ChatEvent::Citations(evidence)).await;
    let spoken = &mut understood.about;
    spoken.playbook = about.playbook.or(spoken.playbook.take());
    spoken.step = about.step.or(spoken.step.take());
    spoken.execution_id = about.execution_id.or(spoken.execution_id.take());
    Ok(Said { understood, text, notes, examples: Vec::new() })
}

/// Asks a tool, and tells that it was asked.
async fn call<A: Answers>(
    answers: &A,
    name: &str,
    arguments: &serde_json::Value,
    out: &Sender<ChatEvent>,
) -> Result<Answer, Trouble> {
    let began = Instant::now();
    let asked = tools::call(answers, name, arguments.clone());
    let found = tokio::time::timeout(PATIENCE, asked).await.unwrap_or_else(|_| {
        Err(Trouble::new(Code::Unavailable, format!("{name} did not answer within {} s", PATIENCE.as_secs())))
    });
    let called = ToolCalled {
        name: name.to_owned(),
        arguments: arguments.clone(),
        took_ms: began.elapsed().as_secs_f64() * 1_000.0,
        error: found.as_ref().err().map(|trouble| (*trouble.0).clone()),
    };
    emit(out, ChatEvent::Tool(called)).await;
    found
}

async fn without_tool(text: &str, out: &Sender<ChatEvent>) -> Said {
    emit(out, ChatEvent::Text(TextDelta { delta: text.to_owned() })).await;
    let examples =
        EXAMPLES.iter().filter_map(|(_, examples)| examples.first()).map(|text| (*text).to_owned()).collect();
    Said { text: text.to_owned(), examples, ..Said::default() }
}

fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}
