//! The next thing to do about a cause: what sort of action, on which step and what of it, and what to type.

mod advice;
mod open_proposal;
mod particulars;

use noetl_api::diagnosis::{Recommendation, Remedy, Transience};
use noetl_domain::cause::Cause;
use noetl_domain::code::Code;

use crate::change::{self, Change};
use crate::diagnosis::Hypothesis;
use crate::evidence::Evidence;

pub(crate) use open_proposal::open_proposal;

/// What to do, the likeliest to help first.
pub(crate) fn recommendations(
    evidence: &Evidence,
    winner: &Hypothesis,
    changes: &[Change],
    transience: Transience,
) -> Vec<Recommendation> {
    let at = change::find(evidence, winner.root.execution).unwrap_or(evidence);
    let mut found = vec![main(at, winner, transience, changes)];
    for change in changes.iter().filter(|change| change.is_close) {
        let told = &change.told;
        let (kind, text) = match told.kind.as_str() {
            "version" => (Remedy::RollBack, format!("look at what changed in the playbook; {}", told.what)),
            "input" => (Remedy::FixInput, format!("check the input: {}", told.what)),
            "credential" => (Remedy::FixCredential, format!("check the credential: {}", told.what)),
            _ => continue,
        };
        let command = match (kind, &told.before) {
            (Remedy::RollBack, Some(before)) => {
                Some(format!("noetl catalog get {} --version {before}", at.run.playbook()))
            }
            _ => None,
        };
        let one = Recommendation {
            kind,
            text,
            command,
            step: winner.root.step.clone(),
            target: change.subject.clone(),
            ..Recommendation::default()
        };
        // A call that is refused because the caller sent something else is the caller's to mend.
        if kind == Remedy::FixInput && is_about_the_input(winner.cause) {
            found.insert(0, one);
        } else {
            found.push(one);
        }
    }
    if winner.cause == Cause::Unknown {
        found.push(Recommendation {
            text: "read what the step printed".to_owned(),
            command: Some(format!("noetl logs {}", winner.root.execution)),
            ..Recommendation::default()
        });
    } else if transience != Transience::Permanent {
        found.push(Recommendation {
            kind: Remedy::Retry,
            text: "run it again from what failed; what completed is kept".to_owned(),
            command: Some(format!("noetl retry {}", evidence.run.id)),
            ..Recommendation::default()
        });
    }
    found
}

/// What helps against the cause, with its particulars.
fn main(at: &Evidence, winner: &Hypothesis, transience: Transience, changes: &[Change]) -> Recommendation {
    let advice = told_advice(at, winner).unwrap_or_else(|| advice::of(winner.cause));
    let step = winner.root.step.as_deref().unwrap_or("the step");
    let particulars = particulars::of(at, winner, advice.kind);
    let mut text = advice.text.replace("{}", step);
    if let Some(more) = &particulars.more {
        text.push_str("; ");
        text.push_str(more);
    }
    // A name that had an address the day before has one again tomorrow.
    let passes =
        winner.cause == Cause::NetworkDns && transience != Transience::Permanent && !is_new_input(changes);
    Recommendation {
        kind: if passes { Remedy::Retry } else { advice.kind },
        text,
        step: winner.root.step.clone(),
        target: particulars.target,
        code: own_code(at, winner).or(advice.code).map(|code| code.as_str().to_owned()),
        command: particulars.command,
        ..Recommendation::default()
    }
}

/// What the words of the explanation and of the error ask for.
fn told_advice(at: &Evidence, winner: &Hypothesis) -> Option<advice::Advice> {
    if !advice::is_up_to_words(winner.cause) {
        return None;
    }
    let mut told: String = winner.points.iter().flat_map(|point| [point.text.as_str(), "\n"]).collect();
    if let Some(failure) = winner.root.step.as_deref().and_then(|step| at.run.failure_of(step)) {
        told.push_str(&failure.error.details.to_string());
    }
    advice::as_told(winner.cause, &told)
}

/// Whether an input that the root reads is another one than in the last good run.
fn is_new_input(changes: &[Change]) -> bool {
    changes.iter().any(|change| change.is_close && change.told.kind == "input")
}

/// Causes that another input removes.
fn is_about_the_input(cause: Cause) -> bool {
    matches!(
        cause,
        Cause::RequestNotFound
            | Cause::RequestInvalid
            | Cause::DataTypeMismatch
            | Cause::DataConstraint
            | Cause::TemplateType
            | Cause::PlaybookLoopSource
    )
}

/// The Code that the error itself carries.
fn own_code(at: &Evidence, winner: &Hypothesis) -> Option<Code> {
    let failure = at.run.failure_of(winner.root.step.as_deref()?)?;
    if failure.cause != winner.cause {
        return None;
    }
    failure.error.code.as_deref()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use noetl_api::diagnosis::Remedy;
    use serde_json::json;

    use crate::testing::{Lab, http_error, ok, python_error};

    #[test]
    fn what_to_do_names_the_sort_the_step_and_what_of_it() {
        let lab = Lab::new("a\nb reads a.rows");
        let told = lab
            .run(&[
                ("a", ok(json!({"rows": []}))),
                ("b", python_error("IndexError", "list index out of range")),
            ])
            .diagnosis();
        let first = &told.recommendations[0];
        assert_eq!((first.kind, first.step.as_deref()), (Remedy::HandleEmpty, Some("a")), "{first:?}");
        assert_eq!(first.target.as_deref(), Some("a.rows"), "{first:?}");

        let told = Lab::new("steps: a")
            .run(&[("a", python_error("ModuleNotFoundError", "No module named 'polars'"))])
            .diagnosis();
        let first = &told.recommendations[0];
        assert_eq!(first.kind, Remedy::InstallModule);
        assert_eq!(first.command.as_deref(), Some("pip install polars"), "{first:?}");

        let told = Lab::new("steps: a").run(&[("a", http_error(503, "busy"))]).diagnosis();
        let kinds: Vec<Remedy> = told.recommendations.iter().map(|one| one.kind).collect();
        assert_eq!(kinds, [Remedy::Retry, Remedy::Retry]);
        assert!(
            told.recommendations[1].command.as_deref().is_some_and(|typed| typed.starts_with("noetl retry "))
        );
    }
}
