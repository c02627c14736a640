//! One ranking out of two.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

use super::sparse::SparseVector;

/// One result of one search.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit<T> {
    pub id: T,
    pub score: f32,
}

/// One result of both, best first.
#[derive(Clone, Debug, PartialEq)]
pub struct Fused<T> {
    pub id: T,
    pub score: f32,
    /// What the searches gave it.
    pub dense: Option<f32>,
    pub sparse: Option<f32>,
}

/// How two rankings become one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fusion {
    /// The dense score plus the weighted square of how far words cover the query.
    ///
    /// People's words and a failure's share some words by chance, and their best match would count in full if it were
    /// measured against itself; measured against `full` it hardly counts, and an exact name counts as it should.
    Covered { weight: f32, full: f32 },
    /// The dense score plus the sparse one, divided by the best sparse one and weighted.
    Weighted { sparse: f32 },
    /// Reciprocal ranks.
    Ranks { k: f32 },
}

impl Fusion {
    /// The fusion that measured best (docs/semantic-layer.md), for one query among so many points.
    pub fn of(query: &SparseVector, points: u64) -> Self {
        Self::Covered { weight: 0.5, full: full_score(query, points) }
    }
}

/// The sparse score of a text of usual length that has every term of the query, each of which nothing else has.
fn full_score(query: &SparseVector, points: u64) -> f32 {
    let rarest = ((points as f32 + 0.5) / 1.5 + 1.0).ln();
    rarest * query.values.iter().sum::<f32>()
}

/// Joins the hits of both searches; each list is best first, as stores answer.
pub fn fuse<T: Clone + Eq + Hash + Ord>(
    dense: &[Hit<T>],
    sparse: &[Hit<T>],
    fusion: Fusion,
) -> Vec<Fused<T>> {
    let mut joined: HashMap<&T, Fused<T>> = HashMap::new();
    let empty = |id: &T| Fused { id: id.clone(), score: 0.0, dense: None, sparse: None };
    for hit in dense {
        joined.entry(&hit.id).or_insert_with(|| empty(&hit.id)).dense = Some(hit.score);
    }
    for hit in sparse {
        joined.entry(&hit.id).or_insert_with(|| empty(&hit.id)).sparse = Some(hit.score);
    }
    match fusion {
        Fusion::Covered { weight, full } => sum(&mut joined, dense, weight, |score| {
            let covered = if full > 0.0 { (score / full).min(1.0) } else { 0.0 };
            covered * covered
        }),
        Fusion::Weighted { sparse: weight } => {
            let best = sparse.iter().map(|hit| hit.score).fold(0.0, f32::max);
            sum(&mut joined, dense, weight, |score| if best > 0.0 { score / best } else { 0.0 });
        }
        Fusion::Ranks { k } => {
            for list in [dense, sparse] {
                for (rank, hit) in list.iter().enumerate() {
                    if let Some(fused) = joined.get_mut(&hit.id) {
                        fused.score += 1.0 / (k + rank as f32 + 1.0);
                    }
                }
            }
        }
    }
    let mut fused: Vec<Fused<T>> = joined.into_values().collect();
    fused.sort_by(best_first);
    fused
}

fn sum<T>(joined: &mut HashMap<&T, Fused<T>>, dense: &[Hit<T>], weight: f32, words: impl Fn(f32) -> f32) {
    // A text outside the list is at most as close as the last inside.
    let floor = dense.iter().map(|hit| hit.score).reduce(f32::min).unwrap_or(0.0);
    for fused in joined.values_mut() {
        let words = fused.sparse.map_or(0.0, &words);
        // Alone, the sparse ranking is the answer and not a share of it.
        fused.score = if dense.is_empty() { words } else { fused.dense.unwrap_or(floor) + weight * words };
    }
}

/// What is equal in score is ordered by its id, so that answers repeat.
fn best_first<T: Ord>(a: &Fused<T>, b: &Fused<T>) -> Ordering {
    b.score.total_cmp(&a.score).then_with(|| a.id.cmp(&b.id))
}

/// How what is older counts less.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Decay {
    /// After this, half of what age can take is taken; zero: age takes nothing.
    pub half_life: Duration,
    /// The share of the score that no age takes.
    pub floor: f32,
}

impl Default for Decay {
    /// Mild: meaning decides, and age decides between equals.
    fn default() -> Self {
        Self { half_life: Duration::from_hours(30 * 24), floor: 0.8 }
    }
}

impl Decay {
    /// What the score of something of this age is multiplied by.
    pub fn factor(&self, age: Duration) -> f32 {
        if self.half_life.is_zero() {
            return 1.0;
        }
        let halves = age.as_secs_f32() / self.half_life.as_secs_f32();
        self.floor + (1.0 - self.floor) * 0.5_f32.powf(halves)
    }

    /// Applies the age of each result and ranks again.
    pub fn apply<T: Ord>(&self, fused: &mut [Fused<T>], age: impl Fn(&T) -> Duration) {
        for hit in fused.iter_mut() {
            hit.score *= self.factor(age(&hit.id));
        }
        fused.sort_by(best_first);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hits(list: &[(&'static str, f32)]) -> Vec<Hit<&'static str>> {
        list.iter().map(|(id, score)| Hit { id: *id, score: *score }).collect()
    }

    fn order(fused: &[Fused<&'static str>]) -> Vec<&'static str> {
        fused.iter().map(|hit| hit.id).collect()
    }

    #[test]
    fn words_move_what_meaning_found_and_bring_what_it_did_not() {
        let dense = hits(&[("a", 0.7), ("b", 0.6), ("c", 0.5)]);
        let sparse = hits(&[("d", 20.0), ("b", 10.0)]);
        let fused = fuse(&dense, &sparse, Fusion::Weighted { sparse: 0.3 });
        assert_eq!(order(&fused), ["d", "b", "a", "c"]);
        assert_eq!((fused[0].dense, fused[0].sparse), (None, Some(20.0)));
        assert!((fused[1].score - 0.75).abs() < 1e-6);
    }

    #[test]
    fn words_that_meet_by_chance_hardly_count_and_a_name_does() {
        let query = SparseVector { indices: vec![1, 2, 3, 4], values: vec![1.0; 4] };
        let fusion = Fusion::of(&query, 1_000);
        let dense = hits(&[("meant", 0.5), ("other", 0.48)]);
        // One rare word of four scores about 6.5, all four about 26.
        assert_eq!(order(&fuse(&dense, &hits(&[("other", 4.0)]), fusion)), ["meant", "other"]);
        assert_eq!(order(&fuse(&dense, &hits(&[("named", 26.0)]), fusion)), ["named", "meant", "other"]);
    }

    #[test]
    fn each_search_answers_alone() {
        let some = hits(&[("a", 3.0), ("b", 2.0)]);
        let covered = Fusion::Covered { weight: 0.5, full: 10.0 };
        for fusion in [covered, Fusion::Weighted { sparse: 0.3 }, Fusion::Ranks { k: 60.0 }] {
            assert_eq!(order(&fuse(&some, &[], fusion)), ["a", "b"]);
            assert_eq!(order(&fuse(&[], &some, fusion)), ["a", "b"]);
            assert!(fuse::<&str>(&[], &[], fusion).is_empty());
        }
    }

    #[test]
    fn age_decides_between_equals_and_not_against_meaning() {
        let decay = Decay::default();
        let day = Duration::from_hours(24);
        assert!((decay.factor(Duration::ZERO) - 1.0).abs() < 1e-6);
        assert!((decay.factor(30 * day) - 0.9).abs() < 1e-6);
        let mut fused =
            fuse(&hits(&[("old", 0.9), ("new", 0.9), ("other", 0.5)]), &[], Fusion::Weighted { sparse: 0.3 });
        decay.apply(&mut fused, |id| if *id == "old" { 3650 * day } else { Duration::ZERO });
        assert_eq!(order(&fused), ["new", "old", "other"]);
        let off = Decay { half_life: Duration::ZERO, ..decay };
        assert!((off.factor(3650 * day) - 1.0).abs() < 1e-6);
    }
}
