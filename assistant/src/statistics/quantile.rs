//! Quantiles of samples, and how many observations a claim about one needs.

/// Observations below which a quantile may not be claimed: with fewer, even the largest of them lies below the
/// quantile in more than 5 of 100 cases.
const NEEDED: [(f64, usize); 3] = [(0.999, 2_995), (0.99, 299), (0.95, 59)];

/// The highest of the usual quantiles that so many observations can speak of.
pub(crate) fn claimable_quantile(n: usize) -> Option<f64> {
    NEEDED.iter().find(|(_, needed)| n >= *needed).map(|(quantile, _)| *quantile)
}

/// The value below which a share of the sample lies, between neighbours in proportion; 0 of an empty sample.
pub(crate) fn percentile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let Some(last) = sorted.len().checked_sub(1) else { return 0.0 };
    let at = share.clamp(0.0, 1.0) * last as f64;
    let (low, high) = (at.floor() as usize, at.ceil() as usize);
    sorted[low] + (sorted[high] - sorted[low]) * at.fract()
}

pub(crate) fn median(values: &[f64]) -> f64 {
    percentile(values, 0.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_needed_numbers_follow_from_their_definition() {
        for (quantile, needed) in NEEDED {
            let missed = |n: usize| quantile.powi(n as i32);
            assert!(missed(needed) <= 0.05 && missed(needed - 1) > 0.05, "{quantile} {needed}");
        }
        assert_eq!([58, 59, 299, 2_995].map(claimable_quantile), [None, Some(0.95), Some(0.99), Some(0.999)]);
    }

    #[test]
    fn a_percentile_lies_between_its_neighbours() {
        assert_eq!(percentile(&[3.0, 1.0, 2.0], 0.5), 2.0);
        assert_eq!(percentile(&[1.0, 2.0], 0.25), 1.25);
        assert_eq!(percentile(&[], 0.5), 0.0);
    }
}
