//! Views: what templates see of values and results, navigated lazily and never copied as a whole.

use std::sync::Arc;

use serde_json::Value as Json;

use super::scope::Session;
use super::shape::{self, Shape};
use crate::Map;
use crate::command::{ScopeData, StepResult};
use crate::error::TaskError;
use crate::result::{ResultRef, Stored};

/// A value as templates see it; cheap to clone.
#[derive(Clone, Debug)]
pub struct View(pub(super) Kind);

#[derive(Clone, Debug)]
pub(super) enum Kind {
    Document(Document),
    Envelope(Arc<Envelope>),
    /// One of several words that mean the same; a template reads the one that it compares with.
    Words(Arc<Vec<String>>),
    Namespace(Arc<dyn Source>),
    Call(Call),
}

/// Answers names on demand: a layer of a scope, or a namespace such as `steps`.
pub trait Source: Send + Sync + std::fmt::Debug {
    fn get(&self, name: &str) -> Option<View>;

    /// Every name that it answers, for iteration; may be empty where that makes no sense.
    fn names(&self) -> Vec<String> {
        Vec::new()
    }
}

/// A function that templates can call.
#[derive(Clone)]
pub(super) struct Call(pub(super) Function);

/// See [`super::Scope::function`].
pub type Function = Arc<dyn Fn(&[Json]) -> Result<Json, String> + Send + Sync>;

impl std::fmt::Debug for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Call")
    }
}

/// A place inside a shared document.
#[derive(Clone, Debug)]
pub(super) struct Document {
    pub(super) source: Held,
    pub(super) path: Option<Arc<Path>>,
    pub(super) shape: Shape,
}

/// What keeps a document alive.
#[derive(Clone, Debug)]
pub(super) enum Held {
    Value(Arc<Json>),
    Map(Arc<Map>),
    Context(Arc<ScopeData>),
    Result(Arc<StepResult>),
    /// A result whose value was loaded from where it lies.
    Loaded(Arc<StepResult>, Arc<Json>),
}

#[derive(Debug)]
pub(super) struct Path {
    up: Option<Arc<Path>>,
    segment: Segment,
}

#[derive(Debug)]
pub(super) enum Segment {
    Key(Box<str>),
    Index(usize),
}

/// Borrowed JSON: a whole value, or an object that is not wrapped in one.
#[derive(Clone, Copy)]
pub(super) enum At<'a> {
    Value(&'a Json),
    Object(&'a Map),
}

impl<'a> At<'a> {
    pub(super) fn object(self) -> Option<&'a Map> {
        match self {
            Self::Value(value) => value.as_object(),
            Self::Object(map) => Some(map),
        }
    }

    pub(super) fn list(self) -> Option<&'a Vec<Json>> {
        match self {
            Self::Value(value) => value.as_array(),
            Self::Object(_) => None,
        }
    }

    pub(super) fn get(self, key: &str) -> Option<&'a Json> {
        self.object()?.get(key)
    }

    pub(super) fn to_json(self) -> Json {
        match self {
            Self::Value(value) => value.clone(),
            Self::Object(map) => Json::Object(map.clone()),
        }
    }
}

impl Held {
    fn root(&self) -> Option<At<'_>> {
        Some(match self {
            Self::Value(value) | Self::Loaded(_, value) => At::Value(value),
            Self::Map(map) => At::Object(map),
            Self::Context(data) => At::Object(&data.ctx),
            Self::Result(result) => match &result.value {
                Stored::Inline(value) => At::Value(value),
                Stored::Ref(_) => return None,
            },
        })
    }

    pub(super) fn result(&self) -> Option<&Arc<StepResult>> {
        match self {
            Self::Result(result) | Self::Loaded(result, _) => Some(result),
            Self::Value(_) | Self::Map(_) | Self::Context(_) => None,
        }
    }
}

fn walk<'a>(root: At<'a>, path: Option<&Path>) -> Option<At<'a>> {
    let Some(path) = path else { return Some(root) };
    let above = walk(root, path.up.as_deref())?;
    match &path.segment {
        Segment::Key(key) => above.get(key).map(At::Value),
        Segment::Index(index) => above.list()?.get(*index).map(At::Value),
    }
}

impl Document {
    fn new(source: Held, shape: Shape) -> Self {
        Self { source, path: None, shape }
    }

    /// The JSON here; none when it lies elsewhere and is not loaded.
    pub(super) fn at(&self) -> Option<At<'_>> {
        walk(self.source.root()?, self.path.as_deref())
    }

    /// The result that this document is the top of.
    pub(super) fn result(&self) -> Option<&Arc<StepResult>> {
        if self.path.is_none() { self.source.result() } else { None }
    }

    pub(super) fn child(&self, key: &str, shape: Shape) -> Self {
        self.step(Segment::Key(key.into()), shape)
    }

    pub(super) fn item(&self, index: usize, shape: Shape) -> Self {
        self.step(Segment::Index(index), shape)
    }

    fn step(&self, segment: Segment, shape: Shape) -> Self {
        let path = Arc::new(Path { up: self.path.clone(), segment });
        Self { source: self.source.clone(), path: Some(path), shape }
    }

    /// This document with the value behind it at hand; none (and noted as missing) when it is not loaded.
    pub(super) fn settled(&self, session: &Session) -> Option<std::borrow::Cow<'_, Self>> {
        use std::borrow::Cow;
        if let Held::Result(result) = &self.source
            && let Stored::Ref(reference) = &result.value
        {
            let value = session.load(reference)?;
            let source = Held::Loaded(result.clone(), value);
            return Some(Cow::Owned(Self { source, path: self.path.clone(), shape: self.shape }));
        }
        match self.embedded_reference() {
            Some(reference) => {
                let value = session.load(&reference)?;
                let shape = shape::sniff(At::Value(&value));
                Some(Cow::Owned(Self::new(Held::Value(value), shape)))
            }
            None => Some(Cow::Borrowed(self)),
        }
    }

    /// A reference that lies inside other data; names that end in `ref` mean the reference itself.
    fn embedded_reference(&self) -> Option<ResultRef> {
        let path = self.path.as_deref()?;
        let map = self.at()?.object()?;
        if map.get("kind")?.as_str()? != "result_ref" || !map.contains_key("sha256") {
            return None;
        }
        if matches!(&path.segment, Segment::Key(key) if key.ends_with("ref")) {
            return None;
        }
        serde_json::from_value(Json::Object(map.clone())).ok()
    }
}

/// Named fields over another view.
#[derive(Debug)]
pub(super) struct Envelope {
    pub(super) fields: Vec<(String, View)>,
    /// Answers the names that no field has, or every name first.
    pub(super) through: Option<View>,
    pub(super) through_first: bool,
    pub(super) bare: Bare,
    /// How it reads inside text, when that is not its JSON.
    pub(super) spoken: Option<String>,
}

/// What the bare name of an envelope means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bare {
    /// The fields as an object.
    Fields,
    /// What is behind the fields.
    Through,
    /// What is behind, with the fields over it.
    Merged,
}

impl Envelope {
    pub(super) fn field(&self, name: &str) -> Option<&View> {
        self.fields.iter().find(|(field, _)| field == name).map(|(_, view)| view)
    }
}

impl View {
    pub fn json(value: Arc<Json>) -> Self {
        Self(Kind::Document(Document::new(Held::Value(value), Shape::Json)))
    }

    pub fn map(map: Arc<Map>) -> Self {
        Self(Kind::Document(Document::new(Held::Map(map), Shape::Json)))
    }

    /// A finished step or task; answers every generation's way of reading its kind.
    pub fn result(result: Arc<StepResult>) -> Self {
        let shape = Shape::of(result.kind);
        Self(Kind::Document(Document::new(Held::Result(result), shape)))
    }

    pub(super) fn context(data: Arc<ScopeData>) -> Self {
        Self(Kind::Document(Document::new(Held::Context(data), Shape::Json)))
    }

    pub(super) fn document(document: Document) -> Self {
        Self(Kind::Document(document))
    }

    pub fn null() -> Self {
        Self::json(Arc::new(Json::Null))
    }

    pub fn text(text: impl Into<String>) -> Self {
        Self::json(Arc::new(Json::String(text.into())))
    }

    pub fn number(number: impl Into<serde_json::Number>) -> Self {
        Self::json(Arc::new(Json::Number(number.into())))
    }

    pub fn flag(flag: bool) -> Self {
        Self::json(Arc::new(Json::Bool(flag)))
    }

    /// The error as an object that reads as its message inside text; null without one.
    pub fn error(error: Option<&TaskError>) -> Self {
        let Some(error) = error else { return Self::null() };
        let status = error.status_code.map_or_else(Self::null, Self::number);
        let value = serde_json::to_value(error).unwrap_or(Json::Null);
        Self::of(Envelope {
            fields: vec![("status".to_owned(), status), ("type".to_owned(), Self::text(error.kind.clone()))],
            through: Some(Self::json(Arc::new(value))),
            through_first: true,
            bare: Bare::Through,
            spoken: Some(error.message.clone()),
        })
    }

    /// Several words for one thing; a template reads the one that it compares with, else the first.
    pub fn words<S: Into<String>>(words: impl IntoIterator<Item = S>) -> Self {
        Self(Kind::Words(Arc::new(words.into_iter().map(Into::into).collect())))
    }

    /// Names answered on demand.
    pub fn namespace(source: Arc<dyn Source>) -> Self {
        Self(Kind::Namespace(source))
    }

    /// An object made of views.
    pub fn fields(fields: impl IntoIterator<Item = (impl Into<String>, View)>) -> Self {
        Self::layered(fields, None, Bare::Fields)
    }

    /// An object made of views; the bare name means the fields, other names are asked of `through`.
    pub fn envelope(fields: impl IntoIterator<Item = (impl Into<String>, View)>, through: View) -> Self {
        Self::layered(fields, Some(through), Bare::Fields)
    }

    /// Fields before `through`; the bare name means `through` itself.
    pub fn window(fields: impl IntoIterator<Item = (impl Into<String>, View)>, through: View) -> Self {
        Self::layered(fields, Some(through), Bare::Through)
    }

    /// `base` with the fields written over it.
    pub fn overlaid(fields: impl IntoIterator<Item = (impl Into<String>, View)>, base: Option<View>) -> Self {
        Self::layered(fields, base, Bare::Merged)
    }

    /// `base` with more names below its own.
    pub fn underlaid(base: View, fields: impl IntoIterator<Item = (impl Into<String>, View)>) -> Self {
        let fields = fields.into_iter().map(|(name, view)| (name.into(), view)).collect();
        let through = Some(base);
        Self::of(Envelope { fields, through, through_first: true, bare: Bare::Through, spoken: None })
    }

    fn layered(
        fields: impl IntoIterator<Item = (impl Into<String>, View)>,
        through: Option<View>,
        bare: Bare,
    ) -> Self {
        let fields = fields.into_iter().map(|(name, view)| (name.into(), view)).collect();
        Self::of(Envelope { fields, through, through_first: false, bare, spoken: None })
    }

    pub(super) fn of(envelope: Envelope) -> Self {
        Self(Kind::Envelope(Arc::new(envelope)))
    }

    /// A member of a shared map.
    pub(super) fn member(map: &Arc<Map>, key: &str) -> Option<Self> {
        map.get(key)?;
        Some(Self::document(Document::new(Held::Map(map.clone()), Shape::Json).child(key, Shape::Json)))
    }

    /// A member of the variables of shared data.
    pub(super) fn variable(data: &Arc<ScopeData>, key: &str) -> Option<Self> {
        data.ctx.get(key)?;
        Some(Self::document(Document::new(Held::Context(data.clone()), Shape::Json).child(key, Shape::Json)))
    }

    /// The result of one task of a finished pipeline.
    pub(super) fn label(result: Arc<StepResult>, label: &str) -> Option<Self> {
        let pipeline = Document::new(Held::Result(result), Shape::Pipeline);
        let shape = shape::sniff(At::Value(pipeline.at()?.get(label)?));
        Some(Self::document(pipeline.child(label, shape)))
    }

    pub(super) fn call(function: Function) -> Self {
        Self(Kind::Call(Call(function)))
    }

    /// The member of that name, by every rule of the shapes.
    pub(super) fn get(&self, key: &str, session: &Session) -> Option<View> {
        match &self.0 {
            Kind::Document(document) => shape::get(document, key, session),
            Kind::Envelope(envelope) => {
                let through = || envelope.through.as_ref().and_then(|view| view.get(key, session));
                if envelope.through_first {
                    through().or_else(|| envelope.field(key).cloned())
                } else {
                    envelope.field(key).cloned().or_else(through)
                }
            }
            Kind::Namespace(source) => source.get(key).or_else(|| {
                let hyphenated = key.contains('_').then(|| key.replace('_', "-"))?;
                source.get(&hyphenated)
            }),
            Kind::Words(_) | Kind::Call(_) => None,
        }
    }

    pub(super) fn index(&self, index: usize, session: &Session) -> Option<View> {
        match &self.0 {
            Kind::Document(document) => shape::index(document, index, session),
            Kind::Envelope(envelope) => envelope.through.as_ref()?.index(index, session),
            Kind::Words(_) | Kind::Namespace(_) | Kind::Call(_) => None,
        }
    }

    /// The view as JSON, copied. Null for what cannot be told.
    pub(super) fn to_json(&self, session: &Session) -> Json {
        match &self.0 {
            Kind::Document(document) => match document.settled(session) {
                Some(document) => document.at().map_or(Json::Null, |at| shape::whole(at, document.shape)),
                None => Json::Null,
            },
            Kind::Envelope(envelope) => {
                let mut map = Map::new();
                match (&envelope.through, envelope.bare) {
                    (Some(view), Bare::Through) => return view.to_json(session),
                    (Some(view), Bare::Merged) => {
                        if let Json::Object(base) = view.to_json(session) {
                            map = base;
                        }
                    }
                    (None, _) | (_, Bare::Fields) => {}
                }
                map.extend(envelope.fields.iter().map(|(name, view)| (name.clone(), view.to_json(session))));
                Json::Object(map)
            }
            Kind::Words(words) => Json::String(session.word(words).to_owned()),
            Kind::Namespace(source) => {
                let names = source.names().into_iter();
                Json::Object(
                    names
                        .filter_map(|name| source.get(&name).map(|view| (name, view.to_json(session))))
                        .collect(),
                )
            }
            Kind::Call(_) => Json::Null,
        }
    }
}
