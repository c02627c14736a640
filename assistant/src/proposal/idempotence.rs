//! Which steps may be tried more often: those for which twice is the same as once.
//!
//! A mark of the author decides. Without one, a tool must be known to only read, or to write the same again.

use noetl_domain::Value;
use noetl_domain::playbook::{Step, Task};

/// Whether the step may be tried more often; otherwise why not, as a sentence for people.
pub(crate) fn may_repeat(step: &Step) -> Result<&'static str, String> {
    match step.idempotent {
        Some(true) => return Ok("the step is marked `idempotent: true`"),
        Some(false) => return Err(format!("step `{}` is marked `idempotent: false`", step.name)),
        None => {}
    }
    match step.body.iter().find(|task| !is_safe(task)) {
        None => Ok("its tools only read, or write the same again"),
        Some(task) => Err(format!(
            "nobody says that step `{}` may run twice: mark it `idempotent: true` if it may (its tool is {})",
            step.name, task.kind
        )),
    }
}

fn is_safe(task: &Task) -> bool {
    if let Some(marked) = task.idempotent {
        return marked;
    }
    if !task.saves.is_empty() {
        return false;
    }
    match task.kind.as_str() {
        "noop" | "sleep" | "secrets" => true,
        "http" => {
            let method = task.config.get("method").and_then(Value::as_str).unwrap_or("GET");
            matches!(method.to_ascii_uppercase().as_str(), "GET" | "HEAD" | "OPTIONS" | "PUT" | "DELETE")
        }
        "postgres" | "sqlite" | "duckdb" => only_reads(task),
        _ => false,
    }
}

/// Whether every statement begins with a word that reads and none of them contains one that writes.
fn only_reads(task: &Task) -> bool {
    let mut statements = Vec::new();
    for key in ["sql", "query", "statement", "command", "commands", "queries", "statements"] {
        match task.config.get(key) {
            Some(Value::String(text)) => statements.push(text.as_str()),
            Some(Value::Array(items)) => statements.extend(items.iter().filter_map(Value::as_str)),
            Some(_) => return false,
            None => {}
        }
    }
    !statements.is_empty() && statements.iter().all(|text| is_query(text))
}

fn is_query(text: &str) -> bool {
    let text = noetl_domain::template::without_sql_comments(text);
    let mut words =
        text.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty());
    let writes = ["insert", "update", "delete", "merge", "replace", "create", "drop", "alter", "truncate", "into",
        "call", "copy", "grant", "nextval", "set"];
    // A template may hold any statement.
    let begins = words.clone().next().map(str::to_lowercase).unwrap_or_default();
    !text.contains("{{")
        && matches!(begins.as_str(), "select" | "with" | "show" | "values" | "explain")
        && words.all(|word| !writes.contains(&word.to_lowercase().as_str()))
}

#[cfg(test)]
mod tests {
    use noetl_domain::dialect::read;

    use super::*;

    fn step(tool: &str, mark: &str) -> Step {
        let text = format!(
            "apiVersion: noetl.io/v2\nkind: Playbook\nmetadata: {{ name: x }}\nworkflow:\n  - step: work\n{mark}    tool: {tool}\n"
        );
        read(&text).playbook.unwrap_or_else(|| panic!("{text}")).steps.remove(0)
    }

    #[test]
    fn what_only_reads_may_repeat_and_what_nobody_knows_may_not() {
        let cases = [
            ("{ kind: http, url: \"http://x\" }", "", true),
            ("{ kind: http, url: \"http://x\", method: post }", "", false),
            ("{ kind: http, url: \"http://x\", method: \"{{ m }}\" }", "", false),
            ("{ kind: http, url: \"http://x\", method: PUT }", "", true),
            ("{ kind: sqlite, db_path: x, query: \"select 1\" }", "", true),
            ("{ kind: sqlite, db_path: x, query: \"with a as (select 1) insert into b select * from a\" }", "", false),
            ("{ kind: sqlite, db_path: x, query: \"select 1 -- insert\" }", "", true),
            ("{ kind: python, code: \"result = 1\" }", "", false),
            ("{ kind: python, code: \"result = 1\" }", "    idempotent: true\n", true),
            ("{ kind: http, url: \"http://x\" }", "    idempotent: false\n", false),
            ("{ kind: python, idempotent: true, code: \"result = 1\" }", "", true),
        ];
        for (tool, mark, expected) in cases {
            assert_eq!(may_repeat(&step(tool, mark)).is_ok(), expected, "{mark}{tool}");
        }
    }
}
