//! What other clients than ours say: clickhouse-go (and Grafana's data source with it), clickhouse-connect, and curl.

use noetl_engine_clickhouse::conformance::Target;

use crate::{as_user, owner, started};

/// The revision of clickhouse-go, and the one of clickhouse-connect.
const REVISIONS: [&str; 2] = ["54460", "54405"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn native_is_written_as_the_revision_of_the_client_has_it() {
    let Some((_directory, front)) = started().await else { return };
    let reader = as_user(&front, &front.access.reader);

    // Byte for byte.
    let sql = "SELECT toUInt8(7) AS n, 'ab' AS s, toLowCardinality('x') AS l";
    let info = b"\x01\0\x02\xff\xff\xff\xff\0";
    let dictionary = b"\x01\0\0\0\0\0\0\0\0\x06\0\0\0\0\0\0\x02\0\0\0\0\0\0\0\0\x01x\x01\0\0\0\0\0\0\0\x01";
    let written = |mark: &[u8]| {
        let columns: [&[u8]; 10] = [
            info,
            b"\x03\x01\x01n\x05UInt8",
            mark,
            b"\x07\x01s\x06String",
            mark,
            b"\x02ab",
            b"\x01l\x16LowCardinality(String)",
            mark,
            dictionary,
            b"",
        ];
        columns.concat()
    };
    assert_eq!(native(&reader, sql, "54460").await, written(b"\0"));
    assert_eq!(native(&reader, sql, "54405").await, written(b""));

    // Every type: what the revision adds is put between the engine's own bytes at known places.
    let types = [
        "toInt64(number)",
        "toUInt256(number)",
        "toFloat32(number)",
        "number % 2 = 0",
        "repeat('x', number % 300)",
        "toFixedString(toString(number % 10), 3)",
        "if(number % 3 = 0, NULL, number)",
        "range(number % 5)",
        "arrayMap(x -> toLowCardinality(toString(x)), range(number % 4))",
        "emptyArrayString()",
        "toLowCardinality(if(number % 3 = 0, NULL, toString(number % 7)))",
        "toLowCardinality(toString(number))",
        "tuple(number, 'a', [toLowCardinality('b')])",
        "CAST((1, 'x, )'), 'Tuple(a UInt8, `b c` Enum8(\\'x, )\\' = 1))')",
        "map(toLowCardinality(toString(number % 2)), [number])",
        "toDateTime(number, 'UTC')",
        "toDateTime64(number, 3, 'Europe/Berlin')",
        "toDate(number)",
        "toUUID('00000000-0000-0000-0000-000000000001')",
        "toDecimal64(number, 3)",
        "toDecimal128(number, 3)",
        "toIPv6('::1')",
        "toIntervalSecond(number)",
        "[[NULL, 'x'], []]",
        "NULL",
        "(1.5, 2.5)::Point",
    ];
    let columns: Vec<String> =
        types.iter().enumerate().map(|(at, one)| format!("{one} AS column_{at:02}")).collect();
    for rows in [0, 1, 1000] {
        let sql = format!("SELECT {} FROM numbers({rows})", columns.join(", "));
        let plain = native(&reader, &sql, "0").await;
        let declared = reader.post(&[("default_format", "TSV")], format!("DESCRIBE ({sql})")).await.text();
        let mut expected = plain.clone();
        for (at, line) in declared.lines().enumerate() {
            let kind = line.split('\t').nth(1).unwrap().replace("\\'", "'");
            // DESCRIBE breaks the lines of named tuples; a block does not.
            let kind = kind.replace(",\\n    ", ", ").replace("\\n    ", "");
            // The engine leaves the time zone of such a column out for who names no revision.
            let kind = if kind.starts_with("DateTime(") { "DateTime".to_owned() } else { kind };
            let head = format!("\tcolumn_{at:02}{}{kind}", char::from(kind.len() as u8));
            let found = expected.windows(head.len()).position(|window| window == head.as_bytes());
            // No block at all is what the engine gives where there are no rows.
            let Some(found) = found else {
                assert_eq!((rows, plain.len()), (0, 0), "{line}");
                continue;
            };
            expected.insert(found + head.len(), 0);
        }
        if !expected.is_empty() {
            expected.splice(0..0, info.iter().copied());
        }
        assert!(native(&reader, &sql, "54460").await == expected, "{rows} rows");
    }

    // Many blocks, packed as these clients ask for it.
    let sql = "SELECT number, toString(number) FROM numbers(200000)";
    let plain = native(&reader, sql, "0").await;
    let revised = native(&reader, sql, "54460").await;
    let blocks = (revised.len() - plain.len()) / (info.len() + 2);
    assert!(blocks > 1, "{blocks}");
    let pairs = [("default_format", "Native"), ("client_protocol_version", "54460"), ("compress", "1")];
    assert_eq!(reader.post(&pairs, sql).await.code(), None);

    // What cannot be written so is refused by name.
    let state = "SELECT sumState(number) AS total FROM numbers(10)";
    let pairs = [("default_format", "Native"), ("client_protocol_version", "54460")];
    let reply = reader.post(&pairs, state).await;
    assert_eq!((reply.status, reply.code()), (501, Some(48)), "{}", reply.text());
    assert!(
        reply.text().contains("`total`") && reply.text().contains("AggregateFunction"),
        "{}",
        reply.text()
    );
    let reply = reader.post(&[("client_protocol_version", "new")], "SELECT 1").await;
    assert_eq!(reply.code(), Some(36), "{}", reply.text());
    front.close().await;
}

async fn native(target: &Target, sql: &str, revision: &str) -> Vec<u8> {
    let pairs = [("default_format", "Native"), ("client_protocol_version", revision), ("max_threads", "1")];
    let reply = target.post(&pairs, sql.to_owned()).await;
    assert_eq!(reply.code(), None, "{sql}: {}", reply.text());
    reply.body
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_clients_ask_when_they_connect_is_answered() {
    let Some((_directory, front)) = started().await else { return };
    let (owner, reader) = (owner(&front), as_user(&front, &front.access.reader));
    for sql in [
        "SELECT displayName(), version(), revision(), timezone()",
        "SELECT version()",
        "SELECT timezone()",
        "SELECT version(), timezone()",
        "SELECT 1",
        "SELECT name, value, readonly FROM system.settings LIMIT 10000",
        "SELECT value FROM system.settings WHERE name = 'date_time_input_format'",
        "SELECT name FROM system.databases",
        "SELECT name FROM system.tables WHERE database = 'default'",
        "SELECT name, type FROM system.columns WHERE database = 'default' AND table = 't'",
        "SELECT name FROM system.functions LIMIT 10",
        "SHOW DATABASES",
        "EXPLAIN AST SELECT 1",
    ] {
        for revision in REVISIONS {
            let pairs = [
                ("default_format", "Native"),
                ("client_protocol_version", revision),
                ("session_id", "one"),
                ("session_timeout", "60"),
                ("database", "default"),
                ("compress", "1"),
                ("enable_http_compression", "1"),
                // More than a reader may have, and what concerns servers only.
                ("max_execution_time", "305"),
                ("wait_for_async_insert", "1"),
                ("connect_timeout", "10"),
            ];
            let reply = reader.post(&pairs, sql).await;
            assert_eq!((reply.status, reply.code()), (200, None), "{sql}: {}", reply.text());
        }
    }
    // A reader's session has nothing to keep; an owner is told that nothing is kept.
    let session = [("session_id", "one")];
    for sql in ["SET max_threads = 1", "USE system", "CREATE TEMPORARY TABLE t (n UInt8)"] {
        let reply = owner.post(&session, sql).await;
        assert_eq!((reply.status, reply.code()), (501, Some(48)), "{sql}: {}", reply.text());
        assert!(reply.text().contains("keeps nothing"), "{}", reply.text());
    }
    assert_eq!(owner.post(&session, "SELECT 1").await.text(), "1");
    let checked = [("session_id", "one"), ("session_check", "1")];
    assert_eq!(owner.post(&checked, "SELECT 1").await.code(), Some(372));
    front.close().await;
}
