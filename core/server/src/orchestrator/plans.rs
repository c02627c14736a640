//! Where Playbooks come from, made ready to run.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use noetl_domain::execution::Plan;

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

    /// The paths of all playbooks below a path.
    fn paths_below<'a>(&'a self, prefix: &'a str) -> Paths<'a>;
}
