//! Collections and aliases.

use qdrant_client::Qdrant;
use qdrant_client::qdrant::{
    CollectionStatus, CountPointsBuilder, CreateAliasBuilder, CreateCollectionBuilder,
    CreateFieldIndexCollectionBuilder, Distance, FieldType, Modifier, OptimizersConfigDiffBuilder,
    PayloadSchemaType, RenameAliasBuilder, UpdateCollectionBuilder, VectorParamsBuilder, vectors_config,
};
use tonic::Code;

use super::fixture::{self, NAME, code};

pub(super) async fn a_collection_is_made_described_and_deleted(client: &Qdrant) {
    assert!(!client.collection_exists(NAME).await.unwrap());
    fixture::filled(client).await;
    client
        .create_field_index(
            CreateFieldIndexCollectionBuilder::new(NAME, "playbook", FieldType::Keyword).wait(true),
        )
        .await
        .unwrap();
    assert!(client.collection_exists(NAME).await.unwrap());
    let names: Vec<_> =
        client.list_collections().await.unwrap().collections.into_iter().map(|found| found.name).collect();
    assert_eq!(names, [NAME]);

    let info = client.collection_info(NAME).await.unwrap().result.unwrap();
    assert_eq!((info.status, info.points_count), (i32::from(CollectionStatus::Green), Some(6)));
    assert_eq!(info.payload_schema["playbook"].data_type, i32::from(PayloadSchemaType::Keyword));
    assert_eq!(info.payload_schema["playbook"].points, Some(5));
    let params = info.config.unwrap().params.unwrap();
    let Some(vectors_config::Config::ParamsMap(dense)) = params.vectors_config.unwrap().config else {
        panic!("the vectors have names")
    };
    assert_eq!((dense.map["text"].size, dense.map["text"].distance), (4, Distance::Cosine.into()));
    assert_eq!(params.sparse_vectors_config.unwrap().map["words"].modifier, Some(Modifier::Idf.into()));

    assert!(client.delete_collection(NAME).await.unwrap().result);
    assert!(!client.collection_exists(NAME).await.unwrap());
    assert_eq!(code(client.collection_info(NAME).await), Code::NotFound);
    // Its name is free again, and nothing of it is left.
    fixture::create(client, NAME).await;
    assert_eq!(
        client.count(CountPointsBuilder::new(NAME).exact(true)).await.unwrap().result.unwrap().count,
        0
    );
}

pub(super) async fn a_collection_is_made_once(client: &Qdrant) {
    let order =
        || CreateCollectionBuilder::new(NAME).vectors_config(VectorParamsBuilder::new(3, Distance::Dot));
    client.create_collection(order()).await.unwrap();
    assert_eq!(code(client.create_collection(order()).await), Code::AlreadyExists);
    assert!(!client.delete_collection("another").await.unwrap().result);
}

pub(super) async fn wrong_orders_are_refused(client: &Qdrant) {
    let size = |size| {
        CreateCollectionBuilder::new(NAME).vectors_config(VectorParamsBuilder::new(size, Distance::Dot))
    };
    for order in [
        size(0),
        size(65_537),
        CreateCollectionBuilder::new("a/b").vectors_config(VectorParamsBuilder::new(3, Distance::Dot)),
        CreateCollectionBuilder::new("").vectors_config(VectorParamsBuilder::new(3, Distance::Dot)),
        CreateCollectionBuilder::new(NAME)
            .vectors_config(VectorParamsBuilder::new(3, Distance::UnknownDistance)),
    ] {
        assert_eq!(code(client.create_collection(order).await), Code::InvalidArgument);
    }
    assert_eq!(client.list_collections().await.unwrap().collections.len(), 0);
}

pub(super) async fn a_collection_is_changed(client: &Qdrant) {
    fixture::filled(client).await;
    client
        .update_collection(
            UpdateCollectionBuilder::new(NAME)
                .optimizers_config(OptimizersConfigDiffBuilder::default().indexing_threshold(12_345)),
        )
        .await
        .unwrap();
    let config = client.collection_info(NAME).await.unwrap().result.unwrap().config.unwrap();
    assert_eq!(config.optimizer_config.unwrap().indexing_threshold, Some(12_345));
}

pub(super) async fn aliases_stand_for_collections(client: &Qdrant) {
    fixture::filled(client).await;
    client.create_alias(CreateAliasBuilder::new(NAME, "current")).await.unwrap();
    let count = client.count(CountPointsBuilder::new("current").exact(true)).await.unwrap();
    assert_eq!(count.result.unwrap().count, 6);
    client.rename_alias(RenameAliasBuilder::new("current", "now")).await.unwrap();
    let aliases = client.list_collection_aliases(NAME).await.unwrap().aliases;
    assert_eq!(aliases.iter().map(|alias| alias.alias_name.as_str()).collect::<Vec<_>>(), ["now"]);
    assert_eq!(client.list_aliases().await.unwrap().aliases, aliases);
    assert_eq!(code(client.count(CountPointsBuilder::new("current")).await), Code::NotFound);
    assert_eq!(code(client.create_alias(CreateAliasBuilder::new("nowhere", "x")).await), Code::NotFound);
    assert_eq!(code(client.create_alias(CreateAliasBuilder::new(NAME, NAME)).await), Code::InvalidArgument);
    client.delete_alias("now").await.unwrap();
    assert!(client.list_aliases().await.unwrap().aliases.is_empty());
}
