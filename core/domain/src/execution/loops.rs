//! Loops: what they go over, how many Iterations are under way, and when they are over.

use std::sync::Arc;

use serde_json::json;

use super::INLINE_LIMIT;
use super::advance::Object;
use super::collection;
use super::decide::{Decision, Needs};
use super::enter::issue;
use super::exit::{self, Leaving};
use super::plan::Plan;
use super::state::{Execution, LoopState, Phase, StepState};
use super::undefined;
use crate::Value;
use crate::error::TaskError;
use crate::event::{Event, IssuedWork, LoopItems, LoopStats};
use crate::playbook::{ItemFailure, Step};

/// Commands of one loop under way at most; each runs its share of the window.
const LANES: u32 = 4;

/// Renders the collection once, at entry.
pub(super) fn start(plan: &Plan, execution: &Execution, step: &Arc<Step>, at_ms: i64) -> Decision {
    let (Some(looped), Some(state)) = (&step.looped, execution.steps.get(&step.name)) else {
        return Decision::default();
    };
    let reads = &plan.reads[plan.at(&step.name).unwrap_or_default()];
    let mut inputs = step.inputs.clone();
    inputs.extend(state.inputs.clone());
    let scope = execution.scope(&reads.enter, &inputs, at_ms);
    let started = collection::concurrency(looped, &scope)
        .and_then(|concurrency| Ok((collection::items(looped, concurrency, &scope)?, concurrency)));
    let load = scope.missing();
    if !load.is_empty() {
        return Decision::load(load);
    }
    match started {
        Ok((items, concurrency)) => {
            let mut events = undefined::warnings(plan, execution, &step.name, scope.undefined());
            events.push(Event::LoopStarted { step: step.name.clone(), run: state.run, items, concurrency });
            Decision::events(events)
        }
        Err(error) => exit::leave(plan, execution, step, Leaving::failed(error), at_ms),
    }
}

/// Hands out as many Iterations as the window allows, or ends the loop.
pub(super) fn next(execution: &Execution, name: &str) -> Decision {
    let Some(state) = execution.steps.get(name) else { return Decision::default() };
    let (Some(looped), Phase::Running) = (&state.looped, state.phase) else { return Decision::default() };
    let events = match looped.items {
        LoopItems::Cursor { lanes, .. } => next_frames(name, state, looped, lanes),
        LoopItems::List(_) | LoopItems::Range(_) => next_batches(name, state, looped),
    };
    if events.is_empty() && state.flights.is_empty() && state.parked.is_empty() {
        return end(execution, name);
    }
    Decision::events(events)
}

fn next_batches(name: &str, state: &StepState, looped: &LoopState) -> Vec<Event> {
    let mut events = Vec::new();
    if looped.stopped {
        return events;
    }
    let total = looped.total();
    let lanes = looped.concurrency.min(LANES);
    let share = looped.concurrency.div_ceil(lanes);
    let mut free = looped.concurrency.saturating_sub(state.slots_used());
    let mut flying = state.flights.len() as u32;
    let (mut next, mut batch) = (looped.next, state.next_batch);
    while free > 0 && flying < lanes && next < total {
        let slots = free.min(share);
        let wanted = if looped.parks { u64::from(slots) } else { looped.batch.max(u64::from(slots)) };
        // The last Iterations are shared out, so that no lane ends long after the others.
        let fair = (total - next).div_ceil(u64::from(lanes)).max(u64::from(slots));
        let count = wanted.min(fair).min(total - next);
        events.push(issue(name, state.run, batch, IssuedWork::Items { first: next, count }, slots));
        next += count;
        batch += 1;
        flying += 1;
        free -= slots;
    }
    events
}

fn next_frames(name: &str, state: &StepState, looped: &LoopState, lanes: u32) -> Vec<Event> {
    if looped.stopped {
        return Vec::new();
    }
    let busy: Vec<u32> = state
        .flights
        .values()
        .filter_map(|flight| match flight.work {
            IssuedWork::Frame { lane } => Some(lane),
            _ => None,
        })
        .collect();
    let free = looped.open_lanes.saturating_sub(busy.len() as u32) as usize;
    let lanes = (0..lanes).filter(|lane| !busy.contains(lane)).take(free);
    lanes
        .zip(state.next_batch..)
        .map(|(lane, batch)| issue(name, state.run, batch, IssuedWork::Frame { lane }, 1))
        .collect()
}

fn end(execution: &Execution, name: &str) -> Decision {
    let Some(state) = execution.steps.get(name) else { return Decision::default() };
    let Some(looped) = &state.looped else { return Decision::default() };
    let stats = LoopStats { total: looped.total(), ..looped.stats };
    let size: usize = looped.results.values().map(|segment| segment.json.get().len()).sum();
    let mut stored = None;
    if size > INLINE_LIMIT {
        let known = execution.stored.iter().find(|(step, run, _)| step == name && *run == state.run);
        let Some((_, _, reference)) = known else {
            let json = format!("{{\"results\":{},\"stats\":{}}}", looped.results_json(), json!(stats));
            let preview = json!({ "results": first_results(looped), "stats": stats });
            let object = Object { step: name.to_owned(), run: state.run, json, preview };
            let needs = Needs { load: Vec::new(), store: vec![object] };
            return Decision { needs, ..Decision::default() };
        };
        stored = Some(reference.clone());
    }
    Decision::events(vec![Event::LoopFinished { step: name.to_owned(), run: state.run, stats, stored }])
}

fn first_results(looped: &LoopState) -> Vec<Value> {
    let segment = looped.results.values().next();
    let mut results: Vec<Value> =
        segment.and_then(|segment| serde_json::from_str(segment.json.get()).ok()).unwrap_or_default();
    results.truncate(3);
    results
}

/// After the loop: its saves, then the way onward.
pub(super) fn finished(plan: &Plan, execution: &Execution, name: &str, at_ms: i64) -> Decision {
    let (Some(state), Some(step)) = (execution.steps.get(name), plan.shared_step(name)) else {
        return Decision::default();
    };
    let Some(looped) = &state.looped else { return Decision::default() };
    let best_effort =
        step.looped.as_ref().is_some_and(|looped| looped.on_item_failure == ItemFailure::BestEffort);
    if let (Some(error), false) = (&looped.error, best_effort) {
        let error = TaskError {
            message: format!(
                "{} of {} iterations failed, the first one with: {}",
                looped.stats.failed, looped.stats.total, error.message
            ),
            ..error.clone()
        };
        return exit::leave(plan, execution, step, Leaving::failed(error), at_ms);
    }
    if step.saves.is_empty() {
        exit::leave(plan, execution, step, Leaving::answered(), at_ms)
    } else {
        Decision::events(vec![issue(name, state.run, state.next_batch, IssuedWork::Saves, 1)])
    }
}
