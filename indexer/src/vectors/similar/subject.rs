//! What is asked about: an Execution from its log, or from its point when the log is gone; or one failure of it.

use std::sync::Arc;

use noetl_api::search::Facts;
use noetl_bus::feed::Feed;
use noetl_domain::id::ExecutionId;
use qdrant_client::qdrant::{Condition, Filter};

use super::SimilarError;
use crate::fold::Fold;
use crate::rows::{ExecutionRow, Rows, StepRow};
use crate::semantic::Semantic;
use crate::vectors::follow::{Behaviour, executions, failures};
use crate::vectors::kind::Kind;
use crate::vectors::point::Stored;
use crate::vectors::{VectorError, Vectors};

pub(super) struct Subject {
    /// Of the Execution.
    pub(super) id: u64,
    /// An Event was named, and not the Execution.
    pub(super) is_event: bool,
    pub(super) execution: Stored,
    pub(super) behaviour: Option<Vec<f32>>,
    pub(super) failure: Option<Facts>,
}

/// None: there is neither a log nor a point.
pub(super) async fn find<F: Feed>(
    semantic: &Semantic,
    vectors: &Vectors,
    feed: &Arc<F>,
    id: u64,
) -> Result<Option<Subject>, SimilarError> {
    if let Some(subject) = execution(semantic, vectors, feed, id, None).await? {
        return Ok(Some(subject));
    }
    match execution_of(semantic, vectors, id).await? {
        Some(execution_id) => execution(semantic, vectors, feed, execution_id, Some(id)).await,
        None => Ok(None),
    }
}

async fn execution<F: Feed>(
    semantic: &Semantic,
    vectors: &Vectors,
    feed: &Arc<F>,
    id: u64,
    event: Option<u64>,
) -> Result<Option<Subject>, SimilarError> {
    let point = vectors.whole(Kind::Execution, &[id]).await?.pop().map(|whole| whole.point);
    let Some(folded) = Folded::of(semantic, feed, id).await? else {
        // The log was deleted; what was made of it may still be there.
        let Some(point) = point else { return Ok(None) };
        let failure = failed(&point.stored.facts);
        let (execution, behaviour) = (point.stored, point.behaviour);
        return Ok(Some(Subject { id, is_event: event.is_some(), execution, behaviour, failure }));
    };
    let failure = match folded.failure(event) {
        // How often it was seen is known of the point.
        Some(row) => Some(match known(vectors, row).await? {
            Some(stored) => Facts { text: row.message.clone(), ..stored.facts },
            None => failures::facts(row, row.message.clone()),
        }),
        None => failed(&folded.execution.facts),
    };
    Ok(Some(Subject {
        id,
        is_event: event.is_some(),
        behaviour: point.and_then(|point| point.behaviour).or(Some(folded.behaviour)),
        execution: folded.execution,
        failure,
    }))
}

async fn known(vectors: &Vectors, row: &StepRow) -> Result<Option<Stored>, VectorError> {
    let id = failures::id(row.fingerprint, &row.playbook, &row.step);
    Ok(vectors.get(Kind::Failure, &[id]).await?.remove(&id))
}

/// The failure of an Execution whose steps are not known.
fn failed(facts: &Facts) -> Option<Facts> {
    if facts.fingerprint.is_empty() {
        return None;
    }
    let message = facts.text.split_once(": ").map_or(facts.text.as_str(), |(_, message)| message);
    Some(Facts { text: message.to_owned(), ..facts.clone() })
}

/// What the log of an Execution says.
struct Folded {
    execution: Stored,
    behaviour: Vec<f32>,
    /// Runs of steps that failed, and which Events tell of each.
    failures: Vec<(StepRow, Vec<u64>)>,
}

impl Folded {
    async fn of<F: Feed>(semantic: &Semantic, feed: &Arc<F>, id: u64) -> Result<Option<Self>, SimilarError> {
        let id = ExecutionId(id);
        let fingerprints = semantic.fingerprints();
        let mut fold = Fold::reading(Arc::clone(feed), semantic.policy(), fingerprints.clone());
        let mut rows = Rows::default();
        for event in feed.history(id, i64::MAX as u64).await? {
            fold.event(&event, &mut rows).await?;
        }
        let ran = fold.ran(id).map_or_else(|| std::mem::take(&mut rows.ran), <[_]>::to_vec);
        let Some(row) = rows.executions.pop() else { return Ok(None) };
        let finish = rows.events.iter().rev().find(|event| event.position == row.position && event.item == 0);
        let event_id = finish.filter(|_| row.finished_at.is_some()).map_or(0, |event| event.event_id);
        let execution = executions::stored(&row, event_id, template(semantic, &row));
        let behaviour = Behaviour::of(&semantic.usual().get(), &row.playbook, &ran).numbers;
        let failures = rows.steps.into_iter().filter(|step| step.fingerprint != 0).map(|step| {
            let tells = rows.events.iter().filter(|event| {
                event.step == step.step && event.run == step.run && event.fingerprint == step.fingerprint
            });
            let events = tells.map(|event| event.event_id).collect();
            (step, events)
        });
        let failures = failures.collect();
        Ok(Some(Self { execution, behaviour, failures }))
    }

    /// The one that an Event tells of; otherwise the last one that nothing answered, or the last of all.
    fn failure(&self, event: Option<u64>) -> Option<&StepRow> {
        let told = event.and_then(|event| self.failures.iter().find(|(_, events)| events.contains(&event)));
        let open = || self.failures.iter().rev().find(|(row, _)| row.handled == 0);
        told.or_else(open).or_else(|| self.failures.last()).map(|(row, _)| row)
    }
}

fn template(semantic: &Semantic, row: &ExecutionRow) -> Option<String> {
    (row.message.is_empty() && row.fingerprint != 0)
        .then(|| semantic.fingerprints().template(row.fingerprint))
}

/// The Execution that an Event belongs to, as far as points and tables know.
async fn execution_of(
    semantic: &Semantic,
    vectors: &Vectors,
    event: u64,
) -> Result<Option<u64>, SimilarError> {
    for kind in [Kind::Failure, Kind::Execution] {
        let filter = Filter::must([Condition::matches("event_id", event.to_string())]);
        let (page, _) = vectors.page(&vectors.collection(kind), Some(filter), None).await?;
        if let Some(execution) = page.first().and_then(|(_, stored)| stored.facts.execution_id.parse().ok()) {
            return Ok(Some(execution));
        }
    }
    let Ok(analytics) = semantic.analytics() else { return Ok(None) };
    let sql = "SELECT execution_id FROM {database}.noetl_events WHERE event_id = ? LIMIT 1";
    let found = analytics.all::<u64>("find an event", analytics.query(sql).bind(event)).await;
    // Without the tables the event is one that nothing is known of.
    Ok(found.ok().and_then(|found| found.first().copied()))
}
