//! Filters by every type of payload.

use prost_types::Timestamp;
use qdrant_client::Qdrant;
use qdrant_client::qdrant::{
    Condition, CountPointsBuilder, CreateFieldIndexCollectionBuilder, DatetimeRange,
    DeleteFieldIndexCollectionBuilder, FieldType, Filter, GeoBoundingBox, GeoLineString, GeoPoint,
    GeoPolygon, GeoRadius, IntegerIndexParamsBuilder, Range, SearchPointsBuilder, TextIndexParamsBuilder,
    TokenizerType, ValuesCount,
};

use super::fixture::{self, NAME, matching};

/// What a case is called, its filter, and the points it lets through.
fn table() -> Vec<(&'static str, Filter, Vec<u64>)> {
    let one = |condition: Condition| Filter::must([condition]);
    let number = |key: &str, range: Range| one(Condition::range(key, range));
    let november = |day: i64| Some(Timestamp { seconds: 1_793_491_200 + day * 86_400, nanos: 0 });
    let place = |lon: f64, lat: f64| GeoPoint { lon, lat };
    let ring =
        vec![place(10.0, 50.0), place(15.0, 50.0), place(15.0, 55.0), place(10.0, 55.0), place(10.0, 50.0)];
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    vec![
        ("keyword", one(Condition::matches("playbook", "orders/load".to_owned())), vec![1, 2]),
        ("keyword in a list", one(Condition::matches("tags", "net".to_owned())), vec![1, 2]),
        ("any keyword", one(Condition::matches("owner", words(&["bob", "ada"]))), vec![2, 3, 4]),
        (
            "no keyword",
            one(Condition::matches(
                "playbook",
                !qdrant_client::qdrant::r#match::MatchValue::from(words(&["orders/load"])),
            )),
            vec![3, 4, 5],
        ),
        ("integer", one(Condition::matches("attempts", 1)), vec![1, 3]),
        ("negative integer", one(Condition::matches("attempts", -2)), vec![5]),
        ("any integer", one(Condition::matches("attempts", vec![3, 5])), vec![2, 4]),
        ("bool", one(Condition::matches("transient", true)), vec![1, 2]),
        (
            "float range",
            number("seconds", Range { gte: Some(1.5), lt: Some(3.5), ..Range::default() }),
            vec![2, 3],
        ),
        (
            "integer range",
            number("attempts", Range { gt: Some(1.0), lte: Some(5.0), ..Range::default() }),
            vec![2, 4],
        ),
        (
            "datetime range",
            one(Condition::datetime_range(
                "at",
                DatetimeRange { gte: november(1), lt: november(3), ..DatetimeRange::default() },
            )),
            vec![2, 3],
        ),
        ("text", one(Condition::matches_text("message", "database")), vec![1, 4]),
        ("null", one(Condition::is_null("owner")), vec![1]),
        ("empty", one(Condition::is_empty("owner")), vec![1, 5, 6]),
        ("empty list", one(Condition::is_empty("tags")), vec![3, 6]),
        ("id", one(Condition::has_id([2, 4, 99])), vec![2, 4]),
        ("vector", one(Condition::has_vector("text")), vec![1, 2, 3, 4, 5, 6]),
        (
            "nested",
            one(Condition::nested(
                "steps",
                Filter::must([
                    Condition::matches("name", "load".to_owned()),
                    Condition::matches("code", 503),
                ]),
            )),
            vec![1],
        ),
        (
            "not nested",
            Filter::must([
                Condition::matches("steps[].name", "load".to_owned()),
                Condition::matches("steps[].code", 503),
            ]),
            vec![1, 2],
        ),
        (
            "count of values",
            one(Condition::values_count("tags", ValuesCount { gte: Some(2), ..ValuesCount::default() })),
            vec![1],
        ),
        (
            "radius",
            one(Condition::geo_radius(
                "place",
                GeoRadius { center: Some(place(13.3, 52.4)), radius: 50_000.0 },
            )),
            vec![1],
        ),
        (
            "box",
            one(Condition::geo_bounding_box(
                "place",
                GeoBoundingBox { top_left: Some(place(0.0, 50.0)), bottom_right: Some(place(5.0, 45.0)) },
            )),
            vec![2],
        ),
        (
            "polygon",
            one(Condition::geo_polygon(
                "place",
                GeoPolygon { exterior: Some(GeoLineString { points: ring }), interiors: Vec::new() },
            )),
            vec![1],
        ),
        (
            "either",
            Filter::should([
                Condition::matches("attempts", 3),
                Condition::matches("owner", "bob".to_owned()),
            ]),
            vec![2, 3],
        ),
        ("neither", Filter::must_not([Condition::matches("transient", false)]), vec![1, 2, 6]),
        (
            "two of three",
            Filter::min_should(
                2,
                [
                    Condition::matches("owner", "ada".to_owned()),
                    Condition::matches("transient", true),
                    Condition::matches("attempts", 5),
                ],
            ),
            vec![2, 4],
        ),
        (
            "filters in filters",
            Filter {
                must: vec![
                    Filter::should([Condition::matches("attempts", 1), Condition::matches("attempts", 5)])
                        .into(),
                ],
                must_not: vec![Condition::matches("owner", "bob".to_owned())],
                ..Filter::default()
            },
            vec![1, 4],
        ),
        ("everything", Filter::default(), vec![1, 2, 3, 4, 5, 6]),
    ]
}

async fn check_table(client: &Qdrant, when: &str) {
    for (what, filter, expected) in table() {
        assert_eq!(matching(client, filter.clone()).await, expected, "{what}, {when}");
        let count =
            client.count(CountPointsBuilder::new(NAME).filter(filter.clone()).exact(true)).await.unwrap();
        assert_eq!(count.result.unwrap().count, expected.len() as u64, "count of {what}, {when}");
        let search =
            SearchPointsBuilder::new(NAME, [0.5, 0.5, 0.5, 0.5], 100).vector_name("text").filter(filter);
        let mut found: Vec<u64> = client
            .search_points(search)
            .await
            .unwrap()
            .result
            .iter()
            .map(|point| fixture::number(point.id.as_ref()))
            .collect();
        found.sort_unstable();
        assert_eq!(found, expected, "search of {what}, {when}");
    }
}

pub(super) async fn filters_of_every_kind(client: &Qdrant) {
    fixture::filled(client).await;
    check_table(client, "without indexes").await;
}

pub(super) async fn indexes_change_no_answer(client: &Qdrant) {
    fixture::filled(client).await;
    let field =
        |name: &str, kind: FieldType| CreateFieldIndexCollectionBuilder::new(NAME, name, kind).wait(true);
    let text = TextIndexParamsBuilder::new(TokenizerType::Word).lowercase(true).min_token_len(2);
    for index in [
        field("playbook", FieldType::Keyword),
        field("owner", FieldType::Keyword),
        field("tags", FieldType::Keyword),
        field("attempts", FieldType::Integer).field_index_params(IntegerIndexParamsBuilder::new(true, true)),
        field("seconds", FieldType::Float),
        field("transient", FieldType::Bool),
        field("at", FieldType::Datetime),
        field("place", FieldType::Geo),
        field("run", FieldType::Uuid),
        field("steps[].name", FieldType::Keyword),
        field("message", FieldType::Text).field_index_params(text),
    ] {
        client.create_field_index(index).await.unwrap();
    }
    check_table(client, "with indexes").await;
    // With an index text is matched by its words, in any case.
    for (words, expected) in
        [("refused CONNECTION", vec![1]), ("connection", vec![1, 2]), ("connect", vec![])]
    {
        let filter = Filter::must([Condition::matches_text("message", words)]);
        assert_eq!(matching(client, filter).await, expected, "{words}");
    }
    let any = Filter::must([Condition::matches_text_any("message", "declined memory")]);
    assert_eq!(matching(client, any).await, [3, 5]);

    client
        .delete_field_index(DeleteFieldIndexCollectionBuilder::new(NAME, "playbook").wait(true))
        .await
        .unwrap();
    let info = client.collection_info(NAME).await.unwrap().result.unwrap();
    assert!(!info.payload_schema.contains_key("playbook"));
    check_table(client, "after an index was deleted").await;
}
