//! Questions to the vector store.

use super::{Client, ClientError};
use crate::search::{SearchAnswer, SearchQuestion, Similar};

impl Client {
    /// Failures, executions, playbooks and knowledge, by meaning and by words.
    pub async fn search(&self, question: &SearchQuestion) -> Result<SearchAnswer, ClientError> {
        self.read(self.get(&["api", "search"]).query(question)).await
    }

    /// Failures and executions like an execution, or like the failure that an event tells of.
    pub async fn similar(&self, id: &str, limit: Option<u64>) -> Result<Similar, ClientError> {
        let request = self.get(&["api", "insights", "similar"]).query(&[("id", id)]);
        self.read(request.query(&limit.map(|limit| ("limit", limit)).as_slice())).await
    }
}
