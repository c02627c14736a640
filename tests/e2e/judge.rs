//! Compares what came out of an execution with what must.

use std::collections::BTreeMap;

use noetl_test_service::Service;
use serde_json::{Value, json};

use crate::app::App;
use crate::expectation::{Run, fill, fill_text};
use crate::postgres::Database;

/// Everything a run is judged by.
#[derive(Debug)]
pub(crate) struct Outcome<'a> {
    pub(crate) app: &'a App,
    pub(crate) service: &'a Service,
    pub(crate) database: Option<&'a Database>,
    pub(crate) id: &'a str,
    pub(crate) status: Value,
    pub(crate) names: &'a [(&'a str, &'a str)],
}

/// Every way in which the outcome differs from the expectation, one line each.
pub(crate) async fn problems(outcome: &Outcome<'_>, run: &Run) -> Vec<String> {
    let mut problems = Vec::new();
    let Outcome { app, id, status, .. } = outcome;
    let events = app.events(id).await;

    let expected = run.status.as_deref().unwrap_or("COMPLETED");
    if status["status"] != expected {
        problems.push(format!(
            "ended {} instead of {expected}: {}",
            status["status"],
            short(&status["error"])
        ));
    }
    check_steps(run, &events, &mut problems);
    let listed = |key: &str| -> Vec<&str> {
        status[key]
            .as_array()
            .map(|names| names.iter().filter_map(Value::as_str).collect())
            .unwrap_or_default()
    };
    for step in run.failed.iter().filter(|step| !listed("failed_steps").contains(&step.as_str())) {
        problems.push(format!("{step} is not among the failed steps {:?}", listed("failed_steps")));
    }
    for step in run.handled.iter().filter(|step| !listed("handled_failures").contains(&step.as_str())) {
        problems.push(format!("{step} is not among the handled failures {:?}", listed("handled_failures")));
    }
    for text in run.error.iter().filter(|text| !status["error"].to_string().contains(text.as_str())) {
        problems.push(format!("the error does not say {text:?}: {}", short(&status["error"])));
    }
    for code in run.code.iter().filter(|code| !status.to_string().contains(code.as_str())) {
        problems.push(format!("the status does not name {code}: {}", short(&status["error"])));
    }
    if let Some(expected) = &run.r#final {
        differs("final result", &status["result"], &fill(expected, outcome.names), &mut problems);
    }
    for (expression, expected) in &run.results {
        differs(expression, &app.render(id, expression).await, &fill(expected, outcome.names), &mut problems);
    }
    if !run.vars.is_empty() {
        let found = app.get(&format!("/api/vars/{id}")).await;
        for (name, expected) in &run.vars {
            differs(&format!("vars.{name}"), &found["variables"][name]["value"], expected, &mut problems);
        }
    }
    if let Some(expected) = run.children {
        let found = app.get(&format!("/api/executions?parent_execution_id={id}")).await;
        let list =
            found.as_array().or_else(|| found["executions"].as_array()).or_else(|| found["items"].as_array());
        differs("children", &json!(list.map_or(0, Vec::len)), &json!(expected), &mut problems);
    }
    if !run.logs.is_empty() {
        let lines = app.get(&format!("/api/executions/{id}/logs")).await.to_string();
        let missing = run.logs.iter().filter(|text| !lines.contains(text.as_str()));
        problems.extend(missing.map(|text| format!("no log line says {text:?}: {}", short(&json!(lines)))));
    }
    for (request, expected) in &run.http {
        differs(request, &json!(outcome.service.count(request)), &json!(expected), &mut problems);
    }
    if !run.queries.is_empty() {
        let found: Vec<String> = outcome
            .service
            .hits()
            .into_iter()
            .map(|hit| hit.query)
            .filter(|query| !query.is_empty())
            .collect();
        differs("queries", &json!(found), &json!(run.queries), &mut problems);
    }
    if let Some(database) = outcome.database {
        for sql in &run.sql {
            let query = fill_text(&sql.query, outcome.names);
            let found = database.rows(&query).await.unwrap_or_else(|error| json!(error));
            differs(&query, &found, &fill(&json!(sql.rows), outcome.names), &mut problems);
        }
    }
    problems
}

fn check_steps(run: &Run, events: &[Value], problems: &mut Vec<String>) {
    let of_type = |kind: &str| -> Vec<&str> {
        let events = events.iter().filter(|event| event["event_type"] == kind);
        events.filter_map(|event| event["node_name"].as_str()).collect()
    };
    let mut entered: BTreeMap<&str, usize> = BTreeMap::new();
    for step in of_type("step.enter") {
        *entered.entry(step).or_default() += 1;
    }
    let (ended, skipped) = (of_type("step.exit"), of_type("step.skipped"));
    for step in &run.once {
        let count = entered.get(step.as_str()).copied().unwrap_or_default();
        let exits = ended.iter().filter(|name| *name == step).count();
        if (count, exits) != (1, 1) {
            problems
                .push(format!("{step} was entered {count} times and ended {exits} times, instead of once"));
        }
    }
    for (step, expected) in &run.runs {
        let count = entered.get(step.as_str()).copied().unwrap_or_default();
        if count != *expected {
            problems.push(format!("{step} was entered {count} times instead of {expected}"));
        }
    }
    for step in run.never.iter().filter(|step| entered.contains_key(step.as_str())) {
        problems.push(format!("{step} was entered, and must not be"));
    }
    for step in run.skipped.iter().filter(|step| !skipped.contains(&step.as_str())) {
        problems.push(format!("{step} was not skipped"));
    }
    if !run.order.is_empty() && ended != run.order {
        problems.push(format!("steps ended as {ended:?} instead of {:?}", run.order));
    }
    if let Some(last) = &run.last
        && ended.last() != Some(&last.as_str())
    {
        problems.push(format!("the last step was {:?} instead of {last}", ended.last()));
    }
}

fn differs(what: &str, found: &Value, expected: &Value, problems: &mut Vec<String>) {
    if !same(found, expected) {
        problems.push(format!("{what} is {} instead of {}", short(found), short(expected)));
    }
}

/// Equal as JSON, where 5 and 5.0 are the same number.
fn same(found: &Value, expected: &Value) -> bool {
    match (found, expected) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        (a, b) => a == b,
    }
}

fn short(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= 400 { text } else { text.chars().take(400).chain("…".chars()).collect() }
}
