//! What one look is about: a playbook, its text, and what its executions did. Gathered once and frozen.

use noetl_api::policy::Policy;
use noetl_api::proposal::{Change, Effect, Estimate, Grounds, NewProposal, ProposalKind, RiskLevel};
use noetl_domain::dialect::patch::{Parameter, Setting, current, patch};
use noetl_domain::lint::ToolSchemas;
use noetl_domain::playbook::{Playbook, Step};
use noetl_domain::{Value, lint, tuning};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::observed::{Observed, StepRun};
use crate::statistics::Interval;

/// Seconds that a Proposal waits for a decision.
const WAITS: u64 = 14 * 24 * 3_600;

/// What an execution that fails costs, against which attempts and waits are weighed: a minute of somebody's patience.
pub const FAILURE_COSTS_MS: f64 = 60_000.0;

/// A playbook and its history.
#[derive(Clone, Debug)]
pub struct Subject {
    pub path: String,
    /// The newest version, which changes apply to.
    pub version: u32,
    pub text: String,
    pub playbook: Playbook,
    /// Executions that ended, oldest first; of this version and of others that tell the same of a step.
    pub history: Vec<Observed>,
    /// Versions in the history, and what each of them was.
    pub versions: Vec<(u32, Playbook)>,
    /// Credentials that the playbook names and nobody registered.
    pub missing_credentials: Vec<String>,
    /// Roots that the diagnosis of failed executions found in a step's data.
    pub defects: Vec<Defect>,
    pub terms: Terms,
}

/// What numbers are weighed against, and how far they may go.
#[derive(Clone, Debug, PartialEq)]
pub struct Terms {
    /// What an execution that fails costs.
    pub failure_costs_ms: f64,
    pub policy: Policy,
}

impl Default for Terms {
    fn default() -> Self {
        Self { failure_costs_ms: FAILURE_COSTS_MS, policy: Policy::default() }
    }
}

impl Terms {
    /// How far a number may go from where it is: the policy's bounds and largest step, and the hard bound.
    pub(crate) fn range(&self, parameter: Parameter, now: f64) -> (f64, f64) {
        let name = parameter.as_str();
        let bound = self.policy.parameters.get(name).cloned().unwrap_or_default();
        let step = bound.largest_step.unwrap_or(self.policy.largest_step).max(1.0);
        let most = bound.max.unwrap_or(f64::INFINITY).min(tuning::hard_limit(name).unwrap_or(f64::INFINITY));
        // What lies outside already may stay where it is.
        let low = (now / step).max(bound.min.unwrap_or(0.0)).min(now);
        (low, (now * step).min(most).max(now))
    }
}

/// A step whose result was not what later steps needed.
#[derive(Clone, Debug)]
pub struct Defect {
    pub execution: u64,
    pub step: String,
    /// `data.empty` or `response.schema_changed`.
    pub cause: String,
    /// Dotted path in the step's result; None: the whole of it.
    pub field: Option<String>,
    /// What the event that shows it is cited by.
    pub event: String,
}

/// Why nothing is proposed where something might have been.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub kind: ProposalKind,
    pub step: Option<String>,
    pub why: String,
}

impl Refusal {
    pub(crate) fn of(kind: ProposalKind, step: &str, why: impl Into<String>) -> Self {
        Self { kind, step: Some(step.to_owned()), why: why.into() }
    }
}

/// What one kind found.
pub(crate) type Findings = Vec<Result<NewProposal, Refusal>>;

/// Everything that a kind says about its Proposal; the rest is the same for all of them.
pub(crate) struct Draft {
    pub(crate) kind: ProposalKind,
    pub(crate) step: Option<String>,
    pub(crate) cause: Option<String>,
    pub(crate) title: String,
    pub(crate) reason: String,
    pub(crate) settings: Vec<Setting>,
    pub(crate) n: u64,
    pub(crate) censored: u64,
    pub(crate) estimate: Estimate,
    pub(crate) counterfactual: Estimate,
    pub(crate) bound: String,
    pub(crate) query: String,
    pub(crate) effect: Effect,
    pub(crate) risk: RiskLevel,
    pub(crate) risk_note: String,
}

impl Subject {
    /// Executions of versions in which the step did the same work, whatever its retries, timeout and so on were.
    pub(crate) fn comparable<'s>(&'s self, step: &str) -> Vec<&'s Observed> {
        let Some(now) = self.playbook.step(step).map(work_of) else { return Vec::new() };
        let same = |version: u32| {
            version == self.version
                || self
                    .versions
                    .iter()
                    .find(|(known, _)| *known == version)
                    .and_then(|(_, playbook)| playbook.step(step))
                    .is_some_and(|then| work_of(then) == now)
        };
        self.history.iter().filter(|one| same(one.version)).collect()
    }

    /// Runs of a step in comparable executions.
    pub(crate) fn runs<'s>(&'s self, step: &str) -> Vec<(&'s Observed, &'s StepRun)> {
        let of = |one: &'s Observed| one.steps.iter().map(move |run| (one, run));
        self.comparable(step).into_iter().flat_map(of).filter(|(_, run)| run.step == step).collect()
    }

    /// Executions of the version that changes apply to; they tell what is usual now.
    pub(crate) fn present(&self) -> Vec<&Observed> {
        self.history.iter().filter(|one| one.version == self.version).collect()
    }

    /// The share of present executions that fail.
    pub(crate) fn failure_rate(&self) -> f64 {
        let present = self.present();
        let failed = present.iter().filter(|one| one.is_failed()).count();
        if present.is_empty() { 0.0 } else { failed as f64 / present.len() as f64 }
    }

    pub(crate) fn current(&self, step: &str, parameter: Parameter) -> Value {
        current(&self.playbook, step, parameter).unwrap_or_default()
    }

    /// SQL conditions that name exactly the executions that were read.
    pub(crate) fn scope_of<'o>(&self, executions: impl IntoIterator<Item = &'o Observed>) -> String {
        let mut ids: Vec<u64> = executions.into_iter().map(|one| one.execution.0).collect();
        ids.sort_unstable();
        let (first, last) = (ids.first().copied().unwrap_or(0), ids.last().copied().unwrap_or(0));
        format!(
            "playbook = '{}' AND execution_id BETWEEN {first} AND {last}",
            self.path.replace('\\', "\\\\").replace('\'', "\\'")
        )
    }

    /// The Proposal in full, or why it cannot be made.
    pub(crate) fn propose(&self, draft: Draft, tools: &ToolSchemas) -> Result<NewProposal, Refusal> {
        let refuse = |why: String| Refusal { kind: draft.kind, step: draft.step.clone(), why };
        let mut content = None;
        let mut diff = None;
        let mut note = draft.risk_note;
        for setting in &draft.settings {
            let limit = tuning::hard_limit(setting.parameter.as_str());
            if limit.zip(tuning::number(&setting.value)).is_some_and(|(limit, value)| value > limit) {
                return Err(refuse(format!("`{}` has a hard bound", setting.parameter.as_str())));
            }
        }
        if !draft.settings.is_empty() {
            let patched = patch(&self.text, &draft.settings).map_err(|error| refuse(error.to_string()))?;
            let linted = lint::lint(&patched.text, tools);
            if !linted.is_good() {
                let first = linted.findings.first().map(|finding| finding.message.clone());
                return Err(refuse(format!("lint refuses the change: {}", first.unwrap_or_default())));
            }
            if patched.is_canonical {
                note.push_str(
                    " The text is written anew in canonical form, as no edit in place was possible.",
                );
            }
            diff = Some(unified(&self.text, &patched.text, &self.path, self.version));
            content = Some(patched.text);
        }
        let changes = draft.settings.iter().map(|setting| Change {
            step: Some(setting.step.clone()),
            parameter: setting.parameter.as_str().to_owned(),
            before: self.current(&setting.step, setting.parameter),
            after: setting.value.clone(),
        });
        let changes: Vec<Change> = changes.collect();
        let window = self.history.iter().map(|one| (one.started_ms, one.ended_ms));
        let from = window.clone().map(|(start, _)| start).min();
        let to = window.map(|(_, end)| end).max();
        let moment = |ms: Option<i64>| ms.map(crate::change::moment).unwrap_or_default();
        let grounds = Grounds {
            from: moment(from),
            to: moment(to),
            n: draft.n,
            censored: draft.censored,
            estimate: draft.estimate,
            counterfactual: draft.counterfactual,
            bound: draft.bound,
            query: draft.query,
        };
        super::grounds::check(&grounds, &draft.effect)
            .map_err(|missing| refuse(format!("its grounds are incomplete: {missing}")))?;
        // More of the same is no new evidence: the number of observations must double, or the choice differ.
        let weight = grounds.n.max(1).ilog2();
        let about = [&draft.step, &draft.cause];
        let evidence_hash =
            hash(&json!([draft.kind.as_str(), self.path, self.version, about, changes, weight]));
        Ok(NewProposal {
            playbook: self.path.clone(),
            base_version: self.version,
            kind: draft.kind,
            step: draft.step,
            cause: draft.cause,
            title: draft.title,
            reason: draft.reason,
            changes,
            content,
            diff,
            grounds,
            effect: draft.effect,
            risk: draft.risk,
            risk_note: note,
            evidence: super::grounds::evidence(self),
            evidence_hash,
            written_by: "rules".to_owned(),
            expires_in_seconds: WAITS,
        })
    }
}

/// What a step does, without the numbers that proposals change.
fn work_of(step: &Step) -> Step {
    let mut work = step.clone();
    work.retry.clear();
    work.routes = noetl_domain::playbook::Routes::default();
    (work.timeout_seconds, work.pool, work.idempotent, work.description) = (None, None, None, None);
    if let Some(looped) = &mut work.looped {
        (looped.chunk, looped.max_in_flight) = (None, None);
    }
    for task in &mut work.body {
        task.retry.clear();
        task.rules.clear();
        (task.timeout_seconds, task.idempotent) = (None, None);
    }
    work
}

pub(crate) fn estimate(what: impl Into<String>, unit: &str, interval: Interval) -> Estimate {
    Estimate {
        what: what.into(),
        unit: unit.to_owned(),
        value: interval.value,
        low: interval.low,
        high: interval.high,
    }
}

pub(crate) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent >= 10.0 || percent == 0.0 { format!("{percent:.0} %") } else { format!("{percent:.1} %") }
}

/// Two significant digits: more would be a promise nobody can keep.
pub(crate) fn rounded(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return value;
    }
    let digits = 1 - value.abs().log10().floor() as i32;
    let factor = 10f64.powi(digits);
    (value * factor).round() / factor
}

/// A JSON number without a needless fraction.
pub(crate) fn number(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 1e15 { json!(value as i64) } else { json!(value) }
}

pub(crate) fn unified(before: &str, after: &str, path: &str, version: u32) -> String {
    similar::TextDiff::from_lines(before, after)
        .unified_diff()
        .context_radius(3)
        .header(&format!("{path} v{version}"), &format!("{path} v{}", version + 1))
        .to_string()
}

fn hash(value: &Value) -> String {
    let digest = Sha256::digest(value.to_string());
    digest.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}
