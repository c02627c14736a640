//! What the vector half costs: calls of the embedder over many Events, and questions over many points.
//!
//! Points are of the built-in embedder, because the model would need twenty minutes for a hundred thousand texts; what
//! the model adds to a question is measured beside it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use noetl_api::client::Client;
use noetl_api::search::{Facts, SearchQuestion};
use noetl_engine_qdrant::{Engine, Front};
use noetl_indexer::embedding::{self, Choice, Embedder, normalise};
use noetl_indexer::vectors::{Kind, Point, Stored, Vectors};
use noetl_indexer::{Config, Fingerprints, Part, Semantic};
use noetl_server::ids::now_ms;
use qdrant_client::Qdrant;
use qdrant_client::qdrant::point_id::PointIdOptions;
use qdrant_client::qdrant::{QueryPointsBuilder, SearchParamsBuilder};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::backlog::Backlog;
use crate::figures::{Figures, Row};
use crate::layer::heads;
use crate::shapes;
use crate::times::{median, quantile};

/// Points put in with one request.
const CHUNK: u64 = 1_000;
const PLAYBOOKS: u64 = 100;
/// Longest time that graphs are waited for.
const PATIENCE: Duration = Duration::from_mins(20);

struct Store {
    engine: Engine,
    front: Front,
    vectors: Vectors,
    semantic: Semantic,
    config: Config,
    _directory: TempDir,
}

impl Store {
    async fn open(choice: Choice) -> anyhow::Result<Self> {
        let directory = tempfile::tempdir()?;
        let engine = Engine::open(noetl_engine_qdrant::Config::new(directory.path().join("qdrant"))).await?;
        let front = engine.serve(TcpListener::bind("127.0.0.1:0").await?)?;
        let wanted = embedding::Config { embedder: choice, ..embedding::Config::default() };
        let opened = embedding::open(&wanted.or_from_environment(|name| std::env::var_os(name))).await;
        let vectors = Vectors::new(&front.url, &front.api_key, opened)?;
        vectors.prepare().await?;
        let config = Config::new(directory.path().join("index"));
        let semantic = Semantic::new(Fingerprints::open(&config.directory));
        semantic.set_analytics(Err("not measured here".to_owned()));
        semantic.set_vectors(Ok(vectors.clone()));
        Ok(Self { engine, front, vectors, semantic, config, _directory: directory })
    }
}

/// Follows a backlog into the vector store, and counts what the embedder is asked.
pub(crate) async fn calls(figures: &mut Figures, events: u64) -> anyhow::Result<()> {
    let backlog = Backlog::of(events).await?;
    let store = Store::open(Choice::Local).await?;
    let end = heads(&backlog).await?;
    let stop = CancellationToken::new();
    let began = Instant::now();
    let running = noetl_indexer::run(
        store.config.clone(),
        store.semantic.clone(),
        Arc::new(backlog.clone()),
        stop.clone(),
    );
    let running = tokio::spawn(running);
    let status = store.semantic.status();
    loop {
        let changed = status.changed();
        let vectors = status.get().vectors;
        match vectors.part {
            Part::Failing { reason } | Part::Off { reason } => anyhow::bail!("{reason}"),
            Part::On if vectors.position >= end.events => break,
            Part::On | Part::Starting => {
                let _ = tokio::time::timeout(Duration::from_millis(50), changed).await;
            }
        }
    }
    let took = began.elapsed();
    let counted = store.vectors.embedder().map(Embedder::counters).unwrap_or_default();
    let name = format!("meaning: {} events into the vector store", end.events);
    figures.add(Row::rate(&name, end.events, took, "events/s", "> 5,000"));
    let shapes = shapes::COUNT;
    let name = format!("meaning: texts embedded for them ({shapes} shapes of failures)");
    figures.add(Row::plain(&name, counted.texts as f64, "texts", "a few hundred"));
    figures.add(Row::plain("meaning: calls of the embedder for them", counted.calls as f64, "calls", ""));
    stop.cancel();
    running.await?;
    store.engine.close().await?;
    Ok(())
}

/// Questions over many points through HTTP, beside the same engine asked alone.
pub(crate) async fn questions(figures: &mut Figures, points: u64, tries: u64) -> anyhow::Result<()> {
    let store = Store::open(Choice::Builtin).await?;
    let began = Instant::now();
    fill(&store.vectors, Kind::Failure, points).await?;
    fill(&store.vectors, Kind::Execution, points / 2).await?;
    let filled = began.elapsed();
    figures.add(Row::rate("meaning: points put in, synced", points * 3 / 2, filled, "points/s", ""));
    let client = raw_client(&store.front)?;
    let collection = collection(&client, "noetl_failures").await?;
    let waited = graphs(&client, &collection, points).await?;
    eprintln!("  graphs after {:.0} s more", waited.as_secs_f64());
    let queries: Vec<String> = (0..tries).map(question).collect();
    let embedder = Embedder::builtin();
    let normal: Vec<String> = queries.iter().map(|text| normalise(text)).collect();
    let vectors = embedder.embed(&normal).await?;
    let (recall, mut exact, mut near) = recall(&client, &collection, &vectors).await?;
    figures.add(Row::plain(&format!("meaning: recall@10 over {points} points"), recall, "", "> 0.95"));
    let bare = median(&mut near);
    store.semantic.status().change(|status| status.vectors.part = Part::On);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = format!("http://{}", listener.local_addr()?);
    let feed = Arc::new(Backlog::empty().await?);
    let routes = noetl_indexer::router(store.semantic.clone(), feed);
    let serving = tokio::spawn(async move { axum::serve(listener, routes).await });
    let api = Client::new(&address)?;
    let mut searches = Vec::new();
    let mut likes = Vec::new();
    for (n, text) in queries.iter().enumerate() {
        let asked = SearchQuestion { q: text.clone(), ..SearchQuestion::default() };
        let began = Instant::now();
        let found = api.search(&asked).await?;
        searches.push(began.elapsed());
        anyhow::ensure!(!found.hits.is_empty(), "{text:?} finds nothing");
        let id = (n as u64 * 37 % (points / 2) + 1).to_string();
        let began = Instant::now();
        let found = api.similar(&id, None).await?;
        likes.push(began.elapsed());
        anyhow::ensure!(!found.executions.is_empty(), "nothing is like {id}");
    }
    let raw = "one query of the engine";
    for (name, times) in [("search", &mut searches), ("similar", &mut likes)] {
        for (what, at, goal) in [("p50", 0.5, ""), ("p95", 0.95, "< 50 ms")] {
            let name = format!("meaning: {name} over {points} points, {what}");
            figures.add(Row::time(&name, quantile(times, at), goal).raw(raw, bare));
        }
    }
    figures.add(Row::time("meaning: exact query of the engine alone, p50", quantile(&mut exact, 0.5), ""));
    serving.abort();
    store.engine.close().await?;
    model(figures, tries).await
}

/// What a question costs the local model.
async fn model(figures: &mut Figures, tries: u64) -> anyhow::Result<()> {
    let wanted = embedding::Config { embedder: Choice::Local, cache: 1, ..embedding::Config::default() };
    let opened = embedding::open(&wanted.or_from_environment(|name| std::env::var_os(name))).await;
    let Some(embedder) = opened.embedder.filter(|_| opened.note.is_none()) else {
        eprintln!("  the local model is not here: run `cargo xtask setup`");
        return Ok(());
    };
    let mut times = Vec::new();
    for n in 0..tries {
        let began = Instant::now();
        embedder.embed(&[normalise(&question(n))]).await?;
        times.push(began.elapsed());
    }
    for (what, at) in [("p50", 0.5), ("p95", 0.95)] {
        let name = format!("meaning: embedding a question by the local model, {what}");
        figures.add(Row::time(&name, quantile(&mut times, at), ""));
    }
    Ok(())
}

fn question(n: u64) -> String {
    const BEFORE: [&str; 4] = ["", "why did it say ", "what does this mean: ", "again: "];
    format!("{}{}", BEFORE[(n % 4) as usize], shapes::message(n * 7 % shapes::COUNT, n * 31 + 5))
}

/// Failures of every shape in every step of every playbook, and Executions that ended with them.
async fn fill(vectors: &Vectors, kind: Kind, points: u64) -> anyhow::Result<()> {
    let now = now_ms();
    for first in (0..points).step_by(CHUNK as usize) {
        let chunk: Vec<Point> = (first..points.min(first + CHUNK)).map(|n| point(kind, n, now)).collect();
        vectors.put(kind, &chunk).await?;
    }
    Ok(())
}

fn point(kind: Kind, n: u64, now_ms: i64) -> Point {
    let message = shapes::message(n % shapes::COUNT, n);
    let facts = Facts {
        text: if kind == Kind::Execution { format!("failed: {message}") } else { message },
        playbook: format!("team/playbook-{}", n % PLAYBOOKS),
        step: format!("step_{}", n / shapes::COUNT % 50),
        status: "FAILED".to_owned(),
        fingerprint: format!("{:016x}", n % shapes::COUNT + 1),
        execution_id: (n + 1).to_string(),
        count: 1 + n % 9,
        ..Facts::default()
    };
    let mut stored = Stored { facts, ..Stored::default() };
    stored.seen_at(now_ms - (n % 86_400) as i64 * 1_000);
    let behaviour = (kind == Kind::Execution).then(|| {
        (0..64_u64).map(|at| ((n * 2_654_435_761 + at * 40_503) % 1_000) as f32 / 500.0 - 1.0).collect()
    });
    Point { id: n + 1, stored, behaviour }
}

fn raw_client(front: &Front) -> anyhow::Result<Qdrant> {
    Ok(Qdrant::from_url(&front.url).api_key(front.api_key.clone()).skip_compatibility_check().build()?)
}

async fn collection(client: &Qdrant, begins: &str) -> anyhow::Result<String> {
    let listed = client.list_collections().await?.collections;
    let found = listed.into_iter().map(|one| one.name).find(|name| name.starts_with(begins));
    found.ok_or_else(|| anyhow::anyhow!("there is no collection {begins}"))
}

/// Comes when every point is in a graph, or when that takes too long, which the recall and the times then show.
async fn graphs(client: &Qdrant, collection: &str, points: u64) -> anyhow::Result<Duration> {
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        let info = client.collection_info(collection).await?.result.unwrap_or_default();
        if info.indexed_vectors_count.unwrap_or_default() >= points * 9 / 10 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    Ok(began.elapsed())
}

/// The share of the ten nearest that is found, and how long the exact and the usual query take.
async fn recall(
    client: &Qdrant,
    collection: &str,
    vectors: &[Vec<f32>],
) -> anyhow::Result<(f64, Vec<Duration>, Vec<Duration>)> {
    let (mut shared, mut wanted) = (0, 0);
    let (mut exact, mut near) = (Vec::new(), Vec::new());
    for vector in vectors {
        let ask = async |is_exact: bool| -> anyhow::Result<(Vec<(u64, f32)>, Duration)> {
            let query = QueryPointsBuilder::new(collection)
                .query(vector.clone())
                .using("meaning")
                .limit(10)
                .params(SearchParamsBuilder::default().exact(is_exact));
            let began = Instant::now();
            let found = client.query(query).await?.result;
            let took = began.elapsed();
            let id = |point: &qdrant_client::qdrant::ScoredPoint| match point.id.as_ref()?.point_id_options {
                Some(PointIdOptions::Num(number)) => Some((number, point.score)),
                _ => None,
            };
            Ok((found.iter().filter_map(id).collect(), took))
        };
        let (truth, took) = ask(true).await?;
        exact.push(took);
        let (found, took) = ask(false).await?;
        near.push(took);
        wanted += truth.len();
        // Points that are equally near are as good as each other.
        let farthest = truth.last().map_or(0.0, |(_, score)| *score);
        shared += found.iter().filter(|(_, score)| *score >= farthest - 1e-6).count();
    }
    Ok((shared as f64 / wanted.max(1) as f64, exact, near))
}
