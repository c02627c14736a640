//! Values read lately, bounded by the memory they take.

use std::collections::HashMap;
use std::sync::Arc;

use noetl_domain::Value;

/// Large results are few, so the eldest is found by looking at all of them.
#[derive(Debug)]
pub(super) struct Cache {
    capacity: usize,
    used: usize,
    clock: u64,
    entries: HashMap<String, Entry>,
}

#[derive(Debug)]
struct Entry {
    value: Arc<Value>,
    bytes: usize,
    touched: u64,
}

impl Cache {
    pub(super) fn new(capacity: usize) -> Self {
        Self { capacity, used: 0, clock: 0, entries: HashMap::new() }
    }

    pub(super) fn get(&mut self, key: &str) -> Option<Arc<Value>> {
        self.clock += 1;
        let entry = self.entries.get_mut(key)?;
        entry.touched = self.clock;
        Some(Arc::clone(&entry.value))
    }

    /// Keeps a value, unless it alone would fill the cache; the least recently read ones make room.
    pub(super) fn insert(&mut self, key: String, value: Arc<Value>) {
        let bytes = weight(&value);
        self.remove(&key);
        if bytes > self.capacity {
            return;
        }
        while self.used + bytes > self.capacity {
            let Some(eldest) = self.entries.iter().min_by_key(|(_, entry)| entry.touched) else { break };
            let eldest = eldest.0.clone();
            self.remove(&eldest);
        }
        self.clock += 1;
        self.used += bytes;
        self.entries.insert(key, Entry { value, bytes, touched: self.clock });
    }

    pub(super) fn remove(&mut self, key: &str) {
        if let Some(entry) = self.entries.remove(key) {
            self.used -= entry.bytes;
        }
    }
}

/// About how much memory a value takes: its own slot, its text, and the table of an object.
fn weight(value: &Value) -> usize {
    const ENTRY_OVERHEAD: usize = 48;
    size_of::<Value>()
        + match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => 0,
            Value::String(text) => text.capacity(),
            Value::Array(items) => items.iter().map(weight).sum(),
            Value::Object(map) => {
                map.iter().map(|(key, value)| ENTRY_OVERHEAD + key.capacity() + weight(value)).sum()
            }
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_value_read_longest_ago_makes_room() {
        let value = |text: &str| Arc::new(Value::String(text.repeat(1000)));
        let one = weight(&value("a"));
        let mut cache = Cache::new(one * 2);
        cache.insert("a".into(), value("a"));
        cache.insert("b".into(), value("b"));
        assert!(cache.get("a").is_some());
        cache.insert("c".into(), value("c"));
        assert!(cache.get("a").is_some() && cache.get("b").is_none() && cache.get("c").is_some());
        cache.insert("huge".into(), value(&"x".repeat(100)));
        assert!(cache.get("huge").is_none() && cache.used <= cache.capacity && cache.entries.len() == 2);
    }
}
