//! Errors told inside results that count as successes: an error beside a status of 200, a fault in XML, a page for people.

use noetl_domain::error::TaskError;
use noetl_domain::{Map, Value};

use super::value::{is_nothing, short};

/// The error that a result tells. Its code is what the service calls it, for machines.
pub(crate) fn in_band(value: &Value) -> Option<TaskError> {
    let map = match value {
        Value::Object(map) => map,
        Value::String(text) => return in_text(text),
        _ => return None,
    };
    let text = |key: &str| map.get(key).and_then(Value::as_str);
    let flag = |key: &str| map.get(key).and_then(Value::as_bool);
    let status = text("status").or_else(|| text("state")).or_else(|| text("result")).unwrap_or_default();
    let is_error = matches!(
        status.to_ascii_lowercase().as_str(),
        "error" | "failed" | "failure" | "fail" | "ko" | "timeout"
    ) || flag("success") == Some(false)
        || flag("ok") == Some(false)
        || map.get("exit_code").and_then(Value::as_i64).is_some_and(|code| code != 0)
        || TELLING.iter().any(|key| map.get(*key).is_some_and(is_told));
    let code = ["status_code", "code", "statusCode"]
        .iter()
        .find_map(|key| map.get(*key).and_then(Value::as_u64))
        .filter(|code| (400..600).contains(code));
    if is_error || code.is_some() {
        let mut error = TaskError::new("tool_error", message_of(map).unwrap_or_else(|| status.to_owned()));
        error.status_code = code.map(|code| code as u16);
        error.code = code_of(map);
        return Some(error);
    }
    // The answer of a service lies one level further in.
    let is_wrapped =
        map.contains_key("data") && (map.contains_key("headers") || map.contains_key("status_code"));
    if is_wrapped { map.get("data").and_then(in_band) } else { None }
}

/// Fields whose presence tells of an error.
const TELLING: &[&str] = &["error", "errors", "exception", "fault", "Error", "Fault"];

fn is_told(value: &Value) -> bool {
    !is_nothing(value) && *value != Value::Bool(false) && value.as_f64() != Some(0.0)
}

fn message_of(map: &Map) -> Option<String> {
    const PLACES: &[&str] = &[
        "error",
        "errors",
        "exception",
        "fault",
        "Error",
        "Fault",
        "message",
        "Message",
        "detail",
        "reason",
        "error_message",
        "error_description",
        "title",
        "stderr",
    ];
    PLACES.iter().find_map(|key| match map.get(*key) {
        Some(Value::String(text)) if !text.trim().is_empty() => Some(text.clone()),
        Some(Value::Object(inner)) => message_of(inner),
        // Several errors: the first one speaks.
        Some(Value::Array(list)) => match list.first()? {
            Value::Object(inner) => message_of(inner).or_else(|| Some(short(&list[0]))),
            Value::String(text) => Some(text.clone()),
            other => Some(short(other)),
        },
        _ => None,
    })
}

/// What the service calls the error, beside its words.
fn code_of(map: &Map) -> Option<String> {
    const PLACES: &[&str] =
        &["code", "type", "error_code", "errorCode", "reason", "kind", "__type", "name", "Code"];
    let own = PLACES.iter().find_map(|key| {
        map.get(*key).and_then(Value::as_str).filter(|text| !text.is_empty() && text.len() <= 80)
    });
    let inner = || {
        TELLING.iter().find_map(|key| match map.get(*key)? {
            Value::Object(inner) => code_of(inner),
            Value::Array(list) => code_of(list.first()?.as_object()?),
            _ => None,
        })
    };
    inner().or_else(|| own.map(str::to_owned))
}

fn in_text(text: &str) -> Option<TaskError> {
    if is_page(text) {
        return Some(TaskError::new("http", format!("an HTML page came in place of data: {}", title(text))));
    }
    let start = text.trim_start();
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
            (json!({"ok": false, "error": "invalid_auth"}), "invalid_auth", None),
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
        ] {
            assert_eq!(in_band(&value), None, "{value}");
        }
    }
}
