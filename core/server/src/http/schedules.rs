//! Schedules: when a Playbook starts by itself.

use axum::Json as Answer;
use axum::extract::State;
use noetl_api::error::ErrorBody;
use noetl_api::health::Done;
use noetl_api::schedule::{ScheduleBody, ScheduleList, ScheduleRequest};
use noetl_domain::code::Code;
use noetl_domain::playbook::{CatchUp, ScheduleSpec, ScheduleWhen};

use super::request::{Json, Segments};
use super::{Services, show};
use crate::error::ServerError;
use crate::orchestrator::Which;
use crate::schedule::Schedule;

/// Every schedule, those that playbooks declare included.
#[utoipa::path(get, path = "/api/schedules", tag = "schedules", responses((status = 200, body = ScheduleList)))]
pub(super) async fn list(State(services): State<Services>) -> Result<Answer<ScheduleList>, ServerError> {
    let schedules = services.schedules.list(None).await?;
    Ok(Answer(ScheduleList { items: schedules.into_iter().map(body).collect() }))
}

/// Adds a schedule for a registered Playbook.
#[utoipa::path(post, path = "/api/schedules", tag = "schedules", request_body = ScheduleRequest,
    responses((status = 200, body = ScheduleBody), (status = 404, body = ErrorBody), (status = 422, body = ErrorBody)))]
pub(super) async fn add(
    State(services): State<Services>,
    Json(request): Json<ScheduleRequest>,
) -> Result<Answer<ScheduleBody>, ServerError> {
    if request.path.trim().is_empty() {
        return Err(ServerError::invalid("the schedule names no `path`"));
    }
    let when = match (request.cron, request.interval_seconds) {
        (Some(cron), None) => ScheduleWhen::Cron(cron),
        (None, Some(seconds)) => ScheduleWhen::IntervalSeconds(seconds),
        (Some(_), Some(_)) | (None, None) => {
            return Err(ServerError::new(
                Code::InvalidSchedule,
                "one of `cron` and `interval_seconds` is needed",
            )
            .hint("noetl schedule add PATH --cron \"0 6 * * *\""));
        }
    };
    // A schedule for nothing would only fail later, unseen.
    services.catalog.plan_of(&Which::Path(request.path.clone(), request.version)).await?;
    let spec = ScheduleSpec {
        when,
        payload: request.payload,
        timezone: request.timezone,
        catch_up: request.catch_up.as_deref().map_or(Ok(CatchUp::default()), catch_up_named)?,
        enabled: request.enabled.unwrap_or(true),
    };
    let schedule = services.schedules.add(&request.path, request.version, spec, show::now_ms()).await?;
    Ok(Answer(body(schedule)))
}

fn catch_up_named(text: &str) -> Result<CatchUp, ServerError> {
    match text.trim().to_ascii_lowercase().as_str() {
        "skip" | "none" | "" => Ok(CatchUp::Skip),
        "latest" | "last" => Ok(CatchUp::Latest),
        "all" => Ok(CatchUp::All),
        _ => Err(ServerError::new(Code::InvalidSchedule, "`catch_up` is skip, latest or all")),
    }
}

/// Forgets a schedule.
#[utoipa::path(delete, path = "/api/schedules/{id}", tag = "schedules", params(("id" = String, Path)),
    responses((status = 200, body = Done), (status = 404, body = ErrorBody)))]
pub(super) async fn remove(
    State(services): State<Services>,
    Segments(id): Segments<String>,
) -> Result<Answer<Done>, ServerError> {
    services.schedules.remove(schedule_id(&id)?).await?;
    Ok(Answer(Done::new(format!("schedule {id} is removed"))))
}

/// Stops firing until it is resumed.
#[utoipa::path(post, path = "/api/schedules/{id}/pause", tag = "schedules", params(("id" = String, Path)),
    responses((status = 200, body = ScheduleBody), (status = 404, body = ErrorBody)))]
pub(super) async fn pause(
    State(services): State<Services>,
    Segments(id): Segments<String>,
) -> Result<Answer<ScheduleBody>, ServerError> {
    Ok(Answer(body(services.schedules.pause(schedule_id(&id)?).await?)))
}

/// Fires again from now on.
#[utoipa::path(post, path = "/api/schedules/{id}/resume", tag = "schedules", params(("id" = String, Path)),
    responses((status = 200, body = ScheduleBody), (status = 404, body = ErrorBody)))]
pub(super) async fn resume(
    State(services): State<Services>,
    Segments(id): Segments<String>,
) -> Result<Answer<ScheduleBody>, ServerError> {
    Ok(Answer(body(services.schedules.resume(schedule_id(&id)?, show::now_ms()).await?)))
}

fn schedule_id(text: &str) -> Result<u64, ServerError> {
    match text.trim().parse::<u64>() {
        Ok(id) if i64::try_from(id).is_ok() => Ok(id),
        _ => Err(ServerError::invalid("the id of a schedule is decimal digits").hint("noetl schedule list")),
    }
}

fn body(schedule: Schedule) -> ScheduleBody {
    let (cron, interval_seconds) = match schedule.when {
        ScheduleWhen::Cron(cron) => (Some(cron), None),
        ScheduleWhen::IntervalSeconds(seconds) => (None, Some(seconds)),
    };
    ScheduleBody {
        id: schedule.id.to_string(),
        path: schedule.path,
        version: schedule.version,
        cron,
        interval_seconds,
        timezone: schedule.timezone,
        payload: schedule.payload,
        catch_up: match schedule.catch_up {
            CatchUp::Skip => "skip",
            CatchUp::Latest => "latest",
            CatchUp::All => "all",
        }
        .to_owned(),
        enabled: schedule.enabled,
        source: schedule.source.as_str().to_owned(),
        next_at: schedule.next_due_ms.filter(|_| schedule.enabled).map(show::time),
        last_at: schedule.last_due_ms.map(show::time),
        last_execution_id: schedule.last_execution.map(|id| id.to_string()),
    }
}
