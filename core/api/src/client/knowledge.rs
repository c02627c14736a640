//! Documents that are searched.

use std::time::Duration;

use super::{Client, ClientError};
use crate::knowledge::{KnowledgeAdded, KnowledgeList, KnowledgeRemoved, KnowledgeRequest};

type Answer<T> = Result<T, ClientError>;

/// The largest document has thousands of passages, and a model on a small machine takes its time for each.
const PATIENCE: Duration = Duration::from_mins(30);

impl Client {
    pub async fn knowledge(&self) -> Answer<KnowledgeList> {
        self.read(self.get(&["api", "knowledge"])).await
    }

    /// Takes in a document, in the place of the one that its source had.
    pub async fn add_knowledge(&self, request: &KnowledgeRequest) -> Answer<KnowledgeAdded> {
        self.read(self.post(&["api", "knowledge"], request).timeout(PATIENCE)).await
    }

    pub async fn remove_knowledge(&self, source: &str) -> Answer<KnowledgeRemoved> {
        self.read(self.delete(&["api", "knowledge"]).query(&[("source", source)])).await
    }
}
