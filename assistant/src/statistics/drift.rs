//! Whether what was measured early and late comes from one law.

/// Mann and Whitney's test of the first half against the second; true when chance alone gives so much in fewer than
/// 1 of 100 cases.
pub(crate) fn drifted(values: &[f64]) -> bool {
    const Z: f64 = 2.576;
    let half = values.len() / 2;
    if half < 10 {
        return false;
    }
    let mut ranked: Vec<(f64, bool)> =
        values.iter().enumerate().map(|(at, value)| (*value, at >= values.len() - half)).collect();
    ranked.sort_by(|a, b| a.0.total_cmp(&b.0));
    let n = ranked.len() as f64;
    let (mut late_ranks, mut ties, mut late) = (0.0, 0.0, 0.0);
    let mut at = 0;
    while at < ranked.len() {
        let tied = ranked[at..].iter().take_while(|one| one.0 == ranked[at].0).count();
        let rank = at as f64 + f64::midpoint(tied as f64, 1.0);
        let here = ranked[at..at + tied].iter().filter(|one| one.1).count() as f64;
        late_ranks += rank * here;
        late += here;
        ties += (tied as f64).powi(3) - tied as f64;
        at += tied;
    }
    let early = n - late;
    let u = late_ranks - late * (late + 1.0) / 2.0;
    let variance = early * late / 12.0 * (n + 1.0 - ties / (n * (n - 1.0)));
    variance > 0.0 && ((u - early * late / 2.0) / variance.sqrt()).abs() > Z
}

#[cfg(test)]
mod tests {
    use super::super::Random;
    use super::*;

    #[test]
    fn a_shift_is_found_and_standing_traffic_is_left_alone() {
        let mut random = Random::new(9);
        let standing = (0..500)
            .filter(|_| drifted(&(0..200).map(|_| random.exponential(1.0)).collect::<Vec<_>>()))
            .count();
        assert!(standing <= 12, "{standing} of 500");
        let moved = (0..100)
            .filter(|_| {
                // The last take half as long again as the first.
                let at = |i: u32| 1.0 + f64::from(i) / 400.0;
                drifted(&(0..200).map(|i| at(i) * (0.4 * random.normal()).exp()).collect::<Vec<_>>())
            })
            .count();
        assert!(moved >= 60, "{moved} of 100");
    }
}
