//! Closing and opening again; what is damaged does not keep the rest from opening.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;

use qdrant_client::qdrant::{
    CountPointsBuilder, CreateAliasBuilder, CreateCollectionBuilder, CreateFieldIndexCollectionBuilder,
    Distance, FieldType, PointStruct, QueryPointsBuilder, UpsertPointsBuilder, VectorParamsBuilder,
};
use qdrant_client::{Payload, Qdrant};
use serde_json::json;

use crate::Served;

async fn make(client: &Qdrant, name: &str, points: u64) {
    let order = CreateCollectionBuilder::new(name)
        .vectors_config(VectorParamsBuilder::new(2, Distance::Euclid))
        .metadata(HashMap::from([("model".to_owned(), json!("minilm"))]));
    client.create_collection(order).await.unwrap();
    let points: Vec<_> = (0..points)
        .map(|id| PointStruct::new(id, vec![id as f32, 0.0], Payload::try_from(json!({"n": id})).unwrap()))
        .collect();
    client.upsert_points(UpsertPointsBuilder::new(name, points).wait(false)).await.unwrap();
}

async fn count(client: &Qdrant, name: &str) -> u64 {
    client.count(CountPointsBuilder::new(name).exact(true)).await.unwrap().result.unwrap().count
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_there_again() {
    let served = Served::new().await;
    let client = served.client();
    make(&client, "ä name with spaces", 50).await;
    make(&client, "gone", 5).await;
    let index = CreateFieldIndexCollectionBuilder::new("ä name with spaces", "n", FieldType::Integer);
    client.create_field_index(index.wait(true)).await.unwrap();
    client.create_alias(CreateAliasBuilder::new("ä name with spaces", "alias")).await.unwrap();
    client.create_alias(CreateAliasBuilder::new("gone", "lost")).await.unwrap();
    client.delete_collection("gone").await.unwrap();

    let served = Served::on(served.close().await).await;
    let client = served.client();
    assert!(served.engine.set_aside().is_empty());
    assert_eq!(client.list_collections().await.unwrap().collections.len(), 1);
    assert_eq!(client.list_aliases().await.unwrap().aliases.len(), 1);
    assert_eq!(count(&client, "alias").await, 50);
    let info = client.collection_info("alias").await.unwrap().result.unwrap();
    assert!(info.payload_schema.contains_key("n"));
    assert_eq!(info.config.unwrap().metadata["model"].as_str().unwrap(), "minilm");
    let nearest =
        client.query(QueryPointsBuilder::new("alias").query(vec![7.2, 0.0]).limit(1)).await.unwrap();
    assert_eq!(nearest.result[0].id, Some(7_u64.into()));
    // Writing goes on where it ended.
    let more = PointStruct::new(7_u64, vec![1_000.0, 0.0], Payload::new());
    client.upsert_points(UpsertPointsBuilder::new("alias", vec![more]).wait(true)).await.unwrap();
    let nearest =
        client.query(QueryPointsBuilder::new("alias").query(vec![999.0, 0.0]).limit(1)).await.unwrap();
    assert_eq!(nearest.result[0].id, Some(7_u64.into()));
    served.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_collection_is_set_aside_and_the_others_open() {
    let served = Served::new().await;
    let client = served.client();
    for name in ["whole", "no description", "no configuration", "cut segment", "bad description"] {
        make(&client, name, 20).await;
    }
    let directory = served.close().await;
    let homes: HashMap<String, PathBuf> = fs::read_dir(directory.path().join("collections"))
        .unwrap()
        .map(|entry| {
            let home = entry.unwrap().path();
            let about: serde_json::Value =
                serde_json::from_slice(&fs::read(home.join("collection.json")).unwrap()).unwrap();
            (about["name"].as_str().unwrap().to_owned(), home)
        })
        .collect();
    fs::remove_file(homes["no description"].join("collection.json")).unwrap();
    fs::write(homes["bad description"].join("collection.json"), "{").unwrap();
    fs::write(homes["no configuration"].join("shard/edge_config.json"), "nonsense").unwrap();
    let segments = homes["cut segment"].join("shard/segments");
    let segment = fs::read_dir(segments).unwrap().next().unwrap().unwrap().path();
    fs::write(segment.join("segment.json"), "").unwrap();

    let served = Served::on(directory).await;
    let client = served.client();
    let names: Vec<_> =
        client.list_collections().await.unwrap().collections.into_iter().map(|found| found.name).collect();
    assert_eq!(names, ["whole"]);
    assert_eq!(count(&client, "whole").await, 20);
    let damaged = served.engine.set_aside();
    assert_eq!(damaged.len(), 4, "{damaged:#?}");
    assert!(damaged.iter().all(|one| one.path.is_dir() && !one.reason.is_empty()), "{damaged:#?}");
    // The names are free again, and the next start has nothing to report.
    make(&client, "cut segment", 3).await;
    let served = Served::on(served.close().await).await;
    assert!(served.engine.set_aside().is_empty());
    assert_eq!(count(&served.client(), "cut segment").await, 3);
    served.close().await;
}
