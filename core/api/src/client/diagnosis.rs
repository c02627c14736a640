//! Questions to the assistant.

use noetl_domain::Value;
use noetl_domain::id::ExecutionId;

use super::{Client, ClientError};
use crate::diagnosis::{DiagnoseRequest, Diagnosis};

impl Client {
    /// Why an execution failed, or that it did not.
    pub async fn diagnose(
        &self,
        id: ExecutionId,
        request: &DiagnoseRequest,
    ) -> Result<Diagnosis, ClientError> {
        let asked = self.post(&["api", "executions", &id.to_string(), "diagnose"], &Value::Null);
        self.read(asked.query(request)).await
    }
}
