//! How an Execution behaved, as numbers: two that behaved alike lie close, whatever their steps do.
//!
//! Each step of the Playbook has four numbers from -1 to 1: how long it took and how large its result was, measured
//! against what is usual for the step, how often it was tried, and how it ended. A step that was not run has zeros.

use super::baseline::Baselines;
use crate::rows::{Ending, Ran};
use crate::vectors::{BEHAVIOUR_NUMBERS, point};

const PER_STEP: usize = 4;
/// Steps beyond these share the places of the first.
const SLOTS: usize = BEHAVIOUR_NUMBERS / PER_STEP;
/// Doublings of attempts that count in full.
const MOST_DOUBLINGS: f32 = 3.0;

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Behaviour {
    pub(crate) numbers: Vec<f32>,
    /// A step took or gave far more or less than usual, was retried or failed.
    pub(crate) is_unusual: bool,
}

impl Behaviour {
    pub(crate) fn of(baselines: &Baselines, playbook: &str, ran: &[Ran]) -> Self {
        let mut numbers = vec![0.0; BEHAVIOUR_NUMBERS];
        let mut is_unusual = false;
        for one in ran {
            let (duration, size) = baselines.measure(playbook, one);
            let attempts = ((one.attempts.max(1) as f32).log2() / MOST_DOUBLINGS).min(1.0);
            let ending = match one.ending {
                Ending::Completed => 0.5,
                Ending::Handled => -0.5,
                Ending::Failed => -1.0,
            };
            let at = slot(one) * PER_STEP;
            for (place, number) in
                numbers[at..at + PER_STEP].iter_mut().zip([duration, attempts, size, ending])
            {
                *place += number;
            }
            let is_far = duration.abs() >= 1.0 || size.abs() >= 1.0;
            is_unusual |= is_far || one.attempts > 1 || one.ending != Ending::Completed;
        }
        Self { numbers, is_unusual }
    }
}

/// By the step's place in the Playbook; by its name when that is not known.
fn slot(one: &Ran) -> usize {
    let place = one.order.map_or_else(|| point::id(&["step", &one.step]), u64::from);
    (place % SLOTS as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ran(step: &str, order: u32, duration_ms: f64) -> Ran {
        Ran {
            step: step.into(),
            order: Some(order),
            duration_ms,
            attempts: 1,
            bytes: 100,
            ending: Ending::Completed,
        }
    }

    fn distance(a: &Behaviour, b: &Behaviour) -> f32 {
        a.numbers.iter().zip(&b.numbers).map(|(a, b)| (a - b).powi(2)).sum::<f32>().sqrt()
    }

    #[test]
    fn what_behaved_alike_lies_close() {
        let mut baselines = Baselines::default();
        for position in 1..=50 {
            let wobble = (position % 5) as f64;
            baselines.learn("orders", &[ran("load", 0, 100.0 + wobble), ran("save", 1, 20.0)], position);
        }
        let of = |steps: &[Ran]| Behaviour::of(&baselines, "orders", steps);
        let usual = of(&[ran("load", 0, 103.0), ran("save", 1, 20.0)]);
        let other = of(&[ran("load", 0, 101.0), ran("save", 1, 20.0)]);
        let slow = of(&[ran("load", 0, 9_000.0), ran("save", 1, 20.0)]);
        let cut = of(&[ran("load", 0, 101.0)]);
        let retried = of(&[Ran { attempts: 4, ..ran("load", 0, 101.0) }, ran("save", 1, 20.0)]);
        assert!(distance(&usual, &other) < 0.2, "{usual:?} {other:?}");
        for unlike in [&slow, &cut, &retried] {
            assert!(distance(&usual, unlike) > 0.4, "{unlike:?}");
        }
        assert!(!usual.is_unusual && slow.is_unusual && retried.is_unusual);
        assert_eq!(slow.numbers[0], 1.0, "clipped");
        assert!(usual.numbers[8..].iter().all(|number| *number == 0.0), "there are two steps");
    }

    #[test]
    fn a_step_beyond_the_last_place_shares_one() {
        let baselines = Baselines::default();
        let numbers = Behaviour::of(&baselines, "orders", &[ran("late", 17, 5.0)]).numbers;
        assert_eq!(numbers.len(), BEHAVIOUR_NUMBERS);
        assert_eq!(numbers[4..8], [0.0, 0.0, 0.0, 0.5]);
    }
}
