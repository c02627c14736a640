//! Questions to the vector store.

use axum::Json;
use axum::extract::State;
use chrono::{Duration, Utc};
use noetl_api::error::ErrorBody;
use noetl_api::search::{SearchAnswer, SearchQuestion, Similar};
use serde::Deserialize;
use utoipa::IntoParams;

use super::Services;
use super::error::Refusal;
use super::insights::{Asked, execution, read, since};
use crate::vectors::{Condition, Kind, Question};

const USUAL: u64 = 10;
const MOST: u64 = 100;
/// Characters of a question that are read; a longer one is a document, not a question.
const LONGEST: usize = 4_000;

/// Failures, executions, playbooks and knowledge, found by meaning and by words.
#[utoipa::path(
    get,
    path = "/api/search",
    tag = "insights",
    params(SearchQuestion),
    responses((status = 200, body = SearchAnswer), (status = "default", body = ErrorBody))
)]
pub(super) async fn search(
    State(services): State<Services>,
    question: Asked<SearchQuestion>,
) -> Result<Json<SearchAnswer>, Refusal> {
    let asked = read(question)?;
    let text = asked.q.trim();
    if text.is_empty() {
        return Err(Refusal::invalid("nothing is looked for: q is empty")
            .hint("such as /api/search?q=connection refused while loading orders"));
    }
    let text: String = text.chars().take(LONGEST).collect();
    let mut conditions = Condition::read(asked.filter.as_deref().unwrap_or_default())?;
    let kinds = kinds(asked.kind.as_deref())?;
    if kinds.len() == Kind::ALL.len() {
        // Who asks without a kind wants to know what went wrong; what went well would be most of the answer.
        conditions.push(Condition::not_completed());
    }
    let question = Question {
        text: &text,
        kinds,
        from_ms: match asked.since.as_deref() {
            Some(text) => Some(since(Some(text), Duration::zero())?.from.timestamp_millis()),
            None => None,
        },
        playbook: asked.playbook.as_deref().filter(|path| !path.is_empty()),
        conditions,
        limit: asked.limit.unwrap_or(USUAL).clamp(1, MOST) as usize,
    };
    let vectors = services.semantic.vectors()?;
    let hits = vectors.search(&question, Utc::now().timestamp_millis()).await?;
    let note = vectors.note().map(str::to_owned);
    Ok(Json(SearchAnswer { hits, embedder: vectors.embedder_name().to_owned(), note }))
}

fn kinds(asked: Option<&str>) -> Result<Vec<Kind>, Refusal> {
    let Some(asked) = asked.map(str::trim).filter(|kind| !kind.is_empty() && *kind != "all") else {
        return Ok(Kind::ALL.to_vec());
    };
    asked
        .split(',')
        .map(|kind| {
            Kind::read(kind).ok_or_else(|| {
                Refusal::invalid(format!("{kind:?} cannot be searched for"))
                    .hint("kinds: failure, execution, playbook, knowledge")
            })
        })
        .collect()
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub(super) struct Subject {
    /// Id of an execution, or of the event that tells of a failure.
    id: String,
    limit: Option<u64>,
}

/// Failures and executions like one of them, and what ended them.
#[utoipa::path(
    get,
    path = "/api/insights/similar",
    tag = "insights",
    params(Subject),
    responses((status = 200, body = Similar), (status = "default", body = ErrorBody))
)]
pub(super) async fn similar(
    State(services): State<Services>,
    subject: Asked<Subject>,
) -> Result<Json<Similar>, Refusal> {
    let subject = read(subject)?;
    let id = execution(&subject.id)?;
    let limit = subject.limit.unwrap_or(USUAL).clamp(1, MOST) as usize;
    Ok(Json((services.similar)(id, limit).await?))
}
