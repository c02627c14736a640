//! Templates: Jinja expressions inside YAML strings, rendered to typed values (playbooks.md sections 3 and 4).
//!
//! A [`Scope`] says what a template may read.
//! [`View`]s are navigated lazily, so binding a large result costs nothing until a template asks for a part of it.
//! Booleans, null and containers inside text are written as JSON writes them.

mod ambient;
mod bind;
mod coerce;
mod compile;
mod condition;
mod engine;
mod error;
mod filters;
mod lex;
mod object;
mod scope;
mod shape;
mod sql;
mod view;

pub use bind::{
    OutcomeViews, bind_iteration, bind_result_index, bind_scope, bind_shared, event_view, outcome_view,
};
pub use error::TemplateError;
pub use scope::{Ambient, Scope};
pub use view::{Function, Source, View};

use std::sync::Arc;

use compile::{Compiled, Program};
use minijinja::Value as Native;
use object::{Root, to_json};
use serde_json::Value as Json;

use crate::Map;
use crate::code::Code;
use crate::playbook::Expr;

/// Maps and lists inside one another.
const DEEPEST: usize = 128;

/// Renders every string inside the value, keys too.
pub fn render(value: &Json, scope: &Scope) -> Result<Json, TemplateError> {
    render_within(value, scope, DEEPEST)
}

fn render_within(value: &Json, scope: &Scope, depth: usize) -> Result<Json, TemplateError> {
    let inner = depth
        .checked_sub(1)
        .ok_or_else(|| TemplateError::new(Code::TemplateFailed, "the value is nested too deeply"))?;
    Ok(match value {
        Json::String(text) => render_str(text, scope)?,
        Json::Array(items) => {
            Json::Array(items.iter().map(|item| render_within(item, scope, inner)).collect::<Result<_, _>>()?)
        }
        Json::Object(map) => Json::Object(render_map_within(map, scope, inner)?),
        other => other.clone(),
    })
}

/// Renders the keys and values of a map.
pub fn render_map(map: &Map, scope: &Scope) -> Result<Map, TemplateError> {
    render_map_within(map, scope, DEEPEST)
}

fn render_map_within(map: &Map, scope: &Scope, depth: usize) -> Result<Map, TemplateError> {
    map.iter()
        .map(|(key, value)| {
            let key = if lex::has_template(key) { render_plain(key, scope)? } else { key.clone() };
            Ok((key, render_within(value, scope, depth)?))
        })
        .collect()
}

/// Renders a string to the value it means: an object, a number, text.
pub fn render_str(text: &str, scope: &Scope) -> Result<Json, TemplateError> {
    if !lex::has_template(text) {
        return Ok(Json::String(text.to_owned()));
    }
    let text = lex::prepare(text, false, scope.hyphenated());
    let compiled = compile::template(&text)?;
    if let Program::Path(path) = &compiled.program {
        return Ok(follow(path, &compiled, scope));
    }
    let lone = matches!(compiled.program, Program::Expression(..));
    evaluate(&compiled, &text, scope, |value, failed| match value.as_str() {
        Some(made) if compiled.stays_text => Ok(Json::String(made.to_owned())),
        Some(made) => Ok(coerce::coerce(made.to_owned())),
        None if lone => to_json(&value).map_err(failed),
        None => Ok(Json::String(object::text(&value))),
    })
}

/// Renders to text, whatever comes out: for SQL. Templates inside SQL comments stay as they are.
pub fn render_text(text: &str, scope: &Scope) -> Result<String, TemplateError> {
    if !lex::has_template(text) {
        return Ok(text.to_owned());
    }
    Ok(sql::show(render_plain(&sql::hide(text), scope)?))
}

/// Renders to text, whatever comes out.
pub fn render_plain(text: &str, scope: &Scope) -> Result<String, TemplateError> {
    if !lex::has_template(text) {
        return Ok(text.to_owned());
    }
    render_prepared_text(&lex::prepare(text, false, scope.hyphenated()), scope)
}

fn render_prepared_text(text: &str, scope: &Scope) -> Result<String, TemplateError> {
    let compiled = compile::template(text)?;
    evaluate(&compiled, text, scope, |value, _| Ok(object::text(&value)))
}

/// Tests a condition, with or without braces.
pub fn test(condition: &Expr, scope: &Scope) -> Result<bool, TemplateError> {
    condition::test(&condition.0, scope)
}

/// Evaluates an expression, with or without braces, to a value: loop sources, sort keys.
pub fn evaluate_expr(text: &str, scope: &Scope) -> Result<Json, TemplateError> {
    if lex::has_template(text) {
        return render_str(text, scope);
    }
    let text = lex::prepare(text.trim(), true, scope.hyphenated());
    let compiled = compile::expression(&text)?;
    evaluate(&compiled, &text, scope, |value, failed| to_json(&value).map_err(failed))
}

/// Whether the text has anything to render.
pub fn has_template(text: &str) -> bool {
    lex::has_template(text)
}

/// Checks that a template parses and that its filters and tests exist.
pub fn check(text: &str) -> Result<(), TemplateError> {
    if lex::has_template(text) { compile::check(&lex::prepare(text, false, &[]), false) } else { Ok(()) }
}

/// Checks a condition, with or without braces.
pub fn check_expr(condition: &Expr) -> Result<(), TemplateError> {
    let text = condition.0.trim();
    if text.is_empty() || matches!(text.to_ascii_lowercase().as_str(), "yes" | "no" | "on" | "off") {
        return Ok(());
    }
    if lex::has_template(text) { check(text) } else { compile::check(&lex::prepare(text, true, &[]), true) }
}

/// Root names that the templates inside the value read, sorted; those that do not parse read nothing.
pub fn reads(value: &Json) -> Vec<String> {
    let mut names = Vec::new();
    collect(value, &mut names, DEEPEST, |facts| &facts.reads);
    sorted(names)
}

/// Dotted paths that the templates inside the value read, such as `ctx.seen`.
pub fn reads_paths(value: &Json) -> Vec<String> {
    let mut names = Vec::new();
    collect(value, &mut names, DEEPEST, |facts| &facts.paths);
    sorted(names)
}

/// The text with the braces in its SQL comments hidden, for [`check`] and [`unguarded_reads`].
pub fn without_sql_comments(text: &str) -> std::borrow::Cow<'_, str> {
    sql::hide(text)
}

/// Root names that one template reads without a guard such as `default` or `is defined`.
pub fn unguarded_reads(text: &str) -> Vec<String> {
    if !lex::has_template(text) {
        return Vec::new();
    }
    let Ok(compiled) = compile::template(&lex::prepare(text, false, &[])) else { return Vec::new() };
    compiled.facts.reads.iter().filter(|name| !compiled.facts.guarded(name)).cloned().collect()
}

/// Root names that a condition reads.
pub fn reads_expr(condition: &Expr) -> Vec<String> {
    facts_of_expr(condition).map(|facts| facts.reads.clone()).unwrap_or_default()
}

/// Dotted paths that a condition reads.
pub fn reads_expr_paths(condition: &Expr) -> Vec<String> {
    facts_of_expr(condition).map(|facts| facts.paths.clone()).unwrap_or_default()
}

fn facts_of_expr(condition: &Expr) -> Option<Arc<compile::Facts>> {
    let text = condition.0.trim();
    let bare = !lex::has_template(text);
    let text = lex::prepare(text, bare, &[]);
    let compiled = if bare { compile::expression(&text) } else { compile::template(&text) };
    Some(compiled.ok()?.facts.clone())
}

fn collect(value: &Json, names: &mut Vec<String>, depth: usize, pick: fn(&compile::Facts) -> &Vec<String>) {
    let Some(depth) = depth.checked_sub(1) else { return };
    let mut read = |text: &str| {
        if lex::has_template(text)
            && let Ok(compiled) = compile::template(&lex::prepare(text, false, &[]))
        {
            names.extend(pick(&compiled.facts).iter().cloned());
        }
    };
    match value {
        Json::String(text) => read(text),
        Json::Array(items) => items.iter().for_each(|item| collect(item, names, depth, pick)),
        Json::Object(map) => {
            map.keys().for_each(|key| read(key));
            map.values().for_each(|value| collect(value, names, depth, pick));
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names.dedup();
    names
}

/// `{{ a.b.c }}`: the thing itself.
fn follow(path: &[String], compiled: &Compiled, scope: &Scope) -> Json {
    let session = scope.session(compiled.facts.clone());
    let Some((root, members)) = path.split_first() else { return Json::Null };
    let mut view = scope.find(root, &compiled.facts);
    for member in members {
        view = view.and_then(|view| view.get(member, &session));
    }
    view.map_or(Json::Null, |view| view.to_json(&session))
}

type Failed<'a> = &'a dyn Fn(minijinja::Error) -> TemplateError;

/// Evaluates a compiled template and hands the value on while the scope still lives.
fn evaluate<T>(
    compiled: &Compiled,
    text: &str,
    scope: &Scope,
    then: impl FnOnce(Native, Failed<'_>) -> Result<T, TemplateError>,
) -> Result<T, TemplateError> {
    let session = scope.session(compiled.facts.clone());
    let (value, offset) = match &compiled.program {
        Program::Path(path) => {
            let (root, members) =
                path.split_first().map_or(("", &[][..]), |(root, rest)| (root.as_str(), rest));
            let mut view = scope.find(root, &compiled.facts);
            for member in members {
                view = view.and_then(|view| view.get(member, &session));
            }
            (view.map_or(Native::UNDEFINED, |view| object::to_value(view, &session)), 0)
        }
        Program::Expression(expression, offset) => {
            let root = Native::from_object(Root(session.clone()));
            let value = expression.eval(root).map_err(|error| object::failed(&error, text, *offset))?;
            (value, *offset)
        }
        Program::Text(engine) => {
            let root = Native::from_object(Root(session.clone()));
            let made = engine.get_template(compile::TEMPLATE).and_then(|template| template.render(root));
            (Native::from(made.map_err(|error| object::failed(&error, text, 0))?), 0)
        }
    };
    if value.as_str().is_some_and(|made| made.len() > engine::MOST_TEXT) {
        return Err(TemplateError::fuel().within(text));
    }
    then(value, &|error| object::failed(&error, text, offset))
}

#[cfg(test)]
mod tests;
