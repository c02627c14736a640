//! Every `retry:` form: true, a count, an object (B), a list of `{when, then}` (C), `on_error`/`on_success` (C).

use super::condition::is_template;
use super::fields::Fields;
use super::reader::Reader;
use super::{keys, pagination};
use crate::code::Code;
use crate::playbook::{Dialect, Expr, Repeat, Retry};
use crate::yaml::{Data, Node};
use crate::{Value, finding::Finding};

const KEYS: &[&str] = &[
    "max_attempts",
    "attempts",
    "max_retries",
    "initial_delay",
    "delay",
    "initial_delay_seconds",
    "max_delay",
    "max_delay_seconds",
    "backoff_multiplier",
    "multiplier",
    "backoff",
    "jitter",
    "retry_when",
    "when",
    "stop_when",
    "enabled",
    "then",
    "on_error",
    "on_success",
];

/// What a retry block asks for: new tries after a failure, and new calls after a success.
#[derive(Default)]
pub(super) struct Tries {
    pub(super) retry: Vec<Retry>,
    pub(super) repeat: Option<Repeat>,
}

pub(super) fn plain() -> Retry {
    Retry {
        max_attempts: Value::from(3),
        initial_delay_seconds: Value::from(1),
        max_delay_seconds: Value::from(60),
        multiplier: Value::from(2),
        linear: false,
        jitter: true,
        when: None,
        stop_when: None,
    }
}

pub(super) fn read<'a>(reader: &mut Reader<'a>, node: &'a Node, path: &str) -> Tries {
    reader.source.mark(path, node.span);
    match &node.data {
        Data::Null | Data::Bool(false) => Tries::default(),
        Data::Bool(true) => Tries { retry: vec![plain()], repeat: None },
        Data::Number(number) => {
            if number.as_f64().is_some_and(|count| count < 1.0) {
                return Tries::default();
            }
            Tries {
                retry: vec![Retry { max_attempts: Value::Number(number.clone()), ..plain() }],
                repeat: None,
            }
        }
        Data::String(text) if is_template(text) => Tries {
            retry: vec![Retry { max_attempts: Value::String(text.clone()), ..plain() }],
            repeat: None,
        },
        Data::String(_) => match reader.number(node, "`retry`") {
            Some(max_attempts) => Tries { retry: vec![Retry { max_attempts, ..plain() }], repeat: None },
            None => Tries::default(),
        },
        Data::Map(_) => object(reader, node, path),
        Data::List(items) => {
            let mut tries = Tries::default();
            for (index, item) in items.iter().enumerate() {
                if item.get("then").is_some() {
                    reader.met(Dialect::C, Dialect::C);
                }
                let more = object(reader, item, &format!("{path}/{index}"));
                tries.retry.extend(more.retry);
                tries.repeat = tries.repeat.or(more.repeat);
            }
            tries
        }
    }
}

fn object<'a>(reader: &mut Reader<'a>, node: &'a Node, path: &str) -> Tries {
    let Some(mut fields) = reader.fields(node, "`retry`") else { return Tries::default() };
    let mut tries = Tries::default();
    if fields.has_any(&["on_error", "on_success"]) {
        reader.met(Dialect::C, Dialect::C);
        if let Some(node) = fields.take("on_error") {
            tries.retry.extend(read(reader, node, &format!("{path}/on_error")).retry);
        }
        if let Some(mut success) =
            fields.take("on_success").and_then(|node| reader.fields(node, "`on_success`"))
        {
            let condition = success.take_any(&["while", "continue_while", "when"]);
            let condition = condition.and_then(|node| reader.expr(node, &format!("{path}/while"), "`while`"));
            let condition = condition.unwrap_or_else(|| Expr("false".to_owned()));
            tries.repeat = Some(pagination::repeat(reader, success, condition, path));
        }
        finish(reader, fields);
        return tries;
    }
    if fields.take("enabled").is_some_and(|node| reader.boolean(node, "`enabled`") == Some(false)) {
        return tries;
    }
    let when = fields
        .take_any(&["when", "retry_when"])
        .and_then(|node| reader.expr(node, &format!("{path}/when"), "`when`"));
    // `{when, then: {…}}`: the block is in `then`.
    if let Some(then) = fields.take("then") {
        finish(reader, fields);
        let Some(then) = reader.fields(then, "`then`") else { return tries };
        if pagination::is_repeat(&then) {
            let when = when.unwrap_or_else(|| Expr("true".to_owned()));
            tries.repeat = Some(pagination::repeat(reader, then, when, path));
        } else {
            tries.retry.push(block(reader, then, when, path));
        }
        return tries;
    }
    tries.retry.push(block(reader, fields, when, path));
    tries
}

/// The numbers of a retry.
pub(super) fn block<'a>(
    reader: &mut Reader<'a>,
    mut fields: Fields<'a>,
    when: Option<Expr>,
    path: &str,
) -> Retry {
    let mut retry = Retry { when, ..plain() };
    if let Some(node) = fields.take("retry_when") {
        retry.when = reader.expr(node, &format!("{path}/when"), "`retry_when`");
    }
    if let Some(node) = fields.take("stop_when") {
        retry.stop_when = reader.expr(node, &format!("{path}/stop_when"), "`stop_when`");
    }
    if let Some(value) = fields.take_any(&["max_attempts", "attempts"]) {
        retry.max_attempts = reader.number(value, "`max_attempts`").unwrap_or(retry.max_attempts);
    } else if let Some(value) =
        fields.take("max_retries").and_then(|node| reader.number(node, "`max_retries`"))
    {
        retry.max_attempts = value.as_i64().map_or(value, |retries| Value::from(retries + 1));
    }
    if let Some(node) = fields.take_any(&["initial_delay", "delay", "initial_delay_seconds"]) {
        retry.initial_delay_seconds =
            reader.seconds(node, "`initial_delay`").unwrap_or(retry.initial_delay_seconds);
    }
    if let Some(node) = fields.take_any(&["max_delay", "max_delay_seconds"]) {
        retry.max_delay_seconds = reader.seconds(node, "`max_delay`").unwrap_or(retry.max_delay_seconds);
    }
    if let Some(node) = fields.take("backoff") {
        match &node.data {
            Data::String(word) => match word.to_lowercase().as_str() {
                "exponential" => {}
                "fixed" | "constant" => retry.multiplier = Value::from(1),
                "linear" => retry.linear = true,
                "none" => {
                    retry.multiplier = Value::from(1);
                    retry.initial_delay_seconds = Value::from(0);
                }
                _ => {
                    reader.word::<()>(
                        node,
                        "`backoff`",
                        &[("none", ()), ("fixed", ()), ("linear", ()), ("exponential", ())],
                    );
                }
            },
            _ => retry.multiplier = reader.number(node, "`backoff`").unwrap_or(retry.multiplier),
        }
    }
    if let Some(node) = fields.take_any(&["backoff_multiplier", "multiplier"]) {
        retry.multiplier = reader.number(node, "`backoff_multiplier`").unwrap_or(retry.multiplier);
    }
    if let Some(node) = fields.take("jitter") {
        // B: true, or the random factor itself.
        retry.jitter = match &node.data {
            Data::Number(number) => number.as_f64().is_some_and(|factor| factor > 0.0),
            _ => reader.boolean(node, "`jitter`").unwrap_or(true),
        };
    }
    if retry.max_attempts.as_f64().is_some_and(|count| count < 1.0) {
        let finding = Finding::error(Code::UnknownValue, fields.span(), "`max_attempts` must be at least 1")
            .hint("the first try counts: 1 means no retry");
        reader.findings.push(finding);
    }
    finish(reader, fields);
    retry
}

fn finish(reader: &mut Reader<'_>, mut fields: Fields<'_>) {
    for entry in fields.rest() {
        keys::unknown(reader, entry, "`retry`", KEYS);
    }
}
