//! Conditions: bare expressions, lone templates, and text around templates whose operators count (`{{ a }} == prod`).

use serde_json::Value as Json;

use super::coerce;
use super::compile::{self, Compiled};
use super::error::TemplateError;
use super::lex;
use super::scope::Scope;

pub(super) fn test(text: &str, scope: &Scope) -> Result<bool, TemplateError> {
    let text = text.trim();
    if !lex::has_template(text) {
        return bare(text, scope);
    }
    let prepared = lex::prepare(text, false, scope.hyphenated());
    // A lone `{{ … }}`, or blocks that make a text.
    if lex::lone(&prepared).is_some() || prepared.contains("{%") {
        let compiled = compile::template(&prepared)?;
        return truth(&compiled, &prepared, scope);
    }
    match parse(&prepared) {
        Some(tree) => tree.test(scope),
        None => Ok(coerce::truthy_text(&super::render_prepared_text(&prepared, scope)?)),
    }
}

fn bare(text: &str, scope: &Scope) -> Result<bool, TemplateError> {
    if text.is_empty() {
        return Ok(false);
    }
    let word = text.to_ascii_lowercase();
    if matches!(word.as_str(), "yes" | "on") && scope.lookup(text).is_none() {
        return Ok(true);
    }
    if matches!(word.as_str(), "true" | "false" | "no" | "off" | "none" | "null") {
        return Ok(word == "true");
    }
    let prepared = lex::prepare(text, true, scope.hyphenated());
    let compiled = compile::expression(&prepared)?;
    truth(&compiled, &prepared, scope)
}

fn truth(compiled: &Compiled, text: &str, scope: &Scope) -> Result<bool, TemplateError> {
    super::evaluate(compiled, text, scope, |value, _| {
        Ok(match value.as_str() {
            Some(text) => coerce::truthy_text(text),
            None => value.is_true(),
        })
    })
}

/// Text with operators outside the braces.
#[derive(Debug, PartialEq)]
enum Tree<'a> {
    Any(Vec<Tree<'a>>),
    All(Vec<Tree<'a>>),
    Not(Box<Tree<'a>>),
    Compare(&'a str, &'a str, &'a str),
    Text(&'a str),
}

/// Longer texts are prose, not conditions.
const LONGEST: usize = 16 * 1024;
/// Parentheses and `not` inside one another.
const DEEPEST: usize = 32;

/// None: there is no operator outside the braces.
fn parse(text: &str) -> Option<Tree<'_>> {
    if text.len() > LONGEST {
        return None;
    }
    match any(text, DEEPEST) {
        Tree::Text(_) => None,
        tree => Some(tree),
    }
}

fn any(text: &str, depth: usize) -> Tree<'_> {
    let parts = split(text, &[" or ", "||"]);
    if parts.len() > 1 {
        Tree::Any(parts.into_iter().map(|part| all(part, depth)).collect())
    } else {
        all(text, depth)
    }
}

fn all(text: &str, depth: usize) -> Tree<'_> {
    let parts = split(text, &[" and ", "&&"]);
    if parts.len() > 1 {
        Tree::All(parts.into_iter().map(|part| one(part, depth)).collect())
    } else {
        one(text, depth)
    }
}

fn one(text: &str, depth: usize) -> Tree<'_> {
    let text = text.trim();
    let Some(depth) = depth.checked_sub(1) else { return Tree::Text(text) };
    if let Some(rest) =
        text.strip_prefix("not ").or_else(|| text.strip_prefix('!').filter(|rest| !rest.starts_with('=')))
    {
        return Tree::Not(Box::new(one(rest, depth)));
    }
    if let Some(inner) = text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'))
        && balanced(inner)
    {
        return any(inner, depth);
    }
    // `not in` before `in`, `>=` before `>`.
    for operator in ["==", "!=", ">=", "<=", " not in ", " in ", ">", "<"] {
        if let [left, right] = split(text, &[operator])[..] {
            return Tree::Compare(left.trim(), operator.trim(), right.trim());
        }
    }
    Tree::Text(text)
}

/// Splits at separators that stand outside braces, quotes and parentheses.
fn split<'a>(text: &'a str, separators: &[&str]) -> Vec<&'a str> {
    let regions = lex::regions(text);
    let bytes = text.as_bytes();
    let (mut parts, mut start, mut at) = (Vec::new(), 0, 0);
    let (mut quote, mut depth) = (None, 0_usize);
    while at < bytes.len() {
        if let Some((_, end)) = regions.iter().find(|(from, _)| *from == at + 2 && bytes[at] == b'{') {
            at = end + 2;
            continue;
        }
        match (quote, bytes[at]) {
            (Some(open), byte) if open == byte => quote = None,
            (None, byte @ (b'\'' | b'"')) => quote = Some(byte),
            (None, b'(' | b'[') => depth += 1,
            (None, b')' | b']') => depth = depth.saturating_sub(1),
            (None, _) if depth == 0 && text.is_char_boundary(at) => {
                if let Some(separator) =
                    separators.iter().find(|separator| text[at..].starts_with(**separator))
                {
                    parts.push(&text[start..at]);
                    at += separator.len();
                    start = at;
                    continue;
                }
            }
            _ => {}
        }
        at += 1;
    }
    parts.push(&text[start.min(text.len())..]);
    parts
}

fn balanced(text: &str) -> bool {
    let mut depth = 0_i32;
    text.bytes().all(|byte| {
        depth += match byte {
            b'(' => 1,
            b')' => -1,
            _ => 0,
        };
        depth >= 0
    })
}

impl Tree<'_> {
    fn test(&self, scope: &Scope) -> Result<bool, TemplateError> {
        match self {
            Self::Any(parts) => {
                for part in parts {
                    if part.test(scope)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Self::All(parts) => {
                for part in parts {
                    if !part.test(scope)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Self::Not(part) => Ok(!part.test(scope)?),
            Self::Compare(left, operator, right) => {
                Ok(compare(&operand(left, scope)?, operator, &operand(right, scope)?))
            }
            Self::Text(text) => Ok(coerce::truthy(&operand(text, scope)?)),
        }
    }
}

/// One side of a comparison: rendered, without the quotes around it.
fn operand(text: &str, scope: &Scope) -> Result<Json, TemplateError> {
    let inner = unquoted(text);
    if !lex::has_template(inner) {
        return Ok(if inner.len() < text.len() {
            Json::String(inner.to_owned())
        } else {
            coerce::coerce(inner.to_owned())
        });
    }
    let rendered = super::render_str(inner, scope)?;
    Ok(match rendered {
        Json::String(text) => coerce::coerce(text),
        other => other,
    })
}

fn unquoted(text: &str) -> &str {
    ['\'', '"'].iter().find_map(|quote| text.strip_prefix(*quote)?.strip_suffix(*quote)).unwrap_or(text)
}

fn compare(left: &Json, operator: &str, right: &Json) -> bool {
    use std::cmp::Ordering;
    let order = match (left.as_f64(), right.as_f64()) {
        (Some(left), Some(right)) => left.partial_cmp(&right),
        _ => Some(plain(left).cmp(&plain(right))),
    };
    match operator {
        "==" => order == Some(Ordering::Equal),
        "!=" => order != Some(Ordering::Equal),
        ">=" => order.is_some_and(Ordering::is_ge),
        "<=" => order.is_some_and(Ordering::is_le),
        ">" => order == Some(Ordering::Greater),
        "<" => order == Some(Ordering::Less),
        "in" => contains(right, left),
        _ => !contains(right, left),
    }
}

fn contains(container: &Json, wanted: &Json) -> bool {
    match container {
        Json::Array(items) => items.iter().any(|item| compare(item, "==", wanted)),
        Json::Object(map) => map.contains_key(&plain(wanted)),
        other => plain(other).contains(&plain(wanted)),
    }
}

fn plain(value: &Json) -> String {
    match value {
        Json::Null => String::new(),
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}
