//! Events as a busy server commits them: executions side by side, loops, retries, failures. The same for the same seed.

use std::collections::VecDeque;
use std::sync::Arc;

use noetl_bus::feed::Definition;
use noetl_domain::error::TaskError;
use noetl_domain::event::{
    Event, Exit, Finished, Issued, IssuedWork, LoopItems, LoopStats, Recorded, Requested, Status, StepStatus,
    Taken,
};
use noetl_domain::id::{CommandId, ExecutionId};
use noetl_domain::report::{Call, ItemReport, LogLine, Outcome, Report, Run};
use noetl_domain::result::{ResultKind, Stored};
use noetl_domain::usage::Usage;
use noetl_domain::{Map, Value};
use serde_json::json;

use crate::shapes;

/// Executions side by side.
const AT_ONCE: usize = 64;
const TEAMS: u64 = 8;
/// The kinds of work, with how many of twenty Executions are of each.
const KINDS: [(&str, u64); 4] =
    [("orders_load", 8), ("customer_sync", 6), ("nightly_report", 3), ("price_feed", 3)];
const STEPS: [&str; 3] = ["fetch", "check", "keep"];

/// What one transaction holds of one Execution.
pub(crate) struct Round {
    pub(crate) events: Vec<Recorded>,
    pub(crate) lines: Vec<LogLine>,
    pub(crate) path: String,
    pub(crate) is_last: bool,
}

pub(crate) struct Traffic {
    random: Random,
    open: Vec<Open>,
    begun: u64,
    event_ids: u64,
}

struct Open {
    id: ExecutionId,
    path: String,
    seq: u64,
    rounds: VecDeque<(Vec<Event>, Option<String>)>,
}

impl Traffic {
    pub(crate) fn new(seed: u64) -> Self {
        Self { random: Random(seed.max(1)), open: Vec::new(), begun: 0, event_ids: 1 << 40 }
    }

    /// What is committed next, at this moment.
    pub(crate) fn round(&mut self, at_ms: i64) -> Round {
        while self.open.len() < AT_ONCE {
            let begun = self.begin(at_ms);
            self.open.push(begun);
        }
        let at = self.random.below(AT_ONCE as u64) as usize;
        let open = &mut self.open[at];
        let (events, line) = open.rounds.pop_front().unwrap_or_default();
        let events = events.into_iter().map(|event| {
            open.seq += 1;
            self.event_ids += 1;
            Recorded { execution: open.id, seq: open.seq, event_id: self.event_ids, at_ms, event }
        });
        let events: Vec<Recorded> = events.collect();
        let line = line.map(|text| LogLine {
            execution: open.id,
            step: STEPS[0].to_owned(),
            run: 1,
            index: None,
            at_ms,
            stream: "stdout".to_owned(),
            level: "info".to_owned(),
            text,
            fields: Value::Null,
        });
        let round = Round {
            events,
            lines: line.into_iter().collect(),
            path: open.path.clone(),
            is_last: open.rounds.is_empty(),
        };
        if round.is_last {
            self.open.swap_remove(at);
        }
        round
    }

    fn begin(&mut self, at_ms: i64) -> Open {
        self.begun += 1;
        let id = ExecutionId((1 << 50) + self.begun * 4_096);
        let mut chosen = self.random.below(KINDS.iter().map(|(_, share)| share).sum());
        let mut kind = KINDS[0].0;
        for (name, share) in KINDS {
            if chosen < share {
                kind = name;
                break;
            }
            chosen -= share;
        }
        let path = format!("team-{}/{kind}", self.random.below(TEAMS));
        let mut work = Script {
            id,
            at_ms,
            random: &mut self.random,
            events: Vec::new(),
            line: None,
            rounds: VecDeque::new(),
        };
        work.requested(&path);
        match kind {
            "price_feed" => work.looped(),
            _ => work.chained(),
        }
        Open { id, path, seq: 0, rounds: work.rounds }
    }
}

/// The Playbooks behind the Events.
pub(crate) fn definition(path: &str) -> Definition {
    let looped = path.ends_with("price_feed");
    let mut content = format!(
        "apiVersion: noetl.io/v2\nkind: Playbook\nmetadata: {{ name: bench, path: {path} }}\nworkflow:\n"
    );
    for (step, next) in [("fetch", "check"), ("check", "keep"), ("keep", "end")] {
        let loops = if looped { "    loop: { in: 20, iterator: n }\n" } else { "" };
        content.push_str(&format!(
            "  - step: {step}\n{loops}    tool: {{ kind: python, code: 'result = 1' }}\n    next: {{ arcs: [ {{ step: {next} }} ] }}\n"
        ));
    }
    content.push_str("  - step: end\n");
    Definition { path: path.to_owned(), version: 1, content, created_ms: 0 }
}

/// The log of one Execution in the making.
struct Script<'a> {
    id: ExecutionId,
    at_ms: i64,
    random: &'a mut Random,
    events: Vec<Event>,
    /// What a tool printed meanwhile.
    line: Option<String>,
    rounds: VecDeque<(Vec<Event>, Option<String>)>,
}

impl Script<'_> {
    fn commit(&mut self) {
        self.rounds.push_back((std::mem::take(&mut self.events), self.line.take()));
    }

    fn requested(&mut self, path: &str) {
        let payload: Map = serde_json::from_value(json!({"region": "north", "rows": self.random.below(60)}))
            .unwrap_or_default();
        self.events.push(Event::ExecutionRequested(Box::new(Requested {
            path: path.to_owned(),
            version: 1,
            catalog_id: "1".to_owned(),
            workload: payload.clone(),
            payload,
            entry: vec![Taken { to: STEPS[0].to_owned(), inputs: Map::new() }],
            trigger: "api".to_owned(),
            ..Requested::default()
        })));
    }

    fn entered(&mut self, step: &str, work: IssuedWork) {
        self.events.push(Event::StepEntered { step: step.to_owned(), run: 1, tokens: 1, inputs: Map::new() });
        if let IssuedWork::Items { count, .. } = work {
            let (step, items) = (step.to_owned(), LoopItems::Range(count));
            self.events.push(Event::LoopStarted { step, run: 1, items, concurrency: 8 });
        }
        self.events.push(Event::CommandIssued(Issued {
            step: step.to_owned(),
            run: 1,
            batch: 0,
            attempt: 1,
            work,
            slots: 1,
        }));
        self.commit();
    }

    fn exited(&mut self, step: &str, to: Option<&str>, error: Option<TaskError>, handled: bool) {
        let status = if error.is_some() { StepStatus::Failed } else { StepStatus::Completed };
        let routes = to.map(|to| Taken { to: to.to_owned(), inputs: Map::new() }).into_iter().collect();
        self.events.push(Event::StepExited(Box::new(Exit {
            step: step.to_owned(),
            run: 1,
            status,
            error,
            handled,
            routes,
            ..Exit::default()
        })));
    }

    fn finished(&mut self, failed: Option<(&str, TaskError)>) {
        let status = if failed.is_some() { Status::Failed } else { Status::Completed };
        let (failed_steps, error) = failed.map(|(step, error)| (vec![step.to_owned()], error)).unzip();
        self.events.push(Event::ExecutionFinished(Box::new(Finished {
            status,
            result_step: Some(STEPS[2].to_owned()),
            error,
            failed_steps: failed_steps.unwrap_or_default(),
            ..Finished::default()
        })));
        self.commit();
    }

    /// Three steps one after the other; some fail, some are tried again, some failures are answered.
    fn chained(&mut self) {
        for (at, step) in STEPS.into_iter().enumerate() {
            self.entered(step, IssuedWork::Once);
            let next = STEPS.get(at + 1).copied().unwrap_or("end");
            let fate = self.random.below(100);
            let error = (fate < 3).then(|| self.error());
            if at == 0 {
                self.line = Some(format!("fetched {} rows in {fate} ms", self.random.below(900)));
            }
            let report = self.report(step, error.clone(), fate);
            self.events.push(report);
            match error {
                // A third of the failures has an arc of its own.
                Some(error) if fate > 0 => {
                    self.exited(step, None, Some(error.clone()), false);
                    return self.finished(Some((step, error)));
                }
                error => self.exited(step, Some(next), error, true),
            }
        }
        self.events.push(Event::StepEntered {
            step: "end".to_owned(),
            run: 1,
            tokens: 1,
            inputs: Map::new(),
        });
        self.exited("end", None, None, false);
        self.finished(None);
    }

    /// Three loops of some twenty Iterations.
    fn looped(&mut self) {
        for (at, step) in STEPS.into_iter().enumerate() {
            let count = 10 + self.random.below(20);
            self.entered(step, IssuedWork::Items { first: 0, count });
            let prices: Vec<Value> =
                (0..count).map(|n| json!({"article": n, "price": self.random.below(9_999)})).collect();
            let runs = raw(&prices).map(|results| Run { first: 0, count, kind: ResultKind::Plain, results });
            let report = Report { runs: runs.into_iter().collect(), ..self.bare(step) };
            self.events.push(Event::Called(Box::new(report)));
            let stats = LoopStats { total: count, success: count, failed: 0 };
            self.events.push(Event::LoopFinished { step: step.to_owned(), run: 1, stats, stored: None });
            self.exited(step, Some(STEPS.get(at + 1).copied().unwrap_or("end")), None, false);
        }
        self.finished(None);
    }

    fn report(&mut self, step: &str, error: Option<TaskError>, fate: u64) -> Event {
        let mut report = self.bare(step);
        let result = json!({
            "status": "success", "rows": self.random.below(900), "etag": format!("{:016x}", self.random.next()),
            "page": {"number": fate, "of": 40, "next": format!("/api/v2/page/{}", fate + 1)},
        });
        match error {
            Some(error) => {
                let outcome = Outcome::Error { error, kind: ResultKind::Plain, result: Stored::default() };
                report.items.push(ItemReport { outcome, ..ItemReport::default() });
            }
            // Rescued by a retry.
            None if fate < 8 => {
                let call = |attempt, error: Option<TaskError>| Call {
                    task: step.to_owned(),
                    tool: "python".to_owned(),
                    attempt,
                    duration_ms: 12.5,
                    retry_after: error.as_ref().map(|_| 0.5),
                    held: None,
                    error,
                };
                let calls = vec![call(1, Some(self.error())), call(2, None)];
                let outcome = Outcome::Ok { kind: ResultKind::Plain, result: Stored::Inline(result) };
                report.items.push(ItemReport { outcome, calls, ..ItemReport::default() });
            }
            None => {
                let runs = raw(&[result]).map(|results| Run {
                    first: 0,
                    count: 1,
                    kind: ResultKind::Plain,
                    results,
                });
                report.runs.extend(runs);
            }
        }
        Event::Called(Box::new(report))
    }

    fn bare(&mut self, step: &str) -> Report {
        let id = CommandId { execution: self.id, step: step.to_owned(), run: 1, batch: 0 };
        let took = 5 + self.random.below(200) as i64;
        Report {
            id,
            attempt: 1,
            worker: format!("worker-{}", self.random.below(4)),
            started_ms: self.at_ms,
            finished_ms: self.at_ms + took,
            runs: Vec::new(),
            items: Vec::new(),
            claimed: None,
            undefined: Vec::new(),
            usage: Usage::default(),
        }
    }

    fn error(&mut self) -> TaskError {
        let (shape, salt) = (self.random.below(shapes::COUNT), self.random.next());
        TaskError::new("python", shapes::message(shape, salt)).with_code("RuntimeError")
    }
}

fn raw(values: &[Value]) -> Option<Arc<serde_json::value::RawValue>> {
    serde_json::value::to_raw_value(values).ok().map(Arc::from)
}

/// xorshift64*: the same numbers for the same seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, limit: u64) -> u64 {
        (self.next() >> 33) % limit
    }
}
