//! What changed since the last good run: the playbook, the input, credentials, durations, the worker.

use noetl_api::diagnosis::{Contribution, EvidenceItem};
use noetl_domain::mask::is_secret_key;
use noetl_domain::playbook::Playbook;
use noetl_domain::{Map, Value};
use similar::TextDiff;

use crate::diagnosis::{Hypothesis, event, item};
use crate::evidence::{Evidence, short};

/// Lines of a difference that are shown.
const DIFF_LINES: usize = 60;
/// A step that took this much longer than in the last good run is worth telling.
const LONGER: f64 = 3.0;
const NOTEWORTHY_MS: i64 = 1_000;

/// A difference, and what it rests on.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) told: Contribution,
    pub(crate) items: Vec<EvidenceItem>,
    /// The input or credential that differs.
    pub(crate) subject: Option<String>,
    /// It touches the root.
    pub(crate) is_close: bool,
}

pub(crate) fn changes(evidence: &Evidence, winner: Option<&Hypothesis>) -> Vec<Change> {
    // What matters is what changed where the root is.
    let place = winner.map_or(evidence.run.id, |winner| winner.root.execution);
    let at = find(evidence, place).unwrap_or(evidence);
    let mut found = Vec::new();
    version(at, winner, &mut found);
    input(at, winner, &mut found);
    credential(at, winner, &mut found);
    duration(at, winner, &mut found);
    worker(at, winner, &mut found);
    if at.run.id != evidence.run.id {
        version(evidence, winner, &mut found);
        input(evidence, winner, &mut found);
    }
    found.sort_by_key(|change| !change.is_close);
    found
}

/// The evidence of one execution of the family.
pub(crate) fn find(evidence: &Evidence, id: noetl_domain::id::ExecutionId) -> Option<&Evidence> {
    if evidence.run.id == id {
        return Some(evidence);
    }
    evidence.children.iter().find_map(|child| find(&child.evidence, id))
}

fn version(evidence: &Evidence, winner: Option<&Hypothesis>, found: &mut Vec<Change>) {
    let Some(baseline) = &evidence.baseline else { return };
    let (Some(now), Some(before)) = (&evidence.definition, &baseline.definition) else { return };
    if now.version == before.version || now.text == before.text {
        return;
    }
    let steps = changed_steps(&before.playbook, &now.playbook);
    let root = winner.and_then(|winner| winner.root.step.as_deref());
    let is_close = root.is_some_and(|root| steps.iter().any(|step| step == root));
    let what = match steps.as_slice() {
        [] => "the playbook is another version".to_owned(),
        steps => format!("the playbook is another version, which differs in {}", named(steps)),
    };
    let diff = TextDiff::from_lines(&before.text, &now.text)
        .unified_diff()
        .context_radius(2)
        .header(&format!("version {}", before.version), &format!("version {}", now.version))
        .to_string();
    let diff = diff.lines().take(DIFF_LINES).collect::<Vec<_>>().join("\n");
    let reference = format!("{}@{}:1", evidence.run.playbook(), now.version);
    let excerpt = format!("version {} since then, before {}; {}", now.version, before.version, what);
    found.push(Change {
        told: Contribution {
            kind: "version".into(),
            what,
            before: Some(before.version.to_string()),
            after: Some(now.version.to_string()),
            diff: Some(diff),
            refs: vec![reference.clone()],
        },
        items: vec![item(
            "playbook_line",
            reference,
            excerpt,
            "the playbook changed since the last good run",
        )],
        subject: None,
        is_close,
    });
}

/// Steps that are new, gone, or written otherwise.
fn changed_steps(before: &Playbook, now: &Playbook) -> Vec<String> {
    let mut names: Vec<String> = now
        .steps
        .iter()
        .filter(|step| before.step(&step.name) != Some(*step))
        .map(|step| step.name.clone())
        .collect();
    names.extend(
        before.steps.iter().filter(|step| now.step(&step.name).is_none()).map(|step| step.name.clone()),
    );
    names
}

fn named(names: &[String]) -> String {
    match names {
        [one] => format!("step `{one}`"),
        [rest @ .., last] => format!("steps `{}` and `{last}`", rest.join("`, `")),
        [] => String::new(),
    }
}

fn input(evidence: &Evidence, winner: Option<&Hypothesis>, found: &mut Vec<Change>) {
    let Some(baseline) = &evidence.baseline else { return };
    let (now, before) = (&evidence.run.state.requested, &baseline.run.state.requested);
    let Some(opened) = evidence.run.opened else { return };
    let keys: Vec<&String> = now
        .payload
        .keys()
        .chain(before.payload.keys().filter(|key| !now.payload.contains_key(*key)))
        .collect();
    for key in keys {
        let value = |map: &Map| map.get(key).cloned();
        let (after, earlier) = (value(&now.payload), value(&before.payload));
        if after == earlier {
            continue;
        }
        let shown = |value: Option<&Value>| match value {
            None => "not given".to_owned(),
            Some(_) if is_secret_key(key) => "masked".to_owned(),
            Some(value) => short(value),
        };
        let (after, earlier) = (shown(after.as_ref()), shown(earlier.as_ref()));
        let excerpt = format!("input {key} is {after}, before {earlier}");
        let is_close = winner.is_some_and(|winner| {
            winner.root.step.as_deref().is_some_and(|step| reads_input(evidence, step, key))
        });
        found.push(Change {
            told: Contribution {
                kind: "input".into(),
                what: format!("the input `{key}` differs"),
                before: Some(earlier),
                after: Some(after),
                diff: None,
                refs: vec![opened.id()],
            },
            items: vec![event(opened, excerpt, "the input differs from the last good run's")],
            subject: Some(key.clone()),
            is_close,
        });
    }
}

fn reads_input(evidence: &Evidence, step: &str, key: &str) -> bool {
    crate::evidence::reads_of(evidence, step)
        .iter()
        .any(|read| read.origin == crate::evidence::Origin::Input(key.to_owned()))
}

fn credential(evidence: &Evidence, winner: Option<&Hypothesis>, found: &mut Vec<Change>) {
    let Some(baseline) = &evidence.baseline else { return };
    let since = baseline.run.state.started_ms;
    let text = baseline.definition.as_ref().map_or("", |definition| definition.text.as_str());
    for credential in &evidence.credentials {
        let name = &credential.name;
        let (what, before, after) = match &credential.found {
            Some(known) if known.updated_ms > since => {
                let what = format!("the credential `{name}` was changed after the last good run");
                (what, None, Some(moment(known.updated_ms)))
            }
            // The last good run ran with it.
            None if text.contains(name.as_str()) => {
                let what =
                    format!("the credential `{name}`, which the last good run used, is not there any more");
                (what, Some("registered".to_owned()), None)
            }
            _ => continue,
        };
        let reference = format!("credential:{name}");
        let excerpt = after.as_ref().map_or_else(|| what.clone(), |after| format!("{what}: {after}"));
        found.push(Change {
            told: Contribution {
                kind: "credential".into(),
                what,
                before,
                after,
                diff: None,
                refs: vec![reference.clone()],
            },
            items: vec![item("credential_meta", reference, excerpt, "the credential changed")],
            subject: Some(name.clone()),
            is_close: winner.is_some_and(|winner| winner.cause.family() == "auth"),
        });
    }
}

fn duration(evidence: &Evidence, winner: Option<&Hypothesis>, found: &mut Vec<Change>) {
    let Some(baseline) = &evidence.baseline else { return };
    for (step, now) in &evidence.run.durations {
        let Some(before) = baseline.run.durations.get(step) else { continue };
        if now - before < NOTEWORTHY_MS || (*now as f64) < *before as f64 * LONGER {
            continue;
        }
        let Some(left) = evidence.run.exits.get(step) else { continue };
        found.push(Change {
            told: Contribution {
                kind: "duration".into(),
                what: format!("step `{step}` took much longer"),
                before: Some(format!("{before} ms")),
                after: Some(format!("{now} ms")),
                diff: None,
                refs: vec![left.event.id()],
            },
            items: vec![event(
                left.event,
                format!("{step} took {now} ms, before {before} ms"),
                "it took longer",
            )],
            subject: None,
            is_close: winner.is_some_and(|winner| winner.cause.family() == "timeout"),
        });
    }
}

fn worker(evidence: &Evidence, winner: Option<&Hypothesis>, found: &mut Vec<Change>) {
    let (Some(baseline), Some(winner)) = (&evidence.baseline, winner) else { return };
    let Some(step) = &winner.root.step else { return };
    // Elsewhere it makes no difference which worker it was.
    let matters = matches!(winner.cause.family(), "worker" | "resource" | "network")
        || matches!(
            winner.cause,
            noetl_domain::cause::Cause::CodeImport | noetl_domain::cause::Cause::ToolConfig
        );
    if !matters {
        return;
    }
    let (Some(now), Some(before)) = (evidence.run.workers.get(step), baseline.run.workers.get(step)) else {
        return;
    };
    let Some(place) = evidence.run.results.get(step).filter(|_| now != before) else { return };
    found.push(Change {
        told: Contribution {
            kind: "worker".into(),
            what: format!("another worker ran step `{step}`"),
            before: Some(before.clone()),
            after: Some(now.clone()),
            diff: None,
            refs: vec![place.id()],
        },
        items: vec![event(*place, format!("{step} ran on {now}, before on {before}"), "another worker")],
        subject: None,
        is_close: false,
    });
}

/// RFC 3339 in UTC, to the second.
pub(crate) fn moment(ms: i64) -> String {
    let days = ms.div_euclid(86_400_000);
    let of_day = ms.rem_euclid(86_400_000) / 1_000;
    // Civil date from days (Howard Hinnant's algorithm), so that no clock library is needed for one line of text.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", of_day / 3_600, of_day / 60 % 60, of_day % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_as_others_write_them() {
        assert_eq!(moment(0), "1970-01-01T00:00:00Z");
        assert_eq!(moment(1_709_210_096_000), "2024-02-29T12:34:56Z");
    }
}
