//! Which Executions are kept: so many of a kind in an hour, the first of them. It depends on the log alone.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::rows::ExecutionRow;
use crate::vectors::point;

/// Of one playbook in one hour: Executions that failed with the same shape of message, …
const FAILED: u32 = 20;
/// … that were cancelled or behaved unusually, …
const UNUSUAL: u32 = 10;
/// … that completed as usual.
const USUAL: u32 = 5;

/// Counts that are remembered; beyond that nothing more of the hour is kept.
const MOST: usize = 50_000;
const HOUR_MS: i64 = 60 * 60 * 1000;

/// What an Execution is one of many of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Failed {
        fingerprint: u64,
    },
    Cancelled,
    /// Retried as a whole: what was kept of it before is not true any more.
    Retried,
    Unusual,
    Usual,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sample {
    /// Executions kept of a kind, by what names kind and hour; with the hour.
    kept: HashMap<u64, (i64, u32)>,
    newest: i64,
}

impl Class {
    pub(super) fn of(row: &ExecutionRow, is_unusual: bool) -> Self {
        match &*row.status {
            _ if row.attempt > 1 => Self::Retried,
            "FAILED" => Self::Failed { fingerprint: row.fingerprint },
            "CANCELLED" => Self::Cancelled,
            _ if is_unusual => Self::Unusual,
            _ => Self::Usual,
        }
    }
}

impl Sample {
    /// Whether an Execution that ended then is kept; it is counted when it is.
    pub(super) fn keeps(&mut self, playbook: &str, class: Class, at_ms: i64) -> bool {
        let (name, most) = match class {
            Class::Failed { fingerprint } => (format!("failed {fingerprint}"), FAILED),
            Class::Cancelled => ("cancelled".to_owned(), UNUSUAL),
            Class::Retried => return true,
            Class::Unusual => ("unusual".to_owned(), UNUSUAL),
            Class::Usual => ("usual".to_owned(), USUAL),
        };
        let hour = at_ms.div_euclid(HOUR_MS);
        if hour > self.newest {
            self.newest = hour;
            // Commits come nearly in the order of time: an hour that has passed gets hardly any more.
            self.kept.retain(|_, (of, _)| *of >= hour - 1);
        }
        let key = point::id(&[playbook, &name, &hour.to_string()]);
        if self.kept.len() >= MOST && !self.kept.contains_key(&key) {
            return false;
        }
        let (_, count) = self.kept.entry(key).or_insert((hour, 0));
        let is_kept = *count < most;
        *count += u32::from(is_kept);
        is_kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_of_each_kind_are_kept_every_hour() {
        let mut sample = Sample::default();
        let mut kept = |class, minute: i64| {
            (0..100).filter(|_| sample.keeps("orders", class, minute * 60_000)).count() as u32
        };
        assert_eq!(kept(Class::Usual, 0), USUAL);
        assert_eq!(kept(Class::Usual, 59), 0);
        assert_eq!(kept(Class::Failed { fingerprint: 1 }, 59), FAILED);
        assert_eq!(kept(Class::Failed { fingerprint: 2 }, 59), FAILED);
        assert_eq!(kept(Class::Usual, 60), USUAL);
        assert_eq!(kept(Class::Usual, 59), 0, "one that is a little late");
        assert_eq!(kept(Class::Retried, 60), 100);
        assert_eq!(kept(Class::Usual, 60 * 24), USUAL);
        assert_eq!(sample.kept.len(), 1, "what passed is forgotten");
    }
}
