use noetl_api::proposal::ProposalKind;
use noetl_domain::dialect;
use noetl_domain::event::Status;
use noetl_domain::id::ExecutionId;
use noetl_domain::lint::ToolSchemas;
use serde_json::json;

use super::super::observed::{Failure, Observed, Series, StepRun, Try};
use super::super::subject::{Subject, Terms};
use super::super::{look, simulate};

/// `(cause, tries, recovered)` of one execution each.
fn history(calls: &[(&str, usize, bool)]) -> Vec<Observed> {
    calls
        .iter()
        .enumerate()
        .map(|(at, (cause, tries, recovered))| {
            let failure = |k: usize| {
                let failed = !(*recovered && k + 1 == *tries);
                failed.then(|| Failure {
                    cause: (*cause).to_owned(),
                    kind: "http".to_owned(),
                    code: None,
                    status_code: Some(if *cause == "limit.rate" { 429 } else { 404 }),
                })
            };
            let tries = (0..*tries).map(|k| Try { wait_ms: 100.0, duration_ms: 20.0, failure: failure(k) });
            let series = Series { task: "fetch".to_owned(), tries: tries.collect() };
            let status = if *recovered { Status::Completed } else { Status::Failed };
            let started_ms = at as i64 * 600_000;
            Observed {
                execution: ExecutionId(at as u64 + 1),
                version: 1,
                status,
                started_ms,
                ended_ms: started_ms + 500,
                cause: (!recovered).then(|| (*cause).to_owned()),
                steps: vec![StepRun {
                    step: "fetch".to_owned(),
                    run: 1,
                    entered_ms: started_ms,
                    exited_ms: Some(started_ms + 400),
                    is_failed: !recovered,
                    series: vec![series],
                    ..StepRun::default()
                }],
            }
        })
        .collect()
}

fn subject(tool: &str, mark: &str, retry: &str, history: Vec<Observed>) -> Subject {
    let text = format!(
        "# Mine.\napiVersion: noetl.io/v2\nkind: Playbook\nmetadata: {{ name: x, path: demo/x }}\nworkflow:\n  \
         - step: fetch\n{mark}    retry: {retry}   # as it was\n    tool: {tool}\n"
    );
    let playbook = dialect::read(&text).playbook.unwrap_or_else(|| panic!("{text}"));
    Subject {
        path: "demo/x".to_owned(),
        version: 1,
        text,
        versions: vec![(1, playbook.clone())],
        playbook,
        history,
        missing_credentials: Vec::new(),
        defects: Vec::new(),
        terms: Terms::default(),
    }
}

const GET: &str = "{ kind: http, url: \"http://127.0.0.1/x\" }";
const RETRY: &str = "{ max_attempts: 3, initial_delay: 0.1 }";

fn calls(
    cause: &'static str,
    at_first: usize,
    at_second: usize,
    never: usize,
) -> Vec<(&'static str, usize, bool)> {
    let mut calls = vec![(cause, 2, true); at_first];
    calls.extend(vec![(cause, 3, true); at_second]);
    calls.extend(vec![(cause, 3, false); never]);
    calls
}

#[test]
fn more_attempts_are_proposed_where_retries_still_help() {
    let subject = subject(GET, "", RETRY, history(&calls("limit.rate", 30, 16, 14)));
    let found = look(&subject, &ToolSchemas::new());
    let [proposal] = found.proposals.as_slice() else { panic!("{found:?}") };
    assert_eq!(proposal.kind, ProposalKind::Retry);
    assert_eq!(proposal.cause.as_deref(), Some("limit.rate"));
    let after = proposal.changes[0].after.as_u64().unwrap();
    assert!((4..=6).contains(&after), "{proposal:?}");
    // Only the number has changed, and the comment is still there.
    let content = proposal.content.as_deref().unwrap();
    assert_eq!(content, subject.text.replace("max_attempts: 3", &format!("max_attempts: {after}")));
    assert!(proposal.effect.expected < proposal.effect.before, "{:?}", proposal.effect);
    assert_eq!((proposal.grounds.n, proposal.grounds.censored), (60, 14));
    assert!(proposal.grounds.query.contains("call.try"));
    let replayed = simulate(&subject, proposal);
    assert_eq!((replayed.executions, replayed.failed_before, replayed.undecided), (60, 14, 14));
    assert!(replayed.failed_after.value < 14.0 && replayed.failed_after.high <= 14.0, "{replayed:?}");
}

#[test]
fn a_step_that_is_not_idempotent_gets_no_more_attempts() {
    let post = "{ kind: http, url: \"http://127.0.0.1/x\", method: POST }";
    for (mark, proposed) in [("", 0), ("    idempotent: true\n", 1)] {
        let subject = subject(post, mark, RETRY, history(&calls("limit.rate", 30, 16, 14)));
        let found = look(&subject, &ToolSchemas::new());
        assert_eq!(found.proposals.len(), proposed, "{mark}: {found:?}");
        let told = found.refusals.iter().any(|refusal| refusal.why.contains("mark it `idempotent: true`"));
        assert_eq!(told, proposed == 0);
    }
}

#[test]
fn a_cause_that_never_passed_in_149_is_not_retried_any_more() {
    let few = subject(GET, "", RETRY, history(&calls("request.not_found", 0, 0, 148)));
    let found = look(&few, &ToolSchemas::new());
    assert!(found.proposals.iter().all(|one| !one.title.starts_with("do not retry")), "{found:?}");
    let enough = subject(GET, "", RETRY, history(&calls("request.not_found", 0, 0, 149)));
    let found = look(&enough, &ToolSchemas::new());
    let expected = json!("{{ 1 if error and error.status_code == 404 else 3 }}");
    assert_eq!(found.proposals[0].changes[0].after, expected, "{found:?}");
    assert!(found.proposals[0].grounds.estimate.high < 0.02);
}

#[test]
fn attempts_depend_on_the_cause_where_there_are_several() {
    let mut all = calls("limit.rate", 30, 16, 14);
    all.extend(calls("request.not_found", 0, 0, 160));
    let subject = subject(GET, "", RETRY, history(&all));
    let found = look(&subject, &ToolSchemas::new());
    let after: Vec<&str> = found.proposals.iter().filter_map(|one| one.changes[0].after.as_str()).collect();
    assert!(after.contains(&"{{ 1 if error and error.status_code == 404 else 3 }}"), "{after:?}");
    assert!(
        after.iter().any(|text| text.ends_with("if error and error.status_code == 429 else 3 }}")),
        "{after:?}"
    );
}

#[test]
fn few_failures_say_nothing() {
    let subject = subject(GET, "", RETRY, history(&calls("limit.rate", 9, 5, 4)));
    assert!(look(&subject, &ToolSchemas::new()).proposals.is_empty());
}

#[test]
fn the_policy_bounds_what_is_proposed() {
    let mut subject = subject(GET, "", RETRY, history(&calls("limit.rate", 30, 16, 14)));
    let bound = noetl_api::policy::Bound { max: Some(4.0), ..Default::default() };
    subject.terms.policy.parameters.insert("retry.max_attempts".to_owned(), bound);
    let found = look(&subject, &ToolSchemas::new());
    assert_eq!(found.proposals[0].changes[0].after, json!(4), "{found:?}");
    assert!(found.proposals[0].grounds.bound.contains("the policy"));
}
