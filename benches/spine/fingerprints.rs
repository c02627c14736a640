//! The template miner: lines a second on one core, and how well it groups, set by set.

#[path = "../../core/domain/tests/suite/corpus.rs"]
mod corpus;
#[path = "../../core/domain/tests/suite/grouping.rs"]
mod grouping;

use std::time::{Duration, Instant};

use noetl_domain::fingerprint::{Config, Id, Miner};

use crate::figures::{Figures, Row};
use corpus::Labelled;

pub(crate) fn measure(figures: &mut Figures, time: Duration) {
    let sets: Vec<(&str, Vec<Labelled>)> =
        corpus::SETS.iter().map(|(name, set)| (*name, corpus::lines(set, 1))).collect();
    let (mut lines, mut groups) = (0.0, 0.0);
    for (name, set) in &sets {
        let found = Miner::new(Config::default()).observe_all(set.iter().map(|(line, _)| line.as_str()));
        let ids: Vec<Id> = found.iter().map(|found| found.id).collect();
        let labels: Vec<usize> = set.iter().map(|(_, label)| *label).collect();
        let found = grouping::grouping(&ids, &labels);
        eprintln!("  {name:16} GA {:.3}  FGA {:.3}", found.lines, found.groups);
        lines += found.lines / sets.len() as f64;
        groups += found.groups / sets.len() as f64;
    }
    figures.add(Row::plain(
        "fingerprint: grouping accuracy, mean of the synthetic sets",
        lines,
        "GA",
        "> 0.95",
    ));
    figures.add(Row::plain("fingerprint: F1 of groups, mean of the synthetic sets", groups, "FGA", "> 0.90"));
    let all: Vec<&str> = sets.iter().flat_map(|(_, set)| set).map(|(line, _)| line.as_str()).collect();
    let mut miner = Miner::new(Config::default());
    let (observed, took) = repeat(&all, time, |line| miner.observe(line).id.0);
    let (read, bare) =
        repeat(&all, time, |line| line.bytes().fold(0, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(31)));
    figures.add(
        Row::rate("fingerprint: lines of every set, one core", observed, took, "lines/s", "> 500,000")
            .raw_rate("bare hashes of the same lines/s", read as f64 / bare.as_secs_f64()),
    );
}

/// Goes through the lines until the time is up.
fn repeat(lines: &[&str], time: Duration, mut take: impl FnMut(&str) -> u64) -> (u64, Duration) {
    let start = Instant::now();
    let mut count = 0;
    while start.elapsed() < time {
        for line in lines {
            std::hint::black_box(take(line));
        }
        count += lines.len() as u64;
    }
    (count, start.elapsed())
}
