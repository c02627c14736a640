//! Filters: every condition of the protocol that the engine knows.

use ::qdrant_client::qdrant::{
    self, DatetimeRange, condition::ConditionOneOf, r#match::MatchValue as WireMatch,
};
use prost_types::Timestamp;
use qdrant_edge::external::ordered_float::OrderedFloat;
use qdrant_edge::{
    Condition, DateTimeWrapper, FieldCondition, Filter, GeoBoundingBox, GeoPoint, GeoPolygon, GeoRadius,
    HasVectorCondition, IsEmptyCondition, IsNullCondition, Match, MatchExcept, MatchPhrase, MatchText,
    MatchTextAny, MinShould, Nested, NestedCondition, Range, RangeInterface, ValuesCount,
};
use serde_json::{Value, json};
use tonic::Status;

use super::error::{absent, missing, wrong};
use super::{id, payload};

/// Conditions inside conditions, so that a hostile filter cannot exhaust the stack.
const MAX_DEPTH: usize = 16;

pub(crate) fn parse(filter: qdrant::Filter) -> Result<Filter, Status> {
    parse_at(filter, 0)
}

pub(crate) fn parse_optional(filter: Option<qdrant::Filter>) -> Result<Option<Filter>, Status> {
    filter.map(parse).transpose()
}

pub(crate) fn parse_condition(condition: qdrant::Condition) -> Result<Condition, Status> {
    condition_at(condition, 0)
}

fn parse_at(filter: qdrant::Filter, depth: usize) -> Result<Filter, Status> {
    if depth > MAX_DEPTH {
        return Err(wrong(format_args!("a filter is nested more than {MAX_DEPTH} deep")));
    }
    let group = |conditions: Vec<qdrant::Condition>| -> Result<Option<Vec<Condition>>, Status> {
        if conditions.is_empty() {
            return Ok(None);
        }
        let parsed: Result<_, _> = conditions.into_iter().map(|one| condition_at(one, depth)).collect();
        parsed.map(Some)
    };
    let min_should = match filter.min_should {
        None => None,
        Some(wanted) => Some(MinShould {
            conditions: group(wanted.conditions)?.unwrap_or_default(),
            min_count: wanted.min_count as usize,
        }),
    };
    Ok(Filter {
        should: group(filter.should)?,
        min_should,
        must: group(filter.must)?,
        must_not: group(filter.must_not)?,
    })
}

fn condition_at(condition: qdrant::Condition, depth: usize) -> Result<Condition, Status> {
    let one_of = condition.condition_one_of.ok_or_else(|| missing("a condition of the filter"))?;
    Ok(match one_of {
        ConditionOneOf::Field(condition) => Condition::Field(field(condition)?),
        ConditionOneOf::IsEmpty(one) => Condition::IsEmpty(IsEmptyCondition::from(payload::path(&one.key)?)),
        ConditionOneOf::IsNull(one) => Condition::IsNull(IsNullCondition::from(payload::path(&one.key)?)),
        ConditionOneOf::HasId(one) => Condition::HasId(id::parse_all(one.has_id)?.into_iter().collect()),
        ConditionOneOf::HasVector(one) => Condition::HasVector(HasVectorCondition::from(one.has_vector)),
        ConditionOneOf::Filter(filter) => Condition::Filter(parse_at(filter, depth + 1)?),
        ConditionOneOf::Nested(nested) => Condition::Nested(NestedCondition::new(Nested {
            key: payload::path(&nested.key)?,
            filter: parse_at(
                nested.filter.ok_or_else(|| missing("the filter of a nested condition"))?,
                depth + 1,
            )?,
        })),
        ConditionOneOf::Slice(_) => return Err(absent("slice condition")),
    })
}

fn field(condition: qdrant::FieldCondition) -> Result<FieldCondition, Status> {
    let qdrant::FieldCondition {
        key,
        r#match,
        range,
        geo_bounding_box,
        geo_radius,
        values_count,
        geo_polygon,
        datetime_range,
        is_empty,
        is_null,
    } = condition;
    let range = match (range, datetime_range) {
        (Some(range), _) => Some(RangeInterface::Float(Range {
            lt: range.lt.map(OrderedFloat),
            gt: range.gt.map(OrderedFloat),
            gte: range.gte.map(OrderedFloat),
            lte: range.lte.map(OrderedFloat),
        })),
        (None, Some(range)) => Some(RangeInterface::DateTime(datetimes(range)?)),
        (None, None) => None,
    };
    let parsed = FieldCondition {
        r#match: r#match.map(matching).transpose()?,
        range,
        geo_bounding_box: geo_bounding_box.map(bounding_box).transpose()?,
        geo_radius: geo_radius.map(radius).transpose()?,
        geo_polygon: geo_polygon.map(polygon).transpose()?,
        values_count: values_count.map(|count| ValuesCount {
            lt: count.lt.map(|bound| bound as usize),
            gt: count.gt.map(|bound| bound as usize),
            gte: count.gte.map(|bound| bound as usize),
            lte: count.lte.map(|bound| bound as usize),
        }),
        is_empty,
        is_null,
        key: payload::path(&key)?,
    };
    let says_nothing = parsed.r#match.is_none()
        && parsed.range.is_none()
        && parsed.geo_bounding_box.is_none()
        && parsed.geo_radius.is_none()
        && parsed.geo_polygon.is_none()
        && parsed.values_count.is_none()
        && parsed.is_empty.is_none()
        && parsed.is_null.is_none();
    if says_nothing {
        return Err(wrong(format_args!("the condition on field {key:?} says nothing")));
    }
    Ok(parsed)
}

fn matching(wanted: qdrant::Match) -> Result<Match, Status> {
    Ok(match wanted.match_value.ok_or_else(|| missing("the value of a match"))? {
        WireMatch::Keyword(keyword) => Match::from(keyword),
        WireMatch::Integer(integer) => Match::from(integer),
        WireMatch::Boolean(flag) => Match::from(flag),
        WireMatch::Text(text) => Match::Text(MatchText { text }),
        WireMatch::TextAny(text_any) => Match::TextAny(MatchTextAny { text_any }),
        WireMatch::Phrase(phrase) => Match::Phrase(MatchPhrase { phrase }),
        WireMatch::Keywords(list) => Match::from(list.strings),
        WireMatch::Integers(list) => Match::from(list.integers),
        WireMatch::ExceptKeywords(list) => Match::Except(MatchExcept::from(list.strings)),
        WireMatch::ExceptIntegers(list) => Match::Except(MatchExcept::from(list.integers)),
        WireMatch::Prefix(_) => return Err(absent("prefix match")),
        WireMatch::Substring(_) => return Err(absent("substring match")),
    })
}

fn datetimes(range: DatetimeRange) -> Result<Range<DateTimeWrapper>, Status> {
    let bound = |bound: Option<Timestamp>| bound.map(instant).transpose();
    Ok(Range { lt: bound(range.lt)?, gt: bound(range.gt)?, gte: bound(range.gte)?, lte: bound(range.lte)? })
}

/// The engine keeps microseconds.
pub(crate) fn instant(stamp: Timestamp) -> Result<DateTimeWrapper, Status> {
    stamp
        .seconds
        .checked_mul(1_000_000)
        .and_then(|micros| micros.checked_add(i64::from(stamp.nanos) / 1_000))
        .and_then(DateTimeWrapper::from_timestamp)
        .ok_or_else(|| wrong(format_args!("the time {} s is out of range", stamp.seconds)))
}

pub(crate) fn geo_point(point: Option<qdrant::GeoPoint>) -> Result<GeoPoint, Status> {
    let point = point.ok_or_else(|| missing("a geographic point"))?;
    GeoPoint::new(point.lon, point.lat).map_err(wrong)
}

fn bounding_box(wanted: qdrant::GeoBoundingBox) -> Result<GeoBoundingBox, Status> {
    Ok(GeoBoundingBox {
        top_left: geo_point(wanted.top_left)?,
        bottom_right: geo_point(wanted.bottom_right)?,
    })
}

fn radius(wanted: qdrant::GeoRadius) -> Result<GeoRadius, Status> {
    Ok(GeoRadius { center: geo_point(wanted.center)?, radius: OrderedFloat(f64::from(wanted.radius)) })
}

/// Through JSON: the engine does not export the type of a polygon's rings.
fn polygon(wanted: qdrant::GeoPolygon) -> Result<GeoPolygon, Status> {
    let ring = |line: qdrant::GeoLineString| -> Value {
        let points: Vec<Value> =
            line.points.iter().map(|point| json!({"lon": point.lon, "lat": point.lat})).collect();
        json!({ "points": points })
    };
    let exterior = wanted.exterior.ok_or_else(|| missing("the outer ring of a polygon"))?;
    let interiors: Vec<Value> = wanted.interiors.into_iter().map(ring).collect();
    serde_json::from_value(json!({"exterior": ring(exterior), "interiors": interiors})).map_err(wrong)
}
