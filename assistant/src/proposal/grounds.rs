//! The checker: a Proposal that lacks any part of its grounds is not made.

use noetl_api::diagnosis::EvidenceItem;
use noetl_api::proposal::{Effect, Estimate, Grounds};

use super::subject::Subject;
use crate::change::moment;

/// What is missing, or nothing.
pub(crate) fn check(grounds: &Grounds, effect: &Effect) -> Result<(), &'static str> {
    let said = |text: &str| !text.trim().is_empty();
    let sound = |estimate: &Estimate| {
        said(&estimate.what)
            && said(&estimate.unit)
            && [estimate.value, estimate.low, estimate.high].iter().all(|number| number.is_finite())
            && estimate.low <= estimate.value
            && estimate.value <= estimate.high
    };
    let effects = [effect.before, effect.expected, effect.low, effect.high];
    let parts = [
        (said(&grounds.from) && said(&grounds.to), "the data window"),
        (grounds.n > 0, "the number of observations"),
        (grounds.censored <= grounds.n, "the number of censored observations"),
        (sound(&grounds.estimate), "the estimate with its interval"),
        (sound(&grounds.counterfactual), "what the present value gives"),
        (said(&grounds.bound), "the bound that limited it"),
        (said(&grounds.query), "the query that reproduces it"),
        (said(&effect.metric) && effects.iter().all(|number| number.is_finite()), "the expected effect"),
        (effect.low <= effect.expected && effect.expected <= effect.high, "the interval of the effect"),
    ];
    parts.iter().find(|(holds, _)| !holds).map_or(Ok(()), |(_, missing)| Err(*missing))
}

/// What the sentences of a Proposal cite: the definition, and the newest execution that was read.
pub(crate) fn evidence(subject: &Subject) -> Vec<EvidenceItem> {
    let mut found = vec![EvidenceItem {
        kind: "playbook_line".to_owned(),
        reference: "playbook".to_owned(),
        excerpt: format!("{} version {}", subject.path, subject.version),
        ..EvidenceItem::default()
    }];
    if let Some(last) = subject.history.last() {
        found.push(EvidenceItem {
            kind: "row".to_owned(),
            reference: "history".to_owned(),
            excerpt: format!(
                "{} executions that ended between {} and {}; the newest is {}",
                subject.history.len(),
                subject.history.first().map(|one| moment(one.started_ms)).unwrap_or_default(),
                moment(last.ended_ms),
                last.execution
            ),
            ..EvidenceItem::default()
        });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complete() -> (Grounds, Effect) {
        let estimate = Estimate { what: "x".into(), unit: "s".into(), value: 1.0, low: 0.5, high: 2.0 };
        let grounds = Grounds {
            from: "a".into(),
            to: "b".into(),
            n: 3,
            censored: 1,
            estimate: estimate.clone(),
            counterfactual: estimate,
            bound: "the policy".into(),
            query: "SELECT 1".into(),
        };
        let effect =
            Effect { metric: "failure_rate".into(), before: 0.2, expected: 0.1, low: 0.05, high: 0.15 };
        (grounds, effect)
    }

    #[test]
    fn each_part_is_required() {
        let (grounds, effect) = complete();
        assert_eq!(check(&grounds, &effect), Ok(()));
        let without: [fn(&mut Grounds, &mut Effect); 9] = [
            |grounds, _| grounds.to.clear(),
            |grounds, _| grounds.n = 0,
            |grounds, _| grounds.censored = 4,
            |grounds, _| grounds.estimate.high = f64::INFINITY,
            |grounds, _| grounds.counterfactual.what.clear(),
            |grounds, _| grounds.bound.clear(),
            |grounds, _| grounds.query.clear(),
            |_, effect| effect.metric.clear(),
            |_, effect| effect.low = 0.12,
        ];
        for (at, take) in without.iter().enumerate() {
            let (mut grounds, mut effect) = complete();
            take(&mut grounds, &mut effect);
            assert!(check(&grounds, &effect).is_err(), "part {at}");
        }
    }
}
