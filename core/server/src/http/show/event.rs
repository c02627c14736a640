//! Events in the columns that every generation of readers knows (playbooks.md 19.2).
//!
//! `context` is what came in, `result` what came out, `meta` the rest; a large result is its reference.

use noetl_api::event::EventBody;
use noetl_domain::Value;
use noetl_domain::event::{Event, Recorded};
use noetl_domain::report::{Outcome, Report};
use noetl_domain::result::Stored;
use serde::Serialize;
use serde_json::json;

use super::{masked, masked_text, time};
use crate::store::Positioned;

pub(in crate::http) fn positioned(event: &Positioned) -> EventBody {
    EventBody { position: Some(event.position), ..recorded(&event.recorded) }
}

pub(in crate::http) fn recorded(recorded: &Recorded) -> EventBody {
    let event = &recorded.event;
    let mut body = EventBody {
        execution_id: recorded.execution,
        event_id: recorded.event_id,
        seq: recorded.seq,
        position: None,
        event_type: event.name().to_owned(),
        node_id: event.step().map(str::to_owned),
        node_name: event.step().map(str::to_owned),
        node_type: "step".to_owned(),
        status: "COMPLETED".to_owned(),
        created_at: time(recorded.at_ms),
        duration: None,
        attempt: None,
        worker_id: None,
        context: Value::Null,
        result: Value::Null,
        error: None,
        meta: Value::Null,
    };
    fill(&mut body, event);
    for value in [&mut body.context, &mut body.result, &mut body.meta] {
        *value = masked(value.take());
    }
    body.error = body.error.map(|error| masked_text(&error));
    body
}

fn fill(body: &mut EventBody, event: &Event) {
    match event {
        Event::ExecutionRequested(requested) => {
            set(body, "playbook", "STARTED");
            body.node_id = Some(requested.path.clone());
            body.context = json!({ "workload": requested.workload, "payload": requested.payload });
            body.meta = json!({
                "path": requested.path,
                "version": requested.version,
                "catalog_id": requested.catalog_id,
                "trigger": requested.trigger,
                "entry": requested.entry,
                "parent_execution_id": requested.parent.as_ref().map(|parent| parent.id.execution),
                "root_execution_id": requested.root,
                "target": requested.target,
                "trace": requested.trace,
            });
            if let Some(assigned) = &requested.rollout {
                body.meta["rollout"] = json!(assigned);
            }
        }
        Event::StepEntered { step: _, run, tokens, inputs } => {
            set(body, "step", "ENTERED");
            body.context = plain(inputs);
            body.meta = json!({ "run": run, "tokens": tokens });
        }
        Event::CommandIssued(issued) => {
            set(body, "task", "PENDING");
            body.node_id =
                Some(format!("{}:{}:{}:{}", body.execution_id, issued.step, issued.run, issued.batch));
            body.attempt = Some(issued.attempt);
            body.meta = json!({ "run": issued.run, "batch": issued.batch, "work": issued.work });
        }
        Event::Called(report) => called(body, report),
        Event::ChildStarted { id, index, child, request } => {
            set(body, "playbook", "STARTED");
            body.node_id = Some(id.to_string());
            body.context = plain(&request.payload);
            body.meta = json!({
                "child_execution_id": child, "index": index, "path": request.path, "version": request.version,
                "detached": request.detached,
            });
        }
        Event::ChildFinished { id, index, child, status, result } => {
            set(body, "playbook", status.as_str());
            body.node_id = Some(id.to_string());
            body.result = stored(&result.value);
            body.error = result.error.as_ref().map(|error| error.message.clone());
            body.meta = json!({ "child_execution_id": child, "index": index, "error": result.error });
        }
        Event::TimerFired { timer } => {
            set(body, "timer", "COMPLETED");
            body.meta = json!({ "timer": timer });
        }
        Event::LoopStarted { step: _, run, items, concurrency } => {
            set(body, "iterator", "STARTED");
            body.meta = json!({ "run": run, "total": total(items), "concurrency": concurrency });
        }
        Event::LoopFinished { step: _, run, stats, stored } => {
            set(body, "iterator", "COMPLETED");
            body.result = plain(stats);
            body.meta = json!({ "run": run, "results": stored });
        }
        Event::StepExited(exit) => {
            set(body, "step", exit.status.as_str());
            body.context = plain(&exit.ctx);
            body.result = exit.result.clone().unwrap_or_default();
            body.error = exit.error.as_ref().map(|error| error.message.clone());
            body.meta = json!({
                "run": exit.run, "handled": exit.handled, "routes": exit.routes, "not_taken": exit.not_taken,
                "error": exit.error,
            });
        }
        Event::ContextUpdated { ctx, source } => {
            set(body, "variable", "CONTEXT");
            body.context = plain(ctx);
            body.meta = json!({ "source": source });
        }
        Event::ExecutionRetried { steps, reason } => {
            set(body, "playbook", "RUNNING");
            body.meta = json!({ "steps": steps, "reason": reason });
        }
        Event::ExecutionFinished(finished) => {
            set(body, "playbook", finished.status.as_str());
            body.error = finished.error.as_ref().map(|error| error.message.clone());
            body.meta = plain(finished);
        }
        Event::Warned { step: _, code, message } => {
            set(body, "warning", "COMPLETED");
            body.meta = json!({ "code": code, "message": message });
        }
        Event::DiagnosisMade(diagnosed) => {
            set(body, "diagnosis", "COMPLETED");
            body.meta = plain(diagnosed);
        }
        Event::Noted { name: _, step: _, payload } => {
            set(body, "external", "COMPLETED");
            posted(body, payload);
        }
    }
}

/// What was posted stands in the columns that it was posted for; the whole of it is the context.
fn posted(body: &mut EventBody, payload: &Value) {
    let text = |name: &str| payload.get(name).and_then(Value::as_str).map(str::to_owned);
    if let Some(status) = text("status") {
        body.status = status;
    }
    if let Some(node_type) = text("node_type") {
        body.node_type = node_type;
    }
    if let Some(node_id) = text("node_id") {
        body.node_id = Some(node_id);
    }
    body.worker_id = text("worker_id");
    body.duration = payload.get("duration").and_then(Value::as_f64);
    body.error = match payload.get("error") {
        None | Some(Value::Null) => None,
        Some(Value::String(error)) => Some(error.clone()),
        Some(error) => Some(error.to_string()),
    };
    body.result = payload.get("result").cloned().unwrap_or_default();
    body.meta = payload.get("meta").cloned().unwrap_or_default();
    body.context = payload.clone();
}

fn called(body: &mut EventBody, report: &Report) {
    let error = report.first_error();
    set(body, "task", if error.is_some() { "FAILED" } else { "COMPLETED" });
    body.node_id = Some(report.id.to_string());
    body.duration = Some((report.finished_ms - report.started_ms).max(0) as f64 / 1000.0);
    body.attempt = Some(report.attempt);
    body.worker_id = Some(report.worker.clone());
    body.error = error.map(|error| error.message.clone());
    let done: u64 = report.runs.iter().map(|run| run.count).sum();
    let mut results: Vec<Value> = Vec::new();
    for run in &report.runs {
        results.extend(serde_json::from_str::<Vec<Value>>(run.results.get()).unwrap_or_default());
    }
    let (mut parked, mut cancelled) = (0, 0);
    for item in &report.items {
        match &item.outcome {
            Outcome::Ok { result, .. } | Outcome::Error { result, .. } => results.push(stored(result)),
            Outcome::Parked { .. } => parked += 1,
            Outcome::Cancelled => cancelled += 1,
        }
    }
    if parked > 0 && error.is_none() {
        "PENDING".clone_into(&mut body.status);
    } else if cancelled > 0 && error.is_none() {
        "CANCELLED".clone_into(&mut body.status);
    }
    let iterations = done + report.items.len() as u64;
    body.result = if iterations == 1 { results.pop().unwrap_or_default() } else { Value::Array(results) };
    let calls: Vec<_> = report.items.iter().flat_map(|item| &item.calls).collect();
    body.meta = json!({
        "run": report.id.run,
        "batch": report.id.batch,
        "iterations": iterations,
        "parked": parked,
        "cancelled": cancelled,
        "claimed": report.claimed,
        "started_at": time(report.started_ms),
        "calls": calls,
        "error": error,
    });
}

fn set(body: &mut EventBody, node_type: &str, status: &str) {
    node_type.clone_into(&mut body.node_type);
    status.clone_into(&mut body.status);
}

fn total(items: &noetl_domain::event::LoopItems) -> Option<u64> {
    use noetl_domain::event::LoopItems;
    match items {
        LoopItems::List(list) => Some(list.len() as u64),
        LoopItems::Range(total) => Some(*total),
        LoopItems::Cursor { .. } => None,
    }
}

fn plain(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

pub(in crate::http) fn stored(value: &Stored) -> Value {
    plain(value)
}
