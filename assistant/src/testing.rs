//! Runs small playbooks with scripted tools, without clocks and threads, so that rules can be tested on real logs.
//!
//! A lab is written line by line: `load reads fetch.rows`, `fetch handled load` (an arc answers its error and leads
//! on), `fetch on error tell` (its error leads elsewhere). Steps follow each other in the order of the lines.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use noetl_api::diagnosis::{Diagnosis, EvidenceStatus};
use noetl_domain::Value;
use noetl_domain::cause::Cause;
use noetl_domain::dialect;
use noetl_domain::error::TaskError;
use noetl_domain::event::{Event, Recorded};
use noetl_domain::execution::{Advance, Execution, Plan, Request, request};
use noetl_domain::id::ExecutionId;
use noetl_domain::report::{Call, ItemReport, Outcome, Report};
use noetl_domain::result::{ResultKind, Stored};
use serde_json::json;

use crate::answer::diagnose;
use crate::evidence::{Baseline, Child, Definition, Evidence, Run};

static IDS: AtomicU64 = AtomicU64::new(1_000);

/// What a tool of the test answers.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    outcome: Outcome,
    calls: Vec<Call>,
    /// Nobody reports: the worker was lost.
    is_lost: bool,
}

/// No worker lives to answer, however often the work is given out.
pub(crate) fn lost() -> Answer {
    Answer { is_lost: true, ..ok(Value::Null) }
}

pub(crate) fn ok(value: impl Into<Value>) -> Answer {
    let result = Stored::Inline(value.into());
    Answer { outcome: Outcome::Ok { kind: ResultKind::Plain, result }, calls: Vec::new(), is_lost: false }
}

pub(crate) fn error(error: TaskError) -> Answer {
    Answer {
        outcome: Outcome::Error { error, kind: ResultKind::Plain, result: Stored::default() },
        calls: Vec::new(),
        is_lost: false,
    }
}

pub(crate) fn failed(kind: &str, code: Option<&str>, message: &str) -> Answer {
    error(TaskError { code: code.map(str::to_owned), ..TaskError::new(kind, message) })
}

pub(crate) fn python_error(exception: &str, message: &str) -> Answer {
    let told = TaskError::new("python", format!("{exception}: {message} (line 1)"))
        .with_code(exception)
        .with_details(json!({ "exception": exception, "message": message }));
    error(TaskError { source: "python".into(), ..told })
}

pub(crate) fn sql_error(code: &str, message: &str) -> Answer {
    failed("postgres", Some(code), message)
}

pub(crate) fn http_error(status: u16, reason: &str) -> Answer {
    let told =
        TaskError::new("client_error", format!("HTTP {status} response ({reason}) from GET http://x/y"));
    error(TaskError {
        status_code: Some(status),
        source: "http".into(),
        ..told.with_code(status.to_string())
    })
}

/// A Python exception raised while handling another.
pub(crate) fn chained(first: &str, second: &str, direct: bool) -> Answer {
    let mark = if direct {
        "The above exception was the direct cause of the following exception:"
    } else {
        "During handling of the above exception, another exception occurred:"
    };
    let head = "Traceback (most recent call last):\n  File \"step\", line 1, in <module>\n";
    let (name, message) = second.split_once(": ").unwrap_or((second, ""));
    let mut answer = python_error(name, message);
    if let Outcome::Error { error, .. } = &mut answer.outcome {
        error.details["traceback"] = format!("{head}{first}\n\n{mark}\n\n{head}{second}\n").into();
    }
    answer
}

/// The tries of one task; the last one's error is the step's.
pub(crate) fn tries(answers: &[Answer]) -> Answer {
    let mut last = answers.last().expect("a try").clone();
    for (at, answer) in answers.iter().enumerate() {
        let Outcome::Error { error, .. } = &answer.outcome else { continue };
        last.calls.push(Call {
            task: "work".into(),
            tool: "http".into(),
            attempt: at as u32 + 1,
            error: Some(error.clone()),
            retry_after: (at + 1 < answers.len()).then_some(0.1),
            held: None,
            ..Call::default()
        });
    }
    last
}

/// The error that a parent's step has when its child failed, and the child as evidence.
pub(crate) fn failed_child(child: &Told, step: &str) -> (Answer, Child) {
    let run = &child.evidence.run;
    let inner = run.state.finished.as_ref().and_then(|finished| finished.error.clone());
    let told = TaskError::new("playbook", format!("the sub-playbook x (execution {}) ended FAILED", run.id))
        .with_code("EX006")
        .with_details(json!({ "execution_id": run.id.to_string(), "status": "FAILED", "error": inner }));
    (error(told), Child { step: step.to_owned(), evidence: Box::new(child.evidence.clone()) })
}

/// A playbook, and the good run that came before.
pub(crate) struct Lab {
    definition: Definition,
    baseline: Option<Baseline>,
}

impl Lab {
    pub(crate) fn new(written: &str) -> Self {
        let text = yaml(written);
        let reading = dialect::read(&text);
        let playbook = reading.playbook.unwrap_or_else(|| panic!("{text}\n{:#?}", reading.findings));
        let definition = Definition { version: 1, text, playbook: Arc::new(playbook), created_ms: 0 };
        Self { definition, baseline: None }
    }

    pub(crate) fn good(mut self, answers: &[(&str, Answer)]) -> Self {
        let run = self.play(answers);
        self.baseline = Some(Baseline { run, definition: Some(self.definition.clone()) });
        self
    }

    pub(crate) fn run(&self, answers: &[(&str, Answer)]) -> Told {
        let evidence = Evidence {
            run: self.play(answers),
            definition: Some(self.definition.clone()),
            baseline: self.baseline.clone(),
            children: Vec::new(),
            credentials: Vec::new(),
            recent: Vec::new(),
            lines: Vec::new(),
            unserved: Vec::new(),
            similar: Vec::new(),
            proposals: Vec::new(),
            gaps: Vec::new(),
        };
        Told { evidence }
    }

    fn play(&self, answers: &[(&str, Answer)]) -> Run {
        let answers: HashMap<&str, &Answer> = answers.iter().map(|(step, answer)| (*step, answer)).collect();
        let plan = Plan::new((*self.definition.playbook).clone(), 1, "1".into());
        let id = ExecutionId(IDS.fetch_add(1, Ordering::Relaxed));
        let mut execution = Execution::new(id);
        let first = request(&plan, id, 1, Request::default()).expect("the workload renders");
        let mut log: Vec<Recorded> = Vec::new();
        let mut happened = vec![Event::ExecutionRequested(Box::new(first))];
        let mut at_ms = 1;
        while !happened.is_empty() {
            let mut advance = Advance::new(std::mem::take(&mut happened), at_ms);
            advance.run(&plan, &mut execution).expect("nothing large");
            for event in advance.events {
                let seq = log.len() as u64 + 1;
                log.push(Recorded { execution: id, seq, event_id: id.0 * 1_000 + seq, at_ms, event });
            }
            for command in advance.commands {
                at_ms += 10;
                let answer =
                    answers.get(command.id.step.as_str()).copied().cloned().unwrap_or_else(|| ok(json!({})));
                if answer.is_lost {
                    happened.extend(execution.resend());
                    continue;
                }
                let item =
                    ItemReport { outcome: answer.outcome, calls: answer.calls, ..ItemReport::default() };
                let (runs, items) = Report::compact(vec![item]);
                happened.push(Event::Called(Box::new(Report {
                    id: command.id.clone(),
                    attempt: command.attempt,
                    worker: "test".into(),
                    started_ms: at_ms,
                    finished_ms: at_ms,
                    runs,
                    items,
                    claimed: None,
                    undefined: Vec::new(),
                    usage: noetl_domain::usage::Usage::default(),
                })));
            }
        }
        Run::fold(id, &log, log.len() as u64)
    }
}

fn yaml(written: &str) -> String {
    let lines: Vec<Vec<&str>> = match written.strip_prefix("steps: ") {
        Some(names) => names.split_whitespace().map(|name| vec![name]).collect(),
        None => written.lines().map(|line| line.split_whitespace().collect()).collect(),
    };
    let aside: Vec<&str> = lines.iter().filter_map(|words| after(words, &["on", "error"])).collect();
    let chain: Vec<&str> = lines.iter().map(|words| words[0]).filter(|name| !aside.contains(name)).collect();
    let mut text = String::from(
        "apiVersion: noetl.io/v2\nkind: Playbook\nmetadata: { name: lab, path: lab }\nworkflow:\n",
    );
    for words in &lines {
        let name = words[0];
        let input = after(words, &["reads"])
            .map_or_else(String::new, |path| format!("input: {{ value: '{{{{ {path} }}}}' }}, "));
        let _ = writeln!(text, "  - step: {name}\n    tool: {{ kind: python, {input}code: 'result = 1' }}");
        let mut arcs = Vec::new();
        let to = after(words, &["handled"]).or_else(|| after(words, &["on", "error"]));
        arcs.extend(to.map(|to| format!("{{ step: {to}, when: \"{{{{ output.status == 'error' }}}}\" }}")));
        let place = chain.iter().position(|known| *known == name);
        if let Some(next) = place.and_then(|place| chain.get(place + 1)) {
            arcs.push(format!("{{ step: {next}, when: \"{{{{ output.status != 'error' }}}}\" }}"));
        }
        if !arcs.is_empty() {
            let _ = writeln!(text, "    next: {{ arcs: [ {} ] }}", arcs.join(", "));
        }
    }
    text
}

fn after<'w>(words: &[&'w str], marks: &[&str]) -> Option<&'w str> {
    let at = words.windows(marks.len()).position(|window| window == marks)?;
    words.get(at + marks.len()).copied()
}

/// Evidence that is ready to be judged.
pub(crate) struct Told {
    pub(crate) evidence: Evidence,
}

impl Told {
    pub(crate) fn with_child(mut self, child: Child) -> Self {
        self.evidence.children.push(child);
        self
    }

    pub(crate) fn diagnosis(&self) -> Diagnosis {
        diagnose(&self.evidence)
    }

    #[track_caller]
    pub(crate) fn blames(&self, step: &str, cause: Cause) {
        let told = self.diagnosis();
        let found = (told.root_step.as_deref(), told.cause.as_deref());
        assert_eq!(
            found,
            (Some(step), Some(cause.code())),
            "{}",
            serde_json::to_string_pretty(&told).unwrap()
        );
        assert!(!told.explanation.is_empty(), "something is said");
        for sentence in crate::check::sentences(&told.explanation) {
            assert!(sentence.contains("[e:"), "{sentence}");
        }
    }

    #[track_caller]
    pub(crate) fn abstains(&self) {
        let told = self.diagnosis();
        assert_eq!(told.cause.as_deref(), Some("unknown"), "{told:#?}");
        assert_eq!(told.evidence_status, EvidenceStatus::Insufficient, "{told:#?}");
    }
}
