//! `noetl knowledge` over the real binary: directories, pages of the web, what is refused, and what survives.

use std::path::Path;
use std::time::Instant;

use noetl_test_service::Service;
use serde_json::Value;

use super::home::{Home, transcript};
use crate::app::{App, Cli, Options, PATIENCE, pause};

const DEADLOCKS: &str = "# Deadlocks\nRun the transaction of the ledger again when it was the victim.\n\n\
    # Replicas\nReports read from the replica.\n";

fn write(directory: &Path, name: &str, text: &str) {
    let path = directory.join(name);
    std::fs::create_dir_all(path.parent().expect("a directory")).expect("a writable directory");
    std::fs::write(path, text).expect("a writable directory");
}

/// A server whose engines are those that need no files.
async fn server() -> App {
    let nothing = ("NOETL_CACHE_DIR".to_owned(), "/nonexistent".to_owned());
    App::start_with(Options { env: vec![nothing], ..Options::default() }).await
}

fn json(printed: &Cli) -> Value {
    serde_json::from_str(&printed.stdout).unwrap_or_else(|error| panic!("{error}: {printed:?}"))
}

/// The source of the best passage.
fn found(app: &App, words: &str) -> String {
    let hits = json(&app.cli(&["search", words, "--kind", "knowledge", "--json"]));
    hits["hits"][0]["source"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_directory_is_taken_in_without_a_server() {
    let home = Home::new();
    let docs = home.path().join("docs");
    write(&docs, "ops/deadlocks.md", DEADLOCKS);
    write(&docs, "notes.txt", "Beans are in the kitchen.\n");
    write(&docs, "empty.md", "# Nothing below\n");
    write(&docs, "picture.png", "no document");
    let mut told = String::new();
    for arguments in [
        &["knowledge", "add", "./docs"][..],
        &["knowledge", "list"],
        &["knowledge", "remove", "docs/ops/"],
        &["knowledge", "remove", "docs/ops"],
        &["knowledge", "add", "docs/empty.md"],
        &["knowledge", "add", "nowhere"],
        &["knowledge", "add", "docs", "docs/notes.txt", "--as", "both"],
    ] {
        told.push_str(&format!(
            "$ noetl {}\n{}",
            arguments.join(" "),
            transcript(&home.noetl(arguments), &home)
        ));
    }
    insta::assert_snapshot!(told);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_taken_in_outlives_the_store() {
    let mut app = server().await;
    let docs = tempfile::tempdir().expect("a temporary directory");
    write(docs.path(), "deadlocks.md", DEADLOCKS);
    let file = docs.path().join("deadlocks.md").display().to_string();
    let added = app.cli(&["knowledge", "add", &file, "--as", "ops"]);
    assert_eq!(added.stdout, "ops: 2 passages\n", "{added:?}");
    assert_eq!(found(&app, "deadlock in the ledger"), "ops");

    write(docs.path(), "deadlocks.md", &DEADLOCKS.replace("Reports", "Reports and bills"));
    let replaced = app.cli(&["knowledge", "add", &file, "--as", "ops"]);
    assert_eq!(replaced.stdout, "ops: 2 passages (1 new, 1 gone)\n", "{replaced:?}");

    app.kill();
    std::fs::remove_dir_all(app.data().join("index/qdrant")).expect("the vector store");
    app.restart().await;
    let deadline = Instant::now() + PATIENCE;
    while found(&app, "deadlock in the ledger") != "ops" {
        assert!(Instant::now() < deadline, "the lost collection was not filled again:\n{}", app.log());
        pause().await;
    }
    let listed = json(&app.cli(&["knowledge", "list", "--json"]));
    assert_eq!(listed["sources"][0]["passages"], 2, "{listed}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_of_the_web_are_fetched_within_limits() {
    let (app, service) = (server().await, Service::start().await.expect("the service"));
    let url = |path: &str| format!("{}/documents/{path}", service.url);
    let login = url("page#certificates").replacen("http://", "http://me:hunter2@", 1);
    let added = app.cli(&["knowledge", "add", &login, &url("notes.md"), &url("latin"), "--json"]);
    let added = json(&added);
    let told =
        |at: usize| [&added[at]["source"], &added[at]["title"], &added[at]["format"]].map(Value::to_string);
    assert_eq!(told(0), [format!("{:?}", url("page")), "\"Operations\"".into(), "\"html\"".into()]);
    assert_eq!(told(1), [format!("{:?}", url("notes.md")), "\"Quotas\"".into(), "\"markdown\"".into()]);
    assert_eq!(found(&app, "expired certificates"), url("page"));
    assert_eq!(found(&app, "Schlüssel"), url("latin"));
    for (path, code, said) in [
        ("picture", "IX005", "it is image/png"),
        ("large", "IX005", "more than 8388608 bytes"),
        ("missing", "TL008", "answered 404"),
    ] {
        let refused = app.cli(&["knowledge", "add", &url(path)]);
        assert_eq!(refused.code, Some(1), "{refused:?}");
        assert!(refused.stderr.contains(code) && refused.stderr.contains(said), "{refused:?}");
    }
    drop(service);
    let away = app.cli(&["knowledge", "add", "http://127.0.0.1:9/nobody"]);
    assert!(away.stderr.contains("cannot be reached") && away.code == Some(1), "{away:?}");
}
