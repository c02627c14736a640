//! The failing step printed what happened before it said the last thing: a pipe of commands, a clean-up that failed
//! too, code that gives up.

use noetl_domain::cause::{Basis, Cause, Clear};
use noetl_domain::error::TaskError;
use noetl_domain::report::LogLine;

use super::case::{event, failure_item, quoted};
use super::own_error::was_handed_nothing;
use super::{Case, Hypothesis, Point, Support};
use crate::evidence::{Failure, says_nothing};

const RULE: &str = "earlier_lines";

/// Lines before the end that are looked at together.
const LAST: usize = 24;
/// Bytes of them that are looked at, the last ones.
const TOGETHER: usize = 4_000;

pub(super) fn hypotheses(case: &Case<'_>) -> Vec<Hypothesis> {
    let Some(end) = case.end else { return Vec::new() };
    let is_printing = matches!(end.error.kind.as_str(), "shell" | "python")
        || matches!(case.evidence.tool_of(&end.step), Some("shell" | "python" | "script" | "container"));
    if !is_printing {
        return Vec::new();
    }
    let telling = |line: &&LogLine| {
        // A line may say anything; what it is only like says little.
        let (cause, basis) = Cause::with_basis(&TaskError::new("tool_error", line.text.clone()), None);
        line.step == end.step
            && basis != Basis::Likeness
            && !is_frame(&line.text)
            && !is_progress(&line.text)
            && (line.stream == "stderr" || is_complaint(&line.text))
            && !end.error.message.contains(line.text.trim())
            && cause != Cause::Unknown
            && cause != Cause::CodeException
    };
    let lines: Vec<&LogLine> = case.evidence.lines.iter().filter(|line| line.step == end.step).collect();
    // What went well in the end is no complaint.
    let lines: Vec<&LogLine> = lines
        .iter()
        .enumerate()
        .filter(|(at, line)| !is_well(&line.text) && !is_made_good(&lines, *at))
        .map(|(_, line)| *line)
        .collect();
    let told = first_cause(&lines, telling).or_else(|| {
        // What only warns counts where nothing else tells.
        let (mild, grave): (Vec<&LogLine>, Vec<&LogLine>) =
            lines.iter().copied().filter(telling).partition(|line| is_mild(&line.text));
        let of_these = if grave.is_empty() { mild } else { grave };
        // Of a pipe of commands the first that failed counts, of code that tries and tries the last thing it met.
        if end.error.kind == "shell" { of_these.first().copied() } else { of_these.last().copied() }
    });
    let told = told
        .map(|line| (Cause::of(&TaskError::new("tool_error", line.text.clone()), None), line.text.clone()));
    // Code that trips over a null of its own making was handed nothing wrong.
    let told = told.map(|(cause, line)| match cause {
        Cause::DataEmpty if !was_handed_nothing(case, &end.step) => (Cause::CodeException, line),
        cause => (cause, line),
    });
    let Some((cause, line)) = told.filter(|(cause, _)| *cause != end.cause || says_nothing(&end.error))
    else {
        return crash(case, end, &lines).or_else(|| all_told(case, end, &lines)).into_iter().collect();
    };
    let score = match end.cause {
        _ if says_nothing(&end.error) => 0.9,
        Cause::Unknown => 0.9,
        Cause::CodeException if gives_up(&case.said.exception) => 0.82,
        Cause::CodeException if end.error.kind == "shell" => 0.82,
        // Code that trips on its own may have told of something else before, and have coped with it.
        Cause::CodeException => 0.4,
        Cause::ResponseMalformed | Cause::DataEmpty => 0.75,
        Cause::DataTypeMismatch => 0.5,
        // The last words of a shell are words as well; the first of them tell what came first.
        _ if end.error.kind == "shell" => 0.75,
        _ => 0.4,
    };
    // What only a sentence says is less sure than what a library is known to say.
    let ground = Cause::with_basis(&TaskError::new("tool_error", line.clone()), None).1;
    let score = if matches!(ground, Basis::Sentence | Basis::Likeness) { score * 0.9 } else { score };
    let mut hypothesis = Hypothesis::new(RULE, case.root(Some(&end.step), Some(end.event)), cause, score)
        .with_chain(case.tail(end));
    hypothesis.support = if score >= 0.8 { Support::Firm } else { Support::Likely };
    hypothesis.points.push(Point::new(
        format!("Step `{}` printed {} ({})", end.step, quoted(&line), cause.meaning()),
        vec![event(end.event, format!("{} printed: {line}", end.step), format!("the cause {cause}"))],
    ));
    hypothesis.points.push(Point::new(
        format!("Only then it ended with {}", quoted(&end.error.message)),
        vec![failure_item(end, "the last error, a symptom")],
    ));
    vec![hypothesis]
}

/// What runtimes print when a program trips over itself.
const CRASHES: &[&str] = &[
    "nullpointerexception",
    "indexoutofboundsexception",
    "nil pointer dereference",
    "panic: ",
    "panicked at",
    "undefined method",
    "is not a function",
    "is not defined",
    "cannot read propert",
    "unhandled exception",
    "uncaught exception",
    "divide by zero",
    "division by zero",
    "arithmeticexception",
    "assertion failed",
    "referenceerror",
    "subscript out of bounds",
    "non-numeric argument",
    "can't locate object method",
    "fatal error: uncaught",
];

/// A program whose last words say nothing, and that crashed before: its own code is to blame.
fn crash(case: &Case<'_>, end: &Failure, lines: &[&LogLine]) -> Option<Hypothesis> {
    if end.error.kind != "shell" || !is_open(end) {
        return None;
    }
    let is_crash = |text: &str| {
        let lower = text.to_lowercase();
        // R: `Error in f(x) : object 'y' not found`
        CRASHES.iter().any(|mark| lower.contains(mark))
            || lower.contains("object '") && lower.contains("' not found")
    };
    let line = lines.iter().find(|line| line.stream == "stderr" && is_crash(&line.text))?;
    let mut hypothesis =
        Hypothesis::new(RULE, case.root(Some(&end.step), Some(end.event)), Cause::CodeException, 0.7)
            .with_chain(case.tail(end));
    hypothesis.support = Support::Likely;
    hypothesis.points.push(Point::new(
        format!("Step `{}` printed {} ({})", end.step, quoted(&line.text), Cause::CodeException.meaning()),
        vec![event(end.event, format!("{} printed: {}", end.step, line.text), "its code crashed")],
    ));
    hypothesis.points.push(Point::new(
        format!("Then it ended with {}", quoted(&end.error.message)),
        vec![failure_item(end, "the last error, a symptom")],
    ));
    Some(hypothesis)
}

/// Whether the last words of a program leave open what happened.
fn is_open(end: &Failure) -> bool {
    let (own, ground) = Cause::with_basis(&end.error, None);
    let is_guessed = matches!(ground, Basis::Kind | Basis::Likeness);
    says_nothing(&end.error) || own == Cause::Unknown || own == Cause::CodeException && is_guessed
}

/// A program whose last words say nothing, or nothing that is known: what all that it complained of is like.
fn all_told(case: &Case<'_>, end: &Failure, lines: &[&LogLine]) -> Option<Hypothesis> {
    if end.error.kind != "shell" || !is_open(end) {
        return None;
    }
    let whole = last_lines(case, &end.step).unwrap_or_default();
    let clear = Cause::like(&whole, Clear::Fairly);
    if let Some(cause) =
        clear.or_else(|| Cause::like(&whole, Clear::Barely)).filter(|cause| *cause != Cause::CodeException)
    {
        let mut found = of_words(case, end, cause, &whole, 0.72);
        if clear.is_none() {
            found.doubt = 0.6;
        }
        return (cause != Cause::Unknown).then_some(found);
    }
    let words: Vec<&str> = lines
        .iter()
        .filter(|line| line.stream == "stderr" && !is_frame(&line.text) && !is_mild(&line.text))
        .map(|line| line.text.as_str())
        .filter(|text| {
            !says_nothing(&TaskError::new("shell", format!("the command ended with exit status 1: {text}")))
        })
        .collect();
    let words = words.join("\n");
    let (cause, basis) = Cause::with_basis(&TaskError::new("tool_error", words.clone()), None);
    let is_guess = basis == Basis::Likeness && Cause::like(&words, Clear::Surely) != Some(cause);
    if matches!(cause, Cause::Unknown | Cause::CodeException) || basis == Basis::Kind || is_guess {
        return None;
    }
    Some(of_words(case, end, cause, &words, 0.6))
}

/// The last lines that a step complained in, together; none where nothing is left of them.
pub(super) fn last_lines(case: &Case<'_>, step: &str) -> Option<String> {
    let lines = case.evidence.lines.iter().filter(|line| line.step == step && line.stream == "stderr");
    let lines: Vec<&str> = lines.map(|line| line.text.as_str()).collect();
    let mut bytes = 0;
    let is_room = |line: &&str| {
        bytes += line.len() + 1;
        bytes <= TOGETHER
    };
    let mut last: Vec<&str> = lines.into_iter().rev().take(LAST).take_while(is_room).collect();
    last.reverse();
    (!last.is_empty()).then(|| last.join("\n"))
}

fn of_words(case: &Case<'_>, end: &Failure, cause: Cause, words: &str, score: f64) -> Hypothesis {
    let mut hypothesis = Hypothesis::new(RULE, case.root(Some(&end.step), Some(end.event)), cause, score)
        .with_chain(case.tail(end));
    hypothesis.support = Support::Likely;
    hypothesis.doubt = 0.9;
    hypothesis.points.push(Point::new(
        format!("Step `{}` printed {} ({})", end.step, quoted(words), cause.meaning()),
        vec![event(end.event, format!("{} printed: {words}", end.step), format!("the cause {cause}"))],
    ));
    hypothesis
}

/// Exceptions that are raised to say that nothing more can be done, rather than met.
fn gives_up(exception: &str) -> bool {
    !matches!(
        exception,
        "KeyError"
            | "IndexError"
            | "AttributeError"
            | "TypeError"
            | "NameError"
            | "UnboundLocalError"
            | "ZeroDivisionError"
            | "AssertionError"
            | "StopIteration"
            | "LookupError"
            | "ValueError"
            | "RecursionError"
            | "UnicodeDecodeError"
            | "UnicodeEncodeError"
            | "NotImplementedError"
    )
}

/// What lies deepest in a chain of causes that a runtime wrote down, such as Java's `Caused by:`.
fn first_cause<'l>(lines: &[&'l LogLine], telling: impl Fn(&&LogLine) -> bool) -> Option<&'l LogLine> {
    let is_mark = |line: &&LogLine| {
        let text = line.text.trim_start().to_lowercase();
        text.starts_with("caused by:") || text.starts_with("[cause]:") || text.starts_with("root cause:")
    };
    let from = lines.iter().position(is_mark)?;
    lines[from..].iter().rfind(|line| telling(line)).copied()
}

/// `test_login_denied ... ok`: a line that says of itself that all is well.
fn is_well(text: &str) -> bool {
    let lower = text.trim().trim_end_matches(['.', '!']).to_lowercase();
    let last = lower.rsplit(|one: char| !one.is_alphanumeric()).next().unwrap_or_default();
    matches!(
        last,
        "ok" | "passed" | "success" | "succeeded" | "successful" | "connected" | "recovered" | "pass"
    )
}

/// A try that failed, where a later line that begins alike says that it went well.
fn is_made_good(lines: &[&LogLine], at: usize) -> bool {
    let text = lines[at].text.to_lowercase();
    let tries = ["retry", "attempt", "again", "trying"].iter().any(|word| text.contains(word));
    let first = |text: &str| text.split_whitespace().next().map(str::to_lowercase);
    tries && lines[at + 1..].iter().any(|later| first(&later.text) == first(&text) && is_well(&later.text))
}

/// A place in the code, rather than a message.
fn is_frame(text: &str) -> bool {
    let text = text.trim_start();
    ["at ", "File \"", "... ", "goroutine ", "#"].iter().any(|mark| text.starts_with(mark))
}

/// `Loading checkpoint shards:  67%|######7   | 2/3`
fn is_progress(text: &str) -> bool {
    text.match_indices('%').any(|(at, _)| text[..at].ends_with(|one: char| one.is_ascii_digit()))
        && !is_complaint(text)
}

/// A line that its own level says to be less than an error.
fn is_mild(text: &str) -> bool {
    let start: String = text.chars().take(60).collect::<String>().to_lowercase();
    let mut words = start.split(|one: char| !one.is_alphanumeric());
    words.any(|word| {
        matches!(word, "warn" | "warning" | "info" | "debug" | "notice" | "deprecated" | "deprecationwarning")
    })
}

/// A line that tells of something going wrong.
fn is_complaint(text: &str) -> bool {
    const WORDS: &[&str] = &[
        "ora-",
        "panic",
        "caused by",
        "traceback",
        "abort",
        "unavailable",
        "not available",
        "missing",
        "does not exist",
        "evicted",
        "backoff",
        "conflict",
        "insufficient",
        "throttl",
        "code = ",
        "error",
        "exception",
        "fail",
        "fatal",
        "warn",
        "refused",
        "timed out",
        "timeout",
        "denied",
        "cannot",
        "could not",
        "unable",
        "no such",
        "not found",
        "invalid",
        "expired",
        "exceeded",
        "unreachable",
        "reset",
        "out of memory",
        "no space",
        "too many",
        "killed",
        "forbidden",
        "unauthorized",
        "is undefined",
        "not defined",
    ];
    let lower = text.to_lowercase();
    WORDS.iter().any(|word| lower.contains(word))
}
