//! Which tool a step uses and which pool it asks for: what the Events leave to the Playbook.

use noetl_bus::feed::{Feed, FeedError};
use noetl_domain::dialect;
use rustc_hash::FxHashMap;

use crate::rows::Name;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tool {
    pub(super) kind: Name,
    pub(super) pool: Name,
    /// Place of the step in the Playbook.
    pub(super) order: u32,
}

type Steps = FxHashMap<Box<str>, Tool>;

/// Versions of Playbooks that are remembered; each is small, so the bound only keeps a long life finite.
const MOST: usize = 10_000;

#[derive(Default)]
pub(super) struct Tools {
    known: FxHashMap<Box<str>, FxHashMap<u32, Steps>>,
    versions: usize,
}

impl Tools {
    /// Reads a version of a Playbook, if that has not been done.
    pub(super) async fn know<F: Feed>(
        &mut self,
        feed: &F,
        path: &str,
        version: u32,
    ) -> Result<(), FeedError> {
        if self.known.get(path).is_some_and(|versions| versions.contains_key(&version)) {
            return Ok(());
        }
        let definition = feed.definition(path, version).await?;
        let steps = definition.map(|definition| steps(&definition.content)).unwrap_or_default();
        if self.versions >= MOST {
            self.known.clear();
            self.versions = 0;
        }
        self.versions += 1;
        self.known.entry(path.into()).or_default().insert(version, steps);
        Ok(())
    }

    pub(super) fn of(&self, path: &str, version: u32, step: &str) -> Option<&Tool> {
        self.known.get(path)?.get(&version)?.get(step)
    }
}

fn steps(content: &str) -> Steps {
    let Some(playbook) = dialect::read(content).playbook else { return Steps::default() };
    let tool = |(order, step): (u32, noetl_domain::playbook::Step)| {
        let kind = step.body.first().map_or("noop", |task| task.kind.as_str());
        let tool =
            Tool { kind: Name::from(kind), pool: step.pool.as_deref().unwrap_or("default").into(), order };
        (step.name.into_boxed_str(), tool)
    };
    (0..).zip(playbook.steps).map(tool).collect()
}
