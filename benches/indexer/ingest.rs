//! How fast a backlog goes in, beside the engine's own bulk insert of the very same rows.

use std::time::Duration;

use crate::backlog::Backlog;
use crate::figures::{Figures, Row};
use crate::layer::{Layer, heads};
use crate::process::Since;

/// Every table that the follower fills, in its order.
const TABLES: [&str; 5] =
    ["noetl_templates", "noetl_events", "noetl_steps", "noetl_executions", "noetl_logs"];

/// Bytes handed to the engine at once.
const CHUNK: usize = 1 << 20;

pub(crate) async fn measure(figures: &mut Figures, events: u64) -> anyhow::Result<()> {
    let backlog = Backlog::of(events).await?;
    let mut layer = Layer::open().await?;
    let heads = heads(&backlog).await?;
    let since = Since::now()?;
    let following = layer.follow(&backlog);
    layer.reached(heads).await?;
    let (wall, cpu) = (since.wall(), since.cpu()?);
    following.end().await?;
    let rows = rows(&mut layer, "observability")?;
    let raw = raw(&mut layer, "raw", "").await?;
    let again = self::rows(&mut layer, "raw")?;
    anyhow::ensure!(rows == again, "{rows} rows by the follower, {again} by the engine alone");
    // What it costs that an acknowledged insert survives a power cut.
    let unsynced =
        self::raw(&mut layer, "unsynced", "fsync_after_insert = 0, fsync_part_directory = 0").await?;
    let synced = self::raw(&mut layer, "synced", "fsync_after_insert = 1, fsync_part_directory = 1").await?;
    let each = |cpu: Duration| cpu / events as u32;
    figures.add(
        Row::rate(
            &format!("ingest: {} events ({rows} rows) of a backlog", heads.events),
            events,
            wall,
            "events/s",
            "> 50,000",
        )
        .raw_rate(
            "the engine's bulk insert of the same rows, in events",
            events as f64 / raw.wall.as_secs_f64(),
        ),
    );
    figures.add(
        Row::plain("ingest: CPU of it", each(cpu).as_secs_f64() * 1e6, "µs/event", "")
            .raw("the bulk insert", each(raw.cpu)),
    );
    figures.add(
        Row::rate("ingest: bulk insert, synced to disk", events, synced.wall, "events/s", "> 90 % of raw")
            .raw_rate("not synced", events as f64 / unsynced.wall.as_secs_f64()),
    );
    layer.close().await;
    Ok(())
}

fn rows(layer: &mut Layer, database: &str) -> anyhow::Result<u64> {
    let count = |table: &&str| format!("(SELECT count() FROM {database}.{table})");
    layer.number(&format!("SELECT {}", TABLES.iter().map(count).collect::<Vec<_>>().join(" + ")))
}

struct Raw {
    wall: Duration,
    cpu: Duration,
}

/// The rows as bytes, put into the same tables with the same views by the engine's own call.
async fn raw(layer: &mut Layer, database: &str, settings: &str) -> anyhow::Result<Raw> {
    layer.second(database).await?;
    let mut raw = Raw { wall: Duration::ZERO, cpu: Duration::ZERO };
    for table in TABLES {
        if !settings.is_empty() {
            layer.ask(&format!("ALTER TABLE {database}.{table} MODIFY SETTING {settings}"), "Null")?;
        }
        // As they came, not as they lie.
        let order = if table == "noetl_templates" { "fingerprint" } else { "position" };
        let bytes =
            layer.ask(&format!("SELECT * FROM observability.{table} ORDER BY {order}"), "RowBinary")?;
        let since = Since::now()?;
        let insert = format!("INSERT INTO {database}.{table}");
        let done = layer.direct.insert(&insert, "RowBinary", bytes.chunks(CHUNK));
        done.map_err(|error| anyhow::anyhow!("{insert}: {error}"))?;
        raw.wall += since.wall();
        raw.cpu += since.cpu()?;
    }
    Ok(raw)
}
