//! Broken playbooks: everything wrong with them at once, each at its place; and text that is no playbook at all.

use proptest::prelude::*;

use super::*;

fn findings(text: &str) -> String {
    let reading = read(text);
    assert_eq!(reading.playbook.is_some(), !has_errors(&reading.findings));
    let lines = reading.findings.iter().map(|finding| {
        let hint = finding.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
        let severity = format!("{:?}", finding.severity).to_lowercase();
        let Span { line, column, .. } = finding.span;
        format!("{line}:{column} {severity} {} {}{hint}\n", finding.code, finding.message)
    });
    lines.collect()
}

#[test]
fn all_findings_come_at_once() {
    let text = r#"apiVersion: noetl.io/v3
kind: Playbook
metadata: { name: broken, nmae: x }
worklaod: { a: 1 }
workflow:
  - step: start
    nxt: [ { step: work } ]
    next: [ { step: wrok } ]
  - step: work
    tool: { kind: http, url: u, spec: { policy: { rules: [ { when: p, then: { do: rety } } ] } } }
    retry: { max_attempt: 3 }
    loop: { in: "{{ rows }}", mode: fast }
    next: { arcs: [ { stp: end } ] }
  - step: work
    code: pass
  - step: book
    tool: { kind: workbook, name: nothing }
  - tool: { kind: noop }
  - step: wait
    tool: { kind: http, timeout: soon, auth: x }
    custom: 1
"#;
    insta::assert_snapshot!(findings(text));
}

#[test]
fn places_in_the_model_lead_to_places_in_the_text() {
    let text = "apiVersion: noetl.io/v2\nkind: Playbook\nworkflow:\n  - step: start\n    tool:\n      kind: http\n      url: \
                u\n      headers: {a: b}\n    loop: {in: [1], iterator: x}\n    next:\n      arcs:\n        - step: end\n        \
                - {step: start, when: p}\n";
    let source = read(text).source;
    let at = |path: &str| (source.span(path).line, source.span(path).column);
    assert_eq!(at("steps/start"), (4, 5));
    assert_eq!(at("steps/start/body/0/config/url"), (7, 12));
    assert_eq!(at("steps/start/body/0/config/headers/a"), (8, 20));
    assert_eq!(at("steps/start/loop/in"), (9, 16));
    assert_eq!(at("steps/start/arcs/1"), (13, 11));
    assert_eq!(at("steps/start/nothing/of/that/name"), (4, 5));
    assert_eq!(at("nowhere"), (1, 1));
}

#[test]
fn what_is_no_playbook_is_told() {
    for (text, code) in [
        ("", "PB003"),
        ("just text", "PB003"),
        ("[1, 2]", "PB003"),
        ("kind: Playbook", "PB003"),
        ("kind: Credential\nworkflow: []", "PB003"),
        ("kind: Playbook\nworkflow: 5", "PB005"),
        ("a: [", "PB001"),
    ] {
        let found = findings(text);
        assert!(found.contains(code), "{text:?} gave {found}");
    }
    assert!(read_bytes(b"\xff\xfe").playbook.is_none());
}

#[test]
fn workbook_tasks_in_a_circle_end() {
    let text = "kind: Playbook\nworkbook: [{name: a, tool: {kind: workbook, name: b}}, {name: b, tool: {kind: workbook, name: \
                a}}]\nworkflow: [{step: start, tool: {kind: workbook, name: a}}]";
    assert!(findings(text).contains("PB009"));
}

fn corpus() -> Vec<String> {
    files::files("tests/playbooks")
        .into_iter()
        .chain(files::files("examples"))
        .map(|path| std::fs::read_to_string(path).expect("text"))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Playbooks with pieces cut out, doubled, moved or replaced never crash the reader, and what it accepts can
    /// be printed and read again.
    #[test]
    fn damaged_playbooks_never_crash(
        which in any::<prop::sample::Index>(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0..6_usize), 1..6),
    ) {
        thread_local!(static CORPUS: Vec<String> = corpus());
        let text = CORPUS.with(|corpus| corpus[which.index(corpus.len())].clone());
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        for (at, other, edit) in edits {
            if lines.is_empty() {
                break;
            }
            let (at, other) = (at.index(lines.len()), other.index(lines.len()));
            match edit {
                0 => drop(lines.remove(at)),
                1 => lines.insert(at, lines[other].clone()),
                2 => lines.swap(at, other),
                3 => lines[at].insert_str(0, "  "),
                4 => {
                    let key = lines[at].split(':').next().unwrap_or_default().to_owned();
                    lines[at] = format!("{key}: [1, {{a: 2}}]");
                }
                _ => {
                    let key = lines[at].split(':').next().unwrap_or_default().to_owned();
                    lines[at] = format!("{key}: true");
                }
            }
        }
        let reading = read(&lines.join("\n"));
        prop_assert_eq!(reading.playbook.is_some(), !has_errors(&reading.findings));
        if let Some(playbook) = reading.playbook {
            let again = read(&canonical(&playbook));
            prop_assert_eq!(again.playbook, Some(playbook), "{:?}\n{}", again.findings, lines.join("\n"));
        }
    }

    #[test]
    fn any_text_is_read_without_a_crash(text in "[ -~\n\t{}:\\[\\]&*|>'\"#é-]{0,400}") {
        let _ = read(&text);
    }
}
