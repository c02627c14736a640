mod results;

use serde_json::json;

use super::*;
use crate::command::{ScopeData, StepResult};
use crate::error::TaskError;
use crate::playbook::SetScope;
use crate::result::{RefKind, ResultKind, ResultRef, Stored};

fn result(kind: ResultKind, value: Json) -> Arc<StepResult> {
    Arc::new(StepResult { kind, status: "COMPLETED".into(), value: Stored::Inline(value), error: None })
}

fn http() -> Arc<StepResult> {
    let body = json!({"paging": {"hasMore": true, "page": 2}, "data": [{"id": 1}], "users": ["a", "b"]});
    result(
        ResultKind::Http,
        json!({"status": "success", "status_code": 200, "headers": {"x": "y"}, "data": body, "url": "u", "elapsed": 0.1}),
    )
}

fn sql() -> Arc<StepResult> {
    result(
        ResultKind::Sql,
        json!({
            "status": "success", "rows": [{"n": 1}, {"n": 2}], "row_count": 2, "columns": ["n"],
            "command_0": {"status": "success", "rows": [{"n": 1}, {"n": 2}], "row_count": 2},
        }),
    )
}

fn scope() -> Scope {
    let mut data = ScopeData {
        workload: Arc::new(as_map(json!({
            "limit": 25, "who": "Ada", "flag": "true", "zip": "007", "urls": ["a", "b"], "nested": {"k": [1, 2, {"z": null}]},
            "shared": "workload", "pg_auth": "pg", "api-url": "http://x", "posts": posts(),
        }))),
        ctx: as_map(json!({"seen": 12, "shared": "ctx", "n": null})),
        system: Arc::new(as_map(
            json!({"execution_id": "123456789012345678", "path": "demo/x", "version": 3,
            "payload": {"ZONE": "eu"}}),
        )),
        ..ScopeData::default()
    };
    let mut add = |name: &str, value| data.steps.insert(name.to_owned(), value);
    add("plain", result(ResultKind::Plain, json!({"status": "success", "data": {"x": 5, "text": "ADA"}})));
    add("bare", result(ResultKind::Plain, json!({"label": "big", "items": [1, 2, 3]})));
    add("number", result(ResultKind::Plain, json!(7)));
    add("list", result(ResultKind::Plain, json!([1, 2, 3])));
    add("fetch", http());
    add("query", sql());
    add(
        "each",
        result(
            ResultKind::Loop,
            json!({"results": [{"id": 1}, {"id": 2}], "stats": {"total": 2, "success": 2, "failed": 0}}),
        ),
    );
    add(
        "rounds",
        result(
            ResultKind::LoopOfPipelines,
            json!({"results": [{"a": {"x": 1}, "b": {"y": 2}}, {"a": {"x": 3}, "b": {"y": 4}}]}),
        ),
    );
    add("wrapped", result(ResultKind::Loop, json!({"results": [{"status": "success", "data": {"x": 8}}]})));
    add(
        "pipe",
        result(
            ResultKind::Pipeline,
            json!({
                "get-time": {"exit_code": 0, "stdout": "now"}, "call": (*http()).clone().value, "last": {"x": 1, "kept": true},
            }),
        ),
    );
    add("get-price", result(ResultKind::Plain, json!({"price": 9})));
    add(
        "failed",
        Arc::new(StepResult {
            status: "FAILED".into(),
            error: Some(TaskError::new("auth", "no")),
            ..Default::default()
        }),
    );
    let mut scope = Scope::new(Ambient { now_ms: 1_700_000_000_000, seed: 1 });
    bind_scope(&mut scope, &data, &as_map(json!({"name": "input", "z": 1})));
    scope
}

fn posts() -> Json {
    (0..100).map(|id| json!({"id": id, "title": format!("it's {id}"), "body": "x".repeat(200)})).collect()
}

fn as_map(value: Json) -> Map {
    let Json::Object(map) = value else { panic!("not a map") };
    map
}

#[track_caller]
fn check_all(scope: &Scope, cases: &[(&str, Json)]) {
    for (template, expected) in cases {
        let rendered = render_str(template, scope).unwrap_or_else(|error| panic!("{template}: {error}"));
        assert_eq!(&rendered, expected, "{template}");
    }
}

#[test]
fn values_keep_their_types() {
    check_all(
        &scope(),
        &[
            ("no template {here}", json!("no template {here}")),
            ("{{ workload.urls }}", json!(["a", "b"])),
            ("{{ urls }}\n", json!(["a", "b"])),
            ("{{ workload.flag }}", json!("true")),
            ("{{ zip }}", json!("007")),
            ("{{ flag | trim }}", json!(true)),
            ("{{ limit + 1 }}", json!(26)),
            ("{{ limit / 2 }}", json!(12.5)),
            ("{{ limit // 2 }}", json!(12)),
            ("{{ nothing }}", json!(null)),
            ("{{ nothing.at.all[3] }}", json!(null)),
            ("a{{ nothing.at.all }}b", json!("ab")),
            ("{{ limit }}{{ limit }}", json!(2525)),
            ("{{ urls | tojson }}", json!("[\"a\",\"b\"]")),
            (
                "{\"u\": {{ urls }}, \"f\": {{ limit > 3 }}, \"n\": {{ ctx.n }}}",
                json!({"u": ["a", "b"], "f": true, "n": null}),
            ),
            ("x {{ nested }}", json!("x {\"k\":[1,2,{\"z\":null}]}")),
            ("{{ {'a': {'b': limit}} }}", json!({"a": {"b": 25}})),
            ("{{ urls[0] ~ '-' ~ who }}", json!("a-Ada")),
            ("{{ urls[-1] }}", json!("b")),
            ("{{ bare.items[1:] }}", json!([2, 3])),
            ("{{ '%s/%d' % (who, 3) if false else 'plain' }}", json!("plain")),
            ("{% for u in urls %}{{ u }};{% endfor %}", json!("a;b;")),
            ("{% if limit > 100 %}x{% endif %}", json!("")),
            ("{{ nested.k | length }}", json!(3)),
            ("{{ nested.items() | list }}", json!([["k", [1, 2, {"z": null}]]])),
            ("{{ nested.get('q', 4) }}", json!(4)),
            ("{{ nothing.get('q', 4) }}", json!(4)),
            ("{{ who.upper().startswith('AD') }}", json!(true)),
            ("{{ 'a,b'.split(',') }}", json!(["a", "b"])),
            ("{{ ','.join(urls) }}", json!("a,b")),
            ("{{ ctx.n | default(3) }}", json!(3)),
            ("{{ '12.0' | int }}{{ 3.9 | int }}", json!(123)),
            ("{{ \"it's\" | replace(\"'\", \"''\") }}", json!("it''s")),
            ("{{ 'aGk=' | b64decode }}", json!("hi")),
            ("{{ '{\"a\": [1]}' | fromjson }}", json!({"a": [1]})),
            ("{{ range(1000001) | length }}", json!(1_000_001)),
            ("{{ range(3) }}", json!([0, 1, 2])),
            ("{{ now() }}", json!("2023-11-14T22:13:20.000Z")),
            ("{{ now().strftime('%Y/%m') }}", json!("2023/11")),
            ("{{ today() }}", json!("2023-11-14")),
            ("{{ None }}", json!(null)),
            ("{{ $.spec.vars.who }}", json!("Ada")),
            ("{{ urls | map('upper') | list }}", json!(["A", "B"])),
            ("{{ posts | map(attribute='id') | sum }}", json!(4950)),
            ("{{ bare.items | select('odd') | list }}", json!([1, 3])),
            ("{{ limit | string }}", json!("25")),
        ],
    );
}

#[test]
fn authors_write_jinja_as_they_know_it() {
    check_all(
        &scope(),
        &[
            ("{% for k, v in nested.items() %}{{ k }}={{ v | length }}{% endfor %}", json!("k=3")),
            ("{% for k in nested %}{{ k }}{% endfor %}", json!("k")),
            ("{{ nested | items | list }}", json!([["k", [1, 2, {"z": null}]]])),
            ("{{ nested | dictsort }}", json!([["k", [1, 2, {"z": null}]]])),
            ("{{ nested.keys() | list }}", json!(["k"])),
            ("{{ nested | keys }}", json!(["k"])),
            ("{{ '%s-%03d' | format(who, 7) }}", json!("Ada-007")),
            ("{{ '{:.2f}'.format(limit / 3) }}x", json!("8.33x")),
            ("{{ (limit / 3) | round(1) }}", json!(8.3)),
            ("{{ urls + ['c'] }}", json!(["a", "b", "c"])),
            ("{{ urls | reverse | list }}", json!(["b", "a"])),
            ("{{ urls | first ~ urls | last }}", json!("ab")),
            ("{{ urls[0:1] }}", json!(["a"])),
            ("{{ urls == ['a', 'b'] }}", json!(true)),
            ("{{ 'a' in urls and 'Ad' in who and 'k' in nested and 'q' not in nested }}", json!(true)),
            ("{{ nested.k[2].z is none and nested.k[2].y is not defined }}", json!(true)),
            ("{{ urls | length > 1 and 'y' or 'n' }}", json!("y")),
            ("{{ nothing.a or 'fallback' }}", json!("fallback")),
            ("{{ who if who is defined }}", json!("Ada")),
            ("{{ nothing if nothing is defined }}", json!(null)),
            ("{{ who[::-1] }}", json!("adA")),
            ("{{ -limit + 2 ** 3 + 7 % 3 }}", json!(-16)),
            ("{{ posts | selectattr('id', 'gt', 97) | map(attribute='id') | list }}", json!([98, 99])),
            ("{{ posts | map(attribute='id') | join(',') | length }}", json!(289)),
            ("{{ posts | sort(attribute='id', reverse=true) | map(attribute='id') | first }}", json!(99)),
            ("{{ posts | batch(30) | list | length }}", json!(4)),
            ("{{ posts | groupby('id') | length }}", json!(100)),
            ("{{ [3, 1, 2] | sort }}", json!([1, 2, 3])),
            ("{{ [1, 1] | unique | list }}", json!([1])),
            ("{{ dict(a=1, b=who) }}", json!({"a": 1, "b": "Ada"})),
            (
                "{% set ns = namespace(n=0) %}{% for u in urls %}{% set ns.n = ns.n + 1 %}{% endfor %}{{ ns.n }}",
                json!(2),
            ),
            ("{% set rows = query.rows %}{{ rows | map(attribute='n') | sum }}", json!(3)),
            ("{{ query[0] }}", json!({"n": 1})),
            (
                "{{ query is sequence and fetch is mapping and who is string and limit is number }}",
                json!(true),
            ),
            (
                "{{ query | tojson }}",
                json!(
                    "{\"status\":\"success\",\"rows\":[{\"n\":1},{\"n\":2}],\"row_count\":2,\"columns\":[\"n\"],\"command_0\":{\"status\":\"success\",\"rows\":[{\"n\":1},{\"n\":2}],\"row_count\":2}}"
                ),
            ),
            ("{{ query[-1].n }}", json!(2)),
            ("{{ {'q': query.rows[0], 'l': urls} }}", json!({"q": {"n": 1}, "l": ["a", "b"]})),
            ("{{ [fetch.data.paging, limit] }}", json!([{"hasMore": true, "page": 2}, 25])),
            ("{{ who | lower | replace('a', 'o') | capitalize }}", json!("Odo")),
            ("{{ 'x' * 3 }}", json!("xxx")),
            ("{{ limit | int > 24 }}", json!(true)),
            ("{{ '3' | int + 1 }}", json!(4)),
            ("{{ none | int }}{{ 'x' | int(5) }}{{ nothing | int }}", json!("050")),
            ("{{ 1000000 * 1000000 }}", json!(1_000_000_000_000_i64)),
            ("{{ 9007199254740993 }}", json!(9_007_199_254_740_993_i64)),
            ("{{ 'caf\u{e9}' | upper }}", json!("CAF\u{c9}")),
            ("{{ 'a\\nb' | length }}", json!(3)),
            ("{# gone #}{{ who }}", json!("Ada")),
            ("{{- who -}}", json!("Ada")),
            ("{% raw %}{{ kept }}{% endraw %}", json!("{{ kept }}")),
        ],
    );
}

#[test]
fn conditions_follow_the_server_rule() {
    let scope = scope();
    for (condition, expected) in [
        ("", false),
        ("true", true),
        ("False", false),
        ("yes", true),
        ("off", false),
        ("limit > 3", true),
        ("{{ limit > 30 }}", false),
        ("{{ who }}", true),
        ("{{ nothing }}", false),
        ("{{ 'no' }}", false),
        ("{{ [] }}", false),
        ("{{ ctx.seen is defined and who }}", true),
        ("nothing.x.y == 1", false),
        ("{{ who }} == Ada", true),
        ("{{ who }} == 'Bob'", false),
        ("\"{{ who }}\" == \"Ada\"", true),
        ("{{ limit }} >= 9", true),
        ("{{ get-time.output.exitCode }} == 0", true),
        ("{{ who }} == Ada and {{ limit }} == 1", false),
        ("{{ who }} == Bob or ({{ limit }} == 25 and not {{ nothing }})", true),
        ("{{ who }} in ['Ada', 'Bob']", true),
        ("{{ who }} not in Ada,Bob", false),
        ("{% if limit > 3 %}true{% endif %}", true),
        ("{{ pipe }}", true),
        ("{{ error != None }}", true),
        ("{{ ctx.n != None }}", false),
    ] {
        assert_eq!(test(&Expr(condition.to_owned()), &scope).unwrap(), expected, "{condition}");
    }
}

#[test]
fn undefined_root_names_are_told_unless_guarded() {
    let scope = scope();
    render_str("{{ nobody.x }} {{ a | default(1) }} {{ b.c is defined }} {{ range(2) }} {{ limit }}", &scope)
        .unwrap();
    assert_eq!(scope.undefined(), ["nobody"]);
    assert!(scope.undefined().is_empty());
}

#[test]
fn functions_are_called_with_values() {
    let mut scope = scope();
    scope.function(
        "token",
        Arc::new(|args| match args {
            [Json::String(name)] => Ok(json!(format!("t-{name}"))),
            _ => Err("token() takes one name".to_owned()),
        }),
    );
    check_all(&scope, &[("Bearer {{ token(pg_auth) }}", json!("Bearer t-pg"))]);
    assert!(render_str("{{ token() }}", &scope).unwrap_err().message.contains("takes one name"));
}

#[test]
fn sql_comments_are_not_templates() {
    let scope = scope();
    let sql = "-- {{ broken }\nSELECT '{{ who }} -- {{ limit }}' /* {% if %} */ FROM t;";
    assert_eq!(
        render_text(sql, &scope).unwrap(),
        "-- {{ broken }\nSELECT 'Ada -- 25' /* {% if %} */ FROM t;"
    );
    assert_eq!(render_text("{{ limit }}", &scope).unwrap(), "25");
}

#[test]
fn hostile_templates_end_in_a_clear_error() {
    let scope = scope();
    for (template, code) in [
        (
            "{% for a in range(4000000) %}{% for b in range(4000000) %}{% endfor %}{% endfor %}",
            Code::TemplateFuel,
        ),
        ("{{ 'x' * 1000000000 }}", Code::TemplateFuel),
        ("{{ range(99999999999) | list }}", Code::TemplateFailed),
        ("{% macro m(n) %}{{ m(n) }}{% endmacro %}{{ m(1) }}", Code::TemplateFailed),
        ("{% for a in range(100000) %}{{ 'y' * 100000 }}{% endfor %}", Code::TemplateFuel),
        ("{{ 1 + }}", Code::TemplateSyntax),
        ("{{ 1 | nofilter }}", Code::TemplateSyntax),
        ("{{ who + 1 }}", Code::TemplateFailed),
        ("{% include 'x' %}", Code::TemplateFailed),
    ] {
        assert_eq!(render_str(template, &scope).unwrap_err().code, code, "{template}");
    }
}

#[test]
fn honest_loops_fit_into_the_fuel() {
    let sql = "{% for p in posts %}INSERT INTO t VALUES ({{ p.id }}, '{{ p.title | replace(\"'\", \"''\") }}', \
               '{{ p.body | replace(\"'\", \"''\") }}', {{ loop.index }}, '{{ p | tojson }}'::jsonb);\n{% endfor %}";
    let text = render_text(sql, &scope()).unwrap();
    assert_eq!(text.matches("INSERT").count(), 100);
    assert!(text.contains("'it''s 99'") && !text.contains("it's 99"));
}

#[test]
fn errors_name_their_place() {
    let error = super::check("line one\nand {{ 1 + }} here").unwrap_err();
    assert_eq!((error.code, error.line), (Code::TemplateSyntax, 2));
    assert!(error.column > 4, "{error:?}");
    let error = super::check("{{ x | nofilter }}").unwrap_err();
    assert_eq!((error.line, error.column, error.message.as_str()), (1, 8, "filter nofilter is unknown"));
    assert!(super::check("{{ x is blue }}").is_err());
    assert!(super::check("{{ x is not none }} {{ f(1)['a'] | d(2) | int > 3 }}").is_ok());
    assert!(check_expr(&Expr("a ==".into())).is_err());
}

#[test]
fn reads_are_root_names() {
    let value = json!({"a": "{{ fetch.data.x + ctx.n }}", "{{ key }}": ["{% for r in rows %}{{ r.x }}{% endfor %}", "{{ now() }}"]});
    assert_eq!(reads(&value), ["ctx", "fetch", "key", "rows"]);
    assert_eq!(reads_paths(&json!("{{ fetch.data.x + ctx.n }}")), ["ctx.n", "fetch.data.x"]);
    assert_eq!(reads_expr(&Expr("a.b == c".into())), ["a", "c"]);
}

/// Prints what a cached guard costs; run with `--ignored --nocapture`.
#[test]
#[ignore = "prints timings"]
fn timings() {
    let scope = scope();
    for condition in ["{{ ctx.seen > 10 }}", "ctx.seen > 10 and bare.status == 'ok'", "{{ true }}"] {
        let condition = Expr(condition.into());
        let started = std::time::Instant::now();
        for _ in 0..100_000 {
            assert!(super::test(&condition, &scope).unwrap());
        }
        println!("{}: {:?}", condition.0, started.elapsed() / 100_000);
    }
    let started = std::time::Instant::now();
    for _ in 0..100_000 {
        render_str("{{ workload.limit }}", &scope).unwrap();
    }
    println!("path: {:?}", started.elapsed() / 100_000);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(2000))]

    #[test]
    fn any_template_renders_or_tells_why(parts in proptest::collection::vec(proptest::sample::select(PARTS), 0..14)) {
        let scope = scope();
        let template = parts.join(" ");
        let _ = (render_str(&template, &scope), render_text(&template, &scope), super::check(&template));
        let condition = Expr(template.clone());
        let _ = (super::test(&condition, &scope), check_expr(&condition), reads_expr(&condition));
        let braced = format!("{{{{ {template} }}}}");
        let rendered = render_str(&braced, &scope);
        // What parses and renders also passes the check.
        proptest::prop_assert!(rendered.is_err() || super::check(&braced).is_ok() || braced.contains("| nofilter"), "{braced}");
    }
}

/// Pieces of templates that random ones are made of.
const PARTS: &[&str] = &[
    "{{",
    "}}",
    "{%",
    "%}",
    "{#",
    "#}",
    "fetch",
    ".data",
    ".status",
    "[0]",
    "[1:]",
    "['x']",
    "query",
    "pipe",
    "each",
    "get-price",
    "plain",
    "nothing",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    "+",
    "-",
    "*",
    "//",
    "%",
    "~",
    "|",
    "| length",
    "| int",
    "| tojson",
    "| default(1)",
    "| nofilter",
    "and",
    "or",
    "not",
    "in",
    "is defined",
    "is none",
    "==",
    "!=",
    "<",
    "'text'",
    "\"",
    "'",
    "1",
    "2.5",
    "True",
    "None",
    "if",
    "else",
    "for x in urls",
    "endfor",
    "set y = 1",
    "range(3)",
    "now()",
    ".items()",
    ".get('a')",
    "$.",
    "-- c",
    "/*",
    "é",
    "\n",
    "loop",
];
