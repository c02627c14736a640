use super::*;

#[test]
fn results_answer_every_generation() {
    check_all(
        &scope(),
        &[
            ("{{ plain.status }}", json!("success")),
            ("{{ plain.data.x + plain.x + plain.result.data.x }}", json!(15)),
            ("{{ bare.data.label ~ bare.result.label ~ bare.label }}", json!("bigbigbig")),
            ("{{ bare.status == 'ok' }}", json!(true)),
            ("{{ bare.status == 'success' }}", json!(true)),
            ("{{ bare.status in ['COMPLETED'] }}", json!(true)),
            ("{{ bare.status | lower != 'completed' }}", json!(false)),
            ("{{ failed.status == 'FAILED' and failed.error.kind == 'auth' }}", json!(true)),
            ("{{ 'ok' if bare.status == 'success' else 'bad' }}", json!("ok")),
            ("{{ number }}", json!(7)),
            ("{{ number + 1 }}", json!(8)),
            ("{{ number.data }}", json!(7)),
            ("{{ number.result == 7 or number.status == 'error' }}", json!(true)),
            ("{{ list.data | length + list[0] }}", json!(4)),
            ("{{ fetch.status_code }}", json!(200)),
            ("{{ fetch.paging.page + fetch.data.paging.page + fetch.body.paging.page }}", json!(6)),
            ("{{ fetch.data.data[0].id }}", json!(1)),
            ("{{ fetch.response.users }}", json!(["a", "b"])),
            ("{{ query.rows[1].n + query[1].n + query.command_0.rows[1]['n'] + query.data[1].n }}", json!(8)),
            ("{{ query | length }}", json!(2)),
            ("{{ query.result[0].n }}", json!(1)),
            ("{% for row in query %}{{ row.n }},{% endfor %}", json!("1,2,")),
            ("{{ query.row_count }}", json!(2)),
            ("{{ query.data.command_0.row_count }}", json!(2)),
            ("{{ query | map(attribute='n') | list }}", json!([1, 2])),
            ("{{ each[0].id + each.results[1].id + each.data[1].id + each.result[0].id }}", json!(6)),
            ("{{ each.stats.success + each.count + each | length }}", json!(6)),
            ("{{ each | map(attribute='id') | list }}", json!([1, 2])),
            ("{{ rounds[1].y + rounds.results[0].x + rounds.data[1].a.x }}", json!(8)),
            ("{{ rounds.results | map(attribute='y') | list }}", json!([2, 4])),
            ("{{ rounds[0] }}", json!({"a": {"x": 1}, "b": {"y": 2}, "x": 1, "y": 2})),
            (
                "{{ rounds.results }}",
                json!([
                    {"a": {"x": 1}, "b": {"y": 2}, "x": 1, "y": 2},
                    {"a": {"x": 3}, "b": {"y": 4}, "x": 3, "y": 4},
                ]),
            ),
            ("{{ wrapped[0].x + wrapped.results[0].x + wrapped.data[0].data.x }}", json!(24)),
            ("{{ wrapped.results | map(attribute='x') | list }}", json!([8])),
            ("{{ wrapped.results }}", json!([{"status": "success", "data": {"x": 8}}])),
            (
                "{{ 'no' in failed.error and 'yes' not in failed.error and 'kind' in failed.error }}",
                json!(true),
            ),
            ("why: {{ failed.error }}", json!("why: no")),
            ("{{ failed.error.nothing | default('x') }}", json!("x")),
            (
                "{{ 'abcdefghijklmno' | truncate(6, true) }}/{{ 'one two three four' | truncate(9) }}",
                json!("abc.../one..."),
            ),
            ("{{ 'abcdefgh' | truncate(6) }}", json!("abcdefgh")),
            ("{{ {'a b': 1} | urlencode }}", json!("a%20b=1")),
            ("{{ pipe.call.data.paging.page }}", json!(2)),
            ("{{ pipe.results.last.x + pipe._prev.x + pipe.x }}", json!(3)),
            ("{{ pipe.kept and pipe.status_code == 200 }}", json!(true)),
            ("{{ get-price.price + get_price.price + steps['get-price'].price }}", json!(27)),
            ("{{ get-time.output.exitCode }}", json!(0)),
            ("{{ tasks.pipe.steps.get-time.stdout }}", json!("now")),
            ("{{ api-url }}/x", json!("http://x/x")),
            ("{{ shared }}", json!("ctx")),
            ("{{ name ~ input.name ~ args.name ~ data.name }}", json!("inputinputinputinput")),
            ("{{ input.ZONE }}", json!("eu")),
            ("{{ execution_id }}", json!("123456789012345678")),
            ("{{ job.uuid }}", json!("123456789012345678")),
            ("{{ vars.seen + ctx.seen + seen }}", json!(36)),
            ("{{ version }}{{ path }}", json!("3demo/x")),
        ],
    );
}

#[test]
fn outcomes_events_and_iterations_are_visible() {
    let mut scope = scope().child();
    outcome_view("ok", http(), None).bind(&mut scope);
    scope.bind("event", event_view(&["call.done", "step.done", "step.exit"], "fetch", View::null(), 0));
    bind_iteration(&mut scope, "user", &json!({"id": 4}), 1, Some(2));
    bind_result_index(&mut scope, "fetch", 1);
    scope.set(SetScope::Iter, "page", &json!(3));
    scope.set(SetScope::Ctx, "seen", &json!(99));
    check_all(
        &scope,
        &[
            ("{{ output.status == 'ok' }}", json!(true)),
            ("{{ output.status == 'success' }}", json!(true)),
            ("{{ output.status == 'error' }}", json!(false)),
            ("{{ output.status }}", json!("ok")),
            ("{{ output.data.paging.page + output.data.data.paging.page + output.paging.page }}", json!(6)),
            ("{{ output.http.status }}", json!(200)),
            ("{{ output.error }}", json!(null)),
            ("{{ outcome.result.data.users }}", json!(["a", "b"])),
            ("{{ response.data.data[0].id + response.paging.page }}", json!(3)),
            ("{{ result.users | length }}", json!(2)),
            ("{{ this.status ~ this.data.status_code }}", json!("success200")),
            ("{{ error is none }}", json!(true)),
            ("{{ event.name == 'step.failed' or event.name in ('step.done', 'x') }}", json!(true)),
            ("{{ event.name == 'step.failed' }}", json!(false)),
            ("{{ event.name }}", json!("call.done")),
            ("{{ user.id + iter.user.id + iter.item.id + value.id + ctx.user.id }}", json!(20)),
            (
                "{{ iter._index }}{{ iter.index }}{{ _total }}{{ _loop.count }}{{ loop.last }}",
                json!("1122true"),
            ),
            ("{{ fetch.result_index ~ ':' ~ fetch.status_code }}", json!("1:200")),
            ("{{ iter.page }}", json!(3)),
            ("{{ ctx.seen + seen + vars.seen }}", json!(297)),
            ("{{ iter.page is defined and iter._first }}", json!(false)),
        ],
    );
    let error = TaskError { status_code: Some(429), ..TaskError::new("rate_limit", "slow down") };
    outcome_view("error", http(), Some(&error)).bind_retry(&mut scope, 2, 5);
    check_all(
        &scope,
        &[
            ("{{ output.status == 'error' and output.error.kind == 'rate_limit' }}", json!(true)),
            ("{{ output.http.status in [429, 503] }}", json!(false)),
            ("failed: {{ error }}", json!("failed: slow down")),
            (
                "{{ error.status == 429 and error != None and not success and attempt < max_attempts }}",
                json!(true),
            ),
        ],
    );
}

#[test]
fn references_are_named_then_provided() {
    let reference = ResultRef {
        kind: RefKind::ResultRef,
        uri: "noetl://execution/1/result/big/abc".into(),
        key: "k".into(),
        bytes: 1,
        sha256: "abc".into(),
        content_type: "application/json".into(),
        preview: json!({"rows": "…"}),
        extracted: json!({"total": 3}),
    };
    let big = StepResult { value: Stored::Ref(reference.clone()), ..StepResult::default() };
    let mut data = ScopeData::default();
    data.steps.insert("big".into(), Arc::new(big));
    data.ctx.insert("kept".into(), serde_json::to_value(&reference).unwrap());
    let mut scope = Scope::new(Ambient::default());
    bind_scope(&mut scope, &data, &Map::new());
    check_all(
        &scope,
        &[
            ("{{ big.total }}", json!(3)),
            ("{{ big.data.total }}", json!(3)),
            ("{{ big._preview.rows }}", json!("…")),
            ("{{ big._ref.ref }}", json!("noetl://execution/1/result/big/abc")),
        ],
    );
    assert!(scope.missing().is_empty());
    assert_eq!(render_str("{{ big.rows[1100][0] }}", &scope).unwrap(), json!(null));
    assert_eq!(scope.missing(), std::slice::from_ref(&reference));
    let rows: Vec<Json> = (0..1200).map(|n| json!([n])).collect();
    scope.provide(&reference, Arc::new(json!({"rows": rows})));
    assert!(scope.missing().is_empty());
    assert_eq!(render_str("{{ big.rows[1100][0] + ctx.kept.rows[1][0] }}", &scope).unwrap(), json!(1101));
}
