//! `schedule`: a cron line, an interval, a map with either, or a list of those.

use super::keys;
use super::reader::Reader;
use crate::Map;
use crate::code::Code;
use crate::finding::Span;
use crate::playbook::{CatchUp, ScheduleSpec, ScheduleWhen};
use crate::yaml::{Data, Node};

const KEYS: &[&str] = &[
    "cron",
    "interval",
    "every",
    "interval_seconds",
    "timezone",
    "payload",
    "workload",
    "catch_up",
    "catchup",
    "enabled",
];
const NICKNAMES: &[&str] = &["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"];

pub(super) fn read<'a>(reader: &mut Reader<'a>, node: &'a Node) -> Vec<ScheduleSpec> {
    reader.source.mark("schedules", node.span);
    match &node.data {
        Data::List(items) => items.iter().flat_map(|item| read(reader, item)).collect(),
        Data::Map(_) => map(reader, node).into_iter().collect(),
        Data::Null => Vec::new(),
        _ => {
            let text = node.scalar_text().unwrap_or_default();
            let when = if text.split_whitespace().count() >= 5 || text.starts_with('@') {
                cron(reader, &text, node.span)
            } else {
                interval(reader, node)
            };
            when.map(plain).into_iter().collect()
        }
    }
}

fn plain(when: ScheduleWhen) -> ScheduleSpec {
    ScheduleSpec { when, payload: Map::new(), timezone: None, catch_up: CatchUp::Skip, enabled: true }
}

fn map<'a>(reader: &mut Reader<'a>, node: &'a Node) -> Option<ScheduleSpec> {
    let mut fields = reader.fields(node, "`schedule`")?;
    let cron_node = fields.take("cron");
    let every = fields.take_any(&["interval", "every", "interval_seconds"]);
    let when = match (cron_node, every) {
        (Some(_), Some(_)) => {
            reader.error(Code::InvalidSchedule, node.span, "a schedule has `cron` or `interval`, not both");
            None
        }
        (Some(node), None) => {
            let text = reader.text(node, "`cron`");
            text.and_then(|text| cron(reader, &text, node.span))
        }
        (None, Some(node)) => interval(reader, node),
        (None, None) => {
            let hint = "write `cron: \"*/5 * * * *\"` or `interval: 30s`";
            reader.error_hint(Code::InvalidSchedule, node.span, "the schedule says no time", hint);
            None
        }
    };
    let mut schedule = plain(when.clone().unwrap_or(ScheduleWhen::IntervalSeconds(60.0)));
    if let Some(node) = fields.take_any(&["timezone", "tz"]) {
        schedule.timezone = reader.text(node, "`timezone`");
    }
    if let Some(node) = fields.take_any(&["payload", "workload", "args", "input"]) {
        schedule.payload = reader.map(node, "schedules/payload", "`payload`");
    }
    if let Some(node) = fields.take_any(&["catch_up", "catchup"]) {
        let words = [
            ("skip", CatchUp::Skip),
            ("none", CatchUp::Skip),
            ("false", CatchUp::Skip),
            ("latest", CatchUp::Latest),
            ("one", CatchUp::Latest),
            ("all", CatchUp::All),
            ("true", CatchUp::All),
        ];
        schedule.catch_up = reader.word(node, "`catch_up`", &words).unwrap_or_default();
    }
    if let Some(node) = fields.take("enabled") {
        schedule.enabled = reader.boolean(node, "`enabled`").unwrap_or(true);
    }
    fields.ignore(&["name", "desc", "description"]);
    for entry in fields.rest() {
        keys::unknown(reader, entry, "`schedule`", KEYS);
    }
    when.map(|_| schedule)
}

fn interval(reader: &mut Reader<'_>, node: &Node) -> Option<ScheduleWhen> {
    let seconds = node
        .as_str()
        .map_or_else(|| node.scalar_text().and_then(|text| text.parse().ok()), super::reader::duration);
    if let Some(seconds) = seconds.filter(|seconds: &f64| *seconds > 0.0) {
        Some(ScheduleWhen::IntervalSeconds(seconds))
    } else {
        let hint = "write `30s`, `5m`, `1h`, or a cron line such as `*/5 * * * *`";
        reader.error_hint(Code::InvalidSchedule, node.span, "the interval cannot be read", hint);
        None
    }
}

/// The shape of a cron line; the server's cron library has the last word on what it means.
fn cron(reader: &mut Reader<'_>, text: &str, span: Span) -> Option<ScheduleWhen> {
    let text = text.trim();
    let fields: Vec<&str> = text.split_whitespace().collect();
    let shaped = (5..=7).contains(&fields.len())
        && fields.iter().all(|field| {
            field.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '*' | '/' | ',' | '-' | '?' | '#'))
        })
        && plausible(&fields);
    if shaped || NICKNAMES.contains(&text.to_lowercase().as_str()) {
        return Some(ScheduleWhen::Cron(text.to_owned()));
    }
    let hint = "write minute, hour, day, month and weekday: `*/5 * * * *`";
    reader.error_hint(Code::InvalidSchedule, span, format!("`{text}` is not a cron line"), hint);
    None
}

fn plausible(fields: &[&str]) -> bool {
    // With six or seven fields, seconds come first and years last.
    let limits: &[u32] =
        if fields.len() == 5 { &[59, 23, 31, 12, 7] } else { &[59, 59, 23, 31, 12, 7, 9999] };
    fields.iter().zip(limits).all(|(field, limit)| {
        field.split([',', '-', '/']).all(|part| {
            part.parse::<u32>()
                .map_or(!part.is_empty(), |number| number <= *limit || *limit < 8 && number < 8)
        })
    })
}
