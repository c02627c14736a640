//! Errors told inside results that count as successes: an error beside a status of 200, a fault in XML, a page for people.
//!
//! Services agree on no form, so fields are known by what their names are made of: `errMsg`, `error_message` and
//! `ErrorMessage` are one. What tells that there is an error is one thing, what it says another, and what the
//! service calls it a third.

mod words;

use noetl_domain::cause::{Cause, Clear};
use noetl_domain::error::TaskError;
use noetl_domain::{Map, Value};

use super::value::is_nothing;
use words::{code_of, message_of};

/// Envelopes that are looked into: `{"response": {"error": …}}`.
const DEPTH: usize = 5;
/// Elements of a list of answers that are looked at for the one that tells of an error.
const LOOKED_AT: usize = 50;

/// The error that a result tells. Its code is what the service calls it, for machines.
pub(crate) fn in_band(value: &Value) -> Option<TaskError> {
    let map = match value {
        Value::Object(map) => map,
        Value::String(text) => return in_text(text),
        Value::Array(list) => return in_batch(list),
        _ => return None,
    };
    // What our own HTTP tool gives: the answer lies one level further in.
    let is_ours =
        map.contains_key("data") && (map.contains_key("headers") || map.contains_key("status_code"));
    in_map(map, DEPTH).or_else(|| if is_ours { map.get("data").and_then(in_band) } else { None })
}

/// Answers of a batch, each with its own status: what the first one says, where most of them are errors.
fn in_batch(list: &[Value]) -> Option<TaskError> {
    let told: Vec<TaskError> = list
        .iter()
        .take(LOOKED_AT)
        .filter_map(|part| {
            let map = part.as_object()?;
            status_of(map)?;
            let body = map.iter().find(|(key, _)| plain(key) == "body").map(|(_, body)| body);
            let inside = match body {
                Some(Value::String(text)) => serde_json::from_str::<Value>(text).ok(),
                Some(body) => Some(body.clone()),
                None => None,
            };
            let inside = inside.as_ref().and_then(Value::as_object).and_then(|map| in_map(map, DEPTH));
            inside.or_else(|| in_map(map, DEPTH))
        })
        .collect();
    (told.len() * 2 > list.len()).then(|| told.into_iter().next()).flatten()
}

fn in_map(map: &Map, depth: usize) -> Option<TaskError> {
    let depth = depth.checked_sub(1)?;
    let word = field(map, STATES).and_then(Value::as_str).unwrap_or_default();
    let status = status_of(map);
    let tells = map.iter().any(|(key, value)| is_telling(&plain(key), value));
    let is_error = tells
        || is_bad_state(word, map)
        || map.iter().any(|(key, value)| GOOD.contains(&plain(key).as_str()) && is_false(value))
        || map.get("exit_code").and_then(Value::as_i64).is_some_and(|code| code != 0)
        || answers_in_its_place(map)
        || turns_down(map);
    if is_error || status.is_some() && (map.len() <= MOST_FIELDS || says(map).is_some()) {
        let mut error =
            TaskError::new("tool_error", message_of(map, DEPTH).unwrap_or_else(|| word.to_owned()));
        error.status_code = status.or_else(|| inner_status(map));
        error.code = code_of(map, DEPTH);
        return Some(error);
    }
    map.iter().find_map(|(key, value)| match value {
        Value::Object(inner) if ENVELOPES.contains(&plain(key).as_str()) => in_map(inner, depth),
        // A body inside a body, as a function of a cloud gives it.
        Value::String(text) if plain(key) == "body" && text.trim_start().starts_with('{') => {
            in_map(serde_json::from_str::<Value>(text).ok()?.as_object()?, depth)
        }
        _ => None,
    })
}

/// An answer with more fields than these and a number such as 404 is a record, unless it says something.
const MOST_FIELDS: usize = 4;
/// Fields that say how it went, in a word.
const STATES: &[&str] = &[
    "status",
    "state",
    "result",
    "outcome",
    "resultcode",
    "returncode",
    "responsestatus",
    "ack",
    "statustext",
];
/// Fields that are false when it went wrong.
const GOOD: &[&str] = &["success", "ok", "successful", "succeeded", "issuccess", "issuccessful", "isok"];
/// Fields whose presence tells of an error.
const TELLING: &[&str] = &[
    "error",
    "errors",
    "exception",
    "fault",
    "err",
    "errormessage",
    "errormsg",
    "errmsg",
    "errordescription",
    "errordetail",
    "errordetails",
    "errorinfo",
    "errorcode",
    "errcode",
    "iserror",
    "haserror",
    "haserrors",
    "errortype",
    "failurereason",
    "failuremessage",
    "failures",
    "problem",
    "userrors",
];
/// Fields that hold the answer of which they are the outer form.
const ENVELOPES: &[&str] = &[
    "response", "result", "meta", "head", "header", "body", "payload", "envelope", "data", "status", "output",
];

/// `errMsg`, `error_message` and `ErrorMessage` are made of the same letters.
pub(crate) fn plain(key: &str) -> String {
    key.chars().filter(|one| one.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The first of these fields that holds anything.
fn field<'m>(map: &'m Map, names: &[&str]) -> Option<&'m Value> {
    names
        .iter()
        .find_map(|name| map.iter().find(|(key, value)| plain(key) == *name && !is_nothing(value)))
        .map(|(_, value)| value)
}

/// Words that say that it failed, and not how.
fn is_mute(word: &str) -> bool {
    const WORDS: &[&str] =
        &["error", "errored", "failed", "failure", "fail", "ko", "nok", "exception", "fault", "unknownerror"];
    WORDS.contains(&plain(word).as_str())
}

fn is_bad_state(word: &str, map: &Map) -> bool {
    const WORDS: &[&str] =
        &["timeout", "timedout", "requestdenied", "overquerylimit", "overdailylimit", "invalidrequest"];
    // An order may be rejected, and a record invalid, without anything having gone wrong.
    const BESIDE_WORDS: &[&str] = &[
        "rejected",
        "denied",
        "aborted",
        "invalid",
        "unauthorized",
        "forbidden",
        "unavailable",
        "notfound",
        "crashed",
    ];
    let word = plain(word);
    is_mute(&word)
        || WORDS.contains(&word.as_str())
        || says(map).is_some() && BESIDE_WORDS.contains(&word.as_str())
}

fn is_telling(key: &str, value: &Value) -> bool {
    let is_good_code = |text: &str| {
        matches!(plain(text).as_str(), "0" | "ok" | "none" | "success" | "noerror" | "00" | "000" | "200")
    };
    let is_told = !is_nothing(value)
        && *value != Value::Bool(false)
        && value.as_f64() != Some(0.0)
        && !value.as_str().is_some_and(is_good_code);
    is_told && (TELLING.contains(&key) || tells_by_name(key) && !value.is_number() && !value.is_boolean())
}

/// `errorResult`, `lastError`, `validation_errors`: names that are made of the word.
fn tells_by_name(key: &str) -> bool {
    // `error_file_id`, `error_log_url`: where something lies, and whether there is anything in it nobody knows.
    let is_place = ["id", "ids", "url", "uri", "path", "file", "link", "count", "rate", "arn"]
        .iter()
        .any(|end| key.ends_with(end) && key.starts_with("error"));
    TELLING.contains(&key)
        || key.starts_with("error") && !is_place
        || ["error", "errors", "exception", "failure"].iter().any(|end| key.ends_with(end))
}

fn is_false(value: &Value) -> bool {
    *value == Value::Bool(false) || value.as_str().is_some_and(|text| text.eq_ignore_ascii_case("false"))
}

/// `{"Note": "our standard call frequency is 5 calls per minute"}`: words for people, and nothing else.
fn answers_in_its_place(map: &Map) -> bool {
    const PLACES: &[&str] =
        &["message", "msg", "note", "information", "info", "detail", "reason", "description"];
    let only_words = map.len() <= 2 && map.values().all(|value| value.is_string() || value.is_number());
    let words = field(map, PLACES).and_then(Value::as_str).filter(|_| only_words);
    words.is_some_and(|words| {
        let cause = Cause::in_words(words);
        matches!(cause.family(), "auth" | "limit" | "timeout" | "remote" | "network" | "request")
    })
}

/// Whether words speak of a failure of another side.
fn speaks_of_failure(words: &str) -> bool {
    let is_outside = |cause: Cause| {
        matches!(cause.family(), "auth" | "limit" | "timeout" | "remote" | "network" | "resource" | "sql")
            || matches!(cause, Cause::RequestConflict | Cause::RequestNotFound | Cause::DataConstraint)
    };
    is_outside(Cause::in_words(words)) || Cause::like(words, Clear::Fairly).is_some_and(is_outside)
}

/// `{"accepted": false, "note": "Easy there, twelve a minute …"}`, `{"code": 40100, "msg": "Too many requests"}`: a field
/// that may mean anything, beside words about a failure.
fn turns_down(map: &Map) -> bool {
    const CODES: &[&str] = &["code", "errcode", "retcode", "returncode", "resultcode", "errno", "errorno"];
    const WORDS: &[&str] = &[
        "refused",
        "declined",
        "throttled",
        "blocked",
        "turneddown",
        "notaccepted",
        "rejected",
        "evicted",
        "aborted",
        "denied",
    ];
    const PLACES: &[&str] = &[
        "message",
        "msg",
        "note",
        "reason",
        "detail",
        "description",
        "info",
        "say",
        "text",
        "why",
        "hint",
        "explain",
        "explanation",
        "because",
        "txt",
    ];
    let is_bad = |key: &str, value: &Value| {
        map.len() <= MOST_FIELDS && is_false(value)
            || GOOD.contains(&key) && value.as_i64() == Some(0)
            || CODES.contains(&key)
                && value.as_i64().is_some_and(|code| code != 0 && !(200..300).contains(&code))
            || STATES.contains(&key)
                && value.as_str().is_some_and(|word| WORDS.contains(&plain(word).as_str()))
    };
    map.iter().any(|(key, value)| is_bad(&plain(key), value))
        && field(map, PLACES).and_then(Value::as_str).is_some_and(speaks_of_failure)
}

/// Words beside a status.
fn says(map: &Map) -> Option<&Value> {
    field(map, &["message", "msg", "detail", "title", "reason", "description", "error", "errormessage"])
}

/// An HTTP status of a failure, as a number or as text.
fn status_of(map: &Map) -> Option<u16> {
    const PLACES: &[&str] =
        &["statuscode", "code", "status", "httpstatus", "httpcode", "httpstatuscode", "errorcode"];
    map.iter().filter(|(key, _)| PLACES.contains(&plain(key).as_str())).find_map(|(_, value)| {
        let code = value.as_u64().or_else(|| value.as_str()?.parse().ok())?;
        u16::try_from(code).ok().filter(|code| (400..600).contains(code))
    })
}

/// The status that stands inside the field that tells of the error.
fn inner_status(map: &Map) -> Option<u16> {
    let inner = map.iter().filter(|(key, _)| TELLING.contains(&plain(key).as_str()));
    inner.map(|(_, value)| value).find_map(|value| match value {
        Value::Object(inner) => {
            status_of(inner).or_else(|| inner.get("extensions")?.as_object().and_then(status_of))
        }
        Value::Array(list) => list.first()?.as_object().and_then(status_of),
        _ => None,
    })
}

fn in_text(text: &str) -> Option<TaskError> {
    if is_page(text) {
        let title = title(text);
        // `503 Service Temporarily Unavailable` says more than that it is a page.
        return Some(TaskError::new("http", format!("an HTML page came in place of data: {title}")));
    }
    let start = text.trim_start();
    if start.starts_with('{')
        && let Ok(Value::Object(map)) = serde_json::from_str(start)
    {
        return in_map(&map, DEPTH);
    }
    if start.starts_with('<') {
        return in_xml(start);
    }
    // A few words that say nothing but an error.
    let lower = start.chars().take(16).collect::<String>().to_lowercase();
    let is_error = ["error:", "error ", "exception:", "fatal:", "fault:", "traceback (most"];
    (start.len() <= 600 && is_error.iter().any(|word| lower.starts_with(word)))
        .then(|| TaskError::new("tool_error", start.trim()))
}

/// `<soap:Fault>`, or a document that is an `<Error>`.
fn in_xml(text: &str) -> Option<TaskError> {
    let head: String = text.chars().take(8_000).collect();
    let fault = ["Fault", "Error", "error", "ErrorResponse", "Exception", "ServiceExceptionReport"]
        .iter()
        .find_map(|name| inside(&head, name))?;
    let message = ["faultstring", "Message", "message", "Text", "Reason", "Description", "ServiceException"]
        .iter()
        .find_map(|name| inside(fault, name))
        .unwrap_or(fault);
    let mut error = TaskError::new("tool_error", message.trim().chars().take(400).collect::<String>());
    let code = ["faultcode", "Code", "code", "Value"].iter().find_map(|name| inside(fault, name));
    error.code = code.map(|code| code.trim().to_owned());
    Some(error)
}

/// What stands between the first tag of that name, whatever its prefix, and its end.
fn inside<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let mut from = 0;
    while let Some(at) = text[from..].find('<').map(|at| at + from) {
        let tag_end = text[at..].find('>')? + at;
        let tag = &text[at + 1..tag_end];
        let whole = tag.split_whitespace().next().unwrap_or_default();
        if whole.rsplit(':').next() == Some(name) && !tag.ends_with('/') {
            let end = text[tag_end..].find(&format!("</{whole}")).map_or(text.len(), |end| end + tag_end);
            return Some(&text[tag_end + 1..end]);
        }
        from = tag_end + 1;
    }
    None
}

fn is_page(text: &str) -> bool {
    let start: String = text.trim_start().chars().take(32).collect::<String>().to_lowercase();
    start.starts_with("<!doctype html") || start.starts_with("<html")
}

fn title(page: &str) -> String {
    let lower = page.to_lowercase();
    let inside = lower.find("<title>").and_then(|from| {
        let to = lower[from..].find("</title>")? + from;
        page.get(from + "<title>".len()..to)
    });
    inside.unwrap_or("without a title").trim().chars().take(120).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_error_inside_a_result_is_heard() {
        for (value, message, code) in [
            (json!({"status": "error", "message": "quota exceeded"}), "quota exceeded", None),
            (json!({"error": {"code": 403, "message": "forbidden"}}), "forbidden", None),
            (json!({"errCode": 40014, "errMsg": "invalid access_token"}), "invalid access_token", None),
            (
                json!({"Response": {"Error": {"Code": "Busy", "Message": "wait a little"}}}),
                "wait a little",
                Some("Busy"),
            ),
            (
                json!({"type": "about:blank", "title": "Forbidden", "status": 403, "detail": "scope is missing"}),
                "scope is missing",
                Some("about:blank"),
            ),
            (
                json!({"data": null, "errors": [{"message": "no", "extensions": {"code": "UNAUTHENTICATED"}}]}),
                "no",
                Some("UNAUTHENTICATED"),
            ),
            (
                json!({"took": 3, "errors": true, "items": [{"index": {"status": 201}}, {"index": {"status": 429, "error": {"type": "es_rejected", "reason": "queue is full"}}}]}),
                "es_rejected: queue is full",
                None,
            ),
            (
                json!({"state": "FAILED", "errorResult": {"reason": "accessDenied", "message": "you may not"}}),
                "you may not",
                Some("accessDenied"),
            ),
            (
                json!({"Note": "our standard API call frequency is 5 calls per minute"}),
                "our standard API call frequency is 5 calls per minute",
                None,
            ),
            (
                json!({"data": {"success": false, "reason": "locked"}, "headers": {}, "status_code": 200}),
                "locked",
                Some("locked"),
            ),
            (
                json!({"data": null, "errors": [{"type": "RATE_LIMITED", "message": "wait"}]}),
                "wait",
                Some("RATE_LIMITED"),
            ),
            (json!({"ok": false, "error": "invalid_auth"}), "invalid_auth", Some("invalid_auth")),
            (
                json!(
                    "<s:Envelope><s:Body><s:Fault><faultcode>s:Server</faultcode><faultstring>no ledger</faultstring></s:Fault></s:Body></s:Envelope>"
                ),
                "no ledger",
                Some("s:Server"),
            ),
            (json!("Error: the report is not ready"), "Error: the report is not ready", None),
        ] {
            let told = in_band(&value).unwrap_or_else(|| panic!("{value}"));
            assert_eq!((told.message.as_str(), told.code.as_deref()), (message, code), "{value}");
        }
        for value in [
            json!({"status": "ok", "error": null}),
            json!({"errors": []}),
            json!([1]),
            json!({"data": 1}),
            json!("<orders><order id='1'/></orders>"),
            json!("errors are listed below"),
            json!({"id": 404, "status": "open", "message": "hello"}),
            json!({"errorCode": 0, "errorMessage": "", "rows": [1]}),
            json!({"error_code": "OK", "rows": [1]}),
            json!({"error_rate": 0.2, "rows": [1]}),
            json!({"success": true, "code": 200}),
        ] {
            assert_eq!(in_band(&value), None, "{value}");
        }
    }
}
