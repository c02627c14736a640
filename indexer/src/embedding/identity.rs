//! Which space a vector lies in.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Vectors may be compared only when their identities are equal.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Identity {
    pub model: String,
    /// How the model's numbers are held, such as `int8`; `remote` where a server does not say.
    pub quantisation: String,
    pub dimension: usize,
}

impl Identity {
    pub fn new(model: impl Into<String>, quantisation: impl Into<String>, dimension: usize) -> Self {
        Self { model: model.into(), quantisation: quantisation.into(), dimension }
    }

    /// A stable word for names of collections, such as `all-minilm-l6-v2-int8-384`.
    pub fn key(&self) -> String {
        let text = format!("{}-{}-{}", self.model, self.quantisation, self.dimension);
        let safe = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
        let mut key: String = text.chars().map(safe).collect();
        while key.contains("--") {
            key = key.replace("--", "-");
        }
        key.trim_matches('-').to_owned()
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.key())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_safe_in_names_of_collections() {
        let key = |model| Identity::new(model, "int8", 384).key();
        assert_eq!(key("all-MiniLM-L6-v2"), "all-minilm-l6-v2-int8-384");
        assert_eq!(key("org/Some Model:v1"), "org-some-model-v1-int8-384");
    }
}
