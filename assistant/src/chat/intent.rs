//! What a question wants: weighted ideas, and likeness to questions of each kind.

use std::collections::BTreeSet;

use super::words::{Idea, is_empty};

/// A kind of question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Intent {
    Why,
    TopFailures,
    Counts,
    CountsByTime,
    Rates,
    Durations,
    SlowestStep,
    Anomalies,
    Compare,
    LikePlaybook,
    LikeExecution,
    Events,
    Status,
    List,
    Definition,
    Playbooks,
    Search,
    WhatIf,
    Proposals,
    Simulate,
    Help,
}

/// What a question has besides words.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Signs {
    pub(crate) executions: usize,
    pub(crate) has_playbook: bool,
    pub(crate) has_parameter: bool,
    pub(crate) has_quote: bool,
    pub(crate) has_step: bool,
}

/// Points for ideas that come together; negative where they speak against it.
const WEIGHTS: &[(Intent, &[Idea], f64)] = &[
    (Intent::Why, &[Idea::Why], 2.5),
    (Intent::Why, &[Idea::Why, Idea::Fail], 1.5),
    (Intent::Why, &[Idea::Why, Idea::Last], 0.5),
    (Intent::Why, &[Idea::Why, Idea::Most], -1.5),
    (Intent::Why, &[Idea::Why, Idea::Like], -0.5),
    (Intent::TopFailures, &[Idea::Fail], 1.2),
    (Intent::TopFailures, &[Idea::Fail, Idea::Most], 1.6),
    (Intent::TopFailures, &[Idea::SinceWhen], 1.0),
    (Intent::TopFailures, &[Idea::Fail, Idea::Run], -0.5),
    (Intent::TopFailures, &[Idea::Fail, Idea::Playbook], -0.8),
    (Intent::Counts, &[Idea::Count], 2.4),
    (Intent::Counts, &[Idea::Count, Idea::Fail], 0.6),
    (Intent::Counts, &[Idea::Count, Idea::Run], 0.8),
    (Intent::Counts, &[Idea::Most, Idea::Playbook], 1.2),
    (Intent::Counts, &[Idea::Most, Idea::Playbook, Idea::Fail], 1.2),
    (Intent::Counts, &[Idea::Count, Idea::Playbook], -0.4),
    (Intent::CountsByTime, &[Idea::Per], 3.0),
    (Intent::CountsByTime, &[Idea::Per, Idea::Count], 1.0),
    (Intent::Rates, &[Idea::Rate], 2.4),
    (Intent::Rates, &[Idea::Rate, Idea::Search], -1.4),
    (Intent::Rates, &[Idea::Rate, Idea::Fail], 0.8),
    (Intent::Rates, &[Idea::Rate, Idea::Good], 0.8),
    (Intent::Rates, &[Idea::Retry], 1.6),
    (Intent::Rates, &[Idea::Cost], 2.2),
    (Intent::Durations, &[Idea::Duration], 1.8),
    (Intent::Durations, &[Idea::Duration, Idea::Playbook], 0.5),
    (Intent::Durations, &[Idea::Slow, Idea::Playbook], 1.6),
    (Intent::Durations, &[Idea::Slow, Idea::Run], 0.6),
    (Intent::SlowestStep, &[Idea::Slow], 2.0),
    (Intent::SlowestStep, &[Idea::Slow, Idea::Step], 1.5),
    (Intent::SlowestStep, &[Idea::Duration, Idea::Step, Idea::Most], 1.8),
    (Intent::SlowestStep, &[Idea::Duration, Idea::Most], 0.8),
    (Intent::Anomalies, &[Idea::Unusual], 2.6),
    (Intent::Anomalies, &[Idea::Unusual, Idea::Search], 0.6),
    (Intent::Anomalies, &[Idea::Unusual, Idea::Step], 0.4),
    (Intent::Compare, &[Idea::Compare], 2.6),
    (Intent::Compare, &[Idea::Compare, Idea::Run], 0.8),
    (Intent::Compare, &[Idea::Compare, Idea::Last], 0.6),
    (Intent::LikePlaybook, &[Idea::Like, Idea::Playbook], 3.4),
    (Intent::LikeExecution, &[Idea::Like], 2.2),
    (Intent::LikeExecution, &[Idea::Like, Idea::Fail], 0.8),
    (Intent::LikeExecution, &[Idea::Like, Idea::Run], 0.8),
    (Intent::Events, &[Idea::Event], 2.2),
    (Intent::Events, &[Idea::Event, Idea::Show], 0.6),
    (Intent::Events, &[Idea::Event, Idea::Last], 0.4),
    (Intent::Events, &[Idea::Event, Idea::Fail], 0.2),
    (Intent::Status, &[Idea::Status], 2.2),
    (Intent::Status, &[Idea::Status, Idea::Run], 0.4),
    (Intent::Status, &[Idea::Good, Idea::Run, Idea::Last], 1.0),
    (Intent::Status, &[Idea::Good], 0.8),
    (Intent::Status, &[Idea::Good, Idea::Last], 0.8),
    (Intent::List, &[Idea::Run], 0.9),
    (Intent::List, &[Idea::Show, Idea::Run], 1.2),
    (Intent::List, &[Idea::Running], 2.2),
    (Intent::List, &[Idea::Run, Idea::Fail], 0.6),
    (Intent::List, &[Idea::Run, Idea::Last], 0.5),
    (Intent::List, &[Idea::Cancelled], 1.8),
    (Intent::List, &[Idea::Show, Idea::Fail, Idea::Run], 0.4),
    (Intent::List, &[Idea::Count], -1.0),
    (Intent::Definition, &[Idea::Define], 1.8),
    (Intent::Definition, &[Idea::Define, Idea::Playbook], 0.8),
    (Intent::Definition, &[Idea::Show, Idea::Playbook], 0.6),
    (Intent::Definition, &[Idea::Step, Idea::Define], 0.6),
    (Intent::Definition, &[Idea::Step, Idea::Show], 0.4),
    (Intent::Playbooks, &[Idea::Playbook], 0.8),
    (Intent::Playbooks, &[Idea::Show, Idea::Playbook], 1.4),
    (Intent::Playbooks, &[Idea::Count, Idea::Playbook], 2.6),
    (Intent::Playbooks, &[Idea::Fail], -1.2),
    (Intent::Playbooks, &[Idea::Like], -1.0),
    (Intent::Playbooks, &[Idea::Most], -1.0),
    (Intent::Playbooks, &[Idea::Slow], -1.0),
    (Intent::Playbooks, &[Idea::Rate], -1.0),
    (Intent::Search, &[Idea::Search], 1.4),
    (Intent::Search, &[Idea::Document], 2.6),
    (Intent::Search, &[Idea::Search, Idea::Document], 0.6),
    (Intent::Search, &[Idea::Unusual], -0.6),
    (Intent::WhatIf, &[Idea::WhatIf], 2.4),
    (Intent::WhatIf, &[Idea::Parameter], 0.6),
    (Intent::WhatIf, &[Idea::WhatIf, Idea::Parameter], 1.5),
    (Intent::Proposals, &[Idea::Propose], 2.8),
    (Intent::Simulate, &[Idea::Simulate], 3.2),
    (Intent::Help, &[Idea::Help], 3.0),
];

/// Questions of each kind; those that help shows come first.
pub(crate) const EXAMPLES: &[(Intent, &[&str])] = &[
    (
        Intent::Why,
        &[
            "why did last night's load fail?",
            "what went wrong in the last run",
            "explain the last failure",
            "root cause of execution",
        ],
    ),
    (
        Intent::TopFailures,
        &[
            "what fails most this week and since when?",
            "which errors are there",
            "top failures",
            "is there a new kind of error",
            "what keeps breaking",
        ],
    ),
    (
        Intent::Counts,
        &[
            "how many runs failed since Monday?",
            "which playbook fails most",
            "how many executions ran",
            "what ran most",
        ],
    ),
    (Intent::CountsByTime, &["how many runs failed per day this week?", "failures by hour"]),
    (
        Intent::Rates,
        &[
            "how often does the orders load fail?",
            "failure rate",
            "how reliable is it",
            "do retries help",
            "what does it cost",
        ],
    ),
    (
        Intent::Durations,
        &["how long does the orders load take?", "which playbook is slowest", "run time of it"],
    ),
    (
        Intent::SlowestStep,
        &["which step is slowest?", "where does the time go", "what holds it up", "bottleneck"],
    ),
    (
        Intent::Anomalies,
        &[
            "is anything unusual today?",
            "what is different from normal",
            "anything strange",
            "did something become slower than usual",
        ],
    ),
    (
        Intent::Compare,
        &[
            "compare the last two runs of the orders load",
            "what changed between the runs",
            "difference between a good and a failed run",
        ],
    ),
    (Intent::LikePlaybook, &["which playbooks are like this one?", "similar workflows"]),
    (
        Intent::LikeExecution,
        &["has this failed like that before?", "similar failures", "which runs are like this one"],
    ),
    (
        Intent::Events,
        &[
            "show me the events of the last failure",
            "log of the last run",
            "what happened in that run step by step",
        ],
    ),
    (
        Intent::Status,
        &["how is the last run doing?", "is it done", "did the last load finish", "status of the run"],
    ),
    (
        Intent::List,
        &["which runs failed yesterday?", "list executions", "what is running now", "show the last runs"],
    ),
    (
        Intent::Definition,
        &["what does the orders load do?", "show the definition", "which steps does it have"],
    ),
    (Intent::Playbooks, &["which playbooks are there?", "list workflows"]),
    (
        Intent::Search,
        &[
            "have we seen \"connection refused\" before?",
            "what do our documents say about backups",
            "find failures about timeouts",
        ],
    ),
    (Intent::WhatIf, &["what would happen with batch size 500?", "what if it had 5 attempts"]),
    (
        Intent::Proposals,
        &["which proposals wait for a decision?", "what do you suggest", "how can it be improved"],
    ),
    (Intent::Simulate, &["simulate proposal 386547056640512000"]),
    (Intent::Help, &["what can you answer?", "help"]),
];

/// Points below which nothing is said to be understood.
pub(crate) const LEAST: f64 = 1.3;

/// Kinds with their points, best first.
pub(crate) fn weigh(words: &[String], ideas: &[Option<Idea>], signs: Signs) -> Vec<(Intent, f64)> {
    let present: BTreeSet<Idea> = ideas.iter().flatten().copied().collect();
    let mut scored: Vec<(Intent, f64)> = EXAMPLES
        .iter()
        .map(|(intent, examples)| {
            let said: f64 = WEIGHTS
                .iter()
                .filter(|(of, needs, _)| of == intent && needs.iter().all(|idea| present.contains(idea)))
                .map(|(.., points)| points)
                .sum();
            let alike = examples.iter().map(|example| likeness(words, ideas, example)).fold(0.0, f64::max);
            (*intent, said + 1.2 * alike + of_signs(*intent, signs, &present))
        })
        .collect();
    scored.sort_by(|a, b| b.1.total_cmp(&a.1));
    scored
}

fn of_signs(intent: Intent, signs: Signs, present: &BTreeSet<Idea>) -> f64 {
    match intent {
        Intent::Compare if signs.executions == 2 => 3.0,
        Intent::Compare if present.contains(&Idea::Unusual) => -1.0,
        Intent::WhatIf if signs.has_parameter => 1.8,
        Intent::Status if signs.executions == 1 => 1.4,
        Intent::Why | Intent::Events if signs.executions == 1 => 0.4,
        Intent::Search if signs.has_quote => 1.6,
        Intent::Definition if signs.has_playbook => 0.4,
        Intent::Playbooks if signs.has_playbook => -1.5,
        Intent::Playbooks if present.contains(&Idea::Run) => -0.8,
        Intent::Rates if signs.has_playbook && present.contains(&Idea::Fail) => 0.1,
        Intent::List if signs.has_playbook => 0.2,
        Intent::SlowestStep if signs.has_step => -0.6,
        Intent::Durations if signs.has_step => 0.6,
        _ => 0.0,
    }
}

/// How much of a question and of an example is the same (Dice): ideas where words have them, else the words.
fn likeness(words: &[String], ideas: &[Option<Idea>], example: &str) -> f64 {
    let bag = |words: &[String], ideas: &[Option<Idea>]| -> BTreeSet<String> {
        words
            .iter()
            .zip(ideas)
            .filter_map(|(word, idea)| match idea {
                Some(Idea::And) => None,
                Some(idea) => Some(format!("{idea:?}")),
                None if is_empty(word) => None,
                None => Some(super::words::stem(word).to_owned()),
            })
            .collect()
    };
    let example_words = super::words::words(example);
    let example_ideas = super::words::ideas(&example_words);
    let (a, b) = (bag(words, ideas), bag(&example_words, &example_ideas));
    if a.is_empty() || b.is_empty() {
        return 0.0;
    }
    2.0 * a.intersection(&b).count() as f64 / (a.len() + b.len()) as f64
}
