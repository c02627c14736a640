//! What a model may do, and what comes of it.

use std::time::Duration;

use noetl_domain::id::ExecutionId;
use serde_json::{Value, json};

use super::testing::{Act, Script};
use super::{Ask, Config, Keys, Message, ModelError, NoCalls, Role, Schema, open};

fn ask() -> Ask {
    Ask {
        prompt: "test/1".into(),
        messages: vec![Message { role: Role::User, text: "why?".into() }],
        schema: Some(Schema { name: "answer".into(), schema: json!({"type": "object"}) }),
        execution: Some(ExecutionId(7)),
        ..Ask::default()
    }
}

#[tokio::test]
async fn asks_with_the_schema_and_the_limits_and_records_what_it_cost() {
    let script = Script::new([Act::Say("{\"a\": 1}".into())]);
    let config = Config { output_cost_per_million: 10.0, max_output_tokens: 50, ..Config::default() };
    let model = script.model(config).await;
    let answer = model.ask(&ask()).await.unwrap();
    assert_eq!(answer.read::<Value>().unwrap(), json!({"a": 1}));
    assert_eq!((model.name(), answer.model.as_str()), ("small", "small-1"));
    let asked = &script.asked()[0];
    assert_eq!(asked["model"], "small");
    assert_eq!(asked["max_tokens"], 50);
    assert_eq!(asked["temperature"], 0.0);
    assert_eq!(asked["response_format"]["type"], "json_schema");
    assert_eq!(asked["response_format"]["json_schema"]["strict"], true);
    assert_eq!(asked["messages"][0], json!({"role": "user", "content": "why?"}));
    assert_eq!(script.keys(), ["Bearer the-key"]);
    let call = &script.calls()[0];
    assert_eq!((call.operation, call.provider.as_str()), ("chat", "openai_compatible"));
    assert_eq!((call.prompt.as_str(), call.execution), ("test/1", Some(ExecutionId(7))));
    assert_eq!((call.input_tokens, call.output_tokens), (100, 20));
    assert_eq!((call.finish_reason.as_str(), call.error.as_str()), ("stop", ""));
    assert!((call.cost_usd - 0.0002).abs() < 1e-9, "{}", call.cost_usd);
}

#[tokio::test]
async fn says_what_went_wrong_and_repeats_nothing_that_it_was_told() {
    let secret = "no such key sk-proj-abcdefghijklmnopqrstuvwxyz0123456789, or the-key";
    for (act, kind, said) in [
        (Act::Refuse(401, secret), "http_401", "the model refused"),
        (Act::Refuse(400, "response_format is not supported"), "http_400", "response_format"),
        (Act::HangUp, "timeout", "did not answer within 1 s"),
        (Act::Garbage, "unreadable", "cannot be read"),
    ] {
        let timeout_seconds = if matches!(act, Act::HangUp) { 1 } else { 60 };
        let script = Script::new([act]);
        let model = script.model(Config { timeout_seconds, ..Config::default() }).await;
        let error = model.ask(&ask()).await.unwrap_err();
        assert_eq!(error.kind(), kind);
        let told = format!("{error} {error:?}");
        assert!(told.contains(said), "{told}");
        assert!(!told.contains("the-key") && !told.contains("abcdefghij") && !told.contains("<html>"));
        assert_eq!(script.calls()[0].error, kind);
    }
}

#[tokio::test]
async fn an_answer_in_another_form_is_not_read() {
    let script = Script::new([Act::Say("Sure! Here it is".into()), Act::Cut("{\"a\"".into())]);
    let model = script.model(Config::default()).await;
    let read = async || model.ask(&ask()).await.unwrap().read::<Value>().unwrap_err();
    assert!(matches!(read().await, ModelError::Unreadable(_)));
    assert!(matches!(read().await, ModelError::Cut));
}

#[tokio::test]
async fn nobody_is_asked_beyond_the_limits() {
    let script = Script::new([Act::Say("{}".into())]);
    let config = Config {
        input_cost_per_million: 1e6,
        max_cost_per_day: 150.0,
        max_input_tokens: 100,
        ..Config::default()
    };
    let model = script.model(config).await;
    let mut long = ask();
    long.messages[0].text = "x".repeat(1_000);
    assert!(matches!(model.ask(&long).await, Err(ModelError::TooLong { most: 100, .. })));
    // The first is paid for with a hundred dollars, and of the rest a second of its size is not.
    model.ask(&ask()).await.unwrap();
    long.messages[0].text = "x".repeat(200);
    let refused = model.ask(&long).await.unwrap_err();
    assert!(
        matches!(refused, ModelError::Spent { spent, .. } if (spent - 100.0).abs() < 1e-9),
        "{refused:?}"
    );
    assert_eq!(script.asked().len(), 1);
    let errors: Vec<String> = script.calls().into_iter().map(|call| call.error).collect();
    assert_eq!(errors, ["too_long", "", "budget_spent"]);
}

#[tokio::test]
async fn what_was_spent_before_a_restart_counts() {
    let script = Script::new([Act::Say("{}".into())]);
    script.spent_earlier(140.0);
    let config = Config { input_cost_per_million: 1e6, max_cost_per_day: 250.0, ..Config::default() };
    let model = script.model(config).await;
    // Paid for with a hundred dollars of the hundred and ten that are left.
    model.ask(&ask()).await.unwrap();
    for _ in 0..2 {
        // Counted once.
        let refused = model.ask(&ask()).await.unwrap_err();
        assert!(
            matches!(refused, ModelError::Spent { spent, .. } if (spent - 240.0).abs() < 1e-9),
            "{refused:?}"
        );
    }
    assert_eq!(script.asked().len(), 1);
}

#[tokio::test]
async fn where_nobody_can_tell_only_this_process_counts() {
    let script = Script::new([Act::Say("{}".into())]);
    let config = Config { input_cost_per_million: 1e6, max_cost_per_day: 105.0, ..Config::default() };
    let model = script.model(config).await;
    model.ask(&ask()).await.unwrap();
    let refused = model.ask(&ask()).await.unwrap_err();
    assert!(
        matches!(refused, ModelError::Spent { spent, .. } if (spent - 100.0).abs() < 1e-9),
        "{refused:?}"
    );
}

#[tokio::test]
async fn nobody_listens() {
    let config = Config {
        // A port that nobody has: the one of a listener that is closed again.
        base_url: format!("http://{}/v1", {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            listener.local_addr().unwrap()
        }),
        model: "small".into(),
        timeout_seconds: 2,
        ..Config::default()
    };
    let model = open(&config, Keys::fixed(""), std::sync::Arc::new(NoCalls)).unwrap().unwrap();
    let began = std::time::Instant::now();
    let error = model.ask(&ask()).await.unwrap_err();
    assert!(matches!(error, ModelError::Unreachable(_) | ModelError::Timeout(_)), "{error:?}");
    assert!(began.elapsed() < Duration::from_secs(20));
}

#[test]
fn half_a_configuration_is_said_and_none_is_none() {
    let opened = |base_url: &str, model: &str, enabled| {
        let config = Config { enabled, base_url: base_url.into(), model: model.into(), ..Config::default() };
        open(&config, Keys::fixed(""), std::sync::Arc::new(NoCalls))
    };
    assert!(opened("", "", true).unwrap().is_none());
    assert!(opened("http://x", "m", false).unwrap().is_none());
    assert_eq!(opened("http://x", "", true).unwrap_err().to_string(), "the model's model is not configured");
    // https is there without another library.
    assert!(opened("https://api.openai.com/v1", "m", true).unwrap().is_some());
}
