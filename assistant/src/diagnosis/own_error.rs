//! The failing step's own error says what happened.

use std::collections::BTreeMap;

use noetl_domain::Value;
use noetl_domain::cause::{Basis, Cause, Clear};
use noetl_domain::error::TaskError;
use noetl_domain::event::Status;

use super::case::{failure_item, line, quoted};
use super::earlier_lines::last_lines;
use super::trail::follows_from_data;
use super::{Case, Hypothesis, Point, Support};
use crate::evidence::{Failed, Failure, Origin, Said, is_nothing, is_of_their_own, reads_of, says_nothing};

const RULE: &str = "own_error";

pub(super) fn hypotheses(case: &Case<'_>) -> Vec<Hypothesis> {
    let Some(end) = case.end else { return Vec::new() };
    if case.run.status() != Status::Failed {
        return Vec::new();
    }
    let told = telling(case, end);
    let cause = match told.cause {
        _ if says_nothing(&told.error) => Cause::Unknown,
        // What the code was handed is not known without the playbook, and it may be to blame.
        cause if case.evidence.definition.is_none() && follows_from_data(cause, &case.said) >= 0.8 => {
            Cause::Unknown
        }
        // Code that trips over a null of its own making was handed nothing wrong.
        Cause::DataEmpty if is_code(&told.error) && !was_handed_nothing(case, &told.step) => {
            Cause::CodeException
        }
        // A program that ended badly: of what its words are likest to others tell; words that say nothing say nothing.
        Cause::CodeException if told.error.kind == "shell" && is_guessed(&told.error) => {
            let said = last_lines(case, &told.step).unwrap_or_else(|| told.error.message.clone());
            match Cause::nearest_to(&said) {
                None | Some(Cause::Unknown) => Cause::Unknown,
                Some(_) => Cause::CodeException,
            }
        }
        // An exception of their own says in words what its name cannot.
        Cause::CodeException if is_of_their_own(&told.error) => own_words(&told.error),
        // A plain exception in which code passes on what another side said.
        Cause::CodeException if passes_on(&told.error) => {
            passed_on(&told.error).filter(|cause| is_outside(*cause)).unwrap_or(Cause::CodeException)
        }
        cause if was_handed_unseen(case, &told.step) && follows_from_data(cause, &case.said) >= 0.8 => {
            Cause::Unknown
        }
        // Nothing is left of what the step did but the last event of the execution.
        cause if is_hollow(case, told) && follows_from_data(cause, &case.said) > 0.2 => Cause::Unknown,
        cause => cause,
    };
    let (score, support) = match cause {
        Cause::Unknown => (0.3, Support::None),
        // Others know better what lies behind these.
        Cause::PlaybookChildFailed => (0.3, Support::Likely),
        // A program that ended badly may have met anything.
        Cause::CodeException if told.error.kind != "python" => (0.62, Support::Likely),
        Cause::CodeException => (0.75, Support::Likely),
        _ if is_typed(told) => (0.9, Support::Firm),
        _ if rests_on_words(&told.error) => (0.72, Support::Likely),
        _ => (0.8, Support::Likely),
    };
    let step = Some(told.step.as_str()).filter(|step| !step.is_empty());
    let mut hypothesis = Hypothesis::new(RULE, case.root(step, Some(told.event)), cause, score)
        .with_chain(case.tail(told).into_iter().chain([end.event]));
    hypothesis.support = support;
    hypothesis.doubt = doubt(case, told, cause);
    let supports = format!("the cause {cause}");
    let mut items = vec![failure_item(told, &supports)];
    items.extend(step.and_then(|step| line(case.evidence, step, "where the step is written")));
    let text = match (step, cause) {
        (Some(step), Cause::Unknown) => format!(
            "Step `{step}` failed and says only {}, which supports no cause",
            quoted(&told.error.message)
        ),
        (Some(step), _) => {
            format!("Step `{step}` failed: {} ({})", quoted(&told.error.message), cause.meaning())
        }
        (None, _) => format!("The execution was ended: {}", quoted(&told.error.message)),
    };
    hypothesis.points.push(Point::new(text, items));
    // What the worker adds, such as a spent retry budget: evidence beside the cause, never the cause.
    for failure in [told, end] {
        if let Some(note) = failure.error.notes.first() {
            let item = failure_item(failure, "why it was not tried again");
            hypothesis.points.push(Point::new(format!("A limit of our own: {note}"), vec![item]));
            break;
        }
    }
    vec![hypothesis]
}

/// Events of the step are gone, and others ran before it: what led there is not known.
fn is_hollow(case: &Case<'_>, told: &Failure) -> bool {
    told.what == Failed::End
        && !case.run.complete
        && !case.run.entered.contains_key(&told.step)
        && case.evidence.playbook().is_some_and(|playbook| playbook.steps.len() > 1)
}

/// Whether only the kind of the error speaks for its cause, or what it is like.
fn is_guessed(error: &TaskError) -> bool {
    matches!(Cause::with_basis(error, None).1, Basis::Kind | Basis::Likeness)
}

/// Whether the cause is only what its sentences are about.
fn rests_on_words(error: &TaskError) -> bool {
    matches!(Cause::with_basis(error, None).1, Basis::Sentence | Basis::Likeness)
}

/// What speaks against the error being the whole story.
fn doubt(case: &Case<'_>, told: &Failure, cause: Cause) -> f64 {
    let reads =
        || reads_of(case.evidence, &told.step).iter().any(|read| matches!(read.origin, Origin::Step(_)));
    match Cause::with_basis(&told.error, None).1 {
        // A program that only ended badly.
        Basis::Kind if told.error.kind != "python" => 0.75,
        // It may come of data whose fault is not to be seen.
        _ if follows_from_data(cause, &case.said) >= 0.75 && reads() => 0.85,
        Basis::Sentence | Basis::Likeness => 0.9,
        Basis::Field | Basis::Phrase | Basis::Kind => 1.0,
    }
}

/// What an exception of their own says, else what it is called.
pub(super) fn own_words(error: &TaskError) -> Cause {
    let code = error.code.as_deref().unwrap_or_default();
    let own = Cause::of_own_exception(code, Said::raw(error));
    // What the other side would say in the same words means something else.
    if let Some(cause @ (Cause::CodeException | Cause::AuthCredentialMissing | Cause::AuthForbidden)) = own {
        return cause;
    }
    if let Some(cause) = passed_on(error) {
        return cause;
    }
    match Cause::in_words(code) {
        // A name such as `ValidationError` says nothing of another side.
        cause if is_outside(cause) => cause,
        _ => own
            .or_else(|| Cause::like(&format!("{code}: {}", Said::raw(error)), Clear::Own))
            // That it says nothing is judged by its words before.
            .filter(|cause| *cause != Cause::Unknown)
            .unwrap_or(Cause::CodeException),
    }
}

/// What another side said, in the words of an exception that passes it on.
fn passed_on(error: &TaskError) -> Option<Cause> {
    let words = Said::raw(error);
    match Cause::with_basis(&TaskError::new("tool_error", words), None) {
        (Cause::Unknown | Cause::CodeException, _) => {}
        // Of code that may speak of anything.
        (cause, Basis::Likeness) if Cause::like(words, Clear::Surely) != Some(cause) => return None,
        (cause, Basis::Field | Basis::Phrase) => return Some(cause),
        (cause, _) if is_elsewhere(cause) => return Some(cause),
        // What only a database or a service can have said.
        (cause, Basis::Likeness)
            if matches!(cause.family(), "sql" | "request") || cause == Cause::DataDuplicate =>
        {
            return Some(cause);
        }
        // `no such customer` may be said by the code itself.
        _ => return None,
    }
    Some(Cause::in_words(words)).filter(|cause| is_outside(*cause))
}

/// Causes that code cannot be the author of.
fn is_elsewhere(cause: Cause) -> bool {
    matches!(cause.family(), "auth" | "limit" | "network" | "timeout" | "remote" | "resource")
}

/// Causes that lie outside of the code.
fn is_outside(cause: Cause) -> bool {
    is_elsewhere(cause) || matches!(cause, Cause::RequestNotFound | Cause::RequestConflict)
}

fn passes_on(error: &TaskError) -> bool {
    let name = error.code.as_deref().unwrap_or_default();
    error.kind == "python"
        && matches!(name, "ValueError" | "AssertionError" | "RuntimeError" | "Exception" | "SystemExit")
}

/// It read something that lies outside the log and could not be looked at.
fn was_handed_unseen(case: &Case<'_>, step: &str) -> bool {
    reads_of(case.evidence, step)
        .iter()
        .any(|read| read.now.is_none() && matches!(read.origin, Origin::Step(_)))
}

/// Work whose errors are raised by the author's own code.
fn is_code(error: &TaskError) -> bool {
    matches!(error.kind.as_str(), "python" | "shell")
        || matches!(error.source.as_str(), "script" | "container")
}

pub(super) fn was_handed_nothing(case: &Case<'_>, step: &str) -> bool {
    reads_of(case.evidence, step).iter().any(|read| read.now.as_ref().is_none_or(|now| holds_nothing(now, 3)))
}

fn holds_nothing(value: &Value, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    is_nothing(value)
        || match value {
            Value::Object(map) => map.values().any(|inner| holds_nothing(inner, depth)),
            Value::Array(list) => list.iter().take(50).any(|inner| holds_nothing(inner, depth)),
            _ => false,
        }
}

/// Of a loop, the Iteration that speaks for most of those that failed; otherwise the work behind the step's exit.
fn telling<'a>(case: &Case<'a>, end: &'a Failure) -> &'a Failure {
    let work: Vec<&Failure> = case
        .run
        .failures
        .iter()
        .filter(|failure| {
            failure.step == end.step && failure.run == end.run && matches!(failure.what, Failed::Work { .. })
        })
        .filter(|failure| failure.event.seq <= end.event.seq && failure.cause != Cause::RunCancelled)
        .collect();
    if work.is_empty() {
        return end;
    }
    let mut counts: BTreeMap<Cause, usize> = BTreeMap::new();
    for failure in &work {
        *counts.entry(failure.cause).or_default() += 1;
    }
    let most = counts.values().copied().max().unwrap_or(0);
    // Of several that are equally frequent, the one that came first.
    work.into_iter().find(|failure| counts.get(&failure.cause) == Some(&most)).unwrap_or(end)
}

/// Whether a field of the error names the cause, rather than its words.
pub(super) fn is_typed(failure: &Failure) -> bool {
    let silent = noetl_domain::error::TaskError { message: String::new(), ..failure.error.clone() };
    Cause::of(&silent, None) == failure.cause
}

#[cfg(test)]
mod tests {
    use noetl_domain::cause::Cause;

    use crate::testing::{Lab, failed, ok, sql_error};

    #[test]
    fn the_error_of_a_step_names_its_cause() {
        let case = Lab::new("steps: a b").run(&[("a", ok(1)), ("b", sql_error("42P01", "no such table"))]);
        case.blames("b", Cause::SqlUndefinedObject);
    }

    #[test]
    fn an_error_without_words_supports_nothing() {
        let case = Lab::new("steps: a")
            .run(&[("a", failed("shell", Some("3"), "the command ended with exit status 3"))]);
        case.abstains();
    }
}
