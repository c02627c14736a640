//! The tables of the store: made when it is opened, so these only look.

use axum::Json as Answer;
use axum::extract::State;
use noetl_api::error::ErrorBody;
use noetl_api::health::DatabaseState;

use super::Services;
use crate::error::ServerError;

/// The names that users query (playbooks.md 19.3).
const WANTED: [&str; 11] = [
    "event",
    "event_log",
    "execution",
    "workload",
    "command",
    "queue",
    "transition",
    "transient",
    "catalog",
    "credential",
    "schedule",
];

/// Makes the tables; they are there as soon as the server runs, so nothing is left to do.
#[utoipa::path(post, path = "/api/db/init", tag = "store",
    responses((status = 200, body = DatabaseState), (status = 500, body = ErrorBody)))]
pub(super) async fn init(State(services): State<Services>) -> Result<Answer<DatabaseState>, ServerError> {
    look(&services).await.map(Answer)
}

/// Says which tables are there and which are missing.
#[utoipa::path(get, path = "/api/db/validate", tag = "store",
    responses((status = 200, body = DatabaseState), (status = 500, body = ErrorBody)))]
pub(super) async fn validate(State(services): State<Services>) -> Result<Answer<DatabaseState>, ServerError> {
    look(&services).await.map(Answer)
}

async fn look(services: &Services) -> Result<DatabaseState, ServerError> {
    let names = super::sql::table_names(services.store.file()).await?;
    let missing: Vec<String> = WANTED
        .iter()
        .filter(|name| !names.iter().any(|found| found == *name))
        .map(ToString::to_string)
        .collect();
    let valid = missing.is_empty();
    Ok(DatabaseState {
        status: if valid { "ok" } else { "error" }.to_owned(),
        message: if valid {
            format!("{} has every table", services.store.file().display())
        } else {
            format!("{} lacks {}", services.store.file().display(), missing.join(", "))
        },
        valid,
        tables: names,
        missing,
    })
}
