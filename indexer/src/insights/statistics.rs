//! The statistics behind the answers, as pure functions.

use noetl_api::insight::{Quantiles, Rate, Trend};

/// Of the standard normal distribution: 95 of 100 cases lie within plus or minus this.
const Z95: f64 = 1.959_964;

/// A share and the interval that holds the true one in 95 of 100 cases (Wilson, 1927).
pub(crate) fn rate(hits: u64, of: u64) -> Rate {
    if of == 0 {
        return Rate { value: 0.0, low: 0.0, high: 1.0 };
    }
    let (n, p) = (of as f64, hits as f64 / of as f64);
    let z2 = Z95 * Z95;
    let middle = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = Z95 * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt() / (1.0 + z2 / n);
    Rate { value: p, low: (middle - half).max(0.0), high: (middle + half).min(1.0) }
}

/// Chance that a standard normal value is larger than this (Abramowitz and Stegun 26.2.17, error below 1e-7).
pub(crate) fn upper_tail(z: f64) -> f64 {
    if z < 0.0 {
        return 1.0 - upper_tail(-z);
    }
    let t = 1.0 / (1.0 + 0.231_641_9 * z);
    let poly = t
        * (0.319_381_53
            + t * (-0.356_563_782 + t * (1.781_477_937 + t * (-1.821_255_978 + t * 1.330_274_429))));
    (-z * z / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt() * poly
}

/// Chance of this many hits or more when each of `of` hits with a chance, exact (binomial).
pub(crate) fn at_least(hits: u64, of: u64, chance: f64) -> f64 {
    if hits == 0 {
        return 1.0;
    }
    let chance = chance.clamp(1e-12, 1.0 - 1e-12);
    let (n, k) = (of as f64, hits as f64);
    // Far above what is expected the sum has few terms that count; far below it the normal curve does.
    let mean = n * chance;
    let spread = (mean * (1.0 - chance)).sqrt();
    if of > 2_000_000 || k < mean {
        return upper_tail((k - 0.5 - mean) / spread.max(1e-12));
    }
    let ratio = chance / (1.0 - chance);
    let mut term = (ln_choose(of, hits) + k * chance.ln() + (n - k) * (1.0 - chance).ln()).exp();
    let (mut sum, mut at) = (0.0, hits);
    while at <= of {
        sum += term;
        if term < sum * 1e-12 {
            break;
        }
        term *= (of - at) as f64 / (at + 1) as f64 * ratio;
        at += 1;
    }
    sum.min(1.0)
}

fn ln_choose(n: u64, k: u64) -> f64 {
    ln_factorial(n) - ln_factorial(k) - ln_factorial(n - k)
}

/// Exact below 32, Stirling's series above.
fn ln_factorial(n: u64) -> f64 {
    if n < 32 {
        return (2..=n).map(|i| (i as f64).ln()).sum();
    }
    let x = n as f64;
    x * x.ln() - x + 0.5 * (2.0 * std::f64::consts::PI * x).ln() + 1.0 / (12.0 * x)
        - 1.0 / (360.0 * x.powi(3))
}

/// How surprising it is to find this median in so many runs, given the spread of the history; on the scale of logarithms,
/// because durations and sizes vary by factors.
///
/// Positive: larger than before.
pub(crate) fn median_shift(now: Quantiles, runs: u64, history: Quantiles, history_runs: u64) -> f64 {
    let ln = |value: f64| value.max(1e-3).ln();
    // Half of a normal distribution lies within 0.6745 deviations.
    let spread = |of: Quantiles| ((ln(of.p75) - ln(of.p25)) / 1.349).max(LEAST_SPREAD);
    let error = |of: Quantiles, n: u64| 1.2533 * spread(of) / (n.max(1) as f64).sqrt();
    let error = (error(history, history_runs).powi(2) + error(now, runs).powi(2)).sqrt();
    // Runs close in time resemble one another, so they tell less than as many independent ones.
    (ln(now.p50) - ln(history.p50)) / (error * DEPENDENCE.sqrt())
}

/// A step that always takes the same time may vary by this much before anybody wonders.
const LEAST_SPREAD: f64 = 0.05;
/// Runs count as this many times fewer independent ones.
pub(crate) const DEPENDENCE: f64 = 2.0;

/// Corrects chances for the number of looks: of those below a level, about that share is wrong (Benjamini and
/// Hochberg, 1995).
pub(crate) fn q_values(chances: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..chances.len()).collect();
    order.sort_by(|a, b| chances[*b].total_cmp(&chances[*a]));
    let mut q = vec![1.0; chances.len()];
    let mut least: f64 = 1.0;
    for (from_top, index) in order.into_iter().enumerate() {
        let rank = chances.len() - from_top;
        least = least.min(chances[index] * chances.len() as f64 / rank as f64);
        q[index] = least;
    }
    q
}

/// The middle slope of all pairs, with the interval that Kendall's statistic gives it (Theil 1950, Sen 1968).
///
/// Points are (day, milliseconds). Fewer than eight tell nothing.
pub(crate) fn trend(points: &[(f64, f64)]) -> Option<Trend> {
    if points.len() < 8 {
        return None;
    }
    let points = thinned(points);
    let mut slopes = Vec::with_capacity(points.len() * points.len() / 2);
    for (index, a) in points.iter().enumerate() {
        for b in &points[index + 1..] {
            if (b.0 - a.0).abs() > 1e-9 {
                slopes.push((b.1 - a.1) / (b.0 - a.0));
            }
        }
    }
    if slopes.is_empty() {
        return None;
    }
    slopes.sort_by(f64::total_cmp);
    let n = points.len() as f64;
    let spread = Z95 * (n * (n - 1.0) * (2.0 * n + 5.0) / 18.0).sqrt();
    let all = slopes.len() as f64;
    let at = |place: f64| slopes[(place.max(0.0) as usize).min(slopes.len() - 1)];
    let (low, high) = (at((all - spread) / 2.0), at(f64::midpoint(all, spread)));
    let ms_per_day = at(all / 2.0);
    Some(Trend { ms_per_day, low, high, is_clear: low > 0.0 || high < 0.0 })
}

/// Pairs grow with the square, so long histories are looked at in equal steps.
fn thinned(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    const MOST: usize = 400;
    let step = points.len().div_ceil(MOST).max(1);
    points.iter().step_by(step).copied().collect()
}

/// Quantiles of values, by the nearest rank.
pub(crate) fn spread(values: &mut [f64]) -> Quantiles {
    values.sort_by(f64::total_cmp);
    let at = |level: f64| {
        let rank = (level * values.len() as f64).ceil().max(1.0) as usize - 1;
        values.get(rank.min(values.len().saturating_sub(1))).copied().unwrap_or(0.0)
    };
    Quantiles { p25: at(0.25), p50: at(0.5), p75: at(0.75), p95: at(0.95), p99: at(0.99) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) {
        assert!((a - b).abs() < 1e-3 * b.abs().max(1.0), "{a} is not {b}");
    }

    #[test]
    fn wilsons_interval_is_the_textbooks() {
        let ten_of_hundred = rate(10, 100);
        close(ten_of_hundred.low, 0.0552);
        close(ten_of_hundred.high, 0.1744);
        assert_eq!(rate(0, 0), Rate { value: 0.0, low: 0.0, high: 1.0 });
        assert_eq!(rate(0, 50).low, 0.0);
    }

    #[test]
    fn tails_are_the_tables() {
        close(upper_tail(1.959_964), 0.025);
        close(upper_tail(0.0), 0.5);
        close(upper_tail(-1.0), 0.8413);
        // P(X >= 8) of ten fair coins: 56/1024.
        close(at_least(8, 10, 0.5), 56.0 / 1024.0);
        close(at_least(1, 100, 0.01), 1.0 - 0.99_f64.powi(100));
        assert!(at_least(60, 300, 0.02) < 1e-30);
        close(at_least(0, 10, 0.3), 1.0);
    }

    #[test]
    fn corrected_chances_keep_their_order() {
        let q = q_values(&[0.01, 0.04, 0.03, 0.5]);
        close(q[0], 0.04);
        close(q[1], 0.16 / 3.0);
        close(q[2], 0.16 / 3.0);
        close(q[3], 0.5);
    }

    #[test]
    fn a_trend_survives_outliers_and_noise_has_none() {
        let rising: Vec<(f64, f64)> = (0..40)
            .map(|day| {
                (f64::from(day), 100.0 + 3.0 * f64::from(day) + if day % 13 == 5 { 900.0 } else { 0.0 })
            })
            .collect();
        let found = trend(&rising).unwrap();
        close(found.ms_per_day, 3.0);
        assert!(found.is_clear);
        let level: Vec<(f64, f64)> =
            (0..40).map(|day| (f64::from(day), 100.0 + f64::from((day * 7919) % 31))).collect();
        assert!(!trend(&level).unwrap().is_clear);
        assert_eq!(trend(&rising[..5]), None);
    }

    #[test]
    fn a_median_far_outside_its_history_is_a_surprise() {
        let history = Quantiles { p25: 90.0, p50: 100.0, p75: 112.0, p95: 150.0, p99: 200.0 };
        let same = Quantiles { p50: 102.0, ..history };
        let slower = Quantiles { p25: 250.0, p50: 300.0, p75: 350.0, p95: 400.0, p99: 500.0 };
        assert!(median_shift(same, 50, history, 1000).abs() < 2.0);
        assert!(median_shift(slower, 50, history, 1000) > 10.0);
    }
}
