//! The template miner over sets whose truth is known, and what must hold for any input at all.

use std::collections::{BTreeMap, BTreeSet};

use noetl_domain::fingerprint::{Config, Id, Kind, Miner, Snapshot};
use proptest::prelude::*;

use crate::corpus::{self, Labelled};
use crate::grouping::{Grouping, grouping};

fn labels(lines: &[Labelled]) -> Vec<usize> {
    lines.iter().map(|(_, label)| *label).collect()
}

fn texts(lines: &[Labelled]) -> impl Iterator<Item = &str> {
    lines.iter().map(|(line, _)| line.as_str())
}

/// With a look at all lines before the first is answered.
fn in_windows(lines: &[Labelled]) -> Grouping {
    let ids: Vec<Id> =
        Miner::new(Config::default()).observe_all(texts(lines)).iter().map(|found| found.id).collect();
    grouping(&ids, &labels(lines))
}

/// Line by line; ids that became aliases count as what they became.
fn line_by_line(lines: &[Labelled]) -> Grouping {
    let mut miner = Miner::new(Config::default());
    let ids: Vec<Id> = texts(lines).map(|line| miner.observe(line).id).collect();
    let ids: Vec<Id> = ids.into_iter().map(|id| miner.current(id)).collect();
    grouping(&ids, &labels(lines))
}

fn check_mean(by: fn(&[Labelled]) -> Grouping) {
    let mut sums = (0.0, 0.0);
    for (name, set) in corpus::SETS {
        let found = by(&corpus::lines(set, 42));
        eprintln!("{name:16} GA {:.3} FGA {:.3}", found.lines, found.groups);
        assert!(found.lines > 0.85 && found.groups > 0.85, "{name}: {found:?}");
        sums = (sums.0 + found.lines, sums.1 + found.groups);
    }
    let sets = corpus::SETS.len() as f64;
    let (lines, groups) = (sums.0 / sets, sums.1 / sets);
    assert!(lines > 0.97 && groups > 0.96, "GA {lines:.3}, FGA {groups:.3}");
}

#[test]
fn lines_of_many_systems_group_by_their_templates() {
    check_mean(in_windows);
}

#[test]
fn lines_group_as_well_one_by_one_once_aliases_are_followed() {
    check_mean(line_by_line);
}

#[test]
fn a_head_of_time_level_and_place_changes_little() {
    for (name, set) in corpus::SETS {
        let lines: Vec<Labelled> = corpus::lines(set, 7)
            .into_iter()
            .enumerate()
            .map(|(at, (line, label))| {
                let (minute, host) = (at % 60, ["combo", "db-7", "web.example.com"][at % 3]);
                (format!("Jun {:2} 07:{minute:02}:01 {host} daemon(main)[{at}]: {line}", 1 + at % 28), label)
            })
            .collect();
        let found = in_windows(&lines);
        assert!(found.lines > 0.85 && found.groups > 0.85, "{name}: {found:?}");
    }
}

#[test]
fn states_stay_apart_and_names_do_not() {
    let mut miner = Miner::new(Config::default());
    let states = ["started", "paused", "resumed"];
    let names = ["alice", "bob", "carol", "dave", "eve", "mallory", "peggy"];
    let lines: Vec<String> = (0..90)
        .map(|at| format!("machine {at} was {}", states[at % 3]))
        .chain(names.iter().map(|name| format!("login of {name} was refused by policy")))
        .collect();
    let ids: Vec<Id> =
        miner.observe_all(lines.iter().map(String::as_str)).iter().map(|found| found.id).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 4);
    assert_eq!(miner.describe(ids[95]).1, "login of <*> was refused by policy");
}

#[test]
fn values_are_masked_by_their_form() {
    let cases = [
        ("connection to 10.0.0.1:5432 refused", "connection to <ip>:<num> refused"),
        ("GET https://x.test/a?b=1 took 12 ms", "GET <url> took <duration>"),
        ("wrote 1.13 KB to /var/lib/x.db", "wrote <size> to <path>"),
        ("user 3f2b8c1e-7a4d-4e0b-9c55-0a1b2c3d4e5f", "user <id>"),
        ("at 0x7fff12ab, flag=true", "at <hex>, flag=<bool>"),
        ("mail from a.b@example.com at 2026-11-27T01:02:03Z", "mail from <email> at <time>"),
        ("lifetime <1 sec", "lifetime <duration>"),
        ("Nov  9 12:01:01 2005 it began", "<time> it began"),
        ("rdd_12_3 of node-31", "rdd_<num>_<num> of node-<num>"),
        ("host db.example.com is down", "host <host> is down"),
        ("C:\\Windows\\x.dll loaded", "<path> loaded"),
        ("can't open \"the file\"", "can't open \"the file\""),
        ("java.io.IOException: status 401 500", "java.io.IOException: status <num>"),
        ("", ""),
    ];
    for (message, template) in cases {
        let mut miner = Miner::new(Config::default());
        let id = miner.observe(message).id;
        assert_eq!(miner.describe(id).1, template, "{message}");
    }
}

#[test]
fn fields_are_the_masked_values_with_their_types() {
    let mut miner = Miner::new(Config::default());
    let message = "user alice@example.com paid 12.50 from 10.0.0.1";
    let fields: Vec<(Kind, &str)> =
        miner.fields(message).iter().map(|field| (field.kind, field.text)).collect();
    assert_eq!(fields, [(Kind::Email, "alice@example.com"), (Kind::Num, "12.50"), (Kind::Ip, "10.0.0.1")]);
}

#[test]
fn memory_stays_within_its_bounds_and_frequent_templates_outlive_rare_ones() {
    let config = Config { max_clusters: 64, max_shapes: 128, ..Config::default() };
    let mut miner = Miner::new(config);
    let steady = miner.observe("the steady message of a loop").id;
    for at in 0..5_000_u64 {
        let letters: String =
            (0..6).map(|place| char::from(b'a' + (at / 26_u64.pow(place) % 26) as u8)).collect();
        miner.observe(&format!("{letters}x {letters}y {letters}z {letters}w"));
        miner.observe("the steady message of a loop");
        assert!(miner.len() <= 64, "{}", miner.len());
    }
    assert_eq!(miner.observe("the steady message of a loop").id, steady);
}

#[test]
fn two_halves_merge_to_the_same_whole_in_either_order() {
    for (name, set) in corpus::SETS {
        let lines = corpus::lines(set, 3);
        let (left, right) = lines.split_at(lines.len() / 3);
        let learn = |lines: &[Labelled]| {
            let mut miner = Miner::new(Config::default());
            miner.observe_all(texts(lines));
            miner
        };
        let (a, b) = (learn(left), learn(right));
        let (mut ab, mut ba) = (a.clone(), b.clone());
        ab.merge(&b.snapshot());
        ba.merge(&a.snapshot());
        assert_eq!(ab.snapshot(), ba.snapshot(), "{name}");
        let once = ab.snapshot();
        ab.merge(&b.snapshot());
        ab.merge(&once);
        assert_eq!(ab.snapshot(), once, "{name}: a second time changes nothing");
        for id in a.snapshot().clusters.iter().chain(&b.snapshot().clusters).map(|cluster| cluster.id) {
            assert!(ab.template(id).is_some(), "{name}: {id} is known under its old name");
        }
        let ids: Vec<Id> = texts(&lines).map(|line| ab.observe(line).id).collect();
        let found = grouping(&ids, &labels(&lines));
        assert!(found.lines > 0.85, "{name}: {found:?}");
    }
}

/// Words that make messages alike and unlike.
fn message() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        "[a-d]{1,2}",
        "(up|down|user|error|disk)",
        "[0-9]{1,6}",
        "[a-f0-9]{8}",
        "/[a-c]{1,3}/[a-c]{1,3}",
        "[=:,\"'(){}\\[\\]<>.…é-]{1,3}",
        "k[0-9]=[a-z]{1,3}",
    ];
    prop::collection::vec(word, 0..9).prop_map(|words| words.join(" "))
}

/// How long a rule of marks is and which digits a word has are no part of a template's hash, and must not come from
/// whoever merges.
#[test]
fn templates_that_print_differently_merge_to_one_print() {
    for (left, right) in [("0 ]", "0 ]]"), ("took node-31", "took node-7")] {
        let learn = |line: &str| {
            let mut miner = Miner::new(Config::default());
            miner.observe(line);
            miner
        };
        let (mut ab, mut ba) = (learn(left), learn(right));
        let (a, b) = (ab.snapshot(), ba.snapshot());
        ab.merge(&b);
        ba.merge(&a);
        assert_eq!(ab.snapshot(), ba.snapshot(), "{left} and {right}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_text_is_taken(lines in prop::collection::vec(".{0,80}|\\PC{0,40}", 0..20), bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut miner = Miner::new(Config { max_clusters: 8, max_shapes: 8, max_bytes: 60, max_words: 12 });
        let bytes = String::from_utf8_lossy(&bytes).into_owned();
        for line in lines.iter().chain([&bytes]) {
            let id = miner.observe(line).id;
            miner.fields(line);
            prop_assert_eq!(id.to_string().parse(), Ok(id));
            prop_assert!(miner.len() <= 9);
        }
    }

    #[test]
    fn the_same_input_gives_the_same_ids(lines in prop::collection::vec(message(), 0..60)) {
        let run = || {
            let mut miner = Miner::new(Config::default());
            lines.iter().map(|line| miner.observe(line).id).collect::<Vec<_>>()
        };
        prop_assert_eq!(run(), run());
    }

    #[test]
    fn a_settled_shape_keeps_its_id(lines in prop::collection::vec(message(), 1..40), others in prop::collection::vec(message(), 0..60)) {
        let mut miner = Miner::new(Config::default());
        miner.observe_all(lines.iter().map(String::as_str));
        let settled: Vec<Id> = lines.iter().map(|line| miner.observe(line).id).collect();
        for other in &others {
            miner.observe(other);
        }
        let again: Vec<Id> = lines.iter().map(|line| miner.observe(line).id).collect();
        // What was told apart may turn out to be one; nothing that was one is told apart.
        let mut became = BTreeMap::new();
        for (old, new) in settled.iter().zip(&again) {
            prop_assert_eq!(*became.entry(*old).or_insert(*new), *new);
            prop_assert_eq!(miner.current(*old), *new);
        }
    }

    #[test]
    fn states_survive_being_written_down(lines in prop::collection::vec(message(), 0..60)) {
        let mut miner = Miner::new(Config::default());
        miner.observe_all(lines.iter().map(String::as_str));
        let text = serde_json::to_string(&miner.snapshot()).expect("JSON");
        let read: Snapshot = serde_json::from_str(&text).expect("what was written");
        let mut restored = Miner::restore(Config::default(), read);
        for line in &lines {
            let (old, new) = (miner.observe(line).id, restored.observe(line).id);
            prop_assert_eq!(restored.current(old), restored.current(new));
        }
    }

    #[test]
    fn merging_is_commutative_and_idempotent(left in prop::collection::vec(message(), 0..60), right in prop::collection::vec(message(), 0..60)) {
        let learn = |lines: &[String]| {
            let mut miner = Miner::new(Config::default());
            miner.observe_all(lines.iter().map(String::as_str));
            miner
        };
        let (a, b) = (learn(&left), learn(&right));
        let (mut ab, mut ba) = (a.clone(), b.clone());
        ab.merge(&b.snapshot());
        ba.merge(&a.snapshot());
        let once = ab.snapshot();
        prop_assert_eq!(&once, &ba.snapshot());
        ab.merge(&b.snapshot());
        prop_assert_eq!(&once, &ab.snapshot());
        ab.merge(&once);
        prop_assert_eq!(&once, &ab.snapshot());
    }
}
