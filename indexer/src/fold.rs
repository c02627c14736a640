//! From Events to rows: follows every open Execution as far as the rows need it, and no further.
//!
//! What comes out depends on the log alone, so the same stretch of the feed gives the same rows again.
//! An Execution whose beginning passed before this process began is taken up from its log.

mod called;
mod ended;
mod open;
mod printed;
mod shape;
#[cfg(test)]
mod tests;
mod tools;

use std::sync::Arc;

use noetl_bus::feed::{CommittedEvent, CommittedLine, Feed, FeedError};
use noetl_domain::event::{Event, IssuedWork};
use noetl_domain::id::ExecutionId;
use rustc_hash::{FxHashMap, FxHashSet};
use serde::Deserialize;

use crate::fingerprints::{Fingerprints, Source};
use crate::policy::Policy;
use crate::rows::{EventRow, LineRow, Name, PoisonRow, Ran, Rows};
use open::Open;
use printed::{Line, Printed};
use tools::Tools;

/// Executions followed at once; the ones touched longest ago are let go and taken up again from their logs.
const MOST_OPEN: usize = 50_000;

/// Stands where lines begin to be left out.
const LEFT: &str =
    "the step prints more than the index keeps: from here on only lines of a new shape and a sample";

pub(crate) struct Fold<F> {
    feed: Arc<F>,
    policy: Policy,
    fingerprints: Fingerprints,
    open: FxHashMap<ExecutionId, Open>,
    /// What Executions run that are not open, for lines that come after the end.
    ended: FxHashMap<ExecutionId, (Name, u32)>,
    tools: Tools,
    names: Names,
    printed: Printed,
    /// Counts Events, so that the Executions touched longest ago are known.
    clock: u64,
    /// Whether shapes of messages are learned at all.
    learns: bool,
    /// Whether the messages of the Event at hand have not been learned from yet.
    is_first: bool,
}

/// An Event of a type that this version does not know.
#[derive(Deserialize)]
struct Outline {
    #[serde(rename = "type")]
    name: String,
    #[serde(default)]
    data: OutlineData,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct OutlineData {
    step: Option<String>,
    run: u32,
}

/// How a Diagnosis begins in the log.
const DIAGNOSIS: &str = r#"{"type":"diagnosis.made""#;

impl<F: Feed> Fold<F> {
    pub(crate) fn new(feed: Arc<F>, policy: Policy, fingerprints: Fingerprints) -> Self {
        Self {
            feed,
            policy,
            fingerprints,
            open: FxHashMap::default(),
            ended: FxHashMap::default(),
            tools: Tools::default(),
            names: Names::default(),
            printed: Printed::default(),
            clock: 0,
            learns: true,
            is_first: false,
        }
    }

    /// For a question, which teaches nothing.
    pub(crate) fn reading(feed: Arc<F>, policy: Policy, fingerprints: Fingerprints) -> Self {
        Self { learns: false, ..Self::new(feed, policy, fingerprints) }
    }

    /// How the steps went so far of an Execution that is open.
    pub(crate) fn ran(&self, execution: ExecutionId) -> Option<&[Ran]> {
        self.open.get(&execution).map(|open| open.ran.as_slice())
    }

    /// Forgets everything that is open: the next Events are of another stretch of the feed.
    pub(crate) fn rewind(&mut self) {
        self.open.clear();
        self.printed.forget();
    }

    /// Adds the rows that follow from one Event. What cannot be read is set aside, with its reason.
    pub(crate) async fn event(
        &mut self,
        committed: &CommittedEvent,
        rows: &mut Rows,
    ) -> Result<(), FeedError> {
        self.clock += 1;
        if !self.open.contains_key(&committed.execution) {
            if committed.data.starts_with(DIAGNOSIS)
                && let Ok(event) = serde_json::from_str(&committed.data)
            {
                return self.aside(committed, &event, rows).await;
            }
            self.take_up(committed).await?;
        }
        self.is_first = self.learns && self.fingerprints.is_first(committed.position);
        if self.apply(committed, rows).await?
            && let Some(open) = self.open.remove(&committed.execution)
        {
            self.remember(committed.execution, (open.path, open.version));
        }
        Ok(())
    }

    /// Adds the row of one line that a tool printed.
    pub(crate) async fn line(&mut self, committed: &CommittedLine, rows: &mut Rows) -> Result<(), FeedError> {
        let line = &committed.line;
        let (playbook, version) = match self.open.get(&line.execution) {
            Some(open) => (open.path.clone(), open.version),
            None => self.playbook_of(line.execution).await?,
        };
        let mut seen = self.fingerprints.of(&line.text, Source::Log, line.at_ms);
        let (mut stream, mut level, mut text) =
            (line.stream.as_str(), line.level.as_str(), line.text.as_str());
        let step = self.names.get(&line.step);
        match self.printed.line((line.execution, step.clone(), line.run), seen.id, self.policy.lines) {
            Line::Wanted => {}
            Line::Left => return Ok(()),
            Line::FirstLeft => {
                (stream, level, text) = ("noetl", "info", LEFT);
                seen = self.fingerprints.of(text, Source::Log, line.at_ms);
            }
        }
        rows.lines.push(LineRow {
            position: committed.position,
            execution_id: line.execution.0,
            playbook,
            version,
            step,
            run: line.run,
            iteration: line.index.map_or(-1, |index| index as i64),
            at: line.at_ms,
            stream: self.names.get(stream),
            level: self.names.get(level),
            fingerprint: seen.id,
            message: self.fingerprints.stored(seen.id, text, self.policy.logs),
        });
        Ok(())
    }

    /// The path and version that an Execution that is not open runs.
    async fn playbook_of(&mut self, execution: ExecutionId) -> Result<(Name, u32), FeedError> {
        if let Some(known) = self.ended.get(&execution) {
            return Ok(known.clone());
        }
        let opening = self.feed.opening(execution).await?;
        let requested = opening.and_then(|opening| serde_json::from_str::<Event>(&opening.data).ok());
        let known = match requested {
            Some(Event::ExecutionRequested(requested)) => {
                (self.names.get(&requested.path), requested.version)
            }
            _ => (self.names.get(""), 0),
        };
        self.remember(execution, known.clone());
        Ok(known)
    }

    fn remember(&mut self, execution: ExecutionId, known: (Name, u32)) {
        if self.ended.len() >= MOST_OPEN {
            self.ended.clear();
        }
        self.ended.insert(execution, known);
    }

    /// Adds the row of an Event that follows an end and changes nothing: the log before it is not needed for it.
    async fn aside(
        &mut self,
        committed: &CommittedEvent,
        event: &Event,
        rows: &mut Rows,
    ) -> Result<(), FeedError> {
        let opening = self.feed.opening(committed.execution).await?;
        let requested =
            opening.and_then(|opening| Some((serde_json::from_str::<Event>(&opening.data).ok()?, opening)));
        let mut open = match requested {
            Some((Event::ExecutionRequested(requested), opening)) => {
                Open::begin(&opening, &requested, &mut self.names)
            }
            _ => Open::unknown(committed, &mut self.names),
        };
        let mut context = Context {
            committed,
            tools: &self.tools,
            names: &mut self.names,
            fingerprints: &self.fingerprints,
            policy: self.policy,
            is_first: false,
            rows,
        };
        context.event(&mut open, event);
        Ok(())
    }

    /// Folds what came before an Event of an Execution that is not open.
    async fn take_up(&mut self, committed: &CommittedEvent) -> Result<(), FeedError> {
        if committed.seq > 1 {
            self.is_first = false;
            let mut forgotten = Rows::default();
            for earlier in
                self.feed.history(committed.execution, committed.position.saturating_sub(1)).await?
            {
                self.apply(&earlier, &mut forgotten).await?;
            }
        }
        self.let_go();
        Ok(())
    }

    fn let_go(&mut self) {
        if self.open.len() < MOST_OPEN {
            return;
        }
        let mut touched: Vec<u64> = self.open.values().map(|open| open.touched).collect();
        let (_, &mut middle, _) = touched.select_nth_unstable(self.open.len() / 2);
        self.open.retain(|_, open| open.touched > middle);
    }

    /// Whether the Execution has ended with it. It stays open, because what is taken up may have gone on after an end.
    async fn apply(&mut self, committed: &CommittedEvent, rows: &mut Rows) -> Result<bool, FeedError> {
        let event = match serde_json::from_str::<Event>(&committed.data) {
            Ok(event) => event,
            Err(error) => {
                self.set_aside(committed, &error, rows);
                return Ok(false);
            }
        };
        if let Event::ExecutionRequested(requested) = &event {
            let open = Open::begin(committed, requested, &mut self.names);
            self.open.insert(committed.execution, open);
            self.tools.know(&*self.feed, &requested.path, requested.version).await?;
        }
        let clock = self.clock;
        let open =
            self.open.entry(committed.execution).or_insert_with(|| Open::unknown(committed, &mut self.names));
        open.touched = clock;
        open.events = committed.seq as u32;
        let mut context = Context {
            committed,
            tools: &self.tools,
            names: &mut self.names,
            fingerprints: &self.fingerprints,
            policy: self.policy,
            is_first: self.is_first,
            rows,
        };
        context.event(open, &event);
        Ok(matches!(event, Event::ExecutionFinished(_)))
    }

    fn set_aside(&mut self, committed: &CommittedEvent, error: &serde_json::Error, rows: &mut Rows) {
        // A type that only a newer version knows is no poison: its outline is a row like any other.
        if let Ok(outline) = serde_json::from_str::<Outline>(&committed.data)
            && !Event::TYPES.contains(&outline.name.as_str())
        {
            let open = self.open.get(&committed.execution);
            let path = open.map_or_else(|| self.names.get(""), |open| open.path.clone());
            let (version, root) = open.map_or((0, 0), |open| (open.version, open.root));
            rows.events.push(EventRow {
                event_type: self.names.get(&outline.name),
                step: self.names.get(outline.data.step.as_deref().unwrap_or_default()),
                run: outline.data.run,
                ..plain(committed, root, path, version, &mut self.names)
            });
            return;
        }
        tracing::warn!(position = committed.position, %error, "an event cannot be read and is set aside");
        rows.poison.push(PoisonRow {
            position: committed.position,
            kind: "event".to_owned(),
            execution_id: committed.execution.0,
            reason: error.to_string(),
            at: committed.at_ms,
        });
    }
}

/// One Event on its way into rows.
struct Context<'a> {
    committed: &'a CommittedEvent,
    tools: &'a Tools,
    names: &'a mut Names,
    fingerprints: &'a Fingerprints,
    policy: Policy,
    is_first: bool,
    rows: &'a mut Rows,
}

impl Context<'_> {
    fn event(&mut self, open: &mut Open, event: &Event) {
        let at = self.committed.at_ms;
        let mut row = plain(self.committed, open.root, open.path.clone(), open.version, self.names);
        row.event_type = self.names.get(event.name());
        row.step = self.names.get(event.step().unwrap_or_default());
        if let Some(tool) = self.tools.of(&open.path, open.version, &row.step) {
            row.tool = tool.kind.clone();
            row.pool = tool.pool.clone();
        }
        let status = match event {
            Event::ExecutionRequested(_) => {
                self.running(open);
                "STARTED"
            }
            Event::StepEntered { run, inputs, .. } => {
                row.run = *run;
                open.enter(&row.step, *run, at, shape::bytes(inputs));
                "ENTERED"
            }
            Event::CommandIssued(issued) => {
                (row.run, row.batch, row.attempt) = (issued.run, issued.batch, issued.attempt);
                let one = open.run(&row.step, issued.run, at);
                one.issued_ms.get_or_insert(at);
                one.commands += u32::from(issued.attempt <= 1);
                one.is_looped |= matches!(issued.work, IssuedWork::Items { .. } | IssuedWork::Frame { .. });
                "PENDING"
            }
            Event::Called(report) => self.called(open, &mut row, report),
            Event::ChildStarted { id, index, request, .. } => {
                (row.run, row.batch, row.iteration) = (id.run, id.batch, *index as i64);
                open.run(&row.step, id.run, at).usage.bytes_in += shape::bytes(&request.payload);
                "STARTED"
            }
            Event::ChildFinished { id, index, status, result, .. } => {
                (row.run, row.batch, row.iteration) = (id.run, id.batch, *index as i64);
                row.bytes_out = shape::stored_bytes(&result.value);
                status.as_str()
            }
            Event::LoopStarted { run, .. } => {
                row.run = *run;
                open.run(&row.step, *run, at).is_looped = true;
                "STARTED"
            }
            Event::LoopFinished { run, stats, stored, .. } => {
                row.run = *run;
                let one = open.run(&row.step, *run, at);
                (one.iterations, one.iterations_failed) = (stats.total, stats.failed);
                one.rows_out = stats.total;
                if let Some(stored) = stored {
                    one.bytes_out = stored.bytes;
                }
                "COMPLETED"
            }
            Event::StepExited(exit) => self.exited(open, &mut row, exit),
            Event::ExecutionRetried { steps, .. } => {
                open.attempt += 1;
                open.failed = None;
                open.ran.retain(|ran| !steps.iter().any(|step| **step == *ran.step));
                self.running(open);
                "RUNNING"
            }
            Event::ExecutionFinished(finished) => self.finished(open, &mut row, finished),
            Event::Warned { message, code, .. } => {
                row.error_code = self.names.get(code.as_str());
                row.message.clone_from(message);
                "WARNING"
            }
            // Its sentences quote messages, so they stay in the log.
            Event::DiagnosisMade(diagnosed) => {
                (row.cause, row.attempt) = (self.names.get(&diagnosed.cause), diagnosed.attempt);
                "OK"
            }
            Event::TimerFired { .. } | Event::ContextUpdated { .. } | Event::Noted { .. } => "OK",
        };
        row.status = self.names.get(status);
        self.rows.events.push(row);
    }
}

/// The row of an Event, with everything that is the same for all of them.
fn plain(committed: &CommittedEvent, root: u64, playbook: Name, version: u32, names: &mut Names) -> EventRow {
    let none = names.get("");
    EventRow {
        position: committed.position,
        event_id: committed.event_id,
        item: 0,
        execution_id: committed.execution.0,
        root_execution_id: root,
        seq: committed.seq as u32,
        at: committed.at_ms,
        event_type: none.clone(),
        playbook,
        version,
        step: none.clone(),
        run: 0,
        batch: 0,
        attempt: 0,
        iteration: -1,
        status: none.clone(),
        tool: none.clone(),
        pool: none.clone(),
        worker: none.clone(),
        duration_ms: 0.0,
        tries: 0,
        bytes_out: 0,
        cause: none.clone(),
        fingerprint: 0,
        error_kind: none.clone(),
        error_code: none,
        status_code: 0,
        message: String::new(),
    }
}

/// Makes the names that repeat in every row; long ones are shared.
#[derive(Default)]
pub(crate) struct Names {
    long: FxHashSet<Name>,
}

/// Long names kept; beyond that the memory is worth more than the sharing.
const MOST_NAMES: usize = 100_000;

impl Names {
    pub(crate) fn get(&mut self, name: &str) -> Name {
        if let Some(short) = Name::short(name) {
            return short;
        }
        if let Some(known) = self.long.get(name) {
            return known.clone();
        }
        if self.long.len() >= MOST_NAMES {
            self.long.clear();
        }
        let shared = Name::from(name);
        self.long.insert(shared.clone());
        shared
    }
}
