//! Where tools tell what they used. Only what is measured anyway, or nearly so, is told: asking must cost nothing.

use std::sync::{Arc, Mutex, PoisonError};

use noetl_domain::usage::Usage;

/// Clones share the sum.
#[derive(Clone, Debug, Default)]
pub struct Meter(Arc<Mutex<Usage>>);

impl Meter {
    pub fn add(&self, used: Usage) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).add(used);
    }

    pub fn total(&self) -> Usage {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
