//! The judge, by hand and by simulation: how often it is wrong when it is asked after every Execution.
//!
//! The rates that these tests hold are the ones that docs/assistant.md tells.

use super::*;

fn tally(completed: u64, failed: u64, ms: f64) -> Tally {
    let durations_ms = (0..completed).map(|at| ms * (0.8 + 0.4 * (at as f64 / completed as f64))).collect();
    Tally { completed, failed, durations_ms, running_ms: Vec::new() }
}

fn decide(control: &Tally, canary: &Tally, goal: Goal) -> Decision {
    judge(control, canary, goal, &Rules::default()).decision
}

#[test]
fn arms_speak_only_when_there_is_enough_to_say() {
    let of = |completed, failed| tally(completed, failed, 100.0);
    for (control, canary, expected) in [
        // No data never promotes, and never rolls back.
        (of(0, 0), of(0, 0), Decision::Hold),
        (of(0, 0), of(500, 0), Decision::Hold),
        (of(500, 300), of(0, 0), Decision::Hold),
        (of(6, 1), of(0, 7), Decision::Hold),
        // Clear harm, clear benefit, too few to promote.
        (of(45, 5), of(30, 20), Decision::RollBack),
        (of(20, 10), of(30, 0), Decision::Promote),
        (of(10, 9), of(19, 0), Decision::Hold),
        (of(180, 20), of(178, 22), Decision::Hold),
        // A benefit that has not shown for so long is none.
        (of(900, 100), of(900, 100), Decision::RollBack),
    ] {
        let verdict = judge(&control, &canary, Goal::FailureRate, &Rules::default());
        assert_eq!(verdict.decision, expected, "{verdict:?}");
        assert!((0.0..=1.0).contains(&verdict.p_harm) && !verdict.why.is_empty(), "{verdict:?}");
    }
}

#[test]
fn much_slower_is_harm_and_faster_is_a_benefit_where_that_was_promised() {
    let control = tally(40, 4, 1_000.0);
    assert_eq!(decide(&control, &tally(40, 4, 2_900.0), Goal::FailureRate), Decision::RollBack);
    assert_eq!(decide(&control, &tally(40, 4, 1_500.0), Goal::FailureRate), Decision::Hold);
    assert_eq!(decide(&control, &tally(40, 4, 500.0), Goal::Duration), Decision::Promote);
    // Faster because it fails more: harm, whatever was promised.
    assert_eq!(decide(&control, &tally(22, 22, 500.0), Goal::Duration), Decision::RollBack);
    // A tenth of a second is nothing.
    assert_eq!(decide(&tally(40, 0, 10.0), &tally(40, 0, 80.0), Goal::FailureRate), Decision::Hold);
}

#[test]
fn a_canary_that_hangs_is_rolled_back_though_nothing_of_it_ends() {
    let control = tally(30, 1, 1_000.0);
    let hung = Tally { running_ms: vec![60_000.0; 12], ..Tally::default() };
    let verdict = judge(&control, &hung, Goal::FailureRate, &Rules::default());
    assert_eq!(verdict.decision, Decision::RollBack, "{verdict:?}");
    let started = Tally { running_ms: vec![900.0; 12], ..Tally::default() };
    assert_eq!(decide(&control, &started, Goal::FailureRate), Decision::Hold);
}

#[test]
fn a_third_of_the_ids_is_a_third_of_the_executions() {
    for share in [1, 10, 33, 50, 90] {
        // Ids as the control plane gives them: close together, low bits mostly zero.
        let ids = (0..20_000u64).map(|at| ExecutionId(386_547_056_640_512_000 + (at << 22)));
        let canary = ids.filter(|id| Arm::of(*id, share) == Arm::Canary).count();
        let expected = f64::from(share) / 100.0;
        let off = (canary as f64 / 20_000.0 - expected).abs();
        assert!(off < 4.0 * (expected * (1.0 - expected) / 20_000.0).sqrt(), "{share} %: {canary}");
    }
}

#[test]
fn an_assignment_survives_its_event() {
    let assigned = Assigned { rollout: u64::MAX, arm: Arm::Canary };
    let text = serde_json::to_string(&assigned).unwrap();
    assert_eq!(text, r#"{"rollout":"18446744073709551615","arm":"canary"}"#);
    assert_eq!(serde_json::from_str::<Assigned>(&text).unwrap(), assigned);
}

/// A small generator, so that a run can be repeated by its seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        (mixed(self.0) >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// Runs executions of both arms and asks the judge after each; the decision, and after how many.
fn trial(random: &mut Random, rates: (f64, f64), share: f64, most: u64) -> (Decision, u64) {
    let rules = Rules::default();
    let (mut control, mut canary) = (Tally::default(), Tally::default());
    for at in 1..=most {
        let is_canary = random.next() < share;
        let (arm, rate) = if is_canary { (&mut canary, rates.1) } else { (&mut control, rates.0) };
        if random.next() < rate {
            arm.failed += 1;
        } else {
            arm.completed += 1;
        }
        // Nothing can be decided before; asking would only take time.
        if control.finished().min(canary.finished()) < LEAST_FOR_HARM {
            continue;
        }
        let verdict = judge(&control, &canary, Goal::FailureRate, &rules);
        if verdict.decision != Decision::Hold {
            return (verdict.decision, at);
        }
    }
    (Decision::Hold, most)
}

/// Shares of trials that were rolled back and promoted.
fn shares(seed: u64, trials: u64, rates: (f64, f64), share: f64, most: u64) -> (f64, f64) {
    let mut random = Random(seed);
    let (mut back, mut promoted) = (0, 0);
    for _ in 0..trials {
        match trial(&mut random, rates, share, most).0 {
            Decision::RollBack => back += 1,
            Decision::Promote => promoted += 1,
            Decision::Hold => {}
        }
    }
    (f64::from(back) / trials as f64, f64::from(promoted) / trials as f64)
}

const TRIALS: u64 = 300;

/// Two equal versions, looked at after each of 300 executions.
#[test]
fn equal_versions_are_rarely_told_apart() {
    for (rate, share) in [(0.02, 0.5), (0.1, 0.5), (0.33, 0.5), (0.1, 0.2), (0.33, 0.2)] {
        let (back, promoted) = shares(7, TRIALS, (rate, rate), share, 300);
        println!("equal at {rate}, share {share}: rolled back {back:.3}, promoted {promoted:.3}");
        assert!(back <= 0.12, "rolled back {back} at {rate}, share {share}");
        assert!(promoted <= 0.09, "promoted {promoted} at {rate}, share {share}");
    }
}

/// Failures go from 10 % to 40 %, half of the executions get it.
#[test]
fn a_bad_change_is_rolled_back_within_a_hundred_executions() {
    let (back, promoted) = shares(11, TRIALS, (0.1, 0.4), 0.5, 100);
    println!("10 % → 40 %: rolled back {back:.3}, promoted {promoted:.3}");
    assert!(back >= 0.93, "{back}");
    assert!(promoted < 0.005, "{promoted}");
    let (_, promoted) = shares(13, TRIALS, (0.1, 0.2), 0.5, 300);
    println!("10 % → 20 %: promoted {promoted:.3}");
    assert!(promoted <= 0.01, "{promoted}");
}

/// Failures go from a third to a twentieth.
#[test]
fn a_good_change_is_promoted_soon() {
    let (back, promoted) = shares(17, TRIALS, (0.33, 0.05), 0.5, 120);
    println!("33 % → 5 %: rolled back {back:.3}, promoted {promoted:.3}");
    assert!(promoted >= 0.93, "{promoted}");
    assert!(back < 0.01, "{back}");
}
