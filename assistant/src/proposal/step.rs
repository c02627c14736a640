//! "Generate the step": a draft of a step from a description, for a tool that its words point to.
//!
//! It is a template with the particulars that the words give, and is linted before anybody sees it; a person completes
//! it. A model may write a better one, through the same door.

use noetl_api::proposal::{Effect, NewProposal, ProposalKind, RiskLevel};
use noetl_domain::Value;
use noetl_domain::dialect::patch::{Parameter, Setting};
use noetl_domain::lint::ToolSchemas;
use serde_json::json;

use super::subject::{Draft, Refusal, Subject, estimate};
use crate::statistics::Interval;

/// Words that point to a tool; what matches most, the first of equals, is taken.
const TOOLS: [(&str, &[&str]); 7] = [
    (
        "http",
        &[
            "http", "https", "api", "url", "fetch", "download", "request", "post", "webhook", "endpoint",
            "call", "get",
        ],
    ),
    ("postgres", &["postgres", "postgresql", "database", "warehouse", "upsert", "sql", "table"]),
    ("sqlite", &["sqlite", "file-database", "local-database", "sql", "table"]),
    ("playbook", &["playbook", "sub-playbook", "subplaybook", "child"]),
    ("shell", &["shell", "command", "script", "bash", "curl", "run", "execute"]),
    ("sleep", &["wait", "sleep", "pause", "delay"]),
    (
        "python",
        &[
            "python",
            "compute",
            "calculate",
            "transform",
            "convert",
            "filter",
            "parse",
            "sum",
            "count",
            "clean",
            "merge",
        ],
    ),
];

/// A Proposal of a new step behind another one.
pub(crate) fn draft(
    subject: &Subject,
    after: &str,
    description: &str,
    tools: &ToolSchemas,
) -> Result<NewProposal, Refusal> {
    let words: Vec<String> = description
        .split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '"' | '\'' | '(' | ')'))
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect();
    let lower: Vec<String> =
        words.iter().map(|word| word.trim_end_matches(['.', ':']).to_lowercase()).collect();
    let score = |known: &[&str]| {
        lower
            .iter()
            .filter(|word| {
                known.contains(&word.as_str())
                    || word.starts_with("http://") && known[0] == "http"
                    || word.starts_with("https://") && known[0] == "http"
            })
            .count()
    };
    let scores: Vec<usize> = TOOLS.iter().map(|(_, known)| score(known)).collect();
    let best = scores.iter().copied().max().unwrap_or(0);
    let tool = if best == 0 {
        "python"
    } else {
        TOOLS[scores.iter().position(|score| *score == best).unwrap_or(0)].0
    };
    let name = free_name(subject, &lower);
    let step = json!({
        "step": name,
        "desc": description.trim(),
        "tool": body(tool, &words, &lower),
    });
    let none = Interval::new(0.0, 0.0, 0.0);
    let runs = subject.history.len().max(1) as u64;
    let draft = Draft {
        kind: ProposalKind::Step,
        step: Some(after.to_owned()),
        cause: None,
        title: format!("add step {name} ({tool}) behind {after}"),
        reason: format!(
            "Drafted from the description; its words point to the tool {tool} [e:playbook]. Complete it before it runs."
        ),
        settings: vec![Setting { step: after.to_owned(), parameter: Parameter::Steps, value: step }],
        n: runs,
        censored: 0,
        estimate: estimate("change of the failure rate: none is claimed", "share", none),
        counterfactual: estimate("change of the failure rate without the step", "share", none),
        bound: "a draft is never approved by a policy".to_owned(),
        query: format!(
            "SELECT count() AS n FROM noetl_executions FINAL WHERE {}",
            subject.scope_of(&subject.history)
        ),
        effect: {
            let rate = subject.failure_rate();
            Effect { metric: "failure_rate".to_owned(), before: rate, expected: rate, low: rate, high: rate }
        },
        risk: RiskLevel::High,
        risk_note: "A draft from words: read it, and complete what it cannot know.".to_owned(),
    };
    subject.propose(draft, tools)
}

fn body(tool: &str, words: &[String], lower: &[String]) -> Value {
    let has = |word: &str| lower.iter().any(|known| known == word);
    let number = lower.iter().find_map(|word| word.trim_end_matches('s').parse::<f64>().ok());
    match tool {
        "http" => {
            let url = words.iter().find(|word| word.starts_with("http://") || word.starts_with("https://"));
            let url = url.map_or("https://example.com", |url| url.trim_end_matches(['.', ',']));
            let method =
                ["post", "put", "patch", "delete"].into_iter().find(|method| has(method)).unwrap_or("get");
            let mut tool = json!({ "kind": "http", "method": method.to_uppercase(), "url": url });
            if matches!(method, "post" | "put" | "patch") {
                tool["json"] = json!({});
            }
            tool
        }
        "postgres" => json!({ "kind": "postgres", "auth": "pg", "query": "SELECT 1" }),
        "sqlite" => json!({ "kind": "sqlite", "db_path": "data.db", "query": "SELECT 1" }),
        "playbook" => {
            let path =
                words.iter().find(|word| word.contains('/')).map_or("path/of/playbook", String::as_str);
            json!({ "kind": "playbook", "path": path })
        }
        "shell" => json!({ "kind": "shell", "command": "true" }),
        "sleep" => json!({ "kind": "sleep", "seconds": number.unwrap_or(1.0) }),
        _ => json!({ "kind": "python", "code": "result = {}\n" }),
    }
}

/// A name from the first telling words that no step has yet.
fn free_name(subject: &Subject, lower: &[String]) -> String {
    let plain = |word: &&String| {
        word.len() > 2
            && word.chars().all(|c| c.is_ascii_alphanumeric())
            && !["the", "and", "from", "with", "into", "for", "that", "all", "this"].contains(&word.as_str())
    };
    let words: Vec<&str> = lower.iter().filter(plain).take(2).map(String::as_str).collect();
    let base = if words.is_empty() { "new_step".to_owned() } else { words.join("_") };
    let taken = |name: &str| subject.playbook.step(name).is_some();
    if !taken(&base) {
        return base;
    }
    (2..1_000).map(|at| format!("{base}_{at}")).find(|name| !taken(name)).unwrap_or(base)
}
