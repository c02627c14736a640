//! What the laboratory found: shares of right answers, calibration, time.

use std::fmt;

use serde_json::Value;

use super::case::Case;

/// A case, and the diagnosis it got; or why it did not come about.
pub(super) struct Told {
    pub(super) case: Case,
    pub(super) found: Result<Value, String>,
}

pub(super) struct Report {
    told: Vec<Told>,
}

impl Told {
    fn field(&self, name: &str) -> Option<&str> {
        self.found.as_ref().ok()?[name].as_str()
    }

    /// There is a fault, and evidence of it.
    fn is_fault(&self) -> bool {
        self.case.truth.cause.is_some() && !self.case.truth.insufficient
    }

    fn root_right(&self) -> bool {
        self.case.truth.step.as_deref() == self.field("root_step")
    }

    fn cause_right(&self) -> bool {
        self.case.truth.cause.as_deref() == self.field("cause")
    }

    fn lasts_right(&self) -> bool {
        self.case.truth.lasts.as_deref().is_none_or(|lasts| self.field("transience") == Some(lasts))
    }

    fn changes_right(&self) -> bool {
        let Ok(found) = &self.found else { return false };
        let kinds: Vec<&str> = found["contributing"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|one| one["kind"].as_str())
            .collect();
        self.case.truth.changed.iter().all(|kind| kinds.contains(&kind.as_str()))
    }

    /// Nothing is claimed where nothing failed, or where nothing is known.
    fn abstention_right(&self) -> bool {
        if self.case.truth.insufficient {
            return self.field("cause") == Some("unknown")
                && self.field("evidence_status") == Some("insufficient");
        }
        if self.case.truth.cause.is_none() {
            return self.field("cause").is_none() && self.field("verdict") != Some("failed");
        }
        self.field("evidence_status") != Some("insufficient") && self.field("cause") != Some("unknown")
    }

    fn number(&self, name: &str) -> f64 {
        self.found.as_ref().ok().and_then(|found| found[name].as_f64()).unwrap_or(0.0)
    }
}

impl Report {
    pub(super) fn new(told: Vec<Told>) -> Self {
        Self { told }
    }

    fn share<'a>(of: impl Iterator<Item = &'a Told>, is_right: impl Fn(&Told) -> bool) -> (usize, usize) {
        of.fold((0, 0), |(right, all), told| (right + usize::from(is_right(told)), all + 1))
    }

    fn faults(&self) -> impl Iterator<Item = &Told> {
        self.told.iter().filter(|told| told.is_fault())
    }

    pub(super) fn root_and_cause(&self) -> f64 {
        ratio(Self::share(self.faults(), |told| told.root_right() && told.cause_right()))
    }

    pub(super) fn abstention(&self) -> f64 {
        ratio(Self::share(self.told.iter(), Told::abstention_right))
    }

    pub(super) fn broken(&self) -> Vec<String> {
        let broken = self.told.iter().filter_map(|told| Some((&told.case.name, told.found.as_ref().err()?)));
        broken.map(|(name, why)| format!("{name}: {why}")).collect()
    }

    pub(super) fn unresolved(&self) -> Vec<String> {
        let missing =
            self.told.iter().filter_map(|told| told.found.as_ref().ok()?["unresolved"].as_array().cloned());
        missing.flatten().map(|one| one.to_string()).collect()
    }

    /// Expected calibration error over ten equal stretches of confidence.
    fn calibration_error(&self) -> f64 {
        let mut stretches = [(0.0, 0.0, 0_usize); 10];
        let mut all = 0;
        for told in self.faults() {
            let sure = told.number("confidence");
            let at = ((sure * 10.0) as usize).min(9);
            let right = told.root_right() && told.cause_right();
            stretches[at].0 += sure;
            stretches[at].1 += f64::from(u8::from(right));
            stretches[at].2 += 1;
            all += 1;
        }
        let gap = |(sure, right, _): &(f64, f64, usize)| (sure - right).abs();
        stretches.iter().map(gap).sum::<f64>() / f64::from(all.max(1))
    }
}

fn ratio((right, all): (usize, usize)) -> f64 {
    if all == 0 { 1.0 } else { right as f64 / all as f64 }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for told in &self.told {
            let wrong = match &told.found {
                Err(why) => Some(format!("did not come about: {why}")),
                Ok(found)
                    if !told.root_right()
                        || !told.cause_right()
                        || !told.lasts_right()
                        || !told.changes_right() =>
                {
                    Some(format!(
                        "truth {:?} {:?} {:?} {:?}; said {} {} {} {} {}\n      {}",
                        told.case.truth.step,
                        told.case.truth.cause,
                        told.case.truth.lasts,
                        told.case.truth.changed,
                        found["root_step"],
                        found["cause"],
                        found["transience"],
                        found["evidence_status"],
                        found["confidence"],
                        found["explanation"].as_str().unwrap_or_default(),
                    ))
                }
                Ok(_) => None,
            };
            if let Some(wrong) = wrong {
                writeln!(f, "  {:28} {wrong}", told.case.name)?;
            }
        }
        let mut line = |what: &str, (right, all): (usize, usize)| {
            writeln!(f, "{what:34} {right:4} of {all:4}  {:5.1} %", ratio((right, all)) * 100.0)
        };
        line("cases", (self.told.len(), self.told.len()))?;
        line(
            "root step and cause",
            Self::share(self.faults(), |told| told.root_right() && told.cause_right()),
        )?;
        line("root step", Self::share(self.faults(), Told::root_right))?;
        line("cause", Self::share(self.faults(), Told::cause_right))?;
        line("transience", Self::share(self.faults(), Told::lasts_right))?;
        line(
            "what changed",
            Self::share(
                self.faults().filter(|told| !told.case.truth.changed.is_empty()),
                Told::changes_right,
            ),
        )?;
        let both = |told: &Told| told.root_right() && told.cause_right();
        line(
            "with a misleading last error",
            Self::share(self.faults().filter(|told| told.case.misleading), both),
        )?;
        line(
            "with good runs before",
            Self::share(self.faults().filter(|told| !told.case.good.is_empty()), both),
        )?;
        line("abstention", Self::share(self.told.iter(), Told::abstention_right))?;
        let mut times: Vec<f64> = self.told.iter().map(|told| told.number("took_ms")).collect();
        times.sort_by(f64::total_cmp);
        let p95 = times.get(times.len() * 95 / 100).copied().unwrap_or(0.0);
        writeln!(f, "calibration error (ECE) {:.3}, time p95 {p95:.0} ms", self.calibration_error())
    }
}
