//! `status`: how the semantic layer is doing.

use clickhouse::Row;
use noetl_api::insight::{
    CollectionSize, EmbedderStatus, LayerStatus, Moving, PartStatus, Poison, TableSize,
};
use serde::Deserialize;

use super::moment_of_ms;
use crate::analytics::{Analytics, AnalyticsError};
use crate::semantic::Semantic;
use crate::status::{Part, Progress};
use crate::vectors::{Kind, Vectors};

const MOST_POISON: u64 = 20;

#[derive(Row, Deserialize)]
struct Table {
    table: String,
    rows: u64,
    bytes: u64,
}

#[derive(Row, Deserialize)]
struct SetAside {
    kind: String,
    position: u64,
    execution_id: u64,
    reason: String,
    at_ms: i64,
    total: u64,
}

/// Always answers; what an engine that is away cannot tell is left out.
pub(crate) async fn status(semantic: &Semantic) -> LayerStatus {
    let snapshot = semantic.status().get();
    let mut told = LayerStatus {
        analytics: part(&snapshot.analytics),
        vectors: part(&snapshot.vectors),
        fingerprints: semantic.fingerprints().len() as u64,
        ..LayerStatus::default()
    };
    if let Ok(analytics) = semantic.opened() {
        told.analytics.address = Some(analytics.address().to_owned());
        told.tables = tables(&analytics).await.unwrap_or_default();
        if let Ok(poison) = poison(&analytics).await {
            told.analytics.poison = poison.first().map_or(0, |first| first.total);
            told.poison = poison.into_iter().map(set_aside).collect();
        }
    }
    told.moving = snapshot.moving.map(|one| Moving { from: one.from, done: one.done, total: one.total });
    if let Ok(vectors) = semantic.opened_vectors() {
        told.vectors.address = Some(vectors.address().to_owned());
        told.embedder = Some(embedder(&vectors));
        told.collections = collections(&vectors).await;
    }
    told
}

fn embedder(vectors: &Vectors) -> EmbedderStatus {
    let counted = vectors.embedder().map(crate::embedding::Embedder::counters).unwrap_or_default();
    EmbedderStatus {
        name: vectors.embedder_name().to_owned(),
        note: vectors.note().map(str::to_owned),
        calls: counted.calls,
        texts: counted.texts,
        remembered: counted.remembered,
    }
}

async fn collections(vectors: &Vectors) -> Vec<CollectionSize> {
    let mut sizes = Vec::new();
    for kind in Kind::ALL {
        // One that is not there yet, or whose engine is away, is left out.
        if let Ok(points) = vectors.count(kind, None).await {
            sizes.push(CollectionSize { collection: vectors.collection(kind), points });
        }
    }
    sizes
}

fn part(progress: &Progress) -> PartStatus {
    let (state, reason) = match &progress.part {
        Part::Starting => ("starting", None),
        Part::On => ("on", None),
        Part::Failing { reason } => ("failing", Some(reason.clone())),
        Part::Off { reason } => ("off", Some(reason.clone())),
    };
    PartStatus {
        state: state.to_owned(),
        reason,
        address: None,
        position: progress.position,
        head: progress.head,
        behind: progress.behind,
        lag_ms: progress.lag_ms,
        poison: progress.poison,
    }
}

async fn tables(analytics: &Analytics) -> Result<Vec<TableSize>, AnalyticsError> {
    let sql = "SELECT table, sum(rows) AS rows, sum(bytes_on_disk) AS bytes FROM system.parts
        WHERE active AND database = ? GROUP BY table ORDER BY table";
    let query = analytics.query(sql).bind(analytics.database());
    let rows = analytics.all::<Table>("measure the tables", query).await?;
    Ok(rows.into_iter().map(|row| TableSize { table: row.table, rows: row.rows, bytes: row.bytes }).collect())
}

async fn poison(analytics: &Analytics) -> Result<Vec<SetAside>, AnalyticsError> {
    let sql = "SELECT kind, position, execution_id, reason, toUnixTimestamp64Milli(at) AS at_ms,
            count() OVER () AS total
        FROM {database}.noetl_poison FINAL ORDER BY at DESC LIMIT ?";
    analytics.all::<SetAside>("read what was set aside", analytics.query(sql).bind(MOST_POISON)).await
}

fn set_aside(row: SetAside) -> Poison {
    Poison {
        kind: row.kind,
        position: row.position,
        execution_id: row.execution_id.to_string(),
        reason: row.reason,
        at: moment_of_ms(row.at_ms),
    }
}
