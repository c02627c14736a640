//! The assistant of a process: gathers, judges, and lets a model write where there is one.

use std::sync::Arc;
use std::time::Instant;

use noetl_api::diagnosis::{Diagnosis, Verdict};
use noetl_domain::id::ExecutionId;

use crate::answer::judged;
use crate::evidence::Evidence;
use crate::gather::{GatherError, Options, SourceError, Sources, gather};
use crate::llm::{Model, ModelError};
use crate::write::{Memory, write};

/// Clones share everything.
#[derive(Debug)]
pub struct Assistant<S> {
    sources: Arc<S>,
    model: Option<Arc<dyn Model>>,
    /// Why the model that was configured is not there.
    problem: Option<Arc<str>>,
    memory: Arc<Memory>,
}

impl<S> Clone for Assistant<S> {
    fn clone(&self) -> Self {
        Self {
            sources: Arc::clone(&self.sources),
            model: self.model.clone(),
            problem: self.problem.clone(),
            memory: Arc::clone(&self.memory),
        }
    }
}

impl<S: Sources> Assistant<S> {
    /// One that explains by rules alone.
    pub fn new(sources: Arc<S>) -> Self {
        Self { sources, model: None, problem: None, memory: Arc::default() }
    }

    /// With a model that writes, or with the reason why it cannot.
    #[must_use]
    pub fn with_model(mut self, opened: Result<Option<Arc<dyn Model>>, ModelError>) -> Self {
        match opened {
            Ok(model) => self.model = model,
            Err(error) => {
                tracing::warn!(%error, "no model writes");
                self.problem = Some(error.to_string().into());
            }
        }
        self
    }

    /// The model, for whoever has other questions to it.
    pub fn model(&self) -> Option<Arc<dyn Model>> {
        self.model.clone()
    }

    pub fn sources(&self) -> &S {
        &self.sources
    }

    /// Why an Execution failed, or that it did not. A model makes it later, never worse, and never fail.
    pub async fn diagnose(&self, id: ExecutionId, options: Options) -> Result<Diagnosis, GatherError> {
        Ok(self.diagnose_with(id, options).await?.0)
    }

    /// The same with the evidence.
    pub(crate) async fn diagnose_with(
        &self,
        id: ExecutionId,
        options: Options,
    ) -> Result<(Diagnosis, Arc<Evidence>), GatherError> {
        let began = Instant::now();
        let evidence = Arc::new(gather(&*self.sources, id, options).await?);
        let judging = Arc::clone(&evidence);
        // Judging is a computation: a worker thread of the runtime should not be kept from others by it.
        let judgement = tokio::task::spawn_blocking(move || judged(&judging)).await;
        let mut judgement = judgement
            .map_err(|source| SourceError { attempted: "judge the evidence", source: Box::new(source) })?;
        if !options.without_model && judgement.diagnosis.verdict == Verdict::Failed {
            match (&self.model, &self.problem) {
                (Some(model), _) => write(&**model, &self.memory, &evidence, &mut judgement).await,
                (None, Some(problem)) => judgement.diagnosis.model_note = Some(problem.to_string()),
                (None, None) => {}
            }
        }
        let mut diagnosis = judgement.diagnosis;
        diagnosis.took_ms = began.elapsed().as_secs_f64() * 1_000.0;
        Ok((diagnosis, evidence))
    }
}
