//! The fault laboratory: playbooks run for real, each with a known fault, and what the assistant says of it.
//!
//! `tests/faults/*.yaml` hold the cases. A case may run well first, so that there is a good run to compare with; the
//! fault is then a switched answer of the service, another input, or another version of the playbook.
//! Evidence may be removed before anybody asks.
//! `NOETL_TEST_ONLY=name` runs only the cases whose name or file contains the text; `NOETL_LAB_JSON=FILE` keeps the
//! figures, and `NOETL_LAB_BINARY=FILE` examines another binary, such as a release (`cargo xtask bench --assistant`).

mod calibration;
mod case;
mod history;
mod last_error;
mod llm;
mod load;
mod places;
mod report;
mod server;

use std::path::Path;

use futures::StreamExt as _;
use serde_json::{Value, json};

use self::case::{Case, Removed, Run};
use self::places::Places;
use self::report::{Report, Told};
use crate::app::App;

/// Cases that run side by side.
const AT_ONCE: usize = 4;
/// Shares of right answers below which the laboratory fails.
const FLOOR: f64 = 0.95;
const ABSTENTION_FLOOR: f64 = 0.98;
const CALIBRATION_CEILING: f64 = 0.05;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_are_explained() {
    let only = std::env::var("NOETL_TEST_ONLY").unwrap_or_default();
    let mut cases = case::all();
    cases.retain(|case| case.name.contains(&only) || case.file == only);
    let places = Places::open(&cases).await;
    let app = App::start().await;
    let (app, places) = (&app, &places);
    let told: Vec<Told> = futures::stream::iter(cases)
        .map(async |case| {
            let found = examine(app, places, &case).await;
            Told { case, found }
        })
        .buffered(AT_ONCE)
        .collect()
        .await;
    let report = Report::new(told);
    eprintln!("{report}");
    if let Ok(file) = std::env::var("NOETL_LAB_JSON") {
        std::fs::write(&file, report.figures().to_string()).expect("the figures are written");
    }
    assert!(report.broken().is_empty(), "cases that did not come about:\n{}", report.broken().join("\n"));
    if only.is_empty() {
        assert!(report.root_and_cause() >= FLOOR, "root and cause right in {:.3}", report.root_and_cause());
        assert!(report.abstention() >= ABSTENTION_FLOOR, "abstention right in {:.3}", report.abstention());
        assert!(report.unresolved().is_empty(), "citations that lead nowhere: {:?}", report.unresolved());
        // What is promised is how often answers are right that the rules were not mended with.
        let error = calibration::error(&report.at_first_sight());
        assert!(error < CALIBRATION_CEILING, "calibration error at first sight {error:.3}");
        let over = report.over_confidence();
        assert!(over < CALIBRATION_CEILING, "answers are surer than they are right by {over:.3}");
    }
}

/// Brings the fault about, and asks why.
async fn examine(app: &App, places: &Places, case: &Case) -> Result<Value, String> {
    let id = brought_about(app, places, case).await?;
    let (code, mut diagnosis) = app.ask(&format!("POST /api/executions/{id}/diagnose"), None).await;
    if code != 200 {
        return Err(format!("no diagnosis: {code} {diagnosis}"));
    }
    diagnosis["unresolved"] = json!(unresolved(app, &diagnosis).await);
    diagnosis["last_error"] = last_error::read(app, &id).await;
    if case.fault.asked_at.is_some() {
        // What waits at a gate would keep a slot of the worker from all cases after it.
        app.post(&format!("/api/executions/{id}/cancel"), &json!({"reason": "it was asked about"})).await;
    }
    Ok(diagnosis)
}

/// The id of an execution with the fault in it.
async fn brought_about(app: &App, places: &Places, case: &Case) -> Result<String, String> {
    keep(app, places, case, &case.credentials).await?;
    let whole = |path: &str, text: &str| places.fill(&case::playbook(path, text), case);
    for (path, text) in &case.children {
        app.register(&whole(&format!("faults/{}/{path}", case.name), text)).await?;
    }
    let path = format!("faults/{}", case.name);
    let text = whole(&path, &case.playbook);
    let earlier = case.good_playbook.as_ref().map(|good| whole(&path, good));
    app.register(earlier.as_ref().unwrap_or(&text)).await?;
    for good in &case.good {
        let (id, status) = run(app, places, case, good).await?;
        if status["status"] != "COMPLETED" {
            return Err(format!("the good run {id} ended otherwise: {status}"));
        }
    }
    for (path, text) in &case.bad_children {
        app.register(&whole(&format!("faults/{}/{path}", case.name), text)).await?;
    }
    if earlier.is_some() {
        app.register(&text).await?;
    }
    let (id, status) = run(app, places, case, &case.fault).await?;
    let wanted = case.status.as_deref().unwrap_or("FAILED");
    if status["status"] != wanted {
        return Err(format!("the run {id} was to be {wanted}: {status}"));
    }
    remove(app, &id, &case.remove)?;
    Ok(id)
}

async fn run(app: &App, places: &Places, case: &Case, run: &Run) -> Result<(String, Value), String> {
    for (name, answer) in &run.answers {
        places.service.answer(&format!("{}/{name}", case.name), answer.clone());
    }
    keep(app, places, case, &run.credentials).await?;
    for name in &run.forget {
        app.ask(&format!("DELETE /api/credentials/{}", places.fill(name, case)), None).await;
    }
    let payload = places.fill(&run.payload.to_string(), case);
    let payload: Value = serde_json::from_str(&payload).map_err(|error| error.to_string())?;
    let id = app.execute(&format!("faults/{}", case.name), &payload).await?;
    if let Some(request) = &run.cancel_at {
        places.service.came(&places.fill(request, case)).await;
        app.post(&format!("/api/executions/{id}/cancel"), &json!({"reason": "not wanted any more"})).await;
    }
    if let Some(request) = &run.finalize_at {
        places.service.came(&places.fill(request, case)).await;
        let order = json!({"reason": "given up by hand", "status": "FAILED"});
        app.post(&format!("/api/executions/{id}/finalize"), &order).await;
    }
    let status = if let Some(request) = &run.asked_at {
        places.service.came(&places.fill(request, case)).await;
        app.status(&id).await
    } else if run.is_left_running {
        app.until(&id, |status| status["unserved"].as_array().is_some_and(|pools| !pools.is_empty())).await?
    } else {
        app.ended(&id).await?
    };
    Ok((id, status))
}

async fn keep(app: &App, places: &Places, case: &Case, credentials: &[Value]) -> Result<(), String> {
    for credential in credentials {
        let text = places.fill(&credential.to_string(), case);
        app.credential(&serde_json::from_str(&text).map_err(|error| error.to_string())?).await;
    }
    Ok(())
}

/// Takes evidence out of the store behind the server's back, as a purge or a lost disk would.
fn remove(app: &App, id: &str, what: &[Removed]) -> Result<(), String> {
    if what.is_empty() {
        return Ok(());
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e/faults/remove.py");
    let words = what.iter().map(|one| format!("{one:?}").to_lowercase());
    let output = std::process::Command::new("python3")
        .arg(script)
        .arg(app.data().join("noetl.db"))
        .arg(id)
        .args(words)
        .output()
        .map_err(|error| error.to_string())?;
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

/// Citations of events that the server does not know.
async fn unresolved(app: &App, diagnosis: &Value) -> Vec<String> {
    let mut missing = Vec::new();
    let text = diagnosis["explanation"].as_str().unwrap_or_default();
    let known = diagnosis["evidence"].as_array().cloned().unwrap_or_default();
    for citation in text.split("[e:").skip(1).filter_map(|rest| rest.split(']').next()) {
        let Some(item) = known.iter().find(|item| item["ref"] == citation) else {
            missing.push(citation.to_owned());
            continue;
        };
        if item["kind"] == "event" {
            let (code, _) = app.ask(&format!("GET /api/event/{citation}"), None).await;
            if code != 200 {
                missing.push(citation.to_owned());
            }
        }
    }
    missing
}
