//! Trails: from the step that failed back along what it read, to the step whose result was wrong first.

use std::collections::HashMap;
use std::sync::Arc;

use noetl_domain::Value;
use noetl_domain::cause::Cause;
use noetl_domain::error::TaskError;
use noetl_domain::result::{ResultKind, Stored};

use super::Case;
use crate::evidence::{
    Defect, EventRef, Evidence, Failure, Flaw, Origin, Read, Run, Said, at_path, compare, count_of, has_key,
    in_band, is_nothing, list_of, nothing_called, place_of, reads_of, shared, short_of, stands_in,
};

/// Steps that a trail leads through at most.
const LONGEST: usize = 32;
const MOST_LOOKS: usize = 1_000;
/// Levels of a value in which something is looked for that was found one step later.
const LEVELS: usize = 6;

/// One read whose value is suspicious.
#[derive(Clone, Debug)]
pub(crate) struct Hop {
    /// Who read it.
    pub(crate) reader: String,
    /// Who made it.
    pub(crate) maker: String,
    pub(crate) read: Read,
    /// None: the value looks right, but its maker had an error that it passed over.
    pub(crate) flaw: Option<Flaw>,
}

/// From the step that failed back to where it began.
#[derive(Clone, Debug)]
pub(crate) struct Trail {
    /// The nearest to the failure first.
    pub(crate) hops: Vec<Hop>,
}

impl Trail {
    pub(crate) fn origin(&self) -> &str {
        self.hops.last().map_or("", |hop| hop.maker.as_str())
    }

    /// Events from the origin to the failing step.
    pub(crate) fn events(&self, run: &Run) -> Vec<EventRef> {
        let of = |step: &str| {
            run.results.get(step).or_else(|| run.exits.get(step).map(|left| &left.event)).copied()
        };
        self.hops.iter().rev().filter_map(|hop| of(&hop.maker)).collect()
    }
}

/// Every trail from a failing step.
pub(crate) fn trails(evidence: &Evidence, step: &str, said: &Said) -> Vec<Trail> {
    let mut walk =
        Walk { evidence, reads: HashMap::new(), so_far: Vec::new(), found: Vec::new(), left: MOST_LOOKS };
    walk.from(step, said);
    walk.found
}

/// A look at everything upstream, depth first.
struct Walk<'a> {
    evidence: &'a Evidence,
    /// Evaluated once per step.
    reads: HashMap<String, Arc<Vec<Read>>>,
    so_far: Vec<Hop>,
    found: Vec<Trail>,
    /// Looks that are left, so that a graph with very many ways through it ends too.
    left: usize,
}

impl Walk<'_> {
    fn reads_of(&mut self, step: &str) -> Arc<Vec<Read>> {
        let evidence = self.evidence;
        let known = self.reads.entry(step.to_owned());
        Arc::clone(known.or_insert_with(|| Arc::new(reads_of(evidence, step))))
    }

    fn from(&mut self, step: &str, said: &Said) {
        if self.so_far.len() >= LONGEST {
            return;
        }
        for read in self.reads_of(step).iter() {
            let Origin::Step(maker) = &read.origin else { continue };
            let is_known = self.so_far.iter().any(|hop| hop.maker == *maker || hop.reader == *maker);
            // A step that never ran made nothing wrong.
            if maker == step || is_known || !self.evidence.run.exits.contains_key(maker) {
                continue;
            }
            let Some(left) = self.left.checked_sub(1) else { return };
            self.left = left;
            let run = &self.evidence.run;
            if is_silent(said) && self.is_aside(step, read) {
                continue;
            }
            let flaw = flaw_of(self.evidence, maker, read, said)
                .or_else(|| self.carried(read))
                .or_else(|| self.came_before(step, read, said));
            if flaw.is_none() && swallowed_by(run, maker).is_none() && told_by(run, maker).is_none() {
                continue;
            }
            self.so_far.push(Hop { reader: step.to_owned(), maker: maker.clone(), read: read.clone(), flaw });
            self.beyond(maker, said);
            self.so_far.pop();
        }
    }

    /// A null beside a list that is full, with no good run to compare with: an option, rather than the data.
    fn is_aside(&mut self, step: &str, read: &Read) -> bool {
        let is_null = read.now.as_ref().is_some_and(Value::is_null);
        let is_full =
            |other: &Read| other.now.as_ref().and_then(Value::as_array).is_some_and(|list| !list.is_empty());
        self.evidence.baseline.is_none() && is_null && self.reads_of(step).iter().any(is_full)
    }

    /// The way so far. A name that a step of one's own never gave is its reader's fault, unless the way leads on to an
    /// error.
    fn told_part(&self) -> Vec<Hop> {
        let is_absent =
            |hop: &Hop| hop.flaw.as_ref().is_some_and(|flaw| matches!(flaw.defect, Defect::Absent(_)));
        let run = &self.evidence.run;
        let mut hops = self.so_far.clone();
        let tells = hops
            .last()
            .is_some_and(|hop| swallowed_by(run, &hop.maker).is_some() || told_by(run, &hop.maker).is_some());
        while !tells && hops.len() > 1 && hops.iter().rev().take(2).all(is_absent) {
            hops.pop();
        }
        hops
    }

    /// An element that another read of the same step holds already, made by an earlier step.
    fn came_before(&mut self, step: &str, read: &Read, said: &Said) -> Option<Flaw> {
        let Origin::Step(maker) = &read.origin else { return None };
        let now = read.now.as_ref().filter(|_| said.about_twice)?;
        let left = |step: &str| self.evidence.run.exits.get(step).map(|left| left.event.seq);
        let when = left(maker)?;
        let is_earlier = |other: &&Read| match &other.origin {
            Origin::Step(other) => other != maker && left(other).is_some_and(|earlier| earlier < when),
            _ => false,
        };
        let reads = self.reads_of(step);
        let mut others = reads.iter().filter(is_earlier);
        others.find_map(|other| {
            let (at, text) = shared(now, other.now.as_ref()?)?;
            let was_so =
                read.before.as_ref().zip(other.before.as_ref()).is_some_and(|(a, b)| shared(a, b).is_some());
            (!was_so).then(|| Flaw { at, defect: Defect::Twice(text), deviates: read.before.is_some() })
        })
    }

    /// What made it wrong may itself have been handed something wrong; then only deviations and nothingness count.
    fn beyond(&mut self, maker: &str, said: &Said) {
        let known = self.found.len();
        let swallowed = swallowed_by(&self.evidence.run, maker);
        if swallowed.is_none_or(|failure| follows_from_data(failure.cause, &Said::of(&failure.error)) >= 0.5)
        {
            self.from(maker, &self.handed_on(said));
        }
        if self.found.len() == known {
            self.through_tables();
        }
        if self.found.len() == known {
            self.found.push(Trail { hops: self.told_part() });
        }
    }

    /// What is looked for further up: of a number that is wrong, the number itself and what it may be made of.
    fn handed_on(&self, said: &Said) -> Said {
        let flaw = self.so_far.last().and_then(|hop| hop.flaw.as_ref());
        if flaw.is_some_and(|flaw| matches!(flaw.defect, Defect::Twice(_))) {
            return Said { about_twice: true, ..Said::default() };
        }
        let is_number = flaw.is_some_and(|flaw| {
            matches!(flaw.defect, Defect::Named(_) | Defect::Scale { .. } | Defect::Counted { .. })
        });
        if !is_number {
            return Said::default();
        }
        Said { numbers: said.numbers.clone(), about_size: true, ..Said::default() }
    }

    /// What was found wrong one step later stands here too: that step only passed it on.
    fn carried(&self, read: &Read) -> Option<Flaw> {
        let hop = self.so_far.last()?;
        let flaw = hop.flaw.as_ref()?;
        let now = read.now.as_ref()?;
        let as_before = |at: String| Flaw { at, defect: flaw.defect.clone(), deviates: false };
        let at = match &flaw.defect {
            Defect::Quoted(text) | Defect::NoSuchDay(text) => place_of(now, text, "", LEVELS),
            Defect::Fewer { before, now: length } => {
                let was = read.before.as_ref()?;
                list_of(now, *length).filter(|at| {
                    at_path(was, at).and_then(Value::as_array).is_some_and(|list| list.len() == *before)
                })
            }
            Defect::Twice(text) if count_of(now, text, LEVELS) > 1 => place_of(now, text, "", LEVELS),
            Defect::Nothing | Defect::Empty => {
                let index = flaw.at.strip_prefix('[').and_then(|at| at.split(']').next()?.parse().ok());
                index.and_then(|index| gap_in(now, index)).or_else(|| nothing_again(hop, flaw, now))
            }
            _ => None,
        };
        if let Some(at) = at {
            return Some(as_before(at));
        }
        // The very value: whatever is wrong with it was wrong before.
        let wrong = hop.read.now.as_ref()?;
        let is_shown =
            !matches!(flaw.defect, Defect::Lacks(_) | Defect::Columns { .. } | Defect::Fewer { .. });
        if !is_shown {
            return None;
        }
        let part = at_path(wrong, &flaw.at).filter(|part| !is_nothing(part));
        let place = part.and_then(|part| stands_in(now, part)).or_else(|| {
            let whole = stands_in(now, wrong)?;
            let apart =
                if whole.is_empty() || flaw.at.is_empty() || flaw.at.starts_with('[') { "" } else { "." };
            Some(format!("{whole}{apart}{}", flaw.at))
        });
        place.map(as_before)
    }

    /// A query that found nothing: an earlier statement may have had nothing to write.
    fn through_tables(&mut self) {
        let evidence = self.evidence;
        let Some(last) = self.so_far.last().cloned() else { return };
        let is_sql = |step: &str| {
            matches!(evidence.tool_of(step), Some("sqlite" | "postgres" | "duckdb" | "mysql" | "snowflake"))
        };
        let is_gone = last.flaw.as_ref().is_some_and(|flaw| {
            matches!(flaw.defect, Defect::Nothing | Defect::Empty | Defect::Zero | Defect::Fewer { .. })
        });
        let query = last.maker;
        let Some(read_at) = evidence.run.entered.get(&query).map(|event| event.seq) else { return };
        if !is_sql(&query) || !is_gone {
            return;
        }
        let mut writers: Vec<(u64, &String)> = evidence
            .run
            .exits
            .iter()
            .filter(|(step, left)| left.event.seq < read_at && is_sql(step) && **step != query)
            .map(|(step, left)| (left.event.seq, step))
            .collect();
        writers.sort_unstable();
        for (_, writer) in writers.into_iter().rev() {
            let known = self.found.len();
            let read =
                Read { path: query.clone(), uses: Vec::new(), made_of: Vec::new(), ..last.read.clone() };
            self.so_far.push(Hop { reader: query.clone(), maker: writer.clone(), read, flaw: None });
            self.from(writer, &Said::default());
            self.so_far.pop();
            if self.found.len() > known {
                return;
            }
        }
    }
}

/// The same nothing: under the same name, or all that was read.
fn nothing_again(hop: &Hop, flaw: &Flaw, now: &Value) -> Option<String> {
    if is_nothing(now) {
        return Some(String::new());
    }
    let path = if flaw.at.is_empty() { &hop.read.path } else { &flaw.at };
    let name = path.rsplit('.').next()?.split('[').next().filter(|name| !name.is_empty())?;
    nothing_called(now, name, "", LEVELS)
}

/// The null in one element of a list, or the name that it lacks and its neighbours have.
fn gap_in(value: &Value, index: usize) -> Option<String> {
    let list = value.as_array()?;
    let element = list.get(index)?.as_object()?;
    if let Some((key, _)) = element.iter().find(|(_, value)| value.is_null()) {
        return Some(format!("[{index}].{key}"));
    }
    let others = list.iter().enumerate().filter(|(at, _)| *at != index).map(|(_, other)| other);
    let keys = others.clone().find_map(Value::as_object)?.keys();
    let lacks = keys.clone().find(|key| !element.contains_key(*key));
    let is_usual =
        |key: &&String| others.clone().all(|other| other.get(key.as_str()).is_some_and(|one| !one.is_null()));
    lacks.filter(is_usual).map(|key| format!("[{index}].{key}"))
}

/// What is wrong with a read.
fn flaw_of(evidence: &Evidence, maker: &str, read: &Read, said: &Said) -> Option<Flaw> {
    let now = read.now.as_ref()?;
    // What the version of the last good run did not read cannot be compared with it.
    let comparable = evidence.baseline.as_ref().filter(|_| !read.is_new);
    let before = comparable.map(|_| read.before.clone().unwrap_or_default());
    let first = compare(now, before.as_ref(), said).into_iter().next();
    let is_deeper = is_silent(said);
    if first.is_none() && said.about_few {
        return cut_off(evidence, maker);
    }
    match &first {
        // Deeper in the flow only what deviates, or is not there at all, is wrong.
        Some(flaw)
            if is_deeper
                && !flaw.deviates
                && !(flaw.at.is_empty() && matches!(flaw.defect, Defect::Nothing | Defect::Empty)) =>
        {
            return None;
        }
        Some(flaw) if matches!(flaw.defect, Defect::Nothing) && flaw.at.is_empty() => {}
        first => return first.clone(),
    }
    // Nothing is there: was the name lost, or is its value null?
    let whole = result_of(&evidence.run, maker);
    let whole_before = evidence.baseline.as_ref().and_then(|baseline| result_of(&baseline.run, maker));
    let names: Vec<&str> =
        std::iter::once(&read.path).chain(&read.made_of).flat_map(|path| path.split('.').skip(1)).collect();
    if let (Some(whole), Some(earlier)) = (&whole, &whole_before) {
        let lost = compare(whole, Some(earlier), said).into_iter().find(|flaw| {
            matches!(&flaw.defect, Defect::Lacks(keys) if keys.iter().any(|lost| names.contains(&lost.as_str()) && !has_key(whole, lost, 4)))
        });
        if lost.is_some() && !is_nothing(whole) {
            return lost;
        }
    }
    let written = read.made_of.first().unwrap_or(&read.path);
    let key = written.rsplit('.').next().filter(|key| written.contains('.') && !key.is_empty())?;
    // Without a good run to compare with: a name that the author's own step does not have was never there.
    let is_own = !matches!(evidence.tool_of(maker), Some("http" | "playbook"));
    if let Some(whole) = whole.filter(|whole| !is_nothing(whole))
        && comparable.is_none()
        && ran(&evidence.run, maker)
        && !has_key(&whole, key, 4)
        && (is_own || has_alike(&whole, key) || is_new_to(read, whole_before.as_ref(), key))
    {
        return Some(Flaw { at: String::new(), defect: Defect::Absent(key.to_owned()), deviates: false });
    }
    first
}

/// What was read looks whole, and the answer it stands in says that there is more.
fn cut_off(evidence: &Evidence, maker: &str) -> Option<Flaw> {
    let (at, defect) = short_of(&result_of(&evidence.run, maker)?)?;
    let before = evidence.baseline.as_ref().and_then(|baseline| result_of(&baseline.run, maker));
    let was_so = before.as_ref().is_some_and(|before| short_of(before).is_some());
    (!was_so).then(|| Flaw { at, defect, deviates: before.is_some() })
}

/// Whether a new version reads a name that the good answer did not have either.
fn is_new_to(read: &Read, earlier: Option<&Value>, key: &str) -> bool {
    read.is_new && earlier.is_some_and(|earlier| !is_nothing(earlier) && !has_key(earlier, key, 4))
}

/// Whether the step did its work in this run.
fn ran(run: &Run, step: &str) -> bool {
    run.exits.get(step).is_some_and(|left| !left.skipped && !left.failed)
}

/// Whether there is a name that differs by a slip of the pen.
fn has_alike(value: &Value, key: &str) -> bool {
    let alike = |name: &str| name != key && name.len() > 2 && distance(name, key) <= 1 + key.len() / 6;
    match value {
        Value::Object(map) => map.keys().any(|name| alike(name)),
        Value::Array(list) => list.first().is_some_and(|first| has_alike(first, key)),
        _ => false,
    }
}

/// Edits from one word to another.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (at, letter) in a.chars().enumerate() {
        let mut before = row[0];
        row[0] = at + 1;
        for (place, other) in b.iter().enumerate() {
            let same = before + usize::from(letter != *other);
            before = row[place + 1];
            row[place + 1] = same.min(before + 1).min(row[place] + 1);
        }
    }
    row[b.len()]
}

/// Nothing is known of an error: the read lies deeper than the first.
fn is_silent(said: &Said) -> bool {
    said.exception.is_empty() && said.quoted.is_empty() && !said.about_nothing && !said.about_form
}

/// The whole result of a step; of an HTTP answer its body.
pub(crate) fn result_of(run: &Run, step: &str) -> Option<Value> {
    let result = run.state.steps.get(step)?.result.as_ref()?;
    let value = match &result.value {
        Stored::Inline(value) => value.clone(),
        Stored::Ref(reference) => {
            let loaded = run.loaded.iter().find(|(known, _)| known.sha256 == reference.sha256)?;
            Value::clone(&loaded.1)
        }
    };
    match (result.kind, value) {
        (ResultKind::Http, Value::Object(mut map)) if map.get("data").is_some_and(|data| !data.is_null()) => {
            map.remove("data")
        }
        // An answer without a body.
        (ResultKind::Http, Value::Object(map)) if map.get("data").is_some_and(Value::is_null) => {
            Some(Value::Null)
        }
        (_, value) => Some(value),
    }
}

/// The first error of a step that was passed over.
pub(crate) fn swallowed_by<'r>(run: &'r Run, step: &str) -> Option<&'r Failure> {
    run.swallowed().find(|failure| failure.step == step)
}

/// An error that a step's result tells, though the step counts as completed.
pub(crate) fn told_by(run: &Run, step: &str) -> Option<TaskError> {
    let state = run.state.steps.get(step)?;
    let result = state.result.as_ref()?;
    let whole = result_of(run, step)?;
    if let (ResultKind::Http, Stored::Inline(value)) = (result.kind, &result.value)
        && let Some(told) = in_band(value)
    {
        return Some(told);
    }
    match (result.kind, &whole) {
        // A few plain words in place of data, such as `Rate limit exceeded`.
        (ResultKind::Http, Value::String(text)) => in_band(&whole).or_else(|| in_plain_words(text)),
        _ => in_band(&whole).or_else(|| in_one_turn(run, step, &whole)),
    }
}

/// One of the answers that a loop got tells an error.
fn in_one_turn(run: &Run, step: &str, whole: &Value) -> Option<TaskError> {
    run.state.steps.get(step)?.looped.as_ref()?;
    let turns = whole.get("results").unwrap_or(whole).as_array()?;
    turns.iter().take(MOST_LOOKS).find_map(in_band)
}

/// Characters of an answer that is a sentence for people.
const SENTENCE: usize = 200;

fn in_plain_words(text: &str) -> Option<TaskError> {
    let is_sentence =
        text.len() <= SENTENCE && !text.trim().is_empty() && !text.contains(['{', '<', '\t', '|']);
    let cause = Cause::in_words(text);
    let is_outside = matches!(
        cause.family(),
        "auth" | "limit" | "network" | "timeout" | "remote" | "request" | "resource" | "sql"
    );
    (is_sentence && is_outside).then(|| TaskError::new("tool_error", text.trim()))
}

/// How far a failure with this cause can come from data that was handed to the step.
pub(crate) fn follows_from_data(cause: Cause, said: &Said) -> f64 {
    match cause {
        Cause::DataEmpty | Cause::ResponseSchemaChanged => 1.0,
        Cause::TemplateUndefined
        | Cause::TemplateType
        | Cause::PlaybookLoopSource
        | Cause::DataTypeMismatch
        | Cause::ResponseMalformed => 0.95,
        Cause::CodeException
            if said.about_nothing || said.about_form || said.exception == "AssertionError" =>
        {
            0.9
        }
        Cause::DataConstraint => 0.85,
        Cause::RequestInvalid | Cause::SqlSyntax => 0.8,
        Cause::RequestNotFound | Cause::AuthUnauthenticated => 0.75,
        Cause::ToolConfig | Cause::PlaybookNotFound | Cause::Unknown | Cause::CodeResult => 0.65,
        Cause::CodeException | Cause::PlaybookNoRoute | Cause::NetworkDns | Cause::AuthForbidden => 0.55,
        Cause::LimitTooLarge | Cause::SqlUndefinedObject | Cause::RequestConflict => 0.45,
        Cause::DataDuplicate | Cause::NetworkRefused | Cause::RemoteServerError | Cause::ResourceMemory => {
            0.3
        }
        _ => 0.05,
    }
}

impl Case<'_> {
    /// Every trail from the failure that ended the execution.
    pub(crate) fn trails(&self) -> Vec<Trail> {
        match self.end {
            Some(end) if !end.step.is_empty() => trails(self.evidence, &end.step, &self.said),
            _ => Vec::new(),
        }
    }
}
