//! Weighs hypotheses against each other: what explains another makes it a symptom, what nothing supports is not said.

use noetl_api::diagnosis::EvidenceStatus;
use noetl_domain::cause::Cause;

use crate::diagnosis::{self, Hypothesis, Support};
use crate::evidence::Evidence;

/// A hypothesis with what is left of its score beside the others.
#[derive(Clone, Debug)]
pub(crate) struct Weighed {
    pub(crate) hypothesis: Hypothesis,
    pub(crate) weight: f64,
}

/// The likeliest cause, if there is any.
pub(crate) fn winner(evidence: &Evidence) -> Option<Hypothesis> {
    weigh(evidence).into_iter().next().map(|weighed| weighed.hypothesis)
}

/// Every hypothesis, likeliest first.
pub(crate) fn weigh(evidence: &Evidence) -> Vec<Weighed> {
    let merged = merge(diagnosis::hypotheses(evidence));
    let mut weighed: Vec<Weighed> = merged
        .iter()
        .enumerate()
        .map(|(at, hypothesis)| {
            let others = merged.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, other)| other);
            let weight = others
                .filter(|other| other.explains(hypothesis))
                .fold(hypothesis.score, |weight, other| weight * (1.0 - other.score));
            Weighed { hypothesis: hypothesis.clone(), weight }
        })
        .collect();
    // Of equals, the one whose root is earliest.
    let begins = |weighed: &Weighed| weighed.hypothesis.root.event.map_or(u64::MAX, |event| event.event_id);
    weighed.sort_by(|a, b| b.weight.total_cmp(&a.weight).then_with(|| begins(a).cmp(&begins(b))));
    weighed
}

/// Several rules that say the same thing say it once, and louder.
fn merge(found: Vec<Hypothesis>) -> Vec<Hypothesis> {
    let mut merged: Vec<Hypothesis> = Vec::new();
    for next in found {
        let same = merged.iter_mut().find(|known| {
            known.cause == next.cause
                && known.root.execution == next.root.execution
                && known.root.step == next.root.step
        });
        let Some(known) = same else {
            merged.push(next);
            continue;
        };
        let score = known.score.max(next.score)
            + 0.2 * known.score.min(next.score) * (1.0 - known.score.max(next.score));
        let support = known.support.max(next.support);
        if next.score > known.score {
            *known = next;
        }
        known.score = score;
        known.support = support;
    }
    merged
}

/// How sure the answer is, as a share of such answers that are right.
pub(crate) fn confidence(weighed: &[Weighed]) -> f64 {
    let Some(first) = weighed.first() else { return 0.0 };
    if first.hypothesis.cause == Cause::Unknown {
        return 0.1;
    }
    let rest = weighed.get(1).map_or(0.0, |second| second.weight);
    let margin = if first.weight > 0.0 { 1.0 - (rest / first.weight).min(1.0) } else { 0.0 };
    calibrated(first.hypothesis.score.min(0.99) * (0.7 + 0.3 * margin) * first.hypothesis.doubt)
}

/// Slope and shift of the curve that leads from the log-odds of a score to the log-odds of being right.
///
/// Both were fitted, with the slope held towards 0 and so towards the share of right answers as a whole, to answers
/// about 391 faults that the rules had not seen (`tests/faults/first_sight.json`). On cases that the rules were mended
/// with, answers are therefore righter than they are sure. The fault laboratory fits the curve again and prints it.
pub const CERTAINTY: (f64, f64) = (0.12, 2.83);

/// From the scores of rules to shares of right answers.
fn calibrated(raw: f64) -> f64 {
    if raw <= 0.0 {
        return 0.0;
    }
    let (slope, shift) = CERTAINTY;
    let odds = (raw / (1.0 - raw.min(0.995))).ln();
    1.0 / (1.0 + (-(slope * odds + shift)).exp())
}

/// The three tests before an answer counts as confirmed.
pub(crate) fn status(evidence: &Evidence, hypothesis: &Hypothesis, confidence: f64) -> EvidenceStatus {
    if hypothesis.cause == Cause::Unknown || hypothesis.support == Support::None {
        return EvidenceStatus::Insufficient;
    }
    let in_time = hypothesis.chain.windows(2).all(|pair| pair[0].at_ms <= pair[1].at_ms)
        && hypothesis.root.event.is_none_or(|root| {
            hypothesis.chain.first().is_none_or(|first| root.at_ms <= first.at_ms.max(root.at_ms))
        });
    let follows_the_graph = evidence.definition.is_some() && is_linked(evidence, hypothesis);
    let is_real = hypothesis.support == Support::Firm;
    if in_time && follows_the_graph && is_real && confidence >= 0.6 && hypothesis.gaps.is_empty() {
        EvidenceStatus::Confirmed
    } else {
        EvidenceStatus::Hypothesis
    }
}

/// The root's step is one of the playbook, or lies in a sub-playbook that one of its steps ran.
fn is_linked(evidence: &Evidence, hypothesis: &Hypothesis) -> bool {
    let Some(step) = &hypothesis.root.step else { return true };
    if hypothesis.root.execution == evidence.run.id {
        return evidence.playbook().is_some_and(|playbook| playbook.step(step).is_some());
    }
    evidence.children.iter().any(|child| {
        let is_ran = evidence.playbook().is_some_and(|playbook| playbook.step(&child.step).is_some());
        is_ran && is_linked(&child.evidence, hypothesis)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calibration_is_monotone_and_stays_in_its_bounds() {
        let values: Vec<f64> = (0..=100).map(|raw| calibrated(f64::from(raw) / 100.0)).collect();
        assert!(values.windows(2).all(|pair| pair[0] <= pair[1]));
        assert!(values.iter().all(|value| (0.0..=1.0).contains(value)));
    }
}
