//! Follows the feed into the vector store: a point for each failure and step, and one for each Execution worth
//! remembering.
//!
//! Reading a stretch twice changes nothing: counts say up to where they go, and what an Execution is compared with is
//! kept with the place it was learned up to. So the place is written down about once a second, after the points.

mod baseline;
mod behaviour;
pub(crate) mod executions;
pub(crate) mod failures;
mod memory;
mod sample;
#[cfg(test)]
mod tests;
mod usual;

use std::sync::Arc;
use std::time::Duration;

use noetl_bus::feed::{CommittedEvent, Feed, FeedError, Heads};
use tokio::time::Instant;

pub(crate) use self::behaviour::Behaviour;
use self::executions::Executions;
use self::failures::Failures;
use self::memory::{Memory, MemoryFile};
pub(crate) use self::usual::Usual;
use super::kind::Kind;
use super::meanings::Meanings;
use super::moving::Move;
use super::point::Stored;
use super::sweep::horizon;
use super::{VectorError, Vectors};
use crate::again::{Patience, Work};
use crate::config::Config;
use crate::fingerprints::Fingerprints;
use crate::fold::Fold;
use crate::place::{Place, PlaceFile};
use crate::policy::Text;
use crate::rows::Rows;
use crate::status::{Part, Status};

/// Events read at once, at most.
const READ: usize = 5_000;
/// How often the place is written down while there is something to do.
const KEEP: Duration = Duration::from_secs(1);
/// How often points are swept.
const SWEEP: Duration = Duration::from_hours(1);

#[derive(Debug, thiserror::Error)]
pub(crate) enum FollowError {
    #[error("cannot follow the feed")]
    Feed(#[from] FeedError),
    #[error(transparent)]
    Vectors(#[from] VectorError),
    #[error("cannot keep the place in the feed")]
    Place(#[from] std::io::Error),
}

/// What is learned from the feed and asked for elsewhere too.
#[derive(Clone, Debug)]
pub(crate) struct Learned {
    pub(crate) fingerprints: Fingerprints,
    pub(crate) usual: Usual,
}

pub(crate) struct Follower<F> {
    feed: Arc<F>,
    vectors: Vectors,
    fingerprints: Fingerprints,
    usual: Usual,
    fold: Fold<F>,
    file: PlaceFile,
    memory_file: MemoryFile,
    meanings: Meanings,
    config: Config,
    status: Status,
    /// How often the place is written down; tests have no time to wait.
    keep_every: Duration,
}

/// One life of the follower, from opening the store to the first thing that fails.
struct Life {
    place: Place,
    memory: Memory,
    moving: Move,
    /// When the place was written down last, and whether it has moved since.
    kept: Instant,
    is_kept: bool,
    swept: Option<Instant>,
}

impl<F: Feed> Work for Follower<F> {
    type Error = FollowError;

    async fn go_on(&mut self, patience: &mut Patience) -> Result<(), FollowError> {
        let mut life = self.begin().await?;
        loop {
            let heads = self.feed.heads().await?;
            self.tell(&life, heads, None);
            let is_behind = heads.events > life.place.events && self.batch(&mut life).await?;
            if !life.moving.is_done() {
                life.moving.step(&self.vectors).await?;
                self.status.change(|status| status.moving = life.moving.progress());
            }
            if life.swept.is_none_or(|at| at.elapsed() >= SWEEP) {
                self.vectors.sweep(self.config.retention, now_ms()).await?;
                life.swept = Some(Instant::now());
            }
            if !life.is_kept && life.kept.elapsed() >= self.keep_every {
                self.keep(&mut life)?;
            }
            patience.restore();
            if !is_behind && life.moving.is_done() {
                self.rest(&mut life, heads).await?;
            }
        }
    }

    async fn failing(&self, reason: String) {
        self.status.change(|status| status.vectors.part = Part::Failing { reason });
    }
}

impl<F: Feed> Follower<F> {
    pub(crate) fn new(
        feed: Arc<F>,
        vectors: Vectors,
        learned: Learned,
        config: Config,
        status: Status,
    ) -> Self {
        let Learned { fingerprints, usual } = learned;
        let fold = Fold::new(Arc::clone(&feed), config.policy, fingerprints.clone());
        let file = PlaceFile::new(&config.directory, "vectors");
        let memory_file = MemoryFile::new(&config.directory);
        let meanings = Meanings::default();
        Self {
            feed,
            vectors,
            fingerprints,
            usual,
            fold,
            file,
            memory_file,
            meanings,
            config,
            status,
            keep_every: KEEP,
        }
    }

    async fn begin(&mut self) -> Result<Life, FollowError> {
        self.vectors.prepare().await?;
        let index = self.vectors.index().await?;
        self.fold.rewind();
        let (place, memory) = (self.file.load(&index), self.memory_file.load(&index));
        self.fingerprints.learned_to(place.events);
        self.usual.set(&memory.baselines);
        Ok(Life {
            place,
            memory,
            moving: Move::begin(&self.vectors).await?,
            kept: Instant::now(),
            is_kept: true,
            swept: None,
        })
    }

    /// Reads the next stretch and puts its points in; whether there was one.
    async fn batch(&mut self, life: &mut Life) -> Result<bool, FollowError> {
        let page = self.feed.events(life.place.events, READ, self.config.read_bytes).await?;
        // None: the heads moved back, as old Executions were deleted.
        let Some(last) = page.last() else { return Ok(false) };
        let (mut failures, mut executions) = (Failures::default(), Executions::default());
        let mut rows = Rows::default();
        let mut set_aside = 0;
        let oldest = horizon(self.config.retention.executions, now_ms());
        for event in page.iter().filter(|event| is_told(event)) {
            self.fold.event(event, &mut rows).await?;
            for row in rows.steps.drain(..).filter(|row| row.fingerprint != 0) {
                let template = self.template(&row.message, row.fingerprint);
                failures.add(row, template);
            }
            for row in rows.executions.drain(..).filter(|row| row.finished_at.is_some_and(|at| at >= oldest))
            {
                let template = self.template(&row.message, row.fingerprint);
                executions.add(&mut life.memory, &row, &rows.ran, event.event_id, template);
            }
            set_aside += rows.poison.len() as u64;
            // What only tables hold.
            rows.events.clear();
            rows.poison.clear();
        }
        self.fingerprints.save()?;
        let put = self.put_failures(life, failures).await? + self.put_executions(executions).await?;
        life.place.events = last.position;
        life.memory.reach(last.position);
        life.is_kept = false;
        self.status.change(|status| {
            status.vectors.rows += put;
            status.vectors.poison += set_aside;
        });
        let heads = self.feed.heads().await?;
        self.tell(life, heads, Some(last.at_ms));
        Ok(true)
    }

    /// What people read when the policy keeps no messages.
    fn template(&self, message: &str, fingerprint: u64) -> Option<String> {
        (message.is_empty() && fingerprint != 0).then(|| self.fingerprints.template(fingerprint))
    }

    async fn put_failures(&mut self, life: &Life, failures: Failures) -> Result<u64, FollowError> {
        let ids = failures.ids();
        let known = life.moving.newest(&self.vectors, Kind::Failure, &ids).await?;
        let mut told: Vec<(u64, Stored)> = Vec::new();
        let mut new = Vec::new();
        for (point, old) in failures.merged(&known) {
            // A message keeps the vector of the first one of its shape; a template that changed is another text.
            let is_other_text = self.config.policy.errors == Text::Template
                && old.is_some_and(|(old, _)| old.facts.text != point.stored.facts.text);
            if old.is_some_and(|(_, is_here)| *is_here) && !is_other_text {
                told.push((point.id, point.stored));
            } else {
                new.push(point);
            }
        }
        self.vectors.put(Kind::Failure, &new).await?;
        self.vectors.tell(Kind::Failure, &told).await?;
        Ok((new.len() + told.len()) as u64)
    }

    async fn put_executions(&mut self, executions: Executions) -> Result<u64, FollowError> {
        let points = executions.into_points();
        if points.is_empty() {
            return Ok(0);
        }
        let meanings = self.meanings.of(&self.vectors, Kind::Execution, &points).await?;
        self.vectors.put_known(Kind::Execution, &points, &meanings).await?;
        Ok(points.len() as u64)
    }

    /// Writes down what was learned and then the place, so that nothing is learned from twice.
    fn keep(&self, life: &mut Life) -> Result<(), FollowError> {
        self.fingerprints.save()?;
        self.memory_file.save(&life.memory)?;
        self.usual.set(&life.memory.baselines);
        self.file.save(&life.place)?;
        (life.kept, life.is_kept) = (Instant::now(), true);
        Ok(())
    }

    /// Waits until there is something to do.
    async fn rest(&self, life: &mut Life, heads: Heads) -> Result<(), FollowError> {
        if !life.is_kept {
            tokio::select! {
                () = self.feed.changed(heads) => return Ok(()),
                () = tokio::time::sleep_until(life.kept + self.keep_every) => return self.keep(life),
            }
        }
        tokio::select! {
            () = self.feed.changed(heads) => {}
            () = tokio::time::sleep(SWEEP) => {}
        }
        Ok(())
    }

    fn tell(&self, life: &Life, heads: Heads, put_in: Option<i64>) {
        self.status.change(|status| {
            status.vectors.reached(life.place.events, heads.events, put_in);
            status.vectors.part = Part::On;
            status.moving = life.moving.progress();
        });
    }
}

/// Types of Events that no point comes from; they are not worth reading.
const UNTOLD: &[&str] = &[
    "child.started\"",
    "child.finished\"",
    "timer.fired\"",
    "ctx.updated\"",
    "warning\"",
    "diagnosis.made\"",
    "external\"",
];

fn is_told(event: &CommittedEvent) -> bool {
    let kind = event.data.strip_prefix("{\"type\":\"");
    !kind.is_some_and(|kind| UNTOLD.iter().any(|untold| kind.starts_with(untold)))
}

fn now_ms() -> i64 {
    chrono::Utc::now().timestamp_millis()
}
