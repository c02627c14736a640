//! The sheet that a model gets: hypotheses, what rules found, and evidence, under aliases and without foreign words.

use std::fmt::Write as _;

use noetl_domain::Value;
use serde_json::json;

use super::plain::Names;
use crate::answer::Judgement;
use crate::check::sentences;
use crate::evidence::Evidence;
use crate::llm::{Prompt, PromptError, prompt};

const PROMPT: &str = "why";
const MOST_EVIDENCE: usize = 12;
const MOST_FACTS: usize = 10;
/// The sheet is cut at a line before it grows beyond this.
const LONGEST: usize = 8_000;

/// What is sent, and how to read what comes back.
#[derive(Debug)]
pub(super) struct Sheet {
    pub(super) names: Names,
    /// `E1` is the first.
    references: Vec<String>,
    hypotheses: usize,
    data: String,
    mark: String,
    cause: String,
    meaning: String,
    root: String,
    lasts: Option<&'static str>,
}

impl Sheet {
    /// The first `choosable` hypotheses may be chosen between; there is at least one.
    pub(super) fn new(evidence: &Evidence, judgement: &Judgement, choosable: usize) -> Self {
        let diagnosis = &judgement.diagnosis;
        let mut names = Names::default();
        let root = diagnosis.root_step.as_deref().map(|step| names.step(step));
        for step in steps(evidence) {
            names.step(step);
        }
        let references: Vec<String> =
            diagnosis.evidence.iter().take(MOST_EVIDENCE).map(|item| item.reference.clone()).collect();
        let mut lines: Vec<String> = Vec::new();
        let hypotheses = choosable.max(1).min(judgement.weighed.len());
        for (at, weighed) in judgement.weighed.iter().take(hypotheses).enumerate() {
            let hypothesis = &weighed.hypothesis;
            let step = hypothesis.root.step.as_deref().map(|step| names.step(step));
            let step = step.map_or_else(|| "the execution".to_owned(), |step| format!("step {step}"));
            let (cause, meaning) = (hypothesis.cause.code(), hypothesis.cause.meaning());
            lines.push(format!("H{} hypothesis: {step}, cause {cause} ({meaning})", at + 1));
        }
        for sentence in sentences(&diagnosis.explanation).into_iter().take(MOST_FACTS) {
            let (text, cited) = apart(sentence, &references);
            let text = names.sentence(&text);
            lines.push(format!("FACT: {text} {}", cited.join(" ")));
        }
        for (at, item) in diagnosis.evidence.iter().take(MOST_EVIDENCE).enumerate() {
            let text = names.sentence(&item.excerpt);
            lines.push(format!("E{} {}: {text}", at + 1, kind(&item.kind)));
        }
        for symptom in diagnosis.symptoms.iter().take(6) {
            let step = names.step(&symptom.step);
            let what = if symptom.event_id.is_some() { "failed after it" } else { "never ran" };
            lines.push(format!("SYMPTOM: step {step} {what}"));
        }
        let messages: Vec<(String, String)> =
            names.messages().map(|(alias, template)| (alias.to_owned(), template.to_owned())).collect();
        lines.extend(messages.iter().map(|(alias, template)| format!("{alias} message: {template}")));
        let mut data = String::new();
        for line in lines {
            if data.len() + line.len() > LONGEST {
                break;
            }
            let _ = writeln!(data, "{}", line.trim_end());
        }
        Self {
            names,
            references,
            hypotheses,
            data: data.trim_end().to_owned(),
            mark: format!("DATA-{}", diagnosis.evidence_hash),
            cause: diagnosis.cause.clone().unwrap_or_default(),
            meaning: diagnosis.meaning.clone().unwrap_or_default(),
            root: root.unwrap_or_default(),
            lasts: diagnosis.transience.map(noetl_api::diagnosis::Transience::as_str),
        }
    }

    pub(super) fn prompt(&self) -> Result<Prompt, PromptError> {
        let Self { data, mark, cause, meaning, root, lasts, .. } = self;
        let lasts = lasts.unwrap_or_default();
        prompt(
            PROMPT,
            json!({"data": data, "mark": mark, "cause": cause, "meaning": meaning, "root": root, "lasts": lasts}),
        )
    }

    /// The form of the answer. A server that enforces it cannot cite what is not there.
    pub(super) fn schema(&self) -> Value {
        let evidence: Vec<String> = (1..=self.references.len()).map(|at| format!("E{at}")).collect();
        let hypotheses: Vec<String> = (1..=self.hypotheses).map(|at| format!("H{at}")).collect();
        json!({
            "type": "object",
            "properties": {
                "hypothesis": {"type": "string", "enum": hypotheses},
                "sentences": {
                    "type": "array",
                    "minItems": 2,
                    "maxItems": 4,
                    "items": {
                        "type": "object",
                        "properties": {
                            "text": {"type": "string"},
                            "cites": {
                                "type": "array", "minItems": 1, "maxItems": 3,
                                "items": {"type": "string", "enum": evidence},
                            },
                        },
                        "required": ["text", "cites"],
                        "additionalProperties": false,
                    },
                },
            },
            "required": ["hypothesis", "sentences"],
            "additionalProperties": false,
        })
    }

    /// What `E1` stands for.
    pub(super) fn reference(&self, alias: &str) -> Option<&str> {
        let at: usize = alias.trim().strip_prefix('E')?.parse().ok()?;
        self.references.get(at.checked_sub(1)?).map(String::as_str)
    }

    /// Which hypothesis `H2` is, counted from 0.
    pub(super) fn chosen(&self, alias: &str) -> Option<usize> {
        let at: usize = alias.trim().strip_prefix('H')?.parse().ok()?;
        at.checked_sub(1).filter(|at| *at < self.hypotheses)
    }
}

/// The steps of the playbook and of the sub-playbooks that were looked into.
fn steps(evidence: &Evidence) -> Vec<&str> {
    let own = evidence.playbook().map(|playbook| playbook.steps.as_slice()).unwrap_or_default();
    let mut found: Vec<&str> = own.iter().map(|step| step.name.as_str()).take(30).collect();
    for child in &evidence.children {
        found.extend(steps(&child.evidence));
    }
    found.truncate(40);
    found
}

/// A sentence of the rules without its citations, and what they are called on the sheet.
fn apart(sentence: &str, references: &[String]) -> (String, Vec<String>) {
    let (mut text, mut cited, mut rest) = (String::new(), Vec::new(), sentence);
    while let Some((before, after)) = rest.split_once("[e:") {
        text.push_str(before);
        let Some((reference, after)) = after.split_once(']') else { break };
        if let Some(at) = references.iter().position(|known| known == reference) {
            cited.push(format!("[e:E{}]", at + 1));
        }
        rest = after;
    }
    text.push_str(rest);
    (text, cited)
}

/// Kinds of evidence are ours, but they come as text.
fn kind(kind: &str) -> &'static str {
    match kind {
        "event" => "event",
        "document" => "document",
        "playbook_line" => "playbook line",
        "credential_meta" => "credential",
        "rollout" => "rollout",
        _ => "row",
    }
}

/// Name and version of the prompt.
pub(super) fn name() -> Option<String> {
    let empty = json!({"data": "", "mark": "", "cause": "", "meaning": "", "root": "", "lasts": ""});
    prompt(PROMPT, empty).ok().map(|prompt| prompt.name)
}
