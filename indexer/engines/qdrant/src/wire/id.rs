//! Point ids: a number or a UUID.

use ::qdrant_client::qdrant::{self, point_id::PointIdOptions};
use qdrant_edge::PointId;
use qdrant_edge::external::uuid::Uuid;
use tonic::Status;

use super::error::{missing, wrong};

pub(crate) fn parse(id: Option<qdrant::PointId>) -> Result<PointId, Status> {
    match id.and_then(|id| id.point_id_options) {
        Some(PointIdOptions::Num(number)) => Ok(PointId::NumId(number)),
        Some(PointIdOptions::Uuid(text)) => Uuid::parse_str(&text)
            .map(PointId::Uuid)
            .map_err(|_| wrong(format_args!("unable to parse UUID: {text}"))),
        None => Err(missing("the point id")),
    }
}

pub(crate) fn parse_all(ids: Vec<qdrant::PointId>) -> Result<Vec<PointId>, Status> {
    ids.into_iter().map(|id| parse(Some(id))).collect()
}

pub(crate) fn print(id: PointId) -> qdrant::PointId {
    let options = match id {
        PointId::NumId(number) => PointIdOptions::Num(number),
        PointId::Uuid(uuid) => PointIdOptions::Uuid(uuid.to_string()),
    };
    qdrant::PointId { point_id_options: Some(options) }
}
