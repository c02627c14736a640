//! Figures for docs/benchmarks.md:
//! `cargo nextest run --release -p noetl-engine-qdrant --run-ignored all --no-capture measure`.

use std::time::{Duration, Instant};

use qdrant_client::qdrant::{
    CollectionStatus, CreateCollectionBuilder, Distance, OptimizersConfigDiffBuilder, PointStruct,
    QueryPointsBuilder, SearchParamsBuilder, UpdateCollectionBuilder, UpsertPointsBuilder,
    VectorParamsBuilder,
};
use qdrant_client::{Payload, Qdrant};
use qdrant_edge::{
    EdgeConfig, EdgeShard, EdgeVectorParams, NamedQuery, PointId, PointInsertOperations, PointOperations,
    PointStruct as EdgePoint, QueryEnum, QueryRequest, ScoringQuery, UpdateOperation, VectorInternal,
    WithPayloadInterface, WithVector,
};

use crate::Served;

const SIZE: usize = 384;
const BATCH: u64 = 500;
const QUERIES: usize = 200;

/// A small generator of its own: the same vectors on every machine.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn number(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
    }

    pub(crate) fn vector(&mut self, size: usize) -> Vec<f32> {
        (0..size).map(|_| self.number()).collect()
    }

    /// Near one of a thousand centres, as sentences of the same kind of failure are.
    fn clustered(&mut self, size: usize) -> Vec<f32> {
        let centre = (self.number().abs() * 1_000.0) as u64;
        let mut place = Random::new(centre + 77);
        place.vector(size).into_iter().map(|value| value + 0.35 * self.number()).collect()
    }
}

fn percentiles(mut times: Vec<Duration>) -> String {
    times.sort();
    let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)].as_secs_f64() * 1e3;
    format!("p50 {:.2} ms, p95 {:.2} ms", at(50), at(95))
}

fn resident() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let of =
        |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("?").trim().to_owned();
    format!("resident {}, of which not from files {}", of("VmRSS:"), of("RssAnon:"))
}

async fn fill(client: &Qdrant, count: u64) {
    let order = CreateCollectionBuilder::new("a")
        .vectors_config(VectorParamsBuilder::new(SIZE as u64, Distance::Cosine))
        .optimizers_config(OptimizersConfigDiffBuilder::default().indexing_threshold(1 << 40));
    client.create_collection(order).await.unwrap();
    let mut random = Random::new(1);
    let mut writing = Duration::ZERO;
    for start in (0..count).step_by(BATCH as usize) {
        let points: Vec<_> = (start..start + BATCH)
            .map(|id| {
                let payload =
                    Payload::try_from(serde_json::json!({"playbook": format!("p/{}", id % 50), "n": id}));
                PointStruct::new(id, random.clustered(SIZE), payload.unwrap())
            })
            .collect();
        let started = Instant::now();
        client.upsert_points(UpsertPointsBuilder::new("a", points).wait(true)).await.unwrap();
        writing += started.elapsed();
    }
    println!("{count}: {:.0} upserts/s, {BATCH} a request, synced", count as f64 / writing.as_secs_f64());
}

async fn ask(client: &Qdrant, what: &str, exact: bool) -> Vec<Vec<u64>> {
    let mut random = Random::new(2);
    let (mut times, mut answers) = (Vec::new(), Vec::new());
    for _ in 0..QUERIES {
        let query = QueryPointsBuilder::new("a")
            .query(random.clustered(SIZE))
            .limit(10)
            .with_payload(true)
            .params(SearchParamsBuilder::default().exact(exact));
        let started = Instant::now();
        let found = client.query(query).await.unwrap().result;
        times.push(started.elapsed());
        answers.push(found.iter().map(number).collect());
    }
    println!("{what}: {}", percentiles(times));
    answers
}

fn number(point: &qdrant_client::qdrant::ScoredPoint) -> u64 {
    match point.id.as_ref().and_then(|id| id.point_id_options.as_ref()) {
        Some(qdrant_client::qdrant::point_id::PointIdOptions::Num(number)) => *number,
        other => panic!("not a number: {other:?}"),
    }
}

/// The shard without a front: the raw limit.
fn directly(count: u64) {
    let directory = tempfile::tempdir().unwrap();
    let params = EdgeVectorParams::builder(SIZE, qdrant_edge::Distance::Cosine).build();
    let shard = EdgeShard::new(directory.path(), EdgeConfig::builder().vector("", params).build()).unwrap();
    let mut random = Random::new(1);
    let mut writing = Duration::ZERO;
    for start in (0..count).step_by(BATCH as usize) {
        let points: Vec<_> = (start..start + BATCH)
            .map(|id| {
                let payload = serde_json::json!({"playbook": format!("p/{}", id % 50), "n": id});
                EdgePoint::new(PointId::NumId(id), random.clustered(SIZE), payload).into()
            })
            .collect();
        let points = PointInsertOperations::PointsList(points);
        let started = Instant::now();
        shard.update(UpdateOperation::PointOperation(PointOperations::UpsertPoints(points))).unwrap();
        writing += started.elapsed();
    }
    println!("{count}, the shard alone: {:.0} upserts/s, not synced", count as f64 / writing.as_secs_f64());
    let started = Instant::now();
    shard.flush();
    println!(
        "{count}, the shard alone: a flush of all of it {:.0} ms",
        started.elapsed().as_secs_f64() * 1e3
    );
    let mut random = Random::new(2);
    let times = (0..QUERIES).map(|_| {
        let vector = NamedQuery::new(VectorInternal::Dense(random.clustered(SIZE)), "");
        let request = QueryRequest {
            prefetches: Vec::new(),
            query: Some(ScoringQuery::Vector(QueryEnum::Nearest(vector))),
            filter: None,
            score_threshold: None,
            limit: 10,
            offset: 0,
            params: None,
            with_vector: WithVector::Bool(false),
            with_payload: WithPayloadInterface::Bool(true),
        };
        let started = Instant::now();
        assert_eq!(shard.query(request).unwrap().len(), 10);
        started.elapsed()
    });
    println!("{count}, the shard alone, exact: {}", percentiles(times.collect()));
}

async fn through_the_front(count: u64) {
    let served = Served::new().await;
    let client = served.client();
    fill(&client, count).await;
    println!("{count}: {}", resident());
    ask(&client, &format!("{count}, exact"), true).await;

    reopened(served, count).await;
}

/// The same with a graph: the threshold falls, and ten thousand more touches let the upkeep look.
async fn with_a_graph(count: u64) {
    let served = Served::new().await;
    let client = served.client();
    fill(&client, count).await;
    let started = Instant::now();
    let lower = OptimizersConfigDiffBuilder::default().indexing_threshold(1_000);
    client.update_collection(UpdateCollectionBuilder::new("a").optimizers_config(lower)).await.unwrap();
    let mut random = Random::new(3);
    let (mut during, mut settled) = (Vec::new(), false);
    let mut touched = 0;
    while !settled {
        if touched < 10_000 {
            let again: Vec<_> = (0..BATCH)
                .map(|id| PointStruct::new(count + id, random.clustered(SIZE), Payload::new()))
                .collect();
            client.upsert_points(UpsertPointsBuilder::new("a", again)).await.unwrap();
            touched += BATCH;
        }
        let before = Instant::now();
        client.query(QueryPointsBuilder::new("a").query(random.clustered(SIZE))).await.unwrap();
        during.push(before.elapsed());
        let info = client.collection_info("a").await.unwrap().result.unwrap();
        settled = info.indexed_vectors_count.unwrap_or(0) >= count / 2
            && info.status == i32::from(CollectionStatus::Green);
    }
    println!(
        "{count}: a graph after {:.0} s; queries meanwhile {}",
        started.elapsed().as_secs_f64(),
        percentiles(during)
    );
    let best = ask(&client, &format!("{count}, exact beside the graph"), true).await;
    let found = ask(&client, &format!("{count}, graph"), false).await;
    let hits: usize = best
        .iter()
        .zip(&found)
        .map(|(best, found)| best.iter().filter(|id| found.contains(id)).count())
        .sum();
    println!("{count}: recall@10 of the graph {:.3}", hits as f64 / (QUERIES * 10) as f64);
    println!("{count}: {}", resident());
    reopened(served, count).await;
}

async fn reopened(served: Served, count: u64) {
    let started = Instant::now();
    let directory = served.close().await;
    println!("{count}: closed in {:.0} ms", started.elapsed().as_secs_f64() * 1e3);
    let started = Instant::now();
    let served = Served::on(directory).await;
    println!("{count}: opened in {:.0} ms", started.elapsed().as_secs_f64() * 1e3);
    served.close().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement of minutes"]
async fn measure_ten_thousand() {
    tokio::task::spawn_blocking(|| directly(10_000)).await.unwrap();
    through_the_front(10_000).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement of minutes"]
async fn measure_a_hundred_thousand() {
    tokio::task::spawn_blocking(|| directly(100_000)).await.unwrap();
    through_the_front(100_000).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement of minutes"]
async fn measure_a_graph_of_ten_thousand() {
    with_a_graph(10_000).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement of many minutes"]
async fn measure_a_graph_of_a_hundred_thousand() {
    with_a_graph(100_000).await;
}
