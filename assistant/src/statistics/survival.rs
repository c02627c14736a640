//! Kaplan and Meier's curve of durations, where those that a deadline cut short count for what they say.

use super::{Beta, Interval};

/// How long something took; `is_censored`: it was still going on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Duration {
    pub(crate) value: f64,
    pub(crate) is_censored: bool,
}

/// The quantile with its interval. The upper end is infinite when too many ended unseen to tell; None when even the
/// quantile itself was never reached.
pub(crate) fn quantile_bound(durations: &[Duration], quantile: f64) -> Option<Interval> {
    let mut sorted: Vec<Duration> = durations.to_vec();
    // A tie counts as an end before a cut.
    sorted.sort_by(|a, b| a.value.total_cmp(&b.value).then(a.is_censored.cmp(&b.is_censored)));
    let target = 1.0 - quantile;
    let (mut survival, mut variance) = (1.0_f64, 0.0_f64);
    let (mut value, mut low, mut high) = (None, None, None);
    let n = sorted.len();
    let mut at = 0;
    while at < n {
        let here = sorted[at].value;
        let tied = sorted[at..].iter().take_while(|one| one.value == here).count();
        let ended = sorted[at..at + tied].iter().filter(|one| !one.is_censored).count() as f64;
        let at_risk = (n - at) as f64;
        at += tied;
        if ended == 0.0 {
            continue;
        }
        survival *= 1.0 - ended / at_risk;
        if at_risk > ended {
            variance += ended / (at_risk * (at_risk - ended));
        }
        let (maybe, surely) = crosses(survival, variance, n, target);
        if maybe {
            low.get_or_insert(here);
        }
        if survival <= target + 1e-12 {
            value.get_or_insert(here);
        }
        if surely {
            high.get_or_insert(here);
            break;
        }
    }
    let value = value?;
    let high = high.unwrap_or(f64::INFINITY);
    Some(Interval::new(value, low.unwrap_or(value), high))
}

/// Whether the curve lies at `target` or below: surely not above its band's lower end, and surely below its upper end.
///
/// The band is the one that Clopper and Pearson give to a share, with as many observations as Greenwood's variance says
/// that the curve is worth here.
fn crosses(survival: f64, variance: f64, n: usize, target: f64) -> (bool, bool) {
    // Far from the target nothing is near enough to ask.
    if survival > (4.0 * target + 0.05).min(0.999_999) {
        return (false, false);
    }
    if survival <= 0.0 {
        return (true, 1.0 - 0.025_f64.powf(1.0 / n as f64) <= target);
    }
    let worth = (survival * (1.0 - survival) / (survival * survival * variance)).min(n as f64);
    let (alive, ended) = (worth * survival, worth * (1.0 - survival));
    let low = Beta { alpha: alive, beta: ended + 1.0 };
    let high = Beta { alpha: alive + 1.0, beta: ended };
    (low.below(target) >= 0.025, high.below(target) >= 0.975)
}

#[cfg(test)]
mod tests {
    use super::super::Random;
    use super::*;

    fn ended(value: f64) -> Duration {
        Duration { value, is_censored: false }
    }

    #[test]
    fn those_that_were_cut_short_raise_the_quantile() {
        let plain: Vec<Duration> = (1..=100).map(|at| ended(f64::from(at))).collect();
        let mut cut = plain.clone();
        for one in cut.iter_mut().filter(|one| one.value > 30.0 && one.value < 50.0) {
            *one = Duration { value: 30.5, is_censored: true };
        }
        let value = |data: &[Duration]| quantile_bound(data, 0.5).unwrap().value;
        assert_eq!(value(&plain), 50.0);
        assert!(value(&cut) > 60.0, "{}", value(&cut));
    }

    #[test]
    fn what_was_never_reached_is_not_claimed() {
        let mut data: Vec<Duration> = (0..80).map(|at| ended(f64::from(at))).collect();
        data.extend(vec![Duration { value: 100.0, is_censored: true }; 20]);
        assert_eq!(quantile_bound(&data, 0.95), None);
        assert!(quantile_bound(&data, 0.5).is_some());
    }

    #[test]
    fn intervals_hold_the_truth_in_95_of_100() {
        let mut random = Random::new(17);
        let runs = 1_000;
        for (quantile, n, deadline) in [(0.95, 300, f64::INFINITY), (0.9, 300, 3.0)] {
            let truth: f64 = -(1.0_f64 - quantile).ln();
            let mut held = 0;
            for _ in 0..runs {
                let data: Vec<Duration> = (0..n)
                    .map(|_| {
                        let took = random.exponential(1.0);
                        Duration { value: took.min(deadline), is_censored: took > deadline }
                    })
                    .collect();
                held += usize::from(quantile_bound(&data, quantile).is_some_and(|found| found.holds(truth)));
            }
            let coverage = held as f64 / f64::from(runs);
            assert!((0.93..=0.98).contains(&coverage), "{quantile}: {coverage}");
        }
    }
}
