//! Tokens and secrets that cost a request, kept in memory until shortly before they end.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use noetl_domain::Value;
use noetl_domain::error::TaskError;

use crate::job::now_ms;

/// A value is fetched anew this long before its end, or a tenth of its life when that is shorter.
const MARGIN_MS: i64 = 30_000;
/// What ended this long ago is forgotten.
const FORGET_MS: i64 = 3_600_000;

/// A fetched value and how long it is good for.
pub(crate) struct Fetched {
    pub(crate) value: Value,
    pub(crate) seconds: f64,
}

struct Entry {
    value: Value,
    renew_ms: i64,
    ends_ms: i64,
}

/// Values by key. One request per key at a time, so that nothing is fetched twice and nothing waits for a stranger.
#[derive(Default)]
pub(crate) struct Kept {
    entries: Mutex<HashMap<String, Entry>>,
    fetching: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Kept")
    }
}

impl Kept {
    /// The value that is kept, or the one that `fetch` brings.
    pub(crate) async fn get(
        &self,
        key: &str,
        fetch: impl Future<Output = Result<Fetched, TaskError>>,
    ) -> Result<Value, TaskError> {
        if let Some(value) = self.fresh(key) {
            return Ok(value);
        }
        let turn = Arc::clone(
            self.fetching.lock().unwrap_or_else(PoisonError::into_inner).entry(key.to_owned()).or_default(),
        );
        let held = turn.lock().await;
        let fetched = match self.fresh(key) {
            Some(value) => Ok(value),
            None => fetch.await.map(|Fetched { value, seconds }| {
                self.put(key, value.clone(), seconds);
                value
            }),
        };
        drop(held);
        drop(turn);
        let mut fetching = self.fetching.lock().unwrap_or_else(PoisonError::into_inner);
        // The last one out takes the turn away.
        if fetching.get(key).is_some_and(|turn| Arc::strong_count(turn) == 1) {
            fetching.remove(key);
        }
        fetched
    }

    pub(crate) fn put(&self, key: &str, value: Value, seconds: f64) {
        let now = now_ms();
        let life = (seconds.clamp(0.0, 1e9) * 1000.0) as i64;
        let entry = Entry { value, renew_ms: now + life - MARGIN_MS.min(life / 10), ends_ms: now + life };
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|_, entry| entry.ends_ms + FORGET_MS > now);
        entries.insert(key.to_owned(), entry);
    }

    pub(crate) fn fresh(&self, key: &str) -> Option<Value> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.get(key).filter(|entry| entry.renew_ms > now_ms()).map(|entry| entry.value.clone())
    }

    /// What is known, however old: for work that began while it was good.
    pub(crate) fn known(&self, key: &str) -> Option<Value> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.get(key).map(|entry| entry.value.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn a_value_is_fetched_once_while_it_lives_and_again_when_it_ended() {
        let (kept, fetches) = (Kept::default(), AtomicUsize::new(0));
        let fetch = async |seconds: f64| {
            let turn = fetches.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
            Ok(Fetched { value: Value::from(turn), seconds })
        };
        let both = tokio::join!(kept.get("long", fetch(60.0)), kept.get("long", fetch(60.0)));
        assert_eq!((both.0.unwrap(), both.1.unwrap()), (Value::from(0), Value::from(0)));
        assert_eq!(kept.get("long", fetch(60.0)).await.unwrap(), 0);
        assert_eq!(kept.get("short", fetch(0.0)).await.unwrap(), 1);
        assert_eq!(kept.get("short", fetch(0.0)).await.unwrap(), 2);
        assert_eq!(kept.known("short"), Some(Value::from(2)));
        assert!(kept.fetching.lock().unwrap().is_empty());
    }
}
