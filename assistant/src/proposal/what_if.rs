//! What the laws that Proposals are made with expect of a value that somebody asks about.
//!
//! The same data and the same fits as the kinds use; only that nobody chooses the value but the one who asks.

use noetl_api::what_if::{Expected, Foreseen, WhatIf, WhatIfParameter};
use noetl_domain::dialect::patch::Parameter;
use noetl_domain::playbook::Step;

use super::batch_size::estimate_batches;
use super::observed::LoopRun;
use super::subject::{Subject, estimate};
use super::{concurrency, retry, timeout};
use crate::statistics::{Interval, share, usl};

/// Observations below which nothing is expected.
const FEWEST: usize = 20;

/// What the history of a step says about another value; none when the playbook has no such step.
pub fn foresee(subject: &Subject, question: &WhatIf) -> Option<Foreseen> {
    let step = subject.playbook.step(&question.step)?;
    let present = subject.current(&step.name, written(question.parameter)).as_f64();
    let look: fn(&Subject, &Step, Option<f64>, f64) -> Result<Outlook, String> = match question.parameter {
        WhatIfParameter::BatchSize => batches,
        WhatIfParameter::MaxInFlight => side_by_side,
        WhatIfParameter::MaxAttempts => attempts,
        WhatIfParameter::Timeout => deadline,
    };
    let outlook = if question.value.is_finite() && question.value > 0.0 {
        look(subject, step, present, question.value)
    } else {
        Err("the value is no number above 0".to_owned())
    };
    let base = Foreseen {
        playbook: subject.path.clone(),
        version: subject.version,
        step: step.name.clone(),
        parameter: question.parameter,
        value: question.value,
        present,
        ..Foreseen::default()
    };
    Some(match outlook {
        Ok(Outlook { expected, n, law, is_beyond }) => {
            Foreseen { expected, n: n as u64, law, is_beyond, ..base }
        }
        Err(why) => Foreseen { why_not: Some(why), ..base },
    })
}

/// Where a playbook says it.
pub(crate) fn written(parameter: WhatIfParameter) -> Parameter {
    match parameter {
        WhatIfParameter::BatchSize => Parameter::BatchSize,
        WhatIfParameter::MaxInFlight => Parameter::MaxInFlight,
        WhatIfParameter::MaxAttempts => Parameter::MaxAttempts,
        WhatIfParameter::Timeout => Parameter::Timeout,
    }
}

struct Outlook {
    expected: Vec<Expected>,
    n: usize,
    law: String,
    is_beyond: bool,
}

fn compare(what: &str, unit: &str, now: Interval, then: Interval) -> Expected {
    Expected { now: estimate(what, unit, now), then: estimate(what, unit, then) }
}

/// Whether a value lies outside of what was seen.
fn is_outside(value: f64, seen: impl Iterator<Item = f64>) -> bool {
    let (low, high) =
        seen.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), one| (low.min(one), high.max(one)));
    value < low || value > high
}

fn batches(subject: &Subject, step: &Step, present: Option<f64>, value: f64) -> Result<Outlook, String> {
    let now = present.filter(|size| *size > 0.0).unwrap_or(1.0);
    let runs = subject.runs(&step.name);
    let loops: Vec<&LoopRun> = runs.iter().filter_map(|(_, run)| run.looped.as_ref()).collect();
    let sizes = || loops.iter().flat_map(|one| one.calls.iter().map(|(size, _)| *size));
    let n = sizes().count();
    if n < FEWEST {
        return Err(format!("{n} batches of it were seen, and {FEWEST} are the fewest that tell anything"));
    }
    let law = estimate_batches(&loops, subject.version.into())?;
    Ok(Outlook {
        expected: vec![compare(
            "cost of an element",
            "ms per item",
            law.cost_between(now),
            law.cost_between(value),
        )],
        n,
        law: format!(
            "a call takes {:.1} ms and {:.2} ms more for each element",
            law.line.intercept.value, law.line.slope.value
        ),
        is_beyond: is_outside(value, sizes()),
    })
}

fn side_by_side(subject: &Subject, step: &Step, present: Option<f64>, value: f64) -> Result<Outlook, String> {
    let now = present.unwrap_or(8.0);
    let points = concurrency::points(subject, &step.name);
    if points.len() < concurrency::FEWEST {
        return Err(format!(
            "{} loops of it were seen, and {} are the fewest that tell anything",
            points.len(),
            concurrency::FEWEST
        ));
    }
    let law = usl(&points).ok_or("what ran side by side has not varied threefold")?;
    let at = |n: f64| concurrency::over(&points, subject.version.into(), &|law| law.throughput(n));
    let (now, then) = at(now).zip(at(value)).ok_or("its throughput varies too much")?;
    Ok(Outlook {
        expected: vec![compare("throughput", "items per s", now, then)],
        n: points.len(),
        law: format!("throughput is highest at {:.0} side by side", law.best().min(9_999.0)),
        is_beyond: is_outside(value, points.iter().map(|(n, _)| *n)),
    })
}

fn attempts(subject: &Subject, step: &Step, present: Option<f64>, value: f64) -> Result<Outlook, String> {
    let (now, then) = (present.unwrap_or(1.0).max(1.0) as u32, value.max(1.0) as u32);
    let curves: Vec<_> =
        retry::curves(subject, step).into_iter().filter(|(_, curve)| curve.most_retries() > 0).collect();
    if curves.is_empty() {
        return Err(format!(
            "no cause of its failures was seen {FEWEST} times and tried again, which is the least that tells anything"
        ));
    }
    let one = |(cause, curve): &(String, retry::Curve)| {
        let what = format!("share of {cause} that passes in the end");
        compare(&what, "share", curve.recovered_by(now), curve.recovered_by(then))
    };
    Ok(Outlook {
        expected: curves.iter().map(one).collect(),
        n: curves.iter().map(|(_, curve)| curve.episodes()).sum(),
        law: "the chance of each further try, given that those before it failed".to_owned(),
        is_beyond: curves.iter().any(|(_, curve)| then as usize > curve.most_retries() + 1),
    })
}

fn deadline(subject: &Subject, step: &Step, present: Option<f64>, value: f64) -> Result<Outlook, String> {
    let now_ms = present.map_or(f64::INFINITY, |seconds| seconds * 1_000.0);
    let durations = timeout::durations(subject, &step.name, now_ms);
    let n = durations.len();
    if n < FEWEST {
        return Err(format!("{n} runs of it were seen, and {FEWEST} are the fewest that tell anything"));
    }
    let cut = durations.iter().filter(|one| one.is_censored).count() as u64;
    let now = share(cut, n as u64);
    let then_ms = value * 1_000.0;
    let surely = durations.iter().filter(|one| !one.is_censored && one.value > then_ms).count() as u64;
    // A run that was cut short before the value may or may not end before it.
    let unseen = durations.iter().filter(|one| one.is_censored && one.value <= then_ms).count() as u64;
    let beyond = cut - unseen;
    let (least, most) = (share(surely + beyond, n as u64), share(surely + beyond + unseen, n as u64));
    let then = Interval::new(f64::midpoint(least.value, most.value), least.low, most.high);
    Ok(Outlook {
        expected: vec![compare("share of runs that the deadline ends", "share", now, then)],
        n,
        law: "durations as they were, runs that a deadline ended counted for what they say".to_owned(),
        is_beyond: unseen > 0,
    })
}

#[cfg(test)]
mod tests {
    use noetl_domain::dialect;
    use noetl_domain::event::Status;
    use noetl_domain::id::ExecutionId;

    use super::super::observed::{Failure, Observed, Series, StepRun, Try};
    use super::super::subject::Terms;
    use super::*;
    use crate::statistics::Random;

    const TEXT: &str = "apiVersion: noetl.io/v2\nkind: Playbook\nmetadata: { name: x, path: x }\nworkflow:\n  - step: load\n    \
        timeout: 2\n    retry: { max_attempts: 3 }\n    tool: { kind: http, url: \"http://127.0.0.1/x\" }\n  - step: store\n    \
        loop: { in: [1], iterator: i, chunk: 10 }\n    tool: { kind: noop }\n";

    /// Batches of 10, 20 and 40 at 50 ms and 2 ms an element; runs of 0.1 to 2 s; tries that pass by halves.
    fn subject() -> Subject {
        let playbook = dialect::read(TEXT).playbook.unwrap();
        let mut random = Random::new(5);
        let history = (0..200_u64).map(|at| {
            let size = [10.0, 20.0, 40.0][at as usize % 3];
            let calls = (0..4).map(|_| (size, 50.0 + 2.0 * size + random.uniform())).collect();
            let looped =
                LoopRun { calls, iterations: 4, concurrency: 1, wall_ms: 400.0, ..LoopRun::default() };
            let took = 10.0 * (at % 200 + 1) as f64;
            let failed = || Failure { cause: "limit.rate".into(), ..Failure::default() };
            let passed = |at: u64| if at.is_multiple_of(2) { None } else { Some(failed()) };
            let tries = vec![
                Try { wait_ms: 10.0, duration_ms: 5.0, failure: Some(failed()) },
                Try { wait_ms: 10.0, duration_ms: 5.0, failure: passed(at) },
            ];
            let run =
                |step: &str| StepRun { step: step.into(), run: 1, exited_ms: Some(1), ..StepRun::default() };
            Observed {
                execution: ExecutionId(at + 1),
                version: 1,
                status: Status::Completed,
                started_ms: at as i64 * 600_000,
                ended_ms: at as i64 * 600_000 + 10,
                cause: None,
                steps: vec![
                    StepRun {
                        work_ms: took,
                        series: vec![Series { task: "load".into(), tries }],
                        ..run("load")
                    },
                    StepRun { looped: Some(looped), ..run("store") },
                ],
            }
        });
        let history = history.collect();
        let versions = vec![(1, playbook.clone())];
        Subject {
            path: "x".into(),
            version: 1,
            text: TEXT.into(),
            playbook,
            history,
            versions,
            missing_credentials: Vec::new(),
            defects: Vec::new(),
            terms: Terms::default(),
        }
    }

    fn asked(step: &str, parameter: WhatIfParameter, value: f64) -> Foreseen {
        let question = WhatIf { playbook: "x".into(), step: step.into(), parameter, value };
        foresee(&subject(), &question).unwrap()
    }

    #[test]
    fn another_batch_size_follows_the_line_of_the_batches() {
        let found = asked("store", WhatIfParameter::BatchSize, 40.0);
        let [Expected { now, then }] = found.expected.as_slice() else { panic!("{found:?}") };
        // 50 / 10 + 2 now, 50 / 40 + 2 then.
        assert!((now.value - 7.0).abs() < 0.2 && (then.value - 3.25).abs() < 0.2, "{found:?}");
        assert!(then.low <= then.value && then.value <= then.high, "{then:?}");
        assert!(!found.is_beyond && asked("store", WhatIfParameter::BatchSize, 500.0).is_beyond);
        assert_eq!(found.present, Some(10.0));
    }

    #[test]
    fn another_number_of_attempts_follows_the_chance_of_each() {
        let found = asked("load", WhatIfParameter::MaxAttempts, 2.0);
        let [Expected { now, then }] = found.expected.as_slice() else { panic!("{found:?}") };
        assert!((then.value - 0.5).abs() < 0.05 && now.value > then.value, "{found:?}");
        assert!(asked("load", WhatIfParameter::MaxAttempts, 9.0).is_beyond);
    }

    #[test]
    fn another_deadline_cuts_what_lasts_longer() {
        let found = asked("load", WhatIfParameter::Timeout, 1.0);
        let [Expected { now, then }] = found.expected.as_slice() else { panic!("{found:?}") };
        assert!((then.value - 0.5).abs() < 0.01 && now.value == 0.0, "{found:?}");
        assert!(then.low < 0.5 && 0.5 < then.high, "{then:?}");
    }

    #[test]
    fn what_the_history_does_not_carry_is_not_expected() {
        let why = |step: &str, parameter, value| asked(step, parameter, value).why_not.unwrap();
        assert!(why("load", WhatIfParameter::BatchSize, 5.0).contains("0 batches"));
        assert!(why("store", WhatIfParameter::MaxInFlight, 5.0).contains("threefold"));
        assert!(why("store", WhatIfParameter::BatchSize, -1.0).contains("above 0"));
        let unknown = WhatIf { step: "nowhere".into(), ..WhatIf::default() };
        assert_eq!(foresee(&subject(), &unknown), None);
    }
}
