//! From evidence to a diagnosis: rules name what could be the cause, the ranking weighs them, the rest explains.
//!
//! One rule per file; a rule reads the case and knows no other rule.
//! Everything here is a pure function of the evidence.

mod answered;
mod case;
mod child_failed;
mod command_lost;
mod complained;
mod cycle;
mod deadline;
mod earlier_lines;
mod error_path;
mod first_try;
mod handed_over;
mod inner_exception;
mod no_worker;
mod old_token;
mod own_error;
mod parent_rows;
mod passed_over;
mod stopped;
mod task_before;
mod told_error;
mod trail;
mod transience;
mod unknown_name;
mod upstream;
mod wrote_file;

use noetl_api::diagnosis::{EvidenceItem, Transience};
use noetl_domain::cause::Cause;
use noetl_domain::id::ExecutionId;

pub(crate) use case::{Case, event, failure_item, item};
pub(crate) use transience::of as transience_of;

use crate::evidence::{EventRef, Evidence};

type Rule = fn(&Case<'_>) -> Vec<Hypothesis>;

/// Every rule. The order means nothing.
const RULES: &[Rule] = &[
    own_error::hypotheses,
    first_try::hypotheses,
    earlier_lines::hypotheses,
    unknown_name::hypotheses,
    inner_exception::hypotheses,
    passed_over::hypotheses,
    error_path::hypotheses,
    upstream::hypotheses,
    told_error::hypotheses,
    task_before::hypotheses,
    parent_rows::hypotheses,
    handed_over::hypotheses,
    child_failed::hypotheses,
    command_lost::hypotheses,
    complained::hypotheses,
    no_worker::hypotheses,
    old_token::hypotheses,
    deadline::hypotheses,
    cycle::hypotheses,
    stopped::hypotheses,
    wrote_file::hypotheses,
];

/// What could be the cause, and what speaks for it.
#[derive(Clone, Debug)]
pub(crate) struct Hypothesis {
    pub(crate) rule: &'static str,
    pub(crate) root: Root,
    pub(crate) cause: Cause,
    /// How much the rule believes in it, between 0 and 1.
    pub(crate) score: f64,
    /// What the certainty of the answer is multiplied by: how often such an answer stands although nothing better was
    /// found, and not because it is right. It does not count against other hypotheses.
    pub(crate) doubt: f64,
    pub(crate) support: Support,
    /// From the root to the failure.
    pub(crate) chain: Vec<EventRef>,
    /// Steps that are symptoms if this is the cause.
    pub(crate) symptoms: Vec<(ExecutionId, String)>,
    pub(crate) points: Vec<Point>,
    /// Set where the rule knows better than the cause alone.
    pub(crate) transience: Option<Transience>,
    /// Things that could not be looked at.
    pub(crate) gaps: Vec<String>,
    /// What exactly is wrong: the path that was read, the name that is missing.
    pub(crate) subject: Option<String>,
}

/// Where a cause lies.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Root {
    pub(crate) execution: ExecutionId,
    pub(crate) playbook: String,
    pub(crate) step: Option<String>,
    pub(crate) event: Option<EventRef>,
}

/// What kind of evidence a hypothesis rests on, the weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Support {
    /// Nothing in the evidence names a cause.
    None,
    /// Words, or a value that looks wrong with nothing to compare it with.
    Likely,
    /// A typed field, or a deviation from the last good run.
    Firm,
}

/// One sentence, and what it rests on.
#[derive(Clone, Debug)]
pub(crate) struct Point {
    pub(crate) text: String,
    pub(crate) items: Vec<EvidenceItem>,
}

impl Point {
    pub(crate) fn new(text: impl Into<String>, items: Vec<EvidenceItem>) -> Self {
        Self { text: text.into(), items }
    }
}

impl Hypothesis {
    pub(crate) fn new(rule: &'static str, root: Root, cause: Cause, score: f64) -> Self {
        Self {
            rule,
            root,
            cause,
            score,
            doubt: 1.0,
            support: Support::Likely,
            chain: Vec::new(),
            symptoms: Vec::new(),
            points: Vec::new(),
            transience: None,
            gaps: Vec::new(),
            subject: None,
        }
    }

    /// The events of the chain, in time.
    pub(crate) fn with_chain(mut self, chain: impl IntoIterator<Item = EventRef>) -> Self {
        self.chain = chain.into_iter().collect();
        self.chain.sort_by_key(|event| (event.at_ms, event.event_id));
        self.chain.dedup();
        self
    }

    /// Whether this one makes the other a mere symptom.
    pub(crate) fn explains(&self, other: &Self) -> bool {
        let Some(step) = &other.root.step else {
            return self.rule != "own_error" && other.rule == "own_error";
        };
        let is_symptom =
            self.symptoms.iter().any(|(execution, name)| *execution == other.root.execution && name == step);
        let is_same = self.root.execution == other.root.execution && self.root.step == other.root.step;
        // Of one step, what looks behind its error explains what the error says.
        is_symptom && (!is_same || other.rule == "own_error" && self.cause != other.cause)
    }
}

/// Every hypothesis that any rule has.
pub(crate) fn hypotheses(evidence: &Evidence) -> Vec<Hypothesis> {
    let case = Case::new(evidence);
    let mut found: Vec<Hypothesis> = RULES.iter().flat_map(|rule| rule(&case)).collect();
    if let Some(end) = case.end {
        // Whoever looks behind the error of a step makes that step's failure a symptom.
        for hypothesis in found.iter_mut().filter(|hypothesis| hypothesis.rule != "own_error") {
            hypothesis.symptoms.push((evidence.run.id, end.step.clone()));
            if hypothesis.root.execution == evidence.run.id {
                hypothesis.symptoms.extend(case.inside.iter().cloned());
            }
        }
    }
    found
}
