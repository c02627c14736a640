//! Segments rebuilt in the background: reads and writes go on, and a kill in the middle loses nothing.

use noetl_engine_qdrant::Config;
use qdrant_client::Payload;
use qdrant_client::Qdrant;
use qdrant_client::qdrant::{
    CollectionInfo, CollectionStatus, CountPointsBuilder, CreateCollectionBuilder, DeletePointsBuilder,
    Distance, OptimizersConfigDiffBuilder, PointStruct, PointsIdsList, QueryPointsBuilder,
    UpsertPointsBuilder, VectorParamsBuilder,
};

use crate::Served;
use crate::measure::Random;

const SIZE: usize = 64;

/// A graph is built from so many kilobytes of vectors on; each vector has a quarter of one.
async fn make(client: &Qdrant, kilobytes: u64) {
    let order = CreateCollectionBuilder::new("a")
        .vectors_config(VectorParamsBuilder::new(SIZE as u64, Distance::Cosine))
        .optimizers_config(OptimizersConfigDiffBuilder::default().indexing_threshold(kilobytes));
    client.create_collection(order).await.unwrap();
}

async fn fill(client: &Qdrant, from: u64, count: u64) {
    let mut random = Random::new(from);
    for start in (from..from + count).step_by(1_000) {
        let end = (start + 1_000).min(from + count);
        let points: Vec<_> =
            (start..end).map(|id| PointStruct::new(id, random.vector(SIZE), Payload::new())).collect();
        client.upsert_points(UpsertPointsBuilder::new("a", points).wait(true)).await.unwrap();
    }
}

async fn info(client: &Qdrant) -> CollectionInfo {
    client.collection_info("a").await.unwrap().result.unwrap()
}

async fn count(client: &Qdrant) -> u64 {
    client.count(CountPointsBuilder::new("a").exact(true)).await.unwrap().result.unwrap().count
}

/// Between two looks at a condition: the engine builds graphs at a low priority, and looking all the time would starve it.
async fn pause() {
    tokio::time::sleep(std::time::Duration::from_millis(15)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_graph_is_built_while_reads_and_writes_go_on() {
    let directory = tempfile::tempdir().unwrap();
    let config = Config { rebuild_after: 2_000, ..Config::new(directory.path()) };
    let served = Served::with(directory, config).await;
    let client = served.client();
    make(&client, 500).await;
    fill(&client, 0, 3_000).await;
    let mut random = Random::new(1);
    let (mut expected, mut next, mut deleted) = (3_000, 100_000, 0);
    let mut seen_at_work = false;
    loop {
        let before = info(&client).await;
        let rebuilding = before.status == i32::from(CollectionStatus::Yellow);
        if before.indexed_vectors_count.unwrap_or(0) >= 2_000 && !rebuilding {
            break;
        }
        seen_at_work |= rebuilding;
        let found = client.query(QueryPointsBuilder::new("a").query(random.vector(SIZE))).await.unwrap();
        assert_eq!(found.result.len(), 10);
        if deleted < 100 {
            fill(&client, next, 10).await;
            let one = PointsIdsList { ids: vec![deleted.into()] };
            client.delete_points(DeletePointsBuilder::new("a").points(one).wait(true)).await.unwrap();
            (next, deleted, expected) = (next + 10, deleted + 1, expected + 9);
        }
        assert_eq!(count(&client).await, expected);
        pause().await;
    }
    assert!(seen_at_work, "the rebuilding was never seen");
    let served = Served::on(served.close().await).await;
    assert_eq!(count(&served.client()).await, expected);
    served.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_in_the_middle_of_rebuilding_loses_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let (process, client) = crate::crash::Process::serve(directory.path());
    make(&client, 1_000).await;
    fill(&client, 0, 12_000).await;
    while info(&client).await.status != i32::from(CollectionStatus::Yellow) {
        pause().await;
    }
    // Points of the segment under work: one deleted, one written anew, and a new one.
    let ids = PointsIdsList { ids: (0..100_u64).map(Into::into).collect() };
    client.delete_points(DeletePointsBuilder::new("a").points(ids).wait(true)).await.unwrap();
    fill(&client, 11_990, 20).await;
    let still_at_work = info(&client).await.status == i32::from(CollectionStatus::Yellow);
    process.kill();
    assert!(still_at_work, "the rebuilding ended before the kill: take more points");

    let served = Served::on(directory).await;
    assert!(served.engine.set_aside().is_empty(), "{:?}", served.engine.set_aside());
    let client = served.client();
    assert_eq!(count(&client).await, 12_000 - 100 + 10);
    let ids = PointsIdsList { ids: (0..100_u64).map(Into::into).collect() };
    let get = qdrant_client::qdrant::GetPointsBuilder::new("a", ids.ids);
    assert!(client.get_points(get).await.unwrap().result.is_empty());
    served.close().await;
}
