//! Settings, formats, parameters and errors as a ClickHouse client sees them.

use clickhouse::Row;
use serde::Serialize;

use super::{Reply, Target, http};

#[derive(Debug, Row, Serialize)]
struct Numbered {
    n: u64,
}

pub(super) async fn settings_hold_for_one_request(target: &Target) {
    let threads = "SELECT getSetting('max_threads') = 3, currentDatabase()";
    let set = [("max_threads", "3"), ("database", "system")];
    assert_eq!(target.post(&set, threads).await.text(), "1\tsystem");
    assert_eq!(target.post(&[], threads).await.text(), "0\tdefault");
    // Nor do they outlive a request that fails, or one that sets them itself.
    assert_eq!(target.post(&set, "SELECT throwIf(1)").await.code(), Some(395));
    assert_eq!(target.post(&[], "SET max_threads = 3").await.code(), None);
    assert_eq!(target.post(&[], "CREATE TEMPORARY TABLE gone (a UInt8)").await.code(), None);
    assert_eq!(target.post(&[], threads).await.text(), "0\tdefault");
    assert_eq!(target.post(&[], "SELECT * FROM gone").await.code(), Some(60));
    assert_eq!(target.post(&[("no_such_setting", "1")], "SELECT 1").await.code(), Some(115));
    let limited = target.post(&[("max_result_rows", "10")], "SELECT * FROM numbers(1000)").await;
    assert_eq!(limited.code(), Some(396), "{}", limited.text());
    let slow = target
        .post(&[("max_execution_time", "1")], "SELECT sum(sipHash64(number)) FROM numbers(1000000000000)");
    assert_eq!(slow.await.code(), Some(159));
}

pub(super) async fn asynchronous_inserts_are_written_when_acknowledged(target: &Target) {
    let client = target.database("asynchronous").await;
    client.query("CREATE TABLE t (n UInt64) ENGINE = MergeTree ORDER BY n").execute().await.unwrap();
    let waiting = client.clone().with_setting("async_insert", "1").with_setting("wait_for_async_insert", "1");
    for n in 0..3_u64 {
        let mut insert = waiting.insert::<Numbered>("t").await.unwrap();
        insert.write(&Numbered { n }).await.unwrap();
        insert.end().await.unwrap();
    }
    assert_eq!(client.query("SELECT n FROM t ORDER BY n").fetch_all::<u64>().await.unwrap(), [0, 1, 2]);
}

pub(super) async fn errors_carry_code_and_text(target: &Target) {
    for (sql, status, code) in [
        ("SELECT * FROM no_such_table", 404, 60),
        ("SELECT no_such_column", 404, 47),
        ("SELECT * FROM no_such_database.t", 404, 81),
        ("SELEKT 1", 400, 62),
        ("", 400, 62),
        ("SELECT 1; SELECT 2", 400, 62),
        ("INSERT INTO no_such_table FORMAT TSV\n1", 404, 60),
    ] {
        let reply = target.post(&[], sql).await;
        assert_eq!((reply.status, reply.code()), (status, Some(code)), "{sql}: {}", reply.text());
        assert!(
            reply.text().starts_with(&format!("Code: {code}. DB::Exception: ")),
            "{sql}: {}",
            reply.text()
        );
    }
    let error = target.client().query("SELECT * FROM no_such_table").fetch_all::<u8>().await.unwrap_err();
    assert!(error.to_string().contains("Code: 60"), "{error}");
}

pub(super) async fn an_error_amid_a_result_is_an_error(target: &Target) {
    let query = "SELECT throwIf(number = 100000, 'enough') FROM numbers(1000000)";
    for compression in [clickhouse::Compression::None, clickhouse::Compression::Lz4] {
        let client = target.client().with_compression(compression).with_setting("max_block_size", "10000");
        let error = client.query(query).fetch_all::<u8>().await.unwrap_err();
        assert!(error.to_string().contains("enough"), "{error}");
    }
    // Who asks to wait is told by the status, as long as the result is not too large to be held.
    let query = "SELECT throwIf(number = 500000) FROM numbers(1000000)";
    let reply = target.post(&[("wait_end_of_query", "1"), ("max_block_size", "1000")], query).await;
    assert_eq!((reply.status, reply.code()), (400, Some(395)), "{}", reply.text());
}

pub(super) async fn a_large_result_is_one_in_every_format(target: &Target) {
    let query = "SELECT number, toString(number) FROM numbers(100000)";
    // Formats that ClickHouse reads back tell whether the bytes are one well-formed result.
    for format in [
        "JSON",
        "JSONCompact",
        "JSONEachRow",
        "CSVWithNames",
        "TSVWithNamesAndTypes",
        "Parquet",
        "Arrow",
        "Native",
        "RowBinaryWithNamesAndTypes",
        "RowBinaryWithNames",
    ] {
        let client = target.database("formats").await;
        client
            .query("CREATE TABLE t (number UInt64, `toString(number)` String) ENGINE = Memory")
            .execute()
            .await
            .unwrap();
        let result = target.post(&[("default_format", format), ("max_threads", "1")], query).await;
        assert_eq!(result.code(), None, "{format}: {}", result.text());
        let insert = format!("INSERT INTO t FORMAT {format}");
        let reply = target.post(&[("database", "formats"), ("query", &insert)], result.body).await;
        assert_eq!(reply.code(), None, "{format}: {}", reply.text());
        let count =
            "SELECT count(), uniqExact(number), countIf(toString(number) != `toString(number)`) FROM t";
        assert_eq!(
            target.post(&[("database", "formats")], count).await.text(),
            "100000\t100000\t0",
            "{format}"
        );
    }
}

pub(super) async fn wrong_keys_are_refused(target: &Target) {
    let ask = |name: &str, key: &str| {
        let request = http().post(&target.url).body("SELECT 1");
        Reply::of(request.header("X-ClickHouse-User", name).header("X-ClickHouse-Key", key))
    };
    let (name, key) = (&target.user.name, &target.user.key);
    for (name, key) in [(name.as_str(), "wrong"), ("nobody", key.as_str()), (name.as_str(), &key[1..])] {
        let reply = ask(name, key).await;
        assert_eq!((reply.status, reply.code()), (403, Some(516)), "{name}: {}", reply.text());
        assert!(!reply.text().contains(key), "a key must not come back");
    }
    assert_eq!(ask(name, key).await.text(), "1");
    let basic = http().post(&target.url).basic_auth(name, Some(key)).body("SELECT 2");
    assert_eq!(Reply::of(basic).await.text(), "2");
    let pairs = [("user", name.as_str()), ("password", key), ("query", "SELECT 3")];
    assert_eq!(Reply::of(http().get(&target.url).query(&pairs)).await.text(), "3");
}

pub(super) async fn readonly_is_honoured(target: &Target) {
    let client = target.database("readonly").await;
    client.query("CREATE TABLE t (n UInt8) ENGINE = MergeTree ORDER BY n").execute().await.unwrap();
    for readonly in ["1", "2"] {
        let pairs = [("database", "readonly"), ("readonly", readonly)];
        for write in
            ["INSERT INTO t FORMAT TSV\n1", "INSERT INTO t SELECT 1", "DROP TABLE t", "CREATE TABLE u AS t"]
        {
            assert_eq!(target.post(&pairs, write).await.code(), Some(164), "readonly = {readonly}: {write}");
        }
        assert_eq!(target.post(&pairs, "SELECT count() FROM t").await.text(), "0");
    }
    let set = "SELECT getSetting('max_threads') SETTINGS max_threads = 3";
    assert_eq!(target.post(&[("readonly", "1")], set).await.code(), Some(164));
    assert_eq!(target.post(&[("readonly", "2")], set).await.text(), "3");
    // GET reads only.
    let (name, key) = (&target.user.name, &target.user.key);
    let pairs = [("query", "DROP TABLE readonly.t")];
    let get = http().get(&target.url).query(&pairs).basic_auth(name, Some(key));
    assert_eq!(Reply::of(get).await.code(), Some(164));
}

pub(super) async fn curl_can_do_it_all(target: &Target) {
    let client = target.database("curl").await;
    client.query("CREATE TABLE t (n UInt8, s String) ENGINE = MergeTree ORDER BY n").execute().await.unwrap();
    let pairs = [("database", "curl")];
    for insert in [
        "INSERT INTO t VALUES (1, 'a;b'), (2, 'FORMAT')",
        "INSERT INTO t FORMAT TSV\n3\tx\n",
        "INSERT INTO t FORMAT JSONEachRow {\"n\": 4, \"s\": \"SELECT\"}",
        "INSERT INTO t (s, n) FORMAT CSV\n\"y\",5\n",
    ] {
        let reply = target.post(&pairs, insert).await;
        assert_eq!((reply.status, reply.text().as_str()), (200, ""), "{insert}");
        assert!(reply.header("X-ClickHouse-Summary").contains("\"written_rows\":\""), "{insert}");
    }
    let pairs = [("database", "curl"), ("query", "INSERT INTO t FORMAT TSV")];
    assert_eq!(target.post(&pairs, "6\tz\n").await.status, 200);
    let pairs = [
        ("database", "curl"),
        ("query", "SELECT n, s FROM t"),
        ("default_format", "CSV"),
        ("query_id", "mine"),
    ];
    let reply = target.post(&pairs, "ORDER BY n LIMIT 3").await;
    assert_eq!(reply.text(), "1,\"a;b\"\n2,\"FORMAT\"\n3,\"x\"");
    assert_eq!(reply.header("X-ClickHouse-Format"), "CSV");
    assert_eq!(reply.header("X-ClickHouse-Query-Id"), "mine");
    assert!(reply.header("Content-Type").starts_with("text/csv"), "{reply:?}");
    let reply = target.post(&[("database", "curl")], "SELECT count() FROM t FORMAT JSONCompact").await;
    assert!(reply.header("Content-Type").starts_with("application/json"), "{reply:?}");
    assert!(reply.text().contains('6'), "{}", reply.text());
    let ping = http().get(format!("{}/ping", target.url));
    assert_eq!(Reply::of(ping).await.text(), "Ok.");
}
