//! The conformance suite over the engine in this process.

use noetl_engine_clickhouse::conformance;

use crate::{owner, started};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_embedded_engine_keeps_every_promise() {
    let Some((_directory, front)) = started().await else { return };
    conformance::suite(&owner(&front)).await;
    front.close().await;
}
