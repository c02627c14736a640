//! Steps that print without end: beyond so many lines of a run only what is new is indexed, and a sample of the rest.
//!
//! The log keeps every line; this is about rows that would all say the same.

use noetl_domain::id::ExecutionId;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::rows::Name;

/// Of the lines beyond the limit, one of so many is indexed.
const SAMPLE: u64 = 100;
/// Runs that are counted at once, and shapes that are known of each.
const MOST_RUNS: usize = 2_000;
const MOST_SHAPES: usize = 1_000;

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    Wanted,
    /// The first that is left out: the place to say so.
    FirstLeft,
    Left,
}

#[derive(Default)]
pub(super) struct Printed {
    runs: FxHashMap<(ExecutionId, Name, u32), Count>,
}

#[derive(Default)]
struct Count {
    lines: u64,
    shapes: FxHashSet<u64>,
    is_told: bool,
}

impl Printed {
    /// Counts one more line; `most` are indexed whatever they say, 0 stands for all.
    pub(super) fn line(&mut self, run: (ExecutionId, Name, u32), shape: u64, most: u64) -> Line {
        if most == 0 {
            return Line::Wanted;
        }
        if self.runs.len() >= MOST_RUNS && !self.runs.contains_key(&run) {
            self.runs.clear();
        }
        let count = self.runs.entry(run).or_default();
        count.lines += 1;
        let is_new = count.shapes.len() < MOST_SHAPES && count.shapes.insert(shape);
        if is_new || count.lines <= most || count.lines.is_multiple_of(SAMPLE) {
            return Line::Wanted;
        }
        if std::mem::replace(&mut count.is_told, true) { Line::Left } else { Line::FirstLeft }
    }

    pub(super) fn forget(&mut self) {
        self.runs.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_the_limit_new_shapes_and_a_sample_are_wanted() {
        let mut printed = Printed::default();
        let mut line = |run: u32, shape| printed.line((ExecutionId(1), Name::from("load"), run), shape, 10);
        let told: Vec<Line> = (0..1000).map(|_| line(1, 7)).collect();
        assert!(told[..10].iter().all(|line| *line == Line::Wanted));
        assert_eq!((&told[10], &told[11]), (&Line::FirstLeft, &Line::Left));
        assert_eq!(told.iter().filter(|line| **line == Line::Wanted).count(), 10 + 10);
        // A shape that was not seen, once; and another run.
        assert_eq!((line(1, 8), line(1, 8), line(2, 7)), (Line::Wanted, Line::Left, Line::Wanted));
    }

    #[test]
    fn without_a_limit_every_line_is_wanted() {
        let mut printed = Printed::default();
        let run = || (ExecutionId(1), Name::from("load"), 1);
        assert!((0..1000).all(|_| printed.line(run(), 7, 0) == Line::Wanted));
    }
}
