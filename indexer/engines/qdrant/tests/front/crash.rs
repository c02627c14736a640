//! `kill -9` of a process that serves: what was acknowledged is there.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use noetl_engine_qdrant::{Config, Engine};
use qdrant_client::qdrant::{
    CountPointsBuilder, CreateCollectionBuilder, DeletePointsBuilder, Distance, GetPointsBuilder,
    PointStruct, PointsIdsList, SetPayloadPointsBuilder, UpsertPointsBuilder, VectorParamsBuilder,
};
use qdrant_client::{Payload, Qdrant};
use serde_json::json;
use tokio::net::TcpListener;

use crate::{Served, client};

const DIRECTORY: &str = "NOETL_TEST_QDRANT_DIRECTORY";

/// Not a test of its own: the process that the tests below start and kill.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "the child process of other tests"]
async fn serve_until_killed() {
    let Ok(directory) = std::env::var(DIRECTORY) else { return };
    let engine = Engine::open(Config::new(directory)).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let front = engine.serve(listener).unwrap();
    println!("\nfront {} {}", front.url, front.api_key);
    std::future::pending::<()>().await;
}

/// Killed when dropped.
pub(crate) struct Process(Child);

impl Process {
    pub(crate) fn serve(directory: &Path) -> (Self, Qdrant) {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crash::serve_until_killed", "--ignored", "--nocapture"])
            .env(DIRECTORY, directory)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let process = Self(child);
        let line = lines.find_map(|line| Some(line.unwrap().strip_prefix("front ")?.to_owned())).unwrap();
        let (url, api_key) = line.split_once(' ').unwrap();
        (process, client(url, Some(api_key)))
    }

    pub(crate) fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn make(client: &Qdrant) {
    let order = CreateCollectionBuilder::new("a").vectors_config(VectorParamsBuilder::new(2, Distance::Dot));
    client.create_collection(order).await.unwrap();
}

fn point(id: u64, round: u64) -> PointStruct {
    PointStruct::new(id, vec![id as f32, round as f32], Payload::try_from(json!({ "round": round })).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_was_acknowledged_is_lost() {
    let directory = tempfile::tempdir().unwrap();
    let (process, client) = Process::serve(directory.path());
    make(&client).await;
    for round in 0..20_u64 {
        let points: Vec<_> = (0..10).map(|place| point(round * 5 + place, round)).collect();
        client.upsert_points(UpsertPointsBuilder::new("a", points).wait(true)).await.unwrap();
    }
    let ids = PointsIdsList { ids: (0..30_u64).map(Into::into).collect() };
    client.delete_points(DeletePointsBuilder::new("a").points(ids).wait(true)).await.unwrap();
    let set = SetPayloadPointsBuilder::new("a", Payload::try_from(json!({"last": true})).unwrap());
    let chosen = PointsIdsList { ids: vec![104_u64.into()] };
    client.set_payload(set.points_selector(chosen).wait(true)).await.unwrap();
    process.kill();

    let served = Served::on(directory).await;
    assert!(served.engine.set_aside().is_empty());
    let client = served.client();
    let count = client.count(CountPointsBuilder::new("a").exact(true)).await.unwrap();
    assert_eq!(count.result.unwrap().count, 75);
    let get =
        GetPointsBuilder::new("a", (30..105_u64).map(Into::into).collect::<Vec<_>>()).with_payload(true);
    let found = client.get_points(get.with_vectors(true)).await.unwrap().result;
    assert_eq!(found.len(), 75);
    for point in found {
        let id = number(&point);
        let round = (id / 5).min(19);
        assert_eq!(point.payload["round"].as_integer(), Some(round as i64), "point {id}");
        assert_eq!(point.payload.contains_key("last"), id == 104);
    }
    served.close().await;
}

fn number(point: &qdrant_client::qdrant::RetrievedPoint) -> u64 {
    match point.id.as_ref().and_then(|id| id.point_id_options.as_ref()) {
        Some(qdrant_client::qdrant::point_id::PointIdOptions::Num(number)) => *number,
        other => panic!("not a number: {other:?}"),
    }
}

/// The same process after process: numbering, log and journal go on where the killed one left them.
#[tokio::test(flavor = "multi_thread")]
async fn killed_again_and_again() {
    let directory = tempfile::tempdir().unwrap();
    let (process, client) = Process::serve(directory.path());
    make(&client).await;
    process.kill();
    for round in 0..5_u64 {
        let (process, client) = Process::serve(directory.path());
        let points: Vec<_> = (0..100).map(|id| point(id, round)).collect();
        client.upsert_points(UpsertPointsBuilder::new("a", points).wait(true)).await.unwrap();
        let own = PointStruct::new(1_000 + round, vec![0.0, 0.0], Payload::new());
        client.upsert_points(UpsertPointsBuilder::new("a", vec![own]).wait(true)).await.unwrap();
        process.kill();
    }
    let served = Served::on(directory).await;
    let client = served.client();
    let get = GetPointsBuilder::new("a", (0..100_u64).map(Into::into).collect::<Vec<_>>()).with_payload(true);
    let found = client.get_points(get).await.unwrap().result;
    assert!(found.iter().all(|point| point.payload["round"].as_integer() == Some(4)), "{found:#?}");
    let count = client.count(CountPointsBuilder::new("a").exact(true)).await.unwrap();
    assert_eq!(count.result.unwrap().count, 105);
    served.close().await;
}
