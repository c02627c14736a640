//! Schedules: when Playbooks start by themselves.
//!
//! A schedule knows its next due moment; [`Schedules::due`] says what to start now, the caller starts it under the
//! firing's dedup key and then calls [`Schedules::mark`].
//! A crash between the two repeats the start, which the key turns into nothing.

mod fire;
mod rows;
pub mod timetable;

pub use fire::fire_until;

use std::sync::Arc;

use noetl_domain::Map;
use noetl_domain::code::Code;
use noetl_domain::id::ExecutionId;
use noetl_domain::playbook::{CatchUp, ScheduleSpec, ScheduleWhen};
use tokio::sync::Notify;

use crate::error::ServerError;
use crate::ids::Ids;
use crate::store::{SqliteStore, StoreError};

pub(crate) use rows::{REPLACE_DECLARED, as_rows};
use timetable::Timetable;

/// A firing this late still counts as on time.
const GRACE_MS: i64 = 30_000;

/// Missed firings made up for at most, per schedule; older ones are dropped with a warning.
const MAX_CATCH_UP: usize = 100;

/// Clones share everything.
#[derive(Clone, Debug)]
pub struct Schedules {
    store: SqliteStore,
    ids: Arc<Ids>,
    changed: Arc<Notify>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    pub id: u64,
    pub path: String,
    /// None: the newest at the time of firing.
    pub version: Option<u32>,
    pub when: ScheduleWhen,
    pub timezone: Option<String>,
    pub payload: Map,
    pub catch_up: CatchUp,
    pub enabled: bool,
    pub source: Source,
    /// Unix milliseconds; an interval counts from here.
    pub created_ms: i64,
    pub last_due_ms: Option<i64>,
    pub next_due_ms: Option<i64>,
    pub last_execution: Option<ExecutionId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Declared in a playbook: follows its registrations.
    Playbook,
    /// Added by hand.
    Api,
}

impl Source {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Playbook => "playbook",
            Self::Api => "api",
        }
    }
}

/// A start that is due.
#[derive(Clone, Debug, PartialEq)]
pub struct Firing {
    pub schedule: u64,
    pub path: String,
    pub version: Option<u32>,
    pub payload: Map,
    pub due_ms: i64,
    /// The schedule's next due moment once this firing is marked.
    following_ms: Option<i64>,
}

impl Firing {
    /// Give it to the start with no window: the same firing never starts twice.
    pub fn dedup_key(&self) -> String {
        format!("schedule:{}:{}", self.schedule, self.due_ms)
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ScheduleError {
    #[error("there is no schedule {0}")]
    Unknown(String),
    #[error("{text:?} is not a cron expression: {reason}")]
    Cron { text: String, reason: String },
    #[error("{0:?} is not a timezone")]
    Timezone(String),
    #[error("an interval must be at least one second and at most ten years, not {0} seconds")]
    Interval(f64),
    #[error("{0:?} is never due")]
    Never(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ScheduleError {
    pub fn code(&self) -> Code {
        match self {
            Self::Unknown(_) => Code::UnknownSchedule,
            Self::Cron { .. } | Self::Timezone(_) | Self::Interval(_) | Self::Never(_) => {
                Code::InvalidSchedule
            }
            Self::Store(error) => error.code(),
        }
    }

    /// The next thing to try.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Unknown(_) => Some("noetl schedule list".to_owned()),
            Self::Cron { .. } | Self::Never(_) => Some(
                "minute hour day month weekday, such as \"0 6 * * MON-FRI\"; six fields start with seconds"
                    .into(),
            ),
            Self::Timezone(_) => Some("such as UTC, Europe/Berlin or +02:00".to_owned()),
            Self::Interval(_) => None,
            Self::Store(error) => error.hint(),
        }
    }
}

impl From<ScheduleError> for ServerError {
    fn from(error: ScheduleError) -> Self {
        let mut answer = Self::new(error.code(), error.to_string());
        answer.hint = error.hint();
        answer.because(error)
    }
}

impl Schedules {
    pub fn new(store: SqliteStore, ids: Arc<Ids>) -> Self {
        Self { store, ids, changed: Arc::default() }
    }

    /// Told whenever the next due moment may have moved.
    pub fn changed(&self) -> &Notify {
        &self.changed
    }

    pub async fn add(
        &self,
        path: &str,
        version: Option<u32>,
        spec: ScheduleSpec,
        now_ms: i64,
    ) -> Result<Schedule, ScheduleError> {
        let schedule = self.plan(path, version, spec, Source::Api, now_ms)?;
        rows::insert(&self.store, &schedule).await?;
        self.changed.notify_one();
        Ok(schedule)
    }

    /// All of them, or those of one path; by path.
    pub async fn list(&self, path: Option<&str>) -> Result<Vec<Schedule>, ScheduleError> {
        Ok(rows::list(&self.store, path).await?)
    }

    pub async fn get(&self, id: u64) -> Result<Schedule, ScheduleError> {
        rows::one(&self.store, id).await?.ok_or_else(|| ScheduleError::Unknown(id.to_string()))
    }

    pub async fn remove(&self, id: u64) -> Result<(), ScheduleError> {
        let is_found = rows::delete(&self.store, id).await?;
        self.changed.notify_one();
        if is_found { Ok(()) } else { Err(ScheduleError::Unknown(id.to_string())) }
    }

    /// Stops firing until it is resumed.
    pub async fn pause(&self, id: u64) -> Result<Schedule, ScheduleError> {
        let mut schedule = self.get(id).await?;
        schedule.enabled = false;
        rows::set_enabled(&self.store, id, false, schedule.next_due_ms).await?;
        self.changed.notify_one();
        Ok(schedule)
    }

    /// Fires again from now on; what fell into the pause is not made up for.
    pub async fn resume(&self, id: u64, now_ms: i64) -> Result<Schedule, ScheduleError> {
        let mut schedule = self.get(id).await?;
        if !schedule.enabled {
            schedule.enabled = true;
            schedule.next_due_ms = timetable_of(&schedule)?.next_after(now_ms);
            rows::set_enabled(&self.store, id, true, schedule.next_due_ms).await?;
            self.changed.notify_one();
        }
        Ok(schedule)
    }

    /// When something is due next; None: nothing ever, as it stands.
    pub async fn next_due_ms(&self) -> Result<Option<i64>, ScheduleError> {
        Ok(rows::next_due(&self.store).await?)
    }

    /// What to start now, oldest first, as each schedule's policy on missed firings says.
    pub async fn due(&self, now_ms: i64) -> Result<Vec<Firing>, ScheduleError> {
        let mut firings = Vec::new();
        for schedule in rows::due(&self.store, now_ms).await? {
            let timetable = match timetable_of(&schedule) {
                Ok(timetable) => timetable,
                Err(error) => {
                    tracing::error!(schedule.id, schedule.path, %error, "a stored schedule cannot be read; it is paused");
                    rows::set_enabled(&self.store, schedule.id, false, None).await?;
                    continue;
                }
            };
            let moments = moments_due(&schedule, &timetable, now_ms);
            let next = timetable.next_after(now_ms);
            if moments.is_empty() {
                tracing::warn!(schedule.id, schedule.path, "missed firings were skipped");
                rows::advance(&self.store, schedule.id, now_ms, None, next, None).await?;
            }
            let following = moments.iter().skip(1).copied().map(Some).chain([next]);
            firings.extend(moments.iter().zip(following).map(|(due_ms, following_ms)| Firing {
                schedule: schedule.id,
                path: schedule.path.clone(),
                version: schedule.version,
                payload: schedule.payload.clone(),
                due_ms: *due_ms,
                following_ms,
            }));
        }
        firings.sort_by_key(|firing| (firing.due_ms, firing.schedule));
        Ok(firings)
    }

    /// Notes that a firing was dealt with; `execution` is None when it could not be started.
    pub async fn mark(&self, firing: &Firing, execution: Option<ExecutionId>) -> Result<(), ScheduleError> {
        let due = firing.due_ms;
        rows::advance(&self.store, firing.schedule, due, Some(due), firing.following_ms, execution).await?;
        Ok(())
    }

    /// The schedules that a playbook declares, as they should be from now on.
    ///
    /// One that was there before with the same timetable keeps its id, its place in time, and whether it is paused.
    pub(crate) async fn plan_declared(
        &self,
        path: &str,
        specs: &[ScheduleSpec],
        now_ms: i64,
    ) -> Result<Vec<Schedule>, ScheduleError> {
        let mut before = rows::list(&self.store, Some(path)).await?;
        before.retain(|schedule| schedule.source == Source::Playbook);
        let mut planned = Vec::new();
        for spec in specs {
            let mut schedule = self.plan(path, None, spec.clone(), Source::Playbook, now_ms)?;
            let same = |old: &Schedule| old.when == schedule.when && old.timezone == schedule.timezone;
            if let Some(place) = before.iter().position(same) {
                let old = before.swap_remove(place);
                schedule = Schedule { payload: schedule.payload, catch_up: schedule.catch_up, ..old };
            }
            planned.push(schedule);
        }
        Ok(planned)
    }

    pub(crate) fn tell_changed(&self) {
        self.changed.notify_one();
    }

    fn plan(
        &self,
        path: &str,
        version: Option<u32>,
        spec: ScheduleSpec,
        source: Source,
        now_ms: i64,
    ) -> Result<Schedule, ScheduleError> {
        let timetable = Timetable::new(&spec.when, spec.timezone.as_deref(), now_ms)?;
        let next_due_ms = timetable.next_after(now_ms);
        if let (ScheduleWhen::Cron(text), None) = (&spec.when, next_due_ms) {
            return Err(ScheduleError::Never(text.clone()));
        }
        Ok(Schedule {
            id: self.ids.next_id(),
            path: path.to_owned(),
            version,
            when: spec.when,
            timezone: spec.timezone,
            payload: spec.payload,
            catch_up: spec.catch_up,
            enabled: spec.enabled,
            source,
            created_ms: now_ms,
            last_due_ms: None,
            next_due_ms,
            last_execution: None,
        })
    }
}

fn timetable_of(schedule: &Schedule) -> Result<Timetable, ScheduleError> {
    Timetable::new(&schedule.when, schedule.timezone.as_deref(), schedule.created_ms)
}

/// Which of the moments from `next_due_ms` to now are to fire.
fn moments_due(schedule: &Schedule, timetable: &Timetable, now_ms: i64) -> Vec<i64> {
    let Some(first) = schedule.next_due_ms.filter(|first| *first <= now_ms) else { return Vec::new() };
    let newest = timetable.latest_until(now_ms).filter(|newest| *newest >= first).unwrap_or(first);
    match schedule.catch_up {
        CatchUp::Skip => Vec::from_iter((now_ms - newest <= GRACE_MS).then_some(newest)),
        CatchUp::Latest => vec![newest],
        CatchUp::All => {
            let mut moments = vec![newest];
            let mut at = newest;
            while let Some(earlier) = timetable.latest_until(at - 1).filter(|earlier| *earlier >= first) {
                if moments.len() == MAX_CATCH_UP {
                    tracing::warn!(
                        schedule.id,
                        schedule.path,
                        "only the latest missed firings are made up for"
                    );
                    break;
                }
                moments.push(earlier);
                at = earlier;
            }
            moments.reverse();
            moments
        }
    }
}

#[cfg(test)]
mod tests;
