//! Events and log lines as they happen, by server-sent events.
//!
//! A reader that is slow, stuck or gone costs a bounded buffer and nobody else's time:
//! its stream is only advanced when it reads, and what it missed comes from the store.

pub(super) mod follower;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::{Stream, StreamExt};
use noetl_api::event::FeedQuery;
use noetl_domain::event::Event as Recording;
use noetl_domain::id::ExecutionId;
use serde::Serialize;

use super::request::{Params, execution_id};
use super::{Services, Store, show};
use crate::error::ServerError;
use crate::store::{EventStore, canonical_names};
use follower::{Followed, Follower};

const HEARTBEAT: Duration = Duration::from_secs(15);

/// Events as they are committed, each with its position in the feed as id.
///
/// Starts after `Last-Event-ID` or `after`, otherwise now.
/// With `execution_id` it starts at the beginning and ends with `event: end` when the Execution does.
#[utoipa::path(get, path = "/api/feed", tag = "events",
    params(FeedQuery, ("Last-Event-ID" = Option<String>, Header, description = "Position to go on after")),
    responses(
        (status = 200, description = "Server-sent events; data is an Event", body = noetl_api::event::EventBody, content_type = "text/event-stream"),
        (status = 404, description = "No such execution", body = noetl_api::error::ErrorBody)))]
pub(super) async fn feed(
    State(services): State<Services>,
    headers: HeaderMap,
    Params(query): Params<FeedQuery>,
) -> Result<impl IntoResponse, ServerError> {
    let execution = query.execution_id.as_deref().map(execution_id).transpose()?;
    if let Some(id) = execution {
        services.known(id).await?;
    }
    // Subscribing before anything is read leaves no gap between the two.
    let live = services.orchestrator.subscribe();
    let after = match (position(&headers, query.after.as_deref())?, execution) {
        (Some(after), _) => after,
        (None, Some(_)) => 0,
        (None, None) => services.store.head().await?,
    };
    let names: Vec<String> = query
        .event_type
        .iter()
        .flat_map(|name| canonical_names(name).into_iter().map(str::to_owned).collect::<Vec<_>>())
        .collect();
    let following = Following {
        follower: Follower::new(Arc::clone(&services.store), live, execution, after),
        services: services.clone(),
        execution,
        names,
        last: None,
        ended: false,
    };
    Ok(sse(&services, following.stream()))
}

/// A stream of messages, with heartbeats, that ends when the server stops.
pub(super) fn sse<S: Stream<Item = Event> + Send + 'static>(
    services: &Services,
    stream: S,
) -> impl IntoResponse + use<S> {
    let stop = services.stop.clone();
    let stream = stream.map(Ok::<_, Infallible>).take_until(stop.cancelled_owned());
    // Proxies that collect answers would hold the stream back.
    let headers = [("x-accel-buffering", "no"), ("cache-control", "no-cache")];
    (headers, Sse::new(stream).keep_alive(KeepAlive::new().interval(HEARTBEAT).text("heartbeat")))
}

pub(super) fn message(id: u64, name: &str, body: &impl Serialize) -> Event {
    let text = serde_json::to_string(body).unwrap_or_default();
    // Neither may hold a line break; names come from outside (`POST /api/events`).
    Event::default().id(id.to_string()).event(name.replace(['\n', '\r'], " ")).data(text)
}

/// The last message of a stream that has nothing more to tell.
pub(super) fn end(id: ExecutionId, status: &str) -> Event {
    let body = serde_json::json!({ "execution_id": id, "status": status });
    Event::default().event("end").data(body.to_string())
}

pub(super) fn position(headers: &HeaderMap, after: Option<&str>) -> Result<Option<u64>, ServerError> {
    let header = headers.get("last-event-id").map(|value| value.to_str().unwrap_or("?"));
    match header.or(after).map(str::trim).filter(|text| !text.is_empty()) {
        None => Ok(None),
        Some(text) => text.parse().map(Some).map_err(|_| {
            ServerError::invalid(
                "Last-Event-ID and `after` are positions of the feed: decimal digits expected",
            )
        }),
    }
}

struct Following {
    follower: Follower<Store>,
    services: Services,
    execution: Option<ExecutionId>,
    names: Vec<String>,
    /// The message that ends the stream, once the Execution was seen to have ended.
    last: Option<Event>,
    ended: bool,
}

impl Following {
    fn stream(self) -> impl Stream<Item = Event> + Send + 'static {
        futures::stream::unfold(self, async |mut following| {
            let event = following.next().await?;
            Some((event, following))
        })
    }

    async fn next(&mut self) -> Option<Event> {
        if self.ended {
            return None;
        }
        loop {
            match self.follower.next().await {
                Ok(Some(Followed::Event(event))) => {
                    // Its end is told only after everything that was committed with it.
                    if matches!(event.recorded.event, Recording::ExecutionFinished(_))
                        && self.execution.is_some()
                    {
                        self.follower.catch_up();
                    }
                    if self.names.is_empty()
                        || self.names.iter().any(|name| name == event.recorded.event.name())
                    {
                        let body = show::event::positioned(&event);
                        return Some(message(event.position, &body.event_type, &body));
                    }
                }
                Ok(Some(Followed::CaughtUp)) => {
                    // Everything was read after the end was seen, so nothing of it is missing.
                    if let Some(end) = self.last.take() {
                        self.ended = true;
                        return Some(end);
                    }
                    self.last = self.end().await;
                    if self.last.is_some() {
                        self.follower.catch_up();
                    }
                }
                Ok(None) => return None,
                Err(error) => {
                    // The reader connects again and goes on after the last id it saw.
                    tracing::warn!(%error, "the feed of a reader broke off");
                    return None;
                }
            }
        }
    }

    async fn end(&self) -> Option<Event> {
        let id = self.execution?;
        let summary = self.services.store.summary(id).await.ok()??;
        summary.status.is_final().then(|| end(id, summary.status.as_str()))
    }
}
