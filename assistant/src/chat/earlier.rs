//! What is taken over from an earlier question, and what is put in its place.

use chrono::{DateTime, Utc};
use noetl_api::chat::{About, Understood};
use serde_json::{Map, Value, json};

use crate::tools::written;

/// What a question was about, without where and when.
pub(super) fn what_of(previous: &Understood) -> String {
    let reading = &previous.reading;
    let path = previous.about.playbook.as_ref().map(|path| format!(" of {path}"));
    let parts = [", all playbooks", ", since ", ", step ", " (it could"].into_iter();
    let end = parts.chain(path.as_deref()).filter_map(|part| reading.find(part)).min();
    reading[..end.unwrap_or(reading.len())].to_owned()
}

pub(super) fn set_stretch(
    arguments: &mut Map<String, Value>,
    about: &mut About,
    from: DateTime<Utc>,
    until: Option<DateTime<Utc>>,
) {
    arguments.insert("since".to_owned(), json!(written(from)));
    about.since = Some(written(from));
    about.until = until.map(written);
    match &about.until {
        Some(until) => arguments.insert("until".to_owned(), json!(until)),
        None => arguments.remove("until"),
    };
}
