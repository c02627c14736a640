//! The vectors a query compares with: written out, or those of a stored point.

use std::sync::Arc;

use ::qdrant_client::qdrant::{LookupLocation, VectorInput, vector_input::Variant};
use qdrant_edge::{EdgeShard, PointId, VectorInternal, WithPayloadInterface, WithVector};
use tonic::Status;

use crate::catalog::Catalog;
use crate::check;
use crate::collection::Collection;
use crate::wire::error::{absent, missing, status, wrong};
use crate::wire::{id, vector};

/// Where examples are looked up.
pub(crate) struct Examples<'a> {
    pub(crate) shard: &'a EdgeShard,
    pub(crate) name: &'a str,
    pub(crate) catalog: &'a Catalog,
}

impl<'a> Examples<'a> {
    /// For a stage that compares with the vector `using`.
    pub(super) fn for_stage(
        &'a self,
        using: &'a str,
        lookup: Option<&LookupLocation>,
    ) -> Result<Given<'a>, Status> {
        let other = match lookup {
            None => None,
            Some(place) => {
                let collection = self.catalog.find(&place.collection_name)?;
                // Its own lock is held already, and a second read of it could wait for ever.
                let stored_as = place.vector_name.clone().unwrap_or_else(|| using.to_owned());
                if collection.name() == self.name {
                    Some((None, stored_as))
                } else {
                    Some((Some(collection), stored_as))
                }
            }
        };
        Ok(Given { examples: self, using, other, ids: Vec::new() })
    }
}

/// The examples of one stage, and which points they were.
pub(super) struct Given<'a> {
    examples: &'a Examples<'a>,
    using: &'a str,
    /// Another collection (none: this one), and the name of the vector there.
    other: Option<(Option<Arc<Collection>>, String)>,
    ids: Vec<PointId>,
}

impl Given<'_> {
    pub(super) fn vectors(&mut self, inputs: Vec<VectorInput>) -> Result<Vec<VectorInternal>, Status> {
        inputs.into_iter().map(|input| self.vector(Some(input))).collect()
    }

    pub(super) fn vector(&mut self, input: Option<VectorInput>) -> Result<VectorInternal, Status> {
        let vector = match input
            .and_then(|input| input.variant)
            .ok_or_else(|| missing("a vector of a query"))?
        {
            Variant::Id(point) => self.stored(id::parse(Some(point))?)?,
            Variant::Dense(dense) => VectorInternal::Dense(vector::finite(dense.data)?),
            Variant::Sparse(sparse) => VectorInternal::Sparse(vector::sparse(sparse.indices, sparse.values)?),
            Variant::MultiDense(multi) => {
                vector::to_query(qdrant_edge::VectorPersisted::MultiDense(vector::rows(multi)?))?
            }
            Variant::Document(_) | Variant::Image(_) | Variant::Object(_) => {
                return Err(absent("inference of vectors"));
            }
        };
        check::compared(&self.examples.shard.config(), self.using, &vector)?;
        Ok(vector)
    }

    fn stored(&mut self, point: PointId) -> Result<VectorInternal, Status> {
        match &self.other {
            None => {
                self.ids.push(point);
                fetch(self.examples.shard, point, self.using)
            }
            Some((None, name)) => fetch(self.examples.shard, point, name),
            Some((Some(collection), name)) => collection.look(|shard| fetch(shard, point, name)),
        }
    }

    /// The points of this collection that served as examples.
    pub(super) fn ids(self) -> Vec<PointId> {
        self.ids
    }
}

fn fetch(shard: &EdgeShard, point: PointId, name: &str) -> Result<VectorInternal, Status> {
    let wanted = WithVector::Selector(vec![name.to_owned()]);
    let found =
        shard.retrieve(&[point], Some(WithPayloadInterface::Bool(false)), Some(wanted)).map_err(status)?;
    let record = found
        .into_iter()
        .next()
        .ok_or_else(|| Status::not_found(format!("Not found: No point with id {point} found")))?;
    vector::pick(record.vector.ok_or_else(|| missing("the vector of a referenced point"))?, name)
}

/// Towards the positive examples and away from the negative ones.
pub(super) fn between(
    positives: &[VectorInternal],
    negatives: &[VectorInternal],
) -> Result<VectorInternal, Status> {
    if positives.is_empty() {
        return Err(missing("a positive example of a recommendation"));
    }
    let toward = mean(positives)?;
    if negatives.is_empty() {
        return Ok(VectorInternal::Dense(toward));
    }
    let away = mean(negatives)?;
    if away.len() != toward.len() {
        return Err(wrong("the examples of a recommendation differ in length"));
    }
    Ok(VectorInternal::Dense(toward.iter().zip(away).map(|(to, from)| to + to - from).collect()))
}

fn mean(vectors: &[VectorInternal]) -> Result<Vec<f32>, Status> {
    let mut sum: Vec<f32> = Vec::new();
    for vector in vectors {
        let VectorInternal::Dense(dense) = vector else {
            return Err(wrong("only dense vectors have a mean; take the strategy best_score or sum_scores"));
        };
        if sum.is_empty() {
            sum.clone_from(dense);
        } else if sum.len() == dense.len() {
            sum.iter_mut().zip(dense).for_each(|(sum, value)| *sum += value);
        } else {
            return Err(wrong("the examples of a recommendation differ in length"));
        }
    }
    let count = vectors.len() as f32;
    for value in &mut sum {
        *value /= count;
    }
    Ok(sum)
}
