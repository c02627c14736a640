//! What answers questions. Engines are opened behind it, come late, go and come back; questions are asked any time.

use std::sync::{Arc, PoisonError, RwLock};

use crate::analytics::Analytics;
use crate::fingerprints::Fingerprints;
use crate::status::{Part, Status};

/// Why a question cannot be answered now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    #[error("the {0} are still being opened")]
    Starting(&'static str),
    #[error("the {what} are off: {reason}")]
    Off { what: &'static str, reason: String },
}

/// Clones share everything.
#[derive(Clone, Debug)]
pub struct Semantic {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    status: Status,
    fingerprints: Fingerprints,
    analytics: RwLock<Option<Result<Analytics, String>>>,
}

impl Semantic {
    pub fn new(fingerprints: Fingerprints) -> Self {
        let inner = Inner { status: Status::default(), fingerprints, analytics: RwLock::new(None) };
        Self { inner: Arc::new(inner) }
    }

    pub fn status(&self) -> &Status {
        &self.inner.status
    }

    pub fn fingerprints(&self) -> &Fingerprints {
        &self.inner.fingerprints
    }

    /// The analytic store, once it is there and its tables are.
    pub fn analytics(&self) -> Result<Analytics, Unavailable> {
        let what = "analytics";
        let opened = self.opened()?;
        if self.inner.status.get().analytics.part == Part::Starting {
            return Err(Unavailable::Starting(what));
        }
        Ok(opened)
    }

    /// The analytic store, once its engine is there.
    pub(crate) fn opened(&self) -> Result<Analytics, Unavailable> {
        let what = "analytics";
        match &*self.inner.analytics.read().unwrap_or_else(PoisonError::into_inner) {
            Some(Ok(analytics)) => Ok(analytics.clone()),
            Some(Err(reason)) => Err(Unavailable::Off { what, reason: reason.clone() }),
            None => Err(Unavailable::Starting(what)),
        }
    }

    /// Tells that the analytic store is there, or why it will not be.
    pub fn set_analytics(&self, analytics: Result<Analytics, String>) {
        if let Err(reason) = &analytics {
            let part = Part::Off { reason: reason.clone() };
            self.inner.status.change(|status| status.analytics.part = part);
        }
        *self.inner.analytics.write().unwrap_or_else(PoisonError::into_inner) = Some(analytics);
    }
}
