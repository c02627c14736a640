//! `next` in every form: text, lists, maps, when/then/else in any nesting, and the arcs of D and E.
//!
//! A list fires every true entry; an `else` anywhere in it makes it a chain of if, else-if and else.
//! Arcs fire the first that is true, unless the mode is inclusive.

use super::fields::Fields;
use super::reader::Reader;
use super::{condition, keys, sets};
use crate::Map;
use crate::code::Code;
use crate::finding::Span;
use crate::playbook::{Arc, Dialect, Expr, OnNoMatch, RouteMode, Routes};
use crate::yaml::{Data, Node};

/// An arc and its place.
#[derive(Clone)]
pub(super) struct Found {
    pub(super) arc: Arc,
    pub(super) span: Span,
}

/// An entry of a list.
enum Item {
    Plain(Vec<Found>),
    Branch { when: Expr, then: Vec<Found>, nested: bool },
    Else(Vec<Found>),
}

const MODES: &[(&str, RouteMode)] = &[
    ("exclusive", RouteMode::First),
    ("first", RouteMode::First),
    ("inclusive", RouteMode::All),
    ("all", RouteMode::All),
    ("parallel", RouteMode::All),
    ("chain", RouteMode::Chain),
];

pub(super) fn mode(reader: &mut Reader<'_>, node: &Node) -> Option<RouteMode> {
    reader.word(node, "`mode`", MODES)
}

/// Reads `next`; `default_mode` is what the playbook or the step says about arcs.
pub(super) fn read<'a>(
    reader: &mut Reader<'a>,
    node: &'a Node,
    step: &str,
    default_mode: Option<RouteMode>,
) -> Routes {
    let path = format!("steps/{step}/arcs");
    reader.source.mark(path.clone(), node.span);
    let is_router = node.as_map().is_some_and(|_| {
        ["arcs", "spec", "mode"].iter().any(|key| node.get(key).is_some()) && node.get("step").is_none()
    });
    let (routes, arcs, otherwise) =
        if is_router { router(reader, node, default_mode) } else { entries(reader, node) };
    place(reader, routes, arcs, otherwise, &format!("steps/{step}"))
}

/// Targets of a `next` inside a `case`, where the case has decided already.
pub(super) fn targets<'a>(reader: &mut Reader<'a>, node: &'a Node) -> Vec<Found> {
    if let Some(arcs) = node.get("arcs") {
        return arc_list(reader, arcs).0;
    }
    let items = items(reader, node);
    linear(items)
}

fn place(
    reader: &mut Reader<'_>,
    mut routes: Routes,
    arcs: Vec<Found>,
    otherwise: Vec<Found>,
    path: &str,
) -> Routes {
    for (index, found) in arcs.into_iter().enumerate() {
        reader.source.mark(format!("{path}/arcs/{index}"), found.span);
        routes.arcs.push(found.arc);
    }
    for (index, found) in otherwise.into_iter().enumerate() {
        reader.source.mark(format!("{path}/otherwise/{index}"), found.span);
        routes.otherwise.push(found.arc);
    }
    routes
}

type Read = (Routes, Vec<Found>, Vec<Found>);

/// `{spec: {mode}, arcs: [...]}`.
fn router<'a>(reader: &mut Reader<'a>, node: &'a Node, default_mode: Option<RouteMode>) -> Read {
    reader.met(reader.arcs_dialect, Dialect::E);
    let mut routes = Routes { mode: default_mode.unwrap_or(RouteMode::First), ..Routes::default() };
    let Some(mut fields) = reader.fields(node, "`next`") else { return (routes, Vec::new(), Vec::new()) };
    if let Some(node) = fields.take("mode") {
        routes.mode = mode(reader, node).unwrap_or(routes.mode);
    }
    if let Some(mut spec) = fields.take("spec").and_then(|node| reader.fields(node, "`next.spec`")) {
        if let Some(node) = spec.take("mode") {
            routes.mode = mode(reader, node).unwrap_or(routes.mode);
        }
        if let Some(node) = spec.take("on_no_match") {
            let words = [("complete", OnNoMatch::Complete), ("quiet", OnNoMatch::Quiet)];
            routes.on_no_match = reader.word(node, "`on_no_match`", &words).unwrap_or_default();
        }
        spec.ignore(&["policy", "desc"]);
        for entry in spec.rest() {
            keys::unknown(reader, entry, "`next.spec`", &["mode", "on_no_match", "policy"]);
        }
    }
    let (arcs, mut otherwise) =
        fields.take("arcs").map_or_else(Default::default, |node| arc_list(reader, node));
    if let Some(node) = fields.take("else") {
        let items = items(reader, node);
        otherwise.extend(linear(items));
    }
    for entry in fields.rest() {
        keys::unknown(reader, entry, "`next`", &["spec", "arcs", "mode", "else"]);
    }
    (routes, arcs, otherwise)
}

fn arc_list<'a>(reader: &mut Reader<'a>, node: &'a Node) -> (Vec<Found>, Vec<Found>) {
    let (mut arcs, mut otherwise) = (Vec::new(), Vec::new());
    let items = match &node.data {
        Data::List(items) => items.as_slice(),
        _ => std::slice::from_ref(node),
    };
    for item in items {
        let before = reader.met;
        let read = self::items(reader, item);
        // A list of arcs is no list of the older generations.
        reader.met = before;
        if ["args", "data", "with"].iter().any(|key| item.get(key).is_some()) {
            reader.met(Dialect::D, Dialect::D);
        }
        if item.get("set").is_some() || item.get("input").is_some() {
            reader.met(Dialect::E, Dialect::E);
        }
        for item in read {
            match item {
                Item::Else(found) => otherwise.extend(found),
                other => arcs.extend(linear(vec![other])),
            }
        }
    }
    (arcs, otherwise)
}

/// Text, lists and maps of A, B and C.
fn entries<'a>(reader: &mut Reader<'a>, node: &'a Node) -> Read {
    reader.met(Dialect::First, Dialect::C);
    let items = items(reader, node);
    let mut routes = Routes::default();
    if !items.iter().any(|item| matches!(item, Item::Else(_))) {
        return (routes, linear(items), Vec::new());
    }
    let nested = items.iter().any(|item| match item {
        Item::Branch { nested, .. } => *nested,
        Item::Else(found) => found.iter().any(|found| found.arc.when.is_some()),
        Item::Plain(_) => false,
    });
    if nested {
        // Conditions inside a branch cannot be told by a chain: every arc gets its whole condition.
        return (routes, linear(items), Vec::new());
    }
    routes.mode = RouteMode::Chain;
    let (mut always, mut branches, mut otherwise) = (Vec::new(), Vec::new(), Vec::new());
    for item in items {
        match item {
            Item::Plain(found) => {
                for found in found {
                    match found.arc.when.clone() {
                        Some(when) => branches.push((when, vec![found])),
                        None => always.push(found),
                    }
                }
            }
            Item::Branch { when, then, .. } => branches.push((when, then)),
            Item::Else(found) => otherwise.extend(found),
        }
    }
    // What has no condition fires beside whichever branch does.
    let mut arcs = Vec::new();
    for (when, then) in branches {
        for mut found in then.into_iter().chain(always.iter().cloned()) {
            found.arc.when = Some(when.clone());
            arcs.push(found);
        }
    }
    otherwise.extend(always);
    (routes, arcs, otherwise)
}

/// Every arc with its own whole condition.
fn linear(items: Vec<Item>) -> Vec<Found> {
    let chain = items.iter().any(|item| matches!(item, Item::Else(_)));
    let mut earlier: Option<Expr> = None;
    let mut arcs = Vec::new();
    for item in items {
        let (when, found) = match item {
            Item::Plain(found) => (None, found),
            Item::Branch { when, then, .. } => {
                let whole = match &earlier {
                    Some(earlier) if chain => condition::and(earlier, &when),
                    _ => when.clone(),
                };
                let no = condition::not(&when);
                earlier = Some(earlier.map_or(no.clone(), |earlier| condition::and(&earlier, &no)));
                (Some(whole), then)
            }
            Item::Else(found) => (earlier.clone(), found),
        };
        for mut found in found {
            found.arc.when = match (&when, found.arc.when) {
                (Some(outer), Some(inner)) => Some(condition::and(outer, &inner)),
                (Some(outer), None) => Some(outer.clone()),
                (None, inner) => inner,
            };
            arcs.push(found);
        }
    }
    arcs
}

fn items<'a>(reader: &mut Reader<'a>, node: &'a Node) -> Vec<Item> {
    match &node.data {
        Data::Null => Vec::new(),
        Data::String(name) => vec![Item::Plain(vec![bare(name, node.span)])],
        Data::List(list) => {
            let mut found = list.iter().flat_map(|item| items(reader, item)).collect::<Vec<_>>();
            if is_too_wide(&found) {
                reader.error_hint(
                    Code::YamlTooLarge,
                    node.span,
                    "this chain of conditions is too long: every branch carries the conditions before it",
                    "route in several steps, or drop the `else`",
                );
                found.clear();
            }
            found
        }
        Data::Map(_) => map_items(reader, node),
        Data::Bool(_) | Data::Number(_) => {
            reader.wrong_type(node, "`next`", "a step's name, a list or a map");
            Vec::new()
        }
    }
}

/// A chain writes the conditions of earlier branches into later ones, and what is unconditional into each.
fn is_too_wide(items: &[Item]) -> bool {
    const MOST_BYTES: usize = 128 << 20;
    const MOST_ARCS: usize = 100_000;
    if !items.iter().any(|item| matches!(item, Item::Else(_))) {
        return false;
    }
    let (mut conditions, mut branches, mut plain) = (0, 0, 0);
    for item in items {
        match item {
            Item::Branch { when, then, .. } => {
                conditions += when.0.len() + 8;
                branches += then.len();
            }
            Item::Plain(found) => plain += found.len(),
            Item::Else(_) => {}
        }
    }
    branches * plain > MOST_ARCS || conditions * items.len() > MOST_BYTES
}

fn bare(name: &str, span: Span) -> Found {
    Found { arc: Arc { to: name.trim().to_owned(), ..Arc::default() }, span }
}

fn map_items<'a>(reader: &mut Reader<'a>, node: &'a Node) -> Vec<Item> {
    let Some(mut fields) = reader.fields(node, "`next`") else { return Vec::new() };
    if fields.has_any(&["step", "to", "target"]) && !fields.has("then") {
        return target(reader, fields);
    }
    let when = fields.take("when");
    let when = when.and_then(|when| reader.expr(when, "", "`when`"));
    let is_else = fields.has("else");
    let otherwise = fields.take_even_null("else");
    let then = fields.take_any(&["then", "next", "do"]);
    fields.ignore(&["desc", "description", "name", "label"]);
    let left = fields.rest();
    if when.is_none() && !is_else && then.is_none() {
        // `- fetch: {page: 1}`
        if let [entry] = left.as_slice()
            && matches!(entry.value.data, Data::Map(_) | Data::Null)
            && keys::nearest(&entry.key, keys::ARC.iter().copied()).is_none()
        {
            let inputs = reader.map(&entry.value, "", "the inputs of a target");
            let arc = Arc { to: entry.key.clone(), inputs, ..Arc::default() };
            return vec![Item::Plain(vec![Found { arc, span: node.span }])];
        }
        for entry in &left {
            keys::unknown(reader, entry, "`next`", keys::ARC);
        }
        reader.error_hint(
            Code::MissingKey,
            node.span,
            "an entry of `next` names no step",
            "write `- step: name`, or `- when: …` with `then:`",
        );
        return Vec::new();
    }
    for entry in left {
        keys::unknown(reader, entry, "`next`", keys::ARC);
    }
    let mut result = Vec::new();
    if let Some(when) = when {
        let inner = then.map(|then| items(reader, then)).unwrap_or_default();
        if inner.is_empty() && otherwise.is_none_or(Node::is_null) {
            reader.error_hint(
                Code::MissingKey,
                node.span,
                "`when` leads nowhere",
                "add `then: [ { step: name } ]`",
            );
        }
        let nested = conditional(&inner);
        result.push(Item::Branch { when, then: linear(inner), nested });
        if let Some(otherwise) = otherwise.filter(|node| !node.is_null()) {
            result.push(Item::Else(else_targets(reader, otherwise)));
        }
    } else if is_else {
        // `else:` alone, with the targets inside it or beside it in `then`.
        let body = otherwise.filter(|node| !node.is_null()).or(then);
        let found = body.map(|body| else_targets(reader, body)).unwrap_or_default();
        if found.is_empty() {
            reader.error(Code::MissingKey, node.span, "`else` leads nowhere");
        }
        result.push(Item::Else(found));
    } else if let Some(then) = then {
        result.extend(items(reader, then));
    }
    result
}

fn else_targets<'a>(reader: &mut Reader<'a>, node: &'a Node) -> Vec<Found> {
    let inner = items(reader, node);
    linear(inner)
}

fn conditional(items: &[Item]) -> bool {
    items.iter().any(|item| match item {
        Item::Plain(found) => found.iter().any(|found| found.arc.when.is_some()),
        Item::Branch { .. } | Item::Else(_) => true,
    })
}

/// `{step: name}` or `{step: [a, b]}`, with inputs, writes and a condition.
fn target<'a>(reader: &mut Reader<'a>, mut fields: Fields<'a>) -> Vec<Item> {
    let span = fields.span();
    let mut names = Vec::new();
    if let Some(node) = fields.take_any(&["step", "to", "target"]) {
        match &node.data {
            Data::List(items) => {
                names.extend(items.iter().filter_map(|item| reader.text(item, "a step's name")));
            }
            _ => names.extend(reader.text(node, "a step's name")),
        }
    }
    let mut is_else = false;
    let when = fields.take("when").and_then(|node| {
        is_else = node.as_str().is_some_and(|text| matches!(text.trim(), "else" | "otherwise" | "default"));
        if is_else { None } else { reader.expr(node, "", "`when`") }
    });
    let mut inputs = Map::new();
    for (key, first, last) in [
        ("with", Dialect::First, Dialect::C),
        ("data", Dialect::First, Dialect::B),
        ("args", Dialect::First, Dialect::D),
        ("input", Dialect::First, Dialect::E),
        ("inputs", Dialect::First, Dialect::E),
        ("params", Dialect::First, Dialect::E),
        ("payload", Dialect::First, Dialect::E),
    ] {
        if let Some(node) = fields.take(key) {
            reader.met(first, last);
            inputs.extend(reader.map(node, "", &format!("`{key}` of a target")));
        }
    }
    let mut sets = sets::take(reader, &mut fields, "");
    if let Some(node) = fields.take("vars") {
        sets.extend(sets::read(reader, node, crate::playbook::SetScope::Ctx, ""));
    }
    let otherwise = fields.take("else");
    fields.ignore(&["spec", "desc", "description", "name", "label"]);
    for entry in fields.rest() {
        keys::unknown(reader, entry, "an arc", keys::ARC);
    }
    let found: Vec<Found> = names
        .into_iter()
        .map(|to| {
            let arc =
                Arc { to: to.trim().to_owned(), when: None, inputs: inputs.clone(), sets: sets.clone() };
            Found { arc, span }
        })
        .collect();
    if is_else {
        return vec![Item::Else(found)];
    }
    let mut result = match when {
        Some(when) if otherwise.is_some() => vec![Item::Branch { when, then: found, nested: false }],
        when => {
            let found = found.into_iter().map(|mut found| {
                found.arc.when.clone_from(&when);
                found
            });
            vec![Item::Plain(found.collect())]
        }
    };
    if let Some(otherwise) = otherwise {
        result.push(Item::Else(else_targets(reader, otherwise)));
    }
    result
}
