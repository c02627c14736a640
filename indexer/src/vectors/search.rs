//! Looking for meaning and words at once, in several collections.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::time::Duration;

use noetl_api::search::Hit as Found;
use qdrant_client::qdrant::{Filter, QueryBatchPointsBuilder, QueryPoints, QueryPointsBuilder, ScoredPoint};

use super::condition::{self, Condition};
use super::kind::Kind;
use super::point::Stored;
use super::read::{number, stored};
use super::{MEANING, VectorError, Vectors, WORDS};
use crate::embedding::{self, Decay, Fusion, Hit, SparseVector, fuse};

/// What is looked for, and among what.
#[derive(Clone, Debug, Default)]
pub struct Question<'a> {
    pub text: &'a str,
    pub kinds: Vec<Kind>,
    /// Unix milliseconds: nothing older.
    pub from_ms: Option<i64>,
    pub playbook: Option<&'a str>,
    pub conditions: Vec<Condition>,
    pub limit: usize,
}

/// Candidates of each search, so that what only the fusion lifts is among them.
const CANDIDATES: usize = 50;
/// Meanings less like than this have nothing to do with each other.
const LEAST_LIKENESS: f32 = 0.2;

impl Vectors {
    /// The best of all kinds that were asked for.
    pub async fn search(&self, question: &Question<'_>, now_ms: i64) -> Result<Vec<Found>, VectorError> {
        let words = embedding::query(question.text);
        let meaning = match &self.embedder {
            Some(embedder) => embedder.embed(&[embedding::normalise(question.text)]).await?.pop(),
            None => None,
        };
        let asked = question
            .kinds
            .iter()
            .map(|kind| self.search_kind(*kind, question, meaning.as_deref(), &words, now_ms));
        let mut found: Vec<(Kind, f32, Found)> =
            futures::future::try_join_all(asked).await?.into_iter().flatten().collect();
        if question.kinds.len() > 1 {
            for (kind, score, hit) in &mut found {
                *score *= kind.weight();
                hit.score = *score;
            }
        }
        found.sort_by(best_first);
        Ok(one_of_each(found).into_iter().take(question.limit).collect())
    }

    /// Ids of the points whose vector of a name lies closest.
    pub(crate) async fn near(
        &self,
        kind: Kind,
        vector: &str,
        of: Vec<f32>,
        filter: Filter,
        limit: u64,
    ) -> Result<Vec<u64>, VectorError> {
        let request = QueryPointsBuilder::new(self.collection(kind))
            .query(of)
            .using(vector)
            .filter(filter)
            .limit(limit)
            .with_payload(false);
        let found = self.client.query(request).await.map_err(VectorError::engine("search"))?;
        found.result.iter().map(|point| number(point.id.as_ref())).collect()
    }

    async fn search_kind(
        &self,
        kind: Kind,
        question: &Question<'_>,
        meaning: Option<&[f32]>,
        words: &SparseVector,
        now_ms: i64,
    ) -> Result<Vec<(Kind, f32, Found)>, VectorError> {
        let filter = condition::filter(kind, question.from_ms, question.playbook, &question.conditions);
        let candidates = CANDIDATES.max(question.limit * 2);
        let mut queries = Vec::new();
        if let Some(meaning) = meaning {
            queries.push(self.one(kind, MEANING, meaning.to_vec().into(), &filter, candidates));
        }
        if !words.is_empty() {
            let query = words.indices.iter().copied().zip(words.values.iter().copied()).collect::<Vec<_>>();
            queries.push(self.one(kind, WORDS, query.into(), &filter, candidates));
        }
        if queries.is_empty() {
            return Ok(Vec::new());
        }
        let request = QueryBatchPointsBuilder::new(self.collection(kind), queries);
        let (answers, points) = tokio::join!(self.client.query_batch(request), self.count(kind, None));
        let mut answers = answers.map_err(VectorError::engine("search"))?.result.into_iter();
        let dense =
            meaning.is_some().then(|| answers.next()).flatten().map(|one| one.result).unwrap_or_default();
        let sparse = answers.next().map(|one| one.result).unwrap_or_default();
        let mut known: HashMap<u64, Stored> = HashMap::new();
        let dense = hits(dense, &mut known)?;
        let sparse = hits(sparse, &mut known)?;
        let dense: Vec<_> = dense.into_iter().filter(|hit| hit.score >= LEAST_LIKENESS).collect();
        let mut fused = fuse(&dense, &sparse, Fusion::of(words, points?));
        if kind.ages() {
            let age = |id: &u64| {
                let at = known.get(id).map_or(now_ms, |stored| stored.at_ms);
                Duration::from_millis((now_ms - at).max(0) as u64)
            };
            Decay::default().apply(&mut fused, age);
        }
        let found = fused.into_iter().filter_map(|hit| {
            let facts = known.remove(&hit.id)?.facts;
            let (meaning, words) = (hit.dense, hit.sparse);
            let kind_name = kind.as_str().to_owned();
            Some((kind, hit.score, Found { kind: kind_name, score: hit.score, meaning, words, facts }))
        });
        Ok(found.collect())
    }

    fn one(
        &self,
        kind: Kind,
        vector: &str,
        query: qdrant_client::qdrant::Query,
        filter: &Filter,
        limit: usize,
    ) -> QueryPoints {
        QueryPointsBuilder::new(self.collection(kind))
            .query(query)
            .using(vector)
            .filter(filter.clone())
            .limit(limit as u64)
            .with_payload(true)
            .build()
    }
}

fn hits(points: Vec<ScoredPoint>, known: &mut HashMap<u64, Stored>) -> Result<Vec<Hit<u64>>, VectorError> {
    let mut hits = Vec::with_capacity(points.len());
    for point in points {
        let id = number(point.id.as_ref())?;
        hits.push(Hit { id, score: point.score });
        if let std::collections::hash_map::Entry::Vacant(vacant) = known.entry(id) {
            vacant.insert(stored(point.payload)?);
        }
    }
    Ok(hits)
}

fn best_first(a: &(Kind, f32, Found), b: &(Kind, f32, Found)) -> Ordering {
    b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)).then_with(|| b.2.facts.at.cmp(&a.2.facts.at))
}

/// Leaves out Executions that tell the same as a failure or Execution before them: a thousand runs that failed alike
/// are one answer, not a thousand.
fn one_of_each(found: Vec<(Kind, f32, Found)>) -> impl IntoIterator<Item = Found> {
    let mut told = HashSet::new();
    found.into_iter().filter_map(move |(kind, _, hit)| {
        if !kind.ages() {
            return Some(hit);
        }
        let facts = &hit.facts;
        let same = (
            facts.playbook.clone(),
            facts.step.clone(),
            facts.fingerprint.clone(),
            facts.status == "COMPLETED",
        );
        told.insert(same).then_some(hit)
    })
}
