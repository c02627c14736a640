//! Every form of every construct, as tables: what is written, and what the model makes of it.

use serde_json::{Value, json};

use super::*;
use crate::playbook::{
    Action, Arc, Backoff, CatchUp, Dialect, Directive, Join, LoopMode, LoopSource, Merge, RouteMode, Routes,
    SaveOn, ScheduleWhen, SetScope, Step,
};

/// A playbook of one step to look at, and the steps it may lead to.
fn step(body: &str) -> Step {
    let lines: Vec<String> = body.trim_matches('\n').lines().map(|line| format!("    {line}\n")).collect();
    let indented = lines.concat();
    let text = format!(
        "apiVersion: noetl.io/v2\nkind: Playbook\nmetadata: {{name: t}}\nworkbook:\n  - {{name: known, tool: {{kind: \
         python, args: {{x: 1, y: null}}, code: pass}}, sink: {{tool: {{kind: postgres}}, table: t}}}}\n  - {{task: old, \
         type: http, endpoint: u, with: {{q: 1}}}}\nworkflow:\n  - step: it\n{indented}  - {{step: a, tool: {{kind: \
         noop}}, next: []}}\n  - {{step: b, tool: {{kind: noop}}, next: end}}\n  - {{step: c, tool: {{kind: noop}}}}\n"
    );
    good(&text).step("it").expect("the step").clone()
}

fn written(routes: &Routes) -> String {
    let arc = |arc: &Arc| {
        let when = arc.when.as_ref().map(|when| format!("?{}", when.0)).unwrap_or_default();
        let inputs = if arc.inputs.is_empty() { String::new() } else { json!(arc.inputs).to_string() };
        let sets: Vec<String> = arc.sets.iter().map(|set| format!("={:?}.{}", set.scope, set.key)).collect();
        let sets = sets.concat();
        format!("{}{inputs}{sets}{when}", arc.to)
    };
    let list = |arcs: &[Arc]| arcs.iter().map(arc).collect::<Vec<_>>().join(" ");
    format!("{:?}: {} | {}", routes.mode, list(&routes.arcs), list(&routes.otherwise))
}

#[test]
fn next_is_read_in_every_form() {
    for (text, expected) in [
        ("next: a", "All: a | "),
        ("next: [a, b]", "All: a b | "),
        ("next: {step: a, args: {x: 1}}", "All: a{\"x\":1} | "),
        ("next: [{step: a, data: {x: 1}}, {step: b, with: {y: 2}}]", "All: a{\"x\":1} b{\"y\":2} | "),
        ("next: [{step: [a, b]}]", "All: a b | "),
        ("next: [a: {x: 1}, b: ]", "All: a{\"x\":1} b | "),
        ("next: [{when: '{{ p }}', step: a}, {step: b}]", "All: a?{{ p }} b | "),
        ("next: [{when: '{{ p }}', then: a}, {when: q, then: {step: b}}]", "All: a?{{ p }} b?q | "),
        ("next: [{when: true, then: [a, {step: b}]}]", "All: a?true b?true | "),
        ("next: {when: '{{ p }}', then: [a], else: [b]}", "Chain: a?{{ p }} | b"),
        ("next: [{when: p, then: [a]}, {when: q, then: [b]}, {else: [c]}]", "Chain: a?p b?q | c"),
        ("next: [{when: p, then: [a, b]}, {else: {step: c}}]", "Chain: a?p b?p | c"),
        ("next: [{when: p, then: [a]}, {else: {then: [{step: c}]}}]", "Chain: a?p | c"),
        ("next: [{when: p, then: [a]}, {else: , then: [{step: c}]}]", "Chain: a?p | c"),
        ("next: [{when: p, step: a, else: b}]", "Chain: a?p | b"),
        ("next: [{step: c}, {when: p, then: [a]}, {else: b}]", "Chain: a?p c?p | b c"),
        (
            "next: [{when: p, then: [{when: q, then: a}, {else: b}]}, {else: c}]",
            "All: a?{{ (p) and (q) }} b?{{ (p) and (not (q)) }} c?{{ not (p) }} | ",
        ),
        (
            "next: [{when: '{{ p }} == 1', then: [{when: q, then: a}]}]",
            "All: a?({{ p }} == 1) and {{ q }} | ",
        ),
        ("next: {arcs: [{step: a, when: '{{ p }}'}, {step: b}]}", "First: a?{{ p }} b | "),
        ("next: {spec: {mode: inclusive}, arcs: [{step: a, args: {x: 1}}]}", "All: a{\"x\":1} | "),
        ("next: {mode: exclusive, arcs: [{step: a, set: {ctx.x: 1, y: 2}}]}", "First: a=Ctx.x=Ctx.y | "),
        ("next: {arcs: [{step: a, when: p}, {step: b, when: else}]}", "First: a?p | b"),
        ("next: {arcs: [{step: a, when: p}, {else: {step: b}}]}", "First: a?p | b"),
        ("spec: {next_mode: inclusive}\nnext: {arcs: [{step: a}, {step: b}]}", "All: a b | "),
        ("spec: {next_mode: exclusive}\nnext: [{step: a, when: p}, {step: b}]", "First: a?p b | "),
        ("next: [{step: a, when: {{ p }}}]", "All: a?{{ p }} | "),
    ] {
        assert_eq!(written(&step(text).routes), expected, "{text}");
    }
}

#[test]
fn tools_are_read_in_every_form() {
    for (text, kinds, inputs) in [
        ("type: python\ncode: pass\ndata: {x: 1}", "it:python", json!({"x": 1})),
        ("tool: python\ncode: pass\nargs: {x: 1}", "it:python", json!({"x": 1})),
        ("tool: {kind: python, code: pass, args: {x: 1}}", "it:python", json!({"x": 1})),
        (
            "tool: {kind: python, code: pass, input: {x: 1, y: 2}}\nargs: {x: 3}",
            "it:python",
            json!({"x": 3, "y": 2}),
        ),
        ("type: workbook\nname: known\ndata: {x: 2}", "it:python", json!({"x": 2, "y": null})),
        ("tool: {kind: workbook, name: known, args: {y: 5}}", "it:python", json!({"x": 1, "y": 5})),
        ("type: workbook\ntask: old", "it:http", json!({"q": 1})),
        ("call: {name: old, type: workbook, with: {q: 2}}", "it:http", json!({"q": 2})),
        ("call: {type: python, with: {q: 2}, code: pass}", "it:python", json!({"q": 2})),
        ("run: [{task: old, with: {q: 3}}]", "it:http", json!({"q": 3})),
        ("run: [{task: old}, {task: known}]", "old:http known:python", json!({})),
        (
            "tool: [{one: {kind: http}}, {two: {kind: python, args: {n: 1}}}]",
            "one:http two:python",
            json!({}),
        ),
        (
            "tool: [{name: one, kind: http}, {kind: python, input: {n: 1}}]",
            "one:http task_1:python",
            json!({}),
        ),
        ("tool: router\nnext: a", "", json!({})),
        ("tool: end", "", json!({})),
        ("tool: {kind: noop}", "it:noop", json!({})),
        ("type: save\nstorage: event_log\ndata: {x: 1}", "it:noop", json!({})),
    ] {
        let step = step(text);
        let made: Vec<String> = step.body.iter().map(|task| format!("{}:{}", task.name, task.kind)).collect();
        assert_eq!((made.join(" "), json!(step.inputs)), (kinds.to_owned(), inputs), "{text}");
    }
    let saved = step("type: save\nstorage: event_log\ndata: {x: 1}");
    assert_eq!(
        (saved.saves[0].backend.as_str(), &saved.body[0].config["result"]),
        ("event_log", &json!({"x": 1}))
    );
    let sunk = step("tool: {kind: workbook, name: known}");
    assert_eq!(
        (sunk.body[0].saves[0].backend.as_str(), &sunk.body[0].saves[0].config["table"]),
        ("postgres", &json!("t"))
    );
    let http = step("tool: http\nurl: u\nargs: {a: 1}\ndata: {query: {p: 1}}");
    assert_eq!(http.inputs, json!({"a": 1, "query": {"p": 1}}).as_object().expect("a map").clone());
    let body =
        step("tool: {kind: http, url: u, data: {p: 1}, timeout: {connect: 1, read: 2}}").body.remove(0);
    assert_eq!(body.config["data"], json!({"p": 1}));
    assert_eq!((body.timeout_seconds, &body.config["timeout"]), (None, &json!({"connect": 1, "read": 2})));
    let list = step("tool: container\nimage: i\nargs: [1, 2]").body.remove(0);
    assert_eq!(list.config["args"], json!([1, 2]));
}

#[test]
fn auth_is_kept_in_every_form() {
    for (text, expected) in [
        ("auth: pg", json!("pg")),
        ("auth: {type: postgres, credential: pg}", json!({"type": "postgres", "credential": "pg"})),
        (
            "auth: {a: {source: credential, tool: postgres, key: k}}",
            json!({"a": {"source": "credential", "tool": "postgres", "key": "k"}}),
        ),
        ("credential: pg", json!("pg")),
        ("credentials: {a: {key: pg}}", json!({"a": {"key": "pg"}})),
        ("secret: '{{ secret.K }}'", json!({"secret": "{{ secret.K }}"})),
    ] {
        assert_eq!(
            step(&format!("tool: postgres\ncommand: x\n{text}")).body[0].auth,
            Some(expected.clone()),
            "{text}"
        );
        let nested = format!("tool: {{kind: postgres, command: x, {text}}}");
        assert_eq!(step(&nested).body[0].auth, Some(expected), "{text}");
    }
    assert_eq!(step("tool: {kind: postgres, command: x}\nauth: pg").body[0].auth, Some(json!("pg")));
}

#[test]
fn retry_is_read_in_every_form() {
    let numbers = |text: &str| {
        let step = step(&format!("tool: http\nurl: u\nretry: {text}"));
        let shown = step.body[0].retry.iter().map(|retry| {
            let when = retry.when.as_ref().map(|when| when.0.clone()).unwrap_or_default();
            let stop = retry.stop_when.as_ref().map(|when| when.0.clone()).unwrap_or_default();
            let growth = if retry.linear { "+".to_owned() } else { format!("*{}", retry.multiplier) };
            format!(
                "{}x {}..{} {growth} {} {when} {stop}",
                retry.max_attempts, retry.initial_delay_seconds, retry.max_delay_seconds, retry.jitter
            )
        });
        shown.collect::<Vec<_>>().join("; ")
    };
    for (text, expected) in [
        ("true", "3x 1..60 *2 true  "),
        ("5", "5x 1..60 *2 true  "),
        ("false", ""),
        (
            "{max_attempts: 4, initial_delay: 0.5, max_delay: 9, backoff_multiplier: 3, jitter: false}",
            "4x 0.5..9 *3 false  ",
        ),
        (
            "{max_attempts: '{{ n }}', retry_when: '{{ error }}', stop_when: '{{ ok }}'}",
            "\"{{ n }}\"x 1..60 *2 true {{ error }} {{ ok }}",
        ),
        (
            "[{when: '{{ e }}', then: {max_attempts: 2, initial_delay: 30s}}, {when: f, then: {max_attempts: 9}}]",
            "2x 30..60 *2 true {{ e }} ; 9x 1..60 *2 true f ",
        ),
        ("{max_attempts: 4, delay: 2, backoff: linear, jitter: false}", "4x 2..60 + false  "),
        ("{on_error: {when: e, max_attempts: 2, backoff: fixed}}", "2x 1..60 *1 true e "),
    ] {
        assert_eq!(numbers(text), expected, "{text}");
    }
    let pages = step(
        "tool: {kind: http, url: u}\nretry:\n  - when: '{{ response.more }}'\n    then: {max_attempts: 7, next_call: \
         {params: {p: 2}}, collect: {strategy: extend, path: data, into: all}, per_iteration: {sink: {tool: postgres, \
         table: t}}}",
    );
    let repeat = pages.body[0].repeat.as_ref().expect("pages");
    assert_eq!(
        (repeat.merge, repeat.path.as_deref(), repeat.into.as_deref()),
        (Merge::Extend, Some("data"), Some("all"))
    );
    assert_eq!((&repeat.max_pages, &repeat.next["params"]), (&json!(7), &json!({"p": 2})));
    assert_eq!(repeat.saves[0].backend, "postgres");
    let success =
        step("tool: {kind: http, url: u}\nretry: {on_success: {while: '{{ more }}', next_call: {url: v}}}");
    assert_eq!(success.body[0].repeat.as_ref().expect("pages").while_true.0, "{{ more }}");
    assert_eq!(step("tool: [{name: a, kind: noop}, {name: b, kind: noop}]\nretry: 2").retry.len(), 1);
}

#[test]
fn loops_are_read_in_every_form() {
    let tool = "tool: {kind: noop}\n";
    let b = step(&format!(
        "{tool}loop: {{collection: '{{{{ rows }}}}', element: row, mode: async, concurrency: 3, until: u}}"
    ));
    let c = step(&format!(
        "{tool}loop: {{in: '{{{{ rows }}}}', iterator: row, mode: parallel, concurrency: 3, until: u}}"
    ));
    let e = step(&format!(
        "{tool}loop: {{in: '{{{{ rows }}}}', iterator: row, until: u, spec: {{mode: parallel, max_in_flight: 3, policy: {{exec: local}}}}}}"
    ));
    let a = step(
        "type: iterator\ncollection: '{{ rows }}'\nelement: row\nmode: async\nconcurrency: 3\nuntil: u\ntask: {type: noop}",
    );
    assert!([&c, &e, &a].iter().all(|step| step.looped == b.looped && step.body == b.body), "{a:#?}\n{b:#?}");
    let looped = b.looped.expect("a loop");
    assert_eq!(
        (looped.mode, looped.max_in_flight, looped.iterator.as_str()),
        (LoopMode::Parallel, Some(json!(3)), "row")
    );

    let rich = step(
        "tool: iterator\nargs: {cities: [1, 2]}\nelement: city\nwhere: '{{ city > 1 }}'\norder_by: '-city'\nlimit: 5\nchunk: \
         2\nenumerate: true\ntask:\n  tool: {kind: workbook, name: known, args: {x: '{{ city }}'}}\n  save: {name: seen, data: 1}\nsave: {storage: event_log}",
    );
    let looped = rich.looped.as_ref().expect("a loop");
    assert_eq!(looped.source, LoopSource::In(json!([1, 2])));
    assert_eq!(
        (looped.order_by.as_deref(), &looped.limit, &looped.chunk),
        (Some("-city"), &Some(json!(5)), &Some(json!(2)))
    );
    assert!(looped.enumerate && looped.filter.is_some());
    assert_eq!(rich.inputs["x"], json!("{{ city }}"));
    assert_eq!(
        rich.body[0].saves.iter().map(|save| save.backend.as_str()).collect::<Vec<_>>(),
        ["postgres", "variable"]
    );
    assert_eq!(rich.saves[0].backend, "event_log");

    let cursor = step(
        r#"loop:
  cursor: { kind: postgres, auth: pg, claim: "UPDATE ... LIMIT {{ __frame_max_rows }}) RETURNING id, payload" }
  iterator: job
  spec: { mode: cursor, max_in_flight: 4, frame: { max_rows: 50, max_seconds: 30, max_bytes: 67108864, lease_seconds: 120, heartbeat_seconds: 30, row_concurrency: 1, process: row } }
tool: {kind: noop}"#,
    );
    let looped = cursor.looped.expect("a loop");
    assert_eq!((looped.mode, looped.iterator.as_str()), (LoopMode::Cursor, "job"));
    let LoopSource::Cursor(source) = looped.source else { panic!("no cursor") };
    assert_eq!((source.max_rows, source.max_seconds, source.per_frame), (json!(50), Some(30.0), false));
}

#[test]
fn policies_are_read_in_every_form() {
    let rules = |text: &str| {
        let step = step(text);
        let shown = step.body[0].rules.iter().map(|rule| {
            let when = rule.when.as_ref().map_or_else(|| "else".to_owned(), |when| when.0.clone());
            let sets: Vec<String> =
                rule.sets.iter().map(|set| format!(" {:?}.{}", set.scope, set.key)).collect();
            let sets = sets.concat();
            let what = match &rule.directive {
                Directive::Retry { attempts, backoff, delay_seconds } => {
                    format!("retry {attempts} {backoff:?} {delay_seconds}")
                }
                Directive::Jump { to } => format!("jump {to}"),
                other => format!("{other:?}").to_lowercase(),
            };
            format!("{when}: {what}{sets}")
        });
        shown.collect::<Vec<_>>().join("; ")
    };
    for (text, expected) in [
        (
            "rules: [{when: p, then: {do: retry, attempts: 5, backoff: exponential, delay: 0.5}}]",
            "p: retry 5 Exponential 0.5",
        ),
        (
            "rules: [{when: p, then: {do: retry, delay: 2}}, {else: {then: {do: fail}}}]",
            "p: retry 3 Fixed 2; else: fail",
        ),
        ("rules: [{when: p, then: {do: retry}}, {else: {do: break}}]", "p: retry 3 None 1; else: break"),
        (
            "rules: [{when: p, then: {do: continue, set_iter: {n: 1}, set: {ctx.m: 2, iter.o: 3}}}, {else: , then: {do: continue}}]",
            "p: continue Ctx.m Iter.o Iter.n; else: continue",
        ),
    ] {
        assert_eq!(
            rules(&format!("tool: {{kind: http, url: u, spec: {{policy: {{{text}}}}}}}")),
            expected,
            "{text}"
        );
    }
    let eval = "tool: {kind: http, url: u, eval: [{expr: p, do: retry, attempts: 2, set_vars: {x: 1}}, {else: {do: fail}}]}";
    assert_eq!(rules(eval), "p: retry 2 None 1 Ctx.x; else: fail");
    let jump = "tool:\n  - {name: a, kind: noop}\n  - {name: b, kind: noop, spec: {policy: {rules: [{when: p, then: {do: jump, to: previous}}]}}}";
    assert_eq!(step(jump).body[1].rules[0].directive, Directive::Jump { to: "a".to_owned() });
    for (text, expected) in [
        ("[{when: p, then: {allow: true}}, {else: {then: {allow: false}}}]", "p"),
        ("[{when: p, then: {allow: false}}]", "{{ not (p) }}"),
        (
            "[{when: p, then: {allow: true}}, {when: q, then: {allow: false}}, {else: {then: {allow: true}}}]",
            "{{ (True if (p) else (False if (q) else true)) }}",
        ),
    ] {
        let guard =
            step(&format!("tool: {{kind: noop}}\nspec: {{policy: {{admit: {{rules: {text}}}}}}}")).guard;
        assert_eq!(guard.expect("a guard").0.to_lowercase(), expected.to_lowercase(), "{text}");
    }
    assert_eq!(
        step("tool: {kind: noop}\nwhen: '{{ p }}'\npass: '{{ q }}'").guard.expect("a guard").0,
        "{{ (p) and (not (q)) }}"
    );
}

#[test]
fn cases_vars_and_sets_are_read() {
    let step = step(
        r#"
tool: {kind: http, url: u}
vars: {n: "{{ result.n }}"}
case:
  - when: "{{ event.name == 'call.done' and response.paging.hasMore }}"
    then:
      collect: {strategy: append, path: data, into: pages}
      retry: {params: {page: 2}, max_attempts: 2}
  - when: "{{ error }}"
    then: {retry: {max_attempts: 3, delay: 1, backoff: exponential}}
  - when: "{{ event.name == 'step.exit' }}"
    then:
      - set: [{name: a, value: 1}, {name: iter.b, value: 2}]
      - result: {from: pages}
      - sink: {backend: postgres, table: t, from: "{{ result }}", auth: pg}
      - next: [{step: a, args: {x: 1}}]
  - else: {call: {step: b, args: {y: 2}}, fail: "no", skip: true}
next: [c]
"#,
    );
    assert_eq!(step.dialect, Dialect::C);
    assert_eq!(step.extracts["n"], json!("{{ result.n }}"));
    assert!(matches!(&step.cases[0].then[0], Action::Collect { merge: Merge::Append, .. }));
    assert!(matches!(&step.cases[0].then[1], Action::Again { max_pages: Value::Number(_), .. }));
    assert!(matches!(&step.cases[1].then[..], [Action::Retry(_)]));
    let Action::Set(sets) = &step.cases[2].then[0] else { panic!("no set") };
    assert_eq!((sets[1].scope, sets[1].key.as_str()), (SetScope::Iter, "b"));
    assert_eq!(step.cases[2].then[1], Action::Result(json!("{{ pages }}")));
    assert!(
        matches!(&step.cases[2].then[2], Action::Save(save) if save.backend == "postgres" && save.auth == Some(json!("pg")))
    );
    assert!(matches!(&step.cases[2].then[3], Action::Next(arcs) if arcs[0].to == "a"));
    assert_eq!((step.cases[3].when.clone(), step.cases[3].then.len()), (None, 3));
}

#[test]
fn saves_are_read_in_every_form() {
    for (text, backend, key) in [
        ("{storage: postgres, table: t, mode: upsert, key: id}", "postgres", "table"),
        ("{storage: {type: postgres, table: t, auth: pg}}", "postgres", "table"),
        ("{tool: {kind: duckdb, commands: x}}", "duckdb", "commands"),
        ("{name: seen, data: {x: 1}}", "variable", "name"),
        ("{storage: event, data: {x: 1}}", "event_log", "data"),
        ("{url: 'http://h', data: 1}", "http", "url"),
        ("{statement: 'insert', params: {a: 1}, when: p, on: always}", "postgres", "params"),
    ] {
        let saves = step(&format!("tool: {{kind: noop}}\nsave: {text}")).saves;
        assert_eq!((saves.len(), saves[0].backend.as_str()), (1, backend), "{text}");
        assert!(saves[0].config.contains_key(key), "{text}");
        if text.contains("always") {
            assert_eq!(
                (saves[0].on, saves[0].when.as_ref().map(|when| when.0.as_str())),
                (SaveOn::Always, Some("p"))
            );
        }
    }
}

#[test]
fn schedules_and_executor_are_read() {
    let head = "apiVersion: noetl.io/v2\nkind: Playbook\n";
    let flow = "workflow: [{step: first, tool: {kind: noop}}, {step: last, tool: {kind: noop}}]\n";
    let playbook = good(&format!(
        "{head}metadata:\n  name: s\n  schedule: '*/5 * * * *'\nspec: {{schedule: {{interval: 1m30s, catch_up: latest, \
         payload: {{a: 1}}}}, state: x}}\nschedule: [{{every: 10}}, '@daily']\nvars: {{v: 1}}\nexecutor: {{profile: local, \
         spec: {{entry_step: last, final_step: first, no_next_is_error: true}}}}\n{flow}"
    ));
    let whens: Vec<ScheduleWhen> = playbook.schedules.iter().map(|schedule| schedule.when.clone()).collect();
    let expected = [
        ScheduleWhen::Cron("*/5 * * * *".to_owned()),
        ScheduleWhen::IntervalSeconds(90.0),
        ScheduleWhen::IntervalSeconds(10.0),
        ScheduleWhen::Cron("@daily".to_owned()),
    ];
    assert!(expected.iter().all(|when| whens.contains(when)), "{whens:?}");
    assert!(playbook.schedules.iter().any(|schedule| schedule.catch_up == CatchUp::Latest));
    assert_eq!((playbook.entry[0].step.as_str(), playbook.final_step.as_deref()), ("last", Some("first")));
    assert!(playbook.no_next_is_error);
    assert_eq!(playbook.workload, json!({"v": 1, "state": "x"}).as_object().expect("a map").clone());
    let keychain = good(&format!(
        "{head}metadata: {{name: k}}\nkeychain: [{{name: g, kind: secret_manager, scope: global, provider: gcp, map: {{t: \
         p}}}}]\ncredentials: [{{name: pg_local, as: pg}}]\n{flow}"
    ))
    .keychain;
    assert_eq!(keychain[0].config["provider"], json!("gcp"));
    assert_eq!((keychain[1].name.as_str(), &keychain[1].config["credential"]), ("pg", &json!("pg_local")));
}

#[test]
fn the_first_generation_is_read() {
    let playbook = good(
        r#"
apiVersion: noetl.io/v1          # also workflow.noetl.io/v1
type: Playbook                   # `type`, not `kind`
metadata: { playbookName: fetch-and-notify }
spec:
  vars: { API: "http://127.0.0.1:9000", ZONE: "{{ input.ZONE }}" }
  timeout: 60
  schedule: "*/5 * * * *"        # optional
  initialSettings: { start: [fetch, {notify: {input: {text: hi}}}], state: ready }
  transitions: { INITIALIZED: [RUNNING, failed, TERMINATED], RUNNING: [SUSPENDED, COMPLETED, FAILED, TERMINATED] }
tasks:
  - taskName: fetch
    steps:
      - { stepName: get-time, plugin: "http-handler:0_1_0", method: GET, url: "{{ spec.vars.API }}/time" }
      - { stepName: check, type: shell, command: test, args: ["1", "=", "{{ get-time.output.exitCode }}"], exitCode: 0 }
      - { stepName: own, plugin: "registry/team/cleaner:2", command: ["x"] }
    switch:
      - { nextTask: [notify], condition: "{{ get-time.output.exitCode }} == 0", params: { ref: "{{ get-time.ref }}" } }
      - { nextTask: notify, condition: "{{ $.tasks.fetch.exitCode }} == 0 and {{ check.output.exitCode }} == 0" }
  - taskName: notify
    steps:
      - { stepName: send, plugin: "http-handler:0_1_0", method: POST, url: "{{ $.spec.vars.API }}/n", data: { text: "{{ tasks.fetch.steps.get-time.response }}" } }
"#,
    );
    assert_eq!((playbook.name.as_str(), playbook.dialect), ("fetch-and-notify", Dialect::First));
    assert_eq!(playbook.workload["ZONE"], json!("{{ payload.ZONE }}"));
    assert_eq!(playbook.transitions["INITIALIZED"], ["RUNNING", "FAILED", "TERMINATED"]);
    assert_eq!(
        playbook.entry.iter().map(|start| start.step.as_str()).collect::<Vec<_>>(),
        ["fetch", "notify"]
    );
    assert_eq!(playbook.entry[1].inputs["text"], json!("hi"));
    let fetch = playbook.step("fetch").expect("fetch");
    assert_eq!((fetch.join, fetch.pipeline, fetch.routes.mode), (Join::EachToken, true, RouteMode::All));
    let kinds: Vec<&str> = fetch.body.iter().map(|task| task.kind.as_str()).collect();
    assert_eq!(kinds, ["http", "shell", "container"]);
    assert_eq!(fetch.body[1].config["args"][2], json!("{{ (get-time.exit_code | default(0)) }}"));
    assert_eq!(fetch.body[2].config["image"], json!("registry/team/cleaner:2"));
    let when = |index: usize| fetch.routes.arcs[index].when.as_ref().expect("when").0.as_str();
    assert_eq!(when(0), "{{ (tasks.fetch.steps['get-time'].exit_code | default(0)) }} == 0");
    assert_eq!(
        when(1),
        "{{ (tasks.fetch.exit_code | default(0)) }} == 0 and {{ tasks.fetch.steps.check.output.exitCode }} == 0"
    );
    assert_eq!(fetch.routes.arcs[0].inputs["ref"], json!("{{ tasks.fetch.steps['get-time'].ref }}"));
    let send = &playbook.step("notify").expect("notify").body[0];
    assert_eq!(send.config["url"], json!("{{ spec.vars.API }}/n"));
    assert_eq!(send.config["data"], json!({"text": "{{ tasks.fetch.steps['get-time'].response }}"}));
}

#[test]
fn l0_is_read() {
    let playbook = good(
        r#"
version: "0.1.0"
path: demo/l0
workload: { city: Oslo }
workbook:
  - task: fetch           # also `name:`
    type: http
    method: GET
    endpoint: "http://127.0.0.1:9000/w"
workflow:
  - step: start
    next: [ { step: get } ]
  - step: get
    call: { name: fetch, type: workbook, with: { q: "{{ workload.city }}" } }
    next:
      - when: "{{ get.status == 'success' }}"
        then: [ { step: done, with: { body: "{{ get.data }}" } } ]
      - else: [ { step: end } ]
  - step: done
    pass: "{{ workload.steps.done | default(false) }}"
    run: [ { task: fetch, with: {} } ]
  - step: end
"#,
    );
    assert_eq!(
        (playbook.dialect, playbook.path.as_str(), playbook.name.as_str()),
        (Dialect::L0, "demo/l0", "l0")
    );
    let done = playbook.step("done").expect("done");
    assert_eq!(done.guard.as_ref().expect("a guard").0, "{{ not (workload.steps.done | default(false)) }}");
    assert_eq!(
        written(&playbook.step("get").expect("get").routes),
        "Chain: done{\"body\":\"{{ get.data }}\"}?{{ get.status == 'success' }} | end"
    );

    let looped = good(
        r#"
version: "0.1.0"
path: demo/loop
workload: { cities: [Oslo, Rome] }
workflow:
  - step: start
    next: each
  - step: each
    loop: { in: "{{ workload.cities }}", iterator: city, filter: "{{ city != 'Rome' }}" }
    next: [ { step: look, with: { name: "{{ city }}" } } ]
  - step: look
    type: python
    code: "def main(name): return {'hot': True}"
    next:
      - when: "{{ look.hot }}"
        then: [ { step: warn, with: { what: "{{ look }}" } } ]
      - else: [ { step: all_done } ]
  - step: warn
    type: python
    code: "def main(what): return what"
    next: all_done
  - step: all_done
    end_loop: each
    result: { n: "{{ each_results | length }}" }
    next: end
  - step: end
"#,
    );
    let names: Vec<&str> = looped.steps.iter().map(|step| step.name.as_str()).collect();
    assert_eq!(names, ["start", "each", "all_done", "end"]);
    let each = looped.step("each").expect("each");
    assert_eq!(each.body.iter().map(|task| task.name.as_str()).collect::<Vec<_>>(), ["look", "warn"]);
    assert_eq!(each.body[0].inputs["name"], json!("{{ city }}"));
    assert_eq!(each.body[0].rules.len(), 2);
    assert_eq!(written(&each.routes), "All: all_done=Ctx.each_results | ");

    let overridden = good(
        "version: '1'\npath: o\nworkload: {steps_override: [{step: b, with: {x: 1}}, a]}\nworkflow: [{step: start, next: a}, \
         {step: a, type: python, code: x, next: b}, {step: b, type: python, code: x}]",
    );
    assert_eq!(overridden.entry[0].step, "b");
    assert_eq!(written(&overridden.step("b").expect("b").routes), "All: a | ");
}

#[test]
fn the_end_is_implied_only_when_nothing_else_reaches_it() {
    let flow = |rest: &str| {
        good(&format!("apiVersion: noetl.io/v1\nkind: Playbook\nmetadata: {{name: t}}\nworkflow:\n{rest}"))
    };
    let implied = flow(
        "  - {step: start, next: [a, b]}\n  - {step: a, tool: noop}\n  - {step: b, tool: noop}\n  - {step: end}",
    );
    assert_eq!(written(&implied.step("a").expect("a").routes), "All: end | ");
    let reached = flow(
        "  - {step: start, next: [a, b]}\n  - {step: a, tool: noop}\n  - {step: b, tool: noop, next: end}\n  - {step: end}",
    );
    assert_eq!(written(&reached.step("a").expect("a").routes), "All:  | ");
    let absent = flow("  - {step: start, next: end}");
    assert!(absent.step("end").is_some_and(|end| end.body.is_empty()));
}

#[test]
fn a_step_takes_the_generation_of_its_constructs() {
    let playbook = good(
        "apiVersion: noetl.io/v2\nkind: Playbook\nmetadata: {name: t}\nworkflow:\n  - {step: start, tool: python, args: {x: 1}, \
         code: pass, next: c}\n  - {step: c, tool: {kind: python, code: x}, case: [{when: p, then: {next: e}}], next: [n]}\n  \
         - {step: e, tool: {kind: python, input: {}, code: x}, next: {arcs: [{step: n}]}}\n  - {step: n, tool: {kind: \
         noop}}\n",
    );
    let dialects: Vec<Dialect> = playbook.steps.iter().map(|step| step.dialect).collect();
    assert_eq!(dialects, [Dialect::B, Dialect::C, Dialect::E, Dialect::E]);
    assert_eq!(playbook.dialect, Dialect::E);
}

#[test]
fn retry_backoffs_keep_their_words() {
    let step = step(
        "tool: {kind: http, url: u, spec: {policy: {rules: [{when: p, then: {do: retry, backoff: linear}}]}}}",
    );
    let Directive::Retry { backoff, .. } = step.body[0].rules[0].directive else { panic!("no retry") };
    assert_eq!(backoff, Backoff::Linear);
}
