//! The closed loop over a real store and catalog; Executions are rows that the test writes.

use std::sync::Mutex as Plain;

use noetl_api::policy::{Blackout, Mode};
use noetl_api::proposal::{Effect, Estimate, Grounds};
use noetl_api::rollout::{RolloutFilter, RolloutState};
use noetl_domain::event::{Event, Recorded, Status};
use noetl_domain::id::ExecutionId;
use noetl_domain::rollout::{Arm, Assigned};
use serde_json::Value;

use super::*;
use crate::catalog::NewResource;
use crate::error::ServerError;
use crate::orchestrator::PlanSource as _;
use crate::schedule::Schedules;
use crate::store::{Append, EventStore as _, Summary};

struct Loop {
    directory: tempfile::TempDir,
    store: SqliteStore,
    catalog: Catalog,
    proposals: Proposals,
    policy: Arc<Plain<Policy>>,
    ids: Arc<Ids>,
}

impl Loop {
    async fn open() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        Self::over(directory).await
    }

    async fn over(directory: tempfile::TempDir) -> Self {
        let store = SqliteStore::open(directory.path()).await.expect("a store");
        let ids = Arc::new(Ids::new(0).after(store.largest_id().await.expect("an id")));
        let schedules = Schedules::new(store.clone(), Arc::clone(&ids));
        let catalog = Catalog::new(store.clone(), Arc::clone(&ids), schedules);
        let policy = Arc::new(Plain::new(Policy::default()));
        let source = Arc::clone(&policy);
        let proposals = Proposals::open(
            store.clone(),
            Arc::clone(&ids),
            catalog.clone(),
            Arc::new(move || Ok(source.lock().expect("a policy").clone())),
        )
        .await
        .expect("proposals");
        Self { directory, store, catalog, proposals, policy, ids }
    }

    /// With a first version of the playbook.
    async fn with_playbook() -> Self {
        let it = Self::open().await;
        it.register(&text(2)).await;
        it
    }

    async fn register(&self, text: &str) -> u32 {
        let new = NewResource { content: text.to_owned(), ..NewResource::default() };
        self.catalog.register(new).await.expect("a version").entry.version
    }

    fn set(&self, change: impl FnOnce(&mut Policy)) {
        change(&mut self.policy.lock().expect("a policy"));
    }

    /// Made and approved; its id and the Rollout's.
    async fn canary(&self) -> (String, String) {
        let made = self.proposals.make(proposal(2, 4)).await.expect("a proposal");
        let approved = self.proposals.approve(&made.id, &Decide::default()).await.expect("an approval");
        (made.id, approved.rollout_id.expect("a rollout"))
    }

    /// Executions of one arm that ended, as the orchestrator would write them.
    async fn ran(&self, rollout: Option<&str>, arm: Arm, count: usize, failed: usize) {
        self.ran_for(rollout, arm, count, failed, 100).await;
    }

    async fn ran_for(&self, rollout: Option<&str>, arm: Arm, count: usize, failed: usize, ms: i64) {
        let mut batch = Vec::new();
        for at in 0..count {
            let id = ExecutionId(self.ids.next_id());
            let status = if at < failed { Status::Failed } else { Status::Completed };
            let started_ms = now_ms();
            let summary = Summary {
                path: PATH.to_owned(),
                version: if arm == Arm::Canary { 2 } else { 1 },
                status,
                started_ms,
                finished_ms: Some(started_ms + ms),
                rollout: rollout.map(|id| id.parse().expect("an id")),
                ..Summary::of(id)
            };
            let mut append = Append::new(id, 0, summary);
            let event = Event::Noted { name: "ran".to_owned(), step: None, payload: Value::Null };
            append.events.push(Recorded {
                execution: id,
                seq: 1,
                event_id: self.ids.next_id(),
                at_ms: 0,
                event,
            });
            batch.push(append);
        }
        for outcome in self.store.append(batch).await {
            outcome.expect("an execution");
        }
    }

    async fn state(&self, id: &str) -> ProposalState {
        self.proposals.get(id).await.expect("a proposal").state
    }

    async fn rollout_state(&self, id: &str) -> RolloutState {
        self.proposals.rollout(id).await.expect("a rollout").state
    }

    async fn names(&self, proposal: &str) -> Vec<String> {
        let filter = ControlFilter { proposal_id: Some(proposal.to_owned()), ..ControlFilter::default() };
        let events = self.proposals.events(&filter).await.expect("events").items;
        events.into_iter().map(|event| format!("{} by {}", event.name, event.actor)).collect()
    }

    /// The version that an Execution by path gets.
    fn version_for(&self, id: u64) -> Option<(u32, Option<Assigned>)> {
        self.catalog.version_for(PATH, ExecutionId(id))
    }
}

const PATH: &str = "team/orders";

fn text(attempts: u32) -> String {
    format!(
        "apiVersion: noetl.io/v2
kind: Playbook
metadata:
  name: orders
  path: {PATH}
workload:
  url: http://127.0.0.1:1
workflow:
  - step: fetch
    tool:
      kind: http
      url: \"{{{{ workload.url }}}}\"
      retry:
        max_attempts: {attempts}
        initial_delay: 0.1
    next:
      - step: charge
  - step: charge
    tool:
      kind: http
      method: POST
      url: \"{{{{ workload.url }}}}\"
"
    )
}

fn estimate(value: f64) -> Estimate {
    Estimate {
        what: "a share".to_owned(),
        unit: "share".to_owned(),
        value,
        low: value - 0.02,
        high: value + 0.02,
    }
}

/// From two attempts to `attempts`.
fn proposal(before: u32, attempts: u32) -> NewProposal {
    NewProposal {
        playbook: PATH.to_owned(),
        base_version: 1,
        kind: ProposalKind::Retry,
        step: Some("fetch".to_owned()),
        cause: Some("limit.rate".to_owned()),
        title: "Try fetch more often".to_owned(),
        reason: "Rate limits pass [e:1].".to_owned(),
        changes: vec![noetl_api::proposal::Change {
            step: Some("fetch".to_owned()),
            parameter: "retry.max_attempts".to_owned(),
            before: before.into(),
            after: attempts.into(),
        }],
        content: Some(text(attempts)),
        grounds: Grounds {
            from: "2026-11-20T00:00:00Z".to_owned(),
            to: "2026-11-27T00:00:00Z".to_owned(),
            n: 200,
            censored: 3,
            estimate: estimate(0.9),
            counterfactual: estimate(0.4),
            bound: "the largest step".to_owned(),
            query: "SELECT 1".to_owned(),
        },
        effect: Effect {
            metric: "failure_rate".to_owned(),
            before: 0.33,
            expected: 0.05,
            low: 0.01,
            high: 0.1,
        },
        evidence_hash: "a".to_owned(),
        written_by: "rules".to_owned(),
        ..NewProposal::default()
    }
}

async fn refused(it: &Loop, new: NewProposal) -> String {
    let error = it.proposals.make(new).await.expect_err("it is refused");
    let error = ServerError::from(error);
    assert!(error.code.as_str().starts_with("PR"), "{error:?}");
    format!("{}: {}", error.code, error.detail)
}

#[tokio::test]
async fn what_is_not_complete_is_told_at_once_and_kept_nowhere() {
    let it = Loop::with_playbook().await;
    let mut new = proposal(2, 4);
    new.grounds = Grounds { n: 5, censored: 9, ..Grounds::default() };
    new.evidence_hash.clear();
    new.effect.low = 0.9;
    let told = refused(&it, new).await;
    for part in [
        "PR002",
        "data window",
        "query",
        "evidence_hash",
        "censored",
        "estimate",
        "counterfactual",
        "`effect`",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let listed = it.proposals.list(&ProposalFilter::default()).await.expect("a list");
    assert_eq!(listed, []);
}

#[tokio::test]
async fn a_text_that_does_more_than_it_says_is_refused() {
    let it = Loop::with_playbook().await;
    let changed =
        |edit: &dyn Fn(String) -> String| NewProposal { content: Some(edit(text(4))), ..proposal(2, 4) };
    for (new, part) in [
        (
            changed(&|text| text.replace("POST", "PUT")),
            "\"charge\" changes, and the proposal does not name it",
        ),
        (changed(&|text| text.replace("max_attempts: 4", "max_attempts: 5")), "not what `changes` says"),
        (changed(&|text| text.replace("max_attempts: 4", "max_attempts: \"{{ workload.n }}\"")), "template"),
        (changed(&|text| text.replace("initial_delay: 0.1", "initial_delay: 4000")), "hard bound is 3600"),
        (changed(&|text| text.replace("127.0.0.1:1", "127.0.0.1:2")), "besides the steps"),
        (changed(&|text| text.replace(PATH, "team/other")), "of the path"),
        (
            changed(&|text| text.replace("    next:", "    timeout: 5\n    next:")),
            "`changes` does not name it",
        ),
        (NewProposal { content: Some(text(2)), ..proposal(2, 4) }, "as it is"),
        (proposal(2, 21), "hard bound is 20"),
        (NewProposal { base_version: 7, ..proposal(2, 4) }, "PR005"),
    ] {
        let told = refused(&it, new).await;
        assert!(told.contains(part), "{part}: {told}");
    }
    // Trying a POST again may charge twice.
    let retried = text(2).replace("method: POST", "method: POST\n      retry: { max_attempts: 3 }");
    let mut new = NewProposal { step: Some("charge".to_owned()), content: Some(retried), ..proposal(1, 3) };
    new.changes[0].step = Some("charge".to_owned());
    assert!(refused(&it, new).await.contains("not marked `idempotent: true`"));
    let broken = NewProposal { content: Some("workflow: [".to_owned()), ..proposal(2, 4) };
    let error = ServerError::from(it.proposals.make(broken).await.expect_err("no YAML"));
    assert_eq!(error.code.as_str(), "PB001");
}

#[tokio::test]
async fn the_same_evidence_counts_once_and_newer_evidence_takes_over() {
    let it = Loop::with_playbook().await;
    let first = it.proposals.make(proposal(2, 4)).await.expect("a proposal");
    assert!(first.proposed.diff.as_deref().is_some_and(|diff| {
        diff.contains("-        max_attempts: 2") && diff.contains("+        max_attempts: 4")
    }));
    let again = it.proposals.make(proposal(2, 4)).await.expect("the same");
    assert_eq!(again.id, first.id);
    let newer = NewProposal { evidence_hash: "b".to_owned(), ..proposal(2, 3) };
    let second = it.proposals.make(newer.clone()).await.expect("a newer one");
    assert_eq!(it.state(&first.id).await, ProposalState::Superseded);
    it.proposals
        .reject(&second.id, &Decide { note: Some("no".to_owned()), ..Decide::default() })
        .await
        .expect("no");
    assert!(refused(&it, newer).await.contains("PR003"));
    let third = NewProposal { evidence_hash: "c".to_owned(), ..proposal(2, 3) };
    let third = it.proposals.make(third).await.expect("new evidence");
    assert_eq!(it.names(&second.id).await, ["proposal.made by assistant", "proposal.rejected by api"]);
    let error = it.proposals.approve(&first.id, &Decide::default()).await.expect_err("it is superseded");
    assert!(matches!(error, ControlError::Settled { state: "superseded", .. }), "{error:?}");

    // Nobody decides in time.
    let late = sqlx::query("UPDATE proposal_row SET expires_ms = 1 WHERE state = 'proposed'");
    it.store.write("make one late", late).await.expect("a late one");
    assert!(it.proposals.approve(&third.id, &Decide::default()).await.is_err());
    it.proposals.sweep().await.expect("a sweep");
    assert_eq!(it.state(&third.id).await, ProposalState::Expired);
}

#[tokio::test]
async fn what_is_better_is_promoted_and_held_to_its_promise() {
    let it = Loop::with_playbook().await;
    assert_eq!(it.version_for(5), None);
    let (id, rollout) = it.canary().await;
    assert_eq!(it.state(&id).await, ProposalState::Canary);
    let versions: Vec<u32> =
        (0..400).filter_map(|id| it.version_for(id << 22)).map(|(version, _)| version).collect();
    let canary = versions.iter().filter(|version| **version == 2).count();
    assert!((150..250).contains(&canary) && versions.len() == 400, "{canary} of {}", versions.len());

    it.ran(Some(&rollout), Arm::Control, 15, 5).await;
    it.ran(Some(&rollout), Arm::Canary, 15, 0).await;
    it.proposals.sweep().await.expect("a sweep");
    assert_eq!(it.rollout_state(&rollout).await, RolloutState::Running, "too few to promote");
    it.ran(Some(&rollout), Arm::Control, 15, 5).await;
    it.ran(Some(&rollout), Arm::Canary, 15, 0).await;
    // Those that asked for a version themselves are in no arm.
    it.ran(None, Arm::Canary, 50, 50).await;
    it.proposals.sweep().await.expect("a sweep");
    let ended = it.proposals.rollout(&rollout).await.expect("a rollout");
    assert_eq!(ended.state, RolloutState::Promoted);
    assert_eq!((ended.control.finished, ended.control.failed, ended.canary.finished), (30, 10, 30));
    assert_eq!(it.version_for(5), None);
    assert_eq!(it.catalog.stable(PATH).await.expect("a version").version, 2);

    let line = it.proposals.ledger().await.expect("a ledger").items.remove(0);
    assert_eq!((line.state, line.delivered), (ProposalState::Promoted, None));
    it.ran(None, Arm::Canary, 10, 0).await;
    it.proposals.sweep().await.expect("a sweep");
    assert_eq!(it.state(&id).await, ProposalState::Promoted, "ten prove nothing");
    it.ran(None, Arm::Canary, 30, 1).await;
    it.proposals.sweep().await.expect("a sweep");
    let line = it.proposals.ledger().await.expect("a ledger").items.remove(0);
    assert_eq!((line.state, line.n), (ProposalState::Verified, 40), "{line:?}");
    assert!(line.delivered.is_some_and(|delivered| (delivered.value - 0.025).abs() < 1e-9));
    assert_eq!(
        it.names(&id).await,
        [
            "proposal.made by assistant",
            "proposal.approved by api",
            "rollout.started by api",
            "rollout.promoted by rollout",
            "proposal.verified by rollout"
        ]
    );
}

#[tokio::test]
async fn a_promise_that_is_not_kept_is_missed() {
    let it = Loop::with_playbook().await;
    let (id, rollout) = it.canary().await;
    it.proposals.promote(&rollout, &Decide::default()).await.expect("a promotion by hand");
    it.ran(None, Arm::Canary, 40, 20).await;
    it.proposals.sweep().await.expect("a sweep");
    assert_eq!(it.state(&id).await, ProposalState::Missed);
    let error = it.proposals.rollout(&rollout).await.expect("a rollout");
    assert_eq!(error.state, RolloutState::Promoted);
    assert!(it.proposals.pause(&rollout, &Decide::default()).await.is_err(), "it has ended");
}

#[tokio::test]
async fn what_does_harm_is_archived_and_needs_new_evidence() {
    let it = Loop::with_playbook().await;
    let (id, rollout) = it.canary().await;
    it.ran(Some(&rollout), Arm::Control, 25, 2).await;
    it.ran(Some(&rollout), Arm::Canary, 25, 14).await;
    // Even without a policy that can be read, harm ends.
    it.set(|policy| policy.largest_step = 0.0);
    it.proposals.sweep().await.expect("a sweep");
    assert_eq!(it.rollout_state(&rollout).await, RolloutState::RolledBack);
    assert_eq!(it.state(&id).await, ProposalState::RolledBack);
    assert_eq!(it.version_for(5), None);
    assert_eq!(it.catalog.get(&Which::Path(PATH.to_owned(), None)).await.expect("a version").version, 1);
    it.set(|policy| policy.largest_step = 2.0);
    assert!(refused(&it, proposal(2, 4)).await.contains("PR003"));

    let slow = NewProposal { evidence_hash: "d".to_owned(), ..proposal(2, 4) };
    let made = it.proposals.make(slow).await.expect("new evidence");
    let approved = it.proposals.approve(&made.id, &Decide::default()).await.expect("an approval");
    assert_eq!(approved.version, Some(3), "no number is given twice");
}

#[tokio::test]
async fn a_pause_a_restart_and_a_newer_version_are_survived() {
    let it = Loop::with_playbook().await;
    let (id, rollout) = it.canary().await;
    it.proposals.pause(&rollout, &Decide::default()).await.expect("a pause");
    assert!(
        (0..100).all(|id| it.version_for(id << 22) == Some((1, None))),
        "everybody gets the stable version"
    );
    assert!(it.proposals.pause(&rollout, &Decide::default()).await.is_err(), "it is paused");
    it.store.close().await;
    let it = Loop::over(it.directory).await;
    assert_eq!(it.version_for(5), Some((1, None)), "a restart keeps the pause");
    it.proposals.resume(&rollout, &Decide::default()).await.expect("it goes on");
    assert!((0..100).any(|id| it.version_for(id << 22).is_some_and(|(version, _)| version == 2)));
    let second = NewProposal { cause: Some("timeout.response".to_owned()), ..proposal(2, 3) };
    let second = it.proposals.make(second).await.expect("about something else");
    let busy = it.proposals.approve(&second.id, &Decide::default()).await.expect_err("one at a time");
    assert!(matches!(busy, ControlError::Busy { .. }), "{busy:?}");

    assert_eq!(it.register(&text(7)).await, 3);
    assert_eq!(it.version_for(5), None, "a person's version is for everybody at once");
    it.proposals.sweep().await.expect("a sweep");
    assert_eq!(it.rollout_state(&rollout).await, RolloutState::Superseded);
    assert_eq!(it.state(&id).await, ProposalState::Superseded);
    assert_eq!(it.state(&second.id).await, ProposalState::Superseded);
    let open = it.proposals.rollouts(&RolloutFilter::default()).await.expect("rollouts");
    assert_eq!(open, []);
}

#[tokio::test]
async fn an_approval_for_an_old_version_supersedes_it() {
    let it = Loop::with_playbook().await;
    let made = it.proposals.make(proposal(2, 4)).await.expect("a proposal");
    it.register(&text(7)).await;
    let error = it.proposals.approve(&made.id, &Decide::default()).await.expect_err("outdated");
    assert!(matches!(error, ControlError::Outdated { newest: 2, base: 1, .. }), "{error:?}");
    assert_eq!(it.state(&made.id).await, ProposalState::Superseded);
    assert_eq!(it.version_for(5), None);
}

#[tokio::test]
async fn the_policy_says_who_approves_what_and_when() {
    let it = Loop::with_playbook().await;
    let made = it.proposals.make(proposal(2, 4)).await.expect("a proposal");
    let attempt = async |part: &str| {
        let error = it.proposals.approve(&made.id, &Decide::default()).await.expect_err(part);
        let error = ServerError::from(error);
        assert_eq!(error.code.as_str(), "PR006");
        assert!(error.detail.contains(part), "{part}: {}", error.detail);
    };
    it.set(|policy| policy.mode = Mode::Observe);
    attempt("observe").await;
    it.set(|policy| (policy.mode, policy.kill_switch) = (Mode::Auto, true));
    attempt("kill switch").await;
    it.proposals.sweep().await.expect("a sweep");
    assert_eq!(it.state(&made.id).await, ProposalState::Proposed);
    let always = Blackout { from: "00:00".to_owned(), to: "24:00".to_owned(), ..Blackout::default() };
    it.set(|policy| (policy.kill_switch, policy.blackout) = (false, vec![always]));
    attempt("blackout").await;
    it.set(|policy| policy.blackout.clear());
    it.set(|policy| policy.largest_step = 1.5);
    attempt("largest step").await;
    it.set(|policy| policy.largest_step = 2.0);
    let share = Decide { share_percent: Some(100), ..Decide::default() };
    assert!(it.proposals.approve(&made.id, &share).await.is_err(), "nobody would be left to compare with");

    it.proposals.sweep().await.expect("a sweep");
    assert_eq!(it.state(&made.id).await, ProposalState::Canary, "auto approves by itself");
    assert!(it.names(&made.id).await.contains(&"proposal.approved by policy".to_owned()));
    let rollout = it.proposals.get(&made.id).await.expect("a proposal").rollout_id.expect("a rollout");
    it.set(|policy| policy.mode = Mode::Approve);
    it.ran(Some(&rollout), Arm::Control, 30, 10).await;
    it.ran(Some(&rollout), Arm::Canary, 30, 0).await;
    for _ in 0..2 {
        it.proposals.sweep().await.expect("a sweep");
    }
    assert_eq!(it.rollout_state(&rollout).await, RolloutState::Running, "a person promotes");
    let waits = it.names(&made.id).await.iter().filter(|name| name.starts_with("rollout.judged")).count();
    assert_eq!(waits, 1, "told once");
    it.set(|policy| policy.kill_switch = true);
    it.proposals.sweep().await.expect("a sweep");
    assert_eq!(it.rollout_state(&rollout).await, RolloutState::Paused);
    assert!(it.proposals.resume(&rollout, &Decide::default()).await.is_err(), "the kill switch is on");
}

#[tokio::test]
async fn events_are_never_edited() {
    let it = Loop::with_playbook().await;
    it.proposals.make(proposal(2, 4)).await.expect("a proposal");
    for sql in ["UPDATE control_event_row SET actor = 'x'", "DELETE FROM control_event_row"] {
        assert!(it.store.write("edit an event", sqlx::query(sql)).await.is_err(), "{sql}");
    }
}
