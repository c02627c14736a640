//! Every parameter set in every playbook of the repository, in every generation.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::{Parameter, PatchError, Setting, current, patch};
use crate::Value;
use crate::dialect::read;
use crate::playbook::{LoopMode, Playbook};

fn setting(step: &str, parameter: Parameter, value: impl Into<Value>) -> Setting {
    Setting { step: step.to_owned(), parameter, value: value.into() }
}

fn edited(text: &str, step: &str, parameter: Parameter, value: impl Into<Value>) -> String {
    let patched = patch(text, &[setting(step, parameter, value)]).unwrap();
    assert!(!patched.is_canonical, "{}", patched.text);
    patched.text
}

const ORDERS: &str = r"# Loads orders.
apiVersion: noetl.io/v2
kind: Playbook
metadata: { name: orders, path: demo/orders }
workflow:
  - step: start
    tool: { kind: noop }
    next: { arcs: [ { step: fetch } ] }
  # The service is flaky.
  - step: fetch   # it really is
    idempotent: true
    retry:
      max_attempts: 2      # was 3 once
      initial_delay: 0.2
    loop:
      in: [1, 2, 3]
      iterator: n
      chunk: 10
      spec: { mode: parallel, max_in_flight: 4 }
    tool:
      kind: python
      code: |
        result = 1
    next:
      arcs:
        - step: end
  - step: end
";

#[test]
fn numbers_are_replaced_where_they_stand_and_comments_stay() {
    let replaced = |parameter, value: Value, from: &str, to: &str| {
        assert_eq!(edited(ORDERS, "fetch", parameter, value), ORDERS.replacen(from, to, 1));
    };
    replaced(Parameter::MaxAttempts, json!(4), "max_attempts: 2", "max_attempts: 4");
    replaced(Parameter::InitialDelay, json!(1.5), "initial_delay: 0.2", "initial_delay: 1.5");
    replaced(Parameter::BatchSize, json!(20), "chunk: 10", "chunk: 20");
    replaced(Parameter::MaxInFlight, json!(8), "max_in_flight: 4", "max_in_flight: 8");
    let conditional = "{{ 4 if (error.code or '') == 'ConnectionError' else 2 }}";
    replaced(
        Parameter::MaxAttempts,
        json!(conditional),
        "max_attempts: 2",
        &format!("max_attempts: \"{conditional}\""),
    );
}

#[test]
fn keys_are_added_beside_their_siblings() {
    let added = edited(ORDERS, "fetch", Parameter::MaxDelay, 30);
    let expected =
        ORDERS.replace("      initial_delay: 0.2\n", "      initial_delay: 0.2\n      max_delay: 30\n");
    assert_eq!(added, expected);
    let added = edited(ORDERS, "fetch", Parameter::Timeout, 60);
    let expected = ORDERS.replace("    idempotent: true\n", "    idempotent: true\n    timeout: 60\n");
    assert_eq!(added, expected);
    let added = edited(ORDERS, "start", Parameter::Pool, "large");
    assert!(added.contains("    tool: { kind: noop }\n    pool: large\n    next:"), "{added}");
}

#[test]
fn a_guard_becomes_a_rule_of_the_tool() {
    let when = "{{ output.status == 'ok' and not output.data }}";
    let added = edited(ORDERS, "fetch", Parameter::Guard, when);
    let rule =
        format!("      spec: {{ policy: {{ rules: [{{ when: \"{when}\", then: {{ do: fail }} }}] }} }}\n");
    assert_eq!(added, ORDERS.replace("      kind: python\n", &format!("      kind: python\n{rule}")));
    let again = edited(&added, "fetch", Parameter::Guard, "{{ output.status == 'error' }}");
    assert_eq!(read(&again).playbook.unwrap().step("fetch").unwrap().body[0].rules.len(), 2, "{again}");
}

#[test]
fn arcs_and_new_steps_are_written_in_place() {
    let forked = edited(ORDERS, "start", Parameter::Arcs, json!(["fetch", "end"]));
    assert!(
        forked.contains("next: { spec: { mode: inclusive }, arcs: [{ step: fetch }, { step: end }] }"),
        "{forked}"
    );
    assert!(forked.contains("# it really is"));
    let step = json!({ "step": "audit", "tool": { "kind": "http", "url": "http://127.0.0.1/x" } });
    let grown = edited(ORDERS, "fetch", Parameter::Steps, step);
    let playbook = read(&grown).playbook.unwrap();
    let names: Vec<&str> = playbook.steps.iter().map(|step| step.name.as_str()).collect();
    assert_eq!(names, ["start", "fetch", "audit", "end"], "{grown}");
    assert_eq!(playbook.step("audit").unwrap().routes.arcs[0].to, "end");
    assert!(grown.contains("# was 3 once"));
}

#[test]
fn rules_and_bare_counts_are_understood() {
    let bare = ORDERS.replace(
        "    retry:\n      max_attempts: 2      # was 3 once\n      initial_delay: 0.2\n",
        "    retry: 2\n",
    );
    let changed = edited(&bare, "fetch", Parameter::InitialDelay, 3);
    assert!(changed.contains("    retry: { max_attempts: 2, initial_delay: 3 }\n"), "{changed}");
    let ruled = ORDERS.replace(
        "    retry:\n      max_attempts: 2      # was 3 once\n      initial_delay: 0.2\n",
        "    spec:\n      policy:\n        rules:\n          - when: \"{{ output.status == 'error' }}\"\n            then: { do: retry, attempts: 3, backoff: exponential, delay: 0.1 }\n",
    );
    assert!(read(&ruled).playbook.is_some());
    let changed = edited(&ruled, "fetch", Parameter::MaxAttempts, 6);
    assert_eq!(changed, ruled.replace("attempts: 3", "attempts: 6"));
}

#[test]
fn what_cannot_be_set_is_told() {
    let refused = |parameter, value: Value| patch(ORDERS, &[setting("start", parameter, value)]).unwrap_err();
    assert!(matches!(refused(Parameter::BatchSize, json!(3)), PatchError::NotApplicable { .. }));
    let unknown = patch(ORDERS, &[setting("nowhere", Parameter::Timeout, 1)]);
    assert_eq!(unknown, Err(PatchError::UnknownStep("nowhere".to_owned())));
    assert_eq!(patch("a: [", &[]), Err(PatchError::Unreadable));
}

#[test]
fn every_parameter_of_every_playbook_can_be_set() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files = Vec::new();
    for directory in ["examples", "tests/playbooks"] {
        playbooks(&root.join(directory), &mut files);
    }
    let (mut count, mut canonical, mut wrong) = (0, Vec::new(), Vec::new());
    for file in files {
        let Ok(text) = std::fs::read_to_string(&file) else { continue };
        let Some(playbook) = read(&text).playbook else { continue };
        for setting in settings(&playbook) {
            let place = format!("{}: {} of {}", file.display(), setting.parameter.as_str(), setting.step);
            let before = current(&playbook, &setting.step, setting.parameter).unwrap();
            match patch(&text, std::slice::from_ref(&setting)) {
                Ok(patched) => {
                    count += 1;
                    let after = read(&patched.text).playbook.unwrap();
                    let now = current(&after, &setting.step, setting.parameter).unwrap();
                    assert_eq!(now, setting.value, "{place} (before: {before})");
                    if patched.is_canonical {
                        canonical.push(place);
                    } else if !is_small(&text, &patched.text) {
                        wrong.push(format!("{place}: lines were touched that need not be\n{}", patched.text));
                    }
                }
                Err(PatchError::NotApplicable { .. }) => {}
                Err(error) => wrong.push(format!("{place}: {error}")),
            }
        }
    }
    assert!(count > 500, "only {count} settings were made");
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong[..wrong.len().min(5)].join("\n"));
    // Anchors, aliases and old spellings may need the canonical form; most must not.
    assert!(
        canonical.len() * 20 < count,
        "{} of {count} need the canonical form:\n{}",
        canonical.len(),
        canonical.join("\n")
    );
}

/// One line was replaced, or one added.
fn is_small(before: &str, after: &str) -> bool {
    let (before, after): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let same_head = before.iter().zip(&after).take_while(|(a, b)| a == b).count();
    let (rest, new) = (&before[same_head..], &after[same_head..]);
    let same_tail = rest.iter().rev().zip(new.iter().rev()).take_while(|(a, b)| a == b).count();
    rest.len() - same_tail <= 1 && new.len() - same_tail <= 2
}

fn settings(playbook: &Playbook) -> Vec<Setting> {
    let mut found = Vec::new();
    for step in playbook.steps.iter().filter(|step| !step.body.is_empty()) {
        let name = step.name.as_str();
        found.push(setting(name, Parameter::MaxAttempts, 7));
        found.push(setting(name, Parameter::InitialDelay, 0.75));
        found.push(setting(name, Parameter::Timeout, 45));
        found.push(setting(name, Parameter::Pool, "large"));
        if let Some(looped) = &step.looped {
            found.push(setting(name, Parameter::BatchSize, 17));
            if looped.mode == LoopMode::Parallel {
                found.push(setting(name, Parameter::MaxInFlight, 5));
            }
        }
    }
    found
}

fn playbooks(directory: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(directory) else { return };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            playbooks(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml") {
            found.push(path);
        }
    }
}
