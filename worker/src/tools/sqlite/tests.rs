//! The tool over real files.

use noetl_domain::Value;
use noetl_domain::playbook::Dialect;
use serde_json::json;

use super::{Input, Sqlite};
use crate::sample;
use crate::tool::{Failure, Output, TaskContext, Tool};

async fn run(fields: Value, ctx: &TaskContext) -> Result<Output, Failure> {
    let input: Input = serde_json::from_value(fields).unwrap();
    Tool::run(&Sqlite, input, ctx).await
}

async fn value(fields: Value, ctx: &TaskContext) -> Value {
    match run(fields, ctx).await {
        Ok(Output::Done { value, .. }) => value,
        other => panic!("{other:?}"),
    }
}

fn context(folder: &std::path::Path) -> TaskContext {
    TaskContext { work_dir: folder.to_owned(), scratch_dir: folder.join("scratch"), ..sample::context() }
}

#[tokio::test]
async fn shapes_types_params_and_files() {
    let folder = tempfile::tempdir().unwrap();
    let ctx = context(folder.path());
    let script = "create table t (id integer primary key, name text, score real, done boolean, raw blob);\n\
                  create table log (n); create trigger g after insert on t begin insert into log values (new.id); end;\n\
                  insert into t values (1, 'a;b', 1.5, 1, x'01ff'), (2, null, 2, 0, null);\n\
                  select * from t order by id";
    let all = value(json!({ "command": script }), &ctx).await;
    assert_eq!(
        all["rows"],
        json!([
            { "id": 1, "name": "a;b", "score": 1.5, "done": true, "raw": "Af8=" },
            { "id": 2, "name": null, "score": 2.0, "done": false, "raw": null },
        ])
    );
    assert_eq!(all["command_3"], json!({ "status": "ok", "row_count": 2, "message": "INSERT: 2 rows" }));
    assert_eq!(all["command_0"]["row_count"], 0);
    // The next step of the execution sees the tables; another file does not.
    assert_eq!(
        value(json!({ "query": "select count(*) as n from log" }), &ctx).await["rows"],
        json!([{ "n": 2 }])
    );
    assert!(run(json!({ "query": "select * from t", "database": ":memory:" }), &ctx).await.is_err());
    let own = json!({ "command": "create table own (x); insert into own values (1) returning x + 1 as y", "db_path": "own.db" });
    assert_eq!(value(own, &ctx).await["rows"], json!([{ "y": 2 }]));
    assert!(folder.path().join("own.db").exists());

    for (query, params) in [
        ("select ? + ? as x, ? as y", json!([1, 2, "it's"])),
        ("select $1 + $2 as x, $3 as y", json!([1, 2, "it's"])),
        ("select :a + :b as x, :c as y", json!({ "a": 1, "b": 2, "c": "it's" })),
    ] {
        let rows = value(json!({ "query": query, "params": params }), &ctx).await["rows"].clone();
        assert_eq!(rows, json!([{ "x": 3, "y": "it's" }]), "{query}");
    }
    let empty = value(json!({ "query": "select id from t where 0", "as_objects": false }), &ctx).await;
    assert_eq!((&empty["rows"], &empty["columns"]), (&json!([]), &json!(["id"])));
}

#[tokio::test]
async fn errors_transactions_and_stops() {
    let folder = tempfile::tempdir().unwrap();
    let mut ctx = context(folder.path());
    value(json!({ "command": "create table t (id integer primary key)" }), &ctx).await;
    let script = json!({ "command": "insert into t values (1); insert into nowhere values (1); insert into t values (2)" });
    let failure = run(script.clone(), &ctx).await.unwrap_err();
    assert_eq!((failure.error.kind.as_str(), failure.error.source.as_str()), ("sqlite", "sqlite"));
    assert!(
        failure.error.message.contains("statement 2: no such table: nowhere"),
        "{}",
        failure.error.message
    );
    assert_eq!(value(json!({ "query": "select * from t" }), &ctx).await["rows"], json!([]));
    ctx.dialect = Dialect::B;
    let failure = run(script, &ctx).await.unwrap_err();
    assert_eq!(failure.value["command_2"]["row_count"], 1);
    assert_eq!(
        value(json!({ "query": "select count(*) as n from t" }), &ctx).await["rows"],
        json!([{ "n": 2 }])
    );
    ctx.dialect = Dialect::E;

    let nowhere =
        run(json!({ "query": "select 1", "database": "no/such/folder.db" }), &ctx).await.unwrap_err().error;
    assert!(
        nowhere.message.contains("no/such/folder.db") && nowhere.kind == "connection",
        "{}",
        nowhere.message
    );

    let endless =
        "with recursive n(x) as (select 1 union all select x + 1 from n) select count(*) as x from n";
    let error = run(json!({ "query": endless, "timeout": "200ms" }), &ctx).await.unwrap_err().error;
    assert_eq!((error.kind.as_str(), error.retryable), ("timeout", true));

    // Writers of one file wait for each other.
    let writers = (0..20)
        .map(|n| run(json!({ "command": "insert into t values ($1); select 1", "params": [n + 10] }), &ctx));
    for outcome in futures::future::join_all(writers).await {
        assert!(outcome.is_ok(), "{outcome:?}");
    }
}
