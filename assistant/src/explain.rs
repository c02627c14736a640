//! Prose by rules: one sentence for each thing that is known, each with what it rests on.

use noetl_api::diagnosis::{EvidenceItem, EvidenceStatus, Transience};
use noetl_domain::event::Status;

use crate::change::Change;
use crate::check::check;
use crate::diagnosis::{Hypothesis, Point, event, item};
use crate::evidence::Evidence;

/// Changes that the prose tells; the others stand beside it.
const MOST_CHANGES: usize = 3;
/// Other executions below which a share says nothing.
const FEWEST_OTHERS: usize = 10;

/// Sentences, and everything that they cite.
#[derive(Clone, Debug, Default)]
pub(crate) struct Prose {
    pub(crate) text: String,
    pub(crate) items: Vec<EvidenceItem>,
}

/// Why it failed.
pub(crate) fn failure(
    evidence: &Evidence,
    winner: &Hypothesis,
    status: EvidenceStatus,
    transience: Transience,
    changes: &[Change],
) -> Prose {
    let mut points: Vec<Point> = winner.points.clone();
    let root = winner.root.event;
    let step = winner.root.step.as_deref();
    if let (Some(root), Some(step)) = (root, step) {
        let place = if winner.root.execution == evidence.run.id {
            format!("step `{step}`")
        } else {
            format!("step `{step}` of the sub-playbook `{}`", winner.root.playbook)
        };
        let text = match (status, transience) {
            (EvidenceStatus::Insufficient, _) => {
                format!("What there is to see ends at {place}, and names no cause")
            }
            (_, Transience::Permanent) => {
                format!("So the root is {place}, and running it again without a change ends the same way")
            }
            (_, Transience::Transient) => format!("So the root is {place}, and it may pass by itself"),
            (_, Transience::Intermittent) => format!("So the root is {place}, and it comes and goes"),
        };
        let mut item = event(root, format!("{step} in execution {}", winner.root.execution), "the root");
        // The same event may be cited for what it says; then that stays.
        if let Some(known) =
            points.iter().flat_map(|point| &point.items).find(|known| known.reference == item.reference)
        {
            item = known.clone();
        }
        points.push(Point::new(text, vec![item]));
    }
    for change in changes.iter().filter(|change| change.is_close).take(MOST_CHANGES) {
        let text = format!("Since the last good run {}", change.told.what);
        points.push(Point::new(text, change.items.clone()));
    }
    points.extend(how_often(evidence, winner));
    compose(points)
}

/// How many of the other executions of the playbook failed, and of the same cause; none where that tells little.
fn how_often(evidence: &Evidence, winner: &Hypothesis) -> Option<Point> {
    let ended: Vec<_> = evidence.recent.iter().filter(|other| other.status.is_final()).collect();
    let failed = ended.iter().filter(|other| other.status == Status::Failed);
    let same = failed.clone().filter(|other| other.cause == Some(winner.cause)).count();
    if ended.len() < FEWEST_OTHERS || same == 0 {
        return None;
    }
    let playbook = evidence.run.playbook();
    let text = format!(
        "Of the {} other executions of `{playbook}` that ended last {} failed, {same} of them with an error of the same cause",
        ended.len(),
        failed.count(),
    );
    let excerpt = text.replace('`', "");
    Some(Point::new(text, vec![item("row", format!("recent:{playbook}"), excerpt, "how often it fails")]))
}

/// What became of an execution that did not fail.
pub(crate) fn no_failure(evidence: &Evidence, winner: Option<&Hypothesis>) -> Prose {
    let run = &evidence.run;
    let mut points = Vec::new();
    match (run.status(), run.ended, run.opened) {
        (Status::Completed, Some(ended), _) => {
            points.push(Point::new(
                "It did not fail: it completed",
                vec![event(ended, "completed", "how it ended")],
            ));
            for failure in run.swallowed().take(3) {
                let text = format!("On the way step `{}` had an error that was answered", failure.step);
                points.push(Point::new(
                    text,
                    vec![crate::diagnosis::failure_item(failure, "an error that was answered")],
                ));
            }
        }
        (Status::Running, _, Some(opened)) => {
            points.push(Point::new(
                "It has not ended: it is running",
                vec![event(opened, "started, and not ended", "its beginning")],
            ));
            for work in run.under_way.iter().take(3) {
                if let Some(entered) = run.entered.get(&work.step) {
                    let waits =
                        if work.parked { "waits for a sub-playbook or a moment" } else { "is under way" };
                    let text = format!("Step `{}` {waits}", work.step);
                    points.push(Point::new(
                        text,
                        vec![event(*entered, format!("{} was entered", work.step), "what it is at")],
                    ));
                }
            }
        }
        _ => {}
    }
    points.extend(winner.into_iter().flat_map(|winner| winner.points.clone()));
    compose(points)
}

/// What is said when nothing supports anything.
pub(crate) fn nothing(evidence: &Evidence) -> Prose {
    let place = evidence.run.ended.or(evidence.run.opened);
    let text = "It failed, and what there is to see names no cause";
    compose(
        place
            .map(|place| Point::new(text, vec![event(place, "the execution failed", "how it ended")]))
            .into_iter()
            .collect(),
    )
}

fn compose(points: Vec<Point>) -> Prose {
    let mut prose = Prose::default();
    let mut sentences = Vec::new();
    for point in points {
        let citations: Vec<String> =
            point.items.iter().map(|item| format!("[e:{}]", item.reference)).collect();
        sentences.push(format!("{} {}.", point.text.trim_end_matches('.'), citations.join(" ")));
        for item in point.items {
            match prose.items.iter_mut().find(|known| known.reference == item.reference) {
                Some(known) if known.excerpt != item.excerpt => {
                    known.excerpt = format!("{}; {}", known.excerpt, item.excerpt);
                }
                Some(_) => {}
                None => prose.items.push(item),
            }
        }
    }
    prose.text = check(&sentences.join(" "), &prose.items);
    prose
}
