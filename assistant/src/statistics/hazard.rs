//! Recovery by attempts: discrete hazards with what their neighbours say about them.

use super::Beta;

/// Observations that the whole step counts as for one retry, and everything else for the step.
const SHRINK: f64 = 2.0;

/// The chance that retry `k` succeeds, given that those before it did not.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Hazard {
    pub(crate) at_risk: u64,
    pub(crate) recovered: u64,
    pub(crate) law: Beta,
}

/// One failing series: after how many retries it ended, and whether the last of them went well.
pub(crate) type Series = (u32, bool);

/// Hazards of retry 1, 2, …; `global` is the mean hazard of everything else, with its weight in observations.
pub(crate) fn hazards(series: &[Series], global: Option<(f64, f64)>) -> Vec<Hazard> {
    let most = series.iter().map(|(retries, _)| *retries).max().unwrap_or(0);
    let count = |k: u32| {
        let at_risk = series.iter().filter(|(retries, _)| *retries >= k).count() as u64;
        let recovered = series.iter().filter(|(retries, well)| *retries == k && *well).count() as u64;
        (at_risk, recovered)
    };
    let counts: Vec<(u64, u64)> = (1..=most).map(count).collect();
    let (tries, well) = counts.iter().fold((0, 0), |(tries, well), (n, hits)| (tries + n, well + hits));
    // Jeffreys' prior stands where nothing else is known.
    let (prior, weight) = global.unwrap_or((0.5, 1.0));
    let step = Beta::shrunk(well as f64, (tries - well) as f64, prior, weight.clamp(1.0, SHRINK)).mean();
    let law = |(at_risk, recovered): (u64, u64)| Hazard {
        at_risk,
        recovered,
        law: Beta::shrunk(recovered as f64, (at_risk - recovered) as f64, step, SHRINK),
    };
    counts.into_iter().map(law).collect()
}

#[cfg(test)]
mod tests {
    use super::super::Random;
    use super::*;

    #[test]
    fn hazards_count_who_was_at_risk() {
        // Two recovered at the first retry, one at the second, one was stopped after the second.
        let found = hazards(&[(1, true), (1, true), (2, true), (2, false)], None);
        let counts: Vec<_> = found.iter().map(|hazard| (hazard.at_risk, hazard.recovered)).collect();
        assert_eq!(counts, [(4, 2), (2, 1)]);
    }

    #[test]
    fn known_hazards_are_found() {
        let truth = [0.5, 0.3, 0.1];
        let mut random = Random::new(11);
        let series: Vec<Series> = (0..4_000)
            .map(|_| {
                let well = truth.iter().position(|chance| random.chance(*chance));
                well.map_or((3, false), |at| (at as u32 + 1, true))
            })
            .collect();
        for (hazard, truth) in hazards(&series, None).iter().zip(truth) {
            assert!((hazard.law.mean() - truth).abs() < 0.03, "{hazard:?} {truth}");
        }
    }

    #[test]
    fn few_data_lean_on_the_step() {
        let mut series = vec![(1, true); 80];
        series.push((2, false));
        let found = hazards(&series, None);
        // One miss alone would say ¼.
        assert!(found[1].law.mean() > 0.5, "{found:?}");
    }
}
