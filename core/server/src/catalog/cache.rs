//! Plans that ran lately, and which version of a path is the newest.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use noetl_domain::execution::Plan;

use crate::orchestrator::Which;

/// Plans kept; when there are more, all are forgotten and read again.
const MOST: usize = 512;

#[derive(Debug, Default)]
pub(super) struct Cache(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    plans: HashMap<(String, u32), Arc<Plan>>,
    /// By the path as callers spell it.
    newest: HashMap<String, Arc<Plan>>,
    /// Counts changes of the catalog, so that an answer read before one is not kept after it.
    generation: u64,
}

impl Cache {
    pub(super) fn find(&self, which: &Which) -> Option<Arc<Plan>> {
        let known = self.known();
        match which {
            Which::Path(path, Some(version)) => known.plans.get(&(path.clone(), *version)).cloned(),
            Which::Path(path, None) => known.newest.get(path).cloned(),
            Which::CatalogId(id) => known.plans.values().find(|plan| plan.catalog_id == *id).cloned(),
        }
    }

    pub(super) fn keep(&self, plan: Arc<Plan>) {
        let mut known = self.known();
        if known.plans.len() >= MOST {
            known.plans.clear();
        }
        known.plans.insert((plan.path.clone(), plan.version), plan);
    }

    /// Keeps what a path's newest version is, unless the catalog changed since `generation`.
    pub(super) fn note_newest(&self, path: &str, plan: &Arc<Plan>, generation: u64) {
        let mut known = self.known();
        if known.newest.len() >= MOST {
            known.newest.clear();
        }
        if known.generation == generation {
            known.newest.insert(path.to_owned(), Arc::clone(plan));
        }
    }

    pub(super) fn generation(&self) -> u64 {
        self.known().generation
    }

    /// A path has changed. Versions never do, so only what is newest is forgotten, in every spelling.
    pub(super) fn forget(&self, path: &str) {
        let mut known = self.known();
        known.generation += 1;
        known.newest.retain(|asked, plan| asked != path && plan.path != path);
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
