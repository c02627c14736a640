//! How long a cause lasts: what the cause itself says, unless history says otherwise.

use noetl_api::diagnosis::Transience;
use noetl_domain::cause::{Cause, Nature};
use noetl_domain::event::Status;

use super::Hypothesis;
use crate::evidence::{Evidence, Failed};

/// Executions on both sides of this one that history is asked about.
const LOOKED_AT: usize = 20;

pub(crate) fn of(evidence: &Evidence, hypothesis: &Hypothesis) -> Transience {
    if let Some(known) = hypothesis.transience {
        return known;
    }
    let cause = hypothesis.cause;
    let usual = usually(cause);
    if usual != Transience::Permanent && comes_and_goes(evidence, cause) {
        return Transience::Intermittent;
    }
    // A limit of calls is met by the later of many by its nature.
    if usual != Transience::Permanent && cause != Cause::LimitRate && some_of_many(evidence, hypothesis) {
        return Transience::Intermittent;
    }
    if cause == Cause::NetworkDns && evidence.baseline.is_some() && !changed_version(evidence) {
        // The name had an address before, and nobody wrote another.
        return Transience::Transient;
    }
    usual
}

fn usually(cause: Cause) -> Transience {
    match cause.nature() {
        Nature::Permanent => Transience::Permanent,
        Nature::Transient => Transience::Transient,
        Nature::Unclear => match cause {
            Cause::RemoteServerError
            | Cause::TimeoutStatement
            | Cause::TimeoutStep
            | Cause::ResourceKilled => Transience::Transient,
            _ => Transience::Permanent,
        },
    }
}

/// The same failure among good runs, of the same version, more than once.
fn comes_and_goes(evidence: &Evidence, cause: Cause) -> bool {
    let version = evidence.run.state.requested.version;
    let mut runs: Vec<_> =
        evidence.recent.iter().filter(|run| run.version == version).take(LOOKED_AT).collect();
    runs.sort_by_key(|run| run.started_ms);
    let alike: Vec<usize> = runs
        .iter()
        .enumerate()
        .filter(|(_, run)| run.status == Status::Failed && run.cause == Some(cause))
        .map(|(at, _)| at)
        .collect();
    let (Some(first), Some(last)) = (alike.first(), alike.last()) else { return false };
    // A good run after an earlier failure of the same kind: it went away. Then it came back, or it is the one asked about.
    let went_away = runs[*first..].iter().any(|run| run.status == Status::Completed);
    went_away && (first != last || runs[*last].execution != evidence.run.id)
}

/// Of many equal calls in one loop only some failed.
fn some_of_many(evidence: &Evidence, hypothesis: &Hypothesis) -> bool {
    let Some(step) = &hypothesis.root.step else { return false };
    let Some(state) = evidence.run.state.steps.get(step) else { return false };
    let Some(looped) = &state.looped else { return false };
    let failed = evidence.run.failures.iter().filter(|failure| {
        failure.step == *step
            && failure.cause == hypothesis.cause
            && matches!(failure.what, Failed::Work { .. })
    });
    failed.count() > 0 && looped.stats.success > 0 && looped.stats.success >= looped.stats.failed
}

fn changed_version(evidence: &Evidence) -> bool {
    let before = evidence.baseline.as_ref().map(|baseline| baseline.run.state.requested.version);
    before != Some(evidence.run.state.requested.version)
}
