//! What this front promises beside the protocol: a key, limits, clear refusals.

use std::collections::HashMap;

use noetl_engine_qdrant::{Config, Engine, OpenError};
use qdrant_client::qdrant::{
    Condition, CountPointsBuilder, CreateCollectionBuilder, Distance, Filter, NestedCondition, PointStruct,
    QueryPointsBuilder, ScrollPointsBuilder, UpsertPointsBuilder, VectorParamsBuilder,
};
use qdrant_client::{Payload, QdrantError};
use tonic::Code;

use crate::{Served, client};

fn code<T: std::fmt::Debug>(answer: Result<T, QdrantError>) -> Code {
    match answer {
        Err(QdrantError::ResponseError { status }) => status.code(),
        other => panic!("not a refusal: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_key_opens_the_front() {
    let served = Served::new().await;
    let url = &served.front.url;
    let wrong = "0".repeat(served.front.api_key.len());
    for key in [None, Some(""), Some("short"), Some(wrong.as_str()), Some(&served.front.api_key[1..])] {
        let stranger = client(url, key);
        assert_eq!(code(stranger.list_collections().await), Code::Unauthenticated, "{key:?}");
        assert_eq!(
            code(stranger.count(CountPointsBuilder::new("a")).await),
            Code::Unauthenticated,
            "{key:?}"
        );
        assert_eq!(code(stranger.list_snapshots("a").await), Code::Unauthenticated, "{key:?}");
        assert_eq!(stranger.health_check().await.unwrap().version, "1.20.0");
    }
    served.client().list_collections().await.unwrap();
    assert!(!format!("{:?}", served.front).contains(&served.front.api_key));
    // Another start, another key.
    let old = served.front.clone();
    let served = Served::on(served.close().await).await;
    assert_ne!(served.front.api_key, old.api_key);
    served.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_engine_does_not_have_is_named() {
    let served = Served::new().await;
    let client = served.client();
    for answer in
        [client.list_snapshots("a").await.map(drop), client.collection_cluster_info("a").await.map(drop)]
    {
        let Err(QdrantError::ResponseError { status }) = answer else { panic!("not a refusal") };
        assert_eq!(status.code(), Code::Unimplemented);
        assert!(status.message().contains('/'), "{status}");
    }
    let prefix = Filter::must([Condition::matches_prefix("a", "b")]);
    client
        .create_collection(
            CreateCollectionBuilder::new("a").vectors_config(VectorParamsBuilder::new(2, Distance::Dot)),
        )
        .await
        .unwrap();
    assert_eq!(code(client.scroll(ScrollPointsBuilder::new("a").filter(prefix)).await), Code::Unimplemented);
    served.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_have_limits() {
    let served = Served::new().await;
    let client = served.client();
    client
        .create_collection(
            CreateCollectionBuilder::new("a").vectors_config(VectorParamsBuilder::new(2, Distance::Dot)),
        )
        .await
        .unwrap();
    let ask = |limit: u64| client.query(QueryPointsBuilder::new("a").query(vec![1.0, 0.0]).limit(limit));
    ask(10_000).await.unwrap();
    assert_eq!(code(ask(10_001).await), Code::InvalidArgument);

    let mut deep = Filter::must([Condition::matches("a", 1)]);
    for _ in 0..20 {
        deep = Filter::must([Condition::from(NestedCondition { key: "a".to_owned(), filter: Some(deep) })]);
    }
    assert_eq!(code(client.scroll(ScrollPointsBuilder::new("a").filter(deep)).await), Code::InvalidArgument);

    let long = "x".repeat(33 << 20);
    let payload = Payload::try_from(serde_json::json!({ "long": long })).unwrap();
    let point = PointStruct::new(1_u64, vec![1.0, 0.0], payload);
    assert_eq!(
        code(client.upsert_points(UpsertPointsBuilder::new("a", vec![point])).await),
        Code::OutOfRange
    );
    let numbers =
        PointStruct::new(1_u64, HashMap::from([(String::new(), vec![f32::NAN, 1.0])]), Payload::new());
    assert_eq!(
        code(client.upsert_points(UpsertPointsBuilder::new("a", vec![numbers])).await),
        Code::InvalidArgument
    );
    assert_eq!(
        client.count(CountPointsBuilder::new("a").exact(true)).await.unwrap().result.unwrap().count,
        0
    );
    served.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_has_one_process() {
    let served = Served::new().await;
    let path = served.directory.path().to_path_buf();
    let error = Engine::open(Config::new(&path)).await.unwrap_err();
    assert!(matches!(&error, OpenError::Taken { directory } if *directory == path), "{error:?}");
    assert!(error.to_string().contains("in use by another process"), "{error}");
    let directory = served.close().await;
    Engine::open(Config::new(directory.path())).await.unwrap().close().await.unwrap();
}
