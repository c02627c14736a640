//! A task context for unit tests of single Tools.

use std::sync::Arc;

use indexmap::IndexMap;
use noetl_domain::Map;
use noetl_domain::id::ExecutionId;
use noetl_domain::playbook::Dialect;
use tokio_util::sync::CancellationToken;

use crate::meter::Meter;
use crate::tool::{Log, TaskContext};

/// A task of a step named `step`, attempt 1, in the current directory.
pub(crate) fn context() -> TaskContext {
    TaskContext {
        execution: ExecutionId(1),
        step: "step".into(),
        task: "step".into(),
        run: 1,
        index: None,
        attempt: 1,
        dialect: Dialect::E,
        inputs: Map::new(),
        context: Arc::default(),
        credential: None,
        aliases: IndexMap::new(),
        cancel: CancellationToken::new(),
        deadline: None,
        work_dir: std::env::current_dir().unwrap(),
        scratch_dir: std::env::temp_dir(),
        log: Log::discard(),
        meter: Meter::default(),
    }
}
