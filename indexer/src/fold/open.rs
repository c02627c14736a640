//! What is known of an Execution that has not ended, and of the runs of its steps.

use noetl_bus::feed::CommittedEvent;
use noetl_domain::event::Requested;
use noetl_domain::usage::Usage;
use rustc_hash::FxHashMap;

use super::{Names, shape};
use crate::rows::{Name, Ran};

pub(super) struct Open {
    pub(super) touched: u64,
    pub(super) path: Name,
    pub(super) version: u32,
    pub(super) root: u64,
    pub(super) parent: u64,
    pub(super) trigger: Name,
    pub(super) started_ms: i64,
    pub(super) attempt: u32,
    pub(super) events: u32,
    pub(super) steps: u32,
    pub(super) steps_failed: u32,
    pub(super) retries: u32,
    pub(super) input_shape: u64,
    pub(super) input_hash: u64,
    pub(super) bytes_in: u64,
    /// The first step that failed without an answer.
    pub(super) failed: Option<Failure>,
    runs: FxHashMap<(Name, u32), StepRun>,
    /// Who sent the newest Token to a step.
    released: FxHashMap<Name, (Name, u32)>,
    /// Size of each step's newest result.
    pub(super) results: FxHashMap<Name, u64>,
    /// How each step went so far.
    pub(super) ran: Vec<Ran>,
}

/// An error as rows tell it.
#[derive(Clone)]
pub(super) struct Failure {
    pub(super) step: Name,
    pub(super) cause: Name,
    pub(super) fingerprint: u64,
    pub(super) error_kind: Name,
    pub(super) error_code: Name,
    pub(super) status_code: u16,
    pub(super) message: String,
}

/// One run of a step that has not ended.
#[derive(Default)]
pub(super) struct StepRun {
    pub(super) entered_ms: i64,
    pub(super) released_by: Option<(Name, u32)>,
    pub(super) issued_ms: Option<i64>,
    pub(super) began_ms: Option<i64>,
    pub(super) run_ms: f64,
    pub(super) commands: u32,
    pub(super) attempts: u32,
    pub(super) retries: u32,
    pub(super) retry_wait_ms: f64,
    pub(super) is_looped: bool,
    pub(super) iterations: u64,
    pub(super) iterations_failed: u64,
    /// Arguments of the Token that entered it.
    pub(super) bytes_in: u64,
    pub(super) usage: Usage,
    pub(super) bytes_out: u64,
    pub(super) rows_out: u64,
    pub(super) result_shape: u64,
    pub(super) worker: Option<Name>,
    pub(super) failure: Option<Failure>,
}

impl Open {
    pub(super) fn begin(committed: &CommittedEvent, requested: &Requested, names: &mut Names) -> Self {
        let own = committed.execution.0;
        Self {
            path: names.get(&requested.path),
            version: requested.version,
            root: requested.root.map_or(own, |root| root.0),
            parent: requested.parent.as_ref().map_or(0, |parent| parent.id.execution.0),
            trigger: names.get(&requested.trigger),
            input_shape: shape::of_map(&requested.payload),
            input_hash: shape::hash_of(&requested.payload),
            bytes_in: shape::bytes(&requested.payload),
            ..Self::unknown(committed, names)
        }
    }

    /// An Execution whose beginning is not in the log any more.
    pub(super) fn unknown(committed: &CommittedEvent, names: &mut Names) -> Self {
        Self {
            touched: 0,
            path: names.get(""),
            version: 0,
            root: committed.execution.0,
            parent: 0,
            trigger: names.get(""),
            started_ms: committed.at_ms,
            attempt: 1,
            events: 0,
            steps: 0,
            steps_failed: 0,
            retries: 0,
            input_shape: 0,
            input_hash: 0,
            bytes_in: 0,
            failed: None,
            runs: FxHashMap::default(),
            released: FxHashMap::default(),
            results: FxHashMap::default(),
            ran: Vec::new(),
        }
    }

    pub(super) fn enter(&mut self, step: &Name, run: u32, at_ms: i64, bytes_in: u64) {
        let released_by = self.released.get(step).cloned();
        let one = self.run(step, run, at_ms);
        one.entered_ms = at_ms;
        one.released_by = released_by;
        one.bytes_in = bytes_in;
    }

    pub(super) fn run(&mut self, step: &Name, run: u32, at_ms: i64) -> &mut StepRun {
        self.runs
            .entry((step.clone(), run))
            .or_insert_with(|| StepRun { entered_ms: at_ms, ..StepRun::default() })
    }

    /// Ends a run; a step that was skipped has none.
    pub(super) fn exit(&mut self, step: &Name, run: u32) -> Option<StepRun> {
        self.runs.remove(&(step.clone(), run))
    }

    /// Adds a run of a step to what is known of the step.
    pub(super) fn ran(&mut self, one: Ran) {
        match self.ran.iter_mut().find(|known| known.step == one.step) {
            Some(known) => {
                known.duration_ms += one.duration_ms;
                known.bytes += one.bytes;
                known.attempts = known.attempts.max(one.attempts);
                known.ending = one.ending;
            }
            None => self.ran.push(one),
        }
    }

    pub(super) fn release(&mut self, to: Name, by: &Name, run: u32) {
        self.released.insert(to, (by.clone(), run));
    }
}
