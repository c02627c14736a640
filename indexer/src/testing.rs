//! A feed over the recorded logs of `tests/histories`, for tests of what follows it.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use noetl_bus::feed::{CommittedEvent, CommittedLine, Definition, Feed, FeedError, Heads, Version};
use noetl_domain::error::TaskError;
use noetl_domain::event::{Event, Exit, Finished, Recorded, Requested, Status, StepStatus};
use noetl_domain::id::ExecutionId;
use noetl_domain::report::LogLine;
use noetl_engine_clickhouse::{Access, Engine, Front, library};
use tokio::net::TcpListener;

use crate::analytics::Analytics;
use crate::config::Endpoint;

/// The analytic engine over files in a directory; none, and a loud word, where set-up could not bring it.
pub(crate) async fn clickhouse(directory: &Path) -> Option<(Front, Analytics)> {
    let Some(library) = library() else {
        eprintln!("NOT TESTED: the ClickHouse engine is not on this machine; cargo xtask setup brings it");
        return None;
    };
    let config =
        noetl_engine_clickhouse::Config { library, directory: directory.join("engine"), memory: None };
    let engine = Engine::open(&config).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let front = engine.serve(listener, Access::random()).unwrap();
    let owner = &front.access.owner;
    let endpoint = Endpoint { url: front.url(), user: owner.name.clone(), key: owner.key.clone() };
    let analytics = Analytics::new(&endpoint, &endpoint, "observability");
    Some((front, analytics))
}

/// Everything is there from the beginning; nothing more comes.
#[derive(Debug, Default)]
pub(crate) struct RecordedFeed {
    pub(crate) events: Vec<CommittedEvent>,
    pub(crate) lines: Vec<CommittedLine>,
    pub(crate) definitions: Vec<Definition>,
    /// Events in a page, at most; 0: as many as are asked for.
    pub(crate) page: usize,
    /// Events that a page hands out once more before it comes to the new ones.
    pub(crate) again: u64,
    /// How often a log was read again.
    pub(crate) histories: AtomicUsize,
}

/// An Execution of one step, as tests tell it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told<'a> {
    pub(crate) id: u64,
    pub(crate) playbook: &'a str,
    pub(crate) version: u32,
    pub(crate) step: &'a str,
    /// From 1; a later one is a retry of the Execution.
    pub(crate) run: u32,
    pub(crate) at_ms: i64,
    pub(crate) takes_ms: i64,
    /// None: it goes well.
    pub(crate) error: Option<&'a str>,
}

impl RecordedFeed {
    /// The recorded histories with these names, one after another.
    pub(crate) fn of(names: &[&str]) -> Self {
        let mut feed = Self::default();
        for name in names {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../tests/histories/{name}.jsonl"));
            let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            for line in text.lines().skip(1) {
                let recorded: Recorded = serde_json::from_str(line).unwrap_or_else(|e| panic!("{name}: {e}"));
                feed.push(&recorded);
            }
        }
        feed
    }

    pub(crate) fn push(&mut self, recorded: &Recorded) {
        self.events.push(CommittedEvent {
            position: self.events.len() as u64 + 1,
            execution: recorded.execution,
            seq: recorded.seq,
            event_id: recorded.event_id,
            at_ms: recorded.at_ms,
            data: serde_json::to_string(&recorded.event).unwrap(),
        });
    }

    /// Adds the log of an Execution of one step.
    pub(crate) fn tell(&mut self, told: &Told<'_>) {
        let error = told.error.map(|message| TaskError::new("connection", message));
        let mut at_ms = told.at_ms;
        let own = |event: &&CommittedEvent| event.execution.0 == told.id;
        let mut seq = if told.run == 1 { 0 } else { self.events.iter().filter(own).count() as u64 };
        let mut push = |event: Event, takes_ms: i64| {
            at_ms += takes_ms;
            seq += 1;
            let position = self.events.len() as u64 + 1;
            self.push(&Recorded {
                execution: ExecutionId(told.id),
                seq,
                event_id: told.id * 1_000 + position % 1_000,
                at_ms,
                event,
            });
        };
        let step = || told.step.to_owned();
        if told.run == 1 {
            let requested = Requested {
                path: told.playbook.to_owned(),
                version: told.version,
                trigger: "api".to_owned(),
                ..Requested::default()
            };
            push(Event::ExecutionRequested(Box::new(requested)), 0);
        } else {
            push(Event::ExecutionRetried { steps: vec![step()], reason: "failed steps".to_owned() }, 0);
        }
        push(
            Event::StepEntered { step: step(), run: told.run, tokens: 1, inputs: noetl_domain::Map::new() },
            0,
        );
        let exit = Exit {
            step: step(),
            run: told.run,
            status: if error.is_some() { StepStatus::Failed } else { StepStatus::Completed },
            error: error.clone(),
            ..Exit::default()
        };
        push(Event::StepExited(Box::new(exit)), told.takes_ms);
        let failed_steps = error.iter().map(|_| step()).collect();
        let status = if error.is_some() { Status::Failed } else { Status::Completed };
        push(
            Event::ExecutionFinished(Box::new(Finished {
                status,
                error,
                failed_steps,
                ..Finished::default()
            })),
            1,
        );
    }

    /// An Event as some version wrote it.
    pub(crate) fn push_written(&mut self, execution: ExecutionId, seq: u64, data: &str) {
        let position = self.events.len() as u64 + 1;
        let at_ms = 1_795_368_994_000 + position as i64;
        self.events.push(CommittedEvent {
            position,
            execution,
            seq,
            event_id: position,
            at_ms,
            data: data.to_owned(),
        });
    }

    pub(crate) fn print(&mut self, line: LogLine) {
        let position = self.lines.len() as u64 + 1;
        self.lines.push(CommittedLine { position, line });
    }
}

impl Feed for RecordedFeed {
    async fn heads(&self) -> Result<Heads, FeedError> {
        Ok(Heads { events: self.events.len() as u64, lines: self.lines.len() as u64 })
    }

    async fn events(&self, after: u64, limit: usize, _: usize) -> Result<Vec<CommittedEvent>, FeedError> {
        let limit = if self.page == 0 { limit } else { limit.min(self.page) };
        let after = after.saturating_sub(self.again);
        Ok(self.events.iter().filter(|event| event.position > after).take(limit).cloned().collect())
    }

    async fn history(&self, execution: ExecutionId, up_to: u64) -> Result<Vec<CommittedEvent>, FeedError> {
        self.histories.fetch_add(1, Ordering::Relaxed);
        let of_it = |event: &&CommittedEvent| event.execution == execution && event.position <= up_to;
        Ok(self.events.iter().filter(of_it).cloned().collect())
    }

    async fn opening(&self, execution: ExecutionId) -> Result<Option<CommittedEvent>, FeedError> {
        Ok(self.events.iter().find(|event| event.execution == execution && event.seq == 1).cloned())
    }

    async fn lines(&self, after: u64, limit: usize) -> Result<Vec<CommittedLine>, FeedError> {
        Ok(self.lines.iter().filter(|line| line.position > after).take(limit).cloned().collect())
    }

    async fn changed(&self, _: Heads) {
        std::future::pending::<()>().await;
    }

    async fn definition(&self, path: &str, version: u32) -> Result<Option<Definition>, FeedError> {
        let found = self.definitions.iter().find(|known| known.path == path && known.version == version);
        Ok(found.cloned())
    }

    async fn definitions(&self) -> Result<Vec<Definition>, FeedError> {
        Ok(self.definitions.clone())
    }

    async fn versions(&self) -> Result<Vec<Version>, FeedError> {
        let version = |one: &Definition| Version { path: one.path.clone(), version: one.version };
        Ok(self.definitions.iter().map(version).collect())
    }
}
