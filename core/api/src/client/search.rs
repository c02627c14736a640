//! Questions to the vector store.

use super::{Client, ClientError};
use crate::search::{SearchAnswer, SearchQuestion};

impl Client {
    /// Failures, executions, playbooks and knowledge, by meaning and by words.
    pub async fn search(&self, question: &SearchQuestion) -> Result<SearchAnswer, ClientError> {
        self.read(self.get(&["api", "search"]).query(question)).await
    }
}
