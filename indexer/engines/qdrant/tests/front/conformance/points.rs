//! Writing points and reading them back.

use std::collections::{BTreeSet, HashMap};

use qdrant_client::qdrant::points_update_operation::{self as batched, Operation};
use qdrant_client::qdrant::vector_output::Vector as Shape;
use qdrant_client::qdrant::{
    ClearPayloadPointsBuilder, Condition, CountPointsBuilder, CreateFieldIndexCollectionBuilder,
    DeletePayloadPointsBuilder, DeletePointVectorsBuilder, DeletePointsBuilder, DenseVector, Direction,
    FacetCountsBuilder, FieldType, Filter, GetPointsBuilder, OrderByBuilder, PointId, PointStruct,
    PointVectors, PointsIdsList, RetrievedPoint, ScrollPointsBuilder, SetPayloadPointsBuilder, SparseVector,
    UpdateBatchPointsBuilder, UpdateMode, UpdatePointVectorsBuilder, UpdateStatus, UpsertPointsBuilder,
    Vector, VectorsSelector, facet_value,
};
use qdrant_client::{Payload, Qdrant};
use serde_json::{Value, json};
use tonic::Code;

use super::fixture::{self, NAME, code, matching, number};

async fn get(client: &Qdrant, id: u64) -> Option<RetrievedPoint> {
    let get = GetPointsBuilder::new(NAME, vec![id.into()]).with_payload(true).with_vectors(true);
    client.get_points(get).await.unwrap().result.into_iter().next()
}

async fn payload(client: &Qdrant, id: u64) -> Value {
    Payload::from(get(client, id).await.unwrap().payload).into()
}

fn wrap(value: Value) -> Payload {
    Payload::try_from(value).unwrap()
}

pub(super) async fn points_come_back_as_they_were_written(client: &Qdrant) {
    fixture::create(client, NAME).await;
    let uuid = "550e8400-e29b-41d4-a716-446655440000";
    let written = json!({
        "text": "ünï\u{1F600}", "integer": i64::MIN, "float": 0.1, "flag": false, "null": null,
        "list": [1, "two", [3.5]], "object": {"inner": {"deep": true}},
    });
    let vectors = HashMap::from([
        ("text".to_owned(), Vector::from(DenseVector { data: vec![0.6, 0.8, 0.0, 0.0] })),
        (
            "words".to_owned(),
            Vector::from(SparseVector { values: vec![2.0, 0.25], indices: vec![7, 4_000_000_000] }),
        ),
    ]);
    let answer = client
        .upsert_points(
            UpsertPointsBuilder::new(NAME, vec![PointStruct::new(uuid, vectors, wrap(written.clone()))])
                .wait(true),
        )
        .await
        .unwrap();
    assert_eq!(answer.result.unwrap().status, i32::from(UpdateStatus::Completed));

    let get =
        GetPointsBuilder::new(NAME, vec![uuid.into(), 7_u64.into()]).with_payload(true).with_vectors(true);
    let found = client.get_points(get).await.unwrap().result;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].id, Some(uuid.into()));
    assert_eq!(Value::from(Payload::from(found[0].payload.clone())), written);
    let vectors = found[0].vectors.as_ref().unwrap();
    assert_eq!(
        vectors.get_vector_by_name("text"),
        Some(Shape::Dense(DenseVector { data: vec![0.6, 0.8, 0.0, 0.0] }))
    );
    assert_eq!(
        vectors.get_vector_by_name("words"),
        Some(Shape::Sparse(SparseVector { values: vec![2.0, 0.25], indices: vec![7, 4_000_000_000] }))
    );
}

pub(super) async fn writing_again_replaces(client: &Qdrant) {
    fixture::filled(client).await;
    client.upsert_points(UpsertPointsBuilder::new(NAME, fixture::points()).wait(true)).await.unwrap();
    let again = PointStruct::new(
        1_u64,
        HashMap::from([("text".to_owned(), vec![0.0, 0.0, 0.0, 1.0])]),
        wrap(json!({"only": "this"})),
    );
    client.upsert_points(UpsertPointsBuilder::new(NAME, vec![again]).wait(true)).await.unwrap();
    assert_eq!(payload(client, 1).await, json!({"only": "this"}));
    assert_eq!(get(client, 1).await.unwrap().vectors.unwrap().get_vector_by_name("words"), None);
    assert_eq!(matching(client, Filter::default()).await, [1, 2, 3, 4, 5, 6]);
    // A client that does not wait is answered before it is on disk, and reads its own write.
    let later = UpsertPointsBuilder::new(
        NAME,
        vec![PointStruct::new(7_u64, HashMap::<String, Vec<f32>>::new(), Payload::new())],
    );
    let answer = client.upsert_points(later.wait(false)).await.unwrap();
    assert_eq!(answer.result.unwrap().status, i32::from(UpdateStatus::Acknowledged));
}

pub(super) async fn payloads_are_set_overwritten_deleted_and_cleared(client: &Qdrant) {
    fixture::filled(client).await;
    let ids = |ids: &[u64]| PointsIdsList { ids: ids.iter().map(|id| (*id).into()).collect() };
    let set = SetPayloadPointsBuilder::new(NAME, wrap(json!({"seen": 2, "owner": "eve"}))).wait(true);
    client.set_payload(set.points_selector(ids(&[5]))).await.unwrap();
    let five = payload(client, 5).await;
    assert_eq!((&five["seen"], &five["owner"], &five["seconds"]), (&json!(2), &json!("eve"), &json!(4.5)));

    let set = SetPayloadPointsBuilder::new(NAME, wrap(json!({"code": 7}))).key("answer.last").wait(true);
    client
        .set_payload(set.points_selector(Filter::must([Condition::matches("owner", "ada".to_owned())])))
        .await
        .unwrap();
    assert_eq!(payload(client, 4).await["answer"], json!({"last": {"code": 7}}));
    assert_eq!(payload(client, 2).await["answer"], json!({"last": {"code": 7}}));

    let overwrite = SetPayloadPointsBuilder::new(NAME, wrap(json!({"all": true}))).wait(true);
    client.overwrite_payload(overwrite.points_selector(ids(&[5]))).await.unwrap();
    assert_eq!(payload(client, 5).await, json!({"all": true}));

    let delete =
        DeletePayloadPointsBuilder::new(NAME, vec!["answer.last".to_owned(), "owner".to_owned()]).wait(true);
    client.delete_payload(delete.points_selector(ids(&[4]))).await.unwrap();
    let four = payload(client, 4).await;
    assert_eq!((&four["answer"], four.get("owner")), (&json!({}), None));

    client.clear_payload(ClearPayloadPointsBuilder::new(NAME).points(ids(&[4, 5])).wait(true)).await.unwrap();
    assert_eq!((payload(client, 4).await, payload(client, 5).await), (json!({}), json!({})));
}

pub(super) async fn vectors_are_changed_and_deleted(client: &Qdrant) {
    fixture::filled(client).await;
    let vectors = HashMap::from([("text".to_owned(), vec![0.0, 0.0, 0.0, 1.0])]);
    let change = UpdatePointVectorsBuilder::new(
        NAME,
        vec![PointVectors { id: Some(1_u64.into()), vectors: Some(vectors.into()) }],
    );
    client.update_vectors(change.wait(true)).await.unwrap();
    let one = get(client, 1).await.unwrap();
    let text = one.vectors.as_ref().unwrap().get_vector_by_name("text");
    assert_eq!(text, Some(Shape::Dense(DenseVector { data: vec![0.0, 0.0, 0.0, 1.0] })));
    assert_eq!(one.payload["playbook"].as_str().unwrap(), "orders/load");

    let delete = DeletePointVectorsBuilder::new(NAME)
        .points_selector(PointsIdsList { ids: vec![1_u64.into()] })
        .vectors(VectorsSelector { names: vec!["words".to_owned()] })
        .wait(true);
    client.delete_vectors(delete).await.unwrap();
    assert_eq!(get(client, 1).await.unwrap().vectors.unwrap().get_vector_by_name("words"), None);
    assert_eq!(matching(client, Filter::must([Condition::has_vector("words")])).await, [2, 3, 4, 5, 6]);
}

pub(super) async fn points_are_deleted_by_id_and_by_filter(client: &Qdrant) {
    fixture::filled(client).await;
    let delete =
        DeletePointsBuilder::new(NAME).points(PointsIdsList { ids: vec![6_u64.into(), 77_u64.into()] });
    client.delete_points(delete.wait(true)).await.unwrap();
    assert_eq!(matching(client, Filter::default()).await, [1, 2, 3, 4, 5]);
    let load = Filter::must([Condition::matches("playbook", "orders/load".to_owned())]);
    client.delete_points(DeletePointsBuilder::new(NAME).points(load).wait(true)).await.unwrap();
    assert_eq!(matching(client, Filter::default()).await, [3, 4, 5]);
}

pub(super) async fn a_batch_is_done_in_order(client: &Qdrant) {
    fixture::filled(client).await;
    let two = || qdrant_client::qdrant::PointsSelector::from(vec![PointId::from(2_u64)]);
    let operations = vec![
        Operation::DeletePoints(batched::DeletePoints {
            points: Some(two()),
            ..batched::DeletePoints::default()
        })
        .into(),
        Operation::Upsert(batched::PointStructList {
            points: vec![fixture::points()[1].clone()],
            ..batched::PointStructList::default()
        })
        .into(),
        Operation::SetPayload(batched::SetPayload {
            payload: wrap(json!({"step": 1})).into(),
            points_selector: Some(two()),
            ..batched::SetPayload::default()
        })
        .into(),
        Operation::SetPayload(batched::SetPayload {
            payload: wrap(json!({"step": 2})).into(),
            points_selector: Some(two()),
            ..batched::SetPayload::default()
        })
        .into(),
        Operation::DeletePayload(batched::DeletePayload {
            keys: vec!["tags".to_owned()],
            points_selector: Some(two()),
            ..batched::DeletePayload::default()
        })
        .into(),
    ];
    let answer =
        client.update_points_batch(UpdateBatchPointsBuilder::new(NAME, operations).wait(true)).await.unwrap();
    assert_eq!(answer.result.len(), 5);
    let two = payload(client, 2).await;
    assert_eq!((&two["step"], two.get("tags"), &two["owner"]), (&json!(2), None, &json!("ada")));
}

pub(super) async fn upserts_can_be_conditional(client: &Qdrant) {
    fixture::filled(client).await;
    let point =
        |id: u64| PointStruct::new(id, HashMap::<String, Vec<f32>>::new(), wrap(json!({"new": true})));
    let upsert = |id: u64| UpsertPointsBuilder::new(NAME, vec![point(id)]).wait(true);
    client.upsert_points(upsert(1).update_mode(UpdateMode::InsertOnly)).await.unwrap();
    client.upsert_points(upsert(50).update_mode(UpdateMode::InsertOnly)).await.unwrap();
    client.upsert_points(upsert(51).update_mode(UpdateMode::UpdateOnly)).await.unwrap();
    let ada = Filter::must([Condition::matches("owner", "ada".to_owned())]);
    for id in [2, 3] {
        client.upsert_points(upsert(id).update_filter(ada.clone())).await.unwrap();
    }
    assert_eq!(matching(client, Filter::must([Condition::matches("new", true)])).await, [2, 50]);
    assert_eq!(matching(client, Filter::default()).await, [1, 2, 3, 4, 5, 6, 50]);
}

pub(super) async fn scrolling_sees_every_point_once(client: &Qdrant) {
    fixture::create(client, NAME).await;
    let points: Vec<_> = (0..95_u64)
        .map(|id| {
            let vectors = HashMap::from([("text".to_owned(), vec![1.0, 0.0, 0.0, 0.0])]);
            PointStruct::new(id, vectors, wrap(json!({"even": id % 2 == 0})))
        })
        .collect();
    client.upsert_points(UpsertPointsBuilder::new(NAME, points).wait(true)).await.unwrap();
    let even = Filter::must([Condition::matches("even", true)]);
    for (filter, expected) in [(Filter::default(), 95), (even, 48)] {
        let (mut seen, mut offset) = (Vec::new(), None);
        loop {
            let mut scroll =
                ScrollPointsBuilder::new(NAME).filter(filter.clone()).limit(10).with_payload(false);
            if let Some(offset) = offset {
                scroll = scroll.offset::<qdrant_client::qdrant::PointId>(offset);
            }
            let page = client.scroll(scroll).await.unwrap();
            assert!(page.result.iter().all(|point| point.payload.is_empty()));
            seen.extend(page.result.iter().map(|point| number(point.id.as_ref())));
            offset = page.next_page_offset;
            if offset.is_none() {
                break;
            }
        }
        assert!(seen.is_sorted());
        assert_eq!((seen.len(), seen.iter().collect::<BTreeSet<_>>().len()), (expected, expected));
    }
}

pub(super) async fn scrolling_in_the_order_of_a_field(client: &Qdrant) {
    fixture::filled(client).await;
    let ordered = |order: OrderByBuilder| ScrollPointsBuilder::new(NAME).limit(3).order_by(order);
    assert_eq!(code(client.scroll(ordered(OrderByBuilder::new("seconds"))).await), Code::InvalidArgument);
    for (name, kind) in [("seconds", FieldType::Float), ("at", FieldType::Datetime)] {
        client
            .create_field_index(CreateFieldIndexCollectionBuilder::new(NAME, name, kind).wait(true))
            .await
            .unwrap();
        for (direction, expected) in [(Direction::Asc, [1, 2, 3]), (Direction::Desc, [5, 4, 3])] {
            let page =
                client.scroll(ordered(OrderByBuilder::new(name).direction(direction as i32))).await.unwrap();
            let ids: Vec<u64> = page.result.iter().map(|point| number(point.id.as_ref())).collect();
            assert_eq!(ids, expected, "{name}");
        }
    }
}

pub(super) async fn facets_count_values(client: &Qdrant) {
    fixture::filled(client).await;
    let facet = || FacetCountsBuilder::new(NAME, "playbook").exact(true).limit(10);
    assert_eq!(code(client.facet(facet()).await), Code::InvalidArgument);
    client
        .create_field_index(
            CreateFieldIndexCollectionBuilder::new(NAME, "playbook", FieldType::Keyword).wait(true),
        )
        .await
        .unwrap();
    let counts = async |facet: FacetCountsBuilder| -> Vec<(String, u64)> {
        let hits = client.facet(facet).await.unwrap().hits;
        let mut counts: Vec<_> = hits
            .into_iter()
            .map(|hit| match hit.value.and_then(|value| value.variant) {
                Some(facet_value::Variant::StringValue(text)) => (text, hit.count),
                other => panic!("not a text: {other:?}"),
            })
            .collect();
        counts.sort();
        counts
    };
    let of = |name: &str, count| (name.to_owned(), count);
    assert_eq!(counts(facet()).await, [of("orders/load", 2), of("orders/pay", 2), of("reports/night", 1)]);
    let once = Filter::must([Condition::matches("attempts", 1)]);
    assert_eq!(counts(facet().filter(once)).await, [of("orders/load", 1), of("orders/pay", 1)]);
}

pub(super) async fn wrong_points_are_refused_whole(client: &Qdrant) {
    fixture::create(client, NAME).await;
    let good = fixture::points()[0].clone();
    let named = |name: &str, vector: Vector| {
        PointStruct::new(2_u64, HashMap::from([(name.to_owned(), vector)]), Payload::new())
    };
    let dense = |numbers: &[f32]| Vector::from(DenseVector { data: numbers.to_vec() });
    let sparse = |values: Vec<f32>, indices: Vec<u32>| Vector::from(SparseVector { values, indices });
    for bad in [
        named("text", dense(&[1.0, 2.0, 3.0])),
        named("nowhere", dense(&[1.0, 2.0, 3.0, 4.0])),
        named("text", sparse(vec![1.0], vec![1])),
        named("words", dense(&[1.0, 2.0, 3.0, 4.0])),
        named("words", sparse(vec![1.0, 2.0], vec![3, 3])),
        named("words", sparse(vec![1.0, 2.0], vec![3])),
        PointStruct::new(2_u64, vec![1.0, 2.0, 3.0, 4.0], Payload::new()),
        PointStruct::new("not-a-uuid", HashMap::<String, Vec<f32>>::new(), Payload::new()),
    ] {
        let upsert = UpsertPointsBuilder::new(NAME, vec![good.clone(), bad.clone()]).wait(true);
        assert_eq!(code(client.upsert_points(upsert).await), Code::InvalidArgument, "{bad:?}");
    }
    assert_eq!(matching(client, Filter::default()).await, [0_u64; 0]);
    let upsert = UpsertPointsBuilder::new("nowhere", vec![good]).wait(true);
    assert_eq!(code(client.upsert_points(upsert).await), Code::NotFound);
}

pub(super) async fn eight_clients_at_once(client: &Qdrant) {
    fixture::create(client, NAME).await;
    let work = (0..8_u64).map(|worker| {
        let client = client.clone();
        async move {
            for round in 0..20_u64 {
                let points: Vec<_> = (0..5)
                    .map(|place| {
                        let id = worker * 1_000 + round * 5 + place;
                        let vectors = HashMap::from([("text".to_owned(), vec![1.0, id as f32, 0.0, 0.0])]);
                        PointStruct::new(id, vectors, wrap(json!({"worker": worker})))
                    })
                    .collect();
                client
                    .upsert_points(UpsertPointsBuilder::new(NAME, points).wait(round % 4 == 0))
                    .await
                    .unwrap();
                let mine = Filter::must([Condition::matches("worker", worker as i64)]);
                let count =
                    client.count(CountPointsBuilder::new(NAME).filter(mine).exact(true)).await.unwrap();
                // Whoever writes reads it at once, waited or not.
                assert_eq!(count.result.unwrap().count, (round + 1) * 5);
            }
        }
    });
    let work: Vec<_> = work.map(tokio::spawn).collect();
    for one in work {
        one.await.unwrap();
    }
    assert_eq!(
        client.count(CountPointsBuilder::new(NAME).exact(true)).await.unwrap().result.unwrap().count,
        800
    );
}
