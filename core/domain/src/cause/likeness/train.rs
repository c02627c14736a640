//! Learns the multipliers: dual coordinate descent for linear support vector machines with squared hinge loss (Hsieh and
//! others, 2008), as liblinear does it.

use super::Cause;
use super::model::{Vector, Vocabulary};

/// How much a text on the wrong side costs.
const COST: f32 = 0.5;
/// What is less than this is left out.
const LEAST: f32 = 0.004;

/// For each text what it bears to each of the causes, by their place.
pub(super) fn multipliers(
    vocabulary: &Vocabulary,
    vectors: &[Vector],
    causes: &[Cause],
    rounds: usize,
) -> Vec<Vec<(usize, f32)>> {
    let mut found = vec![Vec::new(); vectors.len()];
    for (place, cause) in vocabulary.causes.iter().enumerate() {
        let signs: Vec<f32> = causes.iter().map(|one| if one == cause { 1.0 } else { -1.0 }).collect();
        for (text, times) in
            against_others(vocabulary.size(), vectors, &signs, rounds).into_iter().enumerate()
        {
            if times > LEAST {
                found[text].push((place, times * signs[text]));
            }
        }
    }
    found
}

fn against_others(size: usize, vectors: &[Vector], signs: &[f32], rounds: usize) -> Vec<f32> {
    let slack = 1.0 / (2.0 * COST);
    let mut weights = vec![0.0_f32; size];
    let mut multipliers = vec![0.0_f32; vectors.len()];
    let squares: Vec<f32> =
        vectors.iter().map(|vector| vector.iter().map(|(_, share)| share * share).sum()).collect();
    let mut order: Vec<usize> = (0..vectors.len()).collect();
    let mut state = 0x9e37_79b9_u32;
    for _ in 0..rounds {
        shuffle(&mut order, &mut state);
        for text in order.iter().copied() {
            let sum: f32 = vectors[text].iter().map(|(feature, share)| weights[*feature] * share).sum();
            let gradient = signs[text] * sum - 1.0 + slack * multipliers[text];
            let next = (multipliers[text] - gradient / (squares[text] + slack)).max(0.0);
            let step = (next - multipliers[text]) * signs[text];
            multipliers[text] = next;
            if step != 0.0 {
                for (feature, share) in &vectors[text] {
                    weights[*feature] += step * share;
                }
            }
        }
    }
    multipliers
}

/// The same order each time.
fn shuffle(order: &mut [usize], state: &mut u32) {
    for at in (1..order.len()).rev() {
        *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        order.swap(at, (*state >> 8) as usize % (at + 1));
    }
}
