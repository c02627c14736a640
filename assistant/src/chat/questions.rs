//! Questions with what they mean: half of them were looked at while the grammar was written, half were not.
//!
//! `tool; argument=value; !argument` tells the tool, arguments that must have a value (moments in the zone of whoever
//! asks), and arguments that must not be there.

mod seen;
mod unseen;

use chrono::{DateTime, Utc};
use noetl_api::chat::Understood;
use serde_json::Value;

use super::names::Known;
use super::read::{Asked, Reading, read};
use super::when::Clock;
use super::zone::Zone;

/// A Friday, 10:30 in Berlin.
pub(super) fn clock() -> Clock {
    Clock { now: "2026-11-27T09:30:00Z".parse().unwrap(), zone: Zone::read(Some("Europe/Berlin")).unwrap() }
}

pub(super) fn catalog() -> Vec<Known> {
    [
        (
            "shop/orders_nightly",
            "orders_nightly",
            "Loads the orders of the shop into the warehouse every night",
        ),
        ("shop/customers", "customers", "Copies customers from the CRM"),
        ("finance/invoices", "invoices", "Sends invoices by mail"),
        ("finance/orders_report", "orders_report", "A report about orders for the finance department"),
        ("ops/backup", "backup", "Backs up the databases"),
        ("ml/train_model", "train_model", "Trains the demand forecast"),
    ]
    .map(|(path, name, description)| Known {
        path: path.to_owned(),
        name: name.to_owned(),
        description: description.to_owned(),
    })
    .to_vec()
}

fn understood(question: &str, known: &[Known]) -> Option<Understood> {
    let asked =
        Asked { question, turns: &[], playbook: None, since: None, clock: clock(), known, steps: None };
    match read(asked) {
        Reading::Tool(understood) => Some(*understood),
        Reading::Help => Some(Understood { tool: "help".to_owned(), ..Understood::default() }),
        Reading::Nothing(_) => None,
    }
}

/// Why a reading is not the expected one; none when it is.
fn mistake(question: &str, expected: &str, known: &[Known]) -> Option<String> {
    let mut parts = expected.split(';').map(str::trim);
    let tool = parts.next().unwrap_or_default();
    let Some(found) = understood(question, known) else {
        return (tool != "nothing").then(|| format!("{question:?}: not understood, {expected} expected"));
    };
    let wrong = |what: &str| {
        Some(format!("{question:?}: {what}, {expected} expected: {} {}", found.tool, found.arguments))
    };
    if found.tool != tool {
        return wrong("another tool");
    }
    for part in parts {
        if let Some(absent) = part.strip_prefix('!') {
            if !found.arguments[absent].is_null() {
                return wrong(part);
            }
            continue;
        }
        let (name, value) = part.split_once('=').expect("argument=value");
        if shown(&found.arguments[name]) != value {
            return wrong(part);
        }
    }
    None
}

fn shown(value: &Value) -> String {
    let Some(text) = value.as_str() else { return value.to_string() };
    text.parse::<DateTime<Utc>>()
        .map_or_else(|_| text.to_owned(), |at| clock().zone.local(at).format("%Y-%m-%d %H:%M").to_string())
}

fn judge(name: &str, questions: &[(&str, &str)]) -> (f64, Vec<String>) {
    let known = catalog();
    let mistakes: Vec<String> =
        questions.iter().filter_map(|(question, expected)| mistake(question, expected, &known)).collect();
    let share = 1.0 - mistakes.len() as f64 / questions.len() as f64;
    eprintln!(
        "{name}: {} of {} right, {:.1} %",
        questions.len() - mistakes.len(),
        questions.len(),
        share * 100.0
    );
    (share, mistakes)
}

#[test]
fn questions_are_read_as_they_are_meant() {
    let (seen, mistakes) = judge("looked at while building", seen::QUESTIONS);
    let (unseen, missed) = judge("not looked at while building", unseen::QUESTIONS);
    assert!(seen >= 0.95, "{}", mistakes.join("\n"));
    if std::env::var_os("NOETL_SHOW_MISTAKES").is_some() {
        eprintln!("{}", missed.join("\n"));
    }
    assert!(unseen >= 0.90, "{unseen}");
    assert!(seen::QUESTIONS.len() + unseen::QUESTIONS.len() >= 150);
}
