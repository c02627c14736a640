//! Whether answers are as right as they are sure, measured on cases that the measure was not fitted to.
//!
//! A logistic curve with two numbers maps what an answer says of itself to a share of right answers (Platt). It is
//! fitted on nine tenths of the cases and judged on the rest, ten times; a case's tenth follows from its name, so that
//! everybody gets the same figure. Few numbers and smoothed targets keep the fit from flattering itself.

/// How sure an answer was, and whether it was right.
#[derive(Clone, Debug)]
pub(super) struct Answered {
    pub(super) case: String,
    pub(super) sure: f64,
    pub(super) right: bool,
}

/// `1 / (1 + exp(-(slope · log-odds + shift)))`
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Curve {
    pub(super) slope: f64,
    pub(super) shift: f64,
}

const FOLDS: u64 = 10;
/// Another seed makes other tenths.
const SEED: u64 = 4;
const STEPS: usize = 200;
/// How strongly the curve is held near the one that changes nothing.
const SHRINKAGE: f64 = 1.0;
const STRETCHES: usize = 10;

impl Curve {
    pub(super) fn at(self, sure: f64) -> f64 {
        1.0 / (1.0 + (-(self.slope * log_odds(sure) + self.shift)).exp())
    }

    /// Newton's steps towards the curve that the answers are likeliest under.
    pub(super) fn fit(answers: &[&Answered]) -> Self {
        let right = answers.iter().filter(|one| one.right).count() as f64;
        let wrong = answers.len() as f64 - right;
        // Smoothed targets: no share of right answers is 0 or 1.
        let target = |one: &Answered| {
            if one.right { (right + 1.0) / (right + 2.0) } else { 1.0 / (wrong + 2.0) }
        };
        let mut curve = Self { slope: 1.0, shift: 0.0 };
        for _ in 0..STEPS {
            let (mut g0, mut g1) = (SHRINKAGE * (curve.slope - 1.0), SHRINKAGE * curve.shift);
            let (mut h00, mut h01, mut h11) = (SHRINKAGE, 0.0, SHRINKAGE);
            for one in answers {
                let (x, p) = (log_odds(one.sure), curve.at(one.sure));
                let (miss, weight) = (p - target(one), p * (1.0 - p));
                (g0, g1) = (g0 + miss * x, g1 + miss);
                (h00, h01, h11) = (h00 + weight * x * x, h01 + weight * x, h11 + weight);
            }
            let scale = h00 * h11 - h01 * h01;
            let (d0, d1) = ((g0 * h11 - g1 * h01) / scale, (g1 * h00 - g0 * h01) / scale);
            curve = Self { slope: (curve.slope - d0).max(0.0), shift: curve.shift - d1 };
            if d0.abs() + d1.abs() < 1e-9 {
                break;
            }
        }
        curve
    }
}

fn log_odds(sure: f64) -> f64 {
    let sure = sure.clamp(0.005, 0.995);
    (sure / (1.0 - sure)).ln()
}

/// The answers with the certainty that a curve gives them which was fitted without them.
pub(super) fn out_of_sample(answers: &[Answered]) -> Vec<Answered> {
    let mut judged = Vec::new();
    for fold in 0..FOLDS {
        let (out, kept): (Vec<&Answered>, Vec<&Answered>) =
            answers.iter().partition(|one| tenth(&one.case) == fold);
        let curve = Curve::fit(&kept);
        judged.extend(out.into_iter().map(|one| Answered { sure: curve.at(one.sure), ..one.clone() }));
    }
    judged
}

/// FNV over the name.
fn tenth(case: &str) -> u64 {
    let hash = case.bytes().fold(0xcbf2_9ce4_8422_2325 ^ SEED, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    // Names that differ in their last letter only go to different tenths.
    let mixed = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    (mixed ^ (mixed >> 33)) % FOLDS
}

/// Expected calibration error over ten equal stretches of certainty.
pub(super) fn error(answers: &[Answered]) -> f64 {
    let mut stretches = [(0.0, 0.0); STRETCHES];
    for one in answers {
        let at = ((one.sure * STRETCHES as f64) as usize).min(STRETCHES - 1);
        stretches[at].0 += one.sure;
        stretches[at].1 += f64::from(u8::from(one.right));
    }
    stretches.iter().map(|(sure, right)| f64::abs(sure - right)).sum::<f64>() / answers.len().max(1) as f64
}

/// Mean square of what was said and what came: worse both for being wrong and for being sure of it.
pub(super) fn brier(answers: &[Answered]) -> f64 {
    let square = |one: &Answered| (one.sure - f64::from(u8::from(one.right))).powi(2);
    answers.iter().map(square).sum::<f64>() / answers.len().max(1) as f64
}

#[test]
fn a_curve_brings_certainty_down_to_what_is_right() {
    let answers: Vec<Answered> = (0..200)
        .map(|at| Answered { case: format!("case {at}"), sure: 0.97, right: at % 4 != 0 })
        .collect();
    assert!(error(&answers) > 0.15);
    assert!(error(&out_of_sample(&answers)) < 0.03);
    let all: Vec<&Answered> = answers.iter().collect();
    assert!((Curve::fit(&all).at(0.97) - 0.75).abs() < 0.02);
}
