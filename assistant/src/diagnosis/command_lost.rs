//! The worker was lost: no Report came within the Lease, again and again.

use noetl_domain::cause::Cause;
use noetl_domain::code::Code;

use super::case::{event, failure_item, item};
use super::{Case, Hypothesis, Point, Support};

const RULE: &str = "command_lost";

pub(super) fn hypotheses(case: &Case<'_>) -> Vec<Hypothesis> {
    let Some(end) = case.end.filter(|end| end.cause == Cause::WorkerLost) else { return Vec::new() };
    let resent: Vec<_> = case.run.resent.iter().filter(|resent| resent.step == end.step).collect();
    let first = resent.first().map(|resent| resent.event);
    let mut hypothesis =
        Hypothesis::new(RULE, case.root(Some(&end.step), first.or(Some(end.event))), Cause::WorkerLost, 0.96)
            .with_chain(first.into_iter().chain(case.tail(end)));
    hypothesis.support = Support::Firm;
    let mut items = vec![failure_item(end, "a worker was lost")];
    if let Some(last) = resent.last() {
        items.push(event(
            last.event,
            format!("{} sent again, attempt {}", last.step, last.attempt),
            "nobody had answered",
        ));
    }
    items.push(item(
        "document",
        Code::CommandLost.as_str(),
        Code::CommandLost.title(),
        "what the code means",
    ));
    hypothesis.points.push(Point::new(
        format!(
            "The work of step `{}` was given out again and again, and no worker lived to report on it",
            end.step
        ),
        items,
    ));
    vec![hypothesis]
}

#[cfg(test)]
mod tests {
    use noetl_domain::cause::Cause;

    use crate::testing::{Lab, lost, ok};

    #[test]
    fn work_that_nobody_lives_to_report_on_is_told_as_such() {
        Lab::new("steps: a b").run(&[("a", ok(1)), ("b", lost())]).blames("b", Cause::WorkerLost);
    }
}
