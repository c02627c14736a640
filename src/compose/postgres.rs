//! Lets `POST /api/postgres/execute` use the worker's Postgres tool: the server itself acts on nothing outside.

use std::sync::Arc;
use std::time::{Duration, Instant};

use indexmap::IndexMap;
use noetl_api::sql::SqlResult;
use noetl_domain::Value;
use noetl_domain::code::Code;
use noetl_domain::id::ExecutionId;
use noetl_domain::playbook::Dialect;
use noetl_server::error::ServerError;
use noetl_server::http::{SqlCall, SqlRunner};
use noetl_worker::credential::Credential;
use noetl_worker::meter::Meter;
use noetl_worker::tool::{Failure, Log, Output, TaskContext, Tool as _};
use noetl_worker::tools::postgres::{Input, Postgres};
use serde_json::json;
use tokio_util::sync::CancellationToken;

const LONGEST: Duration = Duration::from_mins(1);
/// Rows that one answer hands out.
const ROWS: usize = 10_000;

pub(super) fn runner() -> SqlRunner {
    let postgres = Postgres::default();
    Arc::new(move |call| {
        let postgres = postgres.clone();
        Box::pin(async move { run(&postgres, call).await })
    })
}

async fn run(postgres: &Postgres, call: SqlCall) -> Result<SqlResult, ServerError> {
    let mut fields = json!({ "query": call.query, "params": call.parameters, "as_objects": call.as_objects });
    for (name, value) in [("schema", call.schema), ("db_name", call.database)] {
        if let Some(value) = value {
            fields[name] = value.into();
        }
    }
    let input: Input = serde_json::from_value(fields)
        .map_err(|error| ServerError::invalid(format!("the query cannot be read: {error}")))?;
    let data = call.connection;
    let credential = Credential { name: "request".to_owned(), kind: "postgres".to_owned(), data };
    match postgres.run(input, &context(credential)).await {
        Ok(Output::Done { value, .. }) => Ok(shown(&value)),
        Ok(Output::Sleep { .. } | Output::Child(_)) => Err(ServerError::internal("a query does not wait")),
        Err(Failure { error, .. }) => {
            let code = if error.kind == "connection" { Code::Connection } else { Code::ToolFailed };
            Err(ServerError::new(code, error.message))
        }
    }
}

/// Stands in for a task: the tool knows no other way to be called.
fn context(credential: Credential) -> TaskContext {
    TaskContext {
        execution: ExecutionId(0),
        step: "postgres_execute".to_owned(),
        task: "postgres_execute".to_owned(),
        run: 1,
        index: None,
        attempt: 1,
        dialect: Dialect::E,
        inputs: noetl_domain::Map::new(),
        context: Arc::default(),
        credential: Some(credential),
        aliases: IndexMap::new(),
        cancel: CancellationToken::new(),
        deadline: Some(Instant::now() + LONGEST),
        work_dir: std::env::temp_dir(),
        scratch_dir: std::env::temp_dir(),
        log: Log::discard(),
        meter: Meter::default(),
    }
}

fn shown(value: &Value) -> SqlResult {
    let mut result = value["rows"].as_array().cloned().unwrap_or_default();
    let found = result.len();
    result.truncate(ROWS);
    let columns = value["columns"].as_array().map(Vec::as_slice).unwrap_or_default();
    SqlResult {
        status: value["status"].as_str().unwrap_or("ok").to_owned(),
        truncated: result.len() < found,
        row_count: result.len(),
        result,
        columns: columns.iter().filter_map(|name| Some(name.as_str()?.to_owned())).collect(),
        affected_rows: value["affected_rows"].as_u64(),
        error: None,
    }
}
