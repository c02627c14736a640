//! The tuner laboratory: a simulator that knows the truth, and how far proposals come to it.
//!
//! Regret is what the numbers in force after one look cost beyond those an oracle would choose inside the same bounds.
//! Nothing here is measured on real executions; it says whether the estimators do what they state.

mod batches;
mod canary;
mod chains;
mod durations;
mod pools;
mod retries;
mod side_by_side;

use noetl_domain::dialect;
use noetl_domain::event::Status;
use noetl_domain::id::ExecutionId;
use serde::Serialize;

use crate::proposal::{Observed, StepRun, Subject, Terms};

/// What the laboratory measured.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Figures {
    pub regret: Vec<Regret>,
    /// On traffic whose numbers are the best ones already.
    pub false_proposals: Vec<Count>,
    /// How often intervals that are stated with 95 % held the truth.
    pub coverage: Vec<Count>,
    /// Drifting durations that were left alone.
    pub drift: Count,
    pub rollback: Rollback,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Regret {
    pub world: &'static str,
    pub runs: usize,
    /// Looks that proposed something.
    pub proposed: usize,
    /// Cost beyond the oracle's, as a share of it: without the tuner and with it.
    pub before: f64,
    pub after: f64,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Count {
    pub what: &'static str,
    pub hits: usize,
    pub of: usize,
}

impl Count {
    pub fn share(&self) -> f64 {
        if self.of == 0 { 0.0 } else { self.hits as f64 / self.of as f64 }
    }
}

/// A planted change that makes things worse, under the sequential test of the canary.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Rollback {
    pub runs: usize,
    /// Rolled back within a hundred executions.
    pub in_time: usize,
    /// Executions until then: median and 95 % quantile.
    pub median: f64,
    pub p95: f64,
    /// A change that alters nothing, rolled back within a thousand executions.
    pub wrongly: usize,
    pub wrongly_of: usize,
}

/// Runs everything; `runs` simulated histories for each world.
pub fn run(seed: u64, runs: usize) -> Figures {
    let mut figures = Figures::default();
    retries::measure(&mut figures, seed, runs);
    durations::measure(&mut figures, seed, runs);
    batches::measure(&mut figures, seed, runs);
    side_by_side::measure(&mut figures, seed, runs);
    pools::measure(&mut figures, seed, runs);
    chains::measure(&mut figures, seed, runs);
    figures.rollback = canary::measure(seed, runs);
    figures
}

impl Figures {
    /// All looks at traffic that needs no change, together.
    pub fn false_share(&self) -> f64 {
        let hits: usize = self.false_proposals.iter().map(|count| count.hits).sum();
        let of: usize = self.false_proposals.iter().map(|count| count.of).sum();
        hits as f64 / of.max(1) as f64
    }

    /// For people.
    pub fn text(&self) -> String {
        let mut lines =
            vec!["WORLD                                     RUNS  PROPOSED  REGRET BEFORE  AFTER".to_owned()];
        for one in &self.regret {
            lines.push(format!(
                "{:<40} {:>5} {:>9} {:>13.1}% {:>6.1}%",
                one.world,
                one.runs,
                one.proposed,
                one.before * 100.0,
                one.after * 100.0
            ));
        }
        for (head, counts) in [("FALSE PROPOSALS", &self.false_proposals), ("COVERAGE", &self.coverage)] {
            lines.push(head.to_owned());
            for one in counts {
                lines.push(format!(
                    "{:<56} {:>6} of {:<6} {:>5.1}%",
                    one.what,
                    one.hits,
                    one.of,
                    one.share() * 100.0
                ));
            }
        }
        lines.push(format!("false proposals in all: {:.1}%", self.false_share() * 100.0));
        lines.push(format!("drifting durations left alone: {} of {}", self.drift.hits, self.drift.of));
        let back = &self.rollback;
        lines.push(format!(
            "planted harm rolled back within 100 executions: {} of {} (median {:.0}, p95 {:.0}); harmless changes \
             rolled back within 1,000: {} of {}",
            back.in_time, back.runs, back.median, back.p95, back.wrongly, back.wrongly_of
        ));
        lines.join("\n")
    }
}

/// A playbook of one step with these keys, and a history.
fn subject(keys: &str, history: Vec<Observed>) -> Subject {
    let text = format!(
        "apiVersion: noetl.io/v2\nkind: Playbook\nmetadata: {{ name: laboratory, path: laboratory }}\nworkflow:\n  \
         - step: call\n    idempotent: true\n{keys}    tool: {{ kind: python, code: \"result = 1\" }}\n"
    );
    subject_of(text, history)
}

/// Any playbook, and a history.
fn subject_of(text: String, history: Vec<Observed>) -> Subject {
    let playbook = dialect::read(&text).playbook.expect("the laboratory's playbook is good");
    Subject {
        path: "laboratory".to_owned(),
        version: 1,
        text,
        versions: vec![(1, playbook.clone())],
        playbook,
        history,
        missing_credentials: Vec::new(),
        defects: Vec::new(),
        terms: Terms::default(),
    }
}

/// One execution of one step.
fn observed(index: usize, started_ms: i64, run: StepRun, status: Status) -> Observed {
    let ended_ms = started_ms + run.work_ms.max(1.0) as i64;
    Observed {
        execution: ExecutionId(1_000 + index as u64),
        version: 1,
        status,
        started_ms,
        ended_ms,
        cause: run.cause.clone(),
        steps: vec![StepRun {
            step: "call".to_owned(),
            run: 1,
            entered_ms: started_ms,
            exited_ms: Some(ended_ms),
            ..run
        }],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Prints every figure: `cargo nextest run --workspace -E 'test(laboratory_in_full)' --run-ignored all --no-capture`.
    #[test]
    #[ignore = "minutes; the figures of docs/assistant.md"]
    fn laboratory_in_full() {
        let figures = run(1, 400);
        eprintln!("{}", figures.text());
    }

    #[test]
    fn the_tuner_keeps_what_it_states() {
        let figures = run(1, 40);
        let text = figures.text();
        eprintln!("{text}");
        assert!(figures.false_share() < 0.05, "{text}");
        for one in &figures.regret {
            assert!(one.after <= one.before + 0.01, "{}\n{text}", one.world);
        }
        let of: usize = figures.coverage.iter().map(|count| count.of).sum();
        let hits: usize = figures.coverage.iter().map(|count| count.hits).sum();
        let coverage = hits as f64 / of as f64;
        assert!((0.91..=0.985).contains(&coverage), "{coverage}\n{text}");
        assert!(figures.drift.share() > 0.8, "{text}");
        assert!(figures.rollback.in_time * 100 >= figures.rollback.runs * 90, "{text}");
    }
}
