//! Where the policy comes from: `[policy]` of noetl.toml, or the file that it names, read again at every decision.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use noetl_api::policy::Policy;
use noetl_domain::code::Code;
use noetl_server::proposals::policy::{PolicySource, check};
use serde::Deserialize;

use crate::context::Context;
use crate::problem::Problem;

/// For the control plane.
pub(crate) fn source(context: &Context) -> PolicySource {
    let written = context.config.policy.clone();
    let place = context.chosen_file.clone();
    Arc::new(move || in_effect(&written, place.as_deref()).map_err(|error| format!("{error:#}")))
}

/// What counts now: the named file, else the section in noetl.toml as it is now, so that an edit needs no restart.
fn in_effect(written: &Policy, config: Option<&Path>) -> anyhow::Result<Policy> {
    let policy = match config {
        Some(config) if config.is_file() => section(config)?,
        _ => written.clone(),
    };
    if policy.file.is_empty() {
        return Ok(policy);
    }
    let file = PathBuf::from(&policy.file);
    // Beside the file that names it, as people expect.
    let beside = config.and_then(Path::parent).map(|directory| directory.join(&file));
    read(&beside.filter(|path| path.is_file()).unwrap_or(file))
}

/// Reads a policy that stands in a file of its own, or in the `[policy]` section of a noetl.toml.
pub(crate) fn read(file: &Path) -> anyhow::Result<Policy> {
    let text = text_of(file)?;
    let whole: toml::Table = toml::from_str(&text).with_context(|| refused(file))?;
    if whole.contains_key("policy") {
        return section(file);
    }
    let policy: Policy = toml::from_str(&text).with_context(|| refused(file))?;
    if !policy.file.is_empty() {
        return Err(Problem::new(format!("the policy {} names another file", file.display()))
            .code(Code::PolicyInvalid)
            .hint("write the policy itself there")
            .into());
    }
    Ok(policy)
}

fn section(file: &Path) -> anyhow::Result<Policy> {
    #[derive(Default, Deserialize)]
    struct Whole {
        #[serde(default)]
        policy: Policy,
    }
    let whole: Whole = toml::from_str(&text_of(file)?).with_context(|| refused(file))?;
    Ok(whole.policy)
}

/// A policy that can be used, or everything that is wrong with it.
pub(crate) fn checked(file: &Path) -> anyhow::Result<Policy> {
    let policy = read(file)?;
    let wrong = check(&policy);
    if wrong.is_empty() {
        return Ok(policy);
    }
    Err(Problem::new(format!("the policy {} is not valid:\n  {}", file.display(), wrong.join("\n  ")))
        .code(Code::PolicyInvalid)
        .hint("noetl policy prints the one in effect, with every key")
        .into())
}

fn text_of(file: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(file).with_context(|| {
        Problem::new(format!("cannot read the policy {}", file.display()))
            .code(Code::PolicyInvalid)
            .hint("`file` in [policy] of noetl.toml names it; without it the section itself counts")
    })
}

fn refused(file: &Path) -> Problem {
    Problem::new(format!("the policy {} is not valid", file.display()))
        .code(Code::PolicyInvalid)
        .hint("noetl policy prints the one in effect, with every key")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_stands_in_a_section_or_in_a_file_of_its_own() {
        let directory = tempfile::tempdir().unwrap();
        let config = directory.path().join("noetl.toml");
        let own = directory.path().join("policy.toml");
        std::fs::write(&config, "[policy]\nfile = \"policy.toml\"\n").unwrap();
        std::fs::write(&own, "mode = \"auto\"\n[parameters.\"retry.max_attempts\"]\nmax = 5\n").unwrap();
        let policy = in_effect(&Policy::default(), Some(&config)).unwrap();
        assert_eq!(policy.mode, noetl_api::policy::Mode::Auto);
        let attempts = &policy.parameters["retry.max_attempts"];
        assert_eq!((attempts.min, attempts.max), (Some(1.0), Some(5.0)), "what is not written stays");
        assert!(policy.parameters.contains_key("timeout"));
        std::fs::write(&own, "mode = \"auto\"\nkill_switch = true\n").unwrap();
        assert!(in_effect(&Policy::default(), Some(&config)).unwrap().kill_switch, "an edit counts at once");
        std::fs::write(&own, "mode = \"fast\"\n").unwrap();
        let refused = format!("{:#}", in_effect(&Policy::default(), Some(&config)).unwrap_err());
        assert!(refused.contains("policy.toml") && refused.contains("fast"), "{refused}");
        assert!(checked(&directory.path().join("nowhere.toml")).is_err());
        std::fs::write(&own, "largest_step = 0.1\n[canary]\nshare_percent = 0\n").unwrap();
        let refused = format!("{:#}", checked(&own).unwrap_err());
        assert!(refused.contains("largest_step") && refused.contains("share_percent"), "{refused}");
    }
}
