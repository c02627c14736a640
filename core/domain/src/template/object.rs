//! The bridge to minijinja: views as its objects, its values as JSON.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use minijinja::value::{DynObject, Enumerator, Object, ObjectRepr, Value, ValueKind};
use minijinja::{Error, ErrorKind, State};
use serde_json::Value as Json;

use super::error::TemplateError;
use super::scope::Session;
use super::shape;
use super::view::{At, Bare, Kind, View};

/// The root of a render: names are looked up in the scope.
#[derive(Debug)]
pub(super) struct Root(pub(super) Arc<Session>);

impl Object for Root {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        let view = self.0.scope.find(key, &self.0.facts)?;
        // A scalar result whose members alone are read keeps answering `.data` and `.result`.
        if self.0.facts.only_members_read(key) && is_scalar_result(&view) {
            return Some(Value::from_object(Node { view, session: self.0.clone() }));
        }
        Some(to_value(view, &self.0))
    }
}

fn is_scalar_result(view: &View) -> bool {
    let Kind::Document(document) = &view.0 else { return false };
    document.result().is_some()
        && document.at().is_some_and(|at| at.object().is_none() && at.list().is_none())
}

/// A view inside a render.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) view: View,
    pub(super) session: Arc<Session>,
}

pub(super) fn to_value(view: View, session: &Arc<Session>) -> Value {
    match &view.0 {
        Kind::Document(document) => {
            if let Some(At::Value(json)) = document.at()
                && let Some(scalar) = scalar(json)
            {
                return scalar;
            }
        }
        Kind::Words(words) => return Value::from(session.word(words)),
        Kind::Envelope(_) | Kind::Namespace(_) | Kind::Call(_) => {}
    }
    Value::from_object(Node { view, session: session.clone() })
}

fn scalar(json: &Json) -> Option<Value> {
    Some(match json {
        Json::Null => Value::from(()),
        Json::Bool(flag) => Value::from(*flag),
        Json::Number(number) => number_value(number),
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(_) | Json::Object(_) => return None,
    })
}

fn number_value(number: &serde_json::Number) -> Value {
    if let Some(number) = number.as_i64() {
        Value::from(number)
    } else if let Some(number) = number.as_u64() {
        Value::from(number)
    } else {
        Value::from(number.as_f64().unwrap_or(f64::NAN))
    }
}

/// JSON as a template value, copied; for what functions return.
pub(super) fn from_json(json: &Json) -> Value {
    match json {
        Json::Array(items) => Value::from_object(items.iter().map(from_json).collect::<Vec<_>>()),
        Json::Object(map) => {
            Value::from_pairs(map.iter().map(|(key, value)| (key.as_str(), from_json(value))))
        }
        other => scalar(other).unwrap_or_default(),
    }
}

/// What a view's containers look like from outside.
enum Look {
    Map(Vec<String>),
    List(usize),
    /// Neither: a function, or a scalar that answers members.
    Plain,
}

impl Node {
    fn look(&self) -> Look {
        look(&self.view, &self.session)
    }

    fn spoken(&self) -> Option<&str> {
        match &self.view.0 {
            Kind::Envelope(envelope) => envelope.spoken.as_deref(),
            _ => None,
        }
    }

    pub(super) fn json(&self) -> Json {
        self.view.to_json(&self.session)
    }
}

fn look(view: &View, session: &Session) -> Look {
    match &view.0 {
        Kind::Document(document) => {
            let Some(document) = document.settled(session) else { return Look::Map(Vec::new()) };
            let Some(at) = document.at() else { return Look::Map(Vec::new()) };
            match (shape::elements(at, document.shape), at.object()) {
                (Some(list), _) => Look::List(list.len()),
                (None, Some(map)) => Look::Map(map.keys().cloned().collect()),
                (None, None) => Look::Plain,
            }
        }
        Kind::Envelope(envelope) => {
            let mut names: Vec<String> = envelope.fields.iter().map(|(name, _)| name.clone()).collect();
            match (&envelope.through, envelope.bare) {
                (Some(through), Bare::Through) => return look(through, session),
                (Some(through), Bare::Merged) => {
                    if let Look::Map(base) = look(through, session) {
                        names.extend(
                            base.into_iter()
                                .filter(|name| envelope.field(name).is_none())
                                .collect::<Vec<_>>(),
                        );
                    }
                }
                (None, _) | (_, Bare::Fields) => {}
            }
            Look::Map(names)
        }
        Kind::Namespace(source) => Look::Map(source.names()),
        Kind::Words(_) | Kind::Call(_) => Look::Plain,
    }
}

impl Object for Node {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        match &self.view.0 {
            // The common case without collecting keys.
            Kind::Document(document) => match document.settled(&self.session).as_ref().and_then(|d| {
                let at = d.at()?;
                Some((shape::elements(at, d.shape).is_some(), at.object().is_some()))
            }) {
                Some((true, _)) => ObjectRepr::Seq,
                Some((false, true)) | None => ObjectRepr::Map,
                Some((false, false)) => ObjectRepr::Plain,
            },
            _ => match self.look() {
                Look::Map(_) => ObjectRepr::Map,
                Look::List(_) => ObjectRepr::Seq,
                Look::Plain => ObjectRepr::Plain,
            },
        }
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        if let Some(key) = key.as_str() {
            return self.get_value_by_str(key);
        }
        let view = match key.as_usize() {
            Some(index) => self.view.index(index, &self.session),
            None => None,
        };
        // A map with number-like keys is read by number, too.
        let view = view.or_else(|| self.view.get(&key.as_i64()?.to_string(), &self.session))?;
        Some(to_value(view, &self.session))
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        if let Some(view) = self.view.get(key, &self.session) {
            return Some(to_value(view, &self.session));
        }
        // `'timeout' in error` asks the message; a member of that name stays undefined.
        self.spoken().filter(|text| text.contains(key)).map(|_| Value::UNDEFINED)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        match self.look() {
            Look::Map(keys) => Enumerator::Values(keys.into_iter().map(Value::from).collect()),
            Look::List(length) => Enumerator::Seq(length),
            Look::Plain => Enumerator::NonEnumerable,
        }
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        match self.look() {
            Look::Map(keys) => Some(keys.len()),
            Look::List(length) => Some(length),
            Look::Plain => None,
        }
    }

    fn is_true(self: &Arc<Self>) -> bool {
        match self.look() {
            Look::Map(keys) => !keys.is_empty(),
            Look::List(length) => length > 0,
            Look::Plain => match self.json() {
                Json::Null => matches!(self.view.0, Kind::Call(_)),
                other => super::coerce::truthy(&other),
            },
        }
    }

    fn call(self: &Arc<Self>, _state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        let Kind::Call(call) = &self.view.0 else {
            return Err(Error::new(ErrorKind::InvalidOperation, "this is not a function"));
        };
        let args = args.iter().map(to_json).collect::<Result<Vec<_>, _>>()?;
        let result = (call.0)(&args).map_err(|reason| Error::new(ErrorKind::InvalidOperation, reason))?;
        Ok(from_json(&result))
    }

    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        let other = other.downcast_ref::<Self>()?;
        // Only equality has a short cut; order falls back to comparing element by element.
        (self.json() == other.json()).then_some(Ordering::Equal)
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(text) = self.spoken() {
            return f.write_str(text);
        }
        match self.json() {
            Json::String(text) => f.write_str(&text),
            other => f.write_str(&other.to_string()),
        }
    }
}

/// Values that a single conversion may visit.
const MOST_VALUES: usize = 20_000_000;
/// Nesting that a single conversion may have; JSON readers stop near this, too.
const DEEPEST: usize = 128;

/// A template's value as JSON; undefined becomes null.
pub(super) fn to_json(value: &Value) -> Result<Json, Error> {
    let mut budget = MOST_VALUES;
    convert(value, DEEPEST, &mut budget)
}

fn convert(value: &Value, depth: usize, budget: &mut usize) -> Result<Json, Error> {
    *budget = budget.checked_sub(1).ok_or_else(|| Error::from(ErrorKind::OutOfFuel))?;
    if depth == 0 {
        return Err(Error::new(ErrorKind::InvalidOperation, "the value is nested too deeply"));
    }
    if let Some(node) = value.downcast_object_ref::<Node>() {
        return Ok(node.json());
    }
    Ok(match value.kind() {
        ValueKind::Undefined | ValueKind::None => Json::Null,
        ValueKind::Bool => Json::Bool(value.is_true()),
        ValueKind::Number => number_json(value),
        ValueKind::String => Json::String(value.as_str().unwrap_or_default().to_owned()),
        ValueKind::Bytes => Json::String(value.to_string()),
        ValueKind::Seq | ValueKind::Iterable => {
            let items = value.try_iter()?.map(|item| convert(&item, depth - 1, budget));
            Json::Array(items.collect::<Result<_, _>>()?)
        }
        ValueKind::Map => {
            let mut map = crate::Map::new();
            for key in value.try_iter()? {
                let item = value.get_item(&key)?;
                let key = key.as_str().map_or_else(|| text(&key), str::to_owned);
                map.insert(key, convert(&item, depth - 1, budget)?);
            }
            Json::Object(map)
        }
        _ => return Err(Error::new(ErrorKind::InvalidOperation, format!("{value} is not data"))),
    })
}

fn number_json(value: &Value) -> Json {
    if value.is_integer() {
        if let Some(number) = value.as_i64() {
            return Json::from(number);
        }
        if let Ok(number) = u64::try_from(value.clone()) {
            return Json::from(number);
        }
    }
    match f64::try_from(value.clone()) {
        Ok(number) => serde_json::Number::from_f64(number).map_or(Json::Null, Json::Number),
        // Wider than 64 bits: kept exactly, as text.
        Err(_) => Json::String(value.to_string()),
    }
}

/// How a value reads inside text: booleans, null and containers as JSON, everything else as it is.
pub(super) fn text(value: &Value) -> String {
    if value.downcast_object_ref::<Node>().is_some() {
        return value.to_string();
    }
    match value.kind() {
        ValueKind::Undefined => String::new(),
        ValueKind::None => "null".to_owned(),
        ValueKind::Bool => if value.is_true() { "true" } else { "false" }.to_owned(),
        ValueKind::Seq | ValueKind::Map | ValueKind::Iterable => match to_json(value) {
            Ok(json) => json.to_string(),
            Err(_) => value.to_string(),
        },
        _ => value.to_string(),
    }
}

pub(super) fn failed(error: &Error, text: &str, offset: usize) -> TemplateError {
    TemplateError::from_engine(error, text, offset, false)
}
