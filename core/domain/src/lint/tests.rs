use serde_json::json;

use super::*;

fn tools() -> ToolSchemas {
    let http = json!({
        "type": "object", "required": ["url"],
        "properties": {
            "url": {"type": "string"}, "method": {"type": "string"}, "headers": {"type": ["object", "null"]},
            "follow_redirects": {"type": "boolean"}, "timeout": {"anyOf": [{"type": "number"}, {"$ref": "#/$defs/T"}]},
            "json": {},
        },
        "$defs": {"T": {"type": "object"}},
    });
    let python = json!({"type": "object", "properties": {"code": {"type": "string"}}});
    [("http", http), ("python", python), ("noop", json!({}))]
        .map(|(kind, schema)| (kind.to_owned(), schema))
        .into()
}

fn shown(text: &str) -> String {
    render(&lint(text, &tools()).findings, "p.yaml", text)
}

const HEAD: &str = "apiVersion: noetl.io/v2\nkind: Playbook\nmetadata: { name: x, path: demo/x }\n";

#[test]
fn a_good_playbook_has_no_findings() {
    let text = format!(
        "{HEAD}workload: {{ api: 'http://x', limit: 3 }}\nworkflow:\n  - step: start\n    tool: {{ kind: http, url: \"{{{{ api }}}}/a?n={{{{ limit }}}}\" }}\n    set: {{ ctx.n: \"{{{{ output.data.n | default(0) }}}}\" }}\n    next:\n      arcs:\n        - {{ step: start, when: \"{{{{ ctx.n < 3 and n is defined }}}}\" }}\n        - {{ step: end }}\n  - step: end\n"
    );
    let linted = lint(&text, &tools());
    assert_eq!(render(&linted.findings, "p.yaml", &text), "");
    assert!(linted.is_good());
}

#[test]
fn tasks_without_a_name_and_gathered_loops_are_known() {
    let text = format!(
        "{HEAD}{}",
        r#"workflow:
  - step: start
    tool:
      - { kind: python, code: "return 1" }
      - { kind: python, input: { a: "{{ task_0.a }}" }, code: "return a" }
    next: [ { step: rows } ]
  - step: rows
    loop: { in: [1, 2], iterator: row }
    next: [ { step: one } ]
  - step: one
    call: { type: python, with: { row: "{{ row }}" }, code: "def main(row): return row" }
    next: [ { step: gather } ]
  - step: gather
    end_loop: rows
    result: { total: "{{ rows_results | sum }}" }
    next: [ { step: end } ]
  - step: end
"#
    );
    assert!(!shown(&text).contains("nothing provides"), "{}", shown(&text));
}

#[test]
fn every_mistake_is_told_at_once_with_its_place() {
    let text = format!(
        "{HEAD}{}",
        r#"workload: { limit: 3, region: eu }
workflow:
  - step: start
    tool:
      kind: http
      url: "http://x/{{ limmit }}"
      methd: POST
      follow_redirects: [1]
    next: [ { step: a } ]
  - step: a
    tool: { kind: pythn, code: "result = 1" }
    next: [ { step: b } ]
  - step: b
    tool:
      kind: python
      code: |
        x = 1
        result = "{{ region }}"
    set: { ctx.x: "{{ region | uper }}" }
    next: [ { step: a } ]
  - step: lost
    tool: { kind: http, method: GET }
"#
    );
    insta::assert_snapshot!(shown(&text));
    assert!(!lint(&text, &tools()).is_good());
}

/// Code and line of every finding.
fn told(text: &str) -> Vec<String> {
    let findings = lint(text, &tools()).findings;
    findings.iter().map(|finding| format!("{} {}", finding.code, finding.span.line)).collect()
}

#[test]
fn structural_errors_hide_nothing_that_can_be_told_beside_them() {
    let text = r#"apiVersion: noetl.io/v2
kind: Playbook
metadata: { name: x, path: demo/x }
workload: { region: eu }
workflow:
  - step: start
    tool: { kind: pythn, code: "result = 1" }
    retry: { max_attempt: 3 }
    next: [ { step: a }, { step: nowhere } ]
  - step: a
    tool: { kind: noop }
    next: [ { step: b } ]
  - step: a
    tool: { kind: http, url: "{{ region | uper }}", follow_redirects: [1] }
    loop: { in: "{{ regoin }}", iterator: r, mode: fast }
  - step: b
    tool: { kind: http, method: GET }
    next: [ { step: b } ]
  - step: lost
    args: { x: 1 }
"#;
    assert_eq!(
        told(text),
        [
            "PB104 7", "PB004 8", "PB101 9", "PB102 13", "TP001 14", "PB005 14", "TP004 15", "PB008 15",
            "PB106 16", "PB006 17", "PB103 19", "PB105 19",
        ],
        "{}",
        shown(text)
    );
}

#[test]
fn a_part_that_could_not_be_read_makes_no_noise_elsewhere() {
    let cases = [
        (
            "a misspelt `next`",
            "- { step: start, tool: { kind: noop }, nxt: [ { step: a } ] }\n- { step: a, tool: { kind: noop } }",
            "PB004",
        ),
        (
            "a step without a name",
            "- { step: start, next: a }\n- { stp: a, next: [ { step: b } ] }\n- { step: b, tool: { kind: noop } }",
            "PB006",
        ),
        (
            "a misspelt target",
            "- { step: start, next: [ { step: wrok } ] }\n- { step: work, tool: { kind: noop } }",
            "PB101",
        ),
        (
            "a target of the wrong type",
            "- { step: start, next: [ { step: { a: 1 } } ] }\n- { step: a, tool: { kind: noop } }",
            "PB005",
        ),
        (
            "a circle with a broken way out",
            "- { step: start, next: b }\n- { step: b, next: [ { step: start }, { stp: c } ] }\n- { step: c, tool: { kind: noop } }",
            "PB006 PB004",
        ),
        (
            "a misspelt provider",
            "- { step: start, tool: { kind: noop, result: '{{ n }}', spec: { police: { n: 1 } } } }",
            "PB004",
        ),
        (
            "two steps of one name",
            "- { step: start, next: a }\n- { step: a, tool: { kind: noop } }\n- { step: a, next: b }\n- { step: b, tool: { kind: noop } }",
            "PB102",
        ),
    ];
    for (what, steps, codes) in cases {
        let steps = steps.lines().fold(String::new(), |text, line| text + "  " + line + "\n");
        let text = format!("{HEAD}workflow:\n{steps}");
        let mut found: Vec<&str> =
            lint(&text, &tools()).findings.iter().map(|finding| finding.code.as_str()).collect();
        found.dedup();
        assert_eq!(found.join(" "), codes, "{what}: {}", shown(&text));
    }
    let text = format!(
        "{HEAD}workload: [1]\nworkflow:\n  - {{ step: start, tool: {{ kind: noop, result: '{{{{ n }}}}' }} }}\n"
    );
    assert_eq!(told(&text), ["PB005 4"], "{}", shown(&text));
    let text = format!(
        "{HEAD}executor: {{ spec: {{ entry_step: begin }} }}\nworkflow:\n  - {{ step: start, tool: {{ kind: noop }} }}\n"
    );
    assert_eq!(told(&text), ["PB107 4"], "{}", shown(&text));
}

/// How long much larger ones may take is told by `hostile.rs` of the end-to-end tests.
#[test]
fn large_files_end_in_a_bounded_number_of_findings() {
    let many = |count: usize, line: &dyn Fn(usize) -> String| (0..count).map(line).collect::<String>();
    let workflow = |steps: String| format!("{HEAD}workflow:\n{steps}");
    let one = |fields: String| workflow(format!("  - step: start\n    tool:\n      kind: noop\n{fields}"));
    let texts = [
        workflow(many(2_000, &|_| "  - step: a\n".to_owned())),
        workflow(many(2_000, &|n| format!("  - {{ step: s{n}, next: [ {{ step: s{} }} ] }}\n", n + 1))),
        workflow(many(2_000, &|n| format!("  - {{ step: s{n}, next: [ {{ step: t{n} }} ] }}\n"))),
        workflow(many(2_000, &|n| format!("  - {{ step: s{n}, tool: {{ kind: t{n}, a: 1 }} }}\n"))),
        workflow(many(2_000, &|n| format!("  - {{ step: s{n}, loop: {{ in: [1], iterator: x }} }}\n"))),
        workflow(many(1_000, &|n| {
            format!(
                "  - {{ step: s{n}, loop: {{ in: [1], iterator: x }} }}\n  - {{ step: e{n}, end_loop: s{n} }}\n"
            )
        })),
        workflow(
            "  - { step: s, loop: { in: [1], iterator: x }, next: i0 }\n".to_owned()
                + &many(2_000, &|n| format!("  - {{ step: i{n}, type: noop, next: i{} }}\n", n + 1))
                + "  - { step: i2000, end_loop: s }\n",
        ),
        one(many(2_000, &|n| format!("      k{n}: {n}\n"))),
        one(many(2_000, &|n| format!("      k{n}: \"{{{{ n{n} }}}}\"\n"))),
        one(many(2_000, &|n| format!("      k{n}: {{{{ n{n} }}}}\n"))),
        one(many(2_000, &|n| format!("      k{n}: \"{{{{ n{n} | }}}}\"\n"))),
        one(format!("      a: \"{}\"\n", many(2_000, &|n| format!("{{{{ n{n} }}}} ")))),
        workflow(
            "  - step: start\n    tool:\n".to_owned()
                + &many(2_000, &|n| format!("      - {{ name: t{n}, kind: noop }}\n")),
        ),
        workflow(
            "  - step: start\n    tool:\n".to_owned()
                + &many(2_000, &|n| {
                    format!(
                        "      - {{ name: t{n}, kind: noop, spec: {{ policy: {{ rules: [ {{ else: {{ then: {{ do: jump, to: u{n} }} }} }} ] }} }} }}\n"
                    )
                }),
        ),
        workflow(
            "  - step: start\n    next:\n".to_owned()
                + &many(2_000, &|n| format!("      - {{ when: 'x == {n}', then: [ {{ step: end }} ] }}\n"))
                + "      - { step: end }\n      - { else: [ { step: end } ] }\n",
        ),
        format!(
            "base: &b\n{}workflow:\n  - <<: *b\n    step: start\n",
            many(2_000, &|n| format!("  k{n}: {n}\n"))
        ),
    ];
    for text in &texts {
        let linted = lint(text, &tools());
        assert!(linted.findings.len() <= MOST);
        render(&linted.findings, "p.yaml", text);
    }
}

#[test]
fn templates_are_placed_inside_block_text() {
    let text = format!(
        "{HEAD}workflow:\n  - step: start\n    tool:\n      kind: http\n      url: |\n        http://x/\n        {{{{ a | }}}}?b\n"
    );
    let linted = lint(&text, &tools());
    let finding = linted.findings.iter().find(|finding| finding.severity == Severity::Error).unwrap();
    assert_eq!(finding.span.line, 10, "{}", shown(&text));
    assert!(finding.span.column > 9, "{}", shown(&text));
}

#[test]
fn conditions_without_braces_are_checked() {
    let text = format!(
        "{HEAD}workflow:\n  - step: start\n    next:\n      arcs:\n        - {{ step: end, when: 'a == ' }}\n  - step: end\n"
    );
    let shown = shown(&text);
    assert!(shown.contains("error[TP001]: this condition does not parse"), "{shown}");
}

#[test]
fn circles_end_when_any_way_leads_out() {
    let circle = |arc: &str| {
        let text = format!(
            "{HEAD}workflow:\n  - step: start\n    tool: {{ kind: noop }}\n    next: {{ arcs: [ {{ step: b }} ] }}\n  - step: b\n    tool: {{ kind: noop }}\n    next: {{ arcs: [ {arc} ] }}\n"
        );
        lint(&text, &tools()).findings.into_iter().map(|finding| finding.code.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(circle("{ step: start }"), ["PB106"]);
    assert_eq!(circle("{ step: b }"), ["PB106"]);
    assert_eq!(circle("{ step: start, when: \"{{ ctx.x }}\" }"), [""; 0]);
    assert_eq!(circle("{ step: start, when: \"{{ ctx.x }}\" }, { step: end }"), [""; 0]);
}

#[test]
fn long_lines_and_control_characters_are_cut() {
    let text = format!("workflow: {}\u{1b}[31m {}", "x".repeat(100_000), "y".repeat(100_000));
    let finding = Finding::error(
        crate::code::Code::YamlSyntax,
        crate::finding::Span { line: 1, column: 100_005, start: 100_004, end: 200_000 },
        "m".repeat(10_000),
    );
    let shown = render(&[finding], "p.yaml", &text);
    assert!(shown.lines().all(|line| line.chars().count() < 700), "{}", shown.len());
    assert!(!shown.contains('\u{1b}'));
}

#[test]
fn hostile_text_ends_in_findings() {
    for text in [
        "",
        "\u{0}",
        "{{{{{{{{",
        "a: &a [*a, *a]",
        "workflow: [[[[",
        "workflow:\n- step: x\n  tool: {{ x }}\n",
        "workflow:\n- step: '{{ x'\n  next: [{step: '{{ y }}'}]\n",
        &"- ".repeat(100_000),
        &"[".repeat(100_000),
        &format!("workflow:\n- step: a\n  when: \"{{{{ {} }}}}\"\n", "(".repeat(10_000)),
        &format!("workflow:\n- step: a\n  when: \"{{{{ {} }}}}\"\n", "not ".repeat(10_000)),
        &format!("workflow:\n- step: a\n  when: \"{{{{ {} }}}}\"\n", "[".repeat(10_000)),
        &format!("workflow:\n- step: a\n  when: \"{{{{ {}1 }}}}\"\n", "-".repeat(10_000)),
        &format!("workflow:\n- step: a\n  when: \"{{{{ a{} }}}}\"\n", ".b".repeat(50_000)),
        &format!("workflow:\n- step: a\n  when: \"{{{{ a{} }}}}\"\n", "|trim".repeat(20_000)),
        &format!("workflow:\n- step: a\n  when: \"{{{{ {}1 }}}}\"\n", "1+".repeat(50_000)),
        &format!("workflow:\n- step: a\n  when: \"{{{{ {} }}}}\"\n", "(not ".repeat(48)),
        &format!(
            "workflow:\n- step: a\n  when: \"{{{{ {}{} }}}}\"\n",
            "(not -[".repeat(24),
            "a.b".repeat(300)
        ),
        &format!(
            "workflow:\n- step: a\n  when: \"{}x{}\"\n",
            "{% if a %}".repeat(5_000),
            "{% endif %}".repeat(5_000)
        ),
        &format!(
            "workflow:\n- step: a\n  when: \"{{% if a %}}{}{{% endif %}}\"\n",
            "{% elif a %}".repeat(5_000)
        ),
        &format!("workflow:\n- step: a\n  when: \"{}{{{{ a }}}}\"\n", "(".repeat(20_000)),
        &format!("workflow:\n- step: a\n  when: \"{}{{{{ a }}}}\"\n", "not ".repeat(20_000)),
    ] {
        let linted = lint(text, &tools());
        render(&linted.findings, "p.yaml", text);
    }
    assert!(!lint_bytes(b"\xff\xfe", &tools()).is_good());
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(400))]

    #[test]
    fn any_text_ends_in_findings(
        parts in proptest::collection::vec(proptest::sample::select(PARTS), 0..40), noise in ".{0,20}", at in 0_usize..40,
    ) {
        let mut parts: Vec<&str> = parts;
        parts.insert(at.min(parts.len()), &noise);
        let text = parts.concat();
        let linted = lint(&text, &tools());
        let shown = render(&linted.findings, "p.yaml", &text);
        proptest::prop_assert!(linted.is_good() || !shown.is_empty(), "refused without a word: {text}");
    }
}

/// Pieces of playbooks that random texts are made of.
const PARTS: &[&str] = &[
    "apiVersion: noetl.io/v2\n",
    "kind: Playbook\n",
    "metadata: { name: x }\n",
    "workload:\n",
    "  a: \"{{ b }}\"\n",
    "workflow:\n",
    "  - step: start\n",
    "  - step: end\n",
    "    tool: { kind: http, url: x }\n",
    "    tool: python\n",
    "    tool:\n",
    "      - a: { kind: noop }\n",
    "    next: [ { step: end } ]\n",
    "    next:\n",
    "      arcs:\n",
    "        - { step: start, when: \"{{ a",
    " }}\" }\n",
    "    loop: { in: \"{{ a }}\", iterator: u }\n",
    "    set: { ctx.a: 1 }\n",
    "    type: iterator\n",
    "    collection: [1]\n",
    "    case: [ { when: \"{{ event.name }}\", then: { next: end } } ]\n",
    "tasks:\n",
    "  - taskName: t\n",
    "\"",
    "'",
    "{{",
    "}}",
    "{%",
    "%}",
    "\t",
    "&a ",
    "*a ",
    "<<: ",
    "- ",
    ": ",
    "|\n",
    "\u{0}",
    "é",
];
