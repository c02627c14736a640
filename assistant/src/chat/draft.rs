//! `draft_proposal`: what a model may write down for a person to look at, and nothing more.
//!
//! One parameter of one step, patched into the author's own text and read by lint before anybody sees it. A draft is
//! kept nowhere: it stands in the answer, and what becomes of it is for the person who reads it.

use noetl_api::proposal::{Change, Grounds, NewProposal, ProposalKind, RiskLevel};
use noetl_domain::dialect::patch::{Parameter, Setting, current, patch};
use noetl_domain::mask::Masker;
use noetl_domain::{dialect, lint, tuning};
use serde::Deserialize;
use serde_json::Value;

use super::dialogue::Talk;
use crate::proposal::unified;
use crate::tools::Answers;
use crate::write::prose::is_plain;

pub(super) const NAME: &str = "draft_proposal";
pub(super) const DESCRIPTION: &str = "Shows the person a change of one parameter of one step as a draft. It changes nothing and files nothing; \
     use it only when the person asks for a change.";

/// What it may set, and the kind of Proposal that would be.
const PARAMETERS: &[(Parameter, ProposalKind)] = &[
    (Parameter::MaxAttempts, ProposalKind::Retry),
    (Parameter::InitialDelay, ProposalKind::Retry),
    (Parameter::Multiplier, ProposalKind::Retry),
    (Parameter::MaxDelay, ProposalKind::Retry),
    (Parameter::Timeout, ProposalKind::Timeout),
    (Parameter::BatchSize, ProposalKind::BatchSize),
    (Parameter::MaxInFlight, ProposalKind::Concurrency),
    (Parameter::Pool, ProposalKind::Pool),
];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    playbook: String,
    step: String,
    parameter: String,
    value: Value,
    #[serde(default)]
    why: String,
}

/// The arguments in a line, as the model is told them.
pub(super) fn arguments() -> String {
    let names: Vec<&str> = PARAMETERS.iter().map(|(parameter, _)| parameter.as_str()).collect();
    format!(
        "{{\"playbook\": path, \"step\": name, \"parameter\": one of {}, \"value\": the new value, \"why\" (optional): one \
         sentence}}",
        names.join(", ")
    )
}

/// The draft, or why there is none, in words for the model.
pub(super) async fn draft<A: Answers>(
    answers: &A,
    talk: &Talk,
    arguments: Value,
) -> Result<NewProposal, String> {
    let input: Input =
        serde_json::from_value(arguments).map_err(|error| format!("the arguments: {error}"))?;
    let found = PARAMETERS.iter().find(|(parameter, _)| parameter.as_str() == input.parameter);
    let (parameter, kind) = *found.ok_or("this parameter cannot be drafted")?;
    let entry = answers.playbook(&input.playbook, None).await.map_err(|_| "there is no such playbook")?;
    let text = entry.content.as_deref().unwrap_or_default();
    let playbook = dialect::read(text).playbook.ok_or("the playbook cannot be read")?;
    let step = playbook.step(&input.step).ok_or("there is no such step")?;
    let number = tuning::number(&input.value);
    if parameter != Parameter::Pool && number.is_none_or(|number| !number.is_finite() || number <= 0.0) {
        return Err("the value is no positive number".to_owned());
    }
    let limit = tuning::hard_limit(parameter.as_str());
    if let Some((limit, _)) = limit.zip(number).filter(|(limit, number)| number > limit) {
        return Err(format!("at most {limit} are ever allowed"));
    }
    if parameter == Parameter::MaxAttempts
        && let Some(why) = tuning::not_repeatable(step)
    {
        return Err(format!("the step may not be repeated: {why}"));
    }
    let before = current(&playbook, &input.step, parameter).map_err(|error| error.to_string())?;
    let setting = Setting { step: input.step.clone(), parameter, value: input.value.clone() };
    let patched = patch(text, &[setting]).map_err(|error| error.to_string())?;
    let linted = lint::lint(&patched.text, &talk.tools);
    if !linted.is_good() {
        return Err("lint refuses the changed playbook".to_owned());
    }
    let name = parameter.as_str();
    let is_told = is_plain(&input.why) && Masker::new().text(&input.why) == input.why;
    Ok(NewProposal {
        title: format!("set {name} of step {} of {} to {}", input.step, entry.path, input.value),
        reason: if is_told { input.why } else { String::new() },
        playbook: entry.path.clone(),
        base_version: entry.version,
        kind,
        step: Some(input.step.clone()),
        changes: vec![Change {
            step: Some(input.step),
            parameter: name.to_owned(),
            before,
            after: input.value,
        }],
        diff: Some(unified(text, &patched.text, &entry.path, entry.version)),
        content: Some(patched.text),
        grounds: Grounds {
            bound: "none: a model drafted it, nothing was measured".to_owned(),
            ..Grounds::default()
        },
        risk: RiskLevel::High,
        risk_note: "nothing was measured for it".to_owned(),
        written_by: talk.model.name().to_owned(),
        ..NewProposal::default()
    })
}
