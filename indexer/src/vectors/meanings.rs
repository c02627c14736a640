//! Vectors of shapes: Executions that ended alike share one, so that models are asked for shapes and not for Events.
//! Points of other kinds are few, and each has its own.

use std::collections::HashMap;

use super::kind::Kind;
use super::point::{self, Point};
use super::{VectorError, Vectors};

/// Shapes remembered; beyond that they are forgotten together, and asked for once more.
const MOST: usize = 4_096;

#[derive(Debug, Default)]
pub(crate) struct Meanings {
    known: HashMap<u64, Vec<f32>>,
}

impl Meanings {
    /// The vector of each point; of Executions the one of the first that ended alike. None without an embedder.
    pub(crate) async fn of(
        &mut self,
        vectors: &Vectors,
        kind: Kind,
        points: &[Point],
    ) -> Result<Vec<Option<Vec<f32>>>, VectorError> {
        if kind != Kind::Execution {
            return vectors.meanings(kind, points).await;
        }
        let shapes: Vec<u64> = points.iter().map(shape).collect();
        let mut missing: Vec<(u64, Point)> = Vec::new();
        for (shape, point) in shapes.iter().zip(points) {
            if !self.known.contains_key(shape) && !missing.iter().any(|(known, _)| known == shape) {
                missing.push((*shape, point.clone()));
            }
        }
        let (new, firsts): (Vec<u64>, Vec<Point>) = missing.into_iter().unzip();
        // In a batch of its own shapes are enough for every point, however many there are.
        if self.known.len() + new.len() > MOST {
            self.known.retain(|shape, _| shapes.contains(shape));
        }
        for (shape, made) in new.into_iter().zip(vectors.meanings(kind, &firsts).await?) {
            if let Some(made) = made {
                self.known.insert(shape, made);
            }
        }
        Ok(shapes.iter().map(|shape| self.known.get(shape).cloned()).collect())
    }
}

fn shape(point: &Point) -> u64 {
    let facts = &point.stored.facts;
    point::id(&[&facts.playbook, &facts.step, &facts.fingerprint, &facts.status])
}
