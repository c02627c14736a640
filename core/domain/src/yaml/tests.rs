use std::fmt::Write;

use super::*;
use crate::code::Code;

fn value(text: &str) -> Value {
    let document = parse(text);
    assert_eq!(document.findings, Vec::new(), "{text}");
    document.root.expect("parses").to_value()
}

fn codes(text: &str) -> Vec<Code> {
    parse(text).findings.iter().map(|finding| finding.code).collect()
}

#[test]
fn scalars_follow_the_core_schema() {
    let text = "{a: True, b: yes, c: 012, d: 0x1f, e: 1e3, f: .5, g: ~, h: '1', i: !!str 1, j: -7, k: 1.0.0, \
                l: None, m: 18446744073709551615, n: .inf, o: -, p: 2024-01-02, q: off}";
    let expected = serde_json::json!({
        "a": true, "b": "yes", "c": 12, "d": 31, "e": 1000.0, "f": 0.5, "g": null, "h": "1", "i": "1", "j": -7,
        "k": "1.0.0", "l": "None", "m": 18_446_744_073_709_551_615_u64, "n": ".inf", "o": "-", "p": "2024-01-02",
        "q": "off"
    });
    assert_eq!(value(&text.replace("o: -, ", "o: '-', ")), expected);
}

#[test]
fn aliases_and_merge_keys_expand() {
    let text =
        "base: &base {x: 1, y: 2}\none:\n  <<: *base\n  y: 3\ntwo: [*base]\nthree: {<<: [{x: 9}, *base]}\n";
    let expected = serde_json::json!({
        "base": {"x": 1, "y": 2}, "one": {"x": 1, "y": 3}, "two": [{"x": 1, "y": 2}], "three": {"x": 9, "y": 2}
    });
    assert_eq!(value(text), expected);
}

#[test]
fn places_are_those_of_the_text() {
    let text = "größe: 1\nsteps:\n  - name: ü\n    url: {{ workload.a }}/x\n    n: [ {{ b }}, c ]\n";
    let root = parse(text).root.expect("parses");
    let url = root.get("steps").and_then(|steps| steps.as_list()?[0].get("url")).expect("url");
    assert_eq!(url.as_str(), Some("{{ workload.a }}/x"));
    assert_eq!((url.span.line, url.span.column), (4, 10));
    assert_eq!(&text[url.span.start..url.span.end], "{{ workload.a }}/x");
    let n = root.get("steps").and_then(|steps| steps.as_list()?[0].get("n")).expect("n");
    assert_eq!(n.to_value(), serde_json::json!(["{{ b }}", "c"]));
    assert_eq!(&text[n.span.start..n.span.end], "[ {{ b }}, c ]");
}

#[test]
fn unquoted_templates_are_quoted_where_yaml_would_not_read_them() {
    let text = "a: {{ x }}\nb: { c: {{ y | default('z, w') }}, d: 1 }\ncode: |\n  d = {{ raw }}\n  e: {{ raw }}\n\
                # note: {{ comment }}\nf: \"{{ quoted }}\"\ng: it's {{ fine }}\n- : 1\n";
    let text = text.replace("- : 1\n", "h: {{ i }} # why\n");
    let expected = serde_json::json!({
        "a": "{{ x }}", "b": {"c": "{{ y | default('z, w') }}", "d": 1}, "code": "d = {{ raw }}\ne: {{ raw }}\n",
        "f": "{{ quoted }}", "g": "it's {{ fine }}", "h": "{{ i }}"
    });
    assert_eq!(value(&text), expected);
}

#[test]
fn hostile_text_ends_in_a_finding() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..10 {
        let _ = writeln!(bomb, "a{level}: &a{level} [{}]", vec![format!("*a{}", level - 1); 10].join(", "));
    }
    assert_eq!(codes(&bomb), [Code::YamlTooLarge]);
    let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(1 << 20), vec!["*a"; 100].join(","));
    assert_eq!(codes(&long), [Code::YamlTooLarge]);
    assert_eq!(codes(&"[".repeat(100_000)), [Code::YamlTooLarge]);
    assert_eq!(codes(&"{a: ".repeat(100_000)), [Code::YamlTooLarge]);
    assert_eq!(codes(&"- ".repeat(100_000)), [Code::YamlTooLarge]);
    let deep: String = (0..1000).fold(String::new(), |mut text, level| {
        let _ = writeln!(text, "{}a:", " ".repeat(level));
        text
    });
    assert_eq!(codes(&deep), [Code::YamlTooLarge]);
    assert_eq!(codes(&" ".repeat(MAX_BYTES + 1)), [Code::YamlTooLarge]);
    assert_eq!(codes("a: &a [*a]"), [Code::YamlSyntax]);
    assert_eq!(codes("a: b\n\tc: d: e"), [Code::YamlSyntax]);
    assert_eq!(codes("a: \"open"), [Code::YamlSyntax]);
    assert_eq!(codes("\u{0}\u{1}"), codes("\u{0}\u{1}"));
    let latin = parse_bytes(b"a: 1\nb: caf\xe9\n");
    assert_eq!(latin.findings[0].code, Code::YamlSyntax);
    assert_eq!((latin.findings[0].span.line, latin.findings[0].span.column), (2, 7));
}

#[test]
fn duplicate_keys_and_further_documents_are_told() {
    assert_eq!(codes("a: 1\na: 2\n"), [Code::DuplicateKey]);
    let document = parse("a: 1\n---\nb: 2\n");
    assert_eq!(document.root.expect("first").to_value(), serde_json::json!({"a": 1}));
    assert_eq!(document.findings.len(), 1);
    assert_eq!(codes(""), [Code::NotAPlaybook]);
}
