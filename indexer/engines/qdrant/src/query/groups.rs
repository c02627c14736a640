//! Queries whose answers are grouped by a payload field.
//!
//! The engine has no such query. So more and more hits are taken, twice as many each time, until the wanted groups are
//! full or there are no more hits.

use std::collections::HashMap;

use ::qdrant_client::qdrant::{
    GroupId, GroupsResult, PointGroup, QueryPointGroups, QueryPoints, RetrievedPoint, WithLookup,
    WithPayloadSelector, group_id, with_payload_selector::SelectorOptions,
};
use qdrant_edge::{JsonPath, PointId, ScoredPoint, WithPayloadInterface};
use serde_json::Value;
use tonic::Status;

use super::example::Examples;
use crate::wire::error::{missing, status, wrong};
use crate::wire::{id, payload, point, selector};

const DEFAULT_GROUPS: u64 = 10;
const DEFAULT_GROUP_SIZE: u64 = 3;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Text(String),
    Unsigned(u64),
    Signed(i64),
}

pub(crate) fn run(examples: &Examples<'_>, query: QueryPointGroups) -> Result<GroupsResult, Status> {
    let path = payload::path(&query.group_by)?;
    let groups = super::hits(Some(query.limit.unwrap_or(DEFAULT_GROUPS)))?;
    let size = super::hits(Some(query.group_size.unwrap_or(DEFAULT_GROUP_SIZE)))?;
    let most = super::MAX_HITS;
    if groups.saturating_mul(size) > most {
        return Err(wrong(format_args!("{groups} groups of {size} are more than {most} points")));
    }
    let only_key = WithPayloadSelector {
        selector_options: Some(SelectorOptions::Include(::qdrant_client::qdrant::PayloadIncludeSelector {
            fields: vec![query.group_by.clone()],
        })),
    };
    let mut limit = (groups * size * 2).min(most);
    let grouped = loop {
        let hits = super::run(
            examples,
            QueryPoints {
                collection_name: query.collection_name.clone(),
                prefetch: query.prefetch.clone(),
                query: query.query.clone(),
                using: query.using.clone(),
                filter: query.filter.clone(),
                params: query.params.clone(),
                score_threshold: query.score_threshold,
                limit: Some(limit),
                with_payload: Some(only_key.clone()),
                lookup_from: query.lookup_from.clone(),
                ..QueryPoints::default()
            },
        )?;
        let exhausted = (hits.len() as u64) < limit || limit == most;
        let grouped = group(hits, &path, groups as usize, size as usize);
        let full =
            grouped.len() as u64 == groups && grouped.iter().all(|(_, hits)| hits.len() as u64 == size);
        if full || exhausted {
            break grouped;
        }
        limit = (limit * 2).min(most);
    };
    fill(examples, grouped, query)
}

/// The groups in the order of their best hits; a point with a list of values is in several.
fn group(
    hits: Vec<ScoredPoint>,
    path: &JsonPath,
    groups: usize,
    size: usize,
) -> Vec<(Key, Vec<ScoredPoint>)> {
    let mut places: HashMap<Key, usize> = HashMap::new();
    let mut grouped: Vec<(Key, Vec<ScoredPoint>)> = Vec::new();
    for hit in hits {
        let Some(payload) = &hit.payload else { continue };
        let mut keys: Vec<Key> = Vec::new();
        for value in path.value_get(&payload.0) {
            match value {
                Value::Array(values) => keys.extend(values.iter().filter_map(key)),
                value => keys.extend(key(value)),
            }
        }
        for key in keys {
            if let Some(place) = places.get(&key) {
                let members = &mut grouped[*place].1;
                if members.len() < size && members.last().is_none_or(|last| last.id != hit.id) {
                    members.push(hit.clone());
                }
            } else if grouped.len() < groups {
                places.insert(key.clone(), grouped.len());
                grouped.push((key, vec![hit.clone()]));
            }
        }
    }
    grouped
}

fn key(value: &Value) -> Option<Key> {
    match value {
        Value::String(text) => Some(Key::Text(text.clone())),
        Value::Number(number) => {
            number.as_u64().map(Key::Unsigned).or_else(|| number.as_i64().map(Key::Signed))
        }
        _ => None,
    }
}

/// The parts of the points that were asked for, and what another collection knows about each group.
fn fill(
    examples: &Examples<'_>,
    grouped: Vec<(Key, Vec<ScoredPoint>)>,
    query: QueryPointGroups,
) -> Result<GroupsResult, Status> {
    let ids: Vec<PointId> = grouped.iter().flat_map(|(_, hits)| hits.iter().map(|hit| hit.id)).collect();
    let with_payload = selector::with_payload(query.with_payload, false)?;
    let with_vectors = selector::with_vectors(query.with_vectors);
    let records = examples.shard.retrieve(&ids, Some(with_payload), Some(with_vectors)).map_err(status)?;
    let records: HashMap<PointId, _> = records.into_iter().map(|record| (record.id, record)).collect();
    let found =
        query.with_lookup.map(|with| lookup(examples, with, &grouped)).transpose()?.unwrap_or_default();
    let groups = grouped.into_iter().map(|(key, hits)| PointGroup {
        lookup: found.get(&key).cloned(),
        id: Some(print(key)),
        hits: hits
            .into_iter()
            .map(|mut hit| {
                let record = records.get(&hit.id);
                hit.payload = record.and_then(|record| record.payload.clone());
                hit.vector = record.and_then(|record| record.vector.clone());
                point::print_scored(hit)
            })
            .collect(),
    });
    Ok(GroupsResult { groups: groups.collect() })
}

fn print(key: Key) -> GroupId {
    let kind = match key {
        Key::Text(text) => group_id::Kind::StringValue(text),
        Key::Unsigned(number) => group_id::Kind::UnsignedValue(number),
        Key::Signed(number) => group_id::Kind::IntegerValue(number),
    };
    GroupId { kind: Some(kind) }
}

/// The points of another collection whose ids are the groups' values.
fn lookup(
    examples: &Examples<'_>,
    with: WithLookup,
    grouped: &[(Key, Vec<ScoredPoint>)],
) -> Result<HashMap<Key, RetrievedPoint>, Status> {
    let collection = examples.catalog.find(&with.collection)?;
    if collection.name() == examples.name {
        return Err(missing("another collection to look groups up in"));
    }
    let wanted: HashMap<PointId, Key> = grouped
        .iter()
        .filter_map(|(key, _)| {
            let number = |number: u64| ::qdrant_client::qdrant::PointId::from(number);
            let point = match key {
                Key::Text(text) => text.clone().into(),
                Key::Unsigned(value) => number(*value),
                Key::Signed(_) => return None,
            };
            id::parse(Some(point)).ok().map(|point| (point, key.clone()))
        })
        .collect();
    let with_payload = with
        .with_payload
        .map_or(Ok(WithPayloadInterface::Bool(true)), |wanted| selector::with_payload(Some(wanted), true))?;
    let with_vectors = selector::with_vectors(with.with_vectors);
    let ids: Vec<PointId> = wanted.keys().copied().collect();
    let records = collection
        .look(|shard| shard.retrieve(&ids, Some(with_payload), Some(with_vectors)).map_err(status))?;
    let mut found = HashMap::new();
    for record in records {
        if let Some(key) = wanted.get(&record.id) {
            found.insert(key.clone(), point::print_record(record));
        }
    }
    Ok(found)
}
