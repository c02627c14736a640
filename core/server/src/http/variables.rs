//! Variables of an Execution (`ctx`), read and written from outside the flow.

use axum::Json as Answer;
use axum::extract::State;
use noetl_api::error::ErrorBody;
use noetl_api::health::Done;
use noetl_api::variable::{SetVariables, VariableBody, VariableList, VariablesSet};
use noetl_domain::id::ExecutionId;
use noetl_domain::{Map, Value};

use super::request::{Json, Segments, execution_id};
use super::{Services, show};
use crate::error::ServerError;

const MOST: usize = 1000;

/// Every variable.
#[utoipa::path(get, path = "/api/vars/{execution_id}", tag = "variables", params(("execution_id" = String, Path)),
    responses((status = 200, body = VariableList), (status = 404, body = ErrorBody)))]
pub(super) async fn list(
    State(services): State<Services>,
    Segments(id): Segments<String>,
) -> Result<Answer<VariableList>, ServerError> {
    let id = execution_id(&id)?;
    let snapshot = services.orchestrator.snapshot(id).await?;
    let ctx = &snapshot.execution.ctx;
    let variables: std::collections::BTreeMap<_, _> =
        ctx.iter().map(|(name, value)| (name.clone(), body(name, value))).collect();
    Ok(Answer(VariableList { execution_id: id, count: variables.len(), variables }))
}

/// One variable.
#[utoipa::path(get, path = "/api/vars/{execution_id}/{name}", tag = "variables",
    params(("execution_id" = String, Path), ("name" = String, Path)),
    responses((status = 200, body = VariableBody), (status = 404, body = ErrorBody)))]
pub(super) async fn one(
    State(services): State<Services>,
    Segments((id, name)): Segments<(String, String)>,
) -> Result<Answer<VariableBody>, ServerError> {
    let id = execution_id(&id)?;
    let snapshot = services.orchestrator.snapshot(id).await?;
    match snapshot.execution.ctx.get(&name) {
        Some(value) => Ok(Answer(body(&name, value))),
        None => Err(unknown(id, &name)),
    }
}

fn body(name: &str, value: &Value) -> VariableBody {
    VariableBody {
        name: name.to_owned(),
        value: masked_variable(name, value),
        kind: "user_defined".to_owned(),
        source_step: None,
    }
}

/// A variable is hidden by its own name, too.
fn masked_variable(name: &str, value: &Value) -> Value {
    let alone = Map::from_iter([(name.to_owned(), value.clone())]);
    show::masked_map(&alone).remove(name).unwrap_or_default()
}

fn unknown(id: ExecutionId, name: &str) -> ServerError {
    ServerError::not_found(format!("execution {id} has no variable {name:?}"))
}

/// Writes variables; templates read them as `ctx.name` or `vars.name` from then on.
#[utoipa::path(post, path = "/api/vars/{execution_id}", tag = "variables", params(("execution_id" = String, Path)),
    request_body = SetVariables,
    responses((status = 200, body = VariablesSet), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(super) async fn set(
    State(services): State<Services>,
    Segments(id): Segments<String>,
    Json(request): Json<SetVariables>,
) -> Result<Answer<VariablesSet>, ServerError> {
    let id = execution_id(&id)?;
    let variables = request.variables.into_map();
    if variables.is_empty() || variables.len() > MOST {
        return Err(ServerError::invalid(format!("`variables` holds 1 to {MOST} names with values")));
    }
    let count = variables.len();
    let source = request.source_step.unwrap_or_else(|| "api".to_owned());
    services.orchestrator.set_vars(id, variables, source).await?;
    Ok(Answer(VariablesSet {
        status: "ok".to_owned(),
        execution_id: id,
        variables_set: count,
        count,
        message: format!("{} set", show::count(count, "variable")),
    }))
}

/// Sets one variable to null: the log keeps what it was.
#[utoipa::path(delete, path = "/api/vars/{execution_id}/{name}", tag = "variables",
    params(("execution_id" = String, Path), ("name" = String, Path)),
    responses((status = 200, body = Done), (status = 404, body = ErrorBody)))]
pub(super) async fn remove(
    State(services): State<Services>,
    Segments((id, name)): Segments<(String, String)>,
) -> Result<Answer<Done>, ServerError> {
    let id = execution_id(&id)?;
    let snapshot = services.orchestrator.snapshot(id).await?;
    if !snapshot.execution.ctx.contains_key(&name) {
        return Err(unknown(id, &name));
    }
    let message = format!("{name} is set to null");
    clear(&services, id, [name]).await?;
    Ok(Answer(Done::new(message)))
}

/// Sets every variable to null.
#[utoipa::path(delete, path = "/api/vars/{execution_id}", tag = "variables", params(("execution_id" = String, Path)),
    responses((status = 200, body = Done), (status = 404, body = ErrorBody)))]
pub(super) async fn remove_all(
    State(services): State<Services>,
    Segments(id): Segments<String>,
) -> Result<Answer<Done>, ServerError> {
    let id = execution_id(&id)?;
    let snapshot = services.orchestrator.snapshot(id).await?;
    let names: Vec<String> = snapshot.execution.ctx.keys().cloned().collect();
    let message = format!("{} set to null", show::count(names.len(), "variable"));
    if !names.is_empty() {
        clear(&services, id, names).await?;
    }
    Ok(Answer(Done::new(message)))
}

async fn clear(
    services: &Services,
    id: ExecutionId,
    names: impl IntoIterator<Item = String>,
) -> Result<(), ServerError> {
    let nulls: Map = names.into_iter().map(|name| (name, Value::Null)).collect();
    services.orchestrator.set_vars(id, nulls, "api".to_owned()).await
}
