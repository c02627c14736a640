//! Work waited and no worker could take it.

use noetl_domain::cause::Cause;
use noetl_domain::code::Code;
use noetl_domain::event::Status;

use super::case::{event, item, line};
use super::{Case, Hypothesis, Point, Support};

const RULE: &str = "no_worker";

pub(super) fn hypotheses(case: &Case<'_>) -> Vec<Hypothesis> {
    let run = case.run;
    let asked = |step: &str| case.evidence.playbook()?.step(step)?.pool.clone();
    // A run that ended well, or that somebody ended, did not end for want of a worker.
    if !matches!(run.status(), Status::Running | Status::Failed) {
        return Vec::new();
    }
    let waiting = run.under_way.iter().filter(|work| !work.parked).find_map(|work| {
        let pool = asked(&work.step)?;
        let unanswered = !run.workers.contains_key(&work.step);
        let unserved = case.evidence.unserved.contains(&pool);
        (unanswered && (unserved || run.status() == Status::Failed)).then_some((work, pool, unserved))
    });
    let Some((work, pool, unserved)) = waiting else { return Vec::new() };
    let entered = run.entered.get(&work.step).copied();
    let mut hypothesis = Hypothesis::new(
        RULE,
        case.root(Some(&work.step), entered),
        Cause::WorkerNone,
        if unserved { 0.95 } else { 0.75 },
    )
    .with_chain(entered.into_iter().chain(case.end.map(|end| end.event)).chain(run.ended));
    hypothesis.support = if unserved { Support::Firm } else { Support::Likely };
    let mut items: Vec<_> = entered
        .map(|entered| {
            event(
                entered,
                format!("{} is due in pool {pool}; nobody reported on it", work.step),
                "no worker took it",
            )
        })
        .into_iter()
        .collect();
    items.extend(line(case.evidence, &work.step, "where the pool is named"));
    items.push(item(
        "document",
        Code::UnservedPool.as_str(),
        Code::UnservedPool.title(),
        "what the code means",
    ));
    hypothesis.points.push(Point::new(
        format!("Step `{}` waited for the pool `{pool}`, and no worker took its work", work.step),
        items,
    ));
    vec![hypothesis]
}
