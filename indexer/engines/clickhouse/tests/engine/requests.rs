//! Requests that end badly, come packed, or are not supported.

use std::io::Write as _;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use futures::stream;
use noetl_engine_clickhouse::conformance::{Reply, Target, http};

use crate::{owner, started};

/// Waits until the engine runs (or does not run) a query like this.
async fn runs(target: &Target, like: &str, expected: &str) {
    let count = format!("SELECT count() FROM system.processes WHERE query LIKE '{like}'");
    while target.post(&[], count.clone()).await.text() != expected {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_ends_when_its_client_goes() {
    let Some((_directory, front)) = started().await else { return };
    let target = owner(&front);
    for sql in [
        "SELECT sum(sipHash64(number)) FROM numbers(1000000000000)",
        "SELECT number FROM numbers(1000000000000)",
    ] {
        let asking = {
            let target = target.clone();
            tokio::spawn(async move { target.post(&[("max_execution_time", "600")], sql).await })
        };
        let like = format!("{}%", &sql[..20]);
        runs(&target, &like, "1").await;
        asking.abort();
        runs(&target, &like, "0").await;
    }
    front.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_insert_that_breaks_off_writes_nothing() {
    let Some((_directory, front)) = started().await else { return };
    let target = owner(&front);
    target.post(&[], "CREATE TABLE t (n UInt64) ENGINE = MergeTree ORDER BY n").await;
    let body =
        stream::iter((0..100).map(|n| Ok(format!("{n}\n"))).chain([Err(std::io::Error::other("gone"))]));
    let sent = http()
        .post(&target.url)
        .query(&[("query", "INSERT INTO t FORMAT TSV")])
        .basic_auth(&target.user.name, Some(&target.user.key))
        .body(reqwest::Body::wrap_stream(body))
        .send()
        .await;
    assert!(sent.is_err(), "{sent:?}");
    // Closing waits for what still runs, so whatever was to be written has been written then.
    target.post(&[], "INSERT INTO t VALUES (7)").await;
    runs(&target, "INSERT%", "0").await;
    assert_eq!(target.post(&[], "SELECT groupArray(n) FROM t").await.text(), "[7]");
    front.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_may_come_and_go_packed() {
    let Some((_directory, front)) = started().await else { return };
    let target = owner(&front);
    target.post(&[], "CREATE TABLE t (n UInt64) ENGINE = MergeTree ORDER BY n").await;
    let ask = |pairs: &[(&str, &str)]| {
        let request = http().post(&target.url).query(pairs);
        request.basic_auth(&target.user.name, Some(&target.user.key)).timeout(Duration::from_mins(1))
    };
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    for n in 0..50_000 {
        writeln!(packed, "{n}").unwrap();
    }
    let packed = packed.finish().unwrap();
    let insert = [("query", "INSERT INTO t FORMAT TSV")];
    let reply = Reply::of(ask(&insert).header("Content-Encoding", "gzip").body(packed.clone())).await;
    assert_eq!(reply.code(), None, "{}", reply.text());
    assert_eq!(target.post(&[], "SELECT count(), max(n) FROM t").await.text(), "50000\t49999");
    let cut = packed[..packed.len() / 2].to_vec();
    let reply = Reply::of(ask(&insert).header("Content-Encoding", "gzip").body(cut)).await;
    assert_eq!(reply.code(), Some(117), "{}", reply.text());
    let reply = Reply::of(ask(&insert).header("Content-Encoding", "br").body("x")).await;
    assert_eq!((reply.status, reply.code()), (501, Some(48)), "{}", reply.text());
    assert_eq!(target.post(&[], "SELECT count() FROM t").await.text(), "50000");

    let reply =
        Reply::of(ask(&[]).header("Accept-Encoding", "br, gzip;q=0.5").body("SELECT n FROM t ORDER BY n"))
            .await;
    assert_eq!(reply.header("Content-Encoding"), "gzip");
    let mut plain = String::new();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(reply.body.as_slice()), &mut plain)
        .unwrap();
    assert_eq!(plain.lines().count(), 50_000);
    // What the front packs as blocks it must be able to read: a result goes in again as data.
    let result = Reply::of(ask(&[("compress", "1")]).body("SELECT n + 50000 FROM t FORMAT RowBinary")).await;
    let pairs = [("query", "INSERT INTO t FORMAT RowBinary"), ("decompress", "1")];
    let reply = Reply::of(ask(&pairs).body(result.body)).await;
    assert_eq!(reply.code(), None, "{}", reply.text());
    assert_eq!(
        target.post(&[], "SELECT count(), uniqExact(n), max(n) FROM t").await.text(),
        "100000\t100000\t99999"
    );
    front.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_supported_is_refused_clearly() {
    let Some((_directory, front)) = started().await else { return };
    let target = owner(&front);
    for (pairs, body, code, text) in [
        (&[("bad name", "1")][..], "SELECT 1".to_owned(), 115, "bad name"),
        (&[("readonly", "3")], "SELECT 1".to_owned(), 36, "readonly"),
        (&[], format!("SELECT '{}'", "x".repeat(17 << 20)), 307, "bytes long"),
        (&[], "SELECT 1 INTO OUTFILE '/tmp/x'".to_owned(), 1, "OUTFILE"),
    ] {
        let reply = target.post(pairs, body).await;
        assert_eq!(reply.code(), Some(code), "{}", reply.text());
        assert!(reply.text().contains(text), "{}", reply.text());
    }
    let form = http().post(&target.url).header("Content-Type", "multipart/form-data; boundary=b");
    let form = form
        .basic_auth(&target.user.name, Some(&target.user.key))
        .body("--b\r\nContent-Disposition: form-data; name=\"t\"\r\n\r\n1\r\n--b--\r\n");
    let reply = Reply::of(form).await;
    assert_eq!(reply.code(), Some(48), "{}", reply.text());
    front.close().await;
}
