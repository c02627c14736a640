//! `POST /api/postgres/execute` against a real PostgreSQL (playbooks.md section 17).

use serde_json::{Value, json};

use crate::app::{App, Options};
use crate::postgres::Database;

const EXECUTE: &str = "POST /api/postgres/execute";

/// A server that knows the database as `pg_local`.
async fn app_with(database: &Database) -> App {
    let app = App::start().await;
    app.credential(&database.credential("pg_local")).await;
    app
}

/// The answer to a query with the credential.
async fn ask(app: &App, fields: Value) -> (u16, Value) {
    let mut body = fields;
    body["credential"] = "pg_local".into();
    app.ask(EXECUTE, Some(&body)).await
}

async fn answer(app: &App, fields: Value) -> Value {
    let (status, body) = ask(app, fields.clone()).await;
    assert_eq!(status, 200, "{fields}: {body}\n{}", app.log());
    assert_eq!(body["status"], "ok", "{fields}: {body}");
    body
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_named_credential_reads_and_writes() {
    let database = Database::start().await;
    let app = app_with(&database).await;
    let made = answer(&app, json!({"query": "CREATE TABLE people (id int PRIMARY KEY, name text)"})).await;
    assert_eq!(made["result"], json!([]));
    let insert =
        json!({"query": "INSERT INTO people VALUES ($1, $2), (2, 'Grace')", "parameters": [1, "A'da"]});
    assert_eq!(answer(&app, insert).await["affected_rows"], 2);
    assert_eq!(
        database.rows("SELECT * FROM people ORDER BY id").await.unwrap(),
        json!([{"id": 1, "name": "A'da"}, {"id": 2, "name": "Grace"}])
    );

    let select = "SELECT id, name FROM people WHERE id >= $1 ORDER BY id";
    let rows = answer(&app, json!({"query": select, "parameters": [1]})).await;
    assert_eq!(rows["result"], json!([{"id": 1, "name": "A'da"}, {"id": 2, "name": "Grace"}]));
    assert_eq!((&rows["columns"], &rows["row_count"]), (&json!(["id", "name"]), &json!(2)));
    let lists = answer(&app, json!({"query": select, "parameters": [2], "as_objects": false})).await;
    assert_eq!(lists["result"], json!([[2, "Grace"]]));
    // SELECT 'ü' AS letter
    let packed = answer(&app, json!({"query_base64": "U0VMRUNUICfDvCcgQVMgbGV0dGVy"})).await;
    assert_eq!(packed["result"], json!([{"letter": "ü"}]));

    answer(&app, json!({"query": "CREATE SCHEMA other; CREATE TABLE other.places (town text); INSERT INTO other.places VALUES ('Bonn')"})).await;
    for key in ["schema", "db_schema"] {
        let mut fields = json!({"query": "SELECT town FROM places"});
        fields[key] = "other".into();
        assert_eq!(answer(&app, fields).await["result"], json!([{"town": "Bonn"}]), "{key}");
    }
    let (status, unknown) = ask(&app, json!({"query": "SELECT town FROM places"})).await;
    assert_eq!(status, 422, "a schema holds for one request only: {unknown}");

    answer(&app, json!({"query": "CREATE DATABASE elsewhere"})).await;
    let elsewhere = json!({"query": "SELECT current_database() AS name", "database": "elsewhere"});
    assert_eq!(answer(&app, elsewhere).await["result"], json!([{"name": "elsewhere"}]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_procedure_is_called_with_its_parameters() {
    let database = Database::start().await;
    let app = app_with(&database).await;
    let make = "CREATE TABLE sums (total int); \
        CREATE PROCEDURE add_up(a int, b int) LANGUAGE SQL AS $$ INSERT INTO sums VALUES (a + b) $$; \
        CREATE PROCEDURE double(INOUT n int) LANGUAGE plpgsql AS $$ BEGIN n := n * 2; END $$";
    answer(&app, json!({"query": make})).await;
    answer(&app, json!({"procedure": "CALL add_up($1, $2)", "parameters": [2, 3]})).await;
    answer(&app, json!({"procedure": "add_up(4, 5)"})).await;
    assert_eq!(
        database.rows("SELECT total FROM sums ORDER BY total").await.unwrap(),
        json!([{"total": 5}, {"total": 9}])
    );
    let doubled = answer(&app, json!({"procedure": "double(21)"})).await;
    assert_eq!(doubled["result"], json!([{"n": 42}]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn errors_say_what_postgres_said_and_what_to_do() {
    let database = Database::start().await;
    let app = app_with(&database).await;
    for (fields, expected, code, word) in [
        (json!({"query": "SELEC 1"}), 422, "TL001", "42601"),
        (json!({"query": "SELECT * FROM nowhere"}), 422, "TL001", "nowhere"),
        (json!({"query": "SELECT $1::int", "parameters": ["x"]}), 422, "TL001", "x"),
        (json!({"query_base64": "%%%"}), 400, "AP003", "query_base64"),
        (json!({}), 400, "AP003", "query"),
    ] {
        let (status, body) = ask(&app, fields.clone()).await;
        assert_eq!((status, &body["code"]), (expected, &json!(code)), "{fields}: {body}");
        assert!(body["detail"].to_string().contains(word), "{fields}: {body}");
        assert_eq!(body["link"], format!("/docs/codes/{code}"), "{body}");
        assert!(body["error"].is_string(), "{body}");
    }
    let unknown = json!({"query": "SELECT 1", "credential": "pg_nowhere"});
    let (status, body) = app.ask(EXECUTE, Some(&unknown)).await;
    assert_eq!((status, &body["code"]), (404, &json!("CR001")), "{body}");
    assert!(body["hint"].is_string(), "{body}");

    let mut dead = database.credential("pg_dead");
    // Nothing listens on the port of a socket that is closed again.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    dead["data"]["db_port"] = port.to_string().into();
    app.credential(&dead).await;
    let (status, body) = app.ask(EXECUTE, Some(&json!({"query": "SELECT 1", "credential": "pg_dead"}))).await;
    assert_eq!(status, 502, "{body}");
    assert!(body["detail"].to_string().contains(&port.to_string()), "it names the place: {body}");
    assert!(body["hint"].is_string(), "{body}");
    let password = dead["data"]["db_password"].as_str().expect("a password");
    assert!(!body.to_string().contains(password), "{body}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn raw_connection_strings_need_an_opt_in() {
    let database = Database::start().await;
    let raw = json!({"query": "SELECT 1 AS one", "connection_string": database.url()});
    let app = App::start().await;
    let (status, body) = app.ask(EXECUTE, Some(&raw)).await;
    assert_eq!(status, 403, "{body}");
    assert!(body["hint"].to_string().contains("credential"), "{body}");
    drop(app);

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("noetl.toml");
    std::fs::write(&file, "[server]\nallow_raw_connections = true\n").unwrap();
    let env = vec![("NOETL_CONFIG".to_owned(), file.display().to_string())];
    let app = App::start_with(Options { env, ..Options::default() }).await;
    let answer = app.post("/api/postgres/execute", &raw).await;
    assert_eq!(answer["result"], json!([{"one": 1}]));
}
