//! Which points an operation means, and which parts of a point an answer carries.

use ::qdrant_client::qdrant::{
    PointsSelector, WithPayloadSelector, WithVectorsSelector, points_selector::PointsSelectorOneOf,
    with_payload_selector::SelectorOptions as PayloadOptions,
    with_vectors_selector::SelectorOptions as VectorOptions,
};
use qdrant_edge::{Filter, PayloadSelector, PointId, WithPayloadInterface, WithVector};
use tonic::Status;

use super::error::missing;
use super::{filter, id, payload};

/// The points an operation is about.
pub(crate) enum Chosen {
    Ids(Vec<PointId>),
    Matching(Filter),
}

impl Chosen {
    pub(crate) fn parse(selector: Option<PointsSelector>) -> Result<Self, Status> {
        match selector.and_then(|selector| selector.points_selector_one_of) {
            Some(PointsSelectorOneOf::Points(list)) => Ok(Self::Ids(id::parse_all(list.ids)?)),
            Some(PointsSelectorOneOf::Filter(wanted)) => Ok(Self::Matching(filter::parse(wanted)?)),
            None => Err(missing("a list of points or a filter")),
        }
    }

    /// As the two optional fields the engine's payload operations have.
    pub(crate) fn split(self) -> (Option<Vec<PointId>>, Option<Filter>) {
        match self {
            Self::Ids(ids) => (Some(ids), None),
            Self::Matching(filter) => (None, Some(filter)),
        }
    }
}

pub(crate) fn with_payload(
    selector: Option<WithPayloadSelector>,
    otherwise: bool,
) -> Result<WithPayloadInterface, Status> {
    Ok(match selector.and_then(|selector| selector.selector_options) {
        Some(PayloadOptions::Enable(enabled)) => WithPayloadInterface::Bool(enabled),
        Some(PayloadOptions::Include(include)) => {
            WithPayloadInterface::Fields(payload::paths(&include.fields)?)
        }
        Some(PayloadOptions::Exclude(exclude)) => {
            WithPayloadInterface::Selector(PayloadSelector::new_exclude(payload::paths(&exclude.fields)?))
        }
        None => WithPayloadInterface::Bool(otherwise),
    })
}

pub(crate) fn with_vectors(selector: Option<WithVectorsSelector>) -> WithVector {
    match selector.and_then(|selector| selector.selector_options) {
        Some(VectorOptions::Enable(enabled)) => WithVector::Bool(enabled),
        Some(VectorOptions::Include(include)) => WithVector::Selector(include.names),
        None => WithVector::Bool(false),
    }
}
