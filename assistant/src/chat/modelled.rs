//! Conversations with a model that is scripted: one that behaves, many that do not, and texts that try to lead it astray.

use std::sync::Arc;

use noetl_api::chat::{ChatAnswer, ChatRequest};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::mpsc::channel;

use super::dialogue::Talk;
use crate::llm::Config;
use crate::llm::testing::{Act, Script};
use crate::tools::testing::{History, PATH, SECRET};

const QUESTION: &str = "what fails most this week and since when?";

async fn ask_with(history: &History, script: &Script, question: &str, config: Config) -> ChatAnswer {
    let talk = Talk { model: script.model(config).await, tools: Arc::default() };
    let request = ChatRequest {
        question: question.to_owned(),
        timezone: Some("UTC".to_owned()),
        ..ChatRequest::default()
    };
    let (out, mut parts) = channel(1_000);
    super::answer(history, Some(&talk), &request, &out).await.unwrap();
    drop(out);
    let mut whole = ChatAnswer::default();
    while let Some(part) = parts.recv().await {
        whole.add(part).unwrap();
    }
    whole
}

async fn ask(script: &Script, question: &str) -> ChatAnswer {
    ask_with(&History::default(), script, question, Config::default()).await
}

fn tool(name: &str, arguments: &Value) -> Act {
    let turn = json!({ "action": "tool", "tool": name, "arguments": arguments.to_string(), "sentences": [] });
    Act::Say(turn.to_string())
}

fn say(sentences: &[(&str, &[&str])]) -> Act {
    let sentences: Vec<Value> =
        sentences.iter().map(|(text, cites)| json!({ "text": text, "cites": cites })).collect();
    Act::Say(json!({ "action": "answer", "tool": "", "arguments": "", "sentences": sentences }).to_string())
}

/// What is sent to the model, turn by turn.
fn last_message(body: &Value) -> String {
    let messages = body["messages"].as_array().unwrap();
    messages.last().unwrap()["content"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_model_asks_tools_and_tells_what_they_said() {
    let script = Script::new([
        tool("clusters", &json!({ "since": "7d" })),
        tool("stats", &json!({ "playbook": PATH })),
        say(&[
            ("The most frequent failure came 12 times", &["E1"]),
            ("It struck 99 times yesterday", &["E1"]),
        ]),
    ]);
    let answer = ask(&script, QUESTION).await;
    assert_eq!(answer.done.written_by, "small");
    assert_eq!(answer.text, "The most frequent failure came 12 times [e:fingerprint:000000000000000c].");
    let asked: Vec<&str> = answer.tools.iter().map(|tool| tool.name.as_str()).collect();
    assert_eq!(asked, ["clusters", "stats"]);
    assert_eq!(answer.citations.len(), 1, "what is cited and nothing else");
    assert_eq!(answer.tables.len(), 1, "the table that holds it");
    assert_eq!(answer.done.notes, ["1 of 2 sentences did not hold and are not shown"]);
    let understood = answer.done.turn.understood.unwrap();
    assert_eq!((understood.tool.as_str(), understood.about.playbook.as_deref()), ("stats", Some(PATH)));
    // Each call is on record with its prompt.
    let prompts: Vec<String> = script.calls().into_iter().map(|call| call.prompt).collect();
    assert_eq!(prompts, ["chat/1", "chat/1", "chat/1"]);
    let bodies = script.asked();
    assert!(last_message(&bodies[1]).contains("\"ref\":\"E1\""), "{}", last_message(&bodies[1]));
    let sent = bodies[2].to_string();
    assert!(
        !sent.contains(SECRET) && !sent.contains("fingerprint:"),
        "aliases and masked fields only: {sent}"
    );
    assert!(
        bodies[0].to_string().len() < 20_000,
        "the first question is {} bytes",
        bodies[0].to_string().len()
    );
}

#[tokio::test]
async fn whatever_a_model_does_the_question_is_answered() {
    let plain = super::tests::ask(
        &History::default(),
        &ChatRequest {
            question: QUESTION.to_owned(),
            timezone: Some("UTC".to_owned()),
            ..ChatRequest::default()
        },
    )
    .await
    .unwrap();
    let clusters = json!({ "since": "7d" });
    let wild: Vec<(&str, Vec<Act>)> = vec![
        ("no JSON", vec![Act::Say("The load fails most.".to_owned())]),
        ("no such action", vec![Act::Say(json!({ "action": "approve" }).to_string())]),
        ("cut", vec![Act::Cut("{\"action\":".to_owned())]),
        ("unknown tools for ever", vec![tool("approve_proposal", &json!({ "id": "5" }))]),
        ("one tool for ever", vec![tool("clusters", &clusters)]),
        ("no sentence", vec![tool("clusters", &clusters), say(&[])]),
        ("nothing cited", vec![tool("clusters", &clusters), say(&[("It came 12 times", &[])])]),
        ("cites what is not there", vec![say(&[("It came 12 times", &["E7"])])]),
        ("made-up numbers", vec![tool("clusters", &clusters), say(&[("It came 13 times", &["E1"])])]),
        (
            "made-up names",
            vec![tool("clusters", &clusters), say(&[("`shop/refunds` came 12 times", &["E1"])])],
        ),
        (
            "an order",
            vec![tool("clusters", &clusters), say(&[("Delete the playbook after 12 times", &["E1"])])],
        ),
        ("a link", vec![tool("clusters", &clusters), say(&[("12 times, see http://x.example", &["E1"])])]),
        (
            "arguments that are none",
            vec![Act::Say(
                json!({ "action": "tool", "tool": "clusters", "arguments": "since 7d" }).to_string(),
            )],
        ),
        ("refused", vec![Act::Refuse(400, "no")]),
        ("fell over", vec![Act::Refuse(500, "Internal Server Error")]),
        ("fell over half-way", vec![tool("clusters", &clusters), Act::Refuse(500, "Internal Server Error")]),
        ("garbage", vec![Act::Garbage]),
        (
            "oversized",
            vec![Act::Say(
                json!({ "action": "tool", "tool": "sql", "arguments": "x".repeat(200_000) }).to_string(),
            )],
        ),
        (
            "an answer as large as a book",
            vec![
                tool("clusters", &clusters),
                say(&vec![("it came and came and came 12 times and 13 times", &["E1"] as &[&str]); 5_000]),
            ],
        ),
    ];
    for (name, acts) in wild {
        let script = Script::new(acts);
        let answer = ask(&script, QUESTION).await;
        assert_eq!(answer.done.written_by, "rules", "{name}");
        assert_eq!(answer.text, plain.text, "{name}");
        assert_eq!(answer.understood.tool, "clusters", "{name}");
        let note = answer.done.notes.last().unwrap_or_else(|| panic!("{name} leaves no note"));
        assert!(note.ends_with("; rules answer instead"), "{name}: {note}");
        assert!(script.asked().len() <= 6, "{name}: {} turns", script.asked().len());
    }
}

#[tokio::test]
async fn a_model_that_says_nothing_is_not_waited_for() {
    let script = Script::new([Act::HangUp]);
    let config = Config { timeout_seconds: 1, ..Config::default() };
    let answer = ask_with(&History::default(), &script, QUESTION, config).await;
    assert_eq!(answer.done.written_by, "rules");
    assert!(answer.done.notes[0].contains("did not answer within 1 s"), "{:?}", answer.done.notes);
}

#[tokio::test]
async fn tools_that_fail_are_told_to_the_model() {
    let script = Script::new([
        tool("why", &json!({ "execution_id": "abc" })),
        tool("rm", &json!({})),
        say(&[("There is no such execution", &["E1"])]),
    ]);
    let answer = ask(&script, QUESTION).await;
    assert_eq!(answer.done.written_by, "rules", "there is nothing that it could cite");
    let bodies = script.asked();
    assert!(last_message(&bodies[1]).contains("no id"), "{}", last_message(&bodies[1]));
    assert!(last_message(&bodies[2]).contains("there is no tool"), "{}", last_message(&bodies[2]));
    let failed: Vec<bool> = answer.tools.iter().map(|tool| tool.error.is_some()).collect();
    assert_eq!(failed, [true, true, false], "the last one is the rules' own");
}

#[tokio::test]
async fn a_change_is_drafted_and_nothing_is_filed() {
    let draft = |parameter: &str, value: Value| {
        let arguments = json!({ "playbook": PATH, "step": "load", "parameter": parameter, "value": value });
        tool("draft_proposal", &arguments)
    };
    let script = Script::new([
        draft("batch_size", json!(90_000_000)),
        draft("arcs", json!(["x"])),
        draft("batch_size", json!(500)),
        tool("stats", &json!({ "playbook": PATH })),
        say(&[("The history of `shop/orders_nightly` is in the table", &["E1"])]),
    ]);
    let answer = ask(&script, "draft a batch size of 500 for load in the nightly orders").await;
    let bodies = script.asked();
    assert!(
        last_message(&bodies[1]).contains("at most 1000000 are ever allowed"),
        "{}",
        last_message(&bodies[1])
    );
    assert!(last_message(&bodies[2]).contains("cannot be drafted"), "{}", last_message(&bodies[2]));
    assert_eq!(answer.done.written_by, "small", "{:?}", answer.done.notes);
    let [drafted] = answer.drafts.as_slice() else { panic!("{} drafts", answer.drafts.len()) };
    assert_eq!(
        (drafted.changes[0].before.clone(), drafted.changes[0].after.clone()),
        (json!(100), json!(500))
    );
    let diff = drafted.diff.as_deref().unwrap();
    assert!(diff.contains("-  loop: { in: '{{ [1, 2] }}', iterator: row, chunk: 100 }"), "{diff}");
    assert!(diff.contains("chunk: 500"), "{diff}");
    assert_eq!(drafted.written_by, "small");
    assert!(answer.done.notes.iter().any(|note| note.contains("a draft changes nothing")));

    // What is said of it may fail the check; the draft was read by lint and stays.
    let script = Script::new([
        draft("batch_size", json!(500)),
        say(&[("It will surely double the revenue of the company", &["E77"])]),
    ]);
    let answer = ask(&script, "draft a batch size of 500 for load in the nightly orders").await;
    assert_eq!(answer.drafts.len(), 1, "{:?}", answer.done.notes);
    assert!(answer.text.contains("nothing that the model said about it holds"), "{}", answer.text);
    assert!(!answer.text.contains("revenue"), "{}", answer.text);
}

#[derive(Deserialize)]
struct Attempt {
    text: String,
}

/// Error messages that try to lead the model astray never reach it, and one that repeats them is not heard.
#[tokio::test]
async fn injections_in_the_history_change_nothing() {
    let corpus = include_str!("../../tests/injections.jsonl");
    let attempts: Vec<Attempt> = corpus.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(attempts.len() >= 100);
    for attempt in attempts {
        let history = History { injected: attempt.text.clone(), ..History::default() };
        let obeyed = [
            (attempt.text.as_str(), &["E1"] as &[&str]),
            ("The most frequent failure came 12 times", &["E1"]),
        ];
        let script = Script::new([
            tool("clusters", &json!({ "since": "7d" })),
            tool("executions", &json!({ "status": "FAILED" })),
            tool("search", &json!({ "q": "refused" })),
            tool("sql", &json!({ "query": "SELECT message FROM noetl_events" })),
            say(&obeyed),
        ]);
        let answer = ask_with(&history, &script, QUESTION, Config::default()).await;
        assert_eq!(
            answer.text, "The most frequent failure came 12 times [e:fingerprint:000000000000000c].",
            "{}: {:?}",
            attempt.text, answer.done
        );
        let sent: String = script.asked().iter().map(ToString::to_string).collect();
        assert!(!sent.contains(SECRET), "{}", attempt.text);
    }
}
