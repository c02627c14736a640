//! What the policy allows: bounds, steps, cool-downs, windows, and who may approve.
//!
//! The text of the policy is in [`noetl_api::policy`]; hard bounds that no policy can lift are in
//! [`noetl_domain::tuning`].

mod window;

use std::sync::Arc;

use noetl_api::policy::{Bound, Mode, Policy};
use noetl_api::proposal::{Change, NewProposal, ProposalKind};
use noetl_domain::tuning;

use super::rows::Record;

/// Gives the policy in effect; asked at every decision, so that a file that was edited counts at once.
pub type PolicySource = Arc<dyn Fn() -> Result<Policy, String> + Send + Sync>;

const MINUTE_MS: f64 = 60_000.0;

/// Everything that is wrong with a policy; empty when nothing is.
pub fn check(policy: &Policy) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut need = |holds: bool, what: &str| {
        if !holds {
            wrong.push(what.to_owned());
        }
    };
    let canary = &policy.canary;
    need((1..=90).contains(&canary.share_percent), "canary.share_percent lies between 1 and 90");
    need(canary.min_executions >= 8, "canary.min_executions is at least 8: fewer prove nothing");
    need((0.5..1.0).contains(&canary.harm_above), "canary.harm_above lies between 0.5 and 1");
    need((0.0..0.5).contains(&canary.harm_margin), "canary.harm_margin lies between 0 and 0.5");
    need((0.5..1.0).contains(&canary.benefit_above), "canary.benefit_above lies between 0.5 and 1");
    need(canary.slower_by >= 1.1, "canary.slower_by is at least 1.1");
    need(
        canary.give_up_after >= canary.min_executions,
        "canary.give_up_after is at least canary.min_executions",
    );
    need(canary.verify_executions >= 8, "canary.verify_executions is at least 8");
    need(policy.largest_step > 1.0, "largest_step is a factor above 1");
    need(policy.cool_down_minutes >= 0.0, "cool_down_minutes is not negative");
    for (name, bound) in &policy.parameters {
        check_bound(&mut wrong, name, bound);
    }
    for (index, blackout) in policy.blackout.iter().enumerate() {
        if let Err(why) = window::Window::new(blackout) {
            wrong.push(format!("blackout {}: {why}", index + 1));
        }
    }
    wrong
}

fn check_bound(wrong: &mut Vec<String>, name: &str, bound: &Bound) {
    let known = Policy::default().parameters.contains_key(name) || matches!(name, "arcs" | "guard" | "steps");
    if !known {
        let names: Vec<String> = Policy::default().parameters.into_keys().collect();
        wrong.push(format!(
            "parameters.{name:?} is not known; there are {}, arcs, guard, steps",
            names.join(", ")
        ));
    }
    if let (Some(min), Some(max)) = (bound.min, bound.max)
        && min > max
    {
        wrong.push(format!("parameters.{name:?}: min {min} is above max {max}"));
    }
    if let (Some(max), Some(limit)) = (bound.max, tuning::hard_limit(name))
        && max > limit
    {
        wrong.push(format!("parameters.{name:?}: max {max} is above the hard bound of {limit}"));
    }
    if bound.largest_step.is_some_and(|step| step <= 1.0) {
        wrong.push(format!("parameters.{name:?}: largest_step is a factor above 1"));
    }
    if bound.cool_down_minutes.is_some_and(|minutes| minutes < 0.0) {
        wrong.push(format!("parameters.{name:?}: cool_down_minutes is not negative"));
    }
}

/// Why nothing can be approved or promoted at this moment.
pub(super) fn closed(policy: &Policy, now_ms: i64) -> Option<String> {
    if policy.kill_switch {
        return Some("the kill switch of the policy is on".to_owned());
    }
    if policy.mode == Mode::Observe {
        return Some("the policy's mode is observe: proposals are listed and not applied".to_owned());
    }
    for blackout in &policy.blackout {
        // A window that cannot be read is found when the policy is; until then it stays closed.
        let until = window::Window::new(blackout).map(|window| window.until(now_ms));
        let note = if blackout.note.is_empty() { String::new() } else { format!(" ({})", blackout.note) };
        match until {
            Ok(Some(until)) => {
                return Some(format!("the policy has a blackout until {}{note}", crate::http::time(until)));
            }
            Ok(None) => {}
            Err(why) => return Some(format!("a blackout of the policy cannot be read: {why}")),
        }
    }
    None
}

/// Why this Proposal may not be applied by anybody.
pub(super) fn refuses(
    policy: &Policy,
    new: &NewProposal,
    promoted: &[Record],
    now_ms: i64,
) -> Option<String> {
    new.changes.iter().find_map(|change| {
        let bound = policy.parameters.get(&change.parameter).cloned().unwrap_or_default();
        out_of_bounds(policy, &bound, change)
            .or_else(|| cooling(policy, &bound, new, change, promoted, now_ms))
    })
}

/// Why the control plane may not apply this Proposal by itself.
pub(super) fn needs_a_person(policy: &Policy, new: &NewProposal) -> Option<String> {
    if matches!(policy.mode, Mode::Observe | Mode::Suggest) {
        return Some(format!("the policy's mode is {}", policy.mode.as_str()));
    }
    if matches!(
        new.kind,
        ProposalKind::Step | ProposalKind::Credential | ProposalKind::Parallelise | ProposalKind::SchemaGuard
    ) {
        return Some(format!("a proposal of the kind {} is for a person to judge", new.kind.as_str()));
    }
    let mut steps: Vec<&Option<String>> = new.changes.iter().map(|change| &change.step).collect();
    steps.sort();
    steps.dedup();
    if steps.len() > 1 {
        return Some("more than one step changes at once".to_owned());
    }
    new.changes.iter().find_map(|change| match policy.parameters.get(&change.parameter) {
        None => Some(format!("the policy says nothing about {}", change.parameter)),
        Some(bound) if bound.auto == Some(false) => {
            Some(format!("the policy leaves {} to a person", change.parameter))
        }
        Some(_) => None,
    })
}

fn out_of_bounds(policy: &Policy, bound: &Bound, change: &Change) -> Option<String> {
    let name = &change.parameter;
    if let Some(allowed) = &bound.allowed {
        let word = change.after.as_str().unwrap_or_default();
        return (!allowed.iter().any(|one| one == word))
            .then(|| format!("the policy allows {name} to be {}, not {}", allowed.join(", "), change.after));
    }
    let limit = tuning::hard_limit(name);
    let Some(after) = tuning::number(&change.after) else {
        return (bound.min.is_some() || bound.max.is_some() || limit.is_some())
            .then(|| format!("{name} would be {}, which is no number", change.after));
    };
    if let Some(limit) = limit.filter(|limit| after > *limit) {
        return Some(format!("{name} would be {after}; the hard bound is {limit}"));
    }
    if let Some(max) = bound.max.filter(|max| after > *max) {
        return Some(format!("{name} would be {after}; the policy's max is {max}"));
    }
    if let Some(min) = bound.min.filter(|min| after < *min) {
        return Some(format!("{name} would be {after}; the policy's min is {min}"));
    }
    let before = tuning::number(&change.before).filter(|before| *before > 0.0)?;
    let step = bound.largest_step.unwrap_or(policy.largest_step);
    let factor = if after > before { after / before } else { before / after.max(f64::MIN_POSITIVE) };
    (factor > step + 1e-9).then(|| {
        format!("{name} would go from {before} to {after} at once; the policy's largest step is a factor of {step}")
    })
}

fn cooling(
    policy: &Policy,
    bound: &Bound,
    new: &NewProposal,
    change: &Change,
    promoted: &[Record],
    now_ms: i64,
) -> Option<String> {
    let minutes = bound.cool_down_minutes.unwrap_or(policy.cool_down_minutes);
    let since = now_ms - (minutes * MINUTE_MS) as i64;
    let recent = promoted.iter().find(|record| {
        record.proposed.playbook == new.playbook
            && record.promoted_ms.is_some_and(|at| at > since)
            && record.proposed.changes.iter().any(|other| other.step == change.step)
    })?;
    let until = recent.promoted_ms.unwrap_or(now_ms) + (minutes * MINUTE_MS) as i64;
    Some(format!(
        "the same step was changed by proposal {} and is left alone until {}",
        recent.id,
        crate::http::time(until)
    ))
}

#[cfg(test)]
mod tests {
    use noetl_api::policy::Blackout;
    use serde_json::json;

    use super::*;

    fn attempts(before: serde_json::Value, after: u32) -> NewProposal {
        let change = Change {
            step: Some("fetch".to_owned()),
            parameter: "retry.max_attempts".to_owned(),
            before,
            after: after.into(),
        };
        NewProposal { playbook: "p".to_owned(), changes: vec![change], ..NewProposal::default() }
    }

    #[test]
    fn numbers_stay_in_their_bounds_and_take_small_steps() {
        let policy = Policy::default();
        let refuses = |new: &NewProposal| refuses(&policy, new, &[], 0).unwrap_or_default();
        assert_eq!(refuses(&attempts(json!(3), 6)), "");
        assert_eq!(refuses(&attempts(json!(null), 4)), "", "nothing was said, so no step is measured");
        assert!(refuses(&attempts(json!(2), 5)).contains("largest step is a factor of 2"));
        assert!(refuses(&attempts(json!(8), 12)).contains("max is 10"));
        assert!(refuses(&attempts(json!(18), 21)).contains("hard bound is 20"));
        assert!(refuses(&attempts(json!(1), 0)).contains("min is 1"));
    }

    #[test]
    fn a_step_is_left_alone_for_a_while() {
        let policy = Policy::default();
        let new = attempts(json!(2), 3);
        let before = Record { id: 7, proposed: new.clone(), promoted_ms: Some(1_000), ..Record::default() };
        let soon = refuses(&policy, &new, std::slice::from_ref(&before), 60_000);
        assert!(soon.is_some_and(|why| why.contains("proposal 7")));
        assert_eq!(refuses(&policy, &new, &[before], 3_700_000), None);
    }

    #[test]
    fn only_what_the_policy_knows_goes_by_itself() {
        let new = attempts(json!(2), 3);
        let auto = Policy { mode: Mode::Auto, ..Policy::default() };
        assert_eq!(needs_a_person(&auto, &new), None);
        assert!(needs_a_person(&Policy::default(), &new).is_some());
        let mut pool = new.clone();
        pool.changes[0].parameter = "pool".to_owned();
        assert!(needs_a_person(&auto, &pool).is_some());
        pool.changes[0].parameter = "arcs".to_owned();
        assert!(needs_a_person(&auto, &pool).is_some());
        let drafted = NewProposal { kind: ProposalKind::Step, ..new };
        assert!(needs_a_person(&auto, &drafted).is_some());
    }

    #[test]
    fn a_policy_says_everything_that_is_wrong_with_it() {
        assert_eq!(check(&Policy::default()), Vec::<String>::new());
        let mut policy = Policy { largest_step: 0.5, ..Policy::default() };
        policy.canary.share_percent = 100;
        policy.parameters.insert("retries".to_owned(), Bound::default());
        let wide = Bound { min: Some(9.0), max: Some(50.0), ..Bound::default() };
        policy.parameters.insert("retry.max_attempts".to_owned(), wide);
        policy.blackout.push(Blackout {
            from: "25:00".to_owned(),
            to: "6:00".to_owned(),
            ..Blackout::default()
        });
        let wrong = check(&policy).join("\n");
        for part in
            ["share_percent", "largest_step", "\"retries\" is not known", "hard bound of 20", "blackout 1"]
        {
            assert!(wrong.contains(part), "{part}: {wrong}");
        }
    }
}
