//! Vectors of texts that were asked for lately.

use std::collections::HashMap;
use std::mem;

/// Two generations: when the young one is full it becomes the old one, and what was old and unused is forgotten.
#[derive(Debug)]
pub(super) struct Cache {
    young: HashMap<String, Vec<f32>>,
    old: HashMap<String, Vec<f32>>,
    /// Texts of one generation.
    capacity: usize,
}

impl Cache {
    /// Holds at most `texts` vectors; none when it is 0.
    pub(super) fn new(texts: usize) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), capacity: texts.div_ceil(2) }
    }

    pub(super) fn get(&mut self, text: &str) -> Option<Vec<f32>> {
        if let Some(vector) = self.young.get(text) {
            return Some(vector.clone());
        }
        let (text, vector) = self.old.remove_entry(text)?;
        self.insert(text, vector.clone());
        Some(vector)
    }

    pub(super) fn insert(&mut self, text: String, vector: Vec<f32>) {
        if self.capacity == 0 {
            return;
        }
        if self.young.len() >= self.capacity {
            self.old = mem::take(&mut self.young);
        }
        self.young.insert(text, vector);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_stays_and_the_rest_is_forgotten() {
        let mut cache = Cache::new(4);
        cache.insert("kept".into(), vec![1.0]);
        for n in 0..100 {
            cache.insert(format!("once {n}"), vec![0.0]);
            assert_eq!(cache.get("kept"), Some(vec![1.0]));
            assert!(cache.young.len() + cache.old.len() <= 4);
        }
        assert_eq!(cache.get("once 3"), None);
    }

    #[test]
    fn a_cache_of_nothing_holds_nothing() {
        let mut cache = Cache::new(0);
        cache.insert("text".into(), vec![1.0]);
        assert_eq!(cache.get("text"), None);
    }
}
