//! What of a Step can be tuned, and what must not be: settings as numbers, and whether a Step may be repeated at all.
//!
//! The control plane compares two versions of a playbook by these, whatever a Proposal claims to change.

use std::collections::BTreeMap;

use crate::Value;
use crate::playbook::{Directive, Retry, Step, Task};

/// Attempts that no Proposal may exceed, whatever a policy says.
pub const MOST_ATTEMPTS: f64 = 20.0;
/// Tries of one task that end in an error before the worker makes no more, whatever its author wrote.
pub const MOST_TRIES: u32 = 1_000;
/// Seconds between two attempts.
pub const LONGEST_DELAY: f64 = 3_600.0;
/// Seconds that a step may take.
pub const LONGEST_TIMEOUT: f64 = 86_400.0;
/// Elements of a loop side by side.
pub const MOST_IN_FLIGHT: f64 = 1_000.0;
/// Elements of a loop in one call.
pub const LARGEST_BATCH: f64 = 1_000_000.0;

/// The largest value that a parameter may ever get; none for one that is not a number.
pub fn hard_limit(parameter: &str) -> Option<f64> {
    match parameter {
        "retry.max_attempts" => Some(MOST_ATTEMPTS),
        "retry.initial_delay" | "retry.max_delay" => Some(LONGEST_DELAY),
        "timeout" => Some(LONGEST_TIMEOUT),
        "max_in_flight" => Some(MOST_IN_FLIGHT),
        "batch_size" => Some(LARGEST_BATCH),
        _ => None,
    }
}

/// Settings of a Step under the names that policies know. Of several tasks the largest value counts; a template is
/// kept as its text.
pub fn settings(step: &Step) -> BTreeMap<&'static str, Value> {
    let mut settings = BTreeMap::new();
    for retry in &step.retry {
        add_retry(&mut settings, retry);
    }
    for task in &step.body {
        add_task(&mut settings, task);
    }
    if let Some(timeout) = &step.timeout_seconds {
        raise(&mut settings, "timeout", timeout);
    }
    if let Some(looped) = &step.looped {
        for (name, value) in [("max_in_flight", &looped.max_in_flight), ("batch_size", &looped.chunk)] {
            if let Some(value) = value {
                raise(&mut settings, name, value);
            }
        }
    }
    if let Some(pool) = &step.pool {
        settings.insert("pool", Value::from(pool.clone()));
    }
    settings
}

fn add_task(settings: &mut BTreeMap<&'static str, Value>, task: &Task) {
    for retry in task.retry.iter().chain(task.repeat.iter().flat_map(|repeat| &repeat.retry)) {
        add_retry(settings, retry);
    }
    for rule in &task.rules {
        if let Directive::Retry { attempts, delay_seconds, .. } = &rule.directive {
            raise(settings, "retry.max_attempts", attempts);
            raise(settings, "retry.initial_delay", delay_seconds);
        }
    }
    if let Some(timeout) = &task.timeout_seconds {
        raise(settings, "timeout", timeout);
    }
    for inner in task.nested.iter().flat_map(|step| &step.body) {
        add_task(settings, inner);
    }
}

fn add_retry(settings: &mut BTreeMap<&'static str, Value>, retry: &Retry) {
    raise(settings, "retry.max_attempts", &retry.max_attempts);
    raise(settings, "retry.initial_delay", &retry.initial_delay_seconds);
    raise(settings, "retry.max_delay", &retry.max_delay_seconds);
}

fn raise(settings: &mut BTreeMap<&'static str, Value>, name: &'static str, value: &Value) {
    let larger = match (settings.get(name).and_then(number), number(value)) {
        (Some(known), Some(new)) => new > known,
        // A template could be anything, so it hides every number.
        (None, Some(_)) => !settings.contains_key(name),
        (_, None) => true,
    };
    if larger {
        settings.insert(name, value.clone());
    }
}

/// A setting as a number: the larger of two that a condition chooses from; none for any other template.
pub fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok().or_else(|| larger_of_two(text)),
        _ => None,
    }
}

/// `{{ 1 if error.status_code == 404 else 3 }}`: attempts that depend on the cause.
fn larger_of_two(text: &str) -> Option<f64> {
    let inner = text.trim().strip_prefix("{{")?.strip_suffix("}}")?;
    let (first, rest) = inner.split_once(" if ")?;
    let (condition, second) = rest.rsplit_once(" else ")?;
    if condition.contains(" if ") || condition.contains(" else ") || condition.contains("{{") {
        return None;
    }
    let (first, second): (f64, f64) = (first.trim().parse().ok()?, second.trim().parse().ok()?);
    Some(first.max(second))
}

/// Why a Step may not be given more attempts; none when doing it twice is the same as doing it once.
///
/// A Step or its task says so itself (`idempotent: true`), or every call in it only reads, or writes the same again.
pub fn not_repeatable(step: &Step) -> Option<String> {
    match step.idempotent {
        Some(true) => None,
        Some(false) => Some(format!("step {:?} says that it is not idempotent", step.name)),
        None => step.body.iter().find(|task| !only_reads(task)).map(|task| {
            format!(
                "step {:?} calls `{}`, which may change something each time, and is not marked `idempotent: true`",
                step.name, task.kind
            )
        }),
    }
}

fn only_reads(task: &Task) -> bool {
    if let Some(marked) = task.idempotent {
        return marked;
    }
    let text = |key: &str| task.config.get(key).and_then(Value::as_str);
    match task.kind.as_str() {
        "noop" | "sleep" | "secrets" | "router" => true,
        "http" => {
            let method = text("method").unwrap_or("GET").to_ascii_uppercase();
            task.saves.is_empty() && matches!(method.as_str(), "GET" | "HEAD" | "OPTIONS" | "PUT" | "DELETE")
        }
        "postgres" | "sqlite" | "duckdb" | "clickhouse" => {
            let sql = ["command", "query", "sql", "statement"].iter().find_map(|key| text(key));
            task.saves.is_empty() && sql.is_some_and(is_select)
        }
        _ => false,
    }
}

/// One statement that reads: a CTE may write in some databases, so only a plain SELECT counts.
fn is_select(sql: &str) -> bool {
    let sql = sql.trim().trim_end_matches(';');
    let first = sql.split_whitespace().next().unwrap_or_default();
    first.eq_ignore_ascii_case("select") && !sql.contains(';') && !sql.to_ascii_lowercase().contains(" into ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect;

    #[test]
    fn a_choice_of_two_numbers_is_bounded_by_the_larger() {
        let of = |text: &str| number(&Value::from(text));
        assert_eq!(of("{{ 1 if error and error.status_code == 404 else 3 }}"), Some(3.0));
        assert_eq!(of("{{ 6 if error.code == 'X' else 3 }}"), Some(6.0));
        assert_eq!(of("{{ workload.n if error else 3 }}"), None);
        assert_eq!(of("{{ 1 if a else 99 if b else 3 }}"), None);
    }

    fn step(text: &str) -> Step {
        let indented = text.replace('\n', "\n    ");
        let yaml = format!(
            "apiVersion: noetl.io/v2\nkind: Playbook\nmetadata:\n  name: p\n  path: p\nworkflow:\n  - step: start\n    {indented}\n"
        );
        let reading = dialect::read(&yaml);
        let mut playbook = reading.playbook.unwrap_or_else(|| panic!("{:?}\n{yaml}", reading.findings));
        playbook.steps.remove(0)
    }

    #[test]
    fn settings_are_the_largest_of_a_step_and_templates_hide_them() {
        let written = step(
            "tool:\n  kind: http\n  url: http://x\n  retry:\n    max_attempts: 4\n    initial_delay: 2\ntimeout: 30\npool: big",
        );
        let found = settings(&written);
        assert_eq!(found["retry.max_attempts"], 4);
        assert_eq!(number(&found["retry.initial_delay"]), Some(2.0));
        assert_eq!(number(&found["timeout"]), Some(30.0));
        assert_eq!(found["pool"], "big");
        let templated =
            step("tool:\n  kind: http\n  url: http://x\n  retry:\n    max_attempts: \"{{ workload.n }}\"");
        assert_eq!(number(&settings(&templated)["retry.max_attempts"]), None);
    }

    #[test]
    fn only_what_reads_or_says_so_may_be_repeated() {
        for (text, repeatable) in [
            ("tool:\n  kind: http\n  url: http://x", true),
            ("tool:\n  kind: http\n  method: POST\n  url: http://x", false),
            ("idempotent: true\ntool:\n  kind: http\n  method: POST\n  url: http://x", true),
            ("idempotent: false\ntool:\n  kind: http\n  url: http://x", false),
            ("tool:\n  kind: sqlite\n  query: SELECT 1", true),
            ("tool:\n  kind: sqlite\n  query: SELECT 1; DELETE FROM a", false),
            ("tool:\n  kind: python\n  code: result = 1", false),
        ] {
            assert_eq!(not_repeatable(&step(text)).is_none(), repeatable, "{text}");
        }
    }
}
