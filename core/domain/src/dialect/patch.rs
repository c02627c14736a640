//! Changes of single parameters, made in the author's own text: comments, order and spelling stay.
//!
//! What an edit did is never trusted: the new text is read, and must mean the old playbook with exactly the changes
//! asked for. Where no edit in place passes, the canonical form of the changed playbook stands in, and says so.

mod edit;
mod model;
#[cfg(test)]
mod tests;

use std::str::FromStr;

use crate::Value;
use crate::playbook::Playbook;

/// What can be changed, by the name that proposals and the policy file use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Parameter {
    MaxAttempts,
    InitialDelay,
    Multiplier,
    MaxDelay,
    Timeout,
    BatchSize,
    MaxInFlight,
    Pool,
    /// The steps that follow, as a list of names: all of them.
    Arcs,
    /// A condition under which the step fails although its tool went well.
    Guard,
    /// A new step behind this one, in canonical form.
    Steps,
}

impl Parameter {
    pub const ALL: [(Self, &str); 11] = [
        (Self::MaxAttempts, "retry.max_attempts"),
        (Self::InitialDelay, "retry.initial_delay"),
        (Self::Multiplier, "retry.multiplier"),
        (Self::MaxDelay, "retry.max_delay"),
        (Self::Timeout, "timeout"),
        (Self::BatchSize, "batch_size"),
        (Self::MaxInFlight, "max_in_flight"),
        (Self::Pool, "pool"),
        (Self::Arcs, "arcs"),
        (Self::Guard, "guard"),
        (Self::Steps, "steps"),
    ];

    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(known, _)| *known == self).map_or("", |(_, word)| word)
    }
}

impl FromStr for Parameter {
    type Err = PatchError;

    fn from_str(word: &str) -> Result<Self, PatchError> {
        let known = Self::ALL.iter().find(|(_, known)| *known == word);
        known.map(|(parameter, _)| *parameter).ok_or_else(|| PatchError::UnknownParameter(word.to_owned()))
    }
}

/// One parameter of one step, and what it shall be.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    pub step: String,
    pub parameter: Parameter,
    pub value: Value,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patched {
    pub text: String,
    /// No edit in place was possible: the text is the canonical form, without the author's comments.
    pub is_canonical: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatchError {
    #[error("the playbook cannot be read")]
    Unreadable,
    #[error("there is no step {0:?}")]
    UnknownStep(String),
    #[error("there is no parameter {0:?}")]
    UnknownParameter(String),
    #[error("`{parameter}` of step {step:?} cannot be set: {why}")]
    NotApplicable { parameter: &'static str, step: String, why: &'static str },
}

impl PatchError {
    fn not(setting: &Setting, why: &'static str) -> Self {
        Self::NotApplicable { parameter: setting.parameter.as_str(), step: setting.step.clone(), why }
    }
}

/// What a parameter is now; Null when the playbook says nothing about it.
pub fn current(playbook: &Playbook, step: &str, parameter: Parameter) -> Result<Value, PatchError> {
    let step = playbook.step(step).ok_or_else(|| PatchError::UnknownStep(step.to_owned()))?;
    Ok(model::get(step, parameter))
}

/// The text with every setting in it.
pub fn patch(text: &str, settings: &[Setting]) -> Result<Patched, PatchError> {
    let before = super::read(text).playbook.ok_or(PatchError::Unreadable)?;
    let wanted = model::wanted(&before, settings)?;
    if let Some(edited) = in_place(text, settings)
        && super::read(&edited).playbook.is_some_and(|read| wanted.contains(&read))
    {
        return Ok(Patched { text: edited, is_canonical: false });
    }
    for playbook in &wanted {
        let text = super::canonical(playbook);
        if super::read(&text).playbook.is_some_and(|read| read == *playbook) {
            return Ok(Patched { text, is_canonical: true });
        }
    }
    let setting = settings.first().ok_or(PatchError::Unreadable)?;
    Err(PatchError::not(setting, "no text was found that means it"))
}

fn in_place(text: &str, settings: &[Setting]) -> Option<String> {
    let mut text = text.to_owned();
    for setting in settings {
        // Every edit moves what follows, so places are read anew.
        text = edit::set(&text, setting)?;
    }
    Some(text)
}
