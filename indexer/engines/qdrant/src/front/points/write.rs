//! What changes points, as the engine's operations.

use std::collections::HashMap;

use ::qdrant_client::qdrant::points_update_operation::Operation;
use ::qdrant_client::qdrant::{
    self, PayloadIndexParams, PointVectors, PointsOperationResponse, PointsSelector, PointsUpdateOperation,
    UpdateResult, UpdateStatus, Value, VectorsSelector,
};
use qdrant_edge::{
    ConditionalInsertOperation, CreateIndex, DeletePayloadOp, FieldIndexOperations, PayloadOps, PointIdsList,
    PointInsertOperations, PointOperations, PointVectorsPersisted, SetPayloadOp, UpdateMode, UpdateOperation,
    UpdateVectorsOp, VectorOperations,
};
use tonic::{Response, Status};

use super::{Answer, Clock, Points};
use crate::collection::Durability;
use crate::wire::error::{missing, wrong};
use crate::wire::selector::Chosen;
use crate::wire::{filter, id, index, payload, point, vector};

impl Points {
    pub(super) async fn write(
        &self,
        collection: &str,
        wait: Option<bool>,
        operation: UpdateOperation,
    ) -> Answer<PointsOperationResponse> {
        let clock = Clock::start();
        let result = Some(self.apply(collection, wait, vec![operation]).await?);
        Ok(Response::new(PointsOperationResponse { result, time: clock.seconds(), usage: None }))
    }

    pub(super) async fn apply(
        &self,
        collection: &str,
        wait: Option<bool>,
        operations: Vec<UpdateOperation>,
    ) -> Result<UpdateResult, Status> {
        let (durability, status) = if wait.unwrap_or(false) {
            (Durability::Synced, UpdateStatus::Completed)
        } else {
            (Durability::Soon, UpdateStatus::Acknowledged)
        };
        let number = self.catalog.find(collection)?.write(operations, durability).await?;
        Ok(UpdateResult { operation_id: Some(number), status: status.into() })
    }
}

pub(super) fn upsert(
    points: Vec<qdrant::PointStruct>,
    update_filter: Option<qdrant::Filter>,
    update_mode: Option<i32>,
) -> Result<UpdateOperation, Status> {
    if points.is_empty() {
        return Err(missing("a point to upsert"));
    }
    let points: Result<Vec<_>, _> = points.into_iter().map(point::parse).collect();
    let points = PointInsertOperations::PointsList(points?);
    let mode = match update_mode.map(qdrant::UpdateMode::try_from) {
        None | Some(Ok(qdrant::UpdateMode::Upsert)) => None,
        Some(Ok(qdrant::UpdateMode::InsertOnly)) => Some(UpdateMode::InsertOnly),
        Some(Ok(qdrant::UpdateMode::UpdateOnly)) => Some(UpdateMode::UpdateOnly),
        Some(Err(_)) => return Err(wrong("the mode of an upsert is unknown")),
    };
    let condition = filter::parse_optional(update_filter)?;
    Ok(UpdateOperation::PointOperation(if condition.is_none() && mode.is_none() {
        PointOperations::UpsertPoints(points)
    } else {
        PointOperations::UpsertPointsConditional(ConditionalInsertOperation {
            points_op: points,
            condition: condition.unwrap_or_default(),
            update_mode: mode,
        })
    }))
}

pub(super) fn delete(selector: Option<PointsSelector>) -> Result<UpdateOperation, Status> {
    Ok(UpdateOperation::PointOperation(match Chosen::parse(selector)? {
        Chosen::Ids(ids) => PointOperations::DeletePoints { ids },
        Chosen::Matching(filter) => PointOperations::DeletePointsByFilter(filter),
    }))
}

pub(super) fn update_vectors(
    points: Vec<PointVectors>,
    update_filter: Option<qdrant::Filter>,
) -> Result<UpdateOperation, Status> {
    let points: Result<Vec<_>, Status> = points
        .into_iter()
        .map(|point| {
            Ok(PointVectorsPersisted {
                id: id::parse(point.id)?,
                vector: vector::parse_point(point.vectors)?,
            })
        })
        .collect();
    Ok(UpdateOperation::VectorOperation(VectorOperations::UpdateVectors(UpdateVectorsOp {
        points: points?,
        update_filter: filter::parse_optional(update_filter)?,
    })))
}

pub(super) fn delete_vectors(
    selector: Option<PointsSelector>,
    vectors: Option<VectorsSelector>,
) -> Result<UpdateOperation, Status> {
    let names = vectors.ok_or_else(|| missing("the vectors to delete"))?.names;
    Ok(UpdateOperation::VectorOperation(match Chosen::parse(selector)? {
        Chosen::Ids(ids) => VectorOperations::DeleteVectors(PointIdsList::from(ids), names),
        Chosen::Matching(filter) => VectorOperations::DeleteVectorsByFilter(filter, names),
    }))
}

fn set(
    values: HashMap<String, Value>,
    selector: Option<PointsSelector>,
    key: Option<String>,
) -> Result<SetPayloadOp, Status> {
    let (points, filter) = Chosen::parse(selector)?.split();
    let key = key.map(|key| payload::path(&key)).transpose()?;
    Ok(SetPayloadOp { payload: payload::parse(values), points, filter, key })
}

pub(super) fn set_payload(
    values: HashMap<String, Value>,
    selector: Option<PointsSelector>,
    key: Option<String>,
) -> Result<UpdateOperation, Status> {
    Ok(UpdateOperation::PayloadOperation(PayloadOps::SetPayload(set(values, selector, key)?)))
}

pub(super) fn overwrite_payload(
    values: HashMap<String, Value>,
    selector: Option<PointsSelector>,
    key: Option<String>,
) -> Result<UpdateOperation, Status> {
    Ok(UpdateOperation::PayloadOperation(PayloadOps::OverwritePayload(set(values, selector, key)?)))
}

pub(super) fn delete_payload(
    keys: &[String],
    selector: Option<PointsSelector>,
) -> Result<UpdateOperation, Status> {
    let (points, filter) = Chosen::parse(selector)?.split();
    Ok(UpdateOperation::PayloadOperation(PayloadOps::DeletePayload(DeletePayloadOp {
        keys: payload::paths(keys)?,
        points,
        filter,
    })))
}

pub(super) fn clear_payload(selector: Option<PointsSelector>) -> Result<UpdateOperation, Status> {
    Ok(UpdateOperation::PayloadOperation(match Chosen::parse(selector)? {
        Chosen::Ids(points) => PayloadOps::ClearPayload { points },
        Chosen::Matching(filter) => PayloadOps::ClearPayloadByFilter(filter),
    }))
}

pub(super) fn create_index(
    field: &str,
    field_type: Option<i32>,
    params: Option<PayloadIndexParams>,
) -> Result<UpdateOperation, Status> {
    Ok(UpdateOperation::FieldIndexOperation(FieldIndexOperations::CreateIndex(CreateIndex {
        field_name: payload::path(field)?,
        field_schema: Some(index::parse(field_type, params)?),
    })))
}

pub(super) fn delete_index(field: &str) -> Result<UpdateOperation, Status> {
    Ok(UpdateOperation::FieldIndexOperation(FieldIndexOperations::DeleteIndex(payload::path(field)?)))
}

/// One operation of a batch.
#[expect(deprecated, reason = "older clients write deletions in a shorter form")]
pub(super) fn batched(operation: PointsUpdateOperation) -> Result<UpdateOperation, Status> {
    match operation.operation.ok_or_else(|| missing("an operation of a batch"))? {
        Operation::Upsert(list) => upsert(list.points, list.update_filter, list.update_mode),
        Operation::DeletePoints(chosen) => delete(chosen.points),
        Operation::DeleteDeprecated(selector) => delete(Some(selector)),
        Operation::SetPayload(set) => set_payload(set.payload, set.points_selector, set.key),
        Operation::OverwritePayload(set) => overwrite_payload(set.payload, set.points_selector, set.key),
        Operation::DeletePayload(chosen) => delete_payload(&chosen.keys, chosen.points_selector),
        Operation::ClearPayload(chosen) => clear_payload(chosen.points),
        Operation::ClearPayloadDeprecated(selector) => clear_payload(Some(selector)),
        Operation::UpdateVectors(update) => update_vectors(update.points, update.update_filter),
        Operation::DeleteVectors(chosen) => delete_vectors(chosen.points_selector, chosen.vectors),
    }
}
