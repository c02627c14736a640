//! The Proposal that waits for a decision and would answer this failure.

use noetl_api::diagnosis::{Diagnosis, Recommendation, Remedy};
use noetl_api::proposal::ProposalKind;

use crate::evidence::{Evidence, OpenProposal};

/// What would be approved; none when no Proposal is about the root or about the step that failed.
pub(crate) fn open_proposal(evidence: &Evidence, diagnosis: &Diagnosis) -> Option<Recommendation> {
    let cause = diagnosis.cause.as_deref()?;
    // What never ran has no event, and nothing that is proposed for it answers this.
    let failed = diagnosis.symptoms.iter().filter(|symptom| symptom.event_id.is_some());
    let steps: Vec<&str> =
        diagnosis.root_step.iter().chain(failed.map(|symptom| &symptom.step)).map(String::as_str).collect();
    let about = |open: &&OpenProposal| {
        open.step.as_deref().is_some_and(|step| steps.contains(&step))
            && open.cause.as_deref().is_none_or(|answered| answered == cause)
    };
    // One that names the cause comes before one that is about the step alone.
    let found = evidence.proposals.iter().filter(about).max_by_key(|open| open.cause.is_some())?;
    Some(Recommendation {
        kind: remedy(found.kind),
        text: format!("a proposal answers this: {}", found.title),
        step: found.step.clone(),
        command: Some(format!("noetl proposals show {}", found.id)),
        proposal_id: Some(found.id.clone()),
        ..Recommendation::default()
    })
}

fn remedy(kind: ProposalKind) -> Remedy {
    match kind {
        ProposalKind::Retry => Remedy::Retry,
        ProposalKind::Timeout => Remedy::RaiseTimeout,
        ProposalKind::BatchSize => Remedy::ReduceSize,
        ProposalKind::Concurrency => Remedy::SlowDown,
        ProposalKind::Pool => Remedy::AddResources,
        ProposalKind::Credential => Remedy::RegisterCredential,
        ProposalKind::SchemaGuard => Remedy::HandleEmpty,
        ProposalKind::Parallelise | ProposalKind::Step => Remedy::FixPlaybook,
    }
}

#[cfg(test)]
mod tests {
    use noetl_api::proposal::ProposalKind;
    use serde_json::json;

    use crate::evidence::OpenProposal;
    use crate::testing::{Lab, error, ok};
    use noetl_domain::error::TaskError;

    fn open(id: &str, step: &str, cause: Option<&str>) -> OpenProposal {
        OpenProposal {
            id: id.to_owned(),
            kind: ProposalKind::Retry,
            step: Some(step.to_owned()),
            cause: cause.map(ToOwned::to_owned),
            title: "try fetch four times".to_owned(),
        }
    }

    #[test]
    fn a_failure_names_the_proposal_that_answers_it() {
        let refused =
            TaskError::new("http", "HTTP 429: too many requests").with_details(json!({ "status": 429 }));
        let mut evidence =
            Lab::new("fetch\nload").run(&[("fetch", error(refused)), ("load", ok(json!({})))]).evidence;
        let told = crate::diagnose(&evidence);
        let cause = told.cause.clone().expect("a cause");
        assert!(told.recommendations.iter().all(|one| one.proposal_id.is_none()));
        evidence.proposals = vec![open("1", "load", None)];
        let aside = crate::diagnose(&evidence);
        assert!(aside.recommendations.iter().all(|one| one.proposal_id.is_none()), "load never ran");
        evidence.proposals = vec![
            open("1", "load", None),
            open("2", "fetch", Some("network.dns")),
            open("3", "fetch", None),
            open("4", "fetch", Some(&cause)),
        ];
        let with = crate::diagnose(&evidence);
        let named: Vec<&str> =
            with.recommendations.iter().filter_map(|one| one.proposal_id.as_deref()).collect();
        assert_eq!(named, ["4"]);
        let last = with.recommendations.last().expect("it comes last");
        assert_eq!(last.command.as_deref(), Some("noetl proposals show 4"));
        assert_eq!(with.recommendations[0], told.recommendations[0], "what helps first stays first");
    }
}
