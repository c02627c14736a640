//! Materialised views and the deduplication of inserts.

use clickhouse::Row;
use serde::Deserialize;

use super::Target;

#[derive(Debug, PartialEq, Row, Deserialize)]
struct Total {
    step: String,
    runs: u64,
    middle: Vec<f64>,
}

pub(super) async fn views_aggregate_and_repeated_blocks_change_nothing(target: &Target) {
    let client = target.database("views").await;
    for statement in [
        "CREATE TABLE raw (step LowCardinality(String), ms Float64) ENGINE = MergeTree ORDER BY step \
         SETTINGS non_replicated_deduplication_window = 100",
        "CREATE TABLE totals (step LowCardinality(String), runs AggregateFunction(count), \
         middle AggregateFunction(quantiles(0.5, 0.95), Float64)) ENGINE = AggregatingMergeTree ORDER BY step \
         SETTINGS non_replicated_deduplication_window = 100",
        "CREATE MATERIALIZED VIEW feed TO totals AS SELECT step, countState() AS runs, \
         quantilesState(0.5, 0.95)(ms) AS middle FROM raw GROUP BY step",
    ] {
        client.query(statement).execute().await.unwrap();
    }
    let insert = async |token: &str, rows: std::ops::Range<u32>| {
        let client = client
            .clone()
            .with_setting("insert_deduplication_token", token)
            .with_setting("deduplicate_blocks_in_dependent_materialized_views", "1");
        let mut insert = client.insert_formatted_with("INSERT INTO raw FORMAT TSV");
        for row in rows {
            insert.send(format!("s{}\t{row}\n", row % 2).into()).await.unwrap();
        }
        insert.end().await.unwrap();
    };
    let seen = async || {
        let view = "SELECT step, countMerge(t.runs) AS runs, quantilesMerge(0.5, 0.95)(t.middle) AS middle FROM totals AS t GROUP BY step ORDER BY step";
        let totals = client.query(view).fetch_all::<Total>().await.unwrap();
        (client.query("SELECT count() FROM raw").fetch_one::<u64>().await.unwrap(), totals)
    };
    insert("a", 0..100).await;
    let first = seen().await;
    assert_eq!(first.0, 100);
    let runs: Vec<(&str, u64)> = first.1.iter().map(|total| (total.step.as_str(), total.runs)).collect();
    assert_eq!(runs, [("s0", 50), ("s1", 50)]);
    assert!((first.1[0].middle[0] - 49.0).abs() < 0.01, "{:?}", first.1);
    insert("a", 0..100).await;
    assert_eq!(seen().await, first, "the same token must change nothing");
    insert("b", 0..100).await;
    assert_eq!(seen().await.0, 200, "another token is another insert");
}
