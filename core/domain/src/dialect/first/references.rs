//! References of the first generation, told in words that the scope answers.
//!
//! `tasks.T.steps.S` stays, with names that hold hyphens in brackets.
//! A step named alone means the step of the same task, or of the only task that has one of that name.

use std::fmt::Write;

use indexmap::IndexMap;

use crate::{Map, Value};

/// Task names, and the names and kinds of their steps.
pub(super) struct Names {
    pub(super) tasks: IndexMap<String, Vec<(String, String)>>,
}

/// The task a text stands in, and whether it stands after the task's pipeline.
pub(super) type Where<'w> = Option<(&'w str, bool)>;

pub(super) fn in_map(map: &mut Map, names: &Names, place: Where<'_>) {
    for value in map.values_mut() {
        in_value(value, names, place);
    }
}

pub(super) fn in_value(value: &mut Value, names: &Names, place: Where<'_>) {
    match value {
        Value::String(text) => *text = in_text(text, names, place),
        Value::Array(items) => items.iter_mut().for_each(|item| in_value(item, names, place)),
        Value::Object(map) => in_map(map, names, place),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Where nothing has run yet, `input` is what was asked for.
pub(super) fn of_request(map: &mut Map) {
    for value in map.values_mut() {
        match value {
            Value::String(text) => {
                *text = rewrite(text, &mut |path, output| {
                    if path.name == "input" {
                        output.push_str("payload");
                        return path.length;
                    }
                    0
                });
            }
            Value::Object(map) => of_request(map),
            _ => {}
        }
    }
}

pub(super) fn in_text(text: &str, names: &Names, place: Where<'_>) -> String {
    rewrite(text, &mut |path, output| names.reference(path.rest, place, output))
}

impl Names {
    /// Writes a reference that starts here in other words; returns how much of the text it was.
    fn reference(&self, rest: &str, place: Where<'_>, output: &mut String) -> usize {
        if let Some(after) = rest.strip_prefix("tasks.") {
            let Some((task, steps)) = longest(self.tasks.iter(), |(name, _)| name, after) else { return 0 };
            let mut length = "tasks.".len() + task.len();
            let after = &after[task.len()..];
            if let Some(used) = exit_code(after) {
                let _ = write!(output, "(tasks{}.exit_code | default(0))", member(task));
                return length + used;
            }
            let _ = write!(output, "tasks{}", member(task));
            let Some(after) = after.strip_prefix(".steps.") else { return length };
            let Some((step, kind)) = longest(steps.iter(), |(name, _)| name, after) else { return length };
            length += ".steps.".len() + step.len();
            let head = output.len() - member(task).len() - "tasks".len();
            let _ = write!(output, ".steps{}", member(step));
            return length + status(&after[step.len()..], kind, head, output);
        }
        let owned = |(_, steps): &(&String, &Vec<(String, String)>)| {
            longest(steps.iter(), |(name, _)| name, rest).map(|(name, kind)| (name.clone(), kind.clone()))
        };
        let own = place.and_then(|(task, _)| self.tasks.get_key_value(task));
        if let Some((step, kind)) = own.as_ref().and_then(owned) {
            let head = output.len();
            match place {
                Some((task, true)) => {
                    let _ = write!(output, "tasks{}.steps{}", member(task), member(&step));
                }
                _ => output.push_str(&step),
            }
            return step.len() + status(&rest[step.len()..], &kind, head, output);
        }
        let mut owners = self.tasks.iter().filter_map(|task| Some((task.0, owned(&task)?)));
        if let (Some((task, (step, kind))), None) = (owners.next(), owners.next())
            && !self.tasks.contains_key(&step)
        {
            let head = output.len();
            let _ = write!(output, "tasks{}.steps{}", member(task), member(&step));
            return step.len() + status(&rest[step.len()..], &kind, head, output);
        }
        0
    }
}

/// Only commands have an exit status; whatever else ended well ended with 0.
fn status(after: &str, kind: &str, head: usize, output: &mut String) -> usize {
    let Some(used) = after.strip_prefix(".output").and_then(exit_code).map(|used| used + ".output".len())
    else {
        return 0;
    };
    if kind == "shell" {
        return 0;
    }
    output.insert(head, '(');
    output.push_str(".exit_code | default(0))");
    used
}

fn exit_code(after: &str) -> Option<usize> {
    let word = ".exitCode";
    let rest = after.strip_prefix(word)?;
    ends(rest).then_some(word.len())
}

/// `.name`, or `['na-me']` for a name that is not an identifier.
fn member(name: &str) -> String {
    let plain = name.chars().all(|c| c.is_alphanumeric() || c == '_')
        && !name.starts_with(|c: char| c.is_ascii_digit());
    if plain { format!(".{name}") } else { format!("['{}']", name.replace('\'', "\\'")) }
}

fn longest<'n, T: 'n>(items: impl Iterator<Item = T>, name: impl Fn(&T) -> &str, rest: &str) -> Option<T> {
    items
        .filter(|item| {
            let name = name(item);
            !name.is_empty() && rest.starts_with(name) && ends(&rest[name.len()..])
        })
        .max_by_key(|item| name(item).len())
}

/// No more of a name follows.
fn ends(rest: &str) -> bool {
    let mut after = rest.chars();
    match after.next() {
        Some('-') => !after.next().is_some_and(|c| c.is_alphanumeric() || c == '_'),
        Some(next) => !(next.is_alphanumeric() || next == '_'),
        None => true,
    }
}

/// The start of a path inside the code of a template.
struct Path<'p> {
    /// Its first name, as Jinja reads it.
    name: &'p str,
    length: usize,
    rest: &'p str,
}

/// Copies a text, offering every path inside `{{ }}` and `{% %}`; `$.` before a path falls away.
fn rewrite(text: &str, replace: &mut dyn FnMut(Path<'_>, &mut String) -> usize) -> String {
    let mut output = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = [rest.find("{{"), rest.find("{%")].into_iter().flatten().min() {
        let close = if rest[open..].starts_with("{{") { "}}" } else { "%}" };
        let Some(end) = rest[open..].find(close).map(|end| open + end) else { break };
        output.push_str(&rest[..open + 2]);
        code(&rest[open + 2..end], &mut output, replace);
        output.push_str(close);
        rest = &rest[end + 2..];
    }
    output.push_str(rest);
    output
}

fn code(code: &str, output: &mut String, replace: &mut dyn FnMut(Path<'_>, &mut String) -> usize) {
    let mut at = 0;
    let mut inside_path = false;
    while let Some(character) = code[at..].chars().next() {
        let rest = &code[at..];
        if matches!(character, '\'' | '"') {
            let end = rest[1..].find(character).map_or(rest.len(), |end| end + 2);
            output.push_str(&rest[..end]);
            at += end;
            inside_path = true;
        } else if rest.starts_with("$.") && !inside_path {
            at += 2;
        } else if character.is_alphabetic() || character == '_' {
            let length = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
            let used =
                if inside_path { 0 } else { replace(Path { name: &rest[..length], length, rest }, output) };
            if used == 0 {
                output.push_str(&rest[..length]);
                at += length;
            } else {
                at += used;
            }
            inside_path = true;
        } else {
            inside_path = character == '.' || character.is_ascii_digit();
            output.push(character);
            at += character.len_utf8();
        }
    }
}
