//! What a playbook does, in its author's words: descriptions, names of steps and tools, and nothing that was configured.
//!
//! Credentials may stand in the text of a playbook, so values are never told; descriptions are masked like messages.

use noetl_domain::dialect;
use noetl_domain::mask::Masker;
use noetl_domain::playbook::{Playbook, Step, Task};

/// Bytes of the text, at most; models read the beginning and the end of it.
const LONGEST: usize = 8_000;
/// Bytes of one description, at most.
const LONGEST_DESCRIPTION: usize = 1_000;

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) name: String,
    pub(super) text: String,
}

pub(super) fn tell(content: &str) -> Told {
    let (name, lines) = match dialect::read(content).playbook {
        Some(playbook) => (playbook.name.clone(), lines(&playbook)),
        None => names(content),
    };
    let text = lines.join("\n");
    let text = &text[..text.floor_char_boundary(LONGEST)];
    let masker = Masker::new();
    Told { name: masker.text(&name).into_owned(), text: masker.text(text).into_owned() }
}

fn lines(playbook: &Playbook) -> Vec<String> {
    let mut lines: Vec<String> = playbook.description.iter().map(|text| described(text)).collect();
    for step in &playbook.steps {
        tell_step(step, &mut lines);
    }
    lines
}

/// `fetch (http, python): gets the orders of a day`; a step that only leads on is told when somebody described it.
fn tell_step(step: &Step, lines: &mut Vec<String>) {
    let mut tools = Vec::new();
    step.body.iter().for_each(|task| tools_of(task, &mut tools));
    let description = step.description.as_deref().map(described).unwrap_or_default();
    if tools.is_empty() && description.is_empty() {
        return;
    }
    let mut line = step.name.clone();
    if !tools.is_empty() {
        line.push_str(&format!(" ({})", tools.join(", ")));
    }
    if !description.is_empty() {
        line.push_str(&format!(": {description}"));
    }
    lines.push(line);
}

/// The kinds of tools that a task calls, each once, with those inside a loop in the place of a tool.
fn tools_of(task: &Task, tools: &mut Vec<String>) {
    if !task.kind.is_empty() && !tools.contains(&task.kind) {
        tools.push(task.kind.clone());
    }
    if let Some(inner) = &task.nested {
        inner.body.iter().for_each(|task| tools_of(task, tools));
    }
}

fn described(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line[..line.floor_char_boundary(LONGEST_DESCRIPTION)].to_owned()
}

/// The names that can be seen in a text which this version cannot read: those of the playbook and of its steps.
fn names(content: &str) -> (String, Vec<String>) {
    let (mut name, mut steps) = (String::new(), Vec::new());
    for line in content.lines() {
        let line = line.trim_start().trim_start_matches("- ").trim_start();
        let Some((key, value)) = line.split_once(':') else { continue };
        let value = value.trim().trim_matches(['"', '\'']);
        let is_name = !value.is_empty()
            && value.len() <= 100
            && value.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/'));
        match key.trim() {
            "name" if is_name && name.is_empty() => value.clone_into(&mut name),
            "step" if is_name && steps.len() < 100 => steps.push(value.to_owned()),
            _ => {}
        }
    }
    (name, steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_playbook_is_told_in_its_authors_words() {
        let text = r#"
apiVersion: noetl.io/v2
kind: Playbook
metadata:
  name: orders
  path: shop/orders
  description: |
    Loads the orders
    of a day.
workload: { password: hunter2secret }
workflow:
  - step: start
    next: { arcs: [ { step: fetch } ] }
  - step: fetch
    desc: Gets one page after another, with Bearer abcdefgh12345678abcdefgh
    tool: { kind: http, url: "https://user:hunter2secret@x.example/orders", headers: { Authorization: "Bearer hunter2secret0000000000" } }
    next: { arcs: [ { step: keep } ] }
  - step: keep
    tool:
      - clean: { kind: python, code: "password = 'hunter2secret'" }
      - insert: { kind: postgres, auth: { type: postgres, password: hunter2secret }, query: SELECT 1 }
    next: { arcs: [ { step: end } ] }
  - step: end
"#;
        let told = tell(text);
        assert_eq!(told.name, "orders");
        assert_eq!(
            told.text,
            "Loads the orders of a day.\nfetch (http): Gets one page after another, with Bearer [REDACTED]\n\
             keep (python, postgres)"
        );
        assert!(!told.text.contains("hunter2"));
    }

    #[test]
    fn of_a_text_that_cannot_be_read_the_names_are_told() {
        let text = "metadata:\n  name: \"orders\"\nworkflow:\n  - step: fetch\n    tool: [\n    password: hunter2\n  - step: keep it\n  - step: end\n";
        assert_eq!(tell(text), Told { name: "orders".into(), text: "fetch\nend".into() });
        assert_eq!(tell(""), Told { name: String::new(), text: String::new() });
    }
}
