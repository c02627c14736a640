//! Conversations, answered from a small history.

use noetl_api::chat::{ChatAnswer, ChatRequest, ChatTurn};
use noetl_domain::code::Code;
use tokio::sync::mpsc::channel;

use super::answer;
use crate::tools::Trouble;
use crate::tools::testing::{FAILED, History, PATH};

pub(super) async fn ask(history: &History, request: &ChatRequest) -> Result<ChatAnswer, Trouble> {
    let (out, mut parts) = channel(1_000);
    answer(history, None, request, &out).await?;
    drop(out);
    let mut whole = ChatAnswer::default();
    while let Some(part) = parts.recv().await {
        whole.add(part).map_err(Trouble)?;
    }
    Ok(whole)
}

fn request(question: &str, turns: &[ChatTurn]) -> ChatRequest {
    ChatRequest {
        question: question.to_owned(),
        messages: turns.to_vec(),
        timezone: Some("UTC".to_owned()),
        ..ChatRequest::default()
    }
}

/// Asks one after another, and returns which tool was asked with which arguments.
async fn converse(questions: &[&str]) -> Vec<(String, serde_json::Value)> {
    let history = History::default();
    let (mut turns, mut asked) = (Vec::new(), Vec::new());
    for question in questions {
        let whole = ask(&history, &request(question, &turns)).await.unwrap();
        turns.push(whole.done.turn);
        asked.push((whole.understood.tool, whole.understood.arguments));
    }
    asked
}

#[tokio::test]
async fn an_answer_has_a_reading_sentences_a_table_and_evidence() {
    let whole =
        ask(&History::default(), &request("what fails most this week and since when?", &[])).await.unwrap();
    assert_eq!(whole.understood.tool, "clusters");
    assert!(whole.understood.reading.starts_with("failures that say the same thing, all playbooks, since "));
    assert!(whole.text.contains("12 times"), "{}", whole.text);
    assert_eq!(whole.tables[0].rows.len(), 2);
    assert!(whole.citations.iter().any(|item| item.reference == "fingerprint:000000000000000c"));
    assert_eq!(whole.done.written_by, "rules");
}

#[tokio::test]
async fn the_next_question_goes_on_where_the_last_one_ended() {
    let asked = converse(&[
        "what failed this week?",
        "and the week before?",
        "why?",
        "show me its events",
        "which are like it?",
    ])
    .await;
    let tools: Vec<&str> = asked.iter().map(|(tool, _)| tool.as_str()).collect();
    assert_eq!(tools, ["clusters", "clusters", "why", "events", "similar"]);
    assert_eq!(asked[1].1["until"], asked[0].1["since"]);
    let id = FAILED.to_string();
    assert_eq!(asked[2].1["execution_id"], id.as_str());
    assert_eq!(asked[3].1["execution_id"], id.as_str());
    assert_eq!(asked[4].1["id"], id.as_str());
}

#[tokio::test]
async fn one_thing_can_be_changed() {
    let asked = converse(&[
        "how often does the nightly orders load fail?",
        "and the customers copy?",
        "and yesterday?",
        "which step is slowest?",
    ])
    .await;
    let of = |at: usize| (asked[at].0.as_str(), asked[at].1["playbook"].as_str().unwrap_or_default());
    assert_eq!(of(0), ("stats", PATH));
    assert_eq!(of(1), ("stats", "shop/customers"));
    assert_eq!(of(2), ("stats", "shop/customers"));
    assert!(asked[2].1["until"].is_string());
    assert_eq!(of(3), ("bottlenecks", "shop/customers"));
}

#[tokio::test]
async fn steps_are_known_by_the_playbook() {
    let asked = converse(&["how long does load take in the nightly orders?"]).await;
    assert_eq!(asked[0].1["step"], "load");
}

#[tokio::test]
async fn what_is_not_understood_is_said_to_be() {
    let whole = ask(&History::default(), &request("sing me a song", &[])).await.unwrap();
    assert_eq!(whole.understood.tool, "");
    assert!(whole.text.starts_with("I did not understand this"), "{}", whole.text);
    assert!(whole.done.examples.len() > 10);
    let missing =
        ask(&History::default(), &request("what would happen with batch size 500?", &[])).await.unwrap();
    assert!(missing.text.contains("name the playbook"), "{}", missing.text);
}

#[tokio::test]
async fn that_there_is_nothing_is_an_answer() {
    let history = History { is_empty: true, ..History::default() };
    let whole = ask(&history, &request("why did the nightly orders load fail?", &[])).await.unwrap();
    assert_eq!(whole.text, format!("There is no FAILED execution of {PATH}."));
    assert!(whole.tools[0].error.is_some());
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused_with_a_code() {
    let history = History { tables_off: true, ..History::default() };
    for (question, zone, code) in [
        ("", "UTC", Code::InvalidRequest),
        ("what failed?", "Middle/Earth", Code::InvalidRequest),
        ("what failed today?", "UTC", Code::LayerOff),
    ] {
        let request = ChatRequest { timezone: Some(zone.to_owned()), ..request(question, &[]) };
        let trouble = ask(&history, &request).await.unwrap_err();
        assert!(trouble.is(&[code]), "{question}: {trouble}");
    }
    let long = request(&"x ".repeat(4_000), &[]);
    assert!(ask(&history, &long).await.is_err());
}
