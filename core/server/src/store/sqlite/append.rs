//! The one place that writes Events: a whole batch in one transaction with one sync.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};

use noetl_domain::event::TimerKey;
use noetl_domain::id::{CommandId, ExecutionId};
use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments as _, Connection as _, Row as _, SqliteConnection};

use super::script::{Rows, Script};
use super::summary;
use super::{Append, AppendError, Committed, SqliteStore, StoreError, Summary};

/// Versions remembered at most; the data directory's lock makes what is remembered true.
const REMEMBERED: usize = 100_000;

const EVENTS: Rows = Rows {
    before: "INSERT INTO event_row (execution_id, seq, event_id, at_ms, event_type, node_name, data) VALUES ",
    row: "(?,?,?,?,?,?,?)",
    after: "",
};
const CLOSED: Rows = Rows { before: "DELETE FROM outbox_row WHERE command IN (", row: "?", after: ")" };
const OPENED: Rows = Rows {
    before: "INSERT OR REPLACE INTO outbox_row (command, step, run, batch, attempt) VALUES ",
    row: "(?,?,?,?,?)",
    after: "",
};
const CLEARED: Rows = Rows { before: "DELETE FROM timer_row WHERE timer IN (", row: "?", after: ")" };
const SET: Rows =
    Rows { before: "INSERT OR REPLACE INTO timer_row (timer, due_ms) VALUES ", row: "(?,?)", after: "" };

/// The connection that writes, and what it knows.
pub(crate) struct Writer {
    connection: Option<SqliteConnection>,
    versions: HashMap<ExecutionId, u64>,
    /// A transaction may be open: a caller went away in the middle of one, or it failed.
    torn: bool,
}

impl Writer {
    pub(super) fn new(connection: SqliteConnection) -> Self {
        Self { connection: Some(connection), versions: HashMap::new(), torn: false }
    }

    /// The connection, outside of any transaction. Call [`Writer::settled`] when the work on it is complete.
    pub(crate) async fn take_up(&mut self) -> Result<&mut SqliteConnection, sqlx::Error> {
        let connection = self.connection.as_mut().ok_or(sqlx::Error::PoolClosed)?;
        if self.torn {
            self.versions.clear();
            match sqlx::raw_sql("ROLLBACK").execute(&mut *connection).await {
                // SQLite rolls back by itself after some failures; then there is nothing to roll back.
                Ok(_) | Err(sqlx::Error::Database(_)) => {}
                Err(other) => return Err(other),
            }
            sqlx::raw_sql("PRAGMA synchronous = FULL").execute(&mut *connection).await?;
        }
        self.torn = true;
        Ok(connection)
    }

    pub(crate) fn settled(&mut self) {
        self.torn = false;
    }

    /// Forgets versions, because rows were deleted.
    pub(super) fn forget(&mut self, executions: &[ExecutionId]) {
        for execution in executions {
            self.versions.remove(execution);
        }
    }

    pub(super) async fn close(&mut self) {
        if let Some(connection) = self.connection.take()
            && let Err(error) = connection.close().await
        {
            tracing::warn!(%error, "the database did not close cleanly");
        }
    }
}

pub(super) async fn append(store: &SqliteStore, batch: Vec<Append>) -> Vec<Result<Committed, AppendError>> {
    let prepared: Vec<Result<Prepared, StoreError>> = batch.into_iter().map(prepare).collect();
    let mut writer = store.writer.lock().await;
    let mut outcomes = Vec::with_capacity(prepared.len());
    match write(&mut writer, &prepared, &mut outcomes).await {
        Ok(()) => {
            writer.settled();
            outcomes
        }
        Err(source) => {
            let failed = StoreError::failed("write events", source);
            let refused = outcomes.into_iter().map(Some).chain(std::iter::repeat_with(|| None));
            let answer = |(item, outcome): (&Result<Prepared, StoreError>, Option<_>)| match (item, outcome) {
                (_, Some(Err(refused))) => Err(refused),
                (Err(refused), _) => Err(refused.clone().into()),
                (Ok(_), _) => Err(failed.clone().into()),
            };
            prepared.iter().zip(refused).map(answer).collect()
        }
    }
}

/// An append whose values are text already, so that the connection is held only for writing.
struct Prepared {
    append: Append,
    texts: Vec<String>,
    result: Option<String>,
    error: Option<String>,
    timers: Vec<(String, Option<i64>)>,
}

fn prepare(append: Append) -> Result<Prepared, StoreError> {
    for (index, recorded) in append.events.iter().enumerate() {
        let due = append.expected + 1 + index as u64;
        if recorded.seq != due || recorded.execution != append.execution {
            return Err(StoreError::Refused(format!(
                "event {} of execution {} where event {due} of execution {} belongs",
                recorded.seq, recorded.execution, append.execution
            )));
        }
    }
    if append.summary.execution != append.execution {
        return Err(StoreError::Refused(format!(
            "the summary of execution {} beside events of execution {}",
            append.summary.execution, append.execution
        )));
    }
    let refused = |error: serde_json::Error| StoreError::Refused(error.to_string());
    let texts = append.events.iter().map(|recorded| serde_json::to_string(&recorded.event));
    let texts = texts.collect::<Result<_, _>>().map_err(refused)?;
    let result = append.summary.result.as_ref().map(serde_json::to_string).transpose().map_err(refused)?;
    let error = append.summary.error.as_ref().map(serde_json::to_string).transpose().map_err(refused)?;
    let key = |key: &TimerKey| {
        let key = serde_json::to_string(key).map_err(refused)?;
        Ok::<_, StoreError>(format!("{}:{key}", append.execution))
    };
    let mut timers = Vec::new();
    for fired in &append.fired {
        timers.push((key(fired)?, None));
    }
    for timer in &append.timers {
        timers.push((key(&timer.key)?, Some(timer.due_ms)));
    }
    Ok(Prepared { append, texts, result, error, timers })
}

/// Fills `outcomes` with one answer per item, in order. On an error nothing was written.
async fn write(
    writer: &mut Writer,
    prepared: &[Result<Prepared, StoreError>],
    outcomes: &mut Vec<Result<Committed, AppendError>>,
) -> Result<(), sqlx::Error> {
    writer.take_up().await?;
    let mut versions = known_versions(writer, prepared).await?;
    let Some(connection) = writer.connection.as_mut() else { return Err(sqlx::Error::PoolClosed) };

    let mut accepted: Vec<&Prepared> = Vec::with_capacity(prepared.len());
    let mut started: HashMap<&str, (i64, ExecutionId)> = HashMap::new();
    let mut count = 0;
    for item in prepared {
        let item = match item {
            Ok(item) => item,
            Err(refused) => {
                outcomes.push(Err(refused.clone().into()));
                continue;
            }
        };
        let append = &item.append;
        let version = versions.entry(append.execution).or_insert(0);
        if *version != append.expected {
            outcomes.push(Err(AppendError::Conflict { actual: *version }));
            continue;
        }
        if append.expected == 0
            && let Some(dedup) = &append.summary.dedup
        {
            let since = dedup.since_ms(append.summary.started_ms);
            let found = match started.get(dedup.key.as_str()) {
                Some((at, execution)) if *at >= since => Some(*execution),
                _ => summary::duplicate(&mut *connection, &dedup.key, since).await?,
            };
            if let Some(execution) = found {
                outcomes.push(Err(AppendError::Duplicate { execution }));
                continue;
            }
            started.insert(&dedup.key, (append.summary.started_ms, append.execution));
        }
        *version += append.events.len() as u64;
        // Numbered from the batch's first Event until the first position is known.
        outcomes.push(Ok(Committed { first_position: count }));
        count += append.events.len() as u64;
        accepted.push(item);
    }
    if accepted.is_empty() {
        return Ok(());
    }
    let last = script(&accepted)?.commit(connection).await? as u64;
    let mut items = accepted.iter();
    for committed in outcomes.iter_mut().filter_map(|outcome| outcome.as_mut().ok()) {
        let is_empty = items.next().is_none_or(|item| item.append.events.is_empty());
        let first = if is_empty { 0 } else { last + 1 - count + committed.first_position };
        committed.first_position = first;
    }
    if writer.versions.len() > REMEMBERED {
        writer.versions.clear();
    }
    for item in accepted {
        let execution = item.append.execution;
        if item.append.summary.status.is_final() {
            writer.versions.remove(&execution);
        } else if let Some(version) = versions.get(&execution) {
            writer.versions.insert(execution, *version);
        }
    }
    Ok(())
}

/// The version of every Execution in the batch, from memory or from its log.
async fn known_versions(
    writer: &mut Writer,
    prepared: &[Result<Prepared, StoreError>],
) -> Result<HashMap<ExecutionId, u64>, sqlx::Error> {
    let mut versions = HashMap::with_capacity(prepared.len());
    let mut unknown: Vec<i64> = Vec::new();
    for item in prepared.iter().flatten() {
        let execution = item.append.execution;
        if let Entry::Vacant(vacant) = versions.entry(execution) {
            let known = writer.versions.get(&execution).copied();
            vacant.insert(known.unwrap_or(0));
            if known.is_none() {
                unknown.push(execution.0 as i64);
            }
        }
    }
    if let (false, Some(connection)) = (unknown.is_empty(), writer.connection.as_mut()) {
        let rows = sqlx::query(
            // An Execution whose rows are being deleted is gone already.
            "SELECT value, (SELECT max(seq) FROM event_row WHERE execution_id = value \
             AND NOT EXISTS (SELECT 1 FROM purge_row WHERE purge_row.execution_id = value)) FROM json_each(?)",
        )
        .bind(serde_json::to_string(&unknown).map_err(|error| sqlx::Error::Encode(error.into()))?)
        .fetch_all(connection)
        .await?;
        for row in rows {
            let version: Option<i64> = row.try_get(1)?;
            versions.insert(ExecutionId(row.try_get::<i64, _>(0)? as u64), version.unwrap_or(0) as u64);
        }
    }
    Ok(versions)
}

/// Everything that was accepted as one transaction. Of several changes to one row the last one counts.
fn script(accepted: &[&Prepared]) -> Result<Script, sqlx::Error> {
    let mut outbox: BTreeMap<&CommandId, Option<u32>> = BTreeMap::new();
    let mut timers: BTreeMap<&str, Option<i64>> = BTreeMap::new();
    let mut summaries: BTreeMap<ExecutionId, &Prepared> = BTreeMap::new();
    for item in accepted {
        outbox.extend(item.append.closed.iter().map(|id| (id, None)));
        outbox.extend(item.append.opened.iter().map(|row| (&row.id, Some(row.attempt))));
        timers.extend(item.timers.iter().map(|(key, due)| (key.as_str(), *due)));
        summaries.insert(item.append.execution, item);
    }
    let mut script = Script::begin();
    let closed: Vec<String> =
        outbox.iter().filter(|(_, attempt)| attempt.is_none()).map(|(id, _)| id.to_string()).collect();
    script.rows(&CLOSED, closed, SqliteArguments::add)?;
    let opened: Vec<_> = outbox.iter().filter_map(|(id, attempt)| Some((*id, (*attempt)?))).collect();
    script.rows(&OPENED, opened, |arguments, (id, attempt)| {
        arguments.add(id.to_string())?;
        arguments.add(id.step.as_str())?;
        arguments.add(id.run)?;
        arguments.add(id.batch)?;
        arguments.add(attempt)
    })?;
    let cleared: Vec<&str> = timers.iter().filter(|(_, due)| due.is_none()).map(|(key, _)| *key).collect();
    script.rows(&CLEARED, cleared, SqliteArguments::add)?;
    let set: Vec<_> = timers.iter().filter_map(|(key, due)| Some((*key, (*due)?))).collect();
    script.rows(&SET, set, |arguments, (key, due)| {
        arguments.add(key)?;
        arguments.add(due)
    })?;
    script.rows(&summary::UPSERT, summaries.into_values(), |arguments, item| {
        let summary: &Summary = &item.append.summary;
        summary::bind(arguments, summary, item.result.as_deref(), item.error.as_deref())
    })?;
    // Events come last, so that the last row id is a position.
    let events: Vec<_> =
        accepted.iter().flat_map(|item| item.append.events.iter().zip(&item.texts)).collect();
    script.rows(&EVENTS, events, |arguments, (recorded, text)| {
        arguments.add(recorded.execution.0 as i64)?;
        arguments.add(recorded.seq as i64)?;
        arguments.add(recorded.event_id as i64)?;
        arguments.add(recorded.at_ms)?;
        arguments.add(recorded.event.name())?;
        arguments.add(recorded.event.step())?;
        arguments.add(text.as_str())
    })?;
    Ok(script)
}
