//! Proposals, Rollouts and their Events in the store.
//!
//! A transition is one [`Change`]: rows replaced and Events added in one transaction, or in the catalog's own.

use noetl_api::proposal::{
    ControlEvent, ControlFilter, Estimate, NewProposal, ProposalFilter, ProposalState,
};
use noetl_api::rollout::{Arm, Judgement, RolloutRules, RolloutState};
use noetl_domain::Value;
use noetl_domain::rollout::Goal;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, QueryBuilder, Row as _, Sqlite};

use crate::catalog::Split;
use crate::http::time;
use crate::store::{SqliteStore, StoreError};

/// Binds the three texts of [`Change::texts`].
pub(crate) const APPLY: &str = "\
    INSERT INTO proposal_row (proposal_id, key, playbook, base_version, kind, evidence_hash, proposed, state, made_ms, \
    expires_ms, decided_by, decided_ms, note, rollout_id, version, promoted_ms, delivered) \
    SELECT value ->> '$.id', value ->> '$.key', value ->> '$.proposed.playbook', value ->> '$.proposed.base_version', \
    value ->> '$.proposed.kind', value ->> '$.proposed.evidence_hash', value ->> '$.proposed', value ->> '$.state', \
    value ->> '$.made_ms', value ->> '$.expires_ms', value ->> '$.decided_by', value ->> '$.decided_ms', \
    value ->> '$.note', value ->> '$.rollout', value ->> '$.version', value ->> '$.promoted_ms', \
    value ->> '$.delivered' FROM json_each(?) WHERE true \
    ON CONFLICT (proposal_id) DO UPDATE SET state = excluded.state, decided_by = excluded.decided_by, \
    decided_ms = excluded.decided_ms, note = excluded.note, rollout_id = excluded.rollout_id, \
    version = excluded.version, promoted_ms = excluded.promoted_ms, delivered = excluded.delivered; \
    INSERT INTO rollout_row (rollout_id, playbook, proposal_id, stable_version, canary_version, share_percent, goal, \
    rules, state, started_ms, ended_ms, arms) \
    SELECT value ->> '$.id', value ->> '$.playbook', value ->> '$.proposal', value ->> '$.stable', \
    value ->> '$.canary', value ->> '$.share_percent', value ->> '$.goal', value ->> '$.rules', value ->> '$.state', \
    value ->> '$.started_ms', value ->> '$.ended_ms', value ->> '$.arms' FROM json_each(?) WHERE true \
    ON CONFLICT (rollout_id) DO UPDATE SET state = excluded.state, ended_ms = excluded.ended_ms, arms = excluded.arms; \
    INSERT INTO control_event_row (at_ms, name, playbook, proposal_id, rollout_id, actor, evidence_hash, data) \
    SELECT value ->> '$.at_ms', value ->> '$.name', value ->> '$.playbook', value ->> '$.proposal', \
    value ->> '$.rollout', value ->> '$.actor', value ->> '$.evidence_hash', value ->> '$.data' FROM json_each(?);";

/// A Proposal as it is kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Record {
    pub(crate) id: u64,
    pub(crate) key: String,
    pub(crate) proposed: NewProposal,
    pub(crate) state: ProposalState,
    pub(crate) made_ms: i64,
    pub(crate) expires_ms: i64,
    pub(crate) decided_by: Option<String>,
    pub(crate) decided_ms: Option<i64>,
    pub(crate) note: Option<String>,
    pub(crate) rollout: Option<u64>,
    pub(crate) version: Option<u32>,
    pub(crate) promoted_ms: Option<i64>,
    pub(crate) delivered: Option<Delivered>,
}

/// What came after a promotion, and of how many executions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Delivered {
    pub(crate) estimate: Estimate,
    pub(crate) n: u64,
}

/// A Rollout as it is kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Trial {
    pub(crate) id: u64,
    pub(crate) playbook: String,
    pub(crate) proposal: Option<u64>,
    pub(crate) stable: u32,
    pub(crate) canary: u32,
    pub(crate) share_percent: u32,
    pub(crate) goal: Goal,
    pub(crate) rules: RolloutRules,
    pub(crate) state: RolloutState,
    pub(crate) started_ms: i64,
    pub(crate) ended_ms: Option<i64>,
    /// Set when it ends.
    pub(crate) arms: Option<Arms>,
}

impl Trial {
    pub(crate) fn split(&self) -> Split {
        Split {
            rollout: self.id,
            stable: self.stable,
            canary: self.canary,
            share_percent: self.share_percent,
            paused: self.state == RolloutState::Paused,
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Arms {
    pub(crate) control: Arm,
    pub(crate) canary: Arm,
    pub(crate) judgement: Judgement,
}

/// An Event to add.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Happened {
    pub(crate) at_ms: i64,
    pub(crate) name: &'static str,
    pub(crate) playbook: String,
    pub(crate) proposal: Option<u64>,
    pub(crate) rollout: Option<u64>,
    pub(crate) actor: String,
    pub(crate) evidence_hash: Option<String>,
    pub(crate) data: Value,
}

/// Everything that one transition changes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Change {
    pub(crate) proposals: Vec<Record>,
    pub(crate) rollouts: Vec<Trial>,
    pub(crate) events: Vec<Happened>,
}

impl Change {
    /// What [`APPLY`] binds.
    pub(crate) fn texts(&self) -> [String; 3] {
        // Data goes in as text that is JSON, so that it comes out as it was.
        let events: Vec<Value> = self.events.iter().map(|event| json!(event)).collect();
        [json!(self.proposals).to_string(), json!(self.rollouts).to_string(), json!(events).to_string()]
    }

    pub(crate) async fn apply(&self, store: &SqliteStore) -> Result<(), StoreError> {
        let [proposals, rollouts, events] = self.texts();
        let sql = format!("BEGIN IMMEDIATE; {APPLY} COMMIT;");
        let query = sqlx::query(AssertSqlSafe(sql)).bind(proposals).bind(rollouts).bind(events);
        store.write("record a decision", query).await.map(drop)
    }
}

pub(super) async fn proposal(store: &SqliteStore, id: u64) -> Result<Option<Record>, StoreError> {
    let found = sqlx::query("SELECT * FROM proposal_row WHERE proposal_id = ?")
        .bind(id as i64)
        .fetch_optional(&store.readers)
        .await
        .map_err(|source| StoreError::failed("read a proposal", source))?;
    found.map(|row| record(&row)).transpose()
}

pub(super) async fn proposals(
    store: &SqliteStore,
    filter: &ProposalFilter,
) -> Result<Vec<Record>, StoreError> {
    let mut sql = QueryBuilder::<Sqlite>::new("SELECT * FROM proposal_row WHERE 1");
    if let Some(playbook) = &filter.playbook {
        sql.push(" AND playbook = ").push_bind(playbook.clone());
    }
    if let Some(kind) = filter.kind {
        sql.push(" AND kind = ").push_bind(kind.as_str());
    }
    if let Some(state) = filter.state {
        sql.push(" AND state = ").push_bind(state.as_str());
    }
    let limit = filter.limit.unwrap_or(100).clamp(1, 1_000) as i64;
    sql.push(" ORDER BY proposal_id DESC LIMIT ").push_bind(limit);
    let rows = sql.build().fetch_all(&store.readers).await;
    rows.map_err(|source| StoreError::failed("list proposals", source))?.iter().map(record).collect()
}

/// Those that are about the same thing, newest first.
pub(super) async fn with_key(store: &SqliteStore, key: &str) -> Result<Vec<Record>, StoreError> {
    let rows = sqlx::query("SELECT * FROM proposal_row WHERE key = ? ORDER BY proposal_id DESC LIMIT 200")
        .bind(key)
        .fetch_all(&store.readers)
        .await;
    rows.map_err(|source| StoreError::failed("look for earlier proposals", source))?
        .iter()
        .map(record)
        .collect()
}

/// Those that ran everywhere at some time, newest promotion first.
pub(super) async fn promoted(store: &SqliteStore, limit: u64) -> Result<Vec<Record>, StoreError> {
    let rows = sqlx::query(
        "SELECT * FROM proposal_row WHERE promoted_ms IS NOT NULL ORDER BY promoted_ms DESC, proposal_id DESC LIMIT ?",
    )
    .bind(limit.clamp(1, 1_000) as i64)
    .fetch_all(&store.readers)
    .await;
    rows.map_err(|source| StoreError::failed("read the ledger", source))?.iter().map(record).collect()
}

pub(super) async fn rollout(store: &SqliteStore, id: u64) -> Result<Option<Trial>, StoreError> {
    let found = sqlx::query("SELECT * FROM rollout_row WHERE rollout_id = ?")
        .bind(id as i64)
        .fetch_optional(&store.readers)
        .await
        .map_err(|source| StoreError::failed("read a rollout", source))?;
    found.map(|row| trial(&row)).transpose()
}

pub(super) async fn rollouts(
    store: &SqliteStore,
    playbook: Option<&str>,
    all: bool,
) -> Result<Vec<Trial>, StoreError> {
    let rows = sqlx::query(
        "SELECT * FROM rollout_row WHERE (?1 IS NULL OR playbook = ?1) \
         AND (?2 OR state IN ('running', 'paused')) ORDER BY rollout_id DESC LIMIT 1000",
    )
    .bind(playbook)
    .bind(all)
    .fetch_all(&store.readers)
    .await;
    rows.map_err(|source| StoreError::failed("list rollouts", source))?.iter().map(trial).collect()
}

pub(super) async fn events(
    store: &SqliteStore,
    filter: &ControlFilter,
    proposal: Option<u64>,
    rollout: Option<u64>,
) -> Result<Vec<ControlEvent>, StoreError> {
    let mut sql = QueryBuilder::<Sqlite>::new("SELECT * FROM control_event_row WHERE seq > ");
    sql.push_bind(filter.after.unwrap_or(0) as i64);
    if let Some(playbook) = &filter.playbook {
        sql.push(" AND playbook = ").push_bind(playbook.clone());
    }
    if let Some(id) = proposal {
        sql.push(" AND proposal_id = ").push_bind(id as i64);
    }
    if let Some(id) = rollout {
        sql.push(" AND rollout_id = ").push_bind(id as i64);
    }
    let limit = filter.limit.unwrap_or(1_000).clamp(1, 10_000) as i64;
    sql.push(" ORDER BY seq LIMIT ").push_bind(limit);
    let rows = sql.build().fetch_all(&store.readers).await;
    rows.map_err(|source| StoreError::failed("read control events", source))?.iter().map(event).collect()
}

fn record(row: &SqliteRow) -> Result<Record, StoreError> {
    let read = || -> Result<Record, sqlx::Error> {
        Ok(Record {
            id: row.try_get::<i64, _>("proposal_id")? as u64,
            key: row.try_get("key")?,
            proposed: parsed(row.try_get("proposed")?)?,
            state: word(row.try_get("state")?)?,
            made_ms: row.try_get("made_ms")?,
            expires_ms: row.try_get("expires_ms")?,
            decided_by: row.try_get("decided_by")?,
            decided_ms: row.try_get("decided_ms")?,
            note: row.try_get("note")?,
            rollout: row.try_get::<Option<i64>, _>("rollout_id")?.map(|id| id as u64),
            version: row.try_get("version")?,
            promoted_ms: row.try_get("promoted_ms")?,
            delivered: row.try_get::<Option<&str>, _>("delivered")?.map(parsed).transpose()?,
        })
    };
    read().map_err(|source| StoreError::unreadable("a proposal", source))
}

fn trial(row: &SqliteRow) -> Result<Trial, StoreError> {
    let read = || -> Result<Trial, sqlx::Error> {
        Ok(Trial {
            id: row.try_get::<i64, _>("rollout_id")? as u64,
            playbook: row.try_get("playbook")?,
            proposal: row.try_get::<Option<i64>, _>("proposal_id")?.map(|id| id as u64),
            stable: row.try_get("stable_version")?,
            canary: row.try_get("canary_version")?,
            share_percent: row.try_get("share_percent")?,
            goal: word(row.try_get("goal")?)?,
            rules: parsed(row.try_get("rules")?)?,
            state: word(row.try_get("state")?)?,
            started_ms: row.try_get("started_ms")?,
            ended_ms: row.try_get("ended_ms")?,
            arms: row.try_get::<Option<&str>, _>("arms")?.map(parsed).transpose()?,
        })
    };
    read().map_err(|source| StoreError::unreadable("a rollout", source))
}

fn event(row: &SqliteRow) -> Result<ControlEvent, StoreError> {
    let read = || -> Result<ControlEvent, sqlx::Error> {
        let id = |column: &str| -> Result<Option<String>, sqlx::Error> {
            Ok(row.try_get::<Option<i64>, _>(column)?.map(|id| id.to_string()))
        };
        Ok(ControlEvent {
            seq: row.try_get::<i64, _>("seq")? as u64,
            at: time(row.try_get("at_ms")?),
            name: row.try_get("name")?,
            playbook: row.try_get("playbook")?,
            proposal_id: id("proposal_id")?,
            rollout_id: id("rollout_id")?,
            actor: row.try_get("actor")?,
            evidence_hash: row.try_get("evidence_hash")?,
            data: parsed(row.try_get("data")?)?,
        })
    };
    read().map_err(|source| StoreError::unreadable("a control event", source))
}

fn parsed<T: DeserializeOwned>(text: &str) -> Result<T, sqlx::Error> {
    serde_json::from_str(text).map_err(|error| sqlx::Error::Decode(error.into()))
}

/// A closed word, by its name in JSON.
fn word<T: DeserializeOwned>(text: &str) -> Result<T, sqlx::Error> {
    serde_json::from_value(Value::from(text)).map_err(|error| sqlx::Error::Decode(error.into()))
}
