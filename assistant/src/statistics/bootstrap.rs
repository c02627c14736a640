//! Intervals by resampling blocks: what one outage did to many is one observation, not many.

use std::collections::BTreeMap;

use super::{Interval, Random};

/// Resamples of one interval.
const ROUNDS: usize = 400;

/// Groups by key, so that what belongs together is drawn together.
pub(crate) fn blocks<T, K: Ord>(items: impl IntoIterator<Item = (K, T)>) -> Vec<Vec<T>> {
    let mut groups: BTreeMap<K, Vec<T>> = BTreeMap::new();
    for (key, item) in items {
        groups.entry(key).or_default().push(item);
    }
    groups.into_values().collect()
}

/// The interval of any statistic over blocks drawn with replacement; None where it cannot be computed.
pub(crate) fn interval_over_blocks<T>(
    blocks: &[Vec<T>],
    seed: u64,
    statistic: impl Fn(&[&T]) -> Option<f64>,
) -> Option<Interval> {
    intervals_over_blocks(blocks, seed, |sample| statistic(sample).map(|value| [value])).map(|[one]| one)
}

/// The same of several statistics of the same draws.
pub(crate) fn intervals_over_blocks<T, const N: usize>(
    blocks: &[Vec<T>],
    seed: u64,
    statistics: impl Fn(&[&T]) -> Option<[f64; N]>,
) -> Option<[Interval; N]> {
    let all: Vec<&T> = blocks.iter().flatten().collect();
    let values = statistics(&all)?;
    if blocks.len() < 2 {
        return None;
    }
    let mut random = Random::new(seed);
    let mut drawn: Vec<[f64; N]> = Vec::with_capacity(ROUNDS);
    let mut sample = Vec::with_capacity(all.len());
    for _ in 0..ROUNDS {
        sample.clear();
        for _ in 0..blocks.len() {
            sample.extend(&blocks[random.below(blocks.len())]);
        }
        drawn.extend(statistics(&sample));
    }
    if drawn.len() < ROUNDS * 9 / 10 {
        return None;
    }
    Some(std::array::from_fn(|of| {
        let mut sorted: Vec<f64> = drawn.iter().map(|one| one[of]).collect();
        sorted.sort_by(f64::total_cmp);
        let at = |share: f64| sorted[((sorted.len() - 1) as f64 * share).round() as usize];
        Interval::new(values[of], at(0.025), at(0.975))
    }))
}

/// The interval of a mean over blocks of different sizes: the sandwich of cluster sums with Student's factor, which
/// keeps its promise with few blocks where percentiles of resamples are too narrow.
pub(crate) fn interval_of_mean(blocks: &[Vec<f64>]) -> Option<Interval> {
    let n: usize = blocks.iter().map(Vec::len).sum();
    let groups = blocks.iter().filter(|block| !block.is_empty()).count();
    if groups < 2 {
        return None;
    }
    let mean = blocks.iter().flatten().sum::<f64>() / n as f64;
    let sum_of_squares: f64 =
        blocks.iter().map(|block| block.iter().map(|value| value - mean).sum::<f64>().powi(2)).sum();
    let correction = groups as f64 / (groups as f64 - 1.0);
    let error = (correction * sum_of_squares).sqrt() / n as f64;
    let half = student(groups - 1) * error;
    Some(Interval::new(mean, mean - half, mean + half))
}

/// The 97.5 % quantile of Student's law, by the expansion of Cornish and Fisher; exact values where that is coarse.
fn student(freedom: usize) -> f64 {
    const SMALL: [f64; 6] = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447];
    if let Some(known) = freedom.checked_sub(1).and_then(|at| SMALL.get(at)) {
        return *known;
    }
    let (z, v) = (1.959_964_f64, freedom as f64);
    z + (z.powi(3) + z) / (4.0 * v) + (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / (96.0 * v * v)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_keep_what_belongs_together() {
        let grouped = blocks([(1, "a"), (2, "b"), (1, "c")]);
        assert_eq!(grouped, [vec!["a", "c"], vec!["b"]]);
    }

    #[test]
    fn an_outage_of_many_makes_the_interval_of_one() {
        let alone: Vec<Vec<f64>> = (0..200).map(|at| vec![f64::from(at % 2)]).collect();
        let together: Vec<Vec<f64>> = (0..20).map(|at| vec![f64::from(at % 2); 10]).collect();
        let width = |blocks: &[Vec<f64>]| {
            let interval = interval_of_mean(blocks).unwrap();
            interval.high - interval.low
        };
        assert!(width(&together) > 2.5 * width(&alone));
    }

    #[test]
    fn means_of_blocks_are_held_in_95_of_100() {
        let mut random = Random::new(5);
        let runs = 1_000;
        let mut held = 0;
        for _ in 0..runs {
            let blocks: Vec<Vec<f64>> = (0..25)
                .map(|_| {
                    let outage = random.normal();
                    (0..=random.below(6)).map(|_| 2.0 + outage + 0.5 * random.normal()).collect()
                })
                .collect();
            held += usize::from(interval_of_mean(&blocks).unwrap().holds(2.0));
        }
        let coverage = held as f64 / f64::from(runs);
        assert!((0.92..=0.975).contains(&coverage), "{coverage}");
    }

    #[test]
    fn students_factor_is_the_tables() {
        for (freedom, truth) in [(1, 12.706), (5, 2.571), (10, 2.228), (30, 2.042), (1_000, 1.962)] {
            assert!((student(freedom) - truth).abs() < 0.01, "{freedom}: {}", student(freedom));
        }
    }
}
