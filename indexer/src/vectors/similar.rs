//! `similar`: failures and executions like one of them, and what ended them.

mod subject;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use noetl_api::search::{Ended, Facts, Similar, SimilarExecution, SimilarFailure, SimilarTo};
use noetl_bus::feed::{Feed, FeedError};
use qdrant_client::qdrant::{Condition, Filter};

use self::subject::Subject;
use super::kind::Kind;
use super::point::Stored;
use super::read::Whole;
use super::search::Question;
use super::{BEHAVIOUR, MEANING, VectorError, Vectors};
use crate::again::chain;
use crate::insights;
use crate::semantic::{Semantic, Unavailable};

/// Executions that are looked at for each of the two ways to be alike.
const CANDIDATES: u64 = 50;
/// Of the score of the likest failure, what others need: those below share a playbook or a word and no more.
const LEAST_SHARE: f32 = 0.5;

#[derive(Debug, thiserror::Error)]
pub(crate) enum SimilarError {
    #[error("nothing is known of an execution or event {0}")]
    Unknown(u64),
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    #[error(transparent)]
    Vectors(#[from] VectorError),
    #[error(transparent)]
    Feed(#[from] FeedError),
}

/// What is like an execution, or like the failure that an event tells of.
pub(crate) async fn similar<F: Feed>(
    semantic: &Semantic,
    feed: &Arc<F>,
    id: u64,
    limit: usize,
    now_ms: i64,
) -> Result<Similar, SimilarError> {
    let vectors = semantic.vectors()?;
    let subject = subject::find(semantic, &vectors, feed, id).await?.ok_or(SimilarError::Unknown(id))?;
    let (failures, executions) = tokio::try_join!(
        failures(&vectors, &subject, limit, now_ms),
        executions(&vectors, &subject, limit),
    )?;
    let mut endings = Endings { semantic, known: HashMap::new() };
    let mut answer = Similar { note: vectors.note().map(str::to_owned), ..Similar::default() };
    for mut failure in failures {
        failure.ended = endings.of(&failure.facts).await;
        answer.failures.push(failure);
    }
    for mut execution in executions {
        if execution.facts.status == "FAILED" {
            execution.ended = Some(endings.of(&execution.facts).await);
        }
        answer.executions.push(execution);
    }
    answer.of = SimilarTo {
        kind: if subject.is_event { "failure" } else { "execution" }.to_owned(),
        execution: subject.execution.facts,
        failure: subject.failure,
    };
    Ok(answer)
}

/// Failures that mean the same or have the same words; none when nothing failed.
async fn failures(
    vectors: &Vectors,
    subject: &Subject,
    limit: usize,
    now_ms: i64,
) -> Result<Vec<SimilarFailure>, VectorError> {
    let Some(failure) = &subject.failure else { return Ok(Vec::new()) };
    // As points of failures are embedded, so that the same failure is found at likeness one.
    let text = if failure.step.is_empty() {
        failure.text.clone()
    } else {
        format!("{}\nin step {} of {}", failure.text, failure.step, failure.playbook)
    };
    let question = Question { text: &text, kinds: vec![Kind::Failure], limit, ..Question::default() };
    let hits = vectors.search(&question, now_ms).await?;
    let least = hits.first().map_or(0.0, |likest| likest.score * LEAST_SHARE);
    let mut found: Vec<SimilarFailure> = hits
        .into_iter()
        .filter(|hit| hit.score >= least)
        .map(|hit| SimilarFailure {
            is_same: is_same(&hit.facts, failure),
            score: hit.score,
            meaning: hit.meaning,
            facts: hit.facts,
            ended: Ended::default(),
        })
        .collect();
    found.sort_by_key(|one| !one.is_same);
    Ok(found)
}

fn is_same(one: &Facts, other: &Facts) -> bool {
    (&one.fingerprint, &one.playbook, &one.step) == (&other.fingerprint, &other.playbook, &other.step)
}

/// Executions of the same playbook that behaved or ended alike.
async fn executions(
    vectors: &Vectors,
    subject: &Subject,
    limit: usize,
) -> Result<Vec<SimilarExecution>, VectorError> {
    let facts = &subject.execution.facts;
    let own = subject.id;
    let filter = Filter {
        must: vec![Condition::matches("playbook", facts.playbook.clone())],
        must_not: vec![Condition::has_id([own])],
        ..Filter::default()
    };
    let meaning = match vectors.embedder() {
        Some(embedder) => embedder.embed(&[Kind::Execution.meaning(facts)]).await?.pop(),
        None => None,
    };
    let mut ids = HashSet::new();
    for (vector, of) in [(BEHAVIOUR, &subject.behaviour), (MEANING, &meaning)] {
        if let Some(of) = of {
            ids.extend(vectors.near(Kind::Execution, vector, of.clone(), filter.clone(), CANDIDATES).await?);
        }
    }
    let ids: Vec<u64> = ids.into_iter().collect();
    let whole = vectors.whole(Kind::Execution, &ids).await?;
    let mut found: Vec<SimilarExecution> = whole
        .into_iter()
        .filter_map(|whole| likeness(whole, subject.behaviour.as_deref(), meaning.as_deref()))
        .collect();
    found.sort_by(likest_first);
    found.truncate(limit);
    Ok(found)
}

fn likeness(whole: Whole, behaviour: Option<&[f32]>, meaning: Option<&[f32]>) -> Option<SimilarExecution> {
    let behaviour =
        behaviour.zip(whole.point.behaviour.as_deref()).map(|(a, b)| 1.0 / (1.0 + distance(a, b)));
    let meaning = meaning.zip(whole.meaning.as_deref()).map(|(a, b)| dot(a, b));
    let ways: Vec<f32> = behaviour.into_iter().chain(meaning.map(|cosine| cosine.max(0.0))).collect();
    let score = ways.iter().sum::<f32>() / ways.len() as f32;
    let Stored { facts, .. } = whole.point.stored;
    (!ways.is_empty()).then_some(SimilarExecution { score, meaning, behaviour, facts, ended: None })
}

fn likest_first(one: &SimilarExecution, other: &SimilarExecution) -> Ordering {
    other.score.total_cmp(&one.score).then_with(|| other.facts.at.cmp(&one.facts.at))
}

fn distance(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f32>().sqrt()
}

/// The cosine of vectors of length one.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// What ended failures; each is asked about once.
struct Endings<'a> {
    semantic: &'a Semantic,
    known: HashMap<(String, String, String), Ended>,
}

impl Endings<'_> {
    async fn of(&mut self, facts: &Facts) -> Ended {
        let key = (facts.fingerprint.clone(), facts.playbook.clone(), facts.step.clone());
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let ended = self.ask(facts).await;
        self.known.insert(key, ended.clone());
        ended
    }

    async fn ask(&self, facts: &Facts) -> Ended {
        let fingerprint = u64::from_str_radix(&facts.fingerprint, 16).ok();
        let Some(fingerprint) = fingerprint.filter(|_| !facts.step.is_empty()) else {
            return unknown("it did not fail in a step");
        };
        let analytics = match self.semantic.analytics() {
            Ok(analytics) => analytics,
            Err(Unavailable::Off { .. }) => return unknown("the analytics are off"),
            Err(error @ (Unavailable::Starting(_) | Unavailable::Failing { .. })) => {
                return unknown(error.to_string());
            }
        };
        match insights::ended(&analytics, fingerprint, &facts.playbook, &facts.step).await {
            Ok(ended) => ended,
            Err(error) => {
                let reason = chain(&error);
                tracing::warn!(%reason, "it is not known what ended a failure");
                unknown("the analytics do not answer")
            }
        }
    }
}

fn unknown(reason: impl Into<String>) -> Ended {
    Ended { state: "unknown".to_owned(), reason: Some(reason.into()), ..Ended::default() }
}
