//! A ClickHouse server that is not there when the process starts, comes, goes and comes back.

use noetl_engine_clickhouse::{Access, Config, Engine, Front, User};
use tokio::net::TcpListener;

use super::{MIXED, books, caught_up, failing, library, options, run_some};
use crate::app::App;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn runs_go_on_while_the_engine_is_away_and_are_indexed_when_it_comes() {
    let Some(library) = library() else { return };
    let folder = tempfile::tempdir().unwrap();
    let config = Config { library, directory: folder.path().join("engine"), memory: None };
    // A port that is ours, and that nobody serves yet.
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let user = |name: &str| User { name: name.to_owned(), key: format!("key-of-{name}") };
    let access = Access { owner: user("owner"), reader: user("reader") };
    let serve = async || -> Front {
        let listener = TcpListener::bind(address).await.unwrap();
        Engine::open(&config).unwrap().serve(listener, access.clone()).unwrap()
    };
    let indexer = format!("clickhouse = \"http://{address}\"\nclickhouse_user = \"owner\"");
    let mut options = options(&folder.path().join("noetl.toml"), &indexer);
    options.env.push(("NOETL_CLICKHOUSE_KEY".to_owned(), "key-of-owner".to_owned()));

    let app = App::start_with(options).await;
    app.register(MIXED).await.unwrap();
    run_some(&app, 0..6).await;
    told(&app).await;

    let front = serve().await;
    caught_up(&app).await;
    books::balance(&app).await;

    // It goes in the middle of work, and the work does not notice.
    let (running, closed) = tokio::join!(run_some(&app, 6..18), front.close());
    let ((), ()) = (running, closed);
    told(&app).await;
    run_some(&app, 18..24).await;

    let front = serve().await;
    caught_up(&app).await;
    books::balance(&app).await;
    front.close().await;
}

/// Who asks is told that the engine is away, and how much waits for it.
async fn told(app: &App) {
    let reason = failing(app).await;
    assert!(reason.contains("analytic store") && reason.contains("refused"), "{reason}");
    let shown = app.cli(&["cluster", "status"]);
    assert!(shown.stdout.contains("failing") && shown.stdout.contains("refused"), "{}", shown.all());
    let status = super::until(app, "behind", |status| status["behind"] != 0).await;
    assert_ne!(status["lag_ms"], 0, "what waits grows old: {status}");
}
