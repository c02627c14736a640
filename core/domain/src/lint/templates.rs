//! Templates and conditions that do not parse, with their place inside the YAML.

use super::{MOST, place};
use crate::dialect::SourceMap;
use crate::finding::{Finding, Span};
use crate::playbook::{Action, Arc, Case, Expr, Playbook, Retry, Rule, Save, Step, Task};
use crate::template::{self, TemplateError};
use crate::yaml::{Data, Node};

/// Keys whose text is code of another language, where double braces may mean something else.
pub(super) const CODE: &[&str] = &["code", "script"];
/// Keys whose text is SQL.
const SQL: &[&str] = &["command", "commands", "query", "sql", "statement", "claim"];

/// Checks every string of the file.
pub(super) fn check(text: &str, root: &Node, findings: &mut Vec<Finding>) {
    let mut told = [0; 2];
    walk(root, "", &mut |node, key| {
        let Some(value) = node.as_str() else { return };
        let code = CODE.contains(&key);
        if told[usize::from(code)] >= MOST {
            return;
        }
        let Err(error) = template::check(&readable(value, key)) else { return };
        told[usize::from(code)] += 1;
        let span = place::of(text, node, &error);
        findings.push(if code {
            Finding::warning(error.code, span, message(&error))
                .hint("this is code: write `{% raw %}` around it if the braces are its own")
        } else {
            hinted(Finding::error(error.code, span, message(&error)), &error)
        });
    });
}

/// The text that is rendered: braces in SQL comments are not.
pub(super) fn readable<'a>(value: &'a str, key: &str) -> std::borrow::Cow<'a, str> {
    if SQL.contains(&key) { template::without_sql_comments(value) } else { value.into() }
}

/// Calls `see` with every node and the nearest key above it that names code or SQL.
pub(super) fn walk(node: &Node, key: &str, see: &mut impl FnMut(&Node, &str)) {
    see(node, key);
    match &node.data {
        Data::List(items) => items.iter().for_each(|item| walk(item, key, see)),
        Data::Map(entries) => {
            for entry in entries {
                let own = entry.key.as_str();
                let told = CODE.contains(&own) || SQL.contains(&own);
                walk(&entry.value, if told { own } else { key }, see);
            }
        }
        Data::Null | Data::Bool(_) | Data::Number(_) | Data::String(_) => {}
    }
}

fn message(error: &TemplateError) -> String {
    let shown = error.template.lines().next().unwrap_or_default();
    format!("this template does not parse: {} (in `{shown}`)", error.message)
}

/// Filters that a misspelt one may mean.
const FILTERS: &[&str] = &[
    "default",
    "int",
    "float",
    "string",
    "tojson",
    "fromjson",
    "length",
    "lower",
    "upper",
    "trim",
    "replace",
    "split",
    "join",
    "first",
    "last",
    "round",
    "list",
    "map",
    "select",
    "sort",
    "abs",
    "keys",
    "values",
    "items",
    "b64encode",
    "b64decode",
    "sum",
    "min",
    "max",
    "unique",
    "title",
    "selectattr",
];

fn hinted(finding: Finding, error: &TemplateError) -> Finding {
    let text = &error.template;
    if error.message.contains("filter") && error.message.contains("unknown") {
        let name = error.message.split(' ').nth(1).unwrap_or_default();
        return match super::nearest(name, FILTERS.iter().copied()) {
            Some(near) => finding.hint(format!("did you mean `{near}`?")),
            None => finding,
        };
    }
    if text.contains("&&") || text.contains("||") {
        finding.hint("write `and` and `or`")
    } else if text.matches("{{").count() > text.matches("}}").count() {
        finding.hint("a `{{` is not closed by `}}`")
    } else {
        finding
    }
}

/// Checks conditions that are written without braces.
pub(super) fn check_conditions(playbook: &Playbook, source: &SourceMap, findings: &mut Vec<Finding>) {
    for step in &playbook.steps {
        let path = format!("steps/{}", step.name);
        let mut check = |condition: &Expr, span: Span| {
            // Conditions with braces were checked as strings of the file.
            if template::has_template(&condition.0) {
                return;
            }
            if let Err(error) = template::check_expr(condition) {
                let text =
                    format!("this condition does not parse: {} (in `{}`)", error.message, condition.0.trim());
                findings.push(hinted(Finding::error(error.code, span, text), &error));
            }
        };
        conditions(step, &path, &mut |condition, path| check(condition, source.span(&path)));
    }
}

fn conditions(step: &Step, path: &str, see: &mut dyn FnMut(&Expr, String)) {
    let mut arcs = |arcs: &[Arc], kind: &str| {
        for (index, arc) in arcs.iter().enumerate() {
            arc.when.iter().for_each(|when| see(when, format!("{path}/{kind}/{index}/when")));
        }
    };
    arcs(&step.routes.arcs, "arcs");
    arcs(&step.routes.otherwise, "otherwise");
    step.guard.iter().for_each(|guard| see(guard, format!("{path}/guard")));
    of_loop(step, path, see);
    retries(&step.retry, path, see);
    saves(&step.saves, path, see);
    for (index, Case { when, then }) in step.cases.iter().enumerate() {
        if let Some(when) = when {
            see(when, format!("{path}/case/{index}/when"));
        }
        for action in then {
            if let Action::Next(arcs) = action {
                for when in arcs.iter().filter_map(|arc| arc.when.as_ref()) {
                    see(when, format!("{path}/case/{index}"));
                }
            }
        }
    }
    for (index, task) in step.body.iter().enumerate() {
        of_task(task, &format!("{path}/body/{index}"), see);
    }
}

fn of_loop(step: &Step, path: &str, see: &mut dyn FnMut(&Expr, String)) {
    if let Some(looped) = &step.looped {
        looped.filter.iter().for_each(|filter| see(filter, format!("{path}/loop/filter")));
        looped.until.iter().for_each(|until| see(until, format!("{path}/loop/until")));
    }
}

fn of_task(task: &Task, path: &str, see: &mut dyn FnMut(&Expr, String)) {
    if let Some(inner) = &task.nested {
        let path = format!("{path}/nested");
        of_loop(inner, &path, see);
        for (index, task) in inner.body.iter().enumerate() {
            of_task(task, &format!("{path}/body/{index}"), see);
        }
    }
    for (index, Rule { when, .. }) in task.rules.iter().enumerate() {
        if let Some(when) = when {
            see(when, format!("{path}/rules/{index}/when"));
        }
    }
    retries(&task.retry, path, see);
    saves(&task.saves, path, see);
    if let Some(repeat) = &task.repeat {
        see(&repeat.while_true, format!("{path}/repeat"));
        retries(&repeat.retry, path, see);
    }
}

fn retries(retries: &[Retry], path: &str, see: &mut dyn FnMut(&Expr, String)) {
    for retry in retries {
        for when in retry.when.iter().chain(&retry.stop_when) {
            see(when, format!("{path}/retry"));
        }
    }
}

fn saves(saves: &[Save], path: &str, see: &mut dyn FnMut(&Expr, String)) {
    for (index, save) in saves.iter().enumerate() {
        save.when.iter().for_each(|when| see(when, format!("{path}/saves/{index}")));
    }
}
