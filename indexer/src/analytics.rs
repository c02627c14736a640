//! The analytic store, whichever engine answers: tables made ready, rows put in exactly once, questions asked.

mod schema;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clickhouse::{Client, Compression, Row, RowWrite};
use noetl_bus::feed::Heads;
use serde::Serialize;

use crate::config::{Endpoint, Retention};
use crate::rows::{CallRow, Rows};

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

/// Bytes that the answer to a query of a user may have.
const MOST_ANSWER: usize = 64 << 20;

/// Clones share the connections.
#[derive(Clone)]
pub struct Analytics {
    client: Client,
    /// May read and nothing else.
    reader: Client,
    database: String,
    address: String,
    /// Tables whose columns are known to be those of our rows.
    checked: Arc<Mutex<HashSet<&'static str>>>,
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
            checked: Arc::default(),
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
        const TABLE: &str = "noetl_llm_calls";
        // The library's check knows no UUID that is made of two halves, which is how one lies in the row.
        self.checked().insert(TABLE);
        let token = rows.first().map(|row| format!("{:016x}{:016x}", row.call_id.0, row.call_id.1));
        self.put(TABLE, rows, &token.unwrap_or_default()).await
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

    async fn put<T>(&self, table: &'static str, rows: &[T], token: &str) -> Result<(), AnalyticsError>
    where
        T: RowWrite + Serialize + for<'a> Row<Value<'a> = T>,
    {
        if rows.is_empty() {
            return Ok(());
        }
        let failed = |source| AnalyticsError::Engine { attempted: "insert rows", source };
        // Rows are checked against the table once; every row of every batch would cost as much as writing it.
        let is_known = self.checked().contains(table);
        let name = format!("{}.{table}", self.database);
        // A batch is one block, so that it is either there or not.
        let most = rows.len().max(1).to_string();
        let mut insert = self
            .client
            .clone()
            .with_validation(!is_known)
            .insert_unescaped::<T>(&name)
            .await
            .map_err(failed)?
            .with_timeouts(Some(PATIENCE), Some(PATIENCE))
            .with_setting("insert_deduplication_token", token)
            .with_setting("max_insert_block_size", most.as_str())
            .with_setting("min_insert_block_size_rows", most.as_str());
        for row in rows {
            insert.write(row).await.map_err(failed)?;
        }
        insert.end().await.map_err(failed)?;
        self.checked().insert(table);
        Ok(())
    }

    fn checked(&self) -> std::sync::MutexGuard<'_, HashSet<&'static str>> {
        self.checked.lock().unwrap_or_else(PoisonError::into_inner)
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
