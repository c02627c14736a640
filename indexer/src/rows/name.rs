//! The names that repeat in every row: event types, states, steps, tools, causes.
//!
//! A row has a dozen of them. Counted references would be cheap were it not for two threads: while one folds rows and
//! counts up, another writes rows of the stretch before and counts down, and each takes the other's cache lines for every
//! name of every row. So short names are copied, and only long ones are shared.

use std::borrow::Borrow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

/// Bytes that are copied; with them a name is as long as two counted references.
const SHORT: usize = 30;

/// Text that is cheap to clone.
#[derive(Clone)]
pub struct Name(Form);

#[derive(Clone)]
enum Form {
    Short { length: u8, bytes: [u8; SHORT] },
    Long(Arc<str>),
}

impl Name {
    /// A short name, without a look at what is shared; none for a long one.
    pub(crate) fn short(text: &str) -> Option<Self> {
        let mut bytes = [0; SHORT];
        bytes.get_mut(..text.len())?.copy_from_slice(text.as_bytes());
        Some(Self(Form::Short { length: text.len() as u8, bytes }))
    }

    pub(crate) fn is_short(&self) -> bool {
        matches!(self.0, Form::Short { .. })
    }

    /// A short name as numbers, its length in the first byte: told apart without a look at lengths. Zero for a long one.
    pub(crate) fn words(&self) -> [u64; 4] {
        let mut all = [0; 32];
        if let Form::Short { length, bytes } = &self.0 {
            all[0] = *length;
            all[1..=SHORT].copy_from_slice(bytes);
        }
        let (words, _) = all.as_chunks::<8>();
        std::array::from_fn(|word| u64::from_le_bytes(words[word]))
    }

    /// Adds the length and the text that [`words`](Self::words) hold.
    pub(crate) fn put_words(words: [u64; 4], bytes: &mut Vec<u8>) {
        let all = words.map(u64::to_le_bytes);
        let all = all.as_flattened();
        bytes.extend_from_slice(&all[..=usize::from(all[0])]);
    }

    pub fn as_str(&self) -> &str {
        match &self.0 {
            // Made from a text, so it is one.
            Form::Short { length, bytes } => {
                std::str::from_utf8(&bytes[..usize::from(*length)]).unwrap_or_default()
            }
            Form::Long(text) => text,
        }
    }
}

impl From<&str> for Name {
    fn from(text: &str) -> Self {
        Self::short(text).unwrap_or_else(|| Self(Form::Long(text.into())))
    }
}

impl Default for Name {
    fn default() -> Self {
        Self(Form::Short { length: 0, bytes: [0; SHORT] })
    }
}

impl Deref for Name {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        self
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Name {}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn short_and_long_names_are_texts_alike() {
        assert_eq!(size_of::<Name>(), 32);
        let long = "team/a-path-that-is-longer-than-what-is-copied";
        for text in ["", "call.done", "exactly thirty bytes of a name", "Schlüssel", long] {
            let name = Name::from(text);
            assert_eq!((&*name, name.to_string()), (text, text.to_owned()));
            assert_eq!(name.clone(), name);
            if name.is_short() {
                let mut bytes = Vec::new();
                Name::put_words(name.words(), &mut bytes);
                assert_eq!((usize::from(bytes[0]), &bytes[1..]), (text.len(), text.as_bytes()));
            }
            assert_eq!(HashMap::from([(name, 1)]).get(text), Some(&1));
        }
        assert!(Name::short("exactly thirty bytes of a name").is_some() && Name::short(long).is_none());
        assert_ne!(Name::from("a"), Name::from("b"));
        assert_eq!(Name::default(), Name::from(""));
    }
}
