//! How throughput grows with what runs side by side: the Universal Scalability Law.

/// X(n) = L·n / (1 + s(n−1) + k·n(n−1)).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Scalability {
    /// Throughput of one alone.
    pub(crate) alone: f64,
    /// What queues: the part that cannot run side by side.
    pub(crate) contention: f64,
    /// What coordination costs.
    pub(crate) coherence: f64,
}

impl Scalability {
    pub(crate) fn throughput(self, n: f64) -> f64 {
        self.alone * n / (1.0 + self.contention * (n - 1.0) + self.coherence * n * (n - 1.0))
    }

    /// Where throughput is highest; infinite when nothing slows it down.
    pub(crate) fn best(self) -> f64 {
        if self.coherence <= 1e-12 {
            return f64::INFINITY;
        }
        ((1.0 - self.contention).max(0.0) / self.coherence).sqrt()
    }
}

/// Fits the law to (n, throughput); None when n did not vary threefold or took fewer than three values.
///
/// n·L/X(n) − 1 = s(n−1) + k·n(n−1) is linear in s and k for a given L; L is searched for where the errors are least.
pub(crate) fn usl(points: &[(f64, f64)]) -> Option<Scalability> {
    let mut sizes: Vec<f64> = points.iter().map(|(n, _)| *n).collect();
    sizes.sort_by(f64::total_cmp);
    sizes.dedup();
    let (first, last) = (*sizes.first()?, *sizes.last()?);
    if sizes.len() < 3 || last < 3.0 * first || points.iter().any(|(n, x)| *n < 1.0 || *x <= 0.0) {
        return None;
    }
    let per_one = points.iter().map(|(n, x)| x / n).fold(0.0_f64, f64::max);
    let mut best: Option<(f64, Scalability)> = None;
    let mut look = |alone: f64| {
        let law = with_alone(points, alone);
        let error: f64 = points.iter().map(|(n, x)| ((law.throughput(*n) - x) / x).powi(2)).sum();
        if best.is_none_or(|(least, _)| error < least) {
            best = Some((error, law));
        }
    };
    (0..=60).for_each(|at| look(per_one * (0.5 + f64::from(at) / 30.0)));
    best.map(|(_, law)| law)
}

/// Least squares in s and k, both at least 0.
fn with_alone(points: &[(f64, f64)], alone: f64) -> Scalability {
    let (mut aa, mut ab, mut bb, mut ay, mut by) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for (n, x) in points {
        let (a, b, y) = (n - 1.0, n * (n - 1.0), alone * n / x - 1.0);
        // Errors of throughput are relative, so what is far out weighs less.
        let weight = (x / (alone * n)).powi(2);
        aa += weight * a * a;
        ab += weight * a * b;
        bb += weight * b * b;
        ay += weight * a * y;
        by += weight * b * y;
    }
    let determinant = aa * bb - ab * ab;
    let (mut contention, mut coherence) = if determinant.abs() > 1e-12 {
        ((ay * bb - by * ab) / determinant, (by * aa - ay * ab) / determinant)
    } else {
        (0.0, 0.0)
    };
    if coherence < 0.0 {
        (coherence, contention) = (0.0, if aa > 0.0 { ay / aa } else { 0.0 });
    }
    if contention < 0.0 {
        (contention, coherence) = (0.0, if bb > 0.0 { (by / bb).max(0.0) } else { 0.0 });
    }
    Scalability { alone, contention: contention.max(0.0), coherence }
}

#[cfg(test)]
mod tests {
    use super::super::Random;
    use super::*;

    #[test]
    fn a_known_law_is_found_again() {
        let truth = Scalability { alone: 10.0, contention: 0.05, coherence: 0.002 };
        let mut random = Random::new(2);
        let points: Vec<(f64, f64)> = [1, 2, 4, 8, 16, 32]
            .into_iter()
            .flat_map(|n| vec![f64::from(n); 10])
            .map(|n| (n, truth.throughput(n) * (1.0 + 0.03 * random.normal())))
            .collect();
        let found = usl(&points).unwrap();
        let off = (found.best() / truth.best() - 1.0).abs();
        assert!(off < 0.15, "{found:?} {} {}", found.best(), truth.best());
    }

    #[test]
    fn one_size_says_nothing() {
        assert_eq!(usl(&[(4.0, 10.0), (4.0, 11.0), (5.0, 12.0)]), None);
    }
}
