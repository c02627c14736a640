//! The endpoints over a history and a desk in memory.

use std::sync::{Arc, Mutex};

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use noetl_api::policy::Policy;
use noetl_api::proposal::{NewProposal, Proposal};
use noetl_domain::dialect;
use noetl_domain::event::Status;
use noetl_domain::id::ExecutionId;
use noetl_domain::lint::ToolSchemas;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::super::{Defect, Failure, Series, StepRun, Try};
use super::*;
use crate::evidence::Definition;
use crate::proposal::{Made, Observed};

const PATH: &str = "demo/orders";
const TEXT: &str = "apiVersion: noetl.io/v2\nkind: Playbook\nmetadata: { name: orders, path: demo/orders }\nworkflow:\n  - step: fetch\n    retry: { max_attempts: 2, initial_delay: 0.1 }\n    tool: { kind: http, url: \"http://127.0.0.1/x\" }\n";

/// A playbook whose fetch fails in every second execution, and half of the time for good.
pub(in crate::proposal) struct Told;

impl History for Told {
    async fn paths(&self) -> Result<Vec<String>, SourceError> {
        Ok(vec![PATH.to_owned()])
    }

    async fn definition(&self, path: &str, _: Option<u32>) -> Result<Option<Definition>, SourceError> {
        let playbook = Arc::new(dialect::read(TEXT).playbook.unwrap());
        let found = Definition { version: 1, text: TEXT.to_owned(), playbook, created_ms: 0 };
        Ok((path == PATH).then_some(found))
    }

    async fn observed(&self, _: &str, _: usize) -> Result<Vec<Observed>, SourceError> {
        let failure =
            || Failure { cause: "limit.rate".into(), kind: "rate_limit".into(), ..Failure::default() };
        let one = |at: u64| {
            let recovered = !at.is_multiple_of(4);
            let tries = if at.is_multiple_of(2) {
                let second = if recovered { None } else { Some(failure()) };
                vec![
                    Try { wait_ms: 100.0, duration_ms: 5.0, failure: Some(failure()) },
                    Try { failure: second, ..Try::default() },
                ]
            } else {
                Vec::new()
            };
            let series =
                if tries.is_empty() { Vec::new() } else { vec![Series { task: "fetch".into(), tries }] };
            Observed {
                execution: ExecutionId(at),
                version: 1,
                status: if recovered { Status::Completed } else { Status::Failed },
                started_ms: at as i64 * 600_000,
                ended_ms: at as i64 * 600_000 + 900,
                cause: (!recovered).then(|| "limit.rate".to_owned()),
                steps: vec![StepRun {
                    step: "fetch".into(),
                    run: 1,
                    series,
                    is_failed: !recovered,
                    ..StepRun::default()
                }],
            }
        };
        Ok((1..=120).map(one).collect())
    }

    async fn has_credential(&self, _: &str) -> Result<bool, SourceError> {
        Ok(false)
    }

    async fn defects(&self, _: &[Observed]) -> Result<Vec<Defect>, SourceError> {
        Ok(Vec::new())
    }

    async fn ended_since(&self, _: &str, _: i64, most: usize) -> Result<u64, SourceError> {
        Ok(most.min(120) as u64)
    }
}

#[derive(Default)]
pub(in crate::proposal) struct InMemory(pub(in crate::proposal) Mutex<Vec<Proposal>>);

impl Desk for InMemory {
    async fn make(&self, proposed: NewProposal) -> Result<Made, SourceError> {
        let mut kept = self.0.lock().unwrap();
        if let Some(same) = kept.iter().find(|one| one.proposed.evidence_hash == proposed.evidence_hash) {
            return Ok(Made::Kept(Box::new(same.clone())));
        }
        let made = Proposal { id: (kept.len() + 1).to_string(), proposed, ..Proposal::default() };
        kept.push(made.clone());
        Ok(Made::Kept(Box::new(made)))
    }

    fn policy(&self) -> Policy {
        Policy::default()
    }

    async fn get(&self, id: &str) -> Result<Option<Proposal>, SourceError> {
        Ok(self.0.lock().unwrap().iter().find(|one| one.id == id).cloned())
    }
}

async fn post(desk: &Arc<InMemory>, path: &str, body: Option<Value>) -> (StatusCode, Value) {
    let router = router(Arc::new(Told), Arc::clone(desk), Arc::new(ToolSchemas::new()), 60_000.0);
    let mut request = Request::post(path);
    if body.is_some() {
        request = request.header("content-type", "application/json");
    }
    let body = body.map_or(Body::empty(), |body| Body::from(body.to_string()));
    let response = router.oneshot(request.body(body).unwrap()).await.unwrap();
    let status = response.status();
    let bytes = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or_default())
}

#[tokio::test]
async fn a_look_makes_a_proposal_that_can_be_simulated() {
    let desk = Arc::new(InMemory::default());
    let (status, looked) = post(&desk, "/api/proposals/look?playbook=demo/orders", None).await;
    assert_eq!(status, StatusCode::OK, "{looked}");
    assert_eq!(looked["proposals"][0]["kind"], "retry", "{looked}");
    // The same evidence is the same proposal.
    let (_, again) = post(&desk, "/api/proposals/look", None).await;
    assert_eq!(again["proposals"][0]["id"], looked["proposals"][0]["id"]);
    let (status, simulated) = post(&desk, "/api/proposals/1/simulate", None).await;
    assert_eq!(status, StatusCode::OK, "{simulated}");
    assert_eq!(simulated["executions"], 120);
    assert_eq!(simulated["failed_before"], 30);
    assert!(simulated["failed_after"]["value"].as_f64().unwrap() < 30.0, "{simulated}");
}

#[tokio::test]
async fn a_step_is_drafted_from_words() {
    let desk = Arc::new(InMemory::default());
    let words = "POST the total to https://audit.example/orders";
    let request = json!({ "playbook": PATH, "after": "fetch", "description": words });
    let (status, drafted) = post(&desk, "/api/proposals/draft", Some(request)).await;
    assert_eq!(status, StatusCode::OK, "{drafted}");
    let content = drafted["content"].as_str().unwrap();
    assert!(content.contains("https://audit.example/orders") && content.contains("POST"), "{content}");
    assert!(dialect::read(content).playbook.unwrap().steps.len() == 2);
}

#[tokio::test]
async fn another_value_is_foreseen() {
    let desk = Arc::new(InMemory::default());
    let question = json!({ "playbook": PATH, "step": "fetch", "parameter": "max_attempts", "value": 3 });
    let (status, found) = post(&desk, "/api/proposals/what-if", Some(question)).await;
    assert_eq!(status, StatusCode::OK, "{found}");
    let expected = &found["expected"][0];
    assert!(expected["then"]["value"].as_f64() > expected["now"]["value"].as_f64(), "{found}");
    assert_eq!(found["present"], 2.0, "{found}");
    let question = json!({ "playbook": PATH, "step": "nowhere", "parameter": "timeout", "value": 3 });
    let (status, body) = post(&desk, "/api/proposals/what-if", Some(question)).await;
    assert_eq!(
        (status, body["hint"].as_str()),
        (StatusCode::NOT_FOUND, Some("its steps are: fetch")),
        "{body}"
    );
}

#[tokio::test]
async fn what_is_not_there_is_told() {
    let desk = Arc::new(InMemory::default());
    let (status, body) = post(&desk, "/api/proposals/look?playbook=nowhere", None).await;
    assert_eq!((status, body["code"].as_str()), (StatusCode::NOT_FOUND, Some("AP001")), "{body}");
    let (status, body) = post(&desk, "/api/proposals/77/simulate", None).await;
    assert_eq!((status, body["code"].as_str()), (StatusCode::NOT_FOUND, Some("PR001")), "{body}");
}
