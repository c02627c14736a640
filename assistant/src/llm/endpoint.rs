//! A model behind an OpenAI-compatible endpoint.
//!
//! The client repeats what may pass (429, 5xx, refused connections) and waits as long as the server asks;
//! here one deadline lies around all of it.

use std::time::Duration;

use async_openai::Client;
use async_openai::config::OpenAIConfig;
use async_openai::error::OpenAIError;
use async_openai::types::chat::{
    ChatCompletionRequestAssistantMessage, ChatCompletionRequestMessage, ChatCompletionRequestSystemMessage,
    ChatCompletionRequestUserMessage, CreateChatCompletionRequest, CreateChatCompletionResponse,
    FinishReason, ResponseFormat, ResponseFormatJsonSchema,
};
use noetl_domain::mask::Masker;

use super::config::{Config, Keys};
use super::{Answer, Ask, Asking, Message, Model, ModelError, Role};

/// What is repeated of a refusal, at most.
const REASON: usize = 200;
const LONG_WORD: usize = 30;

#[derive(Debug)]
pub(super) struct Endpoint {
    config: Config,
    keys: Keys,
    http: reqwest::Client,
}

impl Endpoint {
    pub(super) fn new(config: &Config, keys: Keys) -> Result<Self, ModelError> {
        let missing = [(config.base_url.is_empty(), "base_url"), (config.model.is_empty(), "model")];
        if let Some((_, what)) = missing.into_iter().find(|(missing, _)| *missing) {
            return Err(ModelError::Missing(what));
        }
        // Fails only when a provider is there already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // Where the key goes is written in the configuration, and no answer may send it elsewhere.
        let http = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(5))
            .timeout(config.timeout())
            .redirect(reqwest::redirect::Policy::none());
        // A proxy for the outside world cannot reach this machine's own ports.
        let http = if is_local(&config.base_url) { http.no_proxy() } else { http };
        let http = http.build().map_err(ModelError::Client)?;
        Ok(Self { config: config.clone(), keys, http })
    }

    async fn call(&self, ask: &Ask) -> Result<Answer, ModelError> {
        let key = self.keys.key().await.map_err(ModelError::Key)?;
        if key.chars().any(|character| character.is_control() || !character.is_ascii()) {
            return Err(ModelError::Key("it holds characters that no header can".to_owned()));
        }
        let known = key.clone();
        // Named here whole, so that no variable of the environment has a say.
        let config = OpenAIConfig::default()
            .with_api_base(self.config.base_url.trim_end_matches('/'))
            .with_api_key(key)
            .with_org_id("")
            .with_project_id("");
        let client = Client::build(self.http.clone(), config);
        let timeout = ask.timeout.map_or(self.config.timeout(), |timeout| timeout.min(self.config.timeout()));
        let answer = tokio::time::timeout(timeout, client.chat().create(self.request(ask)))
            .await
            .map_err(|_| ModelError::Timeout(timeout))?
            .map_err(|error| refused(error, timeout, &known))?;
        read(answer)
    }

    fn request(&self, ask: &Ask) -> CreateChatCompletionRequest {
        let most = self.config.max_output_tokens;
        let most = ask.max_output_tokens.map_or(most, |tokens| tokens.min(most));
        let is_openai = is_openai(&self.config.base_url);
        let mut request = CreateChatCompletionRequest {
            model: self.config.model.clone(),
            messages: ask.messages.iter().map(message).collect(),
            temperature: self.config.temperature.or((!is_openai).then_some(0.0)),
            n: Some(1),
            ..CreateChatCompletionRequest::default()
        };
        if is_openai {
            request.max_completion_tokens = Some(most);
        } else {
            // The older name is the one that every other server knows.
            #[expect(deprecated, reason = "OpenAI alone has given it up")]
            {
                request.max_tokens = Some(most);
            }
        }
        request.response_format = ask.schema.as_ref().map(|schema| ResponseFormat::JsonSchema {
            json_schema: ResponseFormatJsonSchema {
                name: schema.name.clone(),
                description: None,
                schema: schema.schema.clone(),
                strict: Some(true),
            },
        });
        request
    }
}

impl Model for Endpoint {
    fn name(&self) -> &str {
        &self.config.model
    }

    fn ask<'a>(&'a self, ask: &'a Ask) -> Asking<'a> {
        Box::pin(self.call(ask))
    }
}

fn message(message: &Message) -> ChatCompletionRequestMessage {
    let text = message.text.clone();
    match message.role {
        Role::System => ChatCompletionRequestMessage::System(ChatCompletionRequestSystemMessage::from(text)),
        Role::User => ChatCompletionRequestMessage::User(ChatCompletionRequestUserMessage::from(text)),
        Role::Assistant => {
            ChatCompletionRequestMessage::Assistant(ChatCompletionRequestAssistantMessage::from(text))
        }
    }
}

fn read(answer: CreateChatCompletionResponse) -> Result<Answer, ModelError> {
    let unreadable = |what: &str| ModelError::Unreadable(what.to_owned());
    let usage = answer.usage.unwrap_or_default();
    let choice = answer.choices.into_iter().next().ok_or_else(|| unreadable("it is empty"))?;
    if choice.message.refusal.is_some() {
        let reason = "it declined to answer".to_owned();
        return Err(ModelError::Refused { status: None, reason });
    }
    let finish_reason = match choice.finish_reason {
        Some(FinishReason::Length) => "length",
        Some(FinishReason::ContentFilter) => "content_filter",
        Some(FinishReason::ToolCalls | FinishReason::FunctionCall) => "tool_calls",
        Some(FinishReason::Stop) | None => "stop",
    };
    Ok(Answer {
        text: choice.message.content.ok_or_else(|| unreadable("it holds no text"))?,
        model: answer.model,
        input_tokens: usage.prompt_tokens,
        output_tokens: usage.completion_tokens,
        finish_reason: finish_reason.to_owned(),
    })
}

fn refused(error: OpenAIError, timeout: Duration, known: &str) -> ModelError {
    match error {
        // Both deadlines are the same, and either may be first.
        OpenAIError::Reqwest(error) if error.is_timeout() && !error.is_connect() => {
            ModelError::Timeout(timeout)
        }
        OpenAIError::Reqwest(error) if error.is_connect() => ModelError::Unreachable(chain(&error, known)),
        OpenAIError::Reqwest(error) => ModelError::Refused { status: None, reason: chain(&error, known) },
        OpenAIError::ApiError(answer) => ModelError::Refused {
            status: Some(answer.status_code.as_u16()),
            reason: bounded(&answer.api_error.message, known),
        },
        // What came instead is not repeated: nobody has checked it.
        OpenAIError::JSONDeserialize(..) => {
            ModelError::Unreadable("it is not what an OpenAI-compatible endpoint says".to_owned())
        }
        error => ModelError::Refused { status: None, reason: bounded(&error.to_string(), known) },
    }
}

/// An error with its causes, without the address, which may hold what only the configuration should.
fn chain(error: &reqwest::Error, known: &str) -> String {
    let mut found: Vec<String> = Vec::new();
    let mut next = std::error::Error::source(error);
    while let Some(error) = next {
        let text = error.to_string();
        if found.last().is_none_or(|known| !known.contains(&text)) {
            found.push(text);
        }
        next = error.source();
    }
    bounded(&found.join(": "), known)
}

/// One line of a foreign text, shortened, without what looks like a secret.
fn bounded(text: &str, known: &str) -> String {
    let text = if known.is_empty() { text.to_owned() } else { text.replace(known, "…") };
    let masked = Masker::new().text(&text).into_owned();
    // No word of a sentence is as long as a key.
    let line: Vec<&str> =
        masked.split_whitespace().map(|word| if word.len() > LONG_WORD { "…" } else { word }).collect();
    line.join(" ").chars().filter(|character| !character.is_control()).take(REASON).collect()
}

fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split('/').next().unwrap_or_default()
}

fn is_openai(url: &str) -> bool {
    host(url).ends_with("openai.com") || host(url).ends_with("openai.azure.com")
}

fn is_local(url: &str) -> bool {
    ["127.", "localhost", "[::1]"].iter().any(|local| host(url).starts_with(local))
}
