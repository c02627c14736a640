//! Where Playbooks come from, made ready to run.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use noetl_domain::execution::Plan;
use noetl_domain::id::ExecutionId;
use noetl_domain::rollout::Assigned;

use crate::error::ServerError;

/// Which version of which Playbook.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Which {
    /// None: the newest.
    Path(String, Option<u32>),
    CatalogId(String),
}

type Finding<'a> = Pin<Box<dyn Future<Output = Result<Arc<Plan>, ServerError>> + Send + 'a>>;

type Paths<'a> = Pin<Box<dyn Future<Output = Result<Vec<String>, ServerError>> + Send + 'a>>;

/// Gives out Plans; the catalog does.
pub trait PlanSource: Send + Sync + 'static {
    fn plan(&self, which: Which) -> Finding<'_>;

    /// The version that a Rollout gives to an Execution which asked for none, and the arm it counts for.
    fn version_for(&self, _path: &str, _id: ExecutionId) -> Option<(u32, Option<Assigned>)> {
        None
    }

    /// The paths of all playbooks below a path.
    fn paths_below<'a>(&'a self, prefix: &'a str) -> Paths<'a>;
}

/// Which version an Execution gets: what it asks for, else what a Rollout says, else the newest.
pub(super) fn choose(plans: &dyn PlanSource, which: Which, id: ExecutionId) -> (Which, Option<Assigned>) {
    let Which::Path(path, None) = which else { return (which, None) };
    match plans.version_for(&path, id) {
        Some((version, assigned)) => (Which::Path(path, Some(version)), assigned),
        None => (Which::Path(path, None), None),
    }
}
