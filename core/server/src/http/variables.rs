//! Variables of an Execution (`ctx`), read and written from outside the flow.

use std::collections::{BTreeMap, HashMap};

use axum::Json as Answer;
use axum::extract::State;
use noetl_api::error::ErrorBody;
use noetl_api::health::Done;
use noetl_api::variable::{SetVariables, VariableBody, VariableList, VariablesSet};
use noetl_domain::event::{Event, Recorded};
use noetl_domain::id::ExecutionId;
use noetl_domain::{Map, Value};

use super::request::{Json, Segments, execution_id};
use super::{Services, show};
use crate::error::ServerError;
use crate::store::EventStore;

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
    let written = if ctx.is_empty() { HashMap::new() } else { written(&services, id).await? };
    let variables: BTreeMap<_, _> =
        ctx.iter().map(|(name, value)| (name.clone(), body(name, value, &written))).collect();
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
        Some(value) => Ok(Answer(body(&name, value, &written(&services, id).await?))),
        None => Err(unknown(id, &name)),
    }
}

/// Who wrote a variable last, and when.
struct Written {
    source: String,
    kind: &'static str,
    at_ms: i64,
}

/// The last writer of every variable, from the log.
async fn written(services: &Services, id: ExecutionId) -> Result<HashMap<String, Written>, ServerError> {
    let mut written = HashMap::new();
    for Recorded { at_ms, event, .. } in services.store.load(id, 0).await? {
        let (maps, source, kind) = match event {
            Event::StepExited(exit) => (vec![exit.ctx], exit.step, "step_result"),
            Event::Called(report) => {
                (report.items.into_iter().map(|item| item.ctx).collect(), report.id.step, "step_result")
            }
            Event::ContextUpdated { ctx, source } => (vec![ctx], source, "user_defined"),
            _ => continue,
        };
        for (name, _) in maps.into_iter().flatten() {
            written.insert(name, Written { source: source.clone(), kind, at_ms });
        }
    }
    Ok(written)
}

fn body(name: &str, value: &Value, written: &HashMap<String, Written>) -> VariableBody {
    let written = written.get(name);
    VariableBody {
        name: name.to_owned(),
        value: masked_variable(name, value),
        kind: written.map_or("user_defined", |written| written.kind).to_owned(),
        source_step: written.map(|written| written.source.clone()),
        created_at: written.map(|written| show::time(written.at_ms)),
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
