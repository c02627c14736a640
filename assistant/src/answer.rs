//! The whole answer: from frozen evidence to a Diagnosis.

use noetl_api::diagnosis::{Alternative, Diagnosis, EvidenceStatus, SimilarFailure, Symptom, Verdict};
use noetl_domain::cause::Cause;
use noetl_domain::event::Status;

use crate::diagnosis::{Hypothesis, transience_of};
use crate::evidence::{EventRef, Evidence, Failed};
use crate::rank::{self, Weighed};
use crate::short::evidence_hash;
use crate::{change, explain, recommend};

const MOST_ALTERNATIVES: usize = 3;
const MOST_SYMPTOMS: usize = 20;

/// An answer, and what it was chosen from.
#[derive(Debug)]
pub(crate) struct Judgement {
    pub(crate) diagnosis: Diagnosis,
    /// Likeliest first; the first is the answer.
    pub(crate) weighed: Vec<Weighed>,
}

/// Says why the execution failed, or that it did not.
pub fn diagnose(evidence: &Evidence) -> Diagnosis {
    judged(evidence).diagnosis
}

/// The same with the hypotheses behind it.
pub(crate) fn judged(evidence: &Evidence) -> Judgement {
    answered(evidence, rank::weigh(evidence))
}

/// The answer that the first of these hypotheses gives.
pub(crate) fn answered(evidence: &Evidence, weighed: Vec<Weighed>) -> Judgement {
    let mut diagnosis = composed(evidence, &weighed);
    diagnosis.evidence_hash = evidence_hash(&diagnosis);
    Judgement { diagnosis, weighed }
}

fn composed(evidence: &Evidence, weighed: &[Weighed]) -> Diagnosis {
    let run = &evidence.run;
    let requested = &run.state.requested;
    let verdict = match run.status() {
        Status::Failed => Verdict::Failed,
        Status::Completed => Verdict::Completed,
        Status::Running => Verdict::Running,
        Status::Cancelled => Verdict::Cancelled,
    };
    let winner = weighed.first().map(|weighed| &weighed.hypothesis);
    let mut diagnosis = Diagnosis {
        execution_id: run.id.to_string(),
        playbook: requested.path.clone(),
        version: requested.version,
        verdict,
        written_by: "rules".to_owned(),
        last_good_execution_id: evidence.baseline.as_ref().map(|baseline| baseline.run.id.to_string()),
        similar: evidence
            .similar
            .iter()
            .map(|similar| SimilarFailure {
                execution_id: similar.execution.to_string(),
                score: similar.score,
                ended_by: similar.ended_by.clone(),
            })
            .collect(),
        evidence_gaps: evidence.gaps.clone(),
        ..Diagnosis::default()
    };
    let prose = match (verdict, winner) {
        (Verdict::Failed | Verdict::Cancelled, Some(winner)) => {
            failed(evidence, weighed, winner, &mut diagnosis)
        }
        (Verdict::Failed | Verdict::Cancelled, None) => {
            diagnosis.cause = Some(Cause::Unknown.code().to_owned());
            diagnosis.meaning = Some(Cause::Unknown.meaning().to_owned());
            diagnosis.evidence_gaps.push("the log holds no error that ended the execution".to_owned());
            explain::nothing(evidence)
        }
        (Verdict::Completed | Verdict::Running, winner) => {
            diagnosis.confidence = 0.99;
            diagnosis.evidence_status = EvidenceStatus::Confirmed;
            if let Some(winner) = winner {
                root(winner, &mut diagnosis);
                diagnosis.transience = Some(transience_of(evidence, winner));
                diagnosis.recommendations =
                    recommend::recommendations(evidence, winner, &[], transience_of(evidence, winner));
            }
            explain::no_failure(evidence, winner)
        }
    };
    diagnosis.explanation = prose.text;
    for item in prose.items {
        if !diagnosis.evidence.iter().any(|known| known.reference == item.reference) {
            diagnosis.evidence.push(item);
        }
    }
    diagnosis
}

fn failed(
    evidence: &Evidence,
    weighed: &[Weighed],
    winner: &Hypothesis,
    diagnosis: &mut Diagnosis,
) -> explain::Prose {
    let confidence = rank::confidence(weighed);
    let status = rank::status(evidence, winner, confidence);
    let transience = transience_of(evidence, winner);
    let changes = change::changes(evidence, Some(winner));
    root(winner, diagnosis);
    diagnosis.confidence = (confidence * 100.0).round() / 100.0;
    diagnosis.evidence_status = status;
    diagnosis.transience = (winner.cause != Cause::Unknown).then_some(transience);
    diagnosis.chain = winner.chain.iter().map(EventRef::id).collect();
    diagnosis.symptoms = symptoms(evidence, winner);
    diagnosis.contributing = changes.iter().map(|change| change.told.clone()).collect();
    diagnosis.evidence_gaps.extend(winner.gaps.iter().cloned());
    diagnosis.recommendations = recommend::recommendations(evidence, winner, &changes, transience);
    let open = recommend::open_proposal(evidence, diagnosis);
    diagnosis.recommendations.extend(open);
    diagnosis.alternatives = alternatives(weighed);
    let prose = explain::failure(evidence, winner, status, transience, &changes);
    diagnosis.evidence.clone_from(&prose.items);
    for item in changes.into_iter().flat_map(|change| change.items) {
        match diagnosis.evidence.iter_mut().find(|known| known.reference == item.reference) {
            Some(known) if !known.excerpt.contains(&item.excerpt) => {
                known.excerpt = format!("{}; {}", known.excerpt, item.excerpt);
            }
            Some(_) => {}
            None => diagnosis.evidence.push(item),
        }
    }
    prose
}

fn root(winner: &Hypothesis, diagnosis: &mut Diagnosis) {
    diagnosis.root_execution_id = Some(winner.root.execution.to_string());
    diagnosis.root_playbook = Some(winner.root.playbook.clone());
    diagnosis.root_step.clone_from(&winner.root.step);
    diagnosis.root_event_id = winner.root.event.map(|event| event.id());
    diagnosis.cause = Some(winner.cause.code().to_owned());
    diagnosis.meaning = Some(winner.cause.meaning().to_owned());
}

fn alternatives(weighed: &[Weighed]) -> Vec<Alternative> {
    let others = weighed.iter().skip(1).filter(|weighed| weighed.weight >= 0.05).take(MOST_ALTERNATIVES);
    others
        .map(|weighed| Alternative {
            step: weighed.hypothesis.root.step.clone(),
            cause: weighed.hypothesis.cause.code().to_owned(),
            confidence: (weighed.weight * 100.0).round() / 100.0,
            why: weighed.hypothesis.points.first().map(|point| point.text.clone()).unwrap_or_default(),
        })
        .collect()
}

/// What failed besides the root, and what never ran.
fn symptoms(evidence: &Evidence, winner: &Hypothesis) -> Vec<Symptom> {
    let run = &evidence.run;
    let is_root = |step: &str| winner.root.execution == run.id && winner.root.step.as_deref() == Some(step);
    let mut found: Vec<Symptom> = Vec::new();
    for failure in &run.failures {
        let is_end = matches!(failure.what, Failed::Exit { handled: false } | Failed::End);
        if is_end
            && !failure.step.is_empty()
            && !is_root(&failure.step)
            && !found.iter().any(|known| known.step == failure.step)
        {
            found.push(Symptom {
                step: failure.step.clone(),
                event_id: Some(failure.event.id()),
                what: format!("failed: {}", failure.error.message),
            });
        }
    }
    for step in evidence.playbook().map(|playbook| playbook.steps.as_slice()).unwrap_or_default() {
        if !run.state.steps.contains_key(&step.name) && found.len() < MOST_SYMPTOMS {
            found.push(Symptom { step: step.name.clone(), event_id: None, what: "never ran".to_owned() });
        }
    }
    found
}
