//! How a worker is set up.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use noetl_bus::results::INLINE_LIMIT;

use crate::budgets::Budgets;
use crate::tools::python;

#[derive(Clone, Debug)]
pub struct Config {
    /// Name in Reports and in the list of workers.
    pub name: String,
    /// The pool whose Commands are taken.
    pub pool: String,
    /// Commands worked on side by side.
    pub concurrency: usize,
    /// Results above this many bytes of JSON text go outside the log.
    pub inline_limit: usize,
    /// A pipeline that has to wait longer than this is parked with the control plane.
    pub park_after: Duration,
    /// Time between two extensions of a Lease.
    pub heartbeat: Duration,
    /// What Commands in hand get to finish when the worker stops.
    pub grace: Duration,
    /// Task runs of one pipeline at most, so that a jump backwards cannot run for ever.
    pub task_runs: u64,
    /// Relative paths of scripts and database files start here.
    pub work_dir: PathBuf,
    /// Scratch space; each Execution gets a folder inside.
    pub scratch_dir: PathBuf,
    /// How many tries after an error a host or a credential may get; workers that share it share the budgets.
    pub retry_budget: Arc<Budgets>,
    pub python: python::Config,
}

impl Default for Config {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Self {
            name: format!("worker-{}", std::process::id()),
            pool: noetl_bus::local::DEFAULT_POOL.to_owned(),
            concurrency: (4 * cores).max(8),
            inline_limit: INLINE_LIMIT,
            park_after: Duration::from_secs(30),
            heartbeat: Duration::from_secs(10),
            grace: Duration::from_secs(5),
            task_runs: 1_000_000,
            work_dir: PathBuf::from("."),
            scratch_dir: std::env::temp_dir().join("noetl"),
            retry_budget: Arc::default(),
            python: python::Config::default(),
        }
    }
}
