//! The log of an Execution, and facts posted from outside.

use axum::Json as Answer;
use axum::extract::State;
use noetl_api::error::ErrorBody;
use noetl_api::event::{
    EventBatch, EventBatchPosted, EventBody, EventFilter, EventPage, EventPosted, PostedEvent,
};
use noetl_domain::id::ExecutionId;
use noetl_domain::{Map, Value};

use super::request::{Json, Params, Segments, execution_id, limit};
use super::{Services, show};
use crate::error::ServerError;
use crate::store::{EventQuery, EventStore};

const USUAL: usize = 500;
const MOST: usize = 5000;
const BATCH: usize = 1000;
/// A posted name longer than this is a mistake.
const NAME: usize = 200;

pub(super) fn page_limit(filter: &EventFilter) -> usize {
    limit(filter.page_size.or(filter.limit), USUAL, MOST)
}

/// A page of the log of an Execution, oldest first.
#[utoipa::path(get, path = "/api/executions/{execution_id}/events", tag = "events",
    params(("execution_id" = String, Path), EventFilter),
    responses((status = 200, body = EventPage), (status = 404, body = ErrorBody)))]
pub(super) async fn list(
    State(services): State<Services>,
    Segments(id): Segments<String>,
    Params(filter): Params<EventFilter>,
) -> Result<Answer<EventPage>, ServerError> {
    page(&services, execution_id(&id)?, &filter).await.map(Answer)
}

pub(super) async fn page(
    services: &Services,
    id: ExecutionId,
    filter: &EventFilter,
) -> Result<EventPage, ServerError> {
    let row = services.known(id).await?;
    let limit = page_limit(filter);
    let plain = filter.since_event_id.is_none() && filter.event_type.is_none() && filter.step.is_none();
    let (events, more) = if plain {
        let skipped = filter.page.map_or(0, |page| u64::from(page.saturating_sub(1)) * limit as u64);
        let after = filter.after.unwrap_or(0).saturating_add(skipped);
        by_seq(services, id, after, limit).await?
    } else {
        by_query(services, id, filter, limit).await?
    };
    let next_after = events.last().filter(|_| more).map(|event| event.seq);
    Ok(EventPage { execution_id: id, status: row.status.as_str().to_owned(), events, next_after })
}

async fn by_seq(
    services: &Services,
    id: ExecutionId,
    after: u64,
    limit: usize,
) -> Result<(Vec<EventBody>, bool), ServerError> {
    // `seq` has no gaps, so the Event before the page tells where the page starts.
    let query = EventQuery {
        execution: Some(id),
        after_seq: Some(after),
        limit: Some(limit + 1),
        ..EventQuery::default()
    };
    let mut events = services.store.events(query).await?;
    let more = events.len() > limit;
    events.truncate(limit);
    Ok((events.iter().map(show::event::positioned).collect(), more))
}

async fn by_query(
    services: &Services,
    id: ExecutionId,
    filter: &EventFilter,
    limit: usize,
) -> Result<(Vec<EventBody>, bool), ServerError> {
    let skipped = filter.page.map_or(0, |page| page.saturating_sub(1) as usize * limit);
    let query = EventQuery {
        execution: Some(id),
        after_seq: filter.after,
        after_event_id: filter.since_event_id.as_deref().map(event_id).transpose()?,
        names: filter.event_type.iter().cloned().collect(),
        step: filter.step.clone(),
        limit: Some(skipped.saturating_add(limit + 1).min(100_000)),
        ..EventQuery::default()
    };
    let events = services.store.events(query).await?;
    let more = events.len() > skipped.saturating_add(limit);
    Ok((events.iter().skip(skipped).take(limit).map(show::event::positioned).collect(), more))
}

fn event_id(text: &str) -> Result<u64, ServerError> {
    match text.trim().parse::<u64>() {
        Ok(id) if i64::try_from(id).is_ok() => Ok(id),
        _ => Err(ServerError::invalid("the id of an event is decimal digits")),
    }
}

/// Notes a fact in the log of an Execution. It is informative and decides nothing.
#[utoipa::path(post, path = "/api/events", tag = "events", request_body = PostedEvent,
    responses((status = 200, body = EventPosted), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn post(
    State(services): State<Services>,
    Json(event): Json<PostedEvent>,
) -> Result<Answer<EventPosted>, ServerError> {
    let id = event.execution_id;
    let event_id = note(&services, id, None, event).await?;
    Ok(Answer(EventPosted { status: "ok".to_owned(), event_id, commands_generated: 0 }))
}

/// The same as [`post`], under its oldest address.
#[utoipa::path(post, path = "/api/event/emit", tag = "events", request_body = PostedEvent,
    responses((status = 200, body = EventPosted), (status = 404, body = ErrorBody)))]
pub(super) async fn emit(
    services: State<Services>,
    event: Json<PostedEvent>,
) -> Result<Answer<EventPosted>, ServerError> {
    post(services, event).await
}

/// Notes up to 1,000 facts.
#[utoipa::path(post, path = "/api/events/batch", tag = "events", request_body = EventBatch,
    responses((status = 200, body = EventBatchPosted), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn post_batch(
    State(services): State<Services>,
    Json(batch): Json<EventBatch>,
) -> Result<Answer<EventBatchPosted>, ServerError> {
    if batch.events.len() > BATCH {
        return Err(ServerError::invalid(format!("a batch holds {BATCH} events at most")));
    }
    let mut event_ids = Vec::new();
    for event in batch.events {
        let id = event.execution_id.or(batch.execution_id);
        event_ids.push(note(&services, id, batch.worker_id.as_deref(), event).await?.to_string());
    }
    Ok(Answer(EventBatchPosted { status: "ok".to_owned(), event_ids, commands_generated: 0 }))
}

async fn note(
    services: &Services,
    id: Option<ExecutionId>,
    worker: Option<&str>,
    event: PostedEvent,
) -> Result<u64, ServerError> {
    let id = id.ok_or_else(|| ServerError::invalid("the event names no `execution_id`"))?;
    let id = execution_id(&id.to_string())?;
    let PostedEvent { execution_id: _, event_type, name, step, node_name, payload, mut rest } = event;
    let name = event_type.or(name).filter(|name| !name.trim().is_empty());
    let name = name.ok_or_else(|| ServerError::invalid("the event names no `event_type` (or `name`)"))?;
    if name.len() > NAME || name.chars().any(char::is_control) {
        return Err(ServerError::invalid(format!("an event's name has {NAME} bytes at most, on one line")));
    }
    services.known(id).await?;
    if let Some(worker) = worker {
        rest.entry("worker_id").or_insert_with(|| worker.into());
    }
    let mut body = Map::new();
    if !payload.is_null() {
        body.insert("payload".to_owned(), payload);
    }
    body.extend(rest.into_iter().filter(|(_, value)| !value.is_null()));
    services.orchestrator.note(id, name, step.or(node_name), Value::Object(body)).await
}

#[derive(Debug, Default, serde::Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct OldQuery {
    execution_id: String,
    #[serde(default)]
    limit: Option<u32>,
}

/// The log of an Execution, under its oldest address.
#[utoipa::path(get, path = "/api/event/", tag = "events", params(OldQuery),
    responses((status = 200, body = EventPage), (status = 404, body = ErrorBody)))]
pub(super) async fn old_list(
    State(services): State<Services>,
    Params(query): Params<OldQuery>,
) -> Result<Answer<EventPage>, ServerError> {
    let filter = EventFilter { limit: query.limit, ..EventFilter::default() };
    page(&services, execution_id(&query.execution_id)?, &filter).await.map(Answer)
}

/// One Event.
#[utoipa::path(get, path = "/api/event/{event_id}", tag = "events", params(("event_id" = String, Path)),
    responses((status = 200, body = EventBody), (status = 404, body = ErrorBody)))]
pub(super) async fn one(
    State(services): State<Services>,
    Segments(text): Segments<String>,
) -> Result<Answer<EventBody>, ServerError> {
    let id = event_id(&text)?;
    let query = EventQuery {
        after_event_id: Some(id.saturating_sub(1)),
        before_event_id: Some(id.saturating_add(1)),
        limit: Some(1),
        ..EventQuery::default()
    };
    let events = services.store.events(query).await?;
    let event = events.first().ok_or_else(|| ServerError::not_found(format!("there is no event {id}")))?;
    Ok(Answer(show::event::positioned(event)))
}
