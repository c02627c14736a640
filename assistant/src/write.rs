//! Prose by a model: what was decided stays decided, and what does not hold is not shown.
//!
//! The model gets a sheet without a word of foreign text ([`Sheet`]), answers in a schema, and every sentence that it
//! writes is checked ([`accept`]). Whatever goes wrong on the way, the rules' own explanation stays, with a note.

mod accept;
mod memory;
mod plain;
pub(crate) mod prose;
mod sheet;
#[cfg(test)]
mod tests;
mod words;

use std::time::Duration;

use noetl_domain::cause::Cause;
use noetl_domain::id::ExecutionId;
use serde::Deserialize;

use crate::answer::{Judgement, answered};
use crate::evidence::Evidence;
use crate::llm::{Ask, Model, ModelError, Prompt, Schema};
use crate::short::hash;
use accept::accepted;
use sheet::Sheet;

pub(crate) use memory::Memory;
pub(crate) use plain::plain;

/// Two hypotheses so close that rules hardly tell them apart; only then may a model choose between them.
const MARGIN: f64 = 0.02;
/// Fewer sentences than this say less than the rules do.
const FEWEST: usize = 2;

/// What the model answers.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Written {
    #[serde(default)]
    hypothesis: String,
    sentences: Vec<Sentence>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Sentence {
    pub(crate) text: String,
    #[serde(default)]
    pub(crate) cites: Vec<String>,
}

/// Lets the model write the explanation. Comes back within its time limit, with the rules' text or a better one.
pub(crate) async fn write(
    model: &dyn Model,
    memory: &Memory,
    evidence: &Evidence,
    judgement: &mut Judgement,
) {
    if judgement.weighed.first().is_none_or(|first| first.hypothesis.cause == Cause::Unknown) {
        // There is nothing to write about.
        return;
    }
    if let Some(explanation) = already(model, evidence, judgement) {
        judgement.diagnosis.explanation = explanation;
        model.name().clone_into(&mut judgement.diagnosis.written_by);
        return;
    }
    if let Err(error) = written(model, memory, evidence, judgement).await {
        judgement.diagnosis.model_note = Some(error.to_string());
    }
}

#[derive(Debug, thiserror::Error)]
enum WriteError {
    #[error(transparent)]
    Model(#[from] ModelError),
    #[error("the question to the model cannot be written")]
    Prompt(#[from] crate::llm::PromptError),
    #[error("of what the model wrote, {kept} of {all} sentences hold; rules explain instead")]
    TooLittle { kept: usize, all: usize },
}

async fn written(
    model: &dyn Model,
    memory: &Memory,
    evidence: &Evidence,
    judgement: &mut Judgement,
) -> Result<(), WriteError> {
    let close = close(judgement);
    let sheet = Sheet::new(evidence, judgement, close);
    let prompt = sheet.prompt()?;
    let key = hash(format!("{} {} {} {}", model.name(), prompt.name, prompt.system, prompt.user).as_bytes());
    let answer = if let Some(known) = memory.get(&key) {
        model.remembered(&prompt.name, Some(evidence.run.id));
        known
    } else {
        let answer = model.ask(&ask(&sheet, &prompt, evidence.run.id)).await?.read::<Written>()?;
        memory.put(key, answer.clone());
        answer
    };
    let chosen = sheet.chosen(&answer.hypothesis).filter(|chosen| (1..close).contains(chosen));
    if let Some(chosen) = chosen {
        // Within the margin: the rules compose their answer anew around the other one.
        let mut weighed = judgement.weighed.clone();
        weighed[..=chosen].rotate_right(1);
        let other = answered(evidence, weighed);
        if let Some(kept) = enough(&sheet, &answer, &other) {
            *judgement = other;
            model.name().clone_into(&mut judgement.diagnosis.written_by);
            judgement.diagnosis.explanation = kept;
            return Ok(());
        }
    }
    let all = answer.sentences.len();
    let kept = accepted(&sheet, &answer.sentences, &judgement.diagnosis);
    if kept.len() < FEWEST {
        return Err(WriteError::TooLittle { kept: kept.len(), all });
    }
    judgement.diagnosis.explanation = kept.join(" ");
    model.name().clone_into(&mut judgement.diagnosis.written_by);
    Ok(())
}

fn enough(sheet: &Sheet, answer: &Written, judgement: &Judgement) -> Option<String> {
    let kept = accepted(sheet, &answer.sentences, &judgement.diagnosis);
    (kept.len() >= FEWEST).then(|| kept.join(" "))
}

/// What the same model wrote of the same evidence by itself stands in the log; it is checked as if it were new.
fn already(model: &dyn Model, evidence: &Evidence, judgement: &Judgement) -> Option<String> {
    let made = evidence.run.made.as_ref()?;
    let diagnosis = &judgement.diagnosis;
    let is_same = made.written_by == model.name()
        && made.prompt == prompt_name()
        && made.evidence_hash == diagnosis.evidence_hash;
    let text = is_same.then(|| crate::check::check(&made.explanation, &diagnosis.evidence))?;
    (crate::check::sentences(&text).len() >= FEWEST).then_some(text)
}

/// How many hypotheses stand within the margin of the first, itself included.
fn close(judgement: &Judgement) -> usize {
    let Some(first) = judgement.weighed.first() else { return 0 };
    judgement
        .weighed
        .iter()
        .take(4)
        .take_while(|other| first.weight - other.weight <= MARGIN && other.hypothesis.cause != Cause::Unknown)
        .count()
}

fn ask(sheet: &Sheet, prompt: &Prompt, id: ExecutionId) -> Ask {
    Ask {
        schema: Some(Schema { name: "explanation".to_owned(), schema: sheet.schema() }),
        execution: Some(id),
        timeout: Some(Duration::from_mins(2)),
        ..Ask::new(prompt)
    }
}

/// Name and version of the prompt that explanations are written by.
pub(crate) fn prompt_name() -> String {
    sheet::name().unwrap_or_default()
}
