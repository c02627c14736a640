//! Questions that the assistant may ask: one file each, all of them reading and none of them changing anything.
//!
//! A tool has a name, a description, a JSON schema of its arguments, and an [`Answer`]: sentences computed from the
//! data, tables, and evidence that the sentences cite. The router of plain questions, a model, and other assistants
//! (MCP) get the same ones.

mod anomalies;
mod answers;
mod bottlenecks;
mod clusters;
mod compare;
mod counts;
mod events;
mod execution;
mod executions;
mod playbook;
mod proposals;
mod search;
mod similar;
mod simulate_proposal;
mod sql;
mod stats;
mod table;
#[cfg(test)]
pub(crate) mod testing;
mod what_if;
mod why;
mod window;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use noetl_api::chat::{About, ChatTable};
use noetl_api::diagnosis::EvidenceItem;
use noetl_domain::code::Code;

pub use answers::{Answers, Trouble};
pub(crate) use table::for_model;
pub(crate) use window::{Stretch, stretch, written};

/// What a tool found.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Answer {
    /// Sentences that cite `[e:REF]`.
    pub reading: String,
    pub tables: Vec<ChatTable>,
    pub evidence: Vec<EvidenceItem>,
    pub notes: Vec<String>,
    /// What the next question may mean by "it".
    #[serde(skip)]
    pub about: About,
    /// The answer as the API gives it, whole.
    pub data: Value,
}

/// A tool as others are told of it.
#[derive(Clone, Debug)]
pub struct Tool {
    pub name: &'static str,
    pub description: &'static str,
    /// JSON Schema of the arguments.
    pub schema: Value,
}

macro_rules! tools {
    ($($name:ident),* $(,)?) => {
        /// Every tool.
        pub fn all() -> Vec<Tool> {
            vec![$(Tool {
                name: stringify!($name),
                description: $name::DESCRIPTION,
                schema: schemars::schema_for!($name::Input).to_value(),
            }),*]
        }

        /// Asks one of them.
        pub async fn call<A: Answers>(answers: &A, name: &str, arguments: Value) -> Result<Answer, Trouble> {
            match name {
                $(stringify!($name) => $name::answer(answers, read(name, arguments)?).await,)*
                other => Err(unknown(other)),
            }
        }
    };
}

tools!(
    anomalies,
    bottlenecks,
    clusters,
    compare,
    counts,
    events,
    execution,
    executions,
    playbook,
    proposals,
    search,
    similar,
    simulate_proposal,
    sql,
    stats,
    what_if,
    why,
);

fn read<T: DeserializeOwned>(name: &str, arguments: Value) -> Result<T, Trouble> {
    let arguments = if arguments.is_null() { Value::Object(serde_json::Map::new()) } else { arguments };
    serde_json::from_value(arguments)
        .map_err(|error| Trouble::new(Code::InvalidRequest, format!("the arguments of {name}: {error}")))
}

fn unknown(name: &str) -> Trouble {
    let names: Vec<&str> = all().iter().map(|tool| tool.name).collect();
    let name: String = name.chars().take(60).collect();
    Trouble::new(Code::InvalidRequest, format!("there is no tool {name:?}"))
        .hint(format!("these are there: {}", names.join(", ")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::testing::{FAILED, History, PATH, SECRET};
    use super::*;
    use crate::check::check;

    #[test]
    fn every_tool_describes_itself_and_its_arguments() {
        for tool in all() {
            assert!(tool.description.len() > 30, "{}", tool.name);
            assert_eq!(tool.schema["type"], "object", "{}: {}", tool.name, tool.schema);
            let properties = tool.schema["properties"].as_object().cloned().unwrap_or_default();
            for (name, property) in properties {
                assert!(property["description"].is_string(), "{}.{name} says nothing", tool.name);
            }
        }
    }

    /// Arguments with which each tool answers.
    fn arguments(tool: &str) -> Vec<Value> {
        let id = FAILED.to_string();
        match tool {
            "bottlenecks" => vec![json!({ "playbook": PATH })],
            "stats" => vec![json!({ "playbook": PATH, "step": "load" })],
            "counts" => vec![
                json!({}),
                json!({ "order": "failed" }),
                json!({ "by": "day" }),
                json!({ "order": "duration" }),
            ],
            "search" => vec![json!({ "q": "refused" }), json!({ "q": "orders", "kind": "playbook" })],
            "similar" => vec![json!({ "id": id }), json!({ "playbook": PATH }), json!({})],
            "simulate_proposal" => vec![json!({ "id": "5" })],
            "sql" => vec![json!({ "query": "SELECT message, 7 AS n FROM noetl_events" })],
            "what_if" => vec![
                json!({ "playbook": PATH, "parameter": "batch_size", "value": 500 }),
                json!({ "playbook": PATH, "parameter": "batch_size", "value": 100 }),
                json!({ "playbook": PATH, "parameter": "timeout", "value": 30 }),
            ],
            "playbook" => vec![json!({}), json!({ "path": PATH })],
            _ => vec![json!({})],
        }
    }

    #[tokio::test]
    async fn every_sentence_of_every_tool_cites_what_it_says() {
        let history = History::default();
        for tool in all() {
            for arguments in arguments(tool.name) {
                let answer = call(&history, tool.name, arguments.clone()).await;
                let answer = answer.unwrap_or_else(|trouble| panic!("{} {arguments}: {trouble}", tool.name));
                assert!(!answer.reading.is_empty(), "{} {arguments}", tool.name);
                let held = check(&answer.reading, &answer.evidence);
                assert_eq!(held, answer.reading, "{} {arguments}: {:#?}", tool.name, answer.evidence);
                for table in &answer.tables {
                    assert_eq!(table.rows.len(), table.refs.len());
                    assert!(table.rows.iter().all(|row| row.len() == table.columns.len()), "{}", table.title);
                }
            }
        }
    }

    #[tokio::test]
    async fn what_a_model_sees_has_no_raw_text() {
        let history = History::default();
        for tool in all() {
            for arguments in arguments(tool.name) {
                let answer = call(&history, tool.name, arguments).await.unwrap();
                let seen = for_model(&answer).to_string();
                assert!(!seen.contains(SECRET), "{}: {seen}", tool.name);
            }
        }
    }

    #[tokio::test]
    async fn counts_go_on_without_the_tables() {
        let history = History { tables_off: true, ..History::default() };
        let answer = call(&history, "counts", json!({ "since": "24h" })).await.unwrap();
        assert_eq!(answer.data["failed"], 2);
        assert!(answer.notes[0].contains("off"), "{:?}", answer.notes);
        let refused = call(&history, "counts", json!({ "by": "step" })).await.unwrap_err();
        assert!(refused.is(&[Code::LayerOff]));
    }

    #[tokio::test]
    async fn bad_arguments_are_told_by_name() {
        let history = History::default();
        for (tool, arguments, part) in [
            ("rm", json!({}), "there is no tool"),
            ("stats", json!({}), "playbook"),
            ("stats", json!({ "playbook": PATH, "drop": true }), "drop"),
            ("why", json!({ "execution_id": "abc" }), "no id"),
            ("counts", json!({ "since": "yesterday" }), "no moment"),
            ("counts", json!({ "status": "DONE" }), "no state"),
            ("proposals", json!({ "state": "maybe" }), "no state"),
        ] {
            let trouble = call(&history, tool, arguments.clone()).await.unwrap_err();
            assert!(trouble.0.detail.contains(part), "{tool} {arguments}: {trouble}");
        }
    }
}
