//! After a promotion: did it deliver what it promised?

use noetl_api::proposal::{Estimate, Ledger, ProposalState};
use noetl_domain::rollout::{self, Tally};
use serde_json::json;

use super::rows::{Change, Delivered, Record};
use super::{ControlError, Proposals, count, happened, rows, show};
use crate::ids::now_ms;

/// When neither answer is clear, so many times the least number of executions are waited for.
const PATIENCE: u64 = 4;

impl Proposals {
    /// Promised against delivered, newest promotion first.
    pub async fn ledger(&self) -> Result<Ledger, ControlError> {
        let records = rows::promoted(&self.store, 200).await?;
        Ok(Ledger { items: records.iter().map(show::ledger_line).collect() })
    }

    /// Measures what a promoted change delivers; says so once enough is known. The caller holds `deciding`.
    pub(super) async fn verify(&self, record: Record, least: u64) -> Result<(), ControlError> {
        let (Some(version), Some(promoted_ms)) = (record.version, record.promoted_ms) else { return Ok(()) };
        let most = least * PATIENCE;
        let tally = count::since(&self.store, &record.proposed.playbook, version, promoted_ms, most).await?;
        let Some(delivered) = measured(&tally, &record.proposed.effect.metric) else { return Ok(()) };
        if record.delivered.as_ref().is_some_and(|known| known.n >= delivered.n) {
            return Ok(());
        }
        let promised = record.proposed.effect.high;
        let state = if delivered.n < least {
            ProposalState::Promoted
        } else if delivered.estimate.value <= promised {
            ProposalState::Verified
        } else if delivered.estimate.low > promised || delivered.n >= most {
            ProposalState::Missed
        } else {
            ProposalState::Promoted
        };
        let next = Record { state, delivered: Some(delivered.clone()), ..record };
        let mut events = Vec::new();
        if state != ProposalState::Promoted {
            let name = if state == ProposalState::Verified { "proposal.verified" } else { "proposal.missed" };
            let mut event = happened(&next, name, "rollout", now_ms());
            event.data = json!({ "promised": next.proposed.effect, "delivered": delivered.estimate, "n": delivered.n });
            events.push(event);
        }
        let change = Change { proposals: vec![next], events, ..Change::default() };
        Ok(change.apply(&self.store).await?)
    }
}

/// None for what the rows of executions do not tell (`cost_ms_per_item`), and while nothing has ended.
fn measured(tally: &Tally, metric: &str) -> Option<Delivered> {
    let n = tally.finished();
    let estimate = match metric {
        "failure_rate" if n > 0 => {
            let (value, low, high) = rollout::rate_with_interval(tally.failed, n);
            let what = format!("share of {n} executions that failed");
            Estimate { what, unit: "share".to_owned(), value, low: low.min(value), high: high.max(value) }
        }
        "duration_ms" => {
            let sorted = rollout::sorted(&tally.durations_ms);
            let value = rollout::median(&sorted)?;
            let (low, high) = rollout::median_bounds(&sorted).unwrap_or((*sorted.first()?, *sorted.last()?));
            let what = format!("median duration of {} executions that completed", sorted.len());
            Estimate { what, unit: "ms".to_owned(), value, low, high }
        }
        _ => return None,
    };
    Some(Delivered { estimate, n })
}

/// Why a promise cannot be verified. The control plane knows how executions ended and how long they took, and asks
/// no analytics; what an item cost is in the tables of the indexer only.
pub(super) fn not_measurable(metric: &str) -> Option<String> {
    let is_known = matches!(metric, "failure_rate" | "duration_ms");
    (!is_known).then(|| format!("not measurable: the log of executions does not tell {metric}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_is_measured_in_the_unit_of_the_promise() {
        let tally = Tally {
            completed: 9,
            failed: 1,
            durations_ms: (1..=9).map(|ms| f64::from(ms) * 100.0).collect(),
            ..Tally::default()
        };
        let rate = measured(&tally, "failure_rate").expect("a rate");
        assert_eq!((rate.n, rate.estimate.value), (10, 0.1));
        assert!(rate.estimate.low < 0.05 && rate.estimate.high > 0.3, "{rate:?}");
        let duration = measured(&tally, "duration_ms").expect("a duration");
        assert_eq!(duration.estimate.value, 500.0);
        assert!(duration.estimate.low < 300.0 && duration.estimate.high > 700.0, "{duration:?}");
        assert_eq!(measured(&tally, "cost_ms_per_item"), None);
        for metric in ["failure_rate", "duration_ms", "cost_ms_per_item"] {
            assert_eq!(not_measurable(metric).is_none(), measured(&tally, metric).is_some(), "{metric}");
        }
        assert_eq!(measured(&Tally::default(), "failure_rate"), None);
    }
}
