//! Questions in plain words.

use std::collections::VecDeque;

use futures::StreamExt as _;
use futures::stream::BoxStream;
use serde_json::json;

use super::follow::{Message, Parser};
use super::{Client, ClientError};
use crate::chat::{ChatAnswer, ChatEvent, ChatRequest};
use crate::error::ErrorBody;

impl Client {
    /// The whole answer at once.
    pub async fn chat(&self, request: &ChatRequest) -> Result<ChatAnswer, ClientError> {
        self.read(self.post(&["api", "chat"], request)).await
    }

    /// The parts of an answer as they come; the last one is `Done`, unless an error ends it.
    pub async fn chat_stream(
        &self,
        request: &ChatRequest,
    ) -> Result<BoxStream<'static, Result<ChatEvent, ClientError>>, ClientError> {
        let asked = self.post(&["api", "chat"], request).header("accept", "text/event-stream");
        let body = self.send(asked).await?.bytes_stream().boxed();
        let state = (self.clone(), body, Parser::default(), VecDeque::new(), false);
        let parts =
            futures::stream::unfold(state, async |(client, mut body, mut parser, mut ready, ended)| {
                if ended {
                    return None;
                }
                loop {
                    if let Some(message) = ready.pop_front() {
                        let part = client.part(&message);
                        let ended = !matches!(part, Ok(ref part) if !matches!(part, ChatEvent::Done(_)));
                        return Some((part, (client, body, parser, ready, ended)));
                    }
                    match body.next().await? {
                        Ok(bytes) => parser.push(&bytes, &mut ready),
                        Err(source) => {
                            let error = client.unreachable(source);
                            return Some((Err(error), (client, body, parser, ready, true)));
                        }
                    }
                }
            });
        Ok(parts.boxed())
    }

    fn part(&self, message: &Message) -> Result<ChatEvent, ClientError> {
        let unreadable = |source| ClientError::Unreadable {
            address: self.address().to_owned(),
            status: 200,
            start: message.data.chars().take(200).collect(),
            source: Some(source),
        };
        let data: serde_json::Value = serde_json::from_str(&message.data).map_err(unreadable)?;
        if message.event == "error" {
            let body: ErrorBody = serde_json::from_value(data).map_err(unreadable)?;
            return Err(ClientError::Refused { status: 200, body: Box::new(body) });
        }
        serde_json::from_value(json!({ "event": message.event, "data": data })).map_err(unreadable)
    }
}
