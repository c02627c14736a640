//! Playbooks that have a Rollout, and which version an Execution of one gets.
//!
//! Asked at every start by path, so it costs one load of an atomic when there is no Rollout at all.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};

use noetl_domain::id::ExecutionId;
use noetl_domain::rollout::{Arm, Assigned};
use tokio::sync::Notify;

#[derive(Debug, Default)]
pub(crate) struct Splits {
    any: AtomicBool,
    by_path: RwLock<HashMap<String, Split>>,
    /// Told when the catalog changed, so that whoever runs Rollouts looks whether theirs still stand.
    pub(crate) changed: Notify,
}

/// Two versions of one path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Split {
    pub(crate) rollout: u64,
    pub(crate) stable: u32,
    pub(crate) canary: u32,
    pub(crate) share_percent: u32,
    /// Everybody gets the stable version, and nobody is counted.
    pub(crate) paused: bool,
}

impl Split {
    fn version_for(&self, id: ExecutionId) -> (u32, Option<Assigned>) {
        if self.paused {
            return (self.stable, None);
        }
        let arm = Arm::of(id, self.share_percent);
        let version = match arm {
            Arm::Control => self.stable,
            Arm::Canary => self.canary,
        };
        (version, Some(Assigned { rollout: self.rollout, arm }))
    }
}

impl Splits {
    /// The version for an Execution that asked for none.
    pub(super) fn version_for(&self, path: &str, id: ExecutionId) -> Option<(u32, Option<Assigned>)> {
        self.of(path).map(|split| split.version_for(id))
    }

    pub(super) fn of(&self, path: &str) -> Option<Split> {
        if !self.any.load(Ordering::Acquire) {
            return None;
        }
        let by_path = self.by_path.read().unwrap_or_else(PoisonError::into_inner);
        super::spellings(path).iter().find_map(|spelling| by_path.get(spelling).copied())
    }

    pub(crate) fn set(&self, path: &str, split: Split) {
        let mut by_path = self.by_path.write().unwrap_or_else(PoisonError::into_inner);
        by_path.insert(path.to_owned(), split);
        self.any.store(true, Ordering::Release);
    }

    /// The path has one version for everybody again.
    pub(crate) fn remove(&self, path: &str) {
        let mut by_path = self.by_path.write().unwrap_or_else(PoisonError::into_inner);
        by_path.remove(path);
        self.any.store(!by_path.is_empty(), Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_gets_the_canary_and_a_pause_nobody() {
        let splits = Splits::default();
        assert_eq!(splits.version_for("a", ExecutionId(1)), None);
        let split = Split { rollout: 7, stable: 1, canary: 2, share_percent: 20, paused: false };
        splits.set("a", split);
        let ids = (0..10_000u64).map(|id| ExecutionId(id << 12));
        let canary =
            ids.filter(|id| splits.version_for("a.yaml", *id).is_some_and(|(version, _)| version == 2));
        let canary = canary.count();
        assert!((1_850..2_150).contains(&canary), "{canary}");
        assert_eq!(splits.version_for("b", ExecutionId(1)), None);
        splits.set("a", Split { paused: true, ..split });
        assert_eq!(splits.version_for("a", ExecutionId(1)), Some((1, None)));
        splits.remove("a");
        assert_eq!(splits.version_for("a", ExecutionId(1)), None);
    }
}
