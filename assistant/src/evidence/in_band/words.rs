//! The words of an error that a result tells, and what the service calls it.

use noetl_domain::{Map, Value};

use super::{ENVELOPES, LOOKED_AT, field, is_mute, is_telling, plain, tells_by_name};
use crate::evidence::value::short;

/// Fields in which an error speaks, the ones that say most first.
const WORDS: &[&str] = &[
    "error",
    "errors",
    "exception",
    "fault",
    "err",
    "errormessage",
    "errormsg",
    "errmsg",
    "errordescription",
    "message",
    "msg",
    "detail",
    "details",
    "info",
    "reason",
    "reasons",
    "errordetail",
    "errordetails",
    "errorinfo",
    "failurereason",
    "failuremessage",
    "failures",
    "problem",
    "description",
    "statusmessage",
    "statustext",
    "title",
    "faultstring",
    "note",
    "information",
    "text",
    "stderr",
    "why",
    "hint",
    "explain",
    "explanation",
    "because",
    "txt",
];
/// Fields of an error in which a layer further in speaks.
const PARTICULARS: &[&str] =
    &["data", "details", "detail", "innererror", "inner", "cause", "extensions", "context", "info", "debug"];
/// Fields that hold what the service calls an error.
const NAMES: &[&str] = &[
    "code",
    "errorcode",
    "errcode",
    "type",
    "errortype",
    "reason",
    "kind",
    "name",
    "status",
    "class",
    "error",
    "err",
    "exception",
    "title",
];

pub(super) fn message_of(map: &Map, depth: usize) -> Option<String> {
    let depth = depth.checked_sub(1)?;
    let spoken = WORDS.iter().find_map(|name| {
        map.iter().filter(|(key, _)| plain(key) == *name).find_map(|(_, value)| match value {
            Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
            Value::Object(inner) => message_of(inner, depth),
            // Several errors: the first one speaks.
            Value::Array(list) => match list.first()? {
                Value::Object(inner) => message_of(inner, depth).or_else(|| Some(short(&list[0]))),
                Value::String(text) => Some(text.clone()),
                other => Some(short(other)),
            },
            _ => None,
        })
    });
    // A short name beside a sentence: both are told.
    let spoken = spoken.map(|word| {
        match field(map, &["detail", "errordescription", "message", "description", "reason"]) {
            Some(Value::String(more)) if *more != word && !word.contains(' ') && more.contains(' ') => {
                format!("{word}: {more}")
            }
            Some(Value::String(more))
                if *more != word && field(map, &["title"]).is_some_and(|title| title == word.as_str()) =>
            {
                format!("{word}: {more}")
            }
            _ => word,
        }
    });
    // A few words that any error could have, and particulars further in: both are told.
    let spoken = spoken.map(|word| {
        let particulars = || {
            let inner = map.iter().filter(|(key, _)| PARTICULARS.contains(&plain(key).as_str()));
            let inner = inner.filter_map(|(_, value)| match value {
                Value::String(text) => Some(text.clone()),
                value => message_of(value.as_object()?, depth),
            });
            inner.into_iter().find(|more| *more != word && more.contains(' '))
        };
        match particulars().filter(|_| word.split_whitespace().count() <= 4) {
            Some(more) => format!("{word}: {more}"),
            None => word,
        }
    });
    let by_name = || {
        let telling = map.iter().filter(|(key, value)| is_telling(&plain(key), value));
        telling.map(|(_, value)| value).find_map(|value| match value {
            Value::Object(inner) => message_of(inner, depth),
            Value::Array(list) => message_of(list.first()?.as_object()?, depth),
            Value::String(text) => Some(text.clone()),
            _ => None,
        })
    };
    spoken
        .or_else(by_name)
        .or_else(|| {
            let envelopes = map.iter().filter(|(key, _)| ENVELOPES.contains(&plain(key).as_str()));
            envelopes.map(|(_, value)| value).find_map(|value| message_of(value.as_object()?, depth))
        })
        // One answer for each of many requests: the first that tells of an error.
        .or_else(|| {
            let lists = map.values().filter_map(Value::as_array);
            lists
                .flat_map(|list| list.iter().take(LOOKED_AT))
                .find_map(|one| first_told(one.as_object()?, depth))
        })
}

/// The words of an error inside one of many answers.
fn first_told(map: &Map, depth: usize) -> Option<String> {
    let depth = depth.checked_sub(1)?;
    if map.iter().any(|(key, value)| is_telling(&plain(key), value)) {
        let name = code_of(map, depth).unwrap_or_default();
        return message_of(map, depth)
            .map(|words| if name.is_empty() { words } else { format!("{name}: {words}") });
    }
    map.values().find_map(|value| first_told(value.as_object()?, depth))
}

/// What the service calls the error, beside its words.
pub(super) fn code_of(map: &Map, depth: usize) -> Option<String> {
    let depth = depth.checked_sub(1)?;
    let inner = |is_one: &dyn Fn(&str) -> bool| {
        map.iter().filter(|(key, _)| is_one(&plain(key))).find_map(|(_, value)| match value {
            Value::Object(inner) => code_of(inner, depth),
            Value::Array(list) => code_of(list.first()?.as_object()?, depth),
            _ => None,
        })
    };
    inner(&tells_by_name).or_else(|| inner(&|key| key == "extensions")).or_else(|| {
        let name = NAMES.iter().find_map(|name| {
            let mut held =
                map.iter().filter(|(key, _)| plain(key) == *name).filter_map(|(_, value)| value.as_str());
            held.find(|text| {
                let is_name =
                    !text.is_empty() && text.len() <= 80 && !text.contains(' ') && !text.starts_with("http");
                is_name && !is_mute(text)
            })
        });
        name.map(str::to_owned)
    })
}
