//! The question in hand: which failure ended the execution, and how rules point at evidence.

use noetl_api::diagnosis::EvidenceItem;
use noetl_domain::Value;
use noetl_domain::cause::Cause;
use noetl_domain::code::Code;
use noetl_domain::id::ExecutionId;
use noetl_domain::mask::Masker;

use super::Root;
use super::trail::{Hop, trails};
use crate::evidence::{
    Defect, EventRef, Evidence, Failed, Failure, Left, Origin, Run, Said, compare, reads_of,
};

/// Characters of an excerpt.
const EXCERPT: usize = 300;

/// The evidence, and the failure that has to be explained.
pub(crate) struct Case<'a> {
    pub(crate) evidence: &'a Evidence,
    pub(crate) run: &'a Run,
    /// The earliest failure that nobody answered; none when the execution did not fail.
    pub(crate) end: Option<&'a Failure>,
    /// What the error asks of data, and what it says: of a sub-playbook that was handed something wrong, the error
    /// inside it.
    pub(crate) cause: Cause,
    pub(crate) said: Said,
    /// The steps of sub-playbooks whose errors are symptoms of what they were handed.
    pub(crate) inside: Vec<(ExecutionId, String)>,
}

impl<'a> Case<'a> {
    pub(crate) fn new(evidence: &'a Evidence) -> Self {
        let run = &evidence.run;
        let end = end_of(run);
        let said = end.map(|failure| Said::of(&failure.error)).unwrap_or_default();
        let cause = end.map_or(Cause::Unknown, |failure| failure.cause);
        let mut case = Self { evidence, run, end, cause, said, inside: Vec::new() };
        if let (Some(end), Cause::PlaybookChildFailed) = (end, cause)
            && let Some(child) = evidence.child_of(&end.step)
        {
            case.look_into(&child.evidence, &end.step);
        }
        case
    }

    /// Takes over the error of a sub-playbook that failed because of what it was handed.
    fn look_into(&mut self, child: &'a Evidence, step: &str) {
        let inside = Case::new(child);
        let Some(end) = inside.end else { return };
        let ways = inside.trails();
        let makers = ways.iter().map(|trail| trail.origin().to_owned());
        let steps: Vec<String> = std::iter::once(end.step.clone()).chain(makers).collect();
        let handed_wrong = steps.iter().any(|step| {
            reads_of(child, step).iter().any(|read| {
                let now = read.now.clone().unwrap_or(Value::Bool(true));
                let before = child.baseline.as_ref().map(|_| read.before.clone().unwrap_or_default());
                matches!(read.origin, Origin::Input(_))
                    && !compare(&now, before.as_ref(), &inside.said).is_empty()
            })
        });
        // Or what it was handed is seen to be wrong beside what others were.
        let is_odd = || {
            let reads_input = steps
                .iter()
                .flat_map(|step| reads_of(child, step))
                .any(|read| matches!(read.origin, Origin::Input(_)));
            let is_of_type =
                |hop: &Hop| hop.flaw.as_ref().is_some_and(|flaw| matches!(flaw.defect, Defect::Type { .. }));
            reads_input
                && trails(self.evidence, step, &inside.said)
                    .iter()
                    .any(|trail| trail.hops.first().is_some_and(is_of_type))
        };
        if handed_wrong || is_odd() {
            (self.cause, self.said) = (inside.cause, inside.said.clone());
            self.inside.extend(inside.inside);
            self.inside.extend(steps.into_iter().map(|step| (child.run.id, step)));
        }
    }

    pub(crate) fn root(&self, step: Option<&str>, event: Option<EventRef>) -> Root {
        Root {
            execution: self.run.id,
            playbook: self.run.playbook().to_owned(),
            step: step.map(str::to_owned),
            event,
        }
    }

    /// Steps that ended well before a failure, the last one first.
    pub(crate) fn went_well_before(&self, end: &Failure) -> Vec<(&str, EventRef)> {
        let is_one = |step: &str, left: &Left| {
            !left.failed && !left.skipped && left.event.seq <= end.event.seq && *step != *end.step
        };
        let mut found: Vec<(&str, EventRef)> = self
            .run
            .exits
            .iter()
            .filter(|(step, left)| is_one(step, left))
            .map(|(step, left)| (step.as_str(), left.event))
            .collect();
        found.sort_by_key(|(_, event)| std::cmp::Reverse(event.seq));
        found
    }

    /// The failure that ended everything, and the events between it and the end.
    pub(crate) fn tail(&self, failure: &Failure) -> Vec<EventRef> {
        let mut tail = vec![failure.event];
        tail.extend(self.run.exits.get(&failure.step).filter(|left| left.failed).map(|left| left.event));
        tail.extend(self.run.ended);
        tail
    }
}

/// The earliest failure that nobody answered.
fn end_of(run: &Run) -> Option<&Failure> {
    let unanswered = run.failures.iter().find(|failure| failure.what == Failed::Exit { handled: false });
    let end = run.failures.iter().rfind(|failure| failure.what == Failed::End);
    // What ended the execution as a whole is not the work of a step.
    match end {
        Some(end) if is_of_the_whole(end) => Some(end),
        end => unanswered.or(end).or_else(|| {
            let failed = run.state.status == noetl_domain::event::Status::Failed;
            run.failures.last().filter(|_| failed)
        }),
    }
}

fn is_of_the_whole(end: &Failure) -> bool {
    let code = end.error.code.as_deref().and_then(|code| code.parse().ok());
    matches!(code, Some(Code::ExecutionTimeout | Code::CommandLost))
        || end.error.kind == "limit"
        || end.error.kind == "finalized"
}

/// An Event as evidence.
pub(crate) fn event(event: EventRef, excerpt: impl AsRef<str>, supports: impl Into<String>) -> EvidenceItem {
    item("event", event.id(), excerpt, supports)
}

pub(crate) fn item(
    kind: &str,
    reference: impl Into<String>,
    excerpt: impl AsRef<str>,
    supports: impl Into<String>,
) -> EvidenceItem {
    EvidenceItem {
        kind: kind.to_owned(),
        reference: reference.into(),
        excerpt: cut(&Masker::new().text(excerpt.as_ref())),
        supports: supports.into(),
    }
}

/// The place in the playbook's text where a step is written.
pub(crate) fn line(evidence: &Evidence, step: &str, supports: impl Into<String>) -> Option<EvidenceItem> {
    let (line, text) = evidence.line_of(step)?;
    let version = evidence.definition.as_ref()?.version;
    let reference = format!("{}@{version}:{line}", evidence.run.playbook());
    Some(item("playbook_line", reference, text, supports))
}

pub(crate) fn failure_item(failure: &Failure, supports: impl Into<String>) -> EvidenceItem {
    event(failure.event, format!("{}: {}", failure.step, failure.error.message), supports)
}

fn cut(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(EXCERPT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// A message in a sentence: one line, in quotes, shortened.
pub(crate) fn quoted(message: &str) -> String {
    let line = message.split_whitespace().collect::<Vec<_>>().join(" ").replace('"', "'");
    match line.char_indices().nth(160) {
        Some((end, _)) => format!("\"{}…\"", &line[..end]),
        None => format!("\"{line}\""),
    }
}
