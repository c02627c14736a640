//! Weights of features, one set for each cause: linear support vector machines, one cause against all others.
//!
//! Kept are the multipliers of the texts that bear them; the weights are the sum of these texts.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::Cause;
use super::features;

/// A text has to have so many known features before it is like any other.
const KNOWN: usize = 4;
/// Texts that a cause needs before anything is like it.
const FEWEST: usize = 4;

/// Which features there are, how much each of them counts, and which causes.
pub(super) struct Vocabulary {
    features: HashMap<String, (usize, f32)>,
    pub(super) causes: Vec<Cause>,
}

/// What is known of a text: its cause, and what it consists of.
pub(super) type Known = (Cause, HashSet<String>);

/// A text as numbers: features and their share, of length one.
pub(super) type Vector = Vec<(usize, f32)>;

impl Vocabulary {
    pub(super) fn of(texts: &[Known]) -> Self {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        let mut of_cause: BTreeMap<Cause, usize> = BTreeMap::new();
        for (cause, features) in texts {
            *of_cause.entry(*cause).or_default() += 1;
            for feature in features {
                *counts.entry(feature.clone()).or_default() += 1;
            }
        }
        // A pair that was seen once is one author's.
        counts.retain(|feature, count| *count > 1 || !features::is_pair(feature));
        let rarity = |count: usize| ((1.0 + texts.len() as f32) / (1.0 + count as f32)).ln() + 1.0;
        let features =
            counts.into_iter().enumerate().map(|(at, (feature, count))| (feature, (at, rarity(count))));
        let causes = of_cause.into_iter().filter(|(_, count)| *count >= FEWEST).map(|(cause, _)| cause);
        Self { features: features.collect(), causes: causes.collect() }
    }

    /// One more for what speaks for a cause whatever the text is.
    pub(super) fn size(&self) -> usize {
        self.features.len() + 1
    }

    /// A text as numbers; of its features only those that are known.
    pub(super) fn vector(&self, features: &HashSet<String>) -> Vector {
        let known = features.iter().filter_map(|feature| self.features.get(feature).copied());
        let mut vector: Vector = known.collect();
        vector.sort_unstable_by_key(|(at, _)| *at);
        let length = vector.iter().map(|(_, share)| share * share).sum::<f32>().sqrt();
        for (_, share) in &mut vector {
            *share /= length;
        }
        vector.push((self.features.len(), 1.0));
        vector
    }
}

/// What a text is likest to.
pub(super) struct Likest {
    pub(super) cause: Cause,
    /// How far the second best stands behind it.
    pub(super) clear: f32,
    /// How far it stands before texts that say nothing.
    pub(super) telling: f32,
}

pub(super) struct Model {
    vocabulary: Vocabulary,
    /// For each feature what it says for each of the causes.
    weights: Vec<f32>,
}

impl Model {
    /// The sum of texts, each as often as its multipliers say: of the causes by their place.
    pub(super) fn of(vocabulary: Vocabulary, vectors: &[Vector], multipliers: &[Vec<(usize, f32)>]) -> Self {
        let causes = vocabulary.causes.len();
        let mut weights = vec![0.0; vocabulary.size() * causes];
        for (vector, multipliers) in vectors.iter().zip(multipliers) {
            for (feature, share) in vector {
                for (cause, times) in multipliers {
                    weights[feature * causes + cause] += share * times;
                }
            }
        }
        Self { vocabulary, weights }
    }

    /// The likeliest cause, how far the second stands behind it, and how far that nothing is said.
    pub(super) fn likest(&self, text: &str) -> Option<Likest> {
        let vector = self.vocabulary.vector(&features::of(text));
        // The last one is there whatever the text is.
        if vector.len() <= KNOWN {
            return None;
        }
        let causes = self.vocabulary.causes.len();
        let mut sums = vec![0.0; causes];
        for (feature, share) in vector {
            let of_feature = &self.weights[feature * causes..(feature + 1) * causes];
            sums.iter_mut().zip(of_feature).for_each(|(sum, weight)| *sum += share * weight);
        }
        let mut order: Vec<usize> = (0..causes).collect();
        order.sort_by(|a, b| sums[*b].total_cmp(&sums[*a]));
        let [best, second, ..] = order.as_slice() else { return None };
        let silent = self.vocabulary.causes.iter().position(|cause| *cause == Cause::Unknown);
        Some(Likest {
            cause: self.vocabulary.causes[*best],
            clear: sums[*best] - sums[*second],
            telling: silent.map_or(f32::INFINITY, |silent| sums[*best] - sums[silent]),
        })
    }
}
