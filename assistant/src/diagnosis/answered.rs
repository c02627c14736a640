//! A failure that something answered, held to be the root of the one that ended everything.

use noetl_domain::cause::Cause;

use super::case::{failure_item, line, quoted};
use super::{Case, Hypothesis, Point, Support, child_failed};
use crate::evidence::{EventRef, Failure};

pub(super) struct Answered<'a> {
    pub(super) rule: &'static str,
    pub(super) failure: &'a Failure,
    /// What ended everything.
    pub(super) end: &'a Failure,
    pub(super) score: f64,
    /// What the score of a cause inside a sub-playbook is multiplied by.
    pub(super) behind: f64,
    /// The Events that lead from the one to the other through data.
    pub(super) before: Vec<EventRef>,
    /// How it was answered, as the rest of a sentence.
    pub(super) how: String,
    /// What the last step did, as the middle of a sentence.
    pub(super) then: &'static str,
    pub(super) symptom: &'static str,
}

impl Answered<'_> {
    pub(super) fn hypothesis(self, case: &Case<'_>) -> Hypothesis {
        let Self { rule, failure, end, score, behind, before, how, then, symptom } = self;
        if failure.cause == Cause::PlaybookChildFailed
            && let Some(mut inner) = child_failed::behind(case, failure)
        {
            inner.rule = rule;
            inner.score *= behind;
            inner.chain.extend(before.into_iter().chain(case.tail(end)));
            let chain = std::mem::take(&mut inner.chain);
            return inner.with_chain(chain);
        }
        let root = case.root(Some(&failure.step), Some(failure.event));
        let mut hypothesis = Hypothesis::new(rule, root, failure.cause, score)
            .with_chain(before.into_iter().chain([failure.event]).chain(case.tail(end)));
        hypothesis.support = if failure.cause == Cause::Unknown { Support::None } else { Support::Firm };
        let mut items = vec![failure_item(failure, format!("the cause {}", failure.cause))];
        items.extend(line(case.evidence, &failure.step, "where the step is written"));
        let Failure { step, error, cause, .. } = failure;
        hypothesis.points.push(Point::new(
            format!("Step `{step}` failed with {} ({}){how}", quoted(&error.message), cause.meaning()),
            items,
        ));
        hypothesis.points.push(Point::new(
            format!("Step `{}` {then} {}", end.step, quoted(&end.error.message)),
            vec![failure_item(end, symptom)],
        ));
        hypothesis
    }
}
