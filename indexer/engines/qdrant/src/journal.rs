//! What a collection acknowledged and the engine has not yet flushed.
//!
//! The engine writes a log of its own but does not read it back when it opens, and while it rebuilds segments a flush
//! does not cover deletions. So every accepted operation is also a line of JSON here, synced before the answer of a
//! write that waits, done again in order when the collection opens, and forgotten after a flush that covers it.
//! Operations done again change nothing, because each says what shall be and not what to add.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;

use qdrant_edge::UpdateOperation;

#[derive(Debug)]
pub(crate) struct Journal {
    file: File,
    bytes: u64,
    unsynced: bool,
}

impl Journal {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
        let bytes = file.metadata()?.len();
        Ok(Self { file, bytes, unsynced: false })
    }

    /// The operations that were accepted, in order. A last line that was cut off was never acknowledged.
    pub(crate) fn replay(&self, mut apply: impl FnMut(UpdateOperation)) -> io::Result<usize> {
        let mut reader = BufReader::new(&self.file);
        io::Seek::rewind(&mut reader)?;
        let mut replayed = 0;
        let mut line = Vec::new();
        loop {
            line.clear();
            reader.read_until(b'\n', &mut line)?;
            if line.pop() != Some(b'\n') {
                return Ok(replayed);
            }
            let Ok(operation) = serde_json::from_slice(&line) else { return Ok(replayed) };
            apply(operation);
            replayed += 1;
        }
    }

    /// The line for an operation, made before the engine takes the operation away.
    pub(crate) fn encode(operation: &UpdateOperation) -> io::Result<Vec<u8>> {
        let mut line = serde_json::to_vec(operation)?;
        line.push(b'\n');
        Ok(line)
    }

    pub(crate) fn append(&mut self, line: &[u8]) -> io::Result<()> {
        self.unsynced = true;
        if let Err(error) = self.file.write_all(line) {
            // Half a line would hide every line after it.
            self.file.set_len(self.bytes)?;
            return Err(error);
        }
        self.bytes += line.len() as u64;
        Ok(())
    }

    pub(crate) fn sync(&mut self) -> io::Result<()> {
        if self.unsynced {
            self.file.sync_data()?;
            self.unsynced = false;
        }
        Ok(())
    }

    /// After a flush of the engine.
    pub(crate) fn forget(&mut self) -> io::Result<()> {
        if self.bytes > 0 {
            self.file.set_len(0)?;
            self.file.sync_data()?;
            self.bytes = 0;
        }
        self.unsynced = false;
        Ok(())
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use qdrant_edge::{
        DeletePayloadOp, FieldIndexOperations, Filter, PayloadOps, PointId, PointInsertOperations,
        PointOperations, PointStructPersisted, SetPayloadOp, SparseVector, VectorOperations, VectorPersisted,
        VectorStructPersisted,
    };
    use serde_json::json;

    use super::*;

    fn operations() -> Vec<UpdateOperation> {
        let filter: Filter = serde_json::from_value(json!({
            "must": [{"key": "count", "range": {"gte": 0.1}}, {"has_id": [1, 2]}],
            "must_not": [{"nested": {"key": "steps", "filter": {"must": [{"key": "name", "match": {"value": "a"}}]}}}],
        }))
        .unwrap();
        let point = PointStructPersisted {
            id: PointId::NumId(7),
            vector: VectorStructPersisted::Named(HashMap::from([
                ("text".to_owned(), VectorPersisted::Dense(vec![0.1, -1.0e-7, 3.402_823_5e38])),
                (
                    "words".to_owned(),
                    VectorPersisted::Sparse(SparseVector {
                        indices: vec![3, 4_000_000_000],
                        values: vec![0.5, 1.5],
                    }),
                ),
            ])),
            payload: Some(serde_json::from_value(json!({"a": {"b": [1, null, 2.5, "x"]}})).unwrap()),
        };
        let set = SetPayloadOp {
            payload: serde_json::from_value(json!({"a": 1})).unwrap(),
            points: Some(vec![PointId::NumId(u64::MAX)]),
            filter: None,
            key: Some("a.b".parse().unwrap()),
        };
        vec![
            UpdateOperation::PointOperation(PointOperations::UpsertPoints(
                PointInsertOperations::PointsList(vec![point]),
            )),
            UpdateOperation::PointOperation(PointOperations::DeletePoints { ids: vec![PointId::NumId(1)] }),
            UpdateOperation::PointOperation(PointOperations::DeletePointsByFilter(filter.clone())),
            UpdateOperation::PayloadOperation(PayloadOps::SetPayload(set.clone())),
            UpdateOperation::PayloadOperation(PayloadOps::OverwritePayload(set)),
            UpdateOperation::PayloadOperation(PayloadOps::DeletePayload(DeletePayloadOp {
                keys: vec!["a".parse().unwrap()],
                points: None,
                filter: Some(filter.clone()),
            })),
            UpdateOperation::PayloadOperation(PayloadOps::ClearPayloadByFilter(filter.clone())),
            UpdateOperation::VectorOperation(VectorOperations::DeleteVectorsByFilter(
                filter,
                vec!["text".to_owned()],
            )),
            UpdateOperation::FieldIndexOperation(FieldIndexOperations::DeleteIndex("a".parse().unwrap())),
        ]
    }

    fn written(path: &Path) -> Journal {
        let mut journal = Journal::open(path).unwrap();
        for operation in operations() {
            journal.append(&Journal::encode(&operation).unwrap()).unwrap();
        }
        journal.sync().unwrap();
        journal
    }

    fn replayed(path: &Path) -> Vec<UpdateOperation> {
        let mut seen = Vec::new();
        Journal::open(path).unwrap().replay(|operation| seen.push(operation)).unwrap();
        seen
    }

    #[test]
    fn every_kind_of_operation_comes_back_as_it_was() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("journal");
        drop(written(&path));
        assert_eq!(replayed(&path), operations());
    }

    #[test]
    fn a_line_that_was_cut_off_is_not_done_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("journal");
        let bytes = written(&path).bytes();
        for cut in [1, 2, 20] {
            OpenOptions::new().write(true).open(&path).unwrap().set_len(bytes - cut).unwrap();
            assert_eq!(replayed(&path), operations()[..operations().len() - 1]);
        }
    }

    #[test]
    fn what_is_flushed_is_forgotten() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("journal");
        let mut journal = written(&path);
        journal.forget().unwrap();
        assert_eq!((journal.bytes(), replayed(&path)), (0, Vec::new()));
    }
}
