//! Asking for points: by likeness, by words, by both.

use std::collections::HashMap;

use qdrant_client::Qdrant;
use qdrant_client::qdrant::{
    Condition, ContextInputBuilder, CreateFieldIndexCollectionBuilder, DecayParamsExpressionBuilder,
    DiscoverInput, Expression, FieldType, Filter, FormulaBuilder, Fusion, Mmr, OrderBy, OrderByBuilder,
    PointId, PrefetchQueryBuilder, Query, QueryBatchPointsBuilder, QueryPointGroupsBuilder,
    QueryPointsBuilder, RecommendInputBuilder, RecommendPointsBuilder, RecommendStrategy, RrfBuilder, Sample,
    ScoredPoint, SearchPointGroupsBuilder, SearchPointsBuilder, VectorsSelector, group_id,
};
use tonic::Code;

use super::fixture::{self, NAME, code, number};

fn ids(points: &[ScoredPoint]) -> Vec<u64> {
    points.iter().map(|point| number(point.id.as_ref())).collect()
}

async fn ask(client: &Qdrant, query: QueryPointsBuilder) -> Vec<ScoredPoint> {
    client.query(query).await.unwrap().result
}

fn text(vector: [f32; 4]) -> QueryPointsBuilder {
    QueryPointsBuilder::new(NAME).query(vector.to_vec()).using("text")
}

fn words(words: &[(u32, f32)]) -> QueryPointsBuilder {
    QueryPointsBuilder::new(NAME).query(words.to_vec()).using("words")
}

pub(super) async fn the_nearest_come_first(client: &Qdrant) {
    fixture::filled(client).await;
    let found = ask(client, text([1.0, 0.05, 0.0, 0.0]).limit(3)).await;
    assert_eq!(ids(&found), [1, 2, 3]);
    assert!((found[0].score - 0.998_752).abs() < 1e-4, "cosine: {}", found[0].score);
    assert!(found[0].payload.is_empty() && found[0].vectors.is_none());
    // By the id of a point: what is like it, without itself.
    let like_one = QueryPointsBuilder::new(NAME).query(PointId::from(1_u64)).using("text").limit(1);
    assert_eq!(ids(&ask(client, like_one).await), [2]);
    let batch = QueryBatchPointsBuilder::new(
        NAME,
        vec![text([0.0, 0.0, 1.0, 0.0]).limit(1).build(), text([0.0, 0.0, 0.0, 1.0]).limit(1).build()],
    );
    let answers = client.query_batch(batch).await.unwrap().result;
    assert_eq!(answers.iter().map(|answer| ids(&answer.result)).collect::<Vec<_>>(), [[5], [6]]);
}

pub(super) async fn thresholds_offsets_and_selectors(client: &Qdrant) {
    fixture::filled(client).await;
    let all = ids(&ask(client, text([1.0, 0.5, 0.25, 0.125])).await);
    assert_eq!(all.len(), 6);
    for offset in 0..7 {
        let rest = ids(&ask(client, text([1.0, 0.5, 0.25, 0.125]).offset(offset)).await);
        assert_eq!(rest, all[(offset as usize).min(6)..]);
    }
    assert_eq!(ids(&ask(client, text([1.0, 0.0, 0.0, 0.0]).score_threshold(0.9)).await), [1, 2]);
    let filter = Filter::must([Condition::matches("transient", false)]);
    assert_eq!(
        ids(&ask(client, text([1.0, 0.0, 0.0, 0.0]).filter(filter).limit(1).offset(2)).await).len(),
        1
    );
    let chosen = qdrant_client::qdrant::PayloadIncludeSelector {
        fields: vec!["steps[].code".to_owned(), "owner".to_owned()],
    };
    let words_only = VectorsSelector { names: vec!["words".to_owned()] };
    let found =
        ask(client, text([1.0, 0.0, 0.0, 0.0]).limit(2).with_payload(chosen).with_vectors(words_only)).await;
    let payload: serde_json::Value = qdrant_client::Payload::from(found[1].payload.clone()).into();
    assert_eq!(payload, serde_json::json!({"owner": "ada", "steps": [{"code": 200}, {"code": 503}]}));
    let vectors = found[1].vectors.as_ref().unwrap();
    assert!(vectors.get_vector_by_name("words").is_some() && vectors.get_vector_by_name("text").is_none());
    let without = qdrant_client::qdrant::PayloadExcludeSelector { fields: vec!["message".to_owned()] };
    let found = ask(client, text([1.0, 0.0, 0.0, 0.0]).limit(1).with_payload(without)).await;
    assert!(found[0].payload.contains_key("playbook") && !found[0].payload.contains_key("message"));
}

pub(super) async fn rare_words_weigh_more(client: &Qdrant) {
    fixture::filled(client).await;
    // Word 1 is in four points, word 2 in one.
    let found = ask(client, words(&[(1, 1.0), (2, 1.0)])).await;
    assert_eq!(ids(&found)[..2], [1, 2]);
    let common = ask(client, words(&[(1, 1.0)])).await[0].score;
    let rare = ask(client, words(&[(2, 1.0)])).await[0].score;
    assert!(rare > 2.0 * common, "{rare} against {common}");
    // A word that nobody has finds nobody.
    assert!(ask(client, words(&[(99, 1.0)])).await.is_empty());
}

pub(super) async fn fusion_brings_both_kinds_together(client: &Qdrant) {
    fixture::filled(client).await;
    let dense = || PrefetchQueryBuilder::default().query(vec![0.0, 0.0, 1.0, 0.0]).using("text").limit(2_u64);
    let sparse = || PrefetchQueryBuilder::default().query(vec![(6_u32, 1.0_f32)]).using("words").limit(2_u64);
    let both = |query: Query| {
        QueryPointsBuilder::new(NAME).add_prefetch(dense()).add_prefetch(sparse()).query(query).limit(3)
    };
    let found = ask(client, both(Query::new_fusion(Fusion::Rrf))).await;
    let mut first = ids(&found)[..2].to_vec();
    first.sort_unstable();
    assert_eq!(first, [5, 6], "the best of each kind");
    assert_eq!(found[0].score.to_bits(), found[1].score.to_bits(), "both are first in one list");
    assert!(!ask(client, both(Query::new_fusion(Fusion::Dbsf))).await.is_empty());
    let weights = || Query::new_rrf(RrfBuilder::default().weights(vec![1.0, 3.0]));
    assert_eq!(ids(&ask(client, both(weights())).await)[0], 6);
    assert_eq!(ids(&ask(client, both(weights()).offset(1)).await)[0], 5);
    let filter = Filter::must([Condition::matches("playbook", "reports/night".to_owned())]);
    assert_eq!(ids(&ask(client, both(Query::new_fusion(Fusion::Rrf)).filter(filter)).await), [5]);
}

pub(super) async fn a_prefetch_is_scored_again(client: &Qdrant) {
    fixture::filled(client).await;
    let prefetch =
        || PrefetchQueryBuilder::default().query(vec![1.0, 0.0, 0.0, 0.0]).using("text").limit(2_u64);
    let again =
        QueryPointsBuilder::new(NAME).add_prefetch(prefetch()).query(vec![0.0, 1.0, 0.0, 0.0]).using("text");
    assert_eq!(ids(&ask(client, again).await), [2, 1]);
    // Young ones before near ones: half the score is gone after a day.
    let decay = DecayParamsExpressionBuilder::new(Expression::datetime_key("at"))
        .target(Expression::datetime("2026-11-02T10:00:00Z"))
        .scale(86_400.0);
    let formula = FormulaBuilder::new(Expression::mult_with([
        Expression::variable("$score"),
        Expression::exp_decay(decay),
    ]));
    let young = QueryPointsBuilder::new(NAME).add_prefetch(prefetch()).query(formula);
    let found = ask(client, young).await;
    assert_eq!(ids(&found), [2, 1]);
    assert!((found[1].score - 0.5).abs() < 1e-3, "{}", found[1].score);
}

pub(super) async fn recommendations_leave_their_examples_out(client: &Qdrant) {
    fixture::filled(client).await;
    for strategy in
        [RecommendStrategy::AverageVector, RecommendStrategy::BestScore, RecommendStrategy::SumScores]
    {
        let input =
            RecommendInputBuilder::default().add_positive(1_u64).add_negative(3_u64).strategy(strategy);
        let found =
            ask(client, QueryPointsBuilder::new(NAME).query(Query::new_recommend(input)).using("text")).await;
        assert_eq!(ids(&found)[0], 2, "{strategy:?}");
        assert!(!ids(&found).contains(&1) && !ids(&found).contains(&3), "{strategy:?}");
    }
}

pub(super) async fn discovery_context_and_diversity(client: &Qdrant) {
    fixture::filled(client).await;
    let context = || ContextInputBuilder::default().add_pair(1_u64, 5_u64).build();
    let discover = DiscoverInput { target: Some(vec![0.5, 0.5, 0.0, 0.0].into()), context: Some(context()) };
    let found =
        ask(client, QueryPointsBuilder::new(NAME).query(Query::new_discover(discover)).using("text")).await;
    assert_eq!(ids(&found)[0], 2);
    let found =
        ask(client, QueryPointsBuilder::new(NAME).query(Query::new_context(context())).using("text")).await;
    assert!(!ids(&found).contains(&1) && !found.is_empty());
    // The two most alike are not both among the first two when difference counts.
    let mmr = Mmr { diversity: Some(0.9), candidates_limit: Some(6) };
    let diverse = QueryPointsBuilder::new(NAME)
        .query(Query::new_nearest_with_mmr(vec![1.0, 0.3, 0.0, 0.0], mmr))
        .using("text")
        .limit(2);
    let mut first = ids(&ask(client, diverse).await);
    first.sort_unstable();
    assert_ne!(first, [1, 2]);
}

pub(super) async fn older_calls_answer_the_same(client: &Qdrant) {
    fixture::filled(client).await;
    let vector = [1.0, 0.2, 0.1, 0.0];
    let search = SearchPointsBuilder::new(NAME, vector, 4).vector_name("text").offset(1).with_payload(true);
    let searched = client.search_points(search).await.unwrap().result;
    let asked = ask(client, text(vector).limit(4).offset(1).with_payload(true)).await;
    assert_eq!(searched, asked);
    let sparse = SearchPointsBuilder::new(NAME, [1.0], 5).sparse_indices(vec![4]).vector_name("words");
    let mut found = ids(&client.search_points(sparse).await.unwrap().result);
    found.sort_unstable();
    assert_eq!(found, [3, 4]);
    let recommend = RecommendPointsBuilder::new(NAME, 1).add_positive(PointId::from(1_u64)).using("text");
    assert_eq!(ids(&client.recommend(recommend).await.unwrap().result), [2]);
    let groups = SearchPointGroupsBuilder::new(NAME, vector, 2, "playbook", 1).vector_name("text");
    assert_eq!(client.search_groups(groups).await.unwrap().result.unwrap().groups.len(), 2);
}

pub(super) async fn groups_hold_their_best(client: &Qdrant) {
    fixture::filled(client).await;
    let query = QueryPointGroupsBuilder::new(NAME, "playbook")
        .query(vec![0.1, 1.0, 0.05, 0.0])
        .using("text")
        .limit(2_u64)
        .group_size(5_u64)
        .with_payload(true);
    let groups = client.query_groups(query).await.unwrap().result.unwrap().groups;
    let named =
        |group: &qdrant_client::qdrant::PointGroup| match group.id.as_ref().and_then(|id| id.kind.clone()) {
            Some(group_id::Kind::StringValue(name)) => name,
            other => panic!("not a name: {other:?}"),
        };
    let found: Vec<_> = groups.iter().map(|group| (named(group), ids(&group.hits))).collect();
    assert_eq!(found, [("orders/pay".to_owned(), vec![3, 4]), ("orders/load".to_owned(), vec![2, 1])]);
    assert_eq!(groups[0].hits[0].payload["owner"].as_str().unwrap(), "bob");
    // A point with several values is in several groups.
    let query = QueryPointGroupsBuilder::new(NAME, "tags")
        .query(vec![1.0, 0.0, 0.0, 0.0])
        .using("text")
        .group_size(1_u64);
    let groups = client.query_groups(query).await.unwrap().result.unwrap().groups;
    let first: HashMap<_, _> = groups.iter().map(|group| (named(group), ids(&group.hits))).collect();
    let of = |name: &str, id| (name.to_owned(), vec![id]);
    assert_eq!(first, HashMap::from([of("net", 1), of("db", 1), of("money", 4), of("host", 5)]));
}

pub(super) async fn answers_are_ordered_and_sampled(client: &Qdrant) {
    fixture::filled(client).await;
    client
        .create_field_index(
            CreateFieldIndexCollectionBuilder::new(NAME, "seconds", FieldType::Float).wait(true),
        )
        .await
        .unwrap();
    let order: OrderBy =
        OrderByBuilder::new("seconds").direction(qdrant_client::qdrant::Direction::Desc as i32).into();
    let found = ask(client, QueryPointsBuilder::new(NAME).query(Query::new_order_by(order)).limit(2)).await;
    assert_eq!(ids(&found), [5, 4]);
    let mut found =
        ids(&ask(client, QueryPointsBuilder::new(NAME).query(Query::new_sample(Sample::Random)).limit(6))
            .await);
    found.sort_unstable();
    assert_eq!(found, [1, 2, 3, 4, 5, 6]);
    assert_eq!(ids(&ask(client, QueryPointsBuilder::new(NAME).limit(3)).await), [1, 2, 3]);
}

pub(super) async fn wrong_questions_are_refused(client: &Qdrant) {
    fixture::filled(client).await;
    let broken = Filter::must([Condition::matches("a[", 1)]);
    for (query, expected) in [
        (QueryPointsBuilder::new(NAME).query(vec![1.0]).using("text"), Code::InvalidArgument),
        (QueryPointsBuilder::new(NAME).query(vec![1.0, 0.0, 0.0, 0.0]), Code::InvalidArgument),
        (
            QueryPointsBuilder::new(NAME).query(vec![1.0, 0.0, 0.0, 0.0]).using("nowhere"),
            Code::InvalidArgument,
        ),
        (QueryPointsBuilder::new(NAME).query(vec![(1_u32, 1.0_f32)]).using("text"), Code::InvalidArgument),
        (QueryPointsBuilder::new(NAME).query(Query::new_fusion(Fusion::Rrf)), Code::InvalidArgument),
        (QueryPointsBuilder::new(NAME).query(PointId::from(999_u64)).using("text"), Code::NotFound),
        (text([1.0, 0.0, 0.0, 0.0]).limit(0), Code::InvalidArgument),
        (text([1.0, 0.0, 0.0, 0.0]).filter(broken), Code::InvalidArgument),
        (QueryPointsBuilder::new("nowhere").query(vec![1.0]), Code::NotFound),
    ] {
        let query = query.build();
        assert_eq!(code(client.query(query.clone()).await), expected, "{query:?}");
    }
}
