//! What the laboratory found: shares of right answers beside those of chance, calibration, time.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Value, json};

use super::calibration::{self, Answered, Curve};
use super::case::Case;

/// A case, and the diagnosis it got; or why it did not come about.
pub(super) struct Told {
    pub(super) case: Case,
    pub(super) found: Result<Value, String>,
}

pub(super) struct Report {
    told: Vec<Told>,
}

/// Right answers, of all.
type Share = (usize, usize);

impl Told {
    fn field(&self, name: &str) -> Option<&str> {
        self.found.as_ref().ok()?[name].as_str()
    }

    /// There is a fault, and evidence of it.
    fn is_fault(&self) -> bool {
        self.case.truth.cause.is_some() && !self.case.truth.insufficient
    }

    fn root_right(&self) -> bool {
        let truth = &self.case.truth;
        // A cancel meets whatever is under way: some cases leave it open which step that is.
        let is_open = truth.step.is_none()
            && truth.cause.as_ref().is_some_and(|cause| cause.first() == "run.cancelled");
        is_open || truth.step.as_deref() == self.field("root_step")
    }

    fn cause_right(&self) -> bool {
        match (&self.case.truth.cause, self.field("cause")) {
            (Some(truth), Some(said)) => truth.admit(said),
            (None, None) => true,
            _ => false,
        }
    }

    fn both_right(&self) -> bool {
        self.root_right() && self.cause_right()
    }

    /// The last error in the log would have led to the same step and cause.
    fn last_error_right(&self) -> bool {
        let Ok(found) = &self.found else { return false };
        let last = &found["last_error"];
        let cause = last["cause"].as_str();
        self.case.truth.step.as_deref() == last["step"].as_str()
            && cause.is_some_and(|said| self.case.truth.cause.as_ref().is_some_and(|truth| truth.admit(said)))
    }

    fn lasts_right(&self) -> bool {
        self.case.truth.lasts.as_deref().is_none_or(|lasts| self.field("transience") == Some(lasts))
    }

    /// What is recommended first.
    fn remedy(&self) -> Option<&str> {
        self.found.as_ref().ok()?["recommendations"][0]["kind"].as_str()
    }

    fn remedy_right(&self) -> bool {
        self.case
            .truth
            .remedy
            .as_ref()
            .is_none_or(|truth| self.remedy().is_some_and(|said| truth.admit(said)))
    }

    /// It begins at the root and ends at the failure, in the order of time.
    fn chain_right(&self) -> bool {
        let Ok(found) = &self.found else { return false };
        let chain: Vec<u64> = found["chain"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|id| id.as_str()?.parse().ok())
            .collect();
        let root = found["root_event_id"].as_str().and_then(|id| id.parse().ok());
        let has_root = root.is_none_or(|root: u64| chain.contains(&root));
        self.both_right() && !chain.is_empty() && has_root && chain.windows(2).all(|pair| pair[0] <= pair[1])
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

    /// The steps that could have been named: those of the playbook and of its sub-playbooks.
    fn steps(&self) -> usize {
        let texts = std::iter::once(&self.case.playbook).chain(self.case.children.values());
        let marks = ["- step:", "- taskName:"];
        texts
            .map(|text| marks.iter().map(|mark| text.matches(mark).count()).sum::<usize>())
            .sum::<usize>()
            .max(1)
    }

    fn wrong(&self) -> Option<String> {
        let found = match &self.found {
            Err(why) => return Some(format!("did not come about: {why}")),
            Ok(found) => found,
        };
        let is_right = self.both_right()
            && self.lasts_right()
            && self.changes_right()
            && self.remedy_right()
            && self.abstention_right();
        let truth = &self.case.truth;
        (!is_right).then(|| {
            format!(
                "truth {:?} {:?} {:?} {:?} {:?}; said {} {} {} {:?} {} {}\n      {}",
                truth.step,
                truth.cause,
                truth.lasts,
                truth.remedy,
                truth.changed,
                found["root_step"],
                found["cause"],
                found["transience"],
                self.remedy(),
                found["evidence_status"],
                found["confidence"],
                found["explanation"].as_str().unwrap_or_default(),
            )
        })
    }
}

impl Report {
    pub(super) fn new(told: Vec<Told>) -> Self {
        Self { told }
    }

    fn share<'a>(of: impl Iterator<Item = &'a Told>, is_right: impl Fn(&Told) -> bool) -> Share {
        of.fold((0, 0), |(right, all), told| (right + usize::from(is_right(told)), all + 1))
    }

    fn faults(&self) -> impl Iterator<Item = &Told> {
        self.told.iter().filter(|told| told.is_fault())
    }

    pub(super) fn root_and_cause(&self) -> f64 {
        ratio(Self::share(self.faults(), Told::both_right))
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

    /// What was claimed of faults, how sure, and whether it was right.
    fn answered(&self) -> Vec<Answered> {
        let answered =
            |told: &Told| Answered::new(&told.case.name, told.number("confidence"), told.both_right());
        self.faults().map(answered).collect()
    }

    pub(super) fn calibration_error(&self) -> f64 {
        calibration::error(&self.answered())
    }

    /// The answers about faults of the exams, right where they were right at first sight.
    pub(super) fn at_first_sight(&self) -> Vec<Answered> {
        let written: Value =
            serde_json::from_str(include_str!("../../faults/first_sight.json")).expect("JSON");
        let exams = written["exams"].as_array().cloned().unwrap_or_default();
        let exam = |told: &Told| exams.iter().find(|exam| exam["file"] == told.case.file.as_str());
        let answered = |told: &Told| {
            let wrong = exam(told)?["wrong"].as_array()?;
            let right = !wrong.contains(&Value::from(told.case.name.as_str()));
            Some(Answered::new(&told.case.name, told.number("confidence"), right))
        };
        self.faults().filter_map(answered).collect()
    }

    /// How much surer answers are, on the whole, than they are right; below 0 where they are righter.
    pub(super) fn over_confidence(&self) -> f64 {
        let answered = self.answered();
        let sure: f64 = answered.iter().map(|one| one.sure).sum();
        let right = answered.iter().filter(|one| one.right).count() as f64;
        (sure - right) / answered.len().max(1) as f64
    }

    fn rows(&self) -> Vec<(&'static str, Share)> {
        let misleading = self.faults().filter(|told| told.case.misleading);
        let with_good = self.faults().filter(|told| !told.case.good.is_empty());
        let changed = self.faults().filter(|told| !told.case.truth.changed.is_empty());
        let labelled = self.faults().filter(|told| told.case.truth.remedy.is_some());
        let misled = self.faults().filter(|told| told.case.misleading);
        let no_answer = self.told.iter().filter(|told| !told.is_fault());
        vec![
            ("root step and cause", Self::share(self.faults(), Told::both_right)),
            ("root step", Self::share(self.faults(), Told::root_right)),
            ("cause", Self::share(self.faults(), Told::cause_right)),
            ("transience", Self::share(self.faults(), Told::lasts_right)),
            ("chain from root to failure", Self::share(self.faults(), Told::chain_right)),
            ("remedy named first", Self::share(labelled, Told::remedy_right)),
            ("what changed", Self::share(changed, Told::changes_right)),
            ("with a misleading last error", Self::share(misleading, Told::both_right)),
            ("with good runs before", Self::share(with_good, Told::both_right)),
            ("believing the last error", Self::share(self.faults(), Told::last_error_right)),
            ("believing a misleading last error", Self::share(misled, Told::last_error_right)),
            ("abstention, all cases", Self::share(self.told.iter(), Told::abstention_right)),
            ("abstention, nothing to be claimed", Self::share(no_answer, Told::abstention_right)),
        ]
    }

    /// The share of root and cause that guessing gets right: the commonest cause at the last step, and a random step
    /// with a cause drawn as often as it occurs.
    fn chance(&self) -> (f64, f64) {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for told in self.faults() {
            let cause = told.case.truth.cause.as_ref().map_or("", |cause| cause.first());
            *counts.entry(cause).or_default() += 1;
        }
        let all = self.faults().count().max(1) as f64;
        let most = counts.values().copied().max().unwrap_or(0) as f64 / all;
        let random_step = self.faults().map(|told| 1.0 / told.steps() as f64).sum::<f64>() / all;
        let random_cause = counts.values().map(|count| (*count as f64 / all).powi(2)).sum::<f64>();
        (most * random_step, random_cause * random_step)
    }

    fn times(&self) -> (f64, f64) {
        let mut times: Vec<f64> = self.told.iter().map(|told| told.number("took_ms")).collect();
        times.sort_by(f64::total_cmp);
        let at = |share: usize| times.get(times.len() * share / 100).copied().unwrap_or(0.0);
        (at(50), at(95))
    }

    /// Everything as one document.
    pub(super) fn figures(&self) -> Value {
        let shares: serde_json::Map<String, Value> = self
            .rows()
            .into_iter()
            .map(|(what, (right, all))| {
                (what.to_owned(), json!({"right": right, "all": all, "share": ratio((right, all))}))
            })
            .collect();
        let ((majority, random), (p50, p95)) = (self.chance(), self.times());
        json!({
            "cases": self.told.len(),
            "shares": shares,
            "calibration_error": self.calibration_error(),
            "calibration_error_at_first_sight": calibration::error(&self.at_first_sight()),
            "answers": self
                .answered()
                .into_iter()
                .map(|one| json!({"case": one.case, "sure": one.sure, "right": one.right}))
                .collect::<Vec<_>>(),
            "unresolved_citations": self.unresolved().len(),
            "chance": {"majority": majority, "random": random},
            "took_ms": {"p50": p50, "p95": p95},
            "written_by": "rules",
        })
    }
}

fn ratio((right, all): Share) -> f64 {
    if all == 0 { 1.0 } else { right as f64 / all as f64 }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for told in &self.told {
            if let Some(wrong) = told.wrong() {
                writeln!(f, "  {:28} {wrong}", told.case.name)?;
            }
        }
        writeln!(f, "{:36} {:4}", "cases", self.told.len())?;
        for (what, (right, all)) in self.rows() {
            writeln!(f, "{what:36} {right:4} of {all:4}  {:5.1} %", ratio((right, all)) * 100.0)?;
        }
        let mut files: BTreeMap<&str, Vec<&Told>> = BTreeMap::new();
        for told in self.faults() {
            files.entry(&told.case.file).or_default().push(told);
        }
        for (file, told) in files {
            let (right, all) = Self::share(told.into_iter(), Told::both_right);
            writeln!(f, "  {file:34} {right:4} of {all:4}")?;
        }
        let ((majority, random), (p50, p95)) = (self.chance(), self.times());
        writeln!(
            f,
            "by chance: commonest cause {:.1} %, at random {:.1} %",
            majority * 100.0,
            random * 100.0
        )?;
        writeln!(f, "citations that lead nowhere: {}", self.unresolved().len())?;
        let answered = self.answered();
        writeln!(
            f,
            "calibration error (ECE) {:.3}, Brier {:.3}, surer than right by {:+.3}; time p50 {p50:.0} ms, p95 {p95:.0} ms",
            self.calibration_error(),
            calibration::brier(&answered),
            self.over_confidence(),
        )?;
        let first = self.at_first_sight();
        if first.is_empty() {
            return Ok(());
        }
        let Curve { slope, shift } = Curve::fit(&first.iter().collect::<Vec<_>>());
        writeln!(
            f,
            "at first sight ({} faults): right {:.3}, ECE {:.3}, Brier {:.3}; of curves fitted without the case {:.3}; fitted to all: slope {slope:.3}, shift {shift:.3}",
            first.len(),
            first.iter().filter(|one| one.right).count() as f64 / first.len() as f64,
            calibration::error(&first),
            calibration::brier(&first),
            calibration::error_out_of_sample(&first),
        )
    }
}
