//! Evidence: everything a diagnosis may look at, gathered once and frozen.
//!
//! Rules read it and nothing else, so that the same evidence always gives the same answer.
//! What could not be gathered is told in `gaps`, so that an answer can say how far it carries.

mod flow;
mod fold;
mod in_band;
mod said;
mod value;

use std::collections::HashMap;
use std::sync::Arc;

use noetl_api::proposal::ProposalKind;
use noetl_domain::Value;
use noetl_domain::cause::Cause;
use noetl_domain::error::TaskError;
use noetl_domain::event::{Diagnosed, LoopItems, Status};
use noetl_domain::execution::Execution;
use noetl_domain::id::ExecutionId;
use noetl_domain::playbook::Playbook;
use noetl_domain::report::LogLine;
use noetl_domain::result::ResultRef;

pub(crate) use flow::{Origin, Read, Use, reads_of, routes_into, static_reads, writes_of};
pub(crate) use in_band::{in_band, plain};
pub(crate) use said::{Said, inner_error, is_mute, is_of_their_own, says_nothing};
pub(crate) use value::{
    Defect, Flaw, at_path, compare, count_of, has_key, is_nothing, list_of, nothing_called, place_of, shared,
    short, short_of, stands_in,
};

/// One execution, everything it rests on, and what it is compared with.
#[derive(Clone, Debug)]
pub struct Evidence {
    pub run: Run,
    /// None: the version that ran is not known any more.
    pub definition: Option<Definition>,
    /// The last execution of the same playbook that completed before this one.
    pub baseline: Option<Baseline>,
    /// Sub-playbooks that matter, each with evidence of its own.
    pub children: Vec<Child>,
    /// Credentials that the playbook names.
    pub credentials: Vec<CredentialFacts>,
    /// Executions of the same playbook before and after this one, newest first.
    pub recent: Vec<Recent>,
    /// What the tools of suspicious steps printed, oldest first.
    pub lines: Vec<LogLine>,
    /// Pools with work waiting and nobody to take it.
    pub unserved: Vec<String>,
    pub similar: Vec<Similar>,
    /// Proposals for the playbook that wait for a decision.
    pub proposals: Vec<OpenProposal>,
    pub gaps: Vec<String>,
}

/// The last good run, and the definition it ran.
#[derive(Clone, Debug)]
pub struct Baseline {
    pub run: Run,
    pub definition: Option<Definition>,
}

/// One version of a playbook.
#[derive(Clone, Debug)]
pub struct Definition {
    pub version: u32,
    pub text: String,
    pub playbook: Arc<Playbook>,
    /// Unix milliseconds.
    pub created_ms: i64,
}

/// A sub-playbook that a step ran.
#[derive(Clone, Debug)]
pub struct Child {
    pub step: String,
    pub evidence: Box<Evidence>,
}

/// A credential without its secrets.
#[derive(Clone, Debug)]
pub struct CredentialFacts {
    pub name: String,
    /// None: there is no credential of this name.
    pub found: Option<CredentialFound>,
}

#[derive(Clone, Debug)]
pub struct CredentialFound {
    pub kind: String,
    /// Unix milliseconds.
    pub created_ms: i64,
    pub updated_ms: i64,
}

/// Another execution of the same playbook.
#[derive(Clone, Debug)]
pub struct Recent {
    pub execution: ExecutionId,
    pub version: u32,
    pub status: Status,
    pub started_ms: i64,
    pub finished_ms: Option<i64>,
    pub cause: Option<Cause>,
}

/// A failure that looks like this one.
#[derive(Clone, Debug)]
pub struct Similar {
    pub execution: ExecutionId,
    pub score: f64,
    pub ended_by: Option<String>,
}

/// A Proposal that waits for a decision.
#[derive(Clone, Debug)]
pub struct OpenProposal {
    pub id: String,
    pub kind: ProposalKind,
    pub step: Option<String>,
    pub cause: Option<String>,
    pub title: String,
}

/// An Event, as citations name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventRef {
    pub execution: ExecutionId,
    pub event_id: u64,
    pub seq: u64,
    /// Unix milliseconds.
    pub at_ms: i64,
}

/// One execution, folded from its log.
#[derive(Clone, Debug)]
pub struct Run {
    pub id: ExecutionId,
    pub state: Execution,
    pub opened: Option<EventRef>,
    pub ended: Option<EventRef>,
    /// In the order they happened; the first and the last where there are very many.
    pub failures: Vec<Failure>,
    /// By step: the Event that carries its newest result.
    pub results: HashMap<String, EventRef>,
    /// By step: when it was entered last.
    pub entered: HashMap<String, EventRef>,
    /// By step: how it was left last.
    pub exits: HashMap<String, Left>,
    /// By variable: the step that wrote it last.
    pub writers: HashMap<String, (String, EventRef)>,
    /// Commands that were sent again because no worker answered.
    pub resent: Vec<Resent>,
    /// By step: what its last loop went over.
    pub loops: HashMap<String, LoopItems>,
    pub children: Vec<ChildRef>,
    /// Steps with work under way when the log, or the execution, came to its end.
    pub under_way: Vec<UnderWay>,
    /// By step: the worker of its last Report.
    pub workers: HashMap<String, String>,
    /// By step that failed: what the tasks of its pipeline had made by then.
    pub partial: HashMap<String, Value>,
    /// By step: milliseconds from entry to exit, of the last run.
    pub durations: HashMap<String, i64>,
    pub warnings: Vec<(EventRef, Option<String>, String)>,
    /// Large results that were loaded from outside the log.
    pub loaded: Vec<(ResultRef, Arc<Value>)>,
    /// Ends before this one that a retry took back, as far as the log was read.
    pub retries: u32,
    /// What was said of this end already.
    pub made: Option<Box<Diagnosed>>,
    /// Whether every Event was read.
    pub complete: bool,
    /// Events in the log.
    pub events: u64,
}

/// One thing that went wrong, whether or not anybody answered it.
#[derive(Clone, Debug)]
pub struct Failure {
    pub event: EventRef,
    pub step: String,
    pub run: u32,
    pub what: Failed,
    pub error: TaskError,
    /// What the error itself says of its cause.
    pub cause: Cause,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Failed {
    /// One try of a tool; `passed`: the pipeline went on all the same, `retried`: it was tried again.
    Call { task: String, tool: String, attempt: u32, retried: bool, passed: bool },
    /// An Iteration, or the step's whole work.
    Work { index: u64, looped: bool },
    /// The step was left as failed; `handled`: an arc, a case or a rule answered.
    Exit { handled: bool },
    /// The execution was ended as failed.
    End,
}

/// How a step was left.
#[derive(Clone, Debug)]
pub struct Left {
    pub event: EventRef,
    pub run: u32,
    pub failed: bool,
    pub handled: bool,
    pub skipped: bool,
    /// Steps that got a Token.
    pub routes: Vec<String>,
    pub not_taken: Vec<String>,
}

#[derive(Clone, Debug)]
pub struct Resent {
    pub event: EventRef,
    pub step: String,
    pub attempt: u32,
}

/// Work that nobody had answered yet.
#[derive(Clone, Debug)]
pub struct UnderWay {
    pub step: String,
    /// Unix milliseconds: since when.
    pub since_ms: i64,
    /// It waits for a sub-playbook or a moment, not for a worker.
    pub parked: bool,
}

#[derive(Clone, Debug)]
pub struct ChildRef {
    pub event: EventRef,
    pub step: String,
    pub index: u64,
    pub execution: ExecutionId,
    pub path: String,
    /// None: it has not ended, or nobody waited.
    pub ended: Option<(Status, EventRef)>,
}

impl Evidence {
    pub fn playbook(&self) -> Option<&Playbook> {
        self.definition.as_ref().map(|definition| &*definition.playbook)
    }

    /// The kind of tool that does the step's work; that of the last task where there are several.
    pub fn tool_of(&self, step: &str) -> Option<&str> {
        let body = &self.playbook()?.step(step)?.body;
        body.last().map(|task| task.kind.as_str())
    }

    /// What the author wrote for a step's tools: code, commands, fields.
    pub fn text_of(&self, step: &str) -> Option<String> {
        let body = &self.playbook()?.step(step)?.body;
        let fields = body.iter().flat_map(|task| task.config.values());
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        Some(fields.map(text).collect::<Vec<_>>().join("\n"))
    }

    /// The sub-playbook of a step that matters most: the first that failed, else the first.
    pub fn child_of(&self, step: &str) -> Option<&Child> {
        let of_step = || self.children.iter().filter(|child| child.step == step);
        of_step().find(|child| child.evidence.run.state.status == Status::Failed).or_else(|| of_step().next())
    }

    /// The sub-playbook that a loop ran for the element that a path such as `each.results[1].price` leads to.
    pub fn child_at(&self, step: &str, path: &str) -> Option<&Child> {
        let index: u64 = path.split_once('[')?.1.split(']').next()?.parse().ok()?;
        let known = self.run.children.iter().find(|child| child.step == step && child.index == index)?;
        self.children.iter().find(|child| child.evidence.run.id == known.execution)
    }

    /// The line of the playbook's text on which a step begins.
    pub fn line_of(&self, step: &str) -> Option<(u32, String)> {
        let definition = self.definition.as_ref()?;
        let names = [format!("step: {step}"), format!("step: \"{step}\""), format!("step: '{step}'")];
        let named = [format!("name: {step}"), format!("{step}:"), format!("- name: {step}")];
        // A step is declared as `- step: x`; an arc that leads to it says `step: x` too, further in.
        let declared = |line: &str| {
            let text = line.trim_start().trim_start_matches("- ").trim_end();
            line.trim_start().starts_with("- ") && names.iter().any(|name| text == name.as_str())
        };
        let lines = || definition.text.lines().enumerate();
        let found = lines()
            .filter(|(_, line)| declared(line))
            .min_by_key(|(_, line)| line.len() - line.trim_start().len())
            .or_else(|| {
                lines()
                    .find(|(_, line)| named.iter().any(|name| line.trim().trim_start_matches("- ") == name))
            })?;
        Some((found.0 as u32 + 1, found.1.trim().to_owned()))
    }
}

impl Run {
    pub fn status(&self) -> Status {
        self.state.status
    }

    /// The worst thing that is told of a step: how it was left as failed, else its work, else a call.
    pub fn failure_of(&self, step: &str) -> Option<&Failure> {
        let of_step = || self.failures.iter().filter(|failure| failure.step == step);
        of_step()
            .rfind(|failure| matches!(failure.what, Failed::Exit { .. }))
            .or_else(|| of_step().find(|failure| matches!(failure.what, Failed::Work { .. })))
            .or_else(|| of_step().next())
    }

    /// Errors that were passed over: handled exits, rules that went on, items of a loop that went on without them.
    pub fn swallowed(&self) -> impl Iterator<Item = &Failure> {
        self.failures.iter().filter(|failure| match &failure.what {
            Failed::Exit { handled } => *handled,
            Failed::Call { passed, .. } => *passed,
            Failed::Work { looped, .. } => {
                *looped && self.exits.get(&failure.step).is_some_and(|left| !left.failed)
            }
            Failed::End => false,
        })
    }

    pub fn took_ms(&self) -> Option<i64> {
        Some(self.ended?.at_ms - self.opened?.at_ms)
    }

    pub fn playbook(&self) -> &str {
        &self.state.requested.path
    }
}

impl EventRef {
    /// As citations name it.
    pub fn id(&self) -> String {
        self.event_id.to_string()
    }
}
