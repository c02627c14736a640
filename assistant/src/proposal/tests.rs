//! The kinds whose grounds are structure rather than a curve: each proposes where it should and is silent where not.

use noetl_api::proposal::ProposalKind;
use noetl_domain::dialect;
use noetl_domain::event::Status;
use noetl_domain::id::ExecutionId;
use noetl_domain::lint::ToolSchemas;
use serde_json::json;

use super::*;

const CHAIN: &str = "apiVersion: noetl.io/v2
kind: Playbook
metadata: { name: x, path: demo/x }
workflow:
  - step: start
    tool: { kind: noop }
    next: { arcs: [ { step: prices } ] }
  # What things cost.
  - step: prices
    tool: { kind: http, url: \"http://127.0.0.1/prices\", auth: shop }
    next: { arcs: [ { step: stock } ] }
  - step: stock
    tool: { kind: http, url: \"http://127.0.0.1/stock\" }
    next: { arcs: [ { step: report } ] }
  - step: report
    tool: { kind: python, input: { a: \"{{ prices }}\", b: \"{{ stock }}\" }, code: \"result = a\" }
";

/// Forty executions of these steps, one after the other, each with its milliseconds.
fn subject(text: &str, steps: &[(&str, i64)], failed: usize, cause: &str) -> Subject {
    let playbook = dialect::read(text).playbook.unwrap_or_else(|| panic!("{text}"));
    let history = (0..40)
        .map(|at| {
            let started_ms = at as i64 * 60_000;
            let is_failed = at < failed;
            let mut clock = started_ms;
            let steps = steps.iter().map(|(step, took)| {
                clock += took;
                StepRun {
                    step: (*step).to_owned(),
                    run: 1,
                    entered_ms: clock - took,
                    exited_ms: Some(clock),
                    work_ms: *took as f64,
                    is_failed: is_failed && *step == "prices",
                    ..StepRun::default()
                }
            });
            let steps: Vec<StepRun> = steps.collect();
            Observed {
                execution: ExecutionId(at as u64 + 1),
                version: 1,
                status: if is_failed { Status::Failed } else { Status::Completed },
                started_ms,
                ended_ms: clock,
                cause: is_failed.then(|| cause.to_owned()),
                steps,
            }
        })
        .collect();
    Subject {
        path: "demo/x".to_owned(),
        version: 1,
        text: text.to_owned(),
        versions: vec![(1, playbook.clone())],
        playbook,
        history,
        missing_credentials: Vec::new(),
        defects: Vec::new(),
        terms: Terms::default(),
    }
}

fn proposed(subject: &Subject, kind: ProposalKind) -> Vec<NewProposal> {
    look(subject, &ToolSchemas::new()).proposals.into_iter().filter(|one| one.kind == kind).collect()
}

const TIMES: &[(&str, i64)] = &[("start", 1), ("prices", 400), ("stock", 300), ("report", 50)];

#[test]
fn steps_that_read_nothing_of_each_other_run_side_by_side() {
    let found = proposed(&subject(CHAIN, TIMES, 0, ""), ProposalKind::Parallelise);
    let [proposal] = found.as_slice() else { panic!("{found:?}") };
    let changed = dialect::read(proposal.content.as_deref().unwrap()).playbook.unwrap();
    let onward = |step: &str| -> Vec<String> {
        changed.step(step).unwrap().routes.arcs.iter().map(|arc| arc.to.clone()).collect()
    };
    assert_eq!(
        (onward("start"), onward("prices"), onward("stock")),
        (vec!["prices".to_owned(), "stock".to_owned()], vec!["report".to_owned()], vec!["report".to_owned()],)
    );
    assert!((proposal.grounds.estimate.value - 300.0).abs() < 1.0, "{:?}", proposal.grounds);
    assert!(proposal.content.as_deref().unwrap().contains("# What things cost."));
}

#[test]
fn steps_that_may_depend_on_each_other_stay_in_order() {
    let reads = CHAIN.replace("127.0.0.1/stock", "127.0.0.1/{{ prices.id }}");
    let writes = CHAIN.replace("/stock\\\"", "/stock").replace("/stock\" }", "/stock\", method: POST }");
    for text in [reads, writes] {
        assert_ne!(text, CHAIN);
        assert!(proposed(&subject(&text, TIMES, 0, ""), ProposalKind::Parallelise).is_empty(), "{text}");
    }
    // Too short to matter.
    let short = &[("start", 1), ("prices", 4), ("stock", 3), ("report", 5_000)];
    assert!(proposed(&subject(CHAIN, short, 0, ""), ProposalKind::Parallelise).is_empty());
}

#[test]
fn a_missing_credential_is_named_with_its_places_and_changes_nothing() {
    let mut subject = subject(CHAIN, TIMES, 10, "auth.credential_missing");
    assert!(proposed(&subject, ProposalKind::Credential).is_empty(), "nobody says that it is missing");
    subject.missing_credentials = vec!["shop".to_owned()];
    let found = proposed(&subject, ProposalKind::Credential);
    let [proposal] = found.as_slice() else { panic!("{found:?}") };
    assert!(proposal.title.contains("shop") && proposal.reason.contains("`prices`"), "{proposal:?}");
    assert!(proposal.content.is_none() && proposal.changes.is_empty());
    assert_eq!(proposal.grounds.estimate.value, 0.25);
}

#[test]
fn data_that_later_steps_could_not_use_is_checked_where_it_is_made() {
    let mut subject = subject(CHAIN, TIMES, 10, "data.empty");
    let defect = |execution| Defect {
        execution,
        step: "prices".to_owned(),
        cause: "data.empty".to_owned(),
        field: Some("rows".to_owned()),
        event: "1".to_owned(),
    };
    subject.defects = vec![defect(1), defect(2)];
    assert!(proposed(&subject, ProposalKind::SchemaGuard).is_empty(), "two are too few");
    subject.defects.push(defect(3));
    let found = proposed(&subject, ProposalKind::SchemaGuard);
    let [proposal] = found.as_slice() else { panic!("{found:?}") };
    let changed = dialect::read(proposal.content.as_deref().unwrap()).playbook.unwrap();
    let rule = &changed.step("prices").unwrap().body[0].rules[0];
    assert_eq!(rule.when.as_ref().unwrap().0, "{{ output.status == 'ok' and (not output.data.rows) }}");
}

#[test]
fn the_cheaper_pool_that_was_seen_is_proposed() {
    let mut subject = subject(CHAIN, TIMES, 0, "");
    let large = CHAIN.replace("  - step: prices\n", "  - step: prices\n    pool: large\n");
    subject.versions.push((2, dialect::read(&large).playbook.unwrap()));
    let mut more = subject.history.clone();
    more.extend(subject.history.clone());
    for (at, one) in more.iter_mut().enumerate() {
        let noise = (at % 7) as f64;
        one.version = 1 + u32::from(at % 2 == 0);
        one.execution = ExecutionId(at as u64 + 1);
        one.steps[1].work_ms = noise + if one.version == 2 { 100.0 } else { 400.0 };
    }
    subject.history = more.clone();
    assert!(proposed(&subject, ProposalKind::Pool).is_empty(), "forty runs in each are too few");
    subject.history.extend(more);
    let found = proposed(&subject, ProposalKind::Pool);
    let [proposal] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(proposal.changes[0].after, json!("large"));
}
