//! Random orders, failures, repeats and restarts against invariants written once.

use noetl_domain::Value;
use noetl_domain::event::{Event, Status, TimerKey};
use noetl_domain::execution::{Execution, Phase, Plan};
use noetl_domain::playbook::{
    Arc, Assignment, Expr, ItemFailure, Loop, LoopMode, LoopSource, Playbook, RouteMode, Routes, SetScope,
    Start, Step, Task,
};

use crate::driver::{Driver, answer, error, ok, parked};

/// A small generator that a seed repeats exactly.
struct Random(u64);

impl Random {
    fn next(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below.max(1)
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.next(100) < percent
    }
}

/// A playbook of up to twelve steps: forward arcs, conditions, loops, and at most a few bounded cycles.
fn random_playbook(random: &mut Random) -> Playbook {
    let count = 1 + random.next(12) as usize;
    let name = |at: usize| format!("s{at}");
    let mut steps = Vec::new();
    for at in 0..count {
        let mut arcs = Vec::new();
        for _ in 0..random.next(4) {
            if at + 1 < count {
                let to = at + 1 + random.next((count - at - 1) as u64) as usize;
                let when = random.chance(30).then(|| Expr(format!("{{{{ {} }}}}", random.chance(60))));
                arcs.push(Arc { to: name(to), when, ..Arc::default() });
            }
        }
        let mut sets = Vec::new();
        if at > 0 && random.chance(15) {
            let counter = format!("n{at}");
            sets.push(Assignment {
                scope: SetScope::Ctx,
                key: counter.clone(),
                value: Value::from(format!("{{{{ (ctx.{counter} | default(0)) + 1 }}}}")),
            });
            let back = random.next(at as u64 + 1) as usize;
            let when = Some(Expr(format!("{{{{ (ctx.{counter} | default(9)) < 3 }}}}")));
            arcs.push(Arc { to: name(back), when, ..Arc::default() });
        }
        if random.chance(15) {
            let when = Some(Expr("{{ event.name == 'step.failed' }}".into()));
            arcs.push(Arc { to: name(at + 1).clone(), when, ..Arc::default() });
            arcs.retain(|arc| arc.to != name(count));
        }
        let looped = random.chance(25).then(|| Loop {
            source: LoopSource::In(Value::from(random.next(40))),
            iterator: "x".into(),
            mode: if random.chance(50) { LoopMode::Parallel } else { LoopMode::Sequential },
            max_in_flight: random.chance(50).then(|| Value::from(1 + random.next(9))),
            filter: None,
            order_by: None,
            limit: None,
            chunk: None,
            enumerate: false,
            until: None,
            on_item_failure: if random.chance(50) { ItemFailure::BestEffort } else { ItemFailure::FailFast },
        });
        let kind = if random.chance(20) { "noop" } else { "python" };
        let body = if looped.is_some() || random.chance(80) {
            vec![Task { name: name(at), kind: kind.into(), ..Task::default() }]
        } else {
            Vec::new()
        };
        steps.push(Step {
            name: name(at),
            guard: random.chance(10).then(|| Expr(random.chance(50).to_string())),
            looped,
            body,
            sets,
            routes: Routes {
                mode: if random.chance(40) { RouteMode::First } else { RouteMode::All },
                arcs,
                ..Routes::default()
            },
            ..Step::default()
        });
    }
    Playbook {
        name: "random".into(),
        path: "random".into(),
        entry: vec![Start { step: name(0), ..Start::default() }],
        steps,
        ..Playbook::default()
    }
}

fn run(seed: u64) -> Driver {
    let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let playbook = random_playbook(&mut random);
    let mut driver = Driver::start_plan(Plan::new(playbook, 1, "1".into()), &Value::Null);
    let fails = random.next(8);
    let mut old = Vec::new();
    let mut turns = 0;
    while driver.status() == Status::Running {
        turns += 1;
        assert!(turns < 20_000, "seed {seed} does not end");
        if random.chance(3) {
            // Killed and restarted: state comes from the log, unanswered commands are sent again.
            let refolded = driver.refold();
            same(seed, &driver.execution, &refolded);
            driver.execution = refolded;
            driver.commands.clear();
            let resend = driver.execution.resend();
            driver.happen(resend);
            continue;
        }
        if driver.commands.is_empty() {
            let timer = driver.timers.iter().position(|timer| matches!(timer.key, TimerKey::Wake { .. }));
            let timer = timer.map(|at| driver.timers.remove(at));
            let Some(timer) = timer else { panic!("seed {seed}: running, and nothing can happen") };
            driver.happen(vec![Event::TimerFired { timer: timer.key }]);
            continue;
        }
        let at = random.next(driver.commands.len() as u64) as usize;
        let command = driver.commands.remove(at).expect("in range");
        let report = answer(&command, driver.now_ms, |index, _| match random.next(100) {
            n if n < fails => error("random"),
            n if n < 12 => parked(1.0),
            _ => ok(Value::from(index)),
        });
        if random.chance(10) {
            old.push(report.clone());
        }
        driver.report(report);
        if random.chance(20)
            && let Some(late) = old.pop()
        {
            let before = driver.log.len();
            driver.report(late);
            assert_eq!(before, driver.log.len(), "seed {seed}: a stale report changed something");
        }
    }
    driver
}

fn same(seed: u64, live: &Execution, folded: &Execution) {
    assert_eq!(format!("{live:?}"), format!("{folded:?}"), "seed {seed}: the log says something else");
}

fn check(seed: u64) {
    let driver = run(seed);
    same(seed, &driver.execution, &driver.refold());
    let ends = driver.log.iter().filter(|(_, event)| matches!(event, Event::ExecutionFinished(_))).count();
    assert_eq!(ends, 1, "seed {seed}: not one end");
    assert!(
        matches!(driver.log.last(), Some((_, Event::ExecutionFinished(_)))),
        "seed {seed}: life after the end"
    );
    let execution = &driver.execution;
    assert!(execution.flights().next().is_none(), "seed {seed}: commands outlive the execution");
    let unanswered = execution.steps.iter().any(|(_, state)| state.phase == Phase::Failed);
    match execution.status {
        Status::Completed => {
            assert!(execution.failed.is_empty(), "seed {seed}: completed with an unanswered failure");
        }
        Status::Failed => assert!(unanswered, "seed {seed}: failed without a failed step"),
        Status::Running | Status::Cancelled => panic!("seed {seed}: ended as {:?}", execution.status),
    }
    for (name, state) in &execution.steps {
        let step = driver.plan.step(name).expect("known");
        if state.phase == Phase::Completed
            && let (Some(looped), Some(_)) = (&state.looped, &step.looped)
        {
            assert_eq!(
                looped.stats.success + looped.stats.failed,
                looped.stats.total,
                "seed {seed}: {name} lost items"
            );
        }
    }
}

/// `NOETL_SEED` runs one seed; `NOETL_SEEDS` sets how many.
#[test]
fn random_playbooks_end_once_and_replay_exactly() {
    if let Ok(seed) = std::env::var("NOETL_SEED") {
        return check(seed.parse().expect("a number"));
    }
    let count = std::env::var("NOETL_SEEDS").ok().and_then(|count| count.parse().ok()).unwrap_or(10_000);
    for seed in 1..=count {
        check(seed);
    }
}

#[test]
fn a_long_chain_ends_and_keeps_its_pace() {
    let count = 10_000;
    let steps = (0..count)
        .map(|at| Step {
            name: format!("s{at}"),
            body: vec![Task { name: "t".into(), kind: "noop".into(), ..Task::default() }],
            routes: Routes {
                arcs: (at + 1 < count)
                    .then(|| Arc { to: format!("s{}", at + 1), ..Arc::default() })
                    .into_iter()
                    .collect(),
                ..Routes::default()
            },
            ..Step::default()
        })
        .collect();
    let playbook = Playbook {
        name: "chain".into(),
        path: "chain".into(),
        entry: vec![Start { step: "s0".into(), ..Start::default() }],
        steps,
        ..Playbook::default()
    };
    let driver = Driver::start_plan(Plan::new(playbook, 1, "1".into()), &Value::Null);
    assert_eq!(driver.status(), Status::Completed);
    assert_eq!(driver.execution.runs, count);
}
