//! Filters, functions and methods with the meanings that playbooks rely on (playbooks.md 3.4).

#![expect(clippy::needless_pass_by_value, reason = "minijinja hands arguments over by value")]

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minijinja::value::{Enumerator, Kwargs, Object, ObjectRepr, Rest, Value, ValueKind};
use minijinja::{Environment, Error, ErrorKind, State};
use serde_json::Value as Json;

use super::object::{from_json, text, to_json};

pub(super) fn register(engine: &mut Environment<'static>) {
    engine.add_filter("default", default);
    engine.add_filter("d", default);
    engine.add_filter("int", int);
    engine.add_filter("float", float);
    engine.add_filter("string", |value: &Value| string(value));
    engine.add_filter("tojson", tojson);
    engine.add_filter("to_json", tojson);
    engine.add_filter("fromjson", fromjson);
    engine.add_filter("from_json", fromjson);
    engine.add_filter("b64encode", |value: &Value| STANDARD.encode(text(value)));
    engine.add_filter("b64decode", b64decode);
    engine.add_filter("get", get);
    engine.add_filter("keys", |value: &Value| method_of(value, "keys"));
    engine.add_filter("values", |value: &Value| method_of(value, "values"));
    engine.add_filter("len", length);
    engine.add_filter("length", length);
    engine.add_filter("count", length);
    engine.add_filter("truncate", truncate);
    engine.add_filter("striptags", minijinja_contrib::filters::striptags);
    engine.add_filter("filesizeformat", minijinja_contrib::filters::filesizeformat);
    engine.add_filter("wordcount", |value: &Value| text(value).split_whitespace().count());
    engine.add_filter("quote", |value: &Value| format!("'{}'", text(value).replace('\'', "''")));
    engine.add_function("range", range);
    engine.add_function("len", length);
    engine.add_function("str", |value: &Value| string(value));
    engine.add_function("int", |value: &Value| whole_number(value, None, Value::from(0)));
}

fn wrong(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::InvalidOperation, message)
}

/// Replaces what is undefined or none; with a true second argument everything that counts as false.
fn default(value: &Value, args: Rest<Value>, kwargs: Kwargs) -> Result<Value, Error> {
    let other = match args.first() {
        Some(other) => other.clone(),
        None => kwargs.get::<Option<Value>>("default_value")?.unwrap_or_else(|| Value::from("")),
    };
    let lax = match args.get(1) {
        Some(lax) => lax.is_true(),
        None => kwargs.get::<Option<bool>>("boolean")?.unwrap_or(false),
    };
    kwargs.assert_all_used()?;
    let absent = value.is_undefined() || value.is_none() || (lax && !value.is_true());
    Ok(if absent { other } else { value.clone() })
}

/// As Jinja does: the length counts the mark, whole words unless told otherwise, five characters of tolerance.
fn truncate(value: &Value, args: Rest<Value>, kwargs: Kwargs) -> Result<String, Error> {
    let argument = |at: usize, name: &str| -> Result<Option<Value>, Error> {
        Ok(args.get(at).cloned().or(kwargs.get::<Option<Value>>(name)?))
    };
    let number =
        |value: Option<Value>, other: usize| value.and_then(|value| value.as_usize()).unwrap_or(other);
    let length = number(argument(0, "length")?, 255);
    let cut_words = argument(1, "killwords")?.is_some_and(|value| value.is_true());
    let mark = argument(2, "end")?.map_or_else(|| "...".to_owned(), |value| text(&value));
    let leeway = number(argument(3, "leeway")?, 5);
    kwargs.assert_all_used()?;
    let text = text(value);
    if text.chars().count() <= length.saturating_add(leeway) {
        return Ok(text);
    }
    let kept: String = text.chars().take(length.saturating_sub(mark.chars().count())).collect();
    let kept = if cut_words {
        kept.as_str()
    } else {
        kept.rsplit_once(' ').map_or(kept.as_str(), |(words, _)| words)
    };
    Ok(format!("{kept}{mark}"))
}

/// Truncates floats, reads `"12.0"`, and gives the default (0) for what is no number.
fn int(value: &Value, args: Rest<Value>, kwargs: Kwargs) -> Result<Value, Error> {
    let default = fallback(&args, &kwargs, Value::from(0))?;
    let base = kwargs.get::<Option<u32>>("base")?.or_else(|| args.get(1)?.as_usize().map(|base| base as u32));
    kwargs.assert_all_used()?;
    Ok(whole_number(value, base, default))
}

fn whole_number(value: &Value, base: Option<u32>, default: Value) -> Value {
    match value.kind() {
        ValueKind::Bool => Value::from(i64::from(value.is_true())),
        ValueKind::Number if value.is_integer() => value.clone(),
        ValueKind::Number => {
            f64::try_from(value.clone()).map_or(default, |number| whole(number).unwrap_or_default())
        }
        ValueKind::String => {
            let text = value.as_str().unwrap_or_default().trim().replace('_', "");
            match base {
                Some(base @ 2..=36) if base != 10 => {
                    let digits =
                        text.trim_start_matches("0x").trim_start_matches("0b").trim_start_matches("0o");
                    i64::from_str_radix(digits, base).map_or(default, Value::from)
                }
                _ => match text.parse::<i128>() {
                    Ok(number) => i64::try_from(number).map_or_else(|_| Value::from(number), Value::from),
                    Err(_) => text.parse::<f64>().ok().and_then(whole).unwrap_or(default),
                },
            }
        }
        _ => default,
    }
}

fn whole(number: f64) -> Option<Value> {
    let number = number.trunc();
    if number.abs() < 9.0e18 {
        Some(Value::from(number as i64))
    } else if number.is_finite() {
        Some(Value::from(number as i128))
    } else {
        None
    }
}

fn float(value: &Value, args: Rest<Value>, kwargs: Kwargs) -> Result<Value, Error> {
    let default = fallback(&args, &kwargs, Value::from(0.0))?;
    kwargs.assert_all_used()?;
    Ok(match value.kind() {
        ValueKind::Bool => Value::from(f64::from(u8::from(value.is_true()))),
        ValueKind::Number => f64::try_from(value.clone()).map_or(default, Value::from),
        ValueKind::String => {
            value.as_str().unwrap_or_default().trim().parse::<f64>().map_or(default, Value::from)
        }
        _ => default,
    })
}

fn fallback(args: &Rest<Value>, kwargs: &Kwargs, last: Value) -> Result<Value, Error> {
    Ok(match args.first() {
        Some(value) => value.clone(),
        None => kwargs.get::<Option<Value>>("default")?.unwrap_or(last),
    })
}

fn string(value: &Value) -> Value {
    if value.as_str().is_some() { value.clone() } else { Value::from(text(value)) }
}

/// Compact JSON. Apostrophes are written `\u0027`, so that the text may stand between quotes in SQL.
fn tojson(state: &State, value: &Value, args: Rest<Value>, kwargs: Kwargs) -> Result<String, Error> {
    let indent = match args.first() {
        Some(indent) => Some(indent.clone()),
        None => kwargs.get::<Option<Value>>("indent")?,
    };
    // `ensure_ascii`, `sort_keys` and the like change nothing that matters here.
    let _ = (kwargs.get::<Option<Value>>("ensure_ascii")?, kwargs.get::<Option<Value>>("sort_keys")?);
    kwargs.assert_all_used()?;
    let json = to_json(value)?;
    let indented = indent.is_some_and(|indent| indent.is_true());
    let text = if indented { serde_json::to_string_pretty(&json) } else { serde_json::to_string(&json) };
    let text = text.map_err(|error| wrong(error.to_string()))?;
    state.consume_fuel(text.len() as u64 / 16)?;
    Ok(if text.contains('\'') { text.replace('\'', "\\u0027") } else { text })
}

/// What is not text stays as it is.
fn fromjson(value: &Value) -> Result<Value, Error> {
    let Some(text) = value.as_str() else { return Ok(value.clone()) };
    let json: Json = match serde_json::from_str(text) {
        Ok(json) => json,
        Err(error) => super::coerce::python_literal(text.trim())
            .ok_or_else(|| wrong(format!("fromjson: this is not JSON: {error}")))?,
    };
    Ok(from_json(&json))
}

fn b64decode(value: &Value) -> Result<String, Error> {
    let encoded = text(value);
    let bytes = STANDARD
        .decode(encoded.trim())
        .or_else(|_| base64::engine::general_purpose::URL_SAFE.decode(encoded.trim()))
        .map_err(|error| wrong(format!("b64decode: {error}")))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn get(value: &Value, key: &Value, default: Option<Value>) -> Value {
    match value.get_item(key) {
        Ok(found) if !found.is_undefined() => found,
        _ => default.unwrap_or(Value::UNDEFINED),
    }
}

fn length(value: &Value) -> Result<usize, Error> {
    match value.len() {
        Some(length) => Ok(length),
        None if value.is_undefined() || value.is_none() => Ok(0),
        None => match value.try_iter() {
            Ok(items) => Ok(items.count()),
            Err(_) => Err(wrong(format!("a {} has no length", value.kind()))),
        },
    }
}

fn method_of(value: &Value, method: &str) -> Result<Value, Error> {
    if value.kind() != ValueKind::Map {
        return Ok(Value::from(Vec::<Value>::new()));
    }
    let keys = value.try_iter()?;
    let items: Vec<Value> = match method {
        "keys" => keys.collect(),
        _ => keys.map(|key| value.get_item(&key)).collect::<Result<_, _>>()?,
    };
    Ok(Value::from(items))
}

/// Python's methods, also on what is undefined: undefined all the way down.
pub(super) fn method(state: &mut State, value: &Value, method: &str, args: &[Value]) -> Result<Value, Error> {
    match (value.kind(), method) {
        (ValueKind::Undefined | ValueKind::None, "get") => Ok(args.get(1).cloned().unwrap_or_default()),
        (ValueKind::Undefined | ValueKind::None, "items" | "keys" | "values") => {
            Ok(Value::from(Vec::<Value>::new()))
        }
        (ValueKind::Undefined, _) => Ok(Value::UNDEFINED),
        (ValueKind::Seq | ValueKind::Map, "get") => {
            Ok(get(value, args.first().unwrap_or(&Value::UNDEFINED), args.get(1).cloned()))
        }
        // A SQL result is a list to iterate and an object to look into.
        (ValueKind::Seq, "items" | "keys" | "values") => {
            let map = from_json(&to_json(value)?);
            minijinja_contrib::pycompat::unknown_method_callback(state, &map, method, args)
        }
        (ValueKind::Seq, "index") => {
            let wanted = args.first().cloned().unwrap_or_default();
            match value.try_iter()?.position(|item| item == wanted) {
                Some(at) => Ok(Value::from(at)),
                None => Err(wrong("index: the value is not in the list")),
            }
        }
        (ValueKind::String, "isoformat") => Ok(value.clone()),
        (ValueKind::String, "strftime") => Ok(strftime(value, args)),
        _ => minijinja_contrib::pycompat::unknown_method_callback(state, value, method, args),
    }
}

/// Formats the text of `now()`, which is RFC 3339, by the directives that authors use.
fn strftime(value: &Value, args: &[Value]) -> Value {
    let moment = value.as_str().unwrap_or_default();
    let part = |from: usize, to: usize| moment.get(from..to).unwrap_or("00");
    let format = args.first().and_then(Value::as_str).unwrap_or("%Y-%m-%dT%H:%M:%S");
    let mut out = String::new();
    let mut chars = format.chars();
    while let Some(next) = chars.next() {
        match (next, if next == '%' { chars.next() } else { None }) {
            ('%', Some('Y')) => out.push_str(part(0, 4)),
            ('%', Some('m')) => out.push_str(part(5, 7)),
            ('%', Some('d')) => out.push_str(part(8, 10)),
            ('%', Some('H')) => out.push_str(part(11, 13)),
            ('%', Some('M')) => out.push_str(part(14, 16)),
            ('%', Some('S')) => out.push_str(part(17, 19)),
            ('%', Some('f')) => {
                out.push_str(part(20, 23));
                out.push_str("000");
            }
            ('%', Some('F')) => out.push_str(part(0, 10)),
            ('%', Some('T')) => out.push_str(part(11, 19)),
            ('%', Some(other)) | (other, _) => out.push(other),
        }
    }
    Value::from(out)
}

/// The longest range: more than a million, and little memory when it is spelled out.
const LONGEST_RANGE: u64 = 5_000_000;

fn range(first: i64, second: Option<i64>, step: Option<i64>) -> Result<Value, Error> {
    let (start, stop) = second.map_or((0, first), |stop| (first, stop));
    let step = step.unwrap_or(1);
    if step == 0 {
        return Err(wrong("range: the step may not be 0"));
    }
    let span =
        if step > 0 { i128::from(stop) - i128::from(start) } else { i128::from(start) - i128::from(stop) };
    let width = i128::from(step.unsigned_abs());
    let length = u64::try_from((span.max(0) + width - 1) / width).unwrap_or(u64::MAX);
    if length > LONGEST_RANGE {
        return Err(wrong(format!(
            "range: {length} numbers are more than the {LONGEST_RANGE} that a range may have"
        )));
    }
    Ok(Value::from_object(Range { start, step, length: length as usize }))
}

/// Numbers in a row, made one at a time.
#[derive(Debug)]
struct Range {
    start: i64,
    step: i64,
    length: usize,
}

impl Object for Range {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let index = key.as_usize().filter(|index| *index < self.length)?;
        Some(Value::from(self.start + self.step * index as i64))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Seq(self.length)
    }
}
