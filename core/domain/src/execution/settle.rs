//! What follows when an Execution comes to rest: Tokens that may go on, joins, the end.

use super::decide::Decision;
use super::enter::admit;
use super::failure;
use super::plan::Plan;
use super::state::{Execution, Phase};
use crate::code::Code;
use crate::event::{Event, Finished, Status};
use crate::playbook::Join;
use crate::{Map, playbook};

/// Runs of Steps that one Execution may make.
const RUNS_LIMIT: u64 = 1_000_000;

/// What is due now that nothing more follows from Events.
pub(super) fn settle(plan: &Plan, execution: &Execution, at_ms: i64) -> Decision {
    if !execution.failed.is_empty() {
        // What is under way may finish; nothing new begins.
        return if execution.is_busy() { Decision::default() } else { end(plan, execution, at_ms) };
    }
    if execution.runs >= RUNS_LIMIT {
        let message = format!("the execution has run {RUNS_LIMIT} steps, which is the limit");
        return finish(execution, Status::Failed, Some(failure::coded(Code::TooManySteps, "limit", message)));
    }
    if let Some(target) = execution.target_reached() {
        return finish_at(execution, target);
    }
    if let Some(step) = due(plan, execution) {
        return enter(plan, execution, step, at_ms);
    }
    if execution.is_busy() { Decision::default() } else { end(plan, execution, at_ms) }
}

/// The first Step, in order of its oldest Token, that may begin.
fn due<'a>(plan: &'a Plan, execution: &Execution) -> Option<&'a playbook::Step> {
    let mut waiting: Vec<&str> = Vec::new();
    for token in &execution.tokens {
        let to = token.to.as_str();
        if waiting.contains(&to) {
            continue;
        }
        waiting.push(to);
        let busy = execution.steps.get(to).is_some_and(super::state::StepState::is_active);
        if !busy && (!plan.is_meeting(to) || nobody_else_can_come(plan, execution, to)) {
            return plan.step_ref(to);
        }
    }
    // Joins that wait for one another would wait for ever: the one whose Token is oldest goes first.
    if execution.is_busy() { None } else { waiting.first().and_then(|to| plan.step_ref(to)) }
}

/// Whether no other work or Token may still send a Token to this join.
fn nobody_else_can_come(plan: &Plan, execution: &Execution, join: &str) -> bool {
    let working = execution.active.iter().map(String::as_str);
    let waiting = execution.tokens.iter().map(|token| token.to.as_str());
    !working.chain(waiting).any(|from| from != join && plan.reaches(from, join))
}

fn enter(plan: &Plan, execution: &Execution, step: &playbook::Step, at_ms: i64) -> Decision {
    let mut tokens = execution.tokens.iter().filter(|token| token.to == step.name);
    let (inputs, count) = match step.join {
        Join::EachToken => (tokens.next().map(|token| token.inputs.clone()).unwrap_or_default(), 1),
        Join::Barrier => {
            let (mut inputs, mut count) = (Map::new(), 0);
            for token in tokens {
                inputs.extend(token.inputs.clone());
                count += 1;
            }
            (inputs, count)
        }
    };
    admit(plan, execution, step, inputs, count, at_ms)
}

/// Nothing runs and nothing is due.
fn end(plan: &Plan, execution: &Execution, at_ms: i64) -> Decision {
    if !execution.failed.is_empty() {
        let error = execution
            .failed
            .iter()
            .find_map(|step| execution.steps.get(step)?.result.as_ref()?.error.clone());
        return finish(execution, Status::Failed, error);
    }
    if let Some(last) = plan.final_step.as_ref().and_then(|name| plan.step_ref(name))
        && !execution.steps.contains_key(&last.name)
    {
        return admit(plan, execution, last, Map::new(), 0, at_ms);
    }
    finish(execution, Status::Completed, None)
}

fn finish(execution: &Execution, status: Status, error: Option<crate::error::TaskError>) -> Decision {
    Decision::events(vec![Event::ExecutionFinished(Box::new(Finished {
        status,
        result_step: (status == Status::Completed).then(|| execution.result_step()).flatten(),
        error,
        failed_steps: execution.failed.clone(),
        handled_failures: execution.handled.clone(),
        reason: None,
    }))])
}

fn finish_at(execution: &Execution, target: &str) -> Decision {
    let mut decision = finish(execution, Status::Completed, None);
    if let Some(Event::ExecutionFinished(finished)) = decision.events.first_mut() {
        finished.result_step = Some(target.to_owned());
        finished.reason = Some(format!("stopped after the target step {target}"));
    }
    decision
}

impl Plan {
    fn step_ref(&self, name: &str) -> Option<&playbook::Step> {
        self.shared_step(name).map(std::convert::AsRef::as_ref)
    }
}

impl Execution {
    /// The Step whose result is the Execution's: `end` when it has one, else the last that completed with a result.
    fn result_step(&self) -> Option<String> {
        let end = self.steps.get("end").filter(|state| state.phase == Phase::Completed && state.worked);
        match end {
            Some(_) => Some("end".to_owned()),
            None => self.last_completed.clone(),
        }
    }

    /// `noetl run -t STEP` ends once that Step has ended.
    fn target_reached(&self) -> Option<&str> {
        let target = self.requested.target.as_deref()?;
        let state = self.steps.get(target)?;
        let over = matches!(state.phase, Phase::Completed | Phase::Skipped);
        (over && !self.is_busy()).then_some(target)
    }

    pub(super) fn active_steps(&self) -> Vec<String> {
        self.active.clone()
    }
}
