//! Engines that cannot be opened when the server starts, and can later.

use std::fs::File;
use std::path::Path;

use serde_json::{Value, json};

use super::{MIXED, books, caught_up, failing, is_level, library, options, run_some, until_part};
use crate::app::App;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn directories_in_use_are_opened_when_they_are_free_and_the_followers_catch_up() {
    if library().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut app = App::start_with(options(&folder.path().join("noetl.toml"), "")).await;
    app.register(MIXED).await.unwrap();
    run_some(&app, 0..6).await;
    caught_up(&app).await;
    until_part(&app, "vectors", "level with the log", is_level).await;
    app.kill();

    // What another process would do; the kernel lets go of the dead one's locks before it is buried.
    let index = app.data().join("index");
    let locks = [lock(&index.join("clickhouse/lock")), lock(&index.join("qdrant/LOCK"))];
    app.restart().await;
    run_some(&app, 6..12).await;
    let reason = failing(&app).await;
    assert!(reason.contains("in use by another process"), "{reason}");
    let vectors = until_part(&app, "vectors", "failing", |status| status["state"] == "failing").await;
    assert!(
        vectors["reason"].as_str().unwrap_or_default().contains("in use by another process"),
        "{vectors}"
    );
    let shown = app.cli(&["cluster", "status"]).stdout;
    assert_eq!(shown.matches("failing").count(), 2, "{shown}");
    let (status, refused) = app.ask("POST /api/insights/sql", Some(&json!({"query": "SELECT 1"}))).await;
    assert_eq!((status, &refused["code"]), (503, &Value::from("IX002")), "{refused}");
    let detail = refused["detail"].as_str().unwrap_or_default();
    assert!(detail.contains("tried again") && detail.contains("in use"), "{refused}");

    drop(locks);
    caught_up(&app).await;
    until_part(&app, "vectors", "level with the log", is_level).await;
    books::balance(&app).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_library_that_is_brought_while_the_server_runs_is_used() {
    let Some(library) = library() else { return };
    let folder = tempfile::tempdir().unwrap();
    let later = folder.path().join("libchdb.so");
    let mut options = options(&folder.path().join("noetl.toml"), "");
    options.env.push(("NOETL_CHDB_LIB".to_owned(), later.display().to_string()));
    let app = App::start_with(options).await;
    app.register(MIXED).await.unwrap();
    run_some(&app, 0..6).await;
    let reason = failing(&app).await;
    assert!(reason.contains("cargo xtask setup"), "{reason}");

    std::os::unix::fs::symlink(library, &later).unwrap();
    caught_up(&app).await;
    books::balance(&app).await;
}

fn lock(path: &Path) -> File {
    let file = File::options().write(true).open(path).expect("the engine has made its lock file");
    file.try_lock().expect("nobody holds it");
    file
}
