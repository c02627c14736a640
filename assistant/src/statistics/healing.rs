//! When failures pass by themselves, from looks that came now and then.
//!
//! A call that is tried again looks once at each try: it has passed by now, or not yet. The time itself lies somewhere
//! between two looks, or after the last one. The curve that makes all looks likeliest is Turnbull's.

/// Between which looks a failure passed, in milliseconds since it was met.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Passed {
    pub(crate) after: f64,
    /// None: it had not passed at the last look.
    pub(crate) by: Option<f64>,
}

/// The share of failures that have passed after some time. Beyond the last look it goes on as it went before it.
#[derive(Clone, Debug)]
pub(crate) struct Healing {
    /// Ends of stretches, and the share that passes in each.
    stretches: Vec<(f64, f64)>,
    /// What passes of the rest in a millisecond beyond the last look.
    beyond: f64,
}

/// Of the time that was looked at, the last part that tells how it goes on.
const LATE: f64 = 0.5;

/// Stretches of time that are told apart.
const STRETCHES: usize = 16;
const STEPS: usize = 30;

impl Healing {
    /// None where nothing ever passed.
    pub(crate) fn of<'p>(looks: impl IntoIterator<Item = &'p Passed>) -> Option<Self> {
        let looks: Vec<Passed> = looks.into_iter().copied().collect();
        let mut times: Vec<f64> = looks
            .iter()
            .flat_map(|look| [Some(look.after).filter(|time| *time > 0.0), look.by])
            .flatten()
            .collect();
        times.sort_by(f64::total_cmp);
        let last = times.len().checked_sub(1)?;
        looks.iter().find(|look| look.by.is_some())?;
        let mut ends: Vec<f64> =
            (1..=STRETCHES).map(|part| times[(last * part).div_ceil(STRETCHES).min(last)]).collect();
        ends.dedup();
        // The last stretch is all the time that nobody has looked at.
        let place = |time: f64| ends.iter().position(|end| time <= *end).unwrap_or(ends.len());
        let spans: Vec<(usize, usize)> = looks
            .iter()
            .map(|look| {
                let from = if look.after <= 0.0 { 0 } else { place(look.after) + 1 };
                let to = look.by.map_or(ends.len(), place);
                (from.min(to), to)
            })
            .collect();
        let mut shares = vec![1.0 / (ends.len() + 1) as f64; ends.len() + 1];
        for _ in 0..STEPS {
            let mut next = vec![0.0; shares.len()];
            for (from, to) in &spans {
                let sum: f64 = shares[*from..=*to].iter().sum();
                if sum > 0.0 {
                    (*from..=*to).for_each(|at| next[at] += shares[at] / sum);
                }
            }
            let all: f64 = next.iter().sum();
            shares = next.into_iter().map(|share| share / all.max(1e-12)).collect();
        }
        let mut found = Self { stretches: ends.into_iter().zip(shares).collect(), beyond: 0.0 };
        found.beyond = found.late_rate();
        Some(found)
    }

    /// The rate at which what was left passed in the later part of the time.
    fn late_rate(&self) -> f64 {
        let last = self.stretches.last().map_or(0.0, |(end, _)| *end);
        let (from, to) = (self.by(last * LATE), self.by(last));
        let (before, after) = ((1.0 - from).max(1e-6), (1.0 - to).max(1e-6));
        ((before / after).ln() / (last * (1.0 - LATE)).max(1e-9)).max(0.0)
    }

    /// The same, faster or slower beyond what was looked at.
    pub(crate) fn going_on(mut self, factor: f64) -> Self {
        self.beyond *= factor;
        self
    }

    /// The share that has passed by a time.
    pub(crate) fn by(&self, time: f64) -> f64 {
        let (mut sum, mut start) = (0.0, 0.0);
        for (end, share) in &self.stretches {
            if time >= *end {
                sum += share;
            } else {
                return sum + share * ((time - start) / (end - start)).clamp(0.0, 1.0);
            }
            start = *end;
        }
        // A look at the last moment adds nothing; the rest goes on passing.
        sum + (1.0 - sum).max(0.0) * (1.0 - (-self.beyond * (time - start)).exp())
    }

    /// The time by which a share of those passed that are known to pass.
    pub(crate) fn quantile(&self, share: f64) -> f64 {
        let known: f64 = self.stretches.iter().map(|(_, share)| share).sum();
        let (mut sum, mut start) = (0.0, 0.0);
        for (end, part) in &self.stretches {
            if *part > 0.0 && sum + part >= share * known {
                return start + (end - start) * ((share * known - sum) / part).clamp(0.0, 1.0);
            }
            sum += part;
            start = *end;
        }
        start
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::Random;

    #[test]
    fn the_curve_behind_the_looks_is_found() {
        let mut random = Random::new(3);
        // Failures that pass after four seconds in the mean, looked at after one, three and seven seconds or so.
        let looks: Vec<Passed> = (0..2_000)
            .map(|_| {
                let time = random.exponential(4_000.0);
                let mut after = 0.0;
                for look in [1_000.0, 3_000.0, 7_000.0] {
                    let look = look * (0.5 + random.uniform());
                    if time <= look {
                        return Passed { after, by: Some(look) };
                    }
                    after = f64::max(look, after);
                }
                Passed { after, by: None }
            })
            .collect();
        let healing = Healing::of(&looks).expect("some passed");
        for time in [1_000.0_f64, 2_000.0, 4_000.0, 6_000.0] {
            let truth = 1.0 - (-time / 4_000.0).exp();
            assert!((healing.by(time) - truth).abs() < 0.07, "{time}: {} not {truth}", healing.by(time));
        }
        assert!(
            healing.quantile(0.25) < healing.quantile(0.5) && healing.quantile(0.5) < healing.quantile(0.8)
        );
        assert!(Healing::of(&[Passed { after: 5.0, by: None }]).is_none());
        assert!(Healing::of(&[]).is_none());
    }
}
