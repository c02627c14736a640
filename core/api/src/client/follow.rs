//! Following Events and log lines as they happen, across lost connections.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::stream::BoxStream;
use noetl_domain::id::ExecutionId;
use reqwest::{Method, Response, Url};
use serde::de::DeserializeOwned;

use super::{Client, ClientError};
use crate::event::{EventBody, FeedQuery};
use crate::log::{LogBody, LogFilter};

/// How long a server that was there before may stay away.
const PATIENCE: Duration = Duration::from_secs(30);
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

impl Client {
    /// Events after a position of the feed, as they are committed. With `execution_id` the stream ends with the
    /// Execution; without it, never. A lost connection is taken up where it broke.
    pub fn follow(&self, query: &FeedQuery) -> BoxStream<'static, Result<EventBody, ClientError>> {
        self.follow_stream(&["api", "feed"], &query_pairs(query), query.after.clone())
    }

    /// Every Event of one Execution from its beginning, until it ends.
    pub fn follow_execution(&self, id: ExecutionId) -> BoxStream<'static, Result<EventBody, ClientError>> {
        self.follow(&FeedQuery {
            execution_id: Some(id.to_string()),
            after: Some("0".to_owned()),
            ..FeedQuery::default()
        })
    }

    /// The log lines of one Execution that a filter lets through, until it ends.
    pub fn follow_logs(
        &self,
        id: ExecutionId,
        filter: &LogFilter,
    ) -> BoxStream<'static, Result<LogBody, ClientError>> {
        let path = ["api", "executions", &id.to_string(), "logs"];
        let wanted = [
            ("follow", Some("true")),
            ("step", filter.step.as_deref()),
            ("stream", filter.stream.as_deref()),
        ];
        let wanted =
            wanted.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())));
        let query: Vec<_> = wanted.collect();
        self.follow_stream(&path, &query, filter.after.map(|id| id.to_string()))
    }

    fn follow_stream<T: DeserializeOwned + Send + 'static>(
        &self,
        path: &[&str],
        query: &[(String, String)],
        after: Option<String>,
    ) -> BoxStream<'static, Result<T, ClientError>> {
        let mut url = self.url(path);
        url.query_pairs_mut().extend_pairs(query);
        let following = Following {
            client: self.clone(),
            url,
            last: after,
            body: None,
            parser: Parser::default(),
            ready: VecDeque::new(),
            connected_once: false,
            ended: false,
        };
        futures::stream::unfold(following, async |mut following| {
            let next = following.next().await?;
            Some((next, following))
        })
        .boxed()
    }
}

fn query_pairs(query: &FeedQuery) -> Vec<(String, String)> {
    [("execution_id", &query.execution_id), ("event_type", &query.event_type)]
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value.clone()?)))
        .collect()
}

struct Following {
    client: Client,
    url: Url,
    /// Id of the last message seen.
    last: Option<String>,
    body: Option<BoxStream<'static, reqwest::Result<bytes::Bytes>>>,
    parser: Parser,
    ready: VecDeque<Message>,
    connected_once: bool,
    ended: bool,
}

impl Following {
    async fn next<T: DeserializeOwned>(&mut self) -> Option<Result<T, ClientError>> {
        loop {
            while let Some(message) = self.ready.pop_front() {
                if message.id.is_some() {
                    self.last = message.id;
                }
                match message.event.as_str() {
                    "end" => self.ended = true,
                    _ if message.data.is_empty() => {}
                    _ => return Some(self.read(&message.data)),
                }
            }
            if self.ended {
                return None;
            }
            let Some(body) = &mut self.body else {
                match self.connect().await {
                    Ok(response) => self.body = Some(response.bytes_stream().boxed()),
                    Err(error) => {
                        self.ended = true;
                        return Some(Err(error));
                    }
                }
                continue;
            };
            if let Some(Ok(bytes)) = body.next().await {
                self.parser.push(&bytes, &mut self.ready);
            } else {
                // What was begun and not finished comes again after the last id.
                self.body = None;
                self.parser = Parser::default();
                tokio::time::sleep(FIRST_PAUSE).await;
            }
        }
    }

    async fn connect(&mut self) -> Result<Response, ClientError> {
        let since = Instant::now();
        let mut pause = FIRST_PAUSE;
        loop {
            // No timeout: the stream stays open as long as the Execution runs.
            let mut request =
                self.client.http.request(Method::GET, self.url.clone()).header("accept", "text/event-stream");
            if let Some(last) = &self.last {
                request = request.header("last-event-id", last);
            }
            match self.client.send(request).await {
                Ok(response) => {
                    self.connected_once = true;
                    return Ok(response);
                }
                Err(ClientError::Unreachable { .. }) if self.connected_once && since.elapsed() < PATIENCE => {
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn read<T: DeserializeOwned>(&self, data: &str) -> Result<T, ClientError> {
        serde_json::from_str(data).map_err(|source| ClientError::Unreadable {
            address: self.client.address().to_owned(),
            status: 200,
            start: data.chars().take(200).collect(),
            source: Some(source),
        })
    }
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Message {
    id: Option<String>,
    pub(super) event: String,
    pub(super) data: String,
}

/// Reads `text/event-stream` as it trickles in.
#[derive(Default)]
pub(super) struct Parser {
    line: Vec<u8>,
    message: Message,
}

impl Parser {
    pub(super) fn push(&mut self, bytes: &[u8], ready: &mut VecDeque<Message>) {
        for byte in bytes {
            if *byte == b'\n' {
                let line = std::mem::take(&mut self.line);
                let line = String::from_utf8_lossy(&line);
                self.line(line.trim_end_matches('\r'), ready);
            } else {
                self.line.push(*byte);
            }
        }
    }

    fn line(&mut self, line: &str, ready: &mut VecDeque<Message>) {
        if line.is_empty() {
            let message = std::mem::take(&mut self.message);
            if message != Message::default() {
                ready.push_back(message);
            }
            return;
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "id" => self.message.id = Some(value.to_owned()),
            "event" => value.clone_into(&mut self.message.event),
            "data" => {
                if !self.message.data.is_empty() {
                    self.message.data.push('\n');
                }
                self.message.data.push_str(value);
            }
            // Comments (heartbeats) and fields of the future.
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_read_however_the_bytes_are_cut() {
        let text = ": heartbeat\n\nid: 7\nevent: step.exit\ndata: {\"a\":\ndata: 1}\r\n\r\nevent: end\ndata: é\n\nid: 8\n";
        for size in 1..text.len() {
            let (mut parser, mut ready) = (Parser::default(), VecDeque::new());
            for chunk in text.as_bytes().chunks(size) {
                parser.push(chunk, &mut ready);
            }
            let read: Vec<_> = ready
                .iter()
                .map(|message| (message.id.as_deref(), message.event.as_str(), message.data.as_str()))
                .collect();
            assert_eq!(read, [(Some("7"), "step.exit", "{\"a\":\n1}"), (None, "end", "é")], "cut by {size}");
        }
    }
}
