//! Questions over the analytic tables.

use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Query, State};
use axum::http::StatusCode;
use chrono::{DateTime, Duration, Utc};
use noetl_api::error::ErrorBody;
use noetl_api::insight::{
    Anomalies, Bottlenecks, Cluster, Comparison, InsightFilter, LayerStatus, SqlAnswer, SqlQuestion, Stats,
};
use noetl_domain::code::Code;
use noetl_domain::dialect;
use serde::Deserialize;
use utoipa::IntoParams;

use super::Services;
use super::error::Refusal;
use crate::insights::{self, Definitions, Since};

pub(super) type Asked<T> = Result<Query<T>, QueryRejection>;

const USUAL: u64 = 50;
const MOST: u64 = 1_000;

/// How the semantic layer is doing.
#[utoipa::path(get, path = "/api/insights/status", tag = "insights", responses((status = 200, body = LayerStatus)))]
pub(super) async fn status(State(services): State<Services>) -> Json<LayerStatus> {
    Json(insights::status(&services.semantic).await)
}

/// Durations, failure rates, retries that helped and cost of a playbook and its steps.
#[utoipa::path(
    get,
    path = "/api/insights/stats",
    tag = "insights",
    params(InsightFilter),
    responses((status = 200, body = Stats), (status = "default", body = ErrorBody))
)]
pub(super) async fn stats(
    State(services): State<Services>,
    filter: Asked<InsightFilter>,
) -> Result<Json<Stats>, Refusal> {
    let filter = read(filter)?;
    let playbook = required(filter.playbook.as_deref())?;
    let since = stretch(filter.since.as_deref(), filter.until.as_deref(), Duration::days(30))?;
    let analytics = services.semantic.analytics()?;
    Ok(Json(insights::stats(&analytics, playbook, filter.step.as_deref(), since).await?))
}

/// Failures that say the same thing, most frequent first.
#[utoipa::path(
    get,
    path = "/api/insights/clusters",
    tag = "insights",
    params(InsightFilter),
    responses((status = 200, body = [Cluster]), (status = "default", body = ErrorBody))
)]
pub(super) async fn clusters(
    State(services): State<Services>,
    filter: Asked<InsightFilter>,
) -> Result<Json<Vec<Cluster>>, Refusal> {
    let filter = read(filter)?;
    let since = stretch(filter.since.as_deref(), filter.until.as_deref(), Duration::days(7))?;
    let analytics = services.semantic.analytics()?;
    let limit = limit(filter.limit);
    Ok(Json(insights::clusters(&analytics, filter.playbook.as_deref(), since, limit).await?))
}

/// Steps that are not as they used to be.
#[utoipa::path(
    get,
    path = "/api/insights/anomalies",
    tag = "insights",
    params(InsightFilter),
    responses((status = 200, body = Anomalies), (status = "default", body = ErrorBody))
)]
pub(super) async fn anomalies(
    State(services): State<Services>,
    filter: Asked<InsightFilter>,
) -> Result<Json<Anomalies>, Refusal> {
    let filter = read(filter)?;
    let since = stretch(filter.since.as_deref(), filter.until.as_deref(), Duration::days(1))?;
    let analytics = services.semantic.analytics()?;
    let (playbook, step) = (filter.playbook.as_deref(), filter.step.as_deref());
    Ok(Json(insights::anomalies(&analytics, playbook, step, since, limit(filter.limit)).await?))
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub(super) struct BottlenecksFilter {
    since: Option<String>,
    until: Option<String>,
    playbook: Option<String>,
    /// Milliseconds an execution may take; none: the playbook's own timeout.
    deadline_ms: Option<f64>,
}

/// Where the time of a playbook goes, and when it meets its deadline.
#[utoipa::path(
    get,
    path = "/api/insights/bottlenecks",
    tag = "insights",
    params(BottlenecksFilter),
    responses((status = 200, body = Bottlenecks), (status = "default", body = ErrorBody))
)]
pub(super) async fn bottlenecks(
    State(services): State<Services>,
    filter: Asked<BottlenecksFilter>,
) -> Result<Json<Bottlenecks>, Refusal> {
    let filter = read(filter)?;
    let playbook = required(filter.playbook.as_deref())?;
    let since = stretch(filter.since.as_deref(), filter.until.as_deref(), Duration::days(30))?;
    let analytics = services.semantic.analytics()?;
    let deadline = match filter.deadline_ms {
        Some(deadline) => Some(deadline),
        None => own_deadline(&services, playbook).await,
    };
    Ok(Json(insights::bottlenecks(&analytics, playbook, since, deadline).await?))
}

/// The timeout that the newest version of a playbook gives itself.
async fn own_deadline(services: &Services, playbook: &str) -> Option<f64> {
    // Versions count from 1; 0 asks for the newest.
    let definition = (services.definition)(playbook.to_owned(), 0).await?;
    Some(dialect::read(&definition.content).playbook?.timeout_seconds? * 1000.0)
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub(super) struct Two {
    /// Id of the first execution.
    a: String,
    /// Id of the second execution.
    b: String,
}

/// Two executions side by side.
#[utoipa::path(
    get,
    path = "/api/insights/compare",
    tag = "insights",
    params(Two),
    responses((status = 200, body = Comparison), (status = "default", body = ErrorBody))
)]
pub(super) async fn compare(
    State(services): State<Services>,
    two: Asked<Two>,
) -> Result<Json<Comparison>, Refusal> {
    let two = read(two)?;
    let (a, b) = (execution(&two.a)?, execution(&two.b)?);
    let analytics = services.semantic.analytics()?;
    let known = insights::known(&analytics, a, b).await?.map_err(|id| {
        Refusal::new(StatusCode::NOT_FOUND, Code::UnknownExecution, format!("execution {id} is not indexed"))
            .hint("it may be too new or too old: noetl cluster status, noetl executions")
    })?;
    let [(path_a, version_a), (path_b, version_b)] =
        known.versions().map(|(path, version)| (path.to_owned(), version));
    let text = async |path: String, version| {
        (services.definition)(path, version).await.map(|definition| definition.content)
    };
    let definitions = Definitions { a: text(path_a, version_a).await, b: text(path_b, version_b).await };
    Ok(Json(insights::compare(&analytics, known, definitions).await?))
}

/// A query over the analytic tables: it may read, within limits.
#[utoipa::path(
    post,
    path = "/api/insights/sql",
    tag = "insights",
    request_body = SqlQuestion,
    responses((status = 200, body = SqlAnswer), (status = "default", body = ErrorBody))
)]
pub(super) async fn sql(
    State(services): State<Services>,
    question: Result<Json<SqlQuestion>, JsonRejection>,
) -> Result<Json<SqlAnswer>, Refusal> {
    let Json(question) = question.map_err(|rejection| Refusal::invalid(rejection.body_text()))?;
    if question.query.trim().is_empty() {
        return Err(Refusal::invalid("the query is empty")
            .hint("such as SELECT count() FROM observability.noetl_events"));
    }
    let analytics = services.semantic.analytics()?;
    Ok(Json(insights::sql(&analytics, &question).await?))
}

pub(super) fn read<T>(asked: Asked<T>) -> Result<T, Refusal> {
    asked
        .map(|Query(value)| value)
        .map_err(|rejection: QueryRejection| Refusal::invalid(rejection.body_text()))
}

fn required(playbook: Option<&str>) -> Result<&str, Refusal> {
    playbook.filter(|path| !path.is_empty()).ok_or_else(|| {
        Refusal::invalid("name a playbook: ?playbook=PATH")
            .hint("noetl catalog list playbook shows their paths")
    })
}

pub(super) fn limit(asked: Option<u64>) -> u64 {
    asked.unwrap_or(USUAL).clamp(1, MOST)
}

pub(super) fn execution(text: &str) -> Result<u64, Refusal> {
    text.trim().parse().map_err(|_| {
        Refusal::invalid(format!("{text:?} is no id of an execution: decimal digits expected"))
            .hint("noetl executions lists them")
    })
}

/// A stretch that ends now.
pub(super) fn since(text: Option<&str>, usual: Duration) -> Result<Since, Refusal> {
    stretch(text, None, usual)
}

/// A stretch between two moments: `30m`, `24h`, `7d`, `4w` ago, or written in RFC 3339.
fn stretch(since: Option<&str>, until: Option<&str>, usual: Duration) -> Result<Since, Refusal> {
    let present = Utc::now();
    let now = read_moment("until", until, present)?.unwrap_or(present).min(present);
    let from = read_moment("since", since, present)?.unwrap_or(now - usual);
    match (from, until) {
        (from, _) if from <= now => Ok(Since { from, now }),
        (_, None) => Err(Refusal::invalid(format!("since {} is in the future", since.unwrap_or_default()))),
        (_, Some(until)) => {
            Err(Refusal::invalid(format!("since {} is after until {until}", since.unwrap_or_default())))
        }
    }
}

fn read_moment(
    name: &str,
    text: Option<&str>,
    present: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>, Refusal> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else { return Ok(None) };
    let read = back(text).map_or_else(
        || DateTime::parse_from_rfc3339(text).ok().map(|at| at.with_timezone(&Utc)),
        |length| present.checked_sub_signed(length),
    );
    read.map(Some).ok_or_else(|| {
        Refusal::invalid(format!("{name} {text:?} cannot be read"))
            .hint("such as 30m, 24h, 7d, 4w, or 2026-11-01T00:00:00Z")
    })
}

fn back(text: &str) -> Option<Duration> {
    let at = text.find(|c: char| !c.is_ascii_digit())?;
    let count: i64 = text[..at].parse().ok()?;
    match &text[at..] {
        "m" | "min" => Duration::try_minutes(count),
        "h" => Duration::try_hours(count),
        "d" => Duration::try_days(count),
        "w" => Duration::try_weeks(count),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretch_may_end_before_now() {
        let week = stretch(Some("14d"), Some("7d"), Duration::days(1)).unwrap();
        assert_eq!((week.now - week.from).num_hours(), 168);
        let day = stretch(None, Some("7d"), Duration::days(1)).unwrap();
        assert_eq!((day.now - day.from).num_hours(), 24);
        assert!(stretch(Some("7d"), Some("14d"), Duration::days(1)).is_err());
        assert!(stretch(None, Some("soon"), Duration::days(1)).is_err());
    }

    #[test]
    fn stretches_are_read_as_people_write_them() {
        for (text, hours) in [("90m", 1), ("24h", 24), ("7d", 168), ("4w", 672)] {
            let since = since(Some(text), Duration::days(1)).unwrap();
            assert_eq!((since.now - since.from).num_hours(), hours, "{text}");
        }
        let moment = since(Some("2020-01-01T00:00:00Z"), Duration::days(1)).unwrap();
        assert_eq!(moment.from.timestamp(), 1_577_836_800);
        for wrong in ["7x", "yesterday", "d", "-3d", "99999999999999999999d", "2999-01-01T00:00:00Z"] {
            assert!(since(Some(wrong), Duration::days(1)).is_err(), "{wrong}");
        }
    }
}
