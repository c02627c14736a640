//! `POST /api/chat`: a stream of parts, or one document.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use futures::StreamExt as _;
use noetl_api::chat::{ChatAnswer, ChatEvent, ChatRequest};
use noetl_api::error::ErrorBody;
use noetl_domain::code::Code;
use tokio::sync::mpsc::{Receiver, channel};
use tokio_stream::wrappers::ReceiverStream;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::dialogue::Talk;
use crate::tools::{Answers, Trouble};

/// Parts that may lie ready before somebody reads them.
const AHEAD: usize = 32;

type Parts = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What handlers ask. Clones share it.
#[derive(Clone)]
struct Services {
    answer: Arc<dyn Fn(ChatRequest, tokio::sync::mpsc::Sender<ChatEvent>) -> Parts + Send + Sync>,
}

/// The endpoint, ready to be merged with others; with a model it is the model that asks the tools.
pub fn router<A: Answers>(answers: Arc<A>, talk: Option<Talk>) -> Router {
    let answer = move |request: ChatRequest, out: tokio::sync::mpsc::Sender<ChatEvent>| -> Parts {
        let (answers, talk) = (Arc::clone(&answers), talk.clone());
        Box::pin(async move {
            if let Err(trouble) = super::answer(&*answers, talk.as_ref(), &request, &out).await {
                super::emit(&out, ChatEvent::Error(*trouble.0)).await;
            }
        })
    };
    endpoints().split_for_parts().0.with_state(Services { answer: Arc::new(answer) })
}

/// The contract as a document.
pub fn openapi() -> OpenApi {
    endpoints().split_for_parts().1
}

fn endpoints() -> OpenApiRouter<Services> {
    OpenApiRouter::new().routes(routes!(chat))
}

/// A question in plain words, answered with tables, sentences and citations.
///
/// With `Accept: text/event-stream` the parts come as they are ready: `understood`, `tool`, `text`, `table`, `citations`,
/// `draft`, then `done` or `error`; the data of each is the `data` of a `ChatEvent`. Otherwise one document comes.
#[utoipa::path(post, path = "/api/chat", tag = "assistant", request_body = ChatRequest,
    responses(
        (status = 200, content((ChatAnswer = "application/json"), (ChatEvent = "text/event-stream"))),
        (status = "default", body = ErrorBody)))]
async fn chat(
    State(services): State<Services>,
    headers: HeaderMap,
    request: Result<Json<ChatRequest>, JsonRejection>,
) -> Response {
    let request = match request {
        Ok(Json(request)) => request,
        Err(rejection) => return refusal(*Trouble::new(Code::InvalidRequest, rejection.body_text()).0),
    };
    let (out, parts) = channel(AHEAD);
    // It goes on by itself: a reader that is slow or gone holds up nobody.
    tokio::spawn((services.answer)(request, out));
    if wants_stream(&headers) { stream(parts) } else { whole(parts).await }
}

fn wants_stream(headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accepted.is_some_and(|accepted| accepted.contains("text/event-stream"))
}

fn stream(parts: Receiver<ChatEvent>) -> Response {
    let events = ReceiverStream::new(parts).map(|part| Ok::<Event, Infallible>(written(&part)));
    Sse::new(events).keep_alive(KeepAlive::default()).into_response()
}

fn written(part: &ChatEvent) -> Event {
    let whole = serde_json::to_value(part).unwrap_or_default();
    Event::default().event(part.name()).data(whole["data"].to_string())
}

async fn whole(mut parts: Receiver<ChatEvent>) -> Response {
    let mut answer = ChatAnswer::default();
    while let Some(part) = parts.recv().await {
        if let Err(error) = answer.add(part) {
            return refusal(*error);
        }
    }
    Json(answer).into_response()
}

fn refusal(body: ErrorBody) -> Response {
    let status = match body.code() {
        Some(Code::InvalidRequest | Code::QueryRefused) => StatusCode::BAD_REQUEST,
        Some(Code::UnknownExecution | Code::UnknownPlaybook | Code::NotFound) => StatusCode::NOT_FOUND,
        Some(
            Code::LayerOff | Code::LayerStarting | Code::LayerFailed | Code::ToolOff | Code::Unavailable,
        ) => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    (status, Json(body)).into_response()
}
