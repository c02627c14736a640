//! Words of a question, and the ideas they stand for.

/// What a word is about, whatever its form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Idea {
    Why,
    Fail,
    Good,
    Most,
    Slow,
    Duration,
    Like,
    Compare,
    Unusual,
    Count,
    Rate,
    Event,
    Status,
    Running,
    Cancelled,
    Playbook,
    Run,
    Step,
    Cost,
    Retry,
    WhatIf,
    Parameter,
    Propose,
    Simulate,
    Search,
    Document,
    Show,
    Last,
    Define,
    Per,
    Help,
    It,
    SinceWhen,
    And,
}

/// Lower-case words; paths, dates and times stay whole.
pub(crate) fn words(question: &str) -> Vec<String> {
    let text = question.to_lowercase().replace(['’', '`'], "'");
    text.split(|character: char| {
        character.is_whitespace()
            || matches!(character, '?' | '!' | ',' | ';' | '"' | '(' | ')' | '[' | ']' | '=' | '…')
    })
    .map(|word| word.trim_matches(['.', ':', '\'']))
    .map(|word| word.strip_suffix("'s").unwrap_or(word))
    .filter(|word| !word.is_empty())
    .map(str::to_owned)
    .collect()
}

/// What stands in quotes or backticks, as it was written.
pub(crate) fn quoted(question: &str) -> Vec<String> {
    let mut found = Vec::new();
    for quote in ['"', '`'] {
        let parts: Vec<&str> = question.split(quote).collect();
        found.extend(
            parts
                .iter()
                .skip(1)
                .step_by(2)
                .filter(|part| !part.trim().is_empty())
                .map(|part| (*part).to_owned()),
        );
    }
    if question.matches(['"', '`']).count() % 2 == 1 {
        found.clear();
    }
    found
}

/// Ideas that take several words, longest first where one begins another.
const PHRASES: &[(&str, Idea)] = &[
    ("since when", Idea::SinceWhen),
    ("what would happen", Idea::WhatIf),
    ("what would change", Idea::WhatIf),
    ("what happens if", Idea::WhatIf),
    ("what if", Idea::WhatIf),
    ("would it help", Idea::WhatIf),
    ("what went wrong", Idea::Why),
    ("what happened to", Idea::Why),
    ("what happened with", Idea::Why),
    ("what happened in", Idea::Event),
    ("what happened during", Idea::Event),
    ("what broke", Idea::Why),
    ("how come", Idea::Why),
    ("root cause", Idea::Why),
    ("what is wrong", Idea::Why),
    ("what's wrong", Idea::Why),
    ("how many", Idea::Count),
    ("number of", Idea::Count),
    ("how often", Idea::Rate),
    ("how reliable", Idea::Rate),
    ("how much", Idea::Cost),
    ("how long", Idea::Duration),
    ("how fast", Idea::Duration),
    ("side by side", Idea::Compare),
    ("out of the ordinary", Idea::Unusual),
    ("not normal", Idea::Unusual),
    ("as usual", Idea::Unusual),
    ("what can you", Idea::Help),
    ("what can i ask", Idea::Help),
    ("how do i use", Idea::Help),
    ("look for", Idea::Search),
    ("looking for", Idea::Search),
    ("know about", Idea::Search),
    ("say about", Idea::Search),
    ("seen before", Idea::Search),
    ("ever seen", Idea::Search),
    ("step by step", Idea::Event),
    ("holds up", Idea::Slow),
    ("hold up", Idea::Slow),
    ("holding up", Idea::Slow),
    ("going on", Idea::Status),
    ("per day", Idea::Per),
    ("per hour", Idea::Per),
    ("by day", Idea::Per),
    ("by hour", Idea::Per),
    ("each day", Idea::Per),
    ("every day", Idea::Per),
    ("day by day", Idea::Per),
    ("batch size", Idea::Parameter),
    ("in parallel", Idea::Parameter),
    ("at once", Idea::Parameter),
    ("at the same time", Idea::Parameter),
    ("that one", Idea::It),
    ("this one", Idea::It),
];

/// The idea of one word.
fn idea(word: &str) -> Option<Idea> {
    Some(match word {
        "why" | "reason" | "reasons" | "explain" | "diagnose" | "diagnosis" | "cause" | "caused" => Idea::Why,
        "fail" | "fails" | "failed" | "failing" | "failure" | "failures" | "broke" | "broken" | "breaks"
        | "break" | "breaking" | "crash" | "crashed" | "crashes" | "crashing" | "die" | "died" | "dies"
        | "error" | "errors" | "errored" | "problem" | "problems" | "trouble" | "issue" | "issues"
        | "wrong" | "unsuccessful" | "exception" | "exceptions" | "red" | "fell" | "blew" | "incident"
        | "incidents" | "stop" | "stopped" => Idea::Fail,
        "good" | "successful" | "succeeded" | "succeed" | "succeeds" | "success" | "completed"
        | "complete" | "green" | "worked" | "passed" | "fine" | "finished" | "finish" => Idea::Good,
        "most" | "often" | "frequent" | "frequently" | "common" | "commonest" | "top" | "main" | "worst"
        | "biggest" | "mostly" | "usual" | "usually" => Idea::Most,
        "slow" | "slowest" | "slower" | "longest" | "bottleneck" | "bottlenecks" | "drag" | "drags"
        | "latency" | "sluggish" | "longer" => Idea::Slow,
        "duration" | "durations" | "took" | "takes" | "take" | "runtime" | "fast" | "quick" | "quickly"
        | "time" | "times" | "fastest" | "minutes" | "seconds" | "speed" => Idea::Duration,
        "like" | "similar" | "resemble" | "resembles" | "alike" | "comparable" | "related" | "akin" => {
            Idea::Like
        }
        "compare" | "comparison" | "compared" | "difference" | "differences" | "differ" | "differs"
        | "different" | "diff" | "versus" | "vs" | "against" | "changed" | "contrast" => Idea::Compare,
        "unusual" | "strange" | "odd" | "weird" | "anomaly" | "anomalies" | "anomalous" | "abnormal"
        | "unexpected" | "outlier" | "outliers" | "suspicious" | "normal" | "off" | "funny" | "spike"
        | "spikes" | "peculiar" | "noteworthy" | "drift" | "drifted" => Idea::Unusual,
        "count" | "total" | "amount" => Idea::Count,
        "rate" | "rates" | "reliable" | "reliability" | "percentage" | "percent" | "share" | "stats"
        | "statistics" | "flaky" | "flakiest" | "unreliable" | "stable" => Idea::Rate,
        "event" | "events" | "log" | "logs" | "trace" | "timeline" | "happened" => Idea::Event,
        "status" | "state" | "progress" | "doing" | "done" | "stuck" | "hanging" | "going" => Idea::Status,
        "running" | "active" | "ongoing" | "currently" | "unfinished" | "pending" => Idea::Running,
        "cancelled" | "canceled" | "aborted" => Idea::Cancelled,
        "playbook" | "playbooks" | "workflow" | "workflows" | "pipeline" | "pipelines" | "job" | "jobs" => {
            Idea::Playbook
        }
        "run" | "runs" | "execution" | "executions" | "ran" => Idea::Run,
        "step" | "steps" | "task" | "tasks" | "stage" | "stages" => Idea::Step,
        "cost" | "costs" | "expensive" | "cpu" | "memory" | "consume" | "consumes" => Idea::Cost,
        "retry" | "retries" | "retried" | "retrying" | "attempts" | "attempt" | "tries" => Idea::Retry,
        "suppose" | "hypothetically" | "would" => Idea::WhatIf,
        "batch" | "batches" | "concurrency" | "parallel" | "parallelism" | "timeout" | "max_in_flight"
        | "batch_size" | "max_attempts" | "workers" => Idea::Parameter,
        "proposal" | "proposals" | "propose" | "proposed" | "suggestion" | "suggestions" | "suggest"
        | "suggested" | "tune" | "tuning" | "improve" | "improved" | "improvement" | "improvements"
        | "optimise" | "optimize" | "recommendation" | "recommendations" => Idea::Propose,
        "simulate" | "simulation" | "replay" => Idea::Simulate,
        "find" | "search" | "seen" | "mention" | "mentions" | "about" | "anything" => Idea::Search,
        "documentation" | "docs" | "document" | "documents" | "runbook" | "runbooks" | "knowledge"
        | "manual" | "wiki" | "guide" => Idea::Document,
        "show" | "list" | "give" | "display" | "print" | "which" | "see" => Idea::Show,
        "last" | "latest" | "newest" | "recent" | "most-recent" | "previous" => Idea::Last,
        "define" | "defined" | "definition" | "consists" | "yaml" | "describe" | "looks" | "contain"
        | "contains" => Idea::Define,
        "daily" | "hourly" => Idea::Per,
        "help" => Idea::Help,
        "it" | "its" | "that" | "this" | "them" | "those" | "these" => Idea::It,
        "and" | "what" | "how" => Idea::And,
        _ => return None,
    })
}

/// Words that say nothing by themselves.
const EMPTY: &[&str] = &[
    "a",
    "an",
    "the",
    "of",
    "in",
    "on",
    "at",
    "to",
    "for",
    "with",
    "by",
    "from",
    "is",
    "are",
    "was",
    "were",
    "be",
    "been",
    "do",
    "did",
    "has",
    "have",
    "had",
    "i",
    "me",
    "my",
    "we",
    "our",
    "you",
    "your",
    "can",
    "could",
    "please",
    "tell",
    "there",
    "any",
    "all",
    "so",
    "far",
    "than",
    "then",
    "or",
    "not",
    "no",
    "if",
    "set",
    "use",
    "used",
    "when",
    "who",
    "where",
    "will",
    "should",
    "us",
    "just",
    "right",
    "now",
    "today",
    "yesterday",
    "night",
    "week",
    "day",
    "days",
    "hour",
    "hours",
    "month",
    "morning",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "since",
    "until",
    "between",
    "before",
    "after",
    "past",
    "during",
    "over",
    "two",
    "three",
    "one",
    "both",
    "ones",
    "many",
    "much",
    "long",
    "again",
    "get",
    "got",
    "go",
    "up",
    "out",
    "into",
    "per",
    "each",
    "every",
    "other",
    "others",
    "more",
    "less",
    "size",
    "number",
    "name",
    "named",
    "called",
    "whole",
    "history",
    "id",
    "tool",
    "tools",
    "system",
    "weekend",
    "year",
    "ago",
    "happen",
    "happens",
    "thing",
    "things",
    "something",
    "hey",
    "hi",
    "ok",
    "okay",
    "thanks",
    "still",
    "also",
    "instead",
    "same",
    "look",
    "want",
    "need",
    "know",
    "let",
    "say",
    "says",
    "they",
    "as",
    "but",
    "first",
    "second",
];

pub(crate) fn is_empty(word: &str) -> bool {
    EMPTY.contains(&word)
}

/// The idea that each word belongs to: of a phrase, of the word, or of a word that it is a slip of.
pub(crate) fn ideas(words: &[String]) -> Vec<Option<Idea>> {
    let mut found: Vec<Option<Idea>> = words.iter().map(|word| idea(word)).collect();
    for (at, word) in words.iter().enumerate() {
        if found[at].is_none() && !is_empty(word) {
            found[at] = slip(word);
        }
    }
    let says = |word: &str| words.iter().any(|other| other == word);
    for (at, word) in words.iter().enumerate() {
        match word.as_str() {
            // "what does it do" asks for a definition; "how long does it take" does not.
            "does" if says("do") || at + 1 == words.len() => found[at] = Some(Idea::Define),
            // "do retries help" asks for no help.
            "help" if words.len() > 2 => found[at] = None,
            _ => {}
        }
    }
    for (phrase, idea) in PHRASES {
        let parts: Vec<&str> = phrase.split(' ').collect();
        for at in 0..(words.len() + 1).saturating_sub(parts.len()) {
            if parts.iter().zip(&words[at..]).all(|(part, word)| part == word) {
                found[at..at + parts.len()].fill(Some(*idea));
            }
        }
    }
    found
}

/// Long words with a letter wrong, such as `unusal` or `faild`.
fn slip(word: &str) -> Option<Idea> {
    const WORDS: &[&str] = &[
        "failed",
        "failure",
        "failures",
        "failing",
        "slowest",
        "similar",
        "compare",
        "unusual",
        "anomalies",
        "playbook",
        "playbooks",
        "execution",
        "executions",
        "bottleneck",
        "events",
        "running",
        "cancelled",
        "retries",
        "proposals",
        "status",
        "strange",
        "frequent",
    ];
    if word.len() < 5 || !word.chars().all(char::is_alphabetic) {
        return None;
    }
    let near = WORDS.iter().find(|known| strsim::damerau_levenshtein(known, word) == 1)?;
    idea(near)
}

/// A word without its ending, so that `orders` and `order`, `loads` and `loading` are one.
pub(crate) fn stem(word: &str) -> &str {
    for ending in ["ings", "ing", "ies", "ers", "ed", "es", "er", "s"] {
        if let Some(rest) = word.strip_suffix(ending)
            && rest.len() >= 3
        {
            return rest;
        }
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_keep_paths_dates_and_times_whole() {
        assert_eq!(
            words("Why did `demo/orders` fail at 14:30 on 2026-11-20, last night's load?"),
            ["why", "did", "demo/orders", "fail", "at", "14:30", "on", "2026-11-20", "last", "night", "load"]
        );
        assert_eq!(quoted("find \"connection refused\" in `load`"), ["connection refused", "load"]);
    }

    #[test]
    fn a_slip_of_the_finger_is_forgiven() {
        let idea_of = |word: &str| ideas(&[word.to_owned()])[0];
        assert_eq!(idea_of("faild"), Some(Idea::Fail));
        assert_eq!(idea_of("unusal"), Some(Idea::Unusual));
        assert_eq!(idea_of("warehouse"), None);
    }
}
