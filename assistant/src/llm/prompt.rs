//! Prompts: templates in `assistant/prompts`, each with a version, a block `system` and a block `user`.

use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;

/// Every prompt. A change of its text needs a new version in it: answers are kept by it.
const PROMPTS: &[(&str, &str)] =
    &[("chat", include_str!("../../prompts/chat.j2")), ("why", include_str!("../../prompts/why.j2"))];

/// A prompt that is filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompt {
    /// Name and version, such as `why/1`.
    pub name: String,
    pub system: String,
    pub user: String,
}

#[derive(Debug, thiserror::Error)]
#[error("the prompt {name} cannot be filled in")]
pub struct PromptError {
    name: String,
    #[source]
    source: minijinja::Error,
}

/// Fills a prompt in. A name that the prompt reads and nobody gives is an error.
pub fn prompt(name: &str, context: impl Serialize) -> Result<Prompt, PromptError> {
    fill(name, minijinja::Value::from(Serde(context)))
        .map_err(|source| PromptError { name: name.to_owned(), source })
}

fn fill(name: &str, context: minijinja::Value) -> Result<Prompt, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    for (name, text) in PROMPTS {
        environment.add_template(name, text)?;
    }
    let template = environment.get_template(name)?;
    template.render_captured(context)?.with_state_mut(|state| {
        let version = state.lookup("version").unwrap_or_default();
        Ok(Prompt {
            name: format!("{name}/{version}"),
            system: state.render_block("system")?.trim().to_owned(),
            user: state.render_block("user")?.trim().to_owned(),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_prompt_has_a_version() {
        for (name, text) in PROMPTS {
            let first = text.lines().next().unwrap_or_default();
            let version = first.strip_prefix("{% set version = ").and_then(|rest| rest.strip_suffix(" %}"));
            assert!(version.is_some_and(|version| version.parse::<u32>().is_ok()), "{name}: {first}");
        }
    }
}
