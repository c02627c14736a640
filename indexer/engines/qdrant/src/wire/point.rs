//! Points: as written by a client, as found by the engine.

use ::qdrant_client::qdrant::{self, RetrievedPoint, facet_value, order_value, start_from};
use qdrant_edge::{
    DateTimeWrapper, Direction, FacetValue, OrderBy, OrderValue, PointStructPersisted, Record, ScoredPoint,
    StartFrom,
};
use tonic::Status;

use super::error::{missing, wrong};
use super::{filter, id, payload, vector};

pub(crate) fn parse(point: qdrant::PointStruct) -> Result<PointStructPersisted, Status> {
    Ok(PointStructPersisted {
        id: id::parse(point.id)?,
        vector: vector::parse_point(point.vectors)?,
        payload: Some(payload::parse(point.payload)),
    })
}

pub(crate) fn print_record(record: Record) -> RetrievedPoint {
    RetrievedPoint {
        id: Some(id::print(record.id)),
        payload: payload::print(record.payload),
        vectors: record.vector.map(vector::print),
        shard_key: None,
        order_value: record.order_value.map(print_order),
    }
}

pub(crate) fn print_scored(point: ScoredPoint) -> qdrant::ScoredPoint {
    qdrant::ScoredPoint {
        id: Some(id::print(point.id)),
        payload: payload::print(point.payload),
        score: point.score,
        version: point.version,
        vectors: point.vector.map(vector::print),
        shard_key: None,
        order_value: point.order_value.map(print_order),
    }
}

fn print_order(value: OrderValue) -> qdrant::OrderValue {
    let variant = match value {
        OrderValue::Int(integer) => order_value::Variant::Int(integer),
        OrderValue::Float(float) => order_value::Variant::Float(float),
    };
    qdrant::OrderValue { variant: Some(variant) }
}

pub(crate) fn print_facet(value: FacetValue) -> qdrant::FacetValue {
    use qdrant_edge::external::uuid::Uuid;
    let variant = match value {
        FacetValue::Keyword(keyword) => facet_value::Variant::StringValue(keyword),
        FacetValue::Int(integer) => facet_value::Variant::IntegerValue(integer),
        FacetValue::Uuid(number) => facet_value::Variant::StringValue(Uuid::from_u128(number).to_string()),
        FacetValue::Bool(flag) => facet_value::Variant::BoolValue(flag),
    };
    qdrant::FacetValue { variant: Some(variant) }
}

pub(crate) fn parse_order(order: qdrant::OrderBy) -> Result<OrderBy, Status> {
    let direction = match order.direction.map(qdrant::Direction::try_from) {
        None => None,
        Some(Ok(qdrant::Direction::Asc)) => Some(Direction::Asc),
        Some(Ok(qdrant::Direction::Desc)) => Some(Direction::Desc),
        Some(Err(_)) => return Err(wrong("the direction of an order is unknown")),
    };
    let start_from = match order.start_from {
        None => None,
        Some(from) => Some(match from.value.ok_or_else(|| missing("the value an order starts from"))? {
            start_from::Value::Float(float) => StartFrom::Float(float),
            start_from::Value::Integer(integer) => StartFrom::Integer(integer),
            start_from::Value::Timestamp(stamp) => StartFrom::Datetime(filter::instant(stamp)?),
            start_from::Value::Datetime(text) => StartFrom::Datetime(
                text.parse::<DateTimeWrapper>().map_err(|error| wrong(format_args!("{text:?}: {error}")))?,
            ),
        }),
    };
    Ok(OrderBy { key: payload::path(&order.key)?, direction, start_from })
}
