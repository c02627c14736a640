//! The same things in every generation come out the same.

use super::*;
use crate::playbook::{Dialect, LoopSource, RouteMode};
use serde_json::json;

#[test]
fn the_example_of_section_two_is_read() {
    let playbook = good(
        r#"
apiVersion: noetl.io/v2
kind: Playbook
metadata: { name: price_watch, path: demo/price_watch }
workload:
  base: "http://127.0.0.1:9000"
  limit: 25
workflow:
  - step: start
    tool: { kind: http, method: GET, url: "{{ workload.base }}/prices", params: { n: "{{ limit }}" } }
    set: { ctx.seen: "{{ output.data.items | length }}" }
    next:
      spec: { mode: exclusive }
      arcs:
        - { step: alert, when: "{{ ctx.seen > 10 }}" }
        - { step: end }
  - step: alert
    tool: { kind: python, input: { n: "{{ ctx.seen }}" }, code: "result = {'many': int(n)}" }
    next: { arcs: [ { step: end } ] }
  - step: end
"#,
    );
    assert_eq!(playbook.dialect, Dialect::E);
    assert_eq!(playbook.entry[0].step, "start");
    let start = playbook.step("start").expect("start");
    assert_eq!(start.routes.mode, RouteMode::First);
    assert_eq!(start.routes.arcs[0].when.as_ref().expect("when").0, "{{ ctx.seen > 10 }}");
    assert_eq!(start.body[0].config["params"], json!({"n": "{{ limit }}"}));
    assert_eq!(start.sets[0].key, "seen");
    let alert = playbook.step("alert").expect("alert");
    assert_eq!(alert.inputs["n"], json!("{{ ctx.seen }}"));
    assert_eq!(alert.dialect, Dialect::E);
}

#[test]
fn dialect_b_is_read() {
    let playbook = good(
        r#"
apiVersion: noetl.io/v1
kind: Playbook
metadata: { name: b, path: demo/b }
workload: { pg_auth: pg, rows: [] }
workflow:
  - step: start
    next: [ { step: load } ]
  - step: load
    tool: postgres
    auth: "{{ workload.pg_auth }}"
    command: |
      CREATE TABLE IF NOT EXISTS t(id int, v text);
    retry: { max_attempts: 3, initial_delay: 0.5, backoff_multiplier: 2, retry_when: "{{ error != None }}" }
    next:
      - step: each
  - step: each
    tool: iterator
    collection: "{{ workload.rows }}"
    element: row
    mode: async
    concurrency: 4
    task:
      tool: python
      args: { r: "{{ row }}" }
      code: |
        def main(r):
            return {"id": r["id"], "twice": r["v"] * 2}
      save:
        storage: postgres
        auth: "{{ workload.pg_auth }}"
        table: out
        mode: upsert
        key: id
        args: { id: "{{ this.data.id }}", v: "{{ this.data.twice }}" }
    next: [ { step: end } ]
  - step: end
"#,
    );
    assert_eq!(playbook.dialect, Dialect::B);
    let each = playbook.step("each").expect("each");
    let looped = each.looped.as_ref().expect("a loop");
    assert_eq!(looped.source, LoopSource::In(json!("{{ workload.rows }}")));
    assert_eq!(looped.iterator, "row");
    assert_eq!(looped.max_in_flight, Some(json!(4)));
    assert_eq!(each.body[0].saves[0].backend, "postgres");
    assert_eq!(each.body[0].saves[0].config["key"], json!("id"));
    let load = playbook.step("load").expect("load");
    assert_eq!(load.body[0].retry[0].initial_delay_seconds, json!(0.5));
    assert_eq!(load.body[0].auth, Some(json!("{{ workload.pg_auth }}")));
}

#[test]
fn dialect_c_is_read() {
    let playbook = good(
        r#"
apiVersion: noetl.io/v2
kind: Playbook
metadata: { name: two_pages, path: demo/two_pages }
workload: { api: "http://127.0.0.1:5555" }
workbook:
  - name: tag
    tool:
      kind: python
      args: { n: null }
      code: "result = {'label': 'big' if int(n) > 20 else 'small'}"
workflow:
  - step: start
    next: [ { step: pull } ]
  - step: pull
    tool: { kind: http, method: GET, url: "{{ workload.api }}/api/v1/assessments", params: { page: 1, pageSize: 10 } }
    loop:
      pagination:
        type: response_based
        continue_while: "{{ response.data.paging.hasMore }}"
        next_page: { params: { page: "{{ (response.data.paging.page | int) + 1 }}" } }
        merge_strategy: append
        merge_path: data.data
        max_iterations: 10
    vars: { total: "{{ result | length }}" }
    next: [ { step: tag_it } ]
  - step: tag_it
    tool: { kind: workbook, name: tag, args: { n: "{{ vars.total }}" } }
    next:
      - when: "{{ result.label == 'big' }}"
        then: [ { step: end, args: { note: "many" } } ]
      - else: [ { step: end } ]
  - step: end
"#,
    );
    assert_eq!(playbook.dialect, Dialect::C);
    let pull = playbook.step("pull").expect("pull");
    assert_eq!(pull.looped, None);
    let repeat = pull.body[0].repeat.as_ref().expect("pages");
    assert_eq!(repeat.max_pages, json!(10));
    assert_eq!(repeat.path.as_deref(), Some("data.data"));
    let tag = playbook.step("tag_it").expect("tag_it");
    assert_eq!(tag.body[0].kind, "python");
    assert_eq!(tag.inputs["n"], json!("{{ vars.total }}"));
    assert_eq!(tag.routes.mode, RouteMode::Chain);
    assert_eq!(tag.routes.arcs[0].inputs["note"], json!("many"));
    assert_eq!(tag.routes.otherwise[0].to, "end");
}

#[test]
fn a_file_of_two_generations_is_called_by_the_newer_one() {
    let head = "kind: Playbook\nmetadata: {name: m, path: m}\nworkbook: [{task: w, type: noop}]\nworkflow:\n";
    let old = "  - {step: start, call: {name: w, type: workbook}, next: b}\n";
    let newer = "  - {step: b, type: python, code: 'result = 1'}\n";
    let of = |text: &str| good(&format!("{head}{text}"));
    let mixed = of(&format!("{old}{newer}"));
    assert_eq!(mixed.dialect, Dialect::A);
    let steps: Vec<Dialect> = mixed.steps.iter().map(|step| step.dialect).collect();
    assert_eq!(steps, [Dialect::L0, Dialect::A]);
    assert_eq!(of("  - {step: start, call: {name: w, type: workbook}}\n").dialect, Dialect::L0);
    assert_eq!(of("  - {step: start, run: [{name: w, type: noop}], pass: 'false'}\n").dialect, Dialect::L0);
    assert_eq!(read(&canonical(&mixed)).playbook.map(|read| read.dialect), Some(Dialect::A));
}

#[test]
fn loops_inside_loops_are_kept_in_every_generation() {
    let inner = |playbook: &Playbook| {
        let step = playbook.step("each").expect("each");
        let nested = step.body[0].nested.as_ref().expect("an inner loop");
        let looped = |step: &crate::playbook::Step| step.looped.as_ref().expect("a loop").iterator.clone();
        (looped(step), looped(nested), nested.body[0].kind.clone())
    };
    let head = "kind: Playbook\nmetadata: {name: m, path: m}\nworkload: {rows: [[1]]}\nworkflow:\n";
    for step in [
        "  - {step: each, type: iterator, collection: '{{ rows }}', element: row, task: {type: iterator, collection: '{{ row }}', element: cell, task: {type: python, code: pass, data: {a: '{{ cell }}'}}}}",
        "  - {step: each, tool: iterator, collection: '{{ rows }}', element: row, args: {k: 1}, task: {tool: iterator, collection: '{{ row }}', element: cell, concurrency: 4, mode: async, task: {tool: python, code: pass}}}",
        "  - {step: each, loop: {in: '{{ rows }}', iterator: row}, tool: {kind: iterator, in: '{{ row }}', iterator: cell, where: '{{ cell > 0 }}', task: {tool: {kind: python, code: pass}}}}",
        "  - {step: each, loop: {in: '{{ rows }}', iterator: row}, tool: [{name: t, kind: iterator, in: '{{ row }}', iterator: cell, save: {storage: event_log}, spec: {policy: {rules: [{else: {then: {do: continue}}}]}}, task: [{name: a, kind: python, code: pass}]}]}",
    ] {
        let playbook = good(&format!("{head}{step}\n"));
        assert_eq!(inner(&playbook), ("row".to_owned(), "cell".to_owned(), "python".to_owned()), "{step}");
        let again = read(&canonical(&playbook));
        assert_eq!(
            again.playbook.as_ref(),
            Some(&playbook),
            "{:?}\n{}",
            again.findings,
            canonical(&playbook)
        );
    }
    let refused = "  - {step: each, tool: iterator, collection: '{{ rows }}', element: row, task: {tool: iterator, collection: '{{ row }}', element: cell, task: {tool: playbook, path: a/b}}}";
    let codes: Vec<_> =
        read(&format!("{head}{refused}\n")).findings.iter().map(|finding| finding.code.as_str()).collect();
    assert_eq!(codes, ["PB009"]);
}
