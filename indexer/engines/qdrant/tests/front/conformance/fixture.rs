//! A small collection of failures that the cases ask about.

use qdrant_client::qdrant::{
    CreateCollectionBuilder, Distance, Filter, Modifier, NamedVectors, PointId, PointStruct,
    ScrollPointsBuilder, SparseVectorParamsBuilder, SparseVectorsConfigBuilder, UpsertPointsBuilder, Vector,
    VectorParamsBuilder, VectorsConfigBuilder, point_id::PointIdOptions,
};
use qdrant_client::{Payload, Qdrant, QdrantError};
use serde_json::{Value, json};
use tonic::Code;

pub(super) const NAME: &str = "failures";

/// Dense vectors of four numbers named `text`, sparse ones named `words`.
pub(super) async fn create(client: &Qdrant, name: &str) {
    let mut vectors = VectorsConfigBuilder::default();
    vectors.add_named_vector_params("text", VectorParamsBuilder::new(4, Distance::Cosine));
    let mut sparse = SparseVectorsConfigBuilder::default();
    sparse.add_named_vector_params(
        "words",
        SparseVectorParamsBuilder::default().modifier(Modifier::Idf as i32),
    );
    client
        .create_collection(
            CreateCollectionBuilder::new(name).vectors_config(vectors).sparse_vectors_config(sparse),
        )
        .await
        .unwrap();
}

pub(super) async fn filled(client: &Qdrant) {
    create(client, NAME).await;
    client.upsert_points(UpsertPointsBuilder::new(NAME, points()).wait(true)).await.unwrap();
}

pub(super) fn points() -> Vec<PointStruct> {
    let of = |id: u64, text: [f32; 4], words: &[(u32, f32)], payload: Value| {
        let vectors = NamedVectors::default().add_vector("text", text.to_vec()).add_vector(
            "words",
            Vector::new_sparse(
                words.iter().map(|(index, _)| *index).collect::<Vec<_>>(),
                words.iter().map(|(_, value)| *value).collect::<Vec<_>>(),
            ),
        );
        PointStruct::new(id, vectors, Payload::try_from(payload).unwrap())
    };
    vec![
        of(
            1,
            [1.0, 0.0, 0.0, 0.0],
            &[(1, 1.0), (2, 1.0)],
            json!({
                "playbook": "orders/load", "attempts": 1, "seconds": 0.5, "transient": true,
                "at": "2026-11-01T10:00:00Z", "message": "Connection refused by the database",
                "tags": ["net", "db"], "owner": null, "place": {"lon": 13.4, "lat": 52.5},
                "steps": [{"name": "load", "code": 503}, {"name": "save", "code": 200}],
                "run": "550e8400-e29b-41d4-a716-446655440000",
            }),
        ),
        of(
            2,
            [0.9, 0.1, 0.0, 0.0],
            &[(1, 1.0), (3, 1.0)],
            json!({
                "playbook": "orders/load", "attempts": 3, "seconds": 1.5, "transient": true,
                "at": "2026-11-02T10:00:00Z", "message": "Connection reset by peer",
                "tags": ["net"], "owner": "ada", "place": {"lon": 2.35, "lat": 48.85},
                "steps": [{"name": "load", "code": 200}, {"name": "save", "code": 503}],
            }),
        ),
        of(
            3,
            [0.0, 1.0, 0.0, 0.0],
            &[(4, 1.0)],
            json!({
                "playbook": "orders/pay", "attempts": 1, "seconds": 2.5, "transient": false,
                "at": "2026-11-03T10:00:00Z", "message": "Card declined",
                "tags": [], "owner": "bob",
            }),
        ),
        of(
            4,
            [0.0, 0.9, 0.1, 0.0],
            &[(4, 1.0), (1, 0.2)],
            json!({
                "playbook": "orders/pay", "attempts": 5, "seconds": 3.5, "transient": false,
                "at": "2026-11-04T10:00:00Z", "message": "Card expired before the database answered",
                "tags": ["money"], "owner": "ada",
            }),
        ),
        of(
            5,
            [0.0, 0.0, 1.0, 0.0],
            &[(5, 1.0)],
            json!({
                "playbook": "reports/night", "attempts": -2, "seconds": 4.5, "transient": false,
                "at": "2026-11-05T10:00:00Z", "message": "Out of memory", "tags": ["host"],
            }),
        ),
        of(6, [0.0, 0.0, 0.0, 1.0], &[(6, 1.0), (1, 0.1)], json!({})),
    ]
}

/// The ids of all points that a filter lets through, in order.
pub(super) async fn matching(client: &Qdrant, filter: Filter) -> Vec<u64> {
    let scroll = ScrollPointsBuilder::new(NAME).filter(filter).limit(100);
    let mut ids: Vec<u64> =
        client.scroll(scroll).await.unwrap().result.iter().map(|point| number(point.id.as_ref())).collect();
    ids.sort_unstable();
    ids
}

pub(super) fn number(id: Option<&PointId>) -> u64 {
    match id.and_then(|id| id.point_id_options.as_ref()) {
        Some(PointIdOptions::Num(number)) => *number,
        other => panic!("not a number: {other:?}"),
    }
}

pub(super) fn code<T: std::fmt::Debug>(answer: Result<T, QdrantError>) -> Code {
    match answer {
        Err(QdrantError::ResponseError { status }) => status.code(),
        other => panic!("not a refusal: {other:?}"),
    }
}
