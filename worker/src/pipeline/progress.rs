//! How far a Task has come that calls its tool several times: what a parked pipeline keeps of its pages and cases.

use std::sync::Arc;

use noetl_domain::command::StepResult;
use noetl_domain::error::TaskError;
use noetl_domain::playbook::Task;
use noetl_domain::result::Stored;
use noetl_domain::{Map, Value};
use serde::{Deserialize, Serialize};

use super::{Pipeline, Stop};

/// Its place in the parked state.
pub(super) const KEY: &str = "progress";

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Progress {
    pub(super) stage: Stage,
    /// Answers that were dealt with.
    pub(super) count: i64,
    /// What goes over the task's fields in the next call.
    pub(super) changes: Map,
    /// What was collected so far, by name.
    pub(super) collected: Map,
}

/// Who asks for the next call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Stage {
    #[default]
    First,
    Pages,
    Cases,
}

impl Progress {
    /// Where a parked Task was; the beginning for every other.
    pub(super) async fn resumed(pipeline: &mut Pipeline<'_>) -> Result<Self, TaskError> {
        let Some(mut kept) = pipeline.state.extra.remove(KEY) else { return Ok(Self::default()) };
        pipeline.job.fetch_marked(std::iter::once(&kept)).await?;
        pipeline.job.reveal(&mut kept);
        let mut progress: Self = serde_json::from_value(kept).map_err(|error| unreadable(&error))?;
        for value in progress.collected.values_mut() {
            let stored: Stored = serde_json::from_value(value.take()).map_err(|error| unreadable(&error))?;
            *value = match stored {
                Stored::Inline(value) => value,
                Stored::Ref(reference) => {
                    let loaded = pipeline.job.services.results.get(&reference).await;
                    let loaded = loaded.map_err(|error| unreadable(&error))?;
                    Value::clone(&loaded)
                }
            };
        }
        Ok(progress)
    }

    /// Writes itself into the state of a pipeline that is about to be parked; what is large goes outside the log.
    async fn keep(&self, pipeline: &mut Pipeline<'_>) -> Result<(), TaskError> {
        let mut kept = self.clone();
        for value in kept.collected.values_mut() {
            let result = StepResult { value: Stored::Inline(value.take()), ..StepResult::default() };
            let stored = pipeline.store(Arc::new(result)).await?;
            *value = serde_json::to_value(stored).map_err(|error| unreadable(&error))?;
        }
        let kept = serde_json::to_value(kept).map_err(|error| unreadable(&error))?;
        pipeline.state.extra.insert(KEY.into(), kept);
        // Told once, at the end.
        pipeline.collected.clear();
        Ok(())
    }
}

impl<'j> Pipeline<'j> {
    /// Calls again after a wait; when either is parked, what is there is kept.
    pub(super) async fn proceed(
        &mut self,
        task: &'j Task,
        waited: Result<(), Stop>,
        progress: &Progress,
    ) -> Result<Arc<StepResult>, Stop> {
        let end = match waited {
            Ok(()) => self.tries(task, &progress.changes).await,
            Err(stop) => Err(stop),
        };
        if let Err(Stop::Parked(_)) = &end
            && progress.stage != Stage::First
        {
            Box::pin(progress.keep(self)).await?;
        }
        end
    }
}

fn unreadable(error: &dyn std::fmt::Display) -> TaskError {
    TaskError::new("storage", format!("the pages collected before the wait cannot be kept: {error}"))
        .retryable()
}
