//! The tool over a real server.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use noetl_domain::Value;
use noetl_domain::playbook::Dialect;
use noetl_domain::result::ResultKind;
use serde_json::json;

use super::{Input, Postgres};
use crate::credential::Credential;
use crate::sample;
use crate::testing::{self, postgres};
use crate::tool::{Failure, Log, Output, TaskContext, Tool};

struct Bench {
    server: testing::Postgres,
    tool: Postgres,
    ctx: TaskContext,
}

impl Bench {
    fn new() -> Self {
        Self::with(&[])
    }

    fn with(settings: &[(&str, &str)]) -> Self {
        let server = testing::Postgres::start_with(settings).unwrap();
        let mut ctx = sample::context();
        let data = server.credential_data();
        ctx.credential = Some(Credential { name: "pg".into(), kind: "postgres".into(), data });
        Self { server, tool: Postgres::default(), ctx }
    }

    async fn run(&self, fields: Value) -> Result<Output, Failure> {
        run(&self.tool, fields, &self.ctx).await
    }

    async fn value(&self, fields: Value) -> Value {
        match self.run(fields).await {
            Ok(Output::Done { kind: ResultKind::Sql, value }) => value,
            other => panic!("{other:?}"),
        }
    }

    async fn rows(&self, sql: &str) -> Value {
        self.value(json!({ "query": sql })).await["rows"].clone()
    }

    /// Waits until a query on the server's own view of things gives true.
    async fn until(&self, sql: &str) {
        let started = Instant::now();
        while self.rows(sql).await[0]["done"] != json!(true) {
            assert!(started.elapsed() < Duration::from_secs(10), "never true: {sql}");
        }
    }
}

async fn run(tool: &Postgres, fields: Value, ctx: &TaskContext) -> Result<Output, Failure> {
    let input: Input = serde_json::from_value(fields).unwrap();
    Tool::run(tool, input, ctx).await
}

#[tokio::test]
async fn every_type_and_every_shape() {
    let bench = Bench::new();
    let cases = [
        ("1::int2", json!(1)),
        ("9007199254740993::int8", json!(9_007_199_254_740_993_i64)),
        ("true", json!(true)),
        ("15.8::numeric", json!(15.8)),
        ("0.1234567890123456789::numeric", json!("0.1234567890123456789")),
        ("1.5::float4", json!(1.5)),
        ("'NaN'::float8", json!("NaN")),
        ("null::int", json!(null)),
        ("''", json!("")),
        ("'2024-01-02 03:04:05.5'::timestamp", json!("2024-01-02T03:04:05.5")),
        ("'2024-01-02 03:04:05+02'::timestamptz at time zone 'UTC'", json!("2024-01-02T01:04:05")),
        ("'2024-01-02'::date", json!("2024-01-02")),
        ("'\\x01ff'::bytea", json!("Af8=")),
        ("'{\"a\": [1, null]}'::jsonb", json!({ "a": [1, null] })),
        ("'00000000-0000-0000-0000-000000000001'::uuid", json!("00000000-0000-0000-0000-000000000001")),
        ("array[1, null]", json!([1, null])),
        ("array[['a'], ['b,\"']]", json!([["a"], ["b,\""]])),
        ("'1 day 02:00'::interval", json!("1 day 02:00:00")),
        ("'10.0.0.1/8'::inet", json!("10.0.0.1/8")),
        ("'[1,3)'::int4range", json!("[1,3)")),
        ("row(1, 'a')", json!("(1,a)")),
        ("'happy'::mood", json!("happy")),
        ("array['happy']::mood[]", json!(["happy"])),
        ("5::positive", json!(5)),
    ];
    bench
        .value(json!({ "command": "create type mood as enum ('sad', 'happy'); create domain positive as int check (value > 0)" }))
        .await;
    let list: Vec<String> =
        cases.iter().enumerate().map(|(at, (sql, _))| format!("{sql} as c{at}")).collect();
    let row = bench.rows(&format!("select {}", list.join(", "))).await;
    for (at, (sql, expected)) in cases.iter().enumerate() {
        assert_eq!(&row[0][format!("c{at}")], expected, "{sql}");
    }

    let script = "create table t (id int primary key, doc jsonb); -- a comment; with a semicolon\n\
                  insert into t values (1, '{\"a;\": 1}'), (2, null);\n\
                  update t set doc = '[]' where id = 2 returning id, doc;\n\
                  with gone as (delete from t where id = 2 returning id) select id from gone;\n\
                  do $$ begin perform 1; end $$;";
    assert_eq!(
        bench.value(json!({ "command": script })).await,
        json!({
            "status": "ok", "rows": [{ "id": 2 }], "row_count": 1, "columns": ["id"], "affected_rows": 1,
            "command_0": { "status": "ok", "row_count": 0, "message": "CREATE" },
            "command_1": { "status": "ok", "row_count": 2, "message": "INSERT: 2 rows" },
            "command_2": { "status": "ok", "rows": [{ "id": 2, "doc": [] }], "row_count": 1, "columns": ["id", "doc"] },
            "command_3": { "status": "ok", "rows": [{ "id": 2 }], "row_count": 1, "columns": ["id"] },
            "command_4": { "status": "ok", "row_count": 0, "message": "DO" },
        })
    );
    assert_eq!(
        bench.value(json!({ "sql": "select id from t", "as_objects": false })).await["rows"],
        json!([[1]])
    );
    let empty = bench.value(json!({ "query": "select id from t where false" })).await;
    assert_eq!((&empty["rows"], &empty["columns"]), (&json!([]), &json!(["id"])));
    let packed = json!({ "command_b64": "c2VsZWN0IDEgYXMgeA==" });
    assert_eq!(bench.value(packed).await["rows"], json!([{ "x": 1 }]));
    let listed = json!({ "commands": ["select 1 as x; select 2 as x", "select 3 as x"] });
    assert_eq!(bench.value(listed).await["command_2"]["rows"], json!([{ "x": 3 }]));
}

#[tokio::test]
async fn params_schema_inline_fields_and_notices() {
    let mut bench = Bench::new();
    bench.value(json!({ "command": "create schema \"Mine\"; create table \"Mine\".t (id int, tags text[], doc jsonb, at timestamptz)" })).await;
    let insert = json!({
        "command": "insert into t values ($1, $2, $3, $4) returning id, tags, doc, '$1' as text",
        "params": ["7", ["a", "it's"], { "k": "it's \\" }, null], "schema": "\"Mine\"",
    });
    assert_eq!(
        bench.value(insert).await["rows"],
        json!([{ "id": 7, "tags": ["a", "it's"], "doc": { "k": "it's \\" }, "text": "$1" }])
    );
    let named = json!({ "query": "select :a::int + 1 as x, ':a' as y", "params": { "a": 4 } });
    assert_eq!(bench.value(named).await["rows"], json!([{ "x": 5, "y": ":a" }]));
    let few = bench.run(json!({ "query": "select $2::int", "params": [1] })).await.unwrap_err();
    assert!(
        few.error.message.contains("$2") && few.error.message.contains("1 values"),
        "{}",
        few.error.message
    );

    // What one task sets does not reach the next, which may well use the same connection.
    bench.value(json!({ "command": "set datestyle to 'SQL, DMY'; set search_path to nowhere; create temp table leftover (x int)" })).await;
    for _ in 0..20 {
        let row =
            bench.rows("select current_date::timestamp::text as day, to_regclass('leftover') as t").await;
        assert!(row[0]["day"].as_str().unwrap().contains('-') && row[0]["t"].is_null(), "{row}");
    }

    let lines = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&lines);
    bench.ctx.log =
        Log::new(move |stream, level, text| heard.lock().unwrap().push(format!("{stream} {level} {text}")));
    bench.rows("select 1").await;
    bench.value(json!({ "command": "do $$ begin raise notice 'heard'; raise warning 'loud'; end $$" })).await;
    assert_eq!(*lines.lock().unwrap(), ["postgres info NOTICE: heard", "postgres warn WARNING: loud"]);

    bench.ctx.credential = None;
    let server = &bench.server;
    let inline = json!({ "query": "select 1 as x", "db_host": server.host, "db_port": server.port, "db_user": server.user,
        "db_password": server.password, "db_name": server.database, "sslmode": "disable" });
    assert_eq!(bench.value(inline).await["row_count"], 1);
    assert_eq!(bench.value(json!({ "query": "select 1 as x", "dsn": server.url() })).await["row_count"], 1);
}

#[tokio::test]
async fn an_answer_too_large_to_keep_is_refused() {
    let bench = Bench::new();
    let endless = json!({ "query": "select repeat('x', 1000000) as x from generate_series(1, 1000000)" });
    let error = bench.run(endless).await.unwrap_err().error;
    assert_eq!(error.code.as_deref(), Some("TL007"), "{error:?}");
    bench.until("select count(*) = 0 as done from pg_stat_activity where query like '%repeat(%' and state = 'active' and pid <> pg_backend_pid()").await;
}

#[test]
fn the_schema_knows_every_spelling() {
    let schema = schemars::schema_for!(Input).to_value();
    for field in ["command", "statements", "host", "db_host", "username", "dsn", "timeout_seconds", "params"]
    {
        assert!(schema["properties"][field]["description"].is_string(), "{field} in {schema:#}");
    }
}

#[tokio::test]
async fn errors_say_where_why_and_whether_again() {
    let mut bench = Bench::new();
    bench.value(json!({ "command": "create table t (id int primary key)" })).await;

    // From C on a script is one transaction; up to B each statement stands alone and the others go on.
    let script = json!({ "command": "insert into t values (1); insert into nowhere values (1); insert into t values (2)" });
    let failure = bench.run(script.clone()).await.unwrap_err();
    assert_eq!((failure.error.kind.as_str(), failure.error.code.as_deref()), ("postgres", Some("42P01")));
    assert!(failure.error.message.contains("statement 2") && failure.error.message.contains("\"nowhere\""));
    assert_eq!(failure.value["command_1"]["status"], "error");
    assert!(failure.value.get("command_2").is_none());
    assert_eq!(bench.rows("select * from t").await, json!([]));
    bench.ctx.dialect = Dialect::B;
    let failure = bench.run(script).await.unwrap_err();
    assert_eq!(failure.error.code.as_deref(), Some("42P01"));
    assert_eq!(failure.value["command_2"]["row_count"], 1);
    assert_eq!(bench.rows("select * from t order by 1").await, json!([{ "id": 1 }, { "id": 2 }]));
    bench.ctx.dialect = Dialect::E;

    let duplicate = bench.run(json!({ "command": "insert into t values (1)" })).await.unwrap_err().error;
    assert_eq!((duplicate.code.as_deref(), duplicate.retryable), (Some("23505"), false));
    assert_eq!(duplicate.details["constraint"], "t_pkey");
    let busy = "do $$ begin raise exception using errcode = '40001'; end $$";
    assert!(bench.run(json!({ "command": busy })).await.unwrap_err().error.retryable);
    let call = "create procedure p() language plpgsql as $$ begin insert into t values (5); commit; end $$; call p(); select 1 as x";
    assert_eq!(bench.value(json!({ "command": call })).await["rows"], json!([{ "x": 1 }]));

    let place = format!("127.0.0.1:{}/postgres", bench.server.port);
    let wrong = bench.run(json!({ "query": "select 1", "db_password": "wrong" })).await.unwrap_err().error;
    assert_eq!((wrong.kind.as_str(), wrong.retryable), ("auth", false));
    assert!(wrong.message.contains(&place), "{}", wrong.message);
    let missing = bench.run(json!({ "query": "select 1", "db_name": "none" })).await.unwrap_err().error;
    assert_eq!((missing.code.as_deref(), missing.retryable), (Some("3D000"), false));
    let closed = bench.run(json!({ "query": "select 1", "db_port": 1 })).await.unwrap_err().error;
    assert_eq!(
        (closed.kind.as_str(), closed.code.as_deref(), closed.retryable),
        ("connection", Some("TL008"), true)
    );
    assert!(
        closed.message.contains("127.0.0.1:1/postgres") && closed.message.contains("refused"),
        "{}",
        closed.message
    );
    let killed = bench
        .run(json!({ "query": "select pg_terminate_backend(pg_backend_pid())" }))
        .await
        .unwrap_err()
        .error;
    assert!(killed.retryable, "{killed:?}");
    assert_eq!(bench.rows("select 1 as x").await, json!([{ "x": 1 }]), "a lost connection is replaced");
}

#[tokio::test]
async fn timeouts_cancels_and_drops_end_the_statement_on_the_server() {
    let bench = Bench::new();
    let idle = "select count(*) = 0 as done from pg_stat_activity where query like '%pg_sleep(100)%' and state = 'active' and pid <> pg_backend_pid()";
    let running = idle.replace("= 0", "= 1");
    let slow = json!({ "query": "select pg_sleep(100)" });

    let mut timed = slow.clone();
    timed["timeout"] = json!("300ms");
    let error = bench.run(timed).await.unwrap_err().error;
    assert_eq!((error.kind.as_str(), error.retryable), ("timeout", true));
    bench.until(idle).await;

    let mut cancelled = bench.ctx.clone();
    cancelled.cancel = tokio_util::sync::CancellationToken::new();
    let (outcome, ()) = tokio::join!(run(&bench.tool, slow.clone(), &cancelled), async {
        bench.until(&running).await;
        cancelled.cancel.cancel();
    });
    assert_eq!(outcome.unwrap_err().error.kind, "cancelled");
    bench.until(idle).await;

    {
        let dropped = run(&bench.tool, slow, &bench.ctx);
        tokio::pin!(dropped);
        tokio::select! {
            _ = &mut dropped => panic!("it sleeps for 100 s"),
            () = bench.until(&running) => {}
        }
    }
    bench.until(idle).await;
}

#[tokio::test]
async fn connections_are_shared_and_bounded() {
    let bench = Bench::with(&[("max_connections", "20")]);
    let calls = (0..60).map(|_| bench.rows("select pg_backend_pid() as pid"));
    let pids: std::collections::HashSet<String> =
        futures::future::join_all(calls).await.iter().map(|rows| rows[0]["pid"].to_string()).collect();
    assert!(pids.len() <= 10, "{} connections", pids.len());

    let started = Instant::now();
    for _ in 0..200 {
        bench.rows("select 1 as x").await;
    }
    eprintln!("postgres: warm call {:?}", started.elapsed() / 200);
}

#[tokio::test]
async fn encryption_as_sslmode_says() {
    let folder = tempfile::tempdir().unwrap();
    let (key, certificate) = (folder.path().join("key.pem"), folder.path().join("cert.pem"));
    let made = std::process::Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "30",
        ])
        .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE", "-keyout"])
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output();
    if !made.as_ref().is_ok_and(|made| made.status.success()) {
        eprintln!("not tested: openssl makes no certificate here: {made:?}");
        return;
    }
    let authority = certificate.display().to_string();
    let served = folder.path().join("served.pem");
    std::fs::copy(&certificate, &served).unwrap();
    std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    postgres::hand_over(&key).unwrap();
    postgres::hand_over(&served).unwrap();
    let settings = [
        ("ssl", "on"),
        ("ssl_key_file", &key.display().to_string()),
        ("ssl_cert_file", &served.display().to_string()),
    ];
    let bench = Bench::with(&settings);
    let ssl = "select ssl from pg_stat_ssl where pid = pg_backend_pid()";
    for (mode, encrypted) in [("disable", false), ("prefer", true), ("require", true)] {
        let value = bench.value(json!({ "query": ssl, "sslmode": mode })).await;
        assert_eq!(value["rows"][0]["ssl"], json!(encrypted), "{mode}");
    }
    let verified = json!({ "query": ssl, "sslmode": "verify-full", "sslrootcert": authority });
    assert_eq!(bench.value(verified).await["rows"][0]["ssl"], true);
    let unknown = bench.run(json!({ "query": ssl, "sslmode": "verify-full" })).await.unwrap_err().error;
    assert_eq!(unknown.kind, "connection");
    assert!(unknown.message.contains("certificate"), "{}", unknown.message);

    let plain = Bench::new();
    let error = plain.run(json!({ "query": ssl, "sslmode": "require" })).await.unwrap_err().error;
    assert!(error.message.contains("TLS"), "{}", error.message);
    assert_eq!(plain.value(json!({ "query": ssl, "sslmode": "prefer" })).await["rows"][0]["ssl"], false);
}
