//! An earlier step completed, and what it produced was empty, null, cut short or of another form than what a later
//! step needed.

use noetl_domain::Value;
use noetl_domain::cause::{Basis, Cause};
use noetl_domain::error::TaskError;
use noetl_domain::mask::is_secret_key;

use super::case::{event, failure_item, line, quoted};
use super::trail::{Trail, follows_from_data, swallowed_by, told_by};
use super::{Case, Hypothesis, Point, Root, Support, child_failed};
use crate::evidence::{Defect, Flaw, Read, Use, is_nothing, short};

const RULE: &str = "upstream";

pub(super) fn hypotheses(case: &Case<'_>) -> Vec<Hypothesis> {
    case.trails().iter().filter_map(|trail| of_trail(case, trail)).collect()
}

fn of_trail(case: &Case<'_>, trail: &Trail) -> Option<Hypothesis> {
    let end = case.end?;
    let origin = trail.origin();
    // Others tell of steps that had an error of their own.
    if swallowed_by(case.run, origin).is_some() || told_by(case.run, origin).is_some() {
        return None;
    }
    let (first, last) = (trail.hops.first()?, trail.hops.last()?);
    let flaw = first.flaw.as_ref()?;
    let source = last.flaw.as_ref().unwrap_or(flaw);
    if matches!(source.defect, Defect::Absent(_)) {
        return None;
    }
    let score = gate(case, flaw) * strength(case, flaw) * implicated(case, &first.reader, &first.read);
    let mut cause = cause_of(source);
    let produced =
        case.run.results.get(origin).or_else(|| case.run.exits.get(origin).map(|left| &left.event)).copied();
    let mut hypothesis = Hypothesis::new(RULE, case.root(Some(origin), produced), cause, score)
        .with_chain(trail.events(case.run).into_iter().chain(case.tail(end)));
    hypothesis.subject = Some(last.read.path.clone());
    let passed_on = trail.hops.iter().take(trail.hops.len() - 1);
    hypothesis.symptoms = passed_on.map(|hop| (case.run.id, hop.maker.clone())).collect();
    hypothesis.support = if flaw.deviates || source.deviates { Support::Firm } else { Support::Likely };
    let was_skipped = case.run.exits.get(origin).is_some_and(|left| left.skipped);
    let how = if was_skipped { "was skipped, so" } else { "completed, but" };
    let text = format!("Step `{origin}` {how} {}", told(source, &last.read.path));
    let mut items = Vec::new();
    if let Some(produced) = produced {
        items.push(event(produced, evidence_of(source, &last.read), format!("the cause {cause}")));
    }
    if let (Some(baseline), true) = (&case.evidence.baseline, source.deviates)
        && let Some(before) = baseline.run.results.get(origin)
    {
        let was = last.read.before.as_ref().map(|was| shown(was, &last.read.path)).unwrap_or_default();
        items.push(event(
            *before,
            format!("{} was {was} in the last good run; {}", last.read.path, evidence_of(source, &last.read)),
            "what it used to be",
        ));
    }
    items.extend(line(case.evidence, origin, "where the step is written"));
    hypothesis.points.push(Point::new(text, items));
    if let Some((cause_told, line)) = printed(case, origin) {
        cause = cause_told;
        hypothesis.cause = cause;
        let item = produced.map(|produced| {
            event(produced, format!("{origin} printed: {line}"), format!("the cause {cause}"))
        });
        hypothesis
            .points
            .push(Point::new(format!("It printed {}", quoted(&line)), item.into_iter().collect()));
    }
    for hop in trail.hops.iter().rev() {
        let items = case.run.exits.get(&hop.reader).filter(|_| hop.reader != end.step);
        if let Some(left) = items {
            let item =
                event(left.event, format!("{} read {}", hop.reader, hop.read.path), "it was passed on");
            hypothesis.points.push(Point::new(
                format!("Step `{}` read `{}` and passed it on", hop.reader, hop.read.path),
                vec![item],
            ));
        }
    }
    hypothesis.points.push(Point::new(
        format!(
            "Step `{}` needs `{}` and failed with {}",
            end.step,
            first.read.path,
            quoted(&end.error.message)
        ),
        vec![failure_item(end, "the failure, a symptom")],
    ));
    if let Some(inside) =
        child_failed::behind_result(case, origin, &format!("{}{}", last.read.path, source.at), cause)
    {
        hypothesis.root = Root { event: inside.root.event.or(hypothesis.root.event), ..inside.root };
        hypothesis.cause = inside.cause;
        hypothesis.points.splice(0..0, inside.points);
    }
    Some(hypothesis)
}

/// How far the error can come from what was read.
fn gate(case: &Case<'_>, flaw: &Flaw) -> f64 {
    let usual = follows_from_data(case.cause, &case.said);
    // A server that fails on a request whose data went missing fails because of that, more often than not.
    let is_lost = flaw.deviates && matches!(flaw.defect, Defect::Nothing | Defect::Empty | Defect::Lacks(_));
    match &flaw.defect {
        _ if is_lost && case.cause == Cause::RemoteServerError => usual.max(0.65),
        Defect::Twice(_) => 0.97,
        // A new row always has another number than the row before it.
        Defect::Named(_) | Defect::Quoted(_) if case.cause == Cause::DataDuplicate => usual,
        // What the error names is what it is about.
        Defect::Named(_)
        | Defect::Counted { .. }
        | Defect::Columns { .. }
        | Defect::Scale { .. }
        | Defect::Unreadable
        | Defect::NoSuchDay(_)
        | Defect::Short { .. }
        | Defect::More(_) => usual.max(0.85),
        Defect::Quoted(_) if flaw.deviates => usual.max(0.85),
        _ => usual,
    }
}

/// Whether the place where it failed has to do with what was read.
fn implicated(case: &Case<'_>, reader: &str, read: &Read) -> f64 {
    let Some(end) = case.end.filter(|end| end.step == reader) else { return 1.0 };
    if end.error.kind == "python" {
        let names: Vec<&str> = read
            .uses
            .iter()
            .filter_map(|used| if let Use::Name(name) = used { Some(name.as_str()) } else { None })
            .collect();
        let near = lines_near(case, reader, &end.error);
        let names = with_aliases(code_of(case, reader).unwrap_or_default(), names);
        let is_near = names.iter().any(|name| has_word(&near, name));
        return if names.is_empty() || near.is_empty() || is_near { 1.0 } else { 0.4 };
    }
    let fields: &[&str] = match case.cause {
        Cause::RequestNotFound | Cause::NetworkDns | Cause::NetworkRefused => {
            &["url", "endpoint", "params", "path", "query", "base_url", "host"]
        }
        Cause::AuthUnauthenticated | Cause::AuthForbidden => {
            &["headers", "auth", "params", "url", "endpoint", "body", "json", "payload", "data"]
        }
        _ => return 1.0,
    };
    let is_there = read.uses.iter().any(|used| match used {
        Use::Field(field) => fields.contains(&field.as_str()),
        Use::Name(_) | Use::Other => true,
    });
    if is_there { 1.0 } else { 0.4 }
}

/// Lines above the one that failed that may lead to it: the condition before a `raise`.
const ABOVE: usize = 3;

/// The code that the traceback shows, and a little above its last line.
fn lines_near(case: &Case<'_>, step: &str, error: &TaskError) -> String {
    let trace = error.details.get("traceback").and_then(Value::as_str).unwrap_or_default();
    let shown =
        trace.lines().filter(|line| line.starts_with("    ") && !line.trim_start().starts_with(['^', '~']));
    let mut text: String = shown.collect::<Vec<_>>().join("\n");
    let code = code_of(case, step);
    let at = error.details.get("line").and_then(Value::as_u64).map(|line| line as usize);
    if let (Some(code), Some(at)) = (code, at) {
        let lines: Vec<&str> = code.lines().collect();
        let from = at.saturating_sub(ABOVE + 1);
        text.extend(lines.iter().skip(from).take(at - from).flat_map(|line| ["\n", line]));
    }
    text
}

fn code_of<'c>(case: &'c Case<'_>, step: &str) -> Option<&'c str> {
    let step = case.evidence.playbook()?.step(step)?;
    step.body.iter().find_map(|task| task.config.get("code").and_then(Value::as_str))
}

/// Rounds in which names are found that hold what other names hold.
const ROUNDS: usize = 4;

/// The names, and those that code gives to the same or to a part of it: `body = answer['data']`, `for row in body:`.
fn with_aliases<'c>(code: &'c str, names: Vec<&'c str>) -> Vec<&'c str> {
    let mut found = names;
    for _ in 0..ROUNDS {
        let known = found.len();
        for line in code.lines().map(str::trim) {
            let given = match line.strip_prefix("for ").and_then(|rest| rest.split_once(" in ")) {
                Some(given) => Some(given),
                None => line.split_once('=').filter(|(name, rest)| {
                    !rest.starts_with('=') && !name.ends_with(['!', '<', '>', '+', '-', '*'])
                }),
            };
            let Some((to, from)) = given else { continue };
            // What is reckoned from it is something else.
            let end = from.trim_start().find(|one: char| !(one.is_alphanumeric() || one == '_'));
            let (first, rest) = from.trim_start().split_at(end.unwrap_or(from.trim_start().len()));
            let is_it = rest.trim_start().is_empty()
                || rest.starts_with(['[', '.', ':'])
                || rest.starts_with(" or ")
                || rest.starts_with(" if ");
            if !is_it || !found.contains(&first) {
                continue;
            }
            for name in to.split(',').map(str::trim) {
                let is_name = !name.is_empty() && name.chars().all(|one| one.is_alphanumeric() || one == '_');
                // What the step gives is no name of what it read.
                if is_name && name != "result" && !found.contains(&name) {
                    found.push(name);
                }
            }
        }
        if found.len() == known {
            break;
        }
    }
    found
}

fn has_word(text: &str, word: &str) -> bool {
    text.split(|character: char| !(character.is_alphanumeric() || character == '_'))
        .any(|found| found == word)
}

#[expect(
    clippy::match_same_arms,
    reason = "each line is a judgement of its own, in the order they are tried"
)]
pub(super) fn strength(case: &Case<'_>, flaw: &Flaw) -> f64 {
    let said = &case.said;
    let end = case.cause;
    let is_whole = flaw.at.is_empty();
    let about_nothing = said.about_nothing
        || matches!(end.family(), "template" | "sql")
        || end == Cause::DataConstraint
        || end == Cause::PlaybookLoopSource
        || end == Cause::DataEmpty
        || end == Cause::RequestInvalid
        || end == Cause::AuthUnauthenticated
        || end == Cause::ToolConfig;
    let by_zero = said.exception == "ZeroDivisionError";
    let about_json = said.exception == "JSONDecodeError" || end == Cause::ResponseMalformed;
    let names = |keys: &[String]| keys.iter().any(|key| said.names(key));
    match (&flaw.defect, flaw.deviates) {
        (Defect::Nothing | Defect::Empty, true) if is_whole || about_nothing => 0.94,
        (Defect::Nothing | Defect::Empty, true) => 0.7,
        (Defect::Nothing | Defect::Empty, false) if is_whole && about_nothing => 0.85,
        (Defect::Nothing | Defect::Empty, false) if is_whole => 0.55,
        (Defect::Nothing | Defect::Empty, false) if about_nothing => 0.72,
        (Defect::Nothing | Defect::Empty, false) => 0.25,
        (Defect::Zero, _) if by_zero => 0.92,
        (Defect::Zero, true) | (Defect::Unnamed(_), _) => 0.5,
        (Defect::Zero, false) => 0.1,
        (Defect::Lacks(keys), _) if names(keys) => 0.97,
        (Defect::Lacks(_), _) => 0.8,
        (Defect::Absent(_), _) => 0.0,
        (Defect::Elements(_) | Defect::Reordered, _) => 0.85,
        (Defect::SaysNone(_), true) => 0.95,
        (Defect::SaysNone(_), false) => 0.85,
        (Defect::Type { .. }, _) if said.about_form || end == Cause::DataTypeMismatch => 0.94,
        (Defect::Type { .. } | Defect::NumberAsText(_), _) => 0.75,
        (Defect::Fewer { .. }, _) if said.about_few => 0.85,
        (Defect::Fewer { .. }, _) => 0.2,
        (Defect::Cut | Defect::NotJson, _) if about_json => 0.94,
        (Defect::Cut | Defect::NotJson, _) => 0.65,
        (Defect::Columns { .. }, _) if said.about_form || said.about_nothing || said.about_conversion => 0.95,
        (Defect::Columns { .. }, _) => 0.7,
        (Defect::Scale { .. }, _) => 0.85,
        (Defect::Unreadable, true) => 0.9,
        (Defect::Unreadable, false) => 0.8,
        (Defect::NoSuchDay(_) | Defect::Twice(_), _) => 0.93,
        (Defect::Longer { .. } | Defect::Form { .. }, _) => 0.88,
        (Defect::Short { .. } | Defect::More(_), _) => 0.85,
        (Defect::Quoted(_) | Defect::Named(_) | Defect::Counted { .. }, _) => 0.85,
    }
}

pub(super) fn cause_of(flaw: &Flaw) -> Cause {
    match flaw.defect {
        Defect::Nothing
        | Defect::Empty
        | Defect::SaysNone(_)
        | Defect::Zero
        | Defect::Fewer { .. }
        | Defect::Short { .. }
        | Defect::More(_) => Cause::DataEmpty,
        Defect::Lacks(_)
        | Defect::Unnamed(_)
        | Defect::Absent(_)
        | Defect::Columns { .. }
        | Defect::Reordered
        | Defect::Elements(_) => Cause::ResponseSchemaChanged,
        Defect::Type { .. }
        | Defect::Quoted(_)
        | Defect::Named(_)
        | Defect::Counted { .. }
        | Defect::NumberAsText(_)
        | Defect::Scale { .. }
        | Defect::Longer { .. }
        | Defect::Form { .. }
        | Defect::NoSuchDay(_) => Cause::DataTypeMismatch,
        Defect::Cut | Defect::NotJson | Defect::Unreadable => Cause::ResponseMalformed,
        Defect::Twice(_) => Cause::DataDuplicate,
    }
}

pub(super) fn told(flaw: &Flaw, path: &str) -> String {
    let place = match flaw.at.as_str() {
        "" => format!("`{path}`"),
        at => format!("`{at}` in `{path}`"),
    };
    let before = if flaw.deviates { ", unlike in the last good run" } else { "" };
    match &flaw.defect {
        Defect::Nothing => format!("{place} is null or not there{before}"),
        Defect::Empty => format!("{place} is empty{before}"),
        Defect::Zero => format!("{place} is zero{before}"),
        Defect::SaysNone(words) => format!("{place} says itself that there is nothing (`{words}`){before}"),
        Defect::Lacks(keys) => {
            format!("its result no longer has `{}`, which the last good run had", keys.join("`, `"))
        }
        Defect::Elements(lost) => format!(
            "{place} no longer has elements of the name `{}`, which the last good run had",
            lost.join("`, `")
        ),
        Defect::Reordered => format!("{place} has its lines in another order than in the last good run"),
        Defect::Unnamed(key) | Defect::Absent(key) => format!("there is no `{key}` in {place}"),
        Defect::Type { before, now } if flaw.deviates => {
            format!("{place} is {now} where the last good run had {before}")
        }
        Defect::Type { before, now } => format!("{place} is {now} where its neighbours are {before}"),
        Defect::Fewer { before, now } | Defect::Counted { before, now } => {
            format!("{place} has {now} elements where the last good run had {before}")
        }
        Defect::Cut => format!("{place} breaks off{before}"),
        Defect::NotJson => format!("{place} is not JSON{before}"),
        Defect::Columns { before, now: 1 } => {
            format!("{place} is in one piece where the last good run had {before} fields")
        }
        Defect::Columns { before, now } => {
            format!("{place} is a table of {now} columns where the last good run had {before} others")
        }
        Defect::Quoted(_) => format!("{place} is the very value that the error names"),
        Defect::Named(_) => {
            format!(
                "{place} is the very number that the error names, and was another one in the last good run"
            )
        }
        Defect::NumberAsText(_) => format!("{place} is a number written as text"),
        Defect::Scale { before, now } => {
            format!("{place} is {now} where the last good run had {before}, as if it were in another unit")
        }
        Defect::Longer { before, now } => {
            format!("{place} is a text of {now} characters where the last good run had {before}")
        }
        Defect::Form { .. } => format!("{place} is written in another form than in the last good run"),
        Defect::Unreadable => format!("{place} is not in the form in which it was read{before}"),
        Defect::NoSuchDay(day) => format!("{place} is {day}, a day that does not exist"),
        Defect::Twice(text) => format!("{place} is {text} a second time"),
        Defect::More(key) => format!("`{key}` in {place} says that there is more of it"),
        Defect::Short { said, has } => {
            format!("{place} has {has} elements, and there are {said} by its own account")
        }
    }
}

/// A value that was read, unless its name says that it is a secret.
fn shown(value: &Value, path: &str) -> String {
    let key = path.rsplit('.').next().unwrap_or(path);
    if is_secret_key(key) && !is_nothing(value) { "masked".to_owned() } else { short(value) }
}

fn evidence_of(flaw: &Flaw, read: &Read) -> String {
    let now = read.now.as_ref().map(|now| shown(now, &read.path)).unwrap_or_default();
    match &flaw.defect {
        Defect::Fewer { before, now: count } | Defect::Counted { before, now: count } => {
            format!("{} is {now}: {count} elements, before {before}", read.path)
        }
        Defect::Lacks(keys) => format!("{} is {now}; lost: {}", read.path, keys.join(", ")),
        Defect::Columns { before, now: count } => {
            format!("{} is {now}: {count} columns, before {before}", read.path)
        }
        Defect::Short { said, has } => format!("{} is {now}: {has} elements of {said}", read.path),
        Defect::Scale { before, now: number } => {
            format!("{} is {now}: {number}, before {before}", read.path)
        }
        Defect::NoSuchDay(day) => format!("{} is {now}: {day}", read.path),
        Defect::Longer { before, now: count } => {
            format!("{} is {now}: {count} characters, before {before}", read.path)
        }
        Defect::Form { before, now: text } => format!("{} is {now}: {text}, before {before}", read.path),
        _ => format!("{} is {now}", read.path),
    }
}

/// What the step's own lines say of an error that it did not raise.
pub(super) fn printed(case: &Case<'_>, step: &str) -> Option<(Cause, String)> {
    // What the worker says of tries that failed before one went well is no part of what came of it.
    let lines = case.evidence.lines.iter().filter(|line| line.step == step && line.stream != "noetl");
    lines
        .filter(|line| {
            let lower = line.text.to_lowercase();
            line.stream == "stderr"
                || [
                    "error",
                    "exception",
                    "failed",
                    "failure",
                    "warn",
                    "refused",
                    "timed out",
                    "timeout",
                    "denied",
                ]
                .iter()
                .any(|word| lower.contains(word))
        })
        .find_map(|line| {
            let (cause, basis) = Cause::with_basis(&TaskError::new("tool_error", line.text.clone()), None);
            (cause != Cause::Unknown && basis != Basis::Likeness).then(|| (cause, line.text.clone()))
        })
}

#[cfg(test)]
mod tests {
    use noetl_domain::cause::Cause;
    use serde_json::json;

    use crate::testing::{Lab, http_error, ok, python_error};

    #[test]
    fn an_empty_result_is_to_blame_for_the_step_that_needed_it() {
        let lab = Lab::new("a\nb reads a.rows");
        lab.run(&[
            ("a", ok(json!({"rows": []}))),
            ("b", python_error("IndexError", "list index out of range")),
        ])
        .blames("a", Cause::DataEmpty);
    }

    #[test]
    fn emptiness_is_followed_to_where_it_began() {
        let lab = Lab::new("a\nb reads a.rows\nc reads b.kept");
        lab.run(&[
            ("a", ok(json!({"rows": []}))),
            ("b", ok(json!({"kept": []}))),
            ("c", python_error("ValueError", "no rows to load")),
        ])
        .blames("a", Cause::DataEmpty);
    }

    #[test]
    fn a_name_that_the_last_good_run_had_is_missed() {
        let lab = Lab::new("a\nb reads a").good(&[("a", ok(json!({"items": [1], "n": 1}))), ("b", ok(1))]);
        lab.run(&[("a", ok(json!({"entries": [1], "n": 1}))), ("b", python_error("KeyError", "'items'"))])
            .blames("a", Cause::ResponseSchemaChanged);
    }

    #[test]
    fn an_id_that_is_null_explains_a_page_that_is_not_found() {
        let lab = Lab::new("a\nb reads a.id");
        lab.run(&[("a", ok(json!({"id": null, "name": "x"}))), ("b", http_error(404, "Not Found"))])
            .blames("a", Cause::DataEmpty);
    }

    #[test]
    fn data_is_not_to_blame_for_a_network_that_is_down() {
        let lab = Lab::new("a\nb reads a.note");
        lab.run(&[("a", ok(json!({"note": null}))), ("b", http_error(503, "Service Unavailable"))])
            .blames("b", Cause::RemoteUnavailable);
    }

    #[test]
    fn what_was_null_in_the_good_run_too_is_no_deviation() {
        let lab = Lab::new("a\nb reads a.note").good(&[("a", ok(json!({"note": null}))), ("b", ok(1))]);
        lab.run(&[("a", ok(json!({"note": null}))), ("b", python_error("ValueError", "no rows"))])
            .blames("b", Cause::CodeException);
    }

    #[test]
    fn names_that_hold_what_was_read_are_followed() {
        let code =
            "body = answer\nwhile True:\n    body = body['data']\nfor row, n in body:\n    x = row\ny = 3";
        assert_eq!(super::with_aliases(code, vec!["answer"]), ["answer", "body", "row", "n", "x"]);
    }

    #[test]
    fn the_value_that_the_error_quotes_is_followed_to_its_maker() {
        let lab = Lab::new("a\nb reads a.price");
        let error = python_error("ValueError", "could not convert string to float: '12,50'");
        lab.run(&[("a", ok(json!({"price": "12,50"}))), ("b", error)]).blames("a", Cause::DataTypeMismatch);
    }
}
