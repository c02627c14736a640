//! Renders a template against the state of an Execution: for trying one out.

use std::sync::Arc;

use axum::Json as Answer;
use axum::extract::State;
use noetl_api::error::ErrorBody;
use noetl_api::render::{RenderRequest, Rendered};
use noetl_domain::command::ScopeData;
use noetl_domain::execution::Execution;
use noetl_domain::template::{self, Ambient, Scope, TemplateError};
use noetl_domain::{Map, Value};

use super::request::{Json, execution_id};
use super::{Services, show};
use crate::error::ServerError;

/// Large results that one request may pull in, one round after the other.
const ROUNDS: usize = 32;

/// Renders any JSON whose strings are templates. Strict unless told otherwise: a name that nothing provides is an error.
#[utoipa::path(post, path = "/api/context/render", tag = "templates", request_body = RenderRequest,
    responses((status = 200, body = Rendered), (status = 404, body = ErrorBody), (status = 422, body = ErrorBody)))]
pub(super) async fn render(
    State(services): State<Services>,
    Json(request): Json<RenderRequest>,
) -> Result<Answer<Rendered>, ServerError> {
    let now_ms = show::now_ms();
    let mut scope = Scope::new(Ambient { now_ms, seed: now_ms as u64 });
    let mut context_keys = Vec::new();
    if let Some(id) = request.execution_id {
        let snapshot = services.orchestrator.snapshot(execution_id(&id.to_string())?).await?;
        let data = scope_of(&snapshot.execution);
        context_keys.extend(["workload", "ctx", "steps"].map(str::to_owned));
        context_keys.extend(data.workload.keys().chain(data.ctx.keys()).chain(data.steps.keys()).cloned());
        context_keys.extend(data.system.keys().cloned());
        template::bind_shared(&mut scope, Arc::new(data), Arc::new(Map::new()));
    }
    for (name, value) in &request.extra_context {
        scope.bind_json(name, value);
    }
    context_keys.extend(request.extra_context.keys().cloned());
    context_keys.sort_unstable();
    context_keys.dedup();
    let rendered = loaded(&services, &scope, request.template).await?;
    let undefined = scope.undefined();
    if request.strict && !undefined.is_empty() {
        return Err(ServerError::new(
            noetl_domain::code::Code::UnknownName,
            format!("nothing provides {}", undefined.join(", ")),
        )
        .hint("send \"strict\": false to render them as null"));
    }
    Ok(Answer(Rendered { status: "ok".to_owned(), rendered: show::masked(rendered), context_keys }))
}

fn scope_of(execution: &Execution) -> ScopeData {
    let results = execution.steps.iter().filter_map(|(name, state)| {
        let result = state.result.as_ref()?;
        Some((name.clone(), Arc::clone(result)))
    });
    ScopeData {
        workload: Arc::clone(&execution.workload),
        ctx: execution.ctx.clone(),
        steps: results.collect(),
        system: Arc::clone(&execution.system),
    }
}

/// Renders again with the large results that the last try missed, until it misses none.
async fn loaded(services: &Services, scope: &Scope, template: Value) -> Result<Value, ServerError> {
    let template = Arc::new(template);
    for _ in 0..ROUNDS {
        let (template, inner) = (Arc::clone(&template), scope.clone());
        // A template may burn its whole fuel: not on the threads that answer requests.
        let rendered = tokio::task::spawn_blocking(move || template::render(&template, &inner))
            .await
            .map_err(|error| ServerError::internal("rendering broke off").because(error))?;
        let missing = scope.missing();
        if missing.is_empty() {
            return rendered.map_err(|error| refused(&error));
        }
        for reference in missing {
            let value = services.results.get(&reference).await?;
            scope.provide(&reference, value);
        }
    }
    Err(ServerError::invalid("the template reads too many large results"))
}

fn refused(error: &TemplateError) -> ServerError {
    ServerError::new(error.code, error.to_string()).hint(format!("noetl explain {}", error.code))
}
