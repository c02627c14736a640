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
    // What it costs that an acknowledged insert survives a power cut.
    let mut layer = Layer::open().await?;
    let tables =
        "SELECT name FROM system.tables WHERE database = 'observability' AND engine LIKE '%MergeTree'";
    for table in String::from_utf8_lossy(&layer.ask(tables, "TSVRaw")?).lines() {
        let settings = "fsync_after_insert = 0, fsync_part_directory = 0";
        layer.ask(&format!("ALTER TABLE observability.{table} MODIFY SETTING {settings}"), "Null")?;
    }
    let unsynced = follow(&layer, &backlog).await?;
    layer.close().await;

    let mut layer = Layer::open().await?;
    let followed = follow(&layer, &backlog).await?;
    let rows = rows(&mut layer, "observability")?;
    // Rows one by one, as clients send them, and in blocks, as the engine holds them: the faster one is the limit.
    let mut raws = Vec::new();
    for (format, database) in [("RowBinary", "by_rows"), ("Native", "by_blocks")] {
        raws.push(raw(&mut layer, database, format).await?);
        let again = self::rows(&mut layer, database)?;
        anyhow::ensure!(rows == again, "{rows} rows by the follower, {again} by the engine alone");
    }
    layer.close().await;

    let rate = |spent: &Spent| events as f64 / spent.wall.as_secs_f64();
    let each = |spent: &Spent| spent.cpu / events as u32;
    let name = format!("ingest: {events} events ({rows} rows) of a backlog");
    figures.add(
        Row::rate(&name, events, followed.wall, "events/s", "> 50,000, 80 % of raw")
            .raw_rate("the engine's bulk insert of the same rows, in events", rate(&raws[0])),
    );
    figures.add(
        Row::rate("ingest: the same", events, followed.wall, "events/s", "")
            .raw_rate("bulk insert in blocks of columns (Native)", rate(&raws[1])),
    );
    figures.add(
        Row::plain("ingest: CPU of it", each(&followed).as_secs_f64() * 1e6, "µs/event", "")
            .raw("the bulk insert", each(&raws[0])),
    );
    figures.add(
        Row::rate("ingest: price of syncing", events, followed.wall, "events/s", "> 90 % of raw")
            .raw_rate("the same without", rate(&unsynced)),
    );
    Ok(())
}

struct Spent {
    wall: Duration,
    cpu: Duration,
}

async fn follow(layer: &Layer, backlog: &Backlog) -> anyhow::Result<Spent> {
    let heads = heads(backlog).await?;
    let since = Since::now()?;
    let following = layer.follow(backlog);
    layer.reached(heads).await?;
    let spent = Spent { wall: since.wall(), cpu: since.cpu()? };
    following.end().await?;
    Ok(spent)
}

/// Without those that an insert or a merge has replaced already.
fn rows(layer: &mut Layer, database: &str) -> anyhow::Result<u64> {
    let count = |table: &&str| format!("(SELECT count() FROM {database}.{table} FINAL)");
    layer.number(&format!("SELECT {}", TABLES.iter().map(count).collect::<Vec<_>>().join(" + ")))
}

/// The rows as bytes, put into the same tables with the same views by the engine's own call.
async fn raw(layer: &mut Layer, database: &str, format: &str) -> anyhow::Result<Spent> {
    layer.second(database).await?;
    let mut spent = Spent { wall: Duration::ZERO, cpu: Duration::ZERO };
    for table in TABLES {
        // As they came, not as they lie.
        let order = if table == "noetl_templates" { "fingerprint" } else { "position" };
        let bytes = layer.ask(&format!("SELECT * FROM observability.{table} ORDER BY {order}"), format)?;
        let since = Since::now()?;
        let insert = format!("INSERT INTO {database}.{table}");
        let done = layer.direct.insert(&insert, format, bytes.chunks(CHUNK));
        done.map_err(|error| anyhow::anyhow!("{insert}: {error}"))?;
        spent.wall += since.wall();
        spent.cpu += since.cpu()?;
    }
    Ok(spent)
}
