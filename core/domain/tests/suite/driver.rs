//! Runs a Playbook with workers that a test scripts: no clock, no threads, everything in order.

use std::collections::{HashMap, VecDeque};

use noetl_domain::Value;
use noetl_domain::command::{Command, StepResult, Work};
use noetl_domain::error::TaskError;
use noetl_domain::event::{Event, Status};
use noetl_domain::execution::{Advance, ChildStart, Execution, Plan, Request, Timer, request};
use noetl_domain::id::ExecutionId;
use noetl_domain::report::{ItemReport, Outcome, Report, Wait};
use noetl_domain::result::{RefKind, ResultKind, ResultRef, Stored};
use noetl_domain::usage::Usage;

/// An Execution with its log, and everything that is waiting to happen to it.
pub(crate) struct Driver {
    pub(crate) plan: Plan,
    pub(crate) execution: Execution,
    pub(crate) log: Vec<(i64, Event)>,
    pub(crate) commands: VecDeque<Command>,
    pub(crate) timers: Vec<Timer>,
    pub(crate) children: Vec<ChildStart>,
    pub(crate) now_ms: i64,
    objects: HashMap<String, Value>,
}

impl Driver {
    pub(crate) fn start(yaml: &str, payload: &Value) -> Self {
        let reading = noetl_domain::dialect::read(yaml);
        let playbook =
            reading.playbook.unwrap_or_else(|| panic!("the playbook is refused: {:#?}", reading.findings));
        Self::start_plan(Plan::new(playbook, 1, "1".into()), payload)
    }

    pub(crate) fn start_plan(plan: Plan, payload: &Value) -> Self {
        let id = ExecutionId(42);
        let wanted = Request {
            payload: payload.as_object().cloned().unwrap_or_default(),
            trigger: "test".into(),
            ..Request::default()
        };
        let requested = request(&plan, id, 0, wanted).expect("the workload renders");
        let mut driver = Self {
            plan,
            execution: Execution::new(id),
            log: Vec::new(),
            commands: VecDeque::new(),
            timers: Vec::new(),
            children: Vec::new(),
            now_ms: 0,
            objects: HashMap::new(),
        };
        driver.happen(vec![Event::ExecutionRequested(Box::new(requested))]);
        driver
    }

    pub(crate) fn happen(&mut self, events: Vec<Event>) {
        self.now_ms += 1;
        let mut happened = events;
        loop {
            let mut advance = Advance::new(std::mem::take(&mut happened), self.now_ms);
            while let Err(needs) = advance.run(&self.plan, &mut self.execution) {
                for reference in needs.load {
                    let value = self.objects.get(&reference.key).cloned().unwrap_or_default();
                    self.execution.provide(reference, std::sync::Arc::new(value));
                }
                for object in needs.store {
                    let key = format!("{}-{}", object.step, object.run);
                    self.objects.insert(key.clone(), serde_json::from_str(&object.json).expect("JSON"));
                    let reference = ResultRef {
                        kind: RefKind::ResultRef,
                        uri: format!("noetl://{key}"),
                        key,
                        bytes: object.json.len() as u64,
                        sha256: String::new(),
                        content_type: "application/json".into(),
                        preview: object.preview,
                        extracted: Value::Null,
                    };
                    self.execution.stored(object.step, object.run, reference);
                }
            }
            self.execution.release();
            self.log.extend(advance.events.into_iter().map(|event| (self.now_ms, event)));
            self.commands.extend(advance.commands);
            self.timers.extend(advance.timers);
            self.children.extend(advance.children);
            if !advance.more {
                return;
            }
        }
    }

    pub(crate) fn report(&mut self, report: Report) {
        self.happen(vec![Event::Called(Box::new(report))]);
    }

    pub(crate) fn status(&self) -> Status {
        self.execution.status
    }

    /// The same log, folded anew: what a restart would see.
    pub(crate) fn refold(&self) -> Execution {
        let mut execution = Execution::new(self.execution.id);
        for (at_ms, event) in &self.log {
            // Through text, as the store keeps it.
            let text = serde_json::to_string(event).expect("events serialise");
            let event: Event = serde_json::from_str(&text).expect("events deserialise");
            execution.apply(&event, *at_ms);
        }
        execution
    }
}

/// Answers a Command, asking `outcome` for every Iteration by index (0 for a Step without a loop).
pub(crate) fn answer(
    command: &Command,
    now_ms: i64,
    mut outcome: impl FnMut(u64, &Value) -> Outcome,
) -> Report {
    let mut items = Vec::new();
    let mut claimed = None;
    match &command.work {
        Work::Once { .. } | Work::Saves { .. } => {
            items.push(ItemReport { outcome: outcome(0, &Value::Null), ..ItemReport::default() });
        }
        Work::Items { items: work, .. } => {
            for item in work {
                let told = ItemReport {
                    index: item.index,
                    outcome: outcome(item.index, &item.value),
                    ..ItemReport::default()
                };
                let failed = matches!(told.outcome, Outcome::Error { .. });
                items.push(told);
                let fail_fast = command.step.looped.as_ref().is_some_and(|looped| {
                    looped.mode == noetl_domain::playbook::LoopMode::Sequential
                        && looped.on_item_failure == noetl_domain::playbook::ItemFailure::FailFast
                });
                if failed && fail_fast {
                    break;
                }
            }
        }
        Work::Frame { .. } => claimed = Some(0),
    }
    let (runs, items) = Report::compact(items);
    Report {
        id: command.id.clone(),
        attempt: command.attempt,
        worker: "test".into(),
        started_ms: now_ms,
        finished_ms: now_ms + 1,
        runs,
        items,
        claimed,
        undefined: Vec::new(),
        usage: Usage::default(),
    }
}

pub(crate) fn ok(value: Value) -> Outcome {
    Outcome::Ok { kind: ResultKind::Plain, result: Stored::Inline(value) }
}

pub(crate) fn error(message: &str) -> Outcome {
    Outcome::Error {
        error: TaskError::new("tool_error", message),
        kind: ResultKind::Plain,
        result: Stored::default(),
    }
}

pub(crate) fn parked(seconds: f64) -> Outcome {
    Outcome::Parked { on: Wait::Timer { seconds }, state: noetl_domain::command::PipelineState::default() }
}

pub(crate) fn inline(result: &StepResult) -> Value {
    match &result.value {
        Stored::Inline(value) => value.clone(),
        Stored::Ref(reference) => serde_json::json!({ "ref": reference.key }),
    }
}
