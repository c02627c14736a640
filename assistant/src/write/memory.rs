//! Answers of a model that need not be paid for twice. Bounded, and gone with the process.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use super::Written;

const MOST: usize = 256;

/// By the hash of question, model and prompt.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    answers: HashMap<String, Written>,
    /// Oldest first.
    order: VecDeque<String>,
}

impl Memory {
    pub(super) fn get(&self, key: &str) -> Option<Written> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).answers.get(key).cloned()
    }

    pub(super) fn put(&self, key: String, answer: Written) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.answers.insert(key.clone(), answer).is_none() {
            inner.order.push_back(key);
        }
        if inner.order.len() > MOST
            && let Some(oldest) = inner.order.pop_front()
        {
            inner.answers.remove(&oldest);
        }
    }
}
