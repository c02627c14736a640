//! A server in the foreground: rooms up, say where, serve until told to stop.

use noetl_server::store::DataLock;

use crate::commands::up::Up;
use crate::compose;
use crate::context::Context;
use crate::exit::Exit;

pub(crate) async fn until_stopped(context: &Context, up: &Up) -> anyhow::Result<Exit> {
    let path = &context.config.store.data_dir;
    let lock = DataLock::acquire(path)?;
    let rooms = compose::server(context, lock).await?;
    eprintln!("NoETL serves {} with its store in {}", rooms.address(), path.display());
    let _ = up;
    rooms.close().await?;
    Ok(Exit::Success)
}
