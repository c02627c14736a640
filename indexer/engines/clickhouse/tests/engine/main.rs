//! The embedded engine, the real one, through its front. A process per test (nextest), as a process has one engine.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod child;
mod clients;
mod conformance;
mod life;
mod reader;
mod requests;

use std::path::Path;

use noetl_engine_clickhouse::conformance::Target;
use noetl_engine_clickhouse::{Access, Config, Engine, Front, User, library};
use tempfile::TempDir;
use tokio::net::TcpListener;

/// `None`, and loudly so, on a machine that the library does not exist for or that has not been set up.
fn config(directory: &Path) -> Option<Config> {
    let Some(library) = library() else {
        eprintln!("SKIPPED, as libchdb.so is not here: run `cargo xtask setup`. Nothing has been tested.");
        return None;
    };
    Some(Config { library, directory: directory.to_owned(), memory: None })
}

async fn serve(config: &Config) -> Front {
    let engine = Engine::open(config).unwrap();
    engine.serve(TcpListener::bind("127.0.0.1:0").await.unwrap(), Access::random()).unwrap()
}

async fn started() -> Option<(TempDir, Front)> {
    let directory = tempfile::tempdir().unwrap();
    let front = serve(&config(directory.path())?).await;
    Some((directory, front))
}

fn as_user(front: &Front, user: &User) -> Target {
    Target { url: front.url(), user: user.clone() }
}

fn owner(front: &Front) -> Target {
    as_user(front, &front.access.owner)
}
