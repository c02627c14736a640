//! Whether answers are as right as they are sure, measured on cases that the measure was not fitted to.
//!
//! A logistic curve with two numbers leads from the score of an answer to its share of being right (Platt). It is fitted
//! to nine tenths of the cases and judged on the rest, ten times, for several ways of making tenths; these follow from
//! a case's name, so that everybody gets the same figure. Smoothed targets and a slope that is held towards 0, which
//! gives every answer the share of the whole, keep a fit to few cases from flattering itself.

use noetl_assistant::CERTAINTY;

/// How sure an answer was, and whether it was right.
#[derive(Clone, Debug)]
pub(super) struct Answered {
    pub(super) case: String,
    pub(super) sure: f64,
    /// The log-odds of its score, before the curve of the assistant.
    score: f64,
    pub(super) right: bool,
}

impl Answered {
    pub(super) fn new(case: &str, sure: f64, right: bool) -> Self {
        let (slope, shift) = CERTAINTY;
        Self { case: case.to_owned(), sure, score: (log_odds(sure) - shift) / slope, right }
    }
}

/// `1 / (1 + exp(-(slope · score + shift)))`
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Curve {
    pub(super) slope: f64,
    pub(super) shift: f64,
}

const FOLDS: u64 = 10;
/// Each makes other tenths.
const SEEDS: std::ops::RangeInclusive<u64> = 1..=7;
const STEPS: usize = 200;
/// How strongly the slope and the shift are held towards 0.
const SHRINKAGE: (f64, f64) = (15.0, 0.1);
const STRETCHES: usize = 10;

impl Curve {
    fn at(self, score: f64) -> f64 {
        1.0 / (1.0 + (-(self.slope * score + self.shift)).exp())
    }

    /// Newton's steps towards the curve that the answers are likeliest under.
    pub(super) fn fit(answers: &[&Answered]) -> Self {
        let right = answers.iter().filter(|one| one.right).count() as f64;
        let wrong = answers.len() as f64 - right;
        // Smoothed targets: no share of right answers is 0 or 1.
        let target = |one: &Answered| {
            if one.right { (right + 1.0) / (right + 2.0) } else { 1.0 / (wrong + 2.0) }
        };
        // From the share of the whole, where every answer weighs, so that the steps stay small.
        let mut curve = Self { slope: 0.0, shift: ((right + 1.0) / (wrong + 1.0)).ln() };
        for _ in 0..STEPS {
            let (mut g0, mut g1) = (SHRINKAGE.0 * curve.slope, SHRINKAGE.1 * curve.shift);
            let (mut h00, mut h01, mut h11) = (SHRINKAGE.0, 0.0, SHRINKAGE.1);
            for one in answers {
                let (x, p) = (one.score, curve.at(one.score));
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

/// The error of curves on cases that they were not fitted to, on the average over several ways of making tenths.
pub(super) fn error_out_of_sample(answers: &[Answered]) -> f64 {
    let errors: Vec<f64> = SEEDS.map(|seed| error(&out_of_sample(answers, seed))).collect();
    errors.iter().sum::<f64>() / errors.len() as f64
}

/// The answers with the certainty that a curve gives them which was fitted without them.
fn out_of_sample(answers: &[Answered], seed: u64) -> Vec<Answered> {
    let mut judged = Vec::new();
    for fold in 0..FOLDS {
        let (out, kept): (Vec<&Answered>, Vec<&Answered>) =
            answers.iter().partition(|one| tenth(&one.case, seed) == fold);
        let curve = Curve::fit(&kept);
        judged.extend(out.into_iter().map(|one| Answered { sure: curve.at(one.score), ..one.clone() }));
    }
    judged
}

/// FNV over the name.
fn tenth(case: &str, seed: u64) -> u64 {
    let hash = case.bytes().fold(0xcbf2_9ce4_8422_2325 ^ seed, |hash: u64, byte| {
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
    let answers: Vec<Answered> =
        (0..200).map(|at| Answered::new(&format!("case {at}"), 0.97, at % 4 != 0)).collect();
    assert!(error(&answers) > 0.15);
    assert!(error_out_of_sample(&answers) < 0.03);
    let all: Vec<&Answered> = answers.iter().collect();
    assert!((Curve::fit(&all).at(all[0].score) - 0.75).abs() < 0.02);
}
