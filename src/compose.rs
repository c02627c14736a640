//! Puts the rooms together: store, orchestrator, bus, worker, router.

use noetl_server::store::DataLock;

use crate::context::Context;
use crate::problem::Problem;

/// Rooms that run in this process.
#[derive(Debug)]
pub(crate) struct Rooms {
    address: String,
}

impl Rooms {
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    #[expect(clippy::unused_async, reason = "the rooms are not built yet")]
    pub(crate) async fn close(self) -> anyhow::Result<()> {
        Ok(())
    }
}

#[expect(clippy::unused_async, reason = "the rooms are not built yet")]
pub(crate) async fn reader(_: &Context) -> anyhow::Result<Rooms> {
    Err(Problem::new("the embedded store is not built yet").into())
}

pub(crate) async fn writer(context: &Context, _: DataLock) -> anyhow::Result<Rooms> {
    reader(context).await
}

pub(crate) async fn engine(context: &Context, _: DataLock) -> anyhow::Result<Rooms> {
    reader(context).await
}

pub(crate) async fn server(context: &Context, _: DataLock) -> anyhow::Result<Rooms> {
    reader(context).await
}
