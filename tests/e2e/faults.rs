//! The fault laboratory: playbooks run for real, each with a known fault, and what the assistant says of it.
//!
//! `tests/faults/*.yaml` hold the cases. A case may run well first, so that there is a good run to compare with; the
//! fault is then a switched answer of the service, another input, or another version of the playbook.
//! `NOETL_TEST_ONLY=name` runs only the cases whose name contains the text.

mod case;
mod report;

use futures::StreamExt as _;
use noetl_test_service::Service;
use serde_json::{Value, json};

use self::case::{Case, Run};
use self::report::{Report, Told};
use crate::app::App;

/// Cases that run side by side.
const AT_ONCE: usize = 4;
/// Shares of right answers below which the laboratory fails.
const FLOOR: f64 = 0.95;
const ABSTENTION_FLOOR: f64 = 0.98;

/// Addresses that cases name.
struct Places {
    service: Service,
    /// Accepts connections and breaks them.
    breaks: String,
    /// Nobody listens there.
    closed: String,
}

impl Places {
    async fn open() -> Self {
        let service = Service::start().await.expect("the test service");
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let breaks = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                drop(connection);
            }
        });
        let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let closed = format!("http://{}", free.local_addr().expect("an address"));
        Self { service, breaks, closed }
    }

    fn fill(&self, text: &str, case: &Case) -> String {
        text.replace("$SERVICE", &self.service.url)
            .replace("$FAULT", &format!("{}/fault/{}", self.service.url, case.name))
            .replace("$BREAKS", &self.breaks)
            .replace("$CLOSED", &self.closed)
            .replace("$CASE", &case.name)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_are_explained() {
    let only = std::env::var("NOETL_TEST_ONLY").unwrap_or_default();
    let mut cases = case::all();
    cases.retain(|case| case.name.contains(&only));
    let places = Places::open().await;
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
    assert!(report.broken().is_empty(), "cases that did not come about:\n{}", report.broken().join("\n"));
    if only.is_empty() {
        assert!(report.root_and_cause() >= FLOOR, "root and cause right in {:.3}", report.root_and_cause());
        assert!(report.abstention() >= ABSTENTION_FLOOR, "abstention right in {:.3}", report.abstention());
        assert!(report.unresolved().is_empty(), "citations that lead nowhere: {:?}", report.unresolved());
    }
}

/// Brings the fault about, and asks why.
async fn examine(app: &App, places: &Places, case: &Case) -> Result<Value, String> {
    keep(app, places, case, &case.credentials).await?;
    for (path, text) in &case.children {
        app.register(&places.fill(&case::playbook(&format!("faults/{}/{path}", case.name), text), case))
            .await?;
    }
    let path = format!("faults/{}", case.name);
    let text = places.fill(&case::playbook(&path, &case.playbook), case);
    let earlier = case.good_playbook.as_ref().map(|good| places.fill(&case::playbook(&path, good), case));
    app.register(earlier.as_ref().unwrap_or(&text)).await?;
    for good in &case.good {
        let (id, status) = run(app, places, case, good).await?;
        if status["status"] != "COMPLETED" {
            return Err(format!("the good run {id} ended otherwise: {status}"));
        }
    }
    if earlier.is_some() {
        app.register(&text).await?;
    }
    let (id, status) = run(app, places, case, &case.fault).await?;
    let wanted = case.status.as_deref().unwrap_or("FAILED");
    if status["status"] != wanted {
        return Err(format!("the run {id} was to be {wanted}: {status}"));
    }
    let (code, mut diagnosis) = app.ask(&format!("POST /api/executions/{id}/diagnose"), None).await;
    if code != 200 {
        return Err(format!("no diagnosis: {code} {diagnosis}"));
    }
    diagnosis["unresolved"] = json!(unresolved(app, &diagnosis).await);
    Ok(diagnosis)
}

async fn run(app: &App, places: &Places, case: &Case, run: &Run) -> Result<(String, Value), String> {
    for (name, answer) in &run.answers {
        places.service.answer(&format!("{}/{name}", case.name), answer.clone());
    }
    keep(app, places, case, &run.credentials).await?;
    let payload = places.fill(&run.payload.to_string(), case);
    let payload: Value = serde_json::from_str(&payload).map_err(|error| error.to_string())?;
    let id = app.execute(&format!("faults/{}", case.name), &payload).await?;
    if let Some(request) = &run.cancel_at {
        places.service.came(&places.fill(request, case)).await;
        app.post(&format!("/api/executions/{id}/cancel"), &json!({"reason": "not wanted any more"})).await;
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
