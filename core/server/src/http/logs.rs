//! What the tools of an Execution printed: a page, or as it comes.

use std::collections::VecDeque;
use std::time::Duration;

use axum::Json as Answer;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::Event;
use axum::response::{IntoResponse, Response};
use futures::Stream;
use noetl_api::error::ErrorBody;
use noetl_api::log::{LogBody, LogFilter, LogPage};
use noetl_domain::id::ExecutionId;

use super::request::{Params, Segments, execution_id, limit};
use super::{Services, feed, show};
use crate::error::ServerError;
use crate::store::{EventStore, LogQuery, Logged, StoreError};

const USUAL: usize = 1000;
const MOST: usize = 10_000;
/// Lines are not part of the log and have no feed of their own; a follower looks for new ones so often.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// What tools printed, oldest first. With `follow` it goes on by server-sent events until the Execution ends.
#[utoipa::path(get, path = "/api/executions/{execution_id}/logs", tag = "executions",
    params(("execution_id" = String, Path), LogFilter),
    responses((status = 200, body = LogPage), (status = 404, body = ErrorBody)))]
pub(super) async fn logs(
    State(services): State<Services>,
    Segments(id): Segments<String>,
    headers: HeaderMap,
    Params(filter): Params<LogFilter>,
) -> Result<Response, ServerError> {
    let id = execution_id(&id)?;
    let row = services.known(id).await?;
    let query = LogQuery {
        step: filter.step.clone(),
        stream: filter.stream.clone(),
        after: feed::position(&headers, None)?.or(filter.after).unwrap_or(0),
        limit: Some(limit(filter.limit, USUAL, MOST)),
        ..LogQuery::of(id)
    };
    if filter.follow {
        return Ok(feed::sse(&services, follow(services.clone(), id, query)).into_response());
    }
    let wanted = query.limit.unwrap_or(USUAL);
    let lines = services.store.logs(LogQuery { limit: Some(wanted + 1), ..query }).await?;
    let more = lines.len() > wanted;
    let lines: Vec<LogBody> = lines.into_iter().take(wanted).map(show_line).collect();
    let next_after = lines.last().filter(|_| more).map(|line| line.id);
    let page = LogPage { execution_id: id, status: row.status.as_str().to_owned(), lines, next_after };
    Ok(Answer(page).into_response())
}

fn show_line(logged: Logged) -> LogBody {
    let line = logged.line;
    LogBody {
        id: logged.id,
        execution_id: line.execution,
        step: line.step,
        run: line.run,
        index: line.index,
        created_at: show::time(line.at_ms),
        stream: line.stream,
        level: line.level,
        text: line.text,
        fields: line.fields,
    }
}

struct Following {
    services: Services,
    id: ExecutionId,
    query: LogQuery,
    ready: VecDeque<Logged>,
    /// The final state, once it was seen before a look that found nothing more.
    ended: Option<&'static str>,
    told: bool,
}

fn follow(
    services: Services,
    id: ExecutionId,
    query: LogQuery,
) -> impl Stream<Item = Event> + Send + 'static {
    let following = Following { services, id, query, ready: VecDeque::new(), ended: None, told: false };
    futures::stream::unfold(following, async |mut following| {
        let event = match following.next().await {
            Ok(event) => event?,
            Err(error) => {
                // The reader connects again and goes on after the last line it saw.
                tracing::warn!(%error, "the log lines of a reader broke off");
                return None;
            }
        };
        Some((event, following))
    })
}

impl Following {
    async fn next(&mut self) -> Result<Option<Event>, StoreError> {
        loop {
            if let Some(line) = self.ready.pop_front() {
                return Ok(Some(feed::message(line.id, "log", &show_line(line))));
            }
            if self.told {
                return Ok(None);
            }
            // The state is read first: lines written before the end are then in the look that follows.
            let row = self.services.store.summary(self.id).await?;
            let ended =
                row.map_or(Some("CANCELLED"), |row| row.status.is_final().then(|| row.status.as_str()));
            let lines = self.services.store.logs(self.query.clone()).await?;
            if let Some(last) = lines.last() {
                self.query.after = last.id;
                self.ready.extend(lines);
                continue;
            }
            match ended {
                // The last lines may still be on their way when the end is committed: look once more.
                Some(_) if self.ended.is_none() => {
                    self.ended = ended;
                    tokio::time::sleep(LOOK_EVERY).await;
                }
                Some(status) => {
                    self.told = true;
                    return Ok(Some(feed::end(self.id, status)));
                }
                None => {
                    self.ended = None;
                    tokio::time::sleep(LOOK_EVERY).await;
                }
            }
        }
    }
}
