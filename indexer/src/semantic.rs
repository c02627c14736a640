//! What answers questions. Engines are opened behind it, come late, go and come back; questions are asked any time.

use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use crate::analytics::Analytics;
use crate::calls::Recorder;
use crate::fingerprints::Fingerprints;
use crate::policy::{Policy, Text};
use crate::rows::CallRow;
use crate::status::{Part, Progress, Snapshot, Status};
use crate::vectors::follow::Usual;
use crate::vectors::{Knowledge, Vectors};

/// Why a question cannot be answered now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    #[error("the {0} are still being opened")]
    Starting(&'static str),
    #[error("the {what} cannot be opened at the moment, which is tried again: {reason}")]
    Failing { what: &'static str, reason: String },
    #[error("the {what} are off: {reason}")]
    Off { what: &'static str, reason: String },
}

/// Clones share everything.
#[derive(Clone, Debug)]
pub struct Semantic {
    inner: Arc<Inner>,
    /// None: this process keeps no documents.
    knowledge: Option<Knowledge>,
}

#[derive(Debug)]
struct Inner {
    status: Status,
    fingerprints: Fingerprints,
    analytics: Engine<Analytics>,
    vectors: Engine<Vectors>,
    policy: OnceLock<Policy>,
    usual: Usual,
    calls: Recorder,
}

type Engine<E> = RwLock<Opening<E>>;

/// What became of opening an engine.
#[derive(Debug, Default)]
enum Opening<E> {
    #[default]
    Begun,
    Done(E),
    /// It failed, and goes on.
    Failing(String),
    /// It is not tried again.
    Off(String),
}

const ANALYTICS: &str = "analytics";
const VECTORS: &str = "vectors";

impl Semantic {
    pub fn new(fingerprints: Fingerprints) -> Self {
        let inner = Inner {
            status: Status::default(),
            fingerprints,
            analytics: RwLock::default(),
            vectors: RwLock::default(),
            policy: OnceLock::new(),
            usual: Usual::default(),
            calls: Recorder::default(),
        };
        Self { inner: Arc::new(inner), knowledge: None }
    }

    /// With the documents of a data directory.
    #[must_use]
    pub fn with_knowledge(mut self, knowledge: Knowledge) -> Self {
        self.knowledge = Some(knowledge);
        self
    }

    /// The documents that people brought; they can be listed before any engine is there.
    pub fn knowledge(&self) -> Result<Knowledge, Unavailable> {
        let reason = "this process keeps no documents".to_owned();
        self.knowledge.clone().ok_or(Unavailable::Off { what: VECTORS, reason })
    }

    pub fn status(&self) -> &Status {
        &self.inner.status
    }

    /// Keeps a call of a language model; drops it when too many wait for the store.
    pub fn record_call(&self, call: CallRow) {
        self.inner.calls.record(call);
    }

    /// US dollars that the calls of language models from one moment up to another cost; none: the store is away.
    pub async fn spent_on_calls(&self, from_ms: i64, until_ms: i64) -> Option<f64> {
        let analytics = self.analytics().ok()?;
        match analytics.spent_on_calls(from_ms, until_ms).await {
            Ok(dollars) => Some(dollars),
            Err(error) => {
                tracing::warn!(error = %crate::follow::chain(&error), "what models have cost today is not known");
                None
            }
        }
    }

    pub(crate) fn calls(&self) -> &Recorder {
        &self.inner.calls
    }

    pub fn fingerprints(&self) -> &Fingerprints {
        &self.inner.fingerprints
    }

    /// How much of messages may go to an embedder; the least until it is known.
    pub(crate) fn policy(&self) -> Policy {
        let least = Policy { errors: Text::Template, logs: Text::Template, ..Policy::default() };
        self.inner.policy.get().copied().unwrap_or(least)
    }

    /// Tells the policy, once.
    pub(crate) fn set_policy(&self, policy: Policy) {
        self.inner.policy.get_or_init(|| policy);
    }

    /// What is usual for the steps of playbooks, as the follower of the vector store has learned it.
    pub(crate) fn usual(&self) -> &Usual {
        &self.inner.usual
    }

    /// The analytic store, once it is there and its tables are.
    pub fn analytics(&self) -> Result<Analytics, Unavailable> {
        let opened = self.opened()?;
        is_ready(&self.inner.status.get().analytics, ANALYTICS)?;
        Ok(opened)
    }

    /// The vector store, once it is there and its collections are.
    pub fn vectors(&self) -> Result<Vectors, Unavailable> {
        let opened = self.opened_vectors()?;
        is_ready(&self.inner.status.get().vectors, VECTORS)?;
        Ok(opened)
    }

    /// The analytic store, once its engine is there.
    pub(crate) fn opened(&self) -> Result<Analytics, Unavailable> {
        opened(&self.inner.analytics, ANALYTICS)
    }

    /// The vector store, once its engine is there.
    pub(crate) fn opened_vectors(&self) -> Result<Vectors, Unavailable> {
        opened(&self.inner.vectors, VECTORS)
    }

    /// Tells that the analytic store is there, or why it will not be.
    pub fn set_analytics(&self, analytics: Result<Analytics, String>) {
        self.set(&self.inner.analytics, ended(analytics), |status| &mut status.analytics);
    }

    /// Tells that the vector store is there, or why it will not be.
    pub fn set_vectors(&self, vectors: Result<Vectors, String>) {
        self.set(&self.inner.vectors, ended(vectors), |status| &mut status.vectors);
    }

    /// Tells why the analytic store cannot be opened yet; whoever says so tries again.
    pub fn analytics_fail(&self, reason: String) {
        self.set(&self.inner.analytics, Opening::Failing(reason), |status| &mut status.analytics);
    }

    /// Tells why the vector store cannot be opened yet; whoever says so tries again.
    pub fn vectors_fail(&self, reason: String) {
        self.set(&self.inner.vectors, Opening::Failing(reason), |status| &mut status.vectors);
    }

    fn set<E>(
        &self,
        engine: &Engine<E>,
        opening: Opening<E>,
        progress: impl FnOnce(&mut Snapshot) -> &mut Progress,
    ) {
        let part = match &opening {
            Opening::Begun | Opening::Done(_) => Part::Starting,
            Opening::Failing(reason) => Part::Failing { reason: reason.clone() },
            Opening::Off(reason) => Part::Off { reason: reason.clone() },
        };
        *engine.write().unwrap_or_else(PoisonError::into_inner) = opening;
        self.inner.status.change(|status| progress(status).part = part);
    }
}

fn ended<E>(opened: Result<E, String>) -> Opening<E> {
    opened.map_or_else(Opening::Off, Opening::Done)
}

fn opened<E: Clone>(engine: &Engine<E>, what: &'static str) -> Result<E, Unavailable> {
    match &*engine.read().unwrap_or_else(PoisonError::into_inner) {
        Opening::Done(engine) => Ok(engine.clone()),
        Opening::Failing(reason) => Err(Unavailable::Failing { what, reason: reason.clone() }),
        Opening::Off(reason) => Err(Unavailable::Off { what, reason: reason.clone() }),
        Opening::Begun => Err(Unavailable::Starting(what)),
    }
}

fn is_ready(progress: &Progress, what: &'static str) -> Result<(), Unavailable> {
    if progress.part == Part::Starting { Err(Unavailable::Starting(what)) } else { Ok(()) }
}
