//! What an Execution remembers: everything that can be folded from its log.

use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::value::RawValue;

use super::tally::Tally;
use crate::command::{PipelineState, Resume, StepResult};
use crate::error::TaskError;
use crate::event::{Finished, IssuedWork, LoopItems, LoopStats, Requested, Status};
use crate::id::{CommandId, ExecutionId};
use crate::report::Wait;
use crate::result::{ResultKind, ResultRef};
use crate::{Map, Value};

/// The state folded from one log of Events.
#[derive(Clone, Debug)]
pub struct Execution {
    pub id: ExecutionId,
    /// Events applied so far: the version.
    pub seq: u64,
    pub requested: Arc<Requested>,
    pub status: Status,
    pub finished: Option<Finished>,
    pub workload: Arc<Map>,
    pub system: Arc<Map>,
    pub ctx: Map,
    /// Steps that were entered or skipped, in that order.
    pub steps: IndexMap<String, StepState>,
    /// Steps with work under way.
    pub active: Vec<String>,
    /// Tokens that no Step has taken yet, oldest first.
    pub tokens: Vec<Token>,
    /// Steps whose error nobody answered.
    pub failed: Vec<String>,
    /// Steps whose error was answered.
    pub handled: Vec<String>,
    /// The Step that completed last; its result is the Execution's unless an end step has one.
    pub last_completed: Option<String>,
    /// The Step that was entered last.
    pub last_entered: Option<String>,
    pub tally: Tally,
    /// Runs of Steps so far.
    pub runs: u64,
    /// What was warned of: the Step, and the words.
    pub warnings: Vec<(Option<String>, String)>,
    pub started_ms: i64,
    pub updated_ms: i64,
    /// Large results that the caller loaded for the round in hand; not part of the log.
    pub(super) loaded: Vec<(ResultRef, Arc<Value>)>,
    /// Large results that the caller stored for the round in hand, by step and run.
    pub(super) stored: Vec<(String, u32, ResultRef)>,
}

/// "This Step is due", with the arguments its Arc gave it.
#[derive(Clone, Debug, PartialEq)]
pub struct Token {
    pub to: String,
    pub from: Option<String>,
    pub inputs: Map,
}

#[derive(Clone, Debug, Default)]
pub struct StepState {
    /// How often the Step was entered.
    pub run: u32,
    pub phase: Phase,
    /// The newest result; a new run keeps the old one until it ends.
    pub result: Option<Arc<StepResult>>,
    pub inputs: Map,
    /// Writes to step scope.
    pub locals: Map,
    /// The next Command's number in this run.
    pub next_batch: u32,
    /// Commands without a Report.
    pub flights: BTreeMap<u32, Flight>,
    /// Iterations that wait for something, by index.
    pub parked: BTreeMap<u64, Parked>,
    pub looped: Option<LoopState>,
    /// What the last Report said, until the Step exits.
    pub answer: Option<Answer>,
    pub started_ms: i64,
    pub finished_ms: Option<i64>,
    /// This run did more than route: it has a result of its own.
    pub worked: bool,
    /// Tries beyond the first, over all Tasks.
    pub retries: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    #[default]
    Idle,
    Running,
    /// The loop is over and its saves run.
    Saving,
    Completed,
    Failed,
    Skipped,
}

/// A Command under way.
#[derive(Clone, Debug)]
pub struct Flight {
    pub attempt: u32,
    pub work: IssuedWork,
    /// Iterations side by side.
    pub slots: u32,
    pub issued_ms: i64,
    /// Set when the Command wakes a parked Iteration.
    pub resume: Option<Resume>,
}

/// An Iteration that waits.
#[derive(Clone, Debug)]
pub struct Parked {
    pub batch: u32,
    pub on: Wait,
    pub state: PipelineState,
    pub child: Option<ExecutionId>,
    /// Set once what it waited for has come; a Command then wakes it.
    pub wake: Option<crate::command::Wake>,
}

/// A Report's answer for a Step without a loop.
#[derive(Clone, Debug)]
pub struct Answer {
    pub error: Option<TaskError>,
    pub case: Option<usize>,
    pub collected: Map,
}

#[derive(Clone, Debug)]
pub struct LoopState {
    pub items: LoopItems,
    /// Iterations side by side at most.
    pub concurrency: u32,
    /// The next index to hand out.
    pub next: u64,
    pub stats: LoopStats,
    /// Results in item order, keyed by their first index.
    pub results: BTreeMap<u64, Segment>,
    /// No more Iterations are handed out: one failed, or `until` was met.
    pub stopped: bool,
    /// The first error.
    pub error: Option<TaskError>,
    /// Iterations of this body wait for children or timers, so batches stay as small as the window.
    pub parks: bool,
    /// How many Iterations the next Command takes, learned from how long they last.
    pub batch: u64,
    /// Cursor lanes that still find rows.
    pub open_lanes: u32,
}

/// Consecutive results as JSON text, so that a million of them stay small.
#[derive(Clone, Debug)]
pub struct Segment {
    pub count: u64,
    pub kind: ResultKind,
    /// A JSON array of `count` values.
    pub json: Arc<RawValue>,
}

impl Execution {
    pub fn new(id: ExecutionId) -> Self {
        Self {
            id,
            seq: 0,
            requested: Arc::default(),
            status: Status::Running,
            finished: None,
            workload: Arc::default(),
            system: Arc::default(),
            ctx: Map::new(),
            steps: IndexMap::new(),
            active: Vec::new(),
            tokens: Vec::new(),
            failed: Vec::new(),
            handled: Vec::new(),
            last_completed: None,
            last_entered: None,
            tally: Tally::default(),
            warnings: Vec::new(),
            runs: 0,
            started_ms: 0,
            updated_ms: 0,
            loaded: Vec::new(),
            stored: Vec::new(),
        }
    }

    /// Gives the decider a large result that it asked for.
    pub fn provide(&mut self, reference: ResultRef, value: Arc<Value>) {
        self.loaded.push((reference, value));
    }

    /// Tells the decider where a large loop result now lies.
    pub fn stored(&mut self, step: String, run: u32, reference: ResultRef) {
        self.stored.push((step, run, reference));
    }

    /// Forgets what was loaded for a round that is over.
    pub fn release(&mut self) {
        self.loaded.clear();
        self.stored.clear();
    }

    /// Whether any Step has a Command under way or an Iteration that waits.
    pub fn is_busy(&self) -> bool {
        !self.active.is_empty()
    }

    /// Every Command under way, with its Attempt.
    pub fn flights(&self) -> impl Iterator<Item = (CommandId, u32)> {
        self.active.iter().filter_map(|name| Some((name, self.steps.get(name)?))).flat_map(
            move |(name, state)| {
                state.flights.iter().map(move |(batch, flight)| {
                    let id =
                        CommandId { execution: self.id, step: name.clone(), run: state.run, batch: *batch };
                    (id, flight.attempt)
                })
            },
        )
    }

    pub(super) fn state_mut(&mut self, step: &str) -> &mut StepState {
        if !self.steps.contains_key(step) {
            self.steps.insert(step.to_owned(), StepState::default());
        }
        self.steps.get_mut(step).expect("was inserted above")
    }
}

impl StepState {
    pub fn is_active(&self) -> bool {
        matches!(self.phase, Phase::Running | Phase::Saving)
    }

    /// Iterations that take a place in the window.
    pub fn slots_used(&self) -> u32 {
        self.flights.values().map(|flight| flight.slots).sum::<u32>() + self.parked.len() as u32
    }
}

impl LoopState {
    pub fn new(items: LoopItems, concurrency: u32) -> Self {
        let open_lanes = match items {
            LoopItems::Cursor { lanes, .. } => lanes,
            LoopItems::List(_) | LoopItems::Range(_) => 0,
        };
        Self {
            items,
            concurrency: concurrency.max(1),
            next: 0,
            stats: LoopStats::default(),
            results: BTreeMap::new(),
            stopped: false,
            error: None,
            parks: false,
            batch: 1,
            open_lanes,
        }
    }

    /// Iterations in all, as far as they are known.
    pub fn total(&self) -> u64 {
        match &self.items {
            LoopItems::List(items) => items.len() as u64,
            LoopItems::Range(count) => *count,
            LoopItems::Cursor { .. } => self.next,
        }
    }

    pub fn has_more(&self) -> bool {
        !self.stopped
            && match self.items {
                LoopItems::Cursor { .. } => self.open_lanes > 0,
                LoopItems::List(_) | LoopItems::Range(_) => self.next < self.total(),
            }
    }

    /// The results as one JSON array, in item order.
    pub fn results_json(&self) -> String {
        let mut text = String::from("[");
        for segment in self.results.values() {
            let inner = segment.json.get().trim();
            let inner =
                inner.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(inner).trim();
            if inner.is_empty() {
                continue;
            }
            if text.len() > 1 {
                text.push(',');
            }
            text.push_str(inner);
        }
        text.push(']');
        text
    }
}
