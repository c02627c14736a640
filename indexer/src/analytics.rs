//! The analytic store, whichever engine answers: tables made ready, rows put in exactly once, questions asked.

mod block;
mod schema;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clickhouse::{Client, Compression};
use noetl_bus::feed::Heads;

use crate::config::{Endpoint, Retention};
use crate::rows::{CallRow, Rows};
use block::Described;

pub(crate) use block::{Column, Columns, Value};

#[derive(Debug, thiserror::Error)]
pub enum AnalyticsError {
    #[error("cannot {attempted} in the analytic store")]
    Engine {
        attempted: &'static str,
        #[source]
        source: clickhouse::error::Error,
    },
    #[error("the analytic store refused the query: {reason}")]
    Refused { reason: String },
    #[error("the answer of the analytic store cannot be read: {reason}")]
    Unreadable { reason: String },
    #[error(
        "the tables of the analytic store are of version {found}, newer than {known}, the newest known here"
    )]
    Newer { found: u32, known: u32 },
}

/// Longest wait for one insert or answer.
const PATIENCE: Duration = Duration::from_mins(2);

/// Bytes of a block that are sent at once.
const PIECE: usize = 1 << 20;

/// Bytes that the answer to a query of a user may have.
const MOST_ANSWER: usize = 64 << 20;

/// Columns by table.
type Tables = HashMap<&'static str, Arc<[Described]>>;

/// Clones share the connections.
#[derive(Clone)]
pub struct Analytics {
    client: Client,
    /// May read and nothing else.
    reader: Client,
    database: String,
    address: String,
    /// The columns of our rows, as the engine describes them, of tables that were filled before.
    described: Arc<Mutex<Tables>>,
}

impl std::fmt::Debug for Analytics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Analytics").field("database", &self.database).finish_non_exhaustive()
    }
}

impl Analytics {
    /// `reader` is what questions of users go through.
    pub fn new(endpoint: &Endpoint, reader: &Endpoint, database: &str) -> Self {
        let client = |endpoint: &Endpoint| {
            let client = Client::default()
                .with_url(&endpoint.url)
                .with_user(&endpoint.user)
                .with_password(&endpoint.key);
            // Packing costs more than it saves where the bytes never leave the machine.
            if is_near(&endpoint.url) { client.with_compression(Compression::None) } else { client }
        };
        Self {
            client: client(endpoint).with_setting("deduplicate_blocks_in_dependent_materialized_views", "1"),
            reader: client(reader).with_compression(Compression::None),
            database: database.to_owned(),
            address: endpoint.url.clone(),
            described: Arc::default(),
        }
    }

    /// Where the engine answers.
    pub fn address(&self) -> &str {
        &self.address
    }

    pub fn database(&self) -> &str {
        &self.database
    }

    /// Makes the tables where they are missing, and tells which copy of the index this is.
    pub async fn prepare(&self, retention: Retention) -> Result<String, AnalyticsError> {
        schema::prepare(self, retention).await
    }

    /// Puts rows in. Repeated with the same token it changes nothing, neither in tables nor in views.
    pub async fn insert(&self, rows: &Rows, token: &str) -> Result<(), AnalyticsError> {
        // Tables do not know of each other, so they are filled side by side.
        tokio::try_join!(
            self.put("noetl_templates", &rows.templates, token),
            self.put("noetl_events", &rows.events, token),
            self.put("noetl_steps", &rows.steps, token),
            self.put("noetl_executions", &rows.executions, token),
            self.put("noetl_logs", &rows.lines, token),
            self.put("noetl_poison", &rows.poison, token),
        )?;
        Ok(())
    }

    /// Puts calls of a language model in.
    pub(crate) async fn insert_calls(&self, rows: &[CallRow]) -> Result<(), AnalyticsError> {
        let token = rows.first().map(|row| format!("{:016x}{:016x}", row.call_id.0, row.call_id.1));
        self.put("noetl_llm_calls", rows, &token.unwrap_or_default()).await
    }

    /// US dollars that calls from one moment up to another cost.
    pub(crate) async fn spent_on_calls(&self, from_ms: i64, until_ms: i64) -> Result<f64, AnalyticsError> {
        let sql = "SELECT sum(cost_usd) FROM {database}.noetl_llm_calls FINAL \
                   WHERE at >= fromUnixTimestamp64Milli(?) AND at < fromUnixTimestamp64Milli(?)";
        let query = self.query(sql).bind(from_ms).bind(until_ms);
        query.fetch_one::<f64>().await.map_err(|source| AnalyticsError::Engine {
            attempted: "add up what calls of models cost",
            source,
        })
    }

    /// How far the tables reach; where a follower begins that has lost its place.
    pub(crate) async fn heads(&self) -> Result<Heads, AnalyticsError> {
        let sql = "SELECT ifNull((SELECT max(position) FROM {database}.noetl_events), 0), \
                   ifNull((SELECT max(position) FROM {database}.noetl_logs), 0)";
        let heads = self.query(sql).fetch_one::<(u64, u64)>().await;
        let (events, lines) = heads.map_err(|source| AnalyticsError::Engine {
            attempted: "read how far the tables reach",
            source,
        })?;
        Ok(Heads { events, lines })
    }

    async fn put<R: Columns>(
        &self,
        table: &'static str,
        rows: &[R],
        token: &str,
    ) -> Result<(), AnalyticsError> {
        if rows.is_empty() {
            return Ok(());
        }
        let failed = |source| AnalyticsError::Engine { attempted: "insert rows", source };
        let pieces = block::of(rows, &self.columns::<R>(table).await?)?;
        let sql = format!("INSERT INTO {}.{table} ({}) FORMAT Native", self.database, R::NAMES.join(", "));
        // A batch is one block, so that it is either there or not.
        let mut insert = self
            .client
            .insert_formatted_with(sql)
            .with_timeouts(Some(PATIENCE), Some(PATIENCE))
            .with_setting("insert_deduplication_token", token)
            // What a row replaces goes when parts are merged; questions read the tables as if it had gone.
            .with_setting("optimize_on_insert", "0")
            .with_setting("max_insert_block_size", rows.len().to_string())
            .with_setting("min_insert_block_size_rows", rows.len().to_string());
        for piece in pieces {
            for start in (0..piece.len()).step_by(PIECE) {
                let part = piece.slice(start..piece.len().min(start + PIECE));
                insert.send(part).await.map_err(failed)?;
            }
        }
        insert.end().await.map_err(failed)
    }

    /// The columns of these rows in a table; the engine is asked once.
    async fn columns<R: Columns>(&self, table: &'static str) -> Result<Arc<[Described]>, AnalyticsError> {
        if let Some(known) = self.described().get(table) {
            return Ok(Arc::clone(known));
        }
        let sql = "SELECT name, type FROM system.columns WHERE database = ? AND table = ?";
        let query = self.client.query(sql).bind(&self.database).bind(table);
        let mut there: HashMap<String, String> =
            self.all::<(String, String)>("read the columns of a table", query).await?.into_iter().collect();
        let columns = R::NAMES.iter().map(|name| {
            let kind = there.remove(*name);
            kind.map(|kind| Described { name: (*name).to_owned(), kind }).ok_or(*name)
        });
        let columns: Result<Arc<[Described]>, _> = columns.collect();
        let columns = columns.map_err(|name| AnalyticsError::Unreadable {
            reason: format!("table {table} has no column {name}"),
        })?;
        self.described().insert(table, Arc::clone(&columns));
        Ok(columns)
    }

    fn described(&self) -> std::sync::MutexGuard<'_, Tables> {
        self.described.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a statement of ours.
    pub(crate) async fn execute(&self, attempted: &'static str, sql: &str) -> Result<(), AnalyticsError> {
        let done = self.client.query_raw(sql).execute().await;
        done.map_err(|source| AnalyticsError::Engine { attempted, source })
    }

    /// A query of ours; `{database}` stands for the configured one, values come in as parameters.
    pub fn query(&self, sql: &str) -> clickhouse::query::Query {
        self.client.query(&sql.replace("{database}", &self.database))
    }

    /// The answer to a query of a user, in a format of the engine's; it may read, for so long and so much.
    pub(crate) async fn read_only(
        &self,
        format: &str,
        sql: &str,
        rows: u64,
        seconds: u64,
    ) -> Result<Vec<u8>, AnalyticsError> {
        let refused = |error: clickhouse::error::Error| AnalyticsError::Refused {
            reason: crate::follow::brief(&error),
        };
        let mut answer = self
            .reader
            .query_raw(sql)
            .with_setting("database", self.database.as_str())
            .with_setting("max_execution_time", seconds.to_string())
            .with_setting("max_result_rows", rows.to_string())
            .with_setting("result_overflow_mode", "break")
            .with_setting("output_format_json_quote_64bit_integers", "1")
            .with_setting("readonly", "1")
            .fetch_bytes(format)
            .map_err(refused)?;
        let mut bytes = Vec::new();
        while let Some(chunk) = answer.next().await.map_err(refused)? {
            if bytes.len() + chunk.len() > MOST_ANSWER {
                let reason = format!("the answer is larger than {} MiB", MOST_ANSWER >> 20);
                return Err(AnalyticsError::Refused { reason });
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }

    /// All rows of a query.
    pub async fn all<T>(
        &self,
        attempted: &'static str,
        query: clickhouse::query::Query,
    ) -> Result<Vec<T>, AnalyticsError>
    where
        T: clickhouse::RowOwned + clickhouse::RowRead,
    {
        query.fetch_all::<T>().await.map_err(|source| AnalyticsError::Engine { attempted, source })
    }
}

/// Whether an address is of this machine.
fn is_near(url: &str) -> bool {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    ["127.0.0.1", "localhost", "[::1]"].iter().any(|near| {
        host.strip_prefix(near).is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/']))
    })
}

#[cfg(test)]
mod tests {
    use super::is_near;

    #[test]
    fn an_address_of_this_machine_is_near() {
        for near in ["http://127.0.0.1:8123", "http://localhost", "http://[::1]:8123/", "127.0.0.1:1"] {
            assert!(is_near(near), "{near}");
        }
        for far in ["http://localhost.example.com", "https://click.example.com:8443", "http://127.0.0.10"] {
            assert!(!is_near(far), "{far}");
        }
    }
}
