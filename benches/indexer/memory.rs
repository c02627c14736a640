//! How much memory a large backlog takes, above an engine that is open and idle.

use std::time::Duration;

use crate::backlog::Backlog;
use crate::figures::{Figures, Row};
use crate::layer::{Layer, heads};
use crate::process::{Since, resident_mib};

pub(crate) async fn measure(figures: &mut Figures, events: u64) -> anyhow::Result<()> {
    let backlog = Backlog::of(events).await?;
    let mut layer = Layer::open().await?;
    layer.merged().await?;
    let idle = resident_mib()?;
    let since = Since::now()?;
    let following = layer.follow(&backlog);
    let heads = heads(&backlog).await?;
    let mut most = idle;
    {
        let reached = layer.reached(heads);
        tokio::pin!(reached);
        loop {
            tokio::select! {
                done = &mut reached => break done?,
                () = tokio::time::sleep(Duration::from_millis(20)) => most = most.max(resident_mib()?),
            }
        }
    }
    let wall = since.wall();
    following.end().await?;
    figures.add(Row::plain(
        &format!("memory: growth over a backlog of {events} events"),
        most - idle,
        "MiB",
        "< 1,024",
    ));
    figures.add(Row::plain("memory: engine open and idle, this program included", idle, "MiB", ""));
    figures.add(Row::rate(
        &format!("memory: rate over {events} events"),
        events,
        wall,
        "events/s",
        "> 50,000",
    ));
    layer.close().await;
    Ok(())
}
