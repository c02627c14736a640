//! The reading user: what it can see, and what it must not reach.

use crate::{as_user, owner, started};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_reading_user_reads_tables_and_reaches_nothing_else() {
    let Some((directory, front)) = started().await else { return };
    let (owner, reader) = (owner(&front), as_user(&front, &front.access.reader));
    for sql in [
        "CREATE TABLE t (n UInt64) ENGINE = MergeTree ORDER BY n",
        "INSERT INTO t SELECT number FROM numbers(10)",
        "CREATE VIEW v AS SELECT n FROM t",
    ] {
        assert_eq!(owner.post(&[], sql).await.code(), None, "{sql}");
    }
    let planted = directory.path().join("planted");
    std::fs::write(&planted, "planted secret").unwrap();
    let planted = planted.display();

    for (sql, expected) in [
        ("SELECT count() FROM t", "10"),
        ("SELECT max(n) FROM v", "9"),
        ("WITH 5 AS least SELECT count() FROM t WHERE n >= least", "5"),
        ("SHOW TABLES", "t\nv"),
        ("EXISTS TABLE t", "1"),
        ("SELECT count() FROM system.tables WHERE name = 't'", "1"),
    ] {
        assert_eq!(reader.post(&[], sql).await.text(), expected, "{sql}");
    }
    let read = reader.client().query("SELECT n FROM t ORDER BY n LIMIT {count:UInt8}").param("count", 2);
    assert_eq!(read.fetch_all::<u64>().await.unwrap(), [0, 1]);

    let writes = [
        "INSERT INTO t VALUES (1)",
        "INSERT INTO t SELECT 1",
        "INSERT INTO FUNCTION file('{planted}x', 'TSV', 'a UInt8') SELECT 1",
        "WITH 1 AS x INSERT INTO t SELECT x",
        "EXPLAIN INSERT INTO t SELECT file('{planted}')",
        "CREATE TABLE u (n UInt8) ENGINE = Memory",
        "CREATE TEMPORARY TABLE u (n UInt8)",
        "CREATE FUNCTION f AS x -> x",
        "CREATE USER evil",
        "GRANT ALL ON *.* TO default",
        "DROP TABLE t",
        "TRUNCATE TABLE t",
        "ALTER TABLE t DELETE WHERE 1",
        "OPTIMIZE TABLE t",
        "RENAME TABLE t TO u",
        "KILL QUERY WHERE 1",
        "SYSTEM STOP MERGES",
        "BACKUP TABLE t TO Disk('default', 'x')",
        "ATTACH TABLE u FROM '{planted}' (n UInt8) ENGINE = Log",
        "SET readonly = 0",
        "SET ROLE noetl_owner",
        "SET ROLE ALL",
        "SELECT 1; SET readonly = 0",
        "SELECT 1 SETTINGS readonly = 0",
        "SELECT 1 SETTINGS max_execution_time = 0",
        "SELECT 1 SETTINGS profile = 'default'",
        "SELECT 1 INTO OUTFILE '{planted}x'",
        "SELECT * FROM t WHERE n = 1 INTO OUTFILE '{planted}x' FORMAT CSV",
    ];
    let files = [
        "SELECT file('{planted}')",
        "SELECT `file`('{planted}')",
        "SELECT \"fi\\x6ce\"('{planted}')",
        "SELECT * APPLY(file) FROM (SELECT '{planted}')",
        "SELECT arrayMap(file, ['{planted}'])",
        "SELECT arrayMap(x -> /**/ file(x), ['{planted}'])",
        "SELECT * FROM file('{planted}', 'LineAsString')",
        "SELECT * FROM '{planted}'",
        "SELECT * FROM `{planted}`",
        "DESCRIBE TABLE file('{planted}', 'LineAsString')",
        "EXPLAIN SELECT * FROM file('{planted}', 'LineAsString')",
        "SELECT * FROM filesystem('/etc')",
        "SELECT * FROM icebergLocal('/etc')",
        "SELECT * FROM deltaLakeLocal('/etc')",
        "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
        "SELECT * FROM s3('http://127.0.0.1:1/bucket/key', 'CSV', 'a String')",
        "SELECT * FROM remote('127.0.0.1:1', system.one)",
        "SELECT * FROM mysql('127.0.0.1:1', 'a', 'b', 'c', 'd')",
        "SELECT * FROM postgresql('127.0.0.1:1', 'a', 'b', 'c', 'd')",
        "SELECT * FROM sqlite('{planted}', 't')",
        "SELECT * FROM mongodb('127.0.0.1:1', 'a', 'b', 'c', 'd', 'a Int8')",
        "SELECT * FROM redis('127.0.0.1:1', 'k', 'k String')",
        "SELECT * FROM executable('x', 'TSV', 'a String')",
        "SELECT * FROM hdfs('hdfs://127.0.0.1:1/x', 'CSV', 'a Int8')",
        "SELECT * FROM azureBlobStorage('a', 'b', 'c')",
        "SELECT * FROM odbc('a', 'b')",
        "SELECT catboostEvaluate('{planted}', 1)",
        "SELECT aiGenerate('x')",
        "SELECT 1 FORMAT Template SETTINGS format_template_row = '{planted}'",
    ];
    for sql in writes.into_iter().chain(files) {
        let sql = sql.replace("{planted}", &planted.to_string());
        let reply = reader.post(&[], sql.clone()).await;
        assert!(matches!(reply.code(), Some(1 | 62 | 164 | 497)), "{sql}: {} {}", reply.status, reply.text());
        assert!(!reply.text().contains("planted secret"), "{sql}");
    }
    for (name, value) in [
        ("readonly", "0"),
        ("format_schema", "x:y"),
        ("profile", "default"),
        ("allow_ddl", "1"),
        ("role", "noetl_owner"),
    ] {
        let reply = reader.post(&[(name, value)], "INSERT INTO t VALUES (1)").await;
        assert!(reply.code().is_some(), "{name} = {value}: {}", reply.text());
    }
    assert_eq!(reader.post(&[], "SELECT currentRoles()").await.text(), "['noetl_reader']");
    assert_eq!(
        reader
            .post(&[("max_execution_time", "1")], "SELECT sum(sipHash64(number)) FROM numbers(1000000000000)")
            .await
            .code(),
        Some(159)
    );
    for limit in ["", "0", "100000000"] {
        let pairs = [("wait_end_of_query", "1"), ("max_result_rows", limit)];
        let pairs = if limit.is_empty() { &pairs[..1] } else { &pairs };
        assert_eq!(
            reader.post(pairs, "SELECT number FROM numbers(2000000)").await.code(),
            Some(396),
            "{limit}"
        );
    }

    assert_eq!(owner.post(&[], "SELECT count() FROM t").await.text(), "10");
    assert_eq!(owner.post(&[], "SELECT currentRoles()").await.text(), "['noetl_owner','noetl_reader']");
    assert!(!directory.path().join("plantedx").exists());
    front.close().await;
}
