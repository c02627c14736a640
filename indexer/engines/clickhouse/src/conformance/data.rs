//! Tables, types, inserts and what reads them back.

use clickhouse::{Compression, Row};
use serde::{Deserialize, Serialize};

use super::Target;

#[derive(Debug, Row, Serialize)]
struct Own {
    client: u8,
    n: u32,
}

#[derive(Debug, PartialEq, Row, Deserialize)]
struct Given {
    text: String,
    number: u32,
    list: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Row, Serialize, Deserialize)]
struct Sample {
    id: u64,
    kind: String,
    share: f64,
    flag: bool,
    tags: Vec<String>,
    note: Option<String>,
    pairs: Vec<(String, u32)>,
}

fn sample(id: u64) -> Sample {
    Sample {
        id,
        kind: format!("kind-{}", id % 7),
        share: id as f64 / 3.0,
        flag: id.is_multiple_of(2),
        tags: (0..id % 4).map(|tag| format!("t{tag} 'ü'\n")).collect(),
        note: (!id.is_multiple_of(3)).then(|| "ö".repeat((id % 50) as usize)),
        pairs: vec![("a".to_owned(), id as u32)],
    }
}

pub(super) async fn typed_rows_come_back_as_they_went_in(
    target: &Target,
    name: &str,
    compression: Compression,
) {
    let client = target.database(&format!("typed_{name}")).await.with_compression(compression);
    client
        .query(
            "CREATE TABLE samples (id UInt64, kind LowCardinality(String), share Float64, flag Bool, \
             tags Array(String), note Nullable(String), pairs Map(String, UInt32)) ENGINE = MergeTree ORDER BY id",
        )
        .execute()
        .await
        .unwrap();
    for validation in [true, false] {
        client.query("TRUNCATE TABLE samples").execute().await.unwrap();
        // More than one buffer of the client, so that the body comes in pieces.
        let rows: Vec<Sample> = (0..20_000).map(sample).collect();
        let mut insert =
            client.clone().with_validation(validation).insert::<Sample>("samples").await.unwrap();
        for row in &rows {
            insert.write(row).await.unwrap();
        }
        insert.end().await.unwrap();
        let read =
            client.query("SELECT ?fields FROM samples ORDER BY id").fetch_all::<Sample>().await.unwrap();
        assert!(read == rows, "{name}: rows changed on their way");
    }
    let mut cursor = client.query("SELECT number FROM numbers(300000)").fetch::<u64>().unwrap();
    let mut expected = 0;
    while let Some(number) = cursor.next().await.unwrap() {
        assert_eq!(number, expected);
        expected += 1;
    }
    assert_eq!(expected, 300_000);
}

pub(super) async fn parameters_are_bound_here_and_there(target: &Target) {
    let client = target.client();
    let awkward = "a'b\\c\td\n`ü` $x$ -- ?";
    let bound =
        client.query("SELECT ?, ?").bind(awkward).bind(7_u8).fetch_one::<(String, u8)>().await.unwrap();
    assert_eq!(bound, (awkward.to_owned(), 7));
    let given = client
        .query("SELECT {text:String} AS text, {number:UInt32} AS number, {list:Array(String)} AS list")
        .param("text", awkward)
        .param("number", 7)
        .param("list", vec!["x", "y'z"])
        .fetch_one::<Given>()
        .await
        .unwrap();
    let expected =
        Given { text: awkward.to_owned(), number: 7, list: vec!["x".to_owned(), "y'z".to_owned()] };
    assert_eq!(given, expected);
    // In the URL too, and not in the next request.
    let reply = target.post(&[("param_x", "4\\t2")], "SELECT length({x:String})").await;
    assert_eq!(reply.text(), "3");
    let reply = target.post(&[], "SELECT {x:String}").await;
    assert_eq!(reply.code(), Some(456), "{}", reply.text());
}

pub(super) async fn json_rows_come_as_bytes(target: &Target) {
    let client = target.client();
    let query = "SELECT number, toString(number) AS text FROM numbers(2)";
    let mut cursor = client.query(query).fetch_bytes("JSONEachRow").unwrap();
    let bytes = cursor.collect().await.unwrap();
    let numbers = String::from_utf8(bytes.to_vec()).unwrap().replace('"', "");
    assert_eq!(numbers, "{number:0,text:0}\n{number:1,text:1}\n");
}

pub(super) async fn eight_clients_at_once_do_not_mix(target: &Target) {
    let client = target.database("crowd").await;
    client
        .query("CREATE TABLE t (client UInt8, n UInt32) ENGINE = MergeTree ORDER BY n")
        .execute()
        .await
        .unwrap();
    let work = (0..8_u8).map(|own| {
        let client = client.clone();
        tokio::spawn(async move {
            for round in 0..5_u32 {
                let mut insert = client.insert::<Own>("t").await.unwrap();
                for n in 0..100 {
                    insert.write(&Own { client: own, n: round * 100 + n }).await.unwrap();
                }
                insert.end().await.unwrap();
                let threads = u64::from(own) + 1;
                let seen: (u64, String, u64) = client
                    .query("SELECT count(), currentDatabase(), toUInt64(getSetting('max_threads')) FROM t WHERE client = ?")
                    .bind(own)
                    .with_setting("max_threads", threads.to_string())
                    .fetch_one()
                    .await
                    .unwrap();
                assert_eq!(seen, (u64::from(round + 1) * 100, "crowd".to_owned(), threads));
            }
        })
    });
    for done in work.collect::<Vec<_>>() {
        done.await.unwrap();
    }
    assert_eq!(client.query("SELECT uniqExact(client, n) FROM t").fetch_one::<u64>().await.unwrap(), 4_000);
}

pub(super) async fn expired_rows_go(target: &Target) {
    let client = target.database("expiry").await;
    client
        .query("CREATE TABLE t (at DateTime, n UInt8) ENGINE = MergeTree ORDER BY n TTL at + INTERVAL 1 DAY")
        .execute()
        .await
        .unwrap();
    client.query("INSERT INTO t VALUES (now() - INTERVAL 2 DAY, 1), (now(), 2)").execute().await.unwrap();
    client.query("OPTIMIZE TABLE t FINAL").execute().await.unwrap();
    assert_eq!(client.query("SELECT n FROM t").fetch_all::<u8>().await.unwrap(), [2]);
}
