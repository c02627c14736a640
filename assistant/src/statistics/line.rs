//! A line through points, some of which are far off: Theil and Sen's, with intervals by resampling.

use super::{Interval, Random, median};

/// Points that are compared pairwise at most.
const MOST: usize = 100;
const ROUNDS: usize = 200;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Line {
    pub(crate) intercept: Interval,
    pub(crate) slope: Interval,
}

/// The line whose slope is the median of the slopes of all pairs; None when the points lie above each other.
pub(crate) fn theil_sen(points: &[(f64, f64)], seed: u64) -> Option<Line> {
    let mut random = Random::new(seed);
    let points = thinned(points, &mut random);
    let (intercept, slope) = fit(&points)?;
    let mut intercepts = Vec::with_capacity(ROUNDS);
    let mut slopes = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let sample: Vec<(f64, f64)> = points.iter().map(|_| points[random.below(points.len())]).collect();
        if let Some((intercept, slope)) = fit(&sample) {
            intercepts.push(intercept);
            slopes.push(slope);
        }
    }
    if slopes.len() < ROUNDS * 9 / 10 {
        return None;
    }
    let around = |value: f64, drawn: &mut Vec<f64>| {
        drawn.sort_by(f64::total_cmp);
        let at = |share: f64| drawn[((drawn.len() - 1) as f64 * share).round() as usize];
        // Resamples of few distinct points vary too little; a tenth more makes up for it (measured in the laboratory).
        let wider = |end: f64| value + (end - value) * 1.1;
        Interval::new(value, wider(at(0.025)), wider(at(0.975)))
    };
    Some(Line { intercept: around(intercept, &mut intercepts), slope: around(slope, &mut slopes) })
}

fn fit(points: &[(f64, f64)]) -> Option<(f64, f64)> {
    let mut slopes = Vec::with_capacity(points.len() * points.len() / 2);
    for (at, a) in points.iter().enumerate() {
        for b in &points[at + 1..] {
            if (b.0 - a.0).abs() > f64::EPSILON {
                slopes.push((b.1 - a.1) / (b.0 - a.0));
            }
        }
    }
    if slopes.is_empty() {
        return None;
    }
    let slope = select_median(&mut slopes);
    let rests: Vec<f64> = points.iter().map(|(x, y)| y - slope * x).collect();
    Some((median(&rests), slope))
}

/// The median without sorting everything: the fits of a resample have thousands of slopes.
fn select_median(values: &mut [f64]) -> f64 {
    let middle = values.len() / 2;
    let (_, value, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    *value
}

fn thinned(points: &[(f64, f64)], random: &mut Random) -> Vec<(f64, f64)> {
    let mut points = points.to_vec();
    while points.len() > MOST {
        let at = random.below(points.len());
        points.swap_remove(at);
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outliers_do_not_move_the_line() {
        let mut points: Vec<(f64, f64)> =
            (1..=40).map(|x| (f64::from(x), 5.0 + 2.0 * f64::from(x))).collect();
        points[3].1 = 900.0;
        points[30].1 = -400.0;
        let line = theil_sen(&points, 1).unwrap();
        assert!((line.slope.value - 2.0).abs() < 1e-6, "{line:?}");
        assert!((line.intercept.value - 5.0).abs() < 1e-6, "{line:?}");
    }

    #[test]
    fn points_above_each_other_have_no_slope() {
        assert_eq!(theil_sen(&[(1.0, 2.0), (1.0, 3.0)], 1), None);
    }

    #[test]
    fn intervals_hold_the_truth_about_as_often_as_they_say() {
        let mut random = Random::new(23);
        let (runs, mut slope, mut intercept) = (150, 0, 0);
        for run in 0..runs {
            let points: Vec<(f64, f64)> = (0..60)
                .map(|_| {
                    let x = 1.0 + random.below(20) as f64;
                    (x, 30.0 + 4.0 * x + 5.0 * random.normal())
                })
                .collect();
            let line = theil_sen(&points, run).unwrap();
            slope += usize::from(line.slope.holds(4.0));
            intercept += usize::from(line.intercept.holds(30.0));
        }
        for held in [slope, intercept] {
            let coverage = held as f64 / runs as f64;
            assert!((0.89..=0.99).contains(&coverage), "{coverage}");
        }
    }
}
