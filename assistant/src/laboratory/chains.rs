//! Worlds of steps in sequence, of results that lack a field now and then, and of a credential that is not there.

use noetl_api::proposal::ProposalKind;
use noetl_domain::event::Status;
use noetl_domain::id::ExecutionId;
use noetl_domain::lint::ToolSchemas;

use super::{Count, Figures, Regret, subject_of};
use crate::proposal::{Defect, Observed, StepRun, Subject, look};
use crate::statistics::Random;

/// Means of two steps in sequence that read nothing of each other, in milliseconds.
#[derive(Clone, Copy, Debug)]
struct World {
    name: &'static str,
    first_ms: f64,
    second_ms: f64,
    /// Less than a tenth of the whole could be saved.
    is_worth_it: bool,
}

const WORLDS: [World; 2] = [
    World { name: "structure: two steps alike", first_ms: 400.0, second_ms: 300.0, is_worth_it: true },
    World { name: "structure: one step is short", first_ms: 400.0, second_ms: 15.0, is_worth_it: false },
];

const EXECUTIONS: usize = 60;
/// What the rest of an execution takes.
const REST_MS: f64 = 50.0;
const TEXT: &str = "apiVersion: noetl.io/v2
kind: Playbook
metadata: { name: laboratory, path: laboratory }
workflow:
  - step: begin
    tool: { kind: noop }
    next: { arcs: [ { step: first } ] }
  - step: first
    idempotent: true
    tool: { kind: http, url: \"http://a.example/x\", auth: shop }
    next: { arcs: [ { step: second } ] }
  - step: second
    idempotent: true
    tool: { kind: http, url: \"http://b.example/x\" }
    next: { arcs: [ { step: end } ] }
  - step: end
    tool: { kind: noop }
";

fn subject(history: Vec<Observed>) -> Subject {
    subject_of(TEXT.to_owned(), history)
}

/// Gamma-like: the mean of four exponentials, so that steps vary by half of their length.
fn length(mean_ms: f64, random: &mut Random) -> f64 {
    (0..4).map(|_| random.exponential(mean_ms)).sum::<f64>() / 4.0
}

fn execution(index: usize, first: f64, second: f64, cause: Option<&str>) -> Observed {
    let started_ms = index as i64 * 60_000;
    let mut at = started_ms;
    let mut run = |step: &str, took: f64, is_failed: bool| {
        let entered_ms = at;
        at += took as i64;
        StepRun {
            step: step.to_owned(),
            run: 1,
            entered_ms,
            exited_ms: Some(at),
            work_ms: took,
            is_failed,
            cause: cause.filter(|_| is_failed).map(str::to_owned),
            ..StepRun::default()
        }
    };
    let is_failed = cause.is_some();
    let mut steps = vec![run("begin", REST_MS, false), run("first", first, is_failed)];
    if !is_failed {
        steps.push(run("second", second, false));
        steps.push(run("end", REST_MS, false));
    }
    Observed {
        execution: ExecutionId(1_000 + index as u64),
        version: 1,
        status: if is_failed { Status::Failed } else { Status::Completed },
        started_ms,
        ended_ms: at,
        cause: cause.map(str::to_owned),
        steps,
    }
}

/// The mean of the shorter of two lengths, by brute force.
fn saved(world: &World) -> f64 {
    let mut random = Random::new(77);
    let n = 200_000;
    let shorter = |random: &mut Random| length(world.first_ms, random).min(length(world.second_ms, random));
    (0..n).map(|_| shorter(&mut random)).sum::<f64>() / f64::from(n)
}

pub(super) fn measure(figures: &mut Figures, seed: u64, runs: usize) {
    structure(figures, seed, runs);
    guards(figures, seed, runs);
    credentials(figures, seed, runs);
}

fn structure(figures: &mut Figures, seed: u64, runs: usize) {
    let mut stated = Count { what: "time saved side by side", ..Count::default() };
    for (at, world) in WORLDS.iter().enumerate() {
        let truth = saved(world);
        let whole = world.first_ms + world.second_ms + 2.0 * REST_MS;
        let mut regret = Regret { world: world.name, runs, ..Regret::default() };
        let mut wrong = Count { what: world.name, of: runs, ..Count::default() };
        for run in 0..runs {
            let mut random = Random::new(seed ^ ((at as u64 + 1_201) << 32) ^ run as u64);
            let history = (0..EXECUTIONS).map(|index| {
                let (first, second) =
                    (length(world.first_ms, &mut random), length(world.second_ms, &mut random));
                execution(index, first, second, None)
            });
            let found = look(&subject(history.collect()), &ToolSchemas::new());
            let proposal = found.proposals.into_iter().find(|one| one.kind == ProposalKind::Parallelise);
            if !world.is_worth_it {
                wrong.hits += usize::from(proposal.is_some());
                continue;
            }
            let beyond = truth / (whole - truth);
            regret.before += beyond / runs as f64;
            let Some(proposal) = proposal else {
                regret.after += beyond / runs as f64;
                continue;
            };
            regret.proposed += 1;
            stated.of += 1;
            let estimate = &proposal.grounds.estimate;
            stated.hits += usize::from(estimate.low <= truth && truth <= estimate.high);
        }
        if world.is_worth_it {
            figures.regret.push(regret);
        } else {
            figures.false_proposals.push(wrong);
        }
    }
    figures.coverage.push(stated);
}

/// Failures that diagnoses lead back to a field: of one field again and again, or of any field once.
fn guards(figures: &mut Figures, seed: u64, runs: usize) {
    let mut told = Regret { world: "guard: one field goes missing", runs, before: 1.0, ..Regret::default() };
    let mut wrong = Count { what: "guard: any field, once", of: runs, ..Count::default() };
    for run in 0..runs {
        let mut random = Random::new(seed ^ (1_301 << 32) ^ run as u64);
        let history: Vec<Observed> =
            (0..EXECUTIONS).map(|index| execution(index, 400.0, 300.0, None)).collect();
        let defect = |execution: usize, field: String| Defect {
            execution: 1_000 + execution as u64,
            step: "first".to_owned(),
            cause: "data.empty".to_owned(),
            field: Some(field),
            event: format!("e{execution}"),
        };
        let proposes = |defects: Vec<Defect>| {
            let mut subject = subject(history.clone());
            subject.defects = defects;
            let found = look(&subject, &ToolSchemas::new());
            found.proposals.iter().any(|one| one.kind == ProposalKind::SchemaGuard)
        };
        // One of ten executions lacks it.
        let often = (0..EXECUTIONS).filter(|_| random.chance(0.1)).map(|at| defect(at, "rows".to_owned()));
        let is_told = proposes(often.collect());
        told.proposed += usize::from(is_told);
        told.after += f64::from(u8::from(!is_told)) / runs as f64;
        let scattered = (0..EXECUTIONS)
            .filter(|_| random.chance(0.1))
            .map(|at| defect(at, format!("f{}", random_field(at))));
        wrong.hits += usize::from(proposes(scattered.collect()));
    }
    figures.regret.push(told);
    figures.false_proposals.push(wrong);
}

/// Fields that are spread so that hardly one comes three times.
fn random_field(at: usize) -> usize {
    (at * 7_919) % 41
}

fn credentials(figures: &mut Figures, seed: u64, runs: usize) {
    let mut told = Regret { world: "credential: it is not there", runs, before: 1.0, ..Regret::default() };
    let mut wrong = Count { what: "credential: it is there", of: runs, ..Count::default() };
    for run in 0..runs {
        let mut random = Random::new(seed ^ (1_401 << 32) ^ run as u64);
        let lacks = (0..EXECUTIONS).map(|index| {
            let cause = random.chance(0.5).then_some("auth.credential_missing");
            execution(index, 20.0, 300.0, cause)
        });
        let mut subject_of = subject(lacks.collect());
        subject_of.missing_credentials = vec!["shop".to_owned()];
        let proposes = |subject: &Subject| {
            let found = look(subject, &ToolSchemas::new());
            found.proposals.iter().any(|one| one.kind == ProposalKind::Credential)
        };
        let is_told = proposes(&subject_of);
        told.proposed += usize::from(is_told);
        told.after += f64::from(u8::from(!is_told)) / runs as f64;
        // Others fail of other things.
        let others = (0..EXECUTIONS).map(|index| {
            let cause = random.chance(0.2).then_some("auth.forbidden");
            execution(index, 20.0, 300.0, cause)
        });
        wrong.hits += usize::from(proposes(&subject(others.collect())));
    }
    figures.regret.push(told);
    figures.false_proposals.push(wrong);
}
