//! Shares: the Beta law with Jeffreys' prior, and its quantiles.

use super::{Interval, Random};

/// What is known about a share after hits and misses were seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Beta {
    pub(crate) alpha: f64,
    pub(crate) beta: f64,
}

impl Beta {
    /// Jeffreys' prior, Beta(½, ½), and what was seen.
    pub(crate) fn of(hits: f64, misses: f64) -> Self {
        Self { alpha: hits + 0.5, beta: misses + 0.5 }
    }

    /// The prior is what `prior` says with the weight of so many observations, in the place of Jeffreys'.
    pub(crate) fn shrunk(hits: f64, misses: f64, prior: f64, weight: f64) -> Self {
        let prior = prior.clamp(1e-6, 1.0 - 1e-6);
        Self { alpha: hits + prior * weight, beta: misses + (1.0 - prior) * weight }
    }

    pub(crate) fn mean(self) -> f64 {
        self.alpha / (self.alpha + self.beta)
    }

    /// Probability that the share is below `x`.
    pub(crate) fn below(self, x: f64) -> f64 {
        if x <= 0.0 {
            return 0.0;
        }
        if x >= 1.0 {
            return 1.0;
        }
        let Self { alpha, beta } = self;
        let front = (ln_gamma(alpha + beta) - ln_gamma(alpha) - ln_gamma(beta)
            + alpha * x.ln()
            + beta * (1.0 - x).ln())
        .exp();
        // The continued fraction converges fast on this side of the mean; the law mirrors.
        if x < (alpha + 1.0) / (alpha + beta + 2.0) {
            front * fraction(alpha, beta, x) / alpha
        } else {
            1.0 - front * fraction(beta, alpha, 1.0 - x) / beta
        }
    }

    /// A share from this law.
    pub(crate) fn draw(self, random: &mut Random) -> f64 {
        let (a, b) = (gamma(self.alpha, random), gamma(self.beta, random));
        if a + b > 0.0 { a / (a + b) } else { self.mean() }
    }

    /// The share that is exceeded with probability 1 - `p`.
    pub(crate) fn quantile(self, p: f64) -> f64 {
        let (mut low, mut high) = (0.0_f64, 1.0_f64);
        for _ in 0..60 {
            let middle = f64::midpoint(low, high);
            if self.below(middle) < p {
                low = middle;
            } else {
                high = middle;
            }
        }
        f64::midpoint(low, high)
    }
}

/// A share with its interval; the ends are 0 and 1 where nothing or everything was hit.
pub(crate) fn share(hits: u64, of: u64) -> Interval {
    if of == 0 {
        return Interval { value: 0.0, low: 0.0, high: 1.0 };
    }
    let law = Beta::of(hits as f64, of.saturating_sub(hits) as f64);
    let low = if hits == 0 { 0.0 } else { law.quantile(0.025) };
    let high = if hits >= of { 1.0 } else { law.quantile(0.975) };
    Interval::new(hits as f64 / of as f64, low, high)
}

/// A draw from the Gamma law of this shape, by Marsaglia and Tsang.
fn gamma(shape: f64, random: &mut Random) -> f64 {
    if shape < 1.0 {
        // One more, and a power of a uniform number.
        let power = (1.0 - random.uniform()).powf(1.0 / shape);
        return gamma(shape + 1.0, random) * power;
    }
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let x = random.normal();
        let v = (1.0 + c * x).powi(3);
        if v > 0.0 && (1.0 - random.uniform()).ln() < 0.5 * x * x + d - d * v + d * v.ln() {
            return d * v;
        }
    }
}

/// Lanczos' approximation (g = 7), good to 15 digits.
fn ln_gamma(x: f64) -> f64 {
    const COEFFICIENTS: [f64; 8] = [
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    if x < 0.5 {
        return (std::f64::consts::PI / (std::f64::consts::PI * x).sin()).ln() - ln_gamma(1.0 - x);
    }
    let x = x - 1.0;
    let mut sum = 0.999_999_999_999_809_9;
    for (index, coefficient) in COEFFICIENTS.iter().enumerate() {
        sum += coefficient / (x + index as f64 + 1.0);
    }
    let t = x + 7.5;
    0.5 * std::f64::consts::TAU.ln() + (x + 0.5) * t.ln() - t + sum.ln()
}

/// The continued fraction of the incomplete Beta function, by Lentz.
fn fraction(alpha: f64, beta: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let guard = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / guard(1.0 - (alpha + beta) * x / (alpha + 1.0));
    let mut result = d;
    for m in 1..300 {
        let m = f64::from(m);
        for step in [
            m * (beta - m) * x / ((alpha + 2.0 * m - 1.0) * (alpha + 2.0 * m)),
            -(alpha + m) * (alpha + beta + m) * x / ((alpha + 2.0 * m) * (alpha + 2.0 * m + 1.0)),
        ] {
            d = 1.0 / guard(1.0 + step * d);
            c = guard(1.0 + step / c);
            result *= c * d;
        }
        if (c * d - 1.0).abs() < 1e-14 {
            break;
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_tables() {
        // Beta(1, 1) is uniform; Beta(2, 1) is x²; Beta(½, ½) is the arcsine law.
        for p in [0.025, 0.3, 0.5, 0.9, 0.975] {
            let close = |law: Beta, truth: f64| {
                assert!((law.quantile(p) - truth).abs() < 1e-9, "{law:?} {p}: {} {truth}", law.quantile(p));
            };
            close(Beta { alpha: 1.0, beta: 1.0 }, p);
            close(Beta { alpha: 2.0, beta: 1.0 }, p.sqrt());
            close(Beta { alpha: 0.5, beta: 0.5 }, (std::f64::consts::FRAC_PI_2 * p).sin().powi(2));
        }
    }

    #[test]
    fn draws_follow_their_law() {
        let mut random = Random::new(31);
        for law in [Beta { alpha: 0.5, beta: 0.5 }, Beta { alpha: 3.0, beta: 9.0 }] {
            let drawn: Vec<f64> = (0..20_000).map(|_| law.draw(&mut random)).collect();
            for p in [0.1, 0.5, 0.9] {
                let below =
                    drawn.iter().filter(|one| **one < law.quantile(p)).count() as f64 / drawn.len() as f64;
                assert!((below - p).abs() < 0.015, "{law:?} {p}: {below}");
            }
        }
    }

    #[test]
    fn without_a_hit_in_149_the_share_is_below_two_per_cent() {
        assert!(share(0, 149).high < 0.02, "{:?}", share(0, 149));
        assert!(share(0, 100).high > 0.02);
    }

    #[test]
    fn intervals_of_shares_hold_the_truth_in_95_of_100() {
        let mut random = Random::new(3);
        for (n, truth) in [(30, 0.3), (100, 0.1), (400, 0.03)] {
            let runs = 2_000;
            let held = (0..runs)
                .filter(|_| {
                    let hits = (0..n).filter(|_| random.chance(truth)).count() as u64;
                    share(hits, n).holds(truth)
                })
                .count();
            let coverage = held as f64 / f64::from(runs);
            assert!((0.93..=0.985).contains(&coverage), "n {n} p {truth}: {coverage}");
        }
    }
}
