//! Scope: what a template may read, in layers, cheap to build and to extend.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use serde_json::Value as Json;

use super::ambient;
use super::compile::Facts;
use super::view::{Bare, Function, Kind, Source, View};
use crate::playbook::SetScope;
use crate::result::ResultRef;

/// What the domain cannot observe by itself: the time and a source of ids, handed in by the caller.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ambient {
    /// Unix milliseconds that `now()` and `today()` tell.
    pub now_ms: i64,
    /// `uuid()` is derived from this and a counter.
    pub seed: u64,
}

/// What a template may read. Inner layers hide outer ones.
#[derive(Clone, Debug)]
pub struct Scope {
    layer: Arc<Layer>,
    shared: Arc<Shared>,
    touched: Arc<Touched>,
}

#[derive(Clone, Debug, Default)]
struct Layer {
    names: Vec<(Box<str>, View)>,
    sources: Vec<Arc<dyn Source>>,
    /// Names with hyphens, which expressions would read as subtractions.
    hyphenated: Vec<Box<str>>,
    above: Option<Arc<Layer>>,
}

#[derive(Debug)]
struct Shared {
    ambient: Ambient,
    ids: AtomicU64,
    /// Loaded results by content.
    loaded: RwLock<HashMap<String, Arc<Json>>>,
}

/// What renders came across.
#[derive(Debug, Default)]
struct Touched {
    missing: Mutex<Vec<ResultRef>>,
    undefined: Mutex<Vec<String>>,
}

impl Scope {
    pub fn new(ambient: Ambient) -> Self {
        let shared = Shared { ambient, ids: AtomicU64::new(0), loaded: RwLock::default() };
        Self { layer: Arc::default(), shared: Arc::new(shared), touched: Arc::default() }
    }

    /// A scope that reads this one and hides nothing of it until something is bound.
    #[must_use]
    pub fn child(&self) -> Self {
        let layer = Layer {
            hyphenated: self.layer.hyphenated.clone(),
            above: Some(self.layer.clone()),
            ..Layer::default()
        };
        Self { layer: Arc::new(layer), shared: self.shared.clone(), touched: Arc::default() }
    }

    pub fn bind(&mut self, name: impl AsRef<str>, view: View) {
        let name = name.as_ref();
        let layer = Arc::make_mut(&mut self.layer);
        if name.contains('-') && !layer.hyphenated.iter().any(|known| **known == *name) {
            layer.hyphenated.push(name.into());
        }
        match layer.names.iter_mut().find(|(known, _)| **known == *name) {
            Some((_, bound)) => *bound = view,
            None => layer.names.push((name.into(), view)),
        }
    }

    pub fn bind_json(&mut self, name: impl AsRef<str>, value: &Json) {
        self.bind(name, View::json(Arc::new(value.clone())));
    }

    /// Names answered on demand, below the names bound in this layer; the latest source is asked first.
    pub fn source(&mut self, source: Arc<dyn Source>) {
        let layer = Arc::make_mut(&mut self.layer);
        let names = source.names();
        layer.hyphenated.extend(names.into_iter().filter(|name| name.contains('-')).map(Box::from));
        layer.sources.push(source);
    }

    /// A function that templates can call, such as `token('name')`.
    pub fn function(&mut self, name: impl AsRef<str>, function: Function) {
        self.bind(name, View::call(function));
    }

    /// Writes a variable the way `set` does: `ctx.k` is also visible as `vars.k` and `k`.
    pub fn set(&mut self, scope: SetScope, key: &str, value: &Json) {
        let view = View::json(Arc::new(value.clone()));
        match scope {
            SetScope::Ctx => {
                self.overlay("ctx", key, view.clone());
                self.overlay("vars", key, view.clone());
                self.bind(key, view);
            }
            SetScope::Iter => self.overlay("iter", key, view),
            SetScope::Step => self.overlay("step", key, view),
        }
    }

    /// Writes one field over what the name means so far.
    pub fn overlay(&mut self, name: &str, key: &str, view: View) {
        let bound = self.layer.names.iter().find(|(known, _)| **known == *name).map(|(_, view)| view);
        let (mut fields, base) = match bound.map(|view| &view.0) {
            Some(Kind::Envelope(envelope)) if envelope.bare == Bare::Merged => {
                (envelope.fields.clone(), envelope.through.clone())
            }
            _ => (Vec::new(), self.lookup(name)),
        };
        match fields.iter_mut().find(|(field, _)| field == key) {
            Some((_, old)) => *old = view,
            None => fields.push((key.to_owned(), view)),
        }
        self.bind(name, View::overlaid(fields, base));
    }

    /// References that renders touched beyond what they carry inline, and that are not loaded.
    /// Load them, [`Scope::provide`] them and render again.
    pub fn missing(&self) -> Vec<ResultRef> {
        self.touched.missing.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Hands in the value behind a reference; every layer of this scope sees it.
    pub fn provide(&self, reference: &ResultRef, value: Arc<Json>) {
        let mut loaded = self.shared.loaded.write().unwrap_or_else(PoisonError::into_inner);
        loaded.insert(reference.sha256.clone(), value);
        let mut missing = self.touched.missing.lock().unwrap_or_else(PoisonError::into_inner);
        missing.retain(|known| known.sha256 != reference.sha256);
    }

    /// Names that a render read and nothing provides, for warnings; empties the list.
    /// Names that the template guards itself (`default`, `is defined`) are left out.
    pub fn undefined(&self) -> Vec<String> {
        std::mem::take(&mut *self.touched.undefined.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The view of that name, as templates would find it.
    pub fn lookup(&self, name: &str) -> Option<View> {
        let mut layer = Some(&self.layer);
        while let Some(current) = layer {
            if let Some((_, view)) = current.names.iter().find(|(known, _)| **known == *name) {
                return Some(view.clone());
            }
            if let Some(view) = current.sources.iter().rev().find_map(|source| source.get(name)) {
                return Some(view);
            }
            layer = current.above.as_ref();
        }
        ambient::function(name).map(|function| {
            let shared = self.shared.clone();
            View::call(Arc::new(move |_| {
                let turn = shared.ids.fetch_add(1, Ordering::Relaxed);
                Ok(function(shared.ambient, turn))
            }))
        })
    }

    /// Looks a name up; when there is none, tries the spelling with hyphens and notes the name as undefined.
    pub(super) fn find(&self, name: &str, facts: &Facts) -> Option<View> {
        if let Some(view) = self.lookup(name) {
            return Some(view);
        }
        if name.contains('_')
            && let Some(view) = self
                .layer
                .hyphenated
                .iter()
                .find(|known| known.replace('-', "_") == name)
                .and_then(|known| self.lookup(known))
        {
            return Some(view);
        }
        if !facts.guarded(name) && !super::engine::is_global(name) {
            let mut undefined = self.touched.undefined.lock().unwrap_or_else(PoisonError::into_inner);
            if !undefined.iter().any(|known| known == name) {
                undefined.push(name.to_owned());
            }
        }
        None
    }

    pub(super) fn hyphenated(&self) -> &[Box<str>] {
        &self.layer.hyphenated
    }

    pub(super) fn session(&self, facts: Arc<Facts>) -> Arc<Session> {
        Arc::new(Session { scope: self.clone(), facts })
    }
}

/// One render: the scope it reads and what is known about its template.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) scope: Scope,
    pub(super) facts: Arc<Facts>,
}

impl Session {
    pub(super) fn has(&self, reference: &ResultRef) -> bool {
        let loaded = self.scope.shared.loaded.read().unwrap_or_else(PoisonError::into_inner);
        loaded.contains_key(&reference.sha256)
    }

    /// The value behind a reference, or none after noting that it is missing.
    pub(super) fn load(&self, reference: &ResultRef) -> Option<Arc<Json>> {
        let loaded = self.scope.shared.loaded.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(value) = loaded.get(&reference.sha256) {
            return Some(value.clone());
        }
        let mut missing = self.scope.touched.missing.lock().unwrap_or_else(PoisonError::into_inner);
        if !missing.iter().any(|known| known.sha256 == reference.sha256) {
            missing.push(reference.clone());
        }
        None
    }

    /// Which of several words with one meaning the template means.
    pub(super) fn word<'a>(&self, words: &'a [String]) -> &'a str {
        let compared = words.iter().find(|word| self.facts.compares_with(word));
        compared.or(words.first()).map_or("", String::as_str)
    }
}
