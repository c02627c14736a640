//! `spec.policy`: rules on an Outcome (D, E), the older `eval`, and admission.

use super::fields::Fields;
use super::reader::Reader;
use super::{condition, keys, sets};
use crate::Value;
use crate::code::Code;
use crate::playbook::{Assignment, Backoff, Dialect, Directive, Expr, Rule};
use crate::yaml::{Data, Node};

const THEN: &[&str] = &[
    "do",
    "attempts",
    "max_attempts",
    "backoff",
    "delay",
    "to",
    "set",
    "set_ctx",
    "set_iter",
    "set_vars",
    "allow",
];
const RULE: &[&str] = &["when", "expr", "then", "else", "name", "desc", "description"];

const BACKOFFS: &[(&str, Backoff)] = &[
    ("none", Backoff::None),
    ("fixed", Backoff::Fixed),
    ("constant", Backoff::Fixed),
    ("linear", Backoff::Linear),
    ("exponential", Backoff::Exponential),
];

/// One rule before anyone asked what it orders.
struct Raw<'a> {
    when: Option<Expr>,
    then: Fields<'a>,
    path: String,
}

pub(super) fn rules<'a>(reader: &mut Reader<'a>, node: &'a Node, path: &str) -> Vec<Rule> {
    raw_rules(reader, node, path).into_iter().filter_map(|raw| rule(reader, raw)).collect()
}

/// `policy.admit`: one condition that is true when the step may run.
pub(super) fn admission<'a>(reader: &mut Reader<'a>, node: &'a Node, path: &str) -> Option<Expr> {
    let list = match &node.data {
        Data::Map(_) => match node.get("rules") {
            Some(rules) => rules,
            None => return node.get("when").and_then(|when| reader.expr(when, path, "`when`")),
        },
        Data::List(_) => node,
        _ => return reader.expr(node, path, "`admit`"),
    };
    reader.source.mark(path, node.span);
    let mut cases = Vec::new();
    let mut otherwise = None;
    for mut raw in raw_rules(reader, list, path) {
        let Some(allow) = raw.then.take("allow").and_then(|node| reader.boolean(node, "`allow`")) else {
            reader.error(
                Code::MissingKey,
                raw.then.span(),
                "an admission rule needs `then: {allow: true}` or false",
            );
            continue;
        };
        match raw.when {
            Some(when) => cases.push((when, allow)),
            None => otherwise = otherwise.or(Some(allow)),
        }
    }
    // Rules that only allow would be pointless if what they do not name were allowed too.
    let otherwise = otherwise.unwrap_or_else(|| !cases.iter().any(|(_, allow)| *allow));
    match cases.as_slice() {
        [] => Some(Expr(otherwise.to_string())),
        [(when, true)] if !otherwise => Some(when.clone()),
        [(when, false)] if otherwise => Some(condition::not(when)),
        _ => {
            let text = cases.iter().rev().fold(otherwise.to_string(), |rest, (when, allow)| {
                format!("({allow} if ({}) else {rest})", condition::inner(&when.0))
            });
            Some(Expr(format!("{{{{ {text} }}}}")))
        }
    }
}

fn raw_rules<'a>(reader: &mut Reader<'a>, node: &'a Node, path: &str) -> Vec<Raw<'a>> {
    reader.met(Dialect::D, Dialect::E);
    reader.source.mark(path, node.span);
    let Some(items) = node.as_list() else {
        reader.wrong_type(node, "`rules`", "a list");
        return Vec::new();
    };
    let mut rules = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let path = format!("{path}/{index}");
        reader.source.mark(path.clone(), item.span);
        let Some(mut fields) = reader.fields(item, "a rule") else { continue };
        let is_else = fields.has("else");
        let otherwise = fields.take_even_null("else");
        let when = fields.take_any(&["when", "expr"]);
        let when = when.and_then(|node| reader.expr(node, &format!("{path}/when"), "`when`"));
        let then = fields.take("then");
        if is_else && when.is_none() {
            // `{else: {then: {…}}}`, `{else: {do: …}}`, and `else:` beside `then:`.
            let body = otherwise
                .filter(|node| !node.is_null())
                .map(|node| node.get("then").unwrap_or(node))
                .or(then);
            finish_rule(reader, fields);
            match body {
                Some(Node { data: Data::String(_), .. }) | None => {
                    reader.error(Code::MissingKey, item.span, "`else` needs `then: {do: …}`");
                }
                Some(body) => {
                    let then = reader.fields(body, "`else`");
                    rules.extend(then.map(|then| Raw { when: None, then, path: path.clone() }));
                }
            }
            continue;
        }
        // `eval: [{expr, do, …}]` has no `then`; everything stands side by side.
        let body = match then {
            Some(then) => {
                finish_rule(reader, fields);
                reader.fields(then, "`then`")
            }
            None => Some(fields),
        };
        let Some(body) = body else { continue };
        if when.is_none() && index + 1 < items.len() {
            reader.warning(
                Code::MissingKey,
                item.span,
                "a rule without `when` is always true; those after it never apply",
            );
        }
        rules.push(Raw { when, then: body, path: path.clone() });
        if let Some(node) = otherwise.filter(|node| !node.is_null()) {
            let body = reader.fields(node.get("then").unwrap_or(node), "`else`");
            rules.extend(body.map(|then| Raw { when: None, then, path }));
        }
    }
    rules
}

fn finish_rule(reader: &mut Reader<'_>, mut fields: Fields<'_>) {
    for entry in fields.rest() {
        keys::unknown(reader, entry, "a rule", RULE);
    }
}

fn rule<'a>(reader: &mut Reader<'a>, raw: Raw<'a>) -> Option<Rule> {
    let Raw { when, mut then, path } = raw;
    let sets = sets::take(reader, &mut then, &path);
    let directive = directive(reader, &mut then, &sets)?;
    for entry in then.rest() {
        keys::unknown(reader, entry, "`then`", THEN);
    }
    Some(Rule { when, directive, sets })
}

fn directive<'a>(reader: &mut Reader<'a>, then: &mut Fields<'a>, sets: &[Assignment]) -> Option<Directive> {
    #[derive(Clone, Copy)]
    enum Word {
        Continue,
        Retry,
        Jump,
        Break,
        Fail,
    }
    let Some(node) = then.take("do") else {
        if sets.is_empty() {
            let hint = "write for example `then: {do: continue}`";
            reader.error_hint(Code::MissingKey, then.span(), "`then` needs `do`", hint);
            return None;
        }
        return Some(Directive::Continue);
    };
    let words = [
        ("continue", Word::Continue),
        ("retry", Word::Retry),
        ("jump", Word::Jump),
        ("break", Word::Break),
        ("fail", Word::Fail),
    ];
    match reader.word(node, "`do`", &words)? {
        Word::Continue => Some(Directive::Continue),
        Word::Break => Some(Directive::Break),
        Word::Fail => Some(Directive::Fail),
        Word::Jump => {
            if let Some(node) = then.take("to") {
                reader.text(node, "`to`").map(|to| Directive::Jump { to })
            } else {
                reader.error_hint(
                    Code::MissingKey,
                    node.span,
                    "`do: jump` needs `to`",
                    "name the task to jump to",
                );
                None
            }
        }
        Word::Retry => Some(retry(reader, then)),
    }
}

fn retry<'a>(reader: &mut Reader<'a>, then: &mut Fields<'a>) -> Directive {
    let attempts =
        then.take_any(&["attempts", "max_attempts"]).and_then(|node| reader.number(node, "`attempts`"));
    let delay = then.take("delay").and_then(|node| reader.seconds(node, "`delay`"));
    let backoff = then.take("backoff").and_then(|node| reader.word(node, "`backoff`", BACKOFFS));
    // `delay` without `backoff` is a constant delay; neither of them is no delay at all.
    let backoff = backoff.unwrap_or(if delay.is_some() { Backoff::Fixed } else { Backoff::None });
    Directive::Retry {
        attempts: attempts.unwrap_or_else(|| Value::from(3)),
        backoff,
        delay_seconds: delay.unwrap_or_else(|| Value::from(1)),
    }
}
