//! One request from its headers to the last byte of its answer.
//!
//! The engine's calls block, so each request has a blocking task; what it makes goes through a short channel, which is
//! also how it learns that nobody reads any more.

mod work;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest as _, Multipart, Request, State as FromState};
use axum::http::Method;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use futures::{Stream, StreamExt as _, stream};
use tokio::sync::mpsc;
use tokio_util::io::{StreamReader, SyncIoBridge};
use tokio_util::sync::CancellationToken;

use super::State;
use super::access::Who;
use super::answer::{Begin, Names, began, refused};
use super::encoding::Encoding;
use super::request::{Asked, pairs};
use crate::exception::{Code, Exception};
use crate::session;

/// A client that sends nothing of its data, or reads nothing of its answer, for this long is given up.
pub(crate) const IDLE: Duration = Duration::from_mins(5);

/// How often a query that nobody waits for is ended anew, until it has ended: it may not have begun yet.
const AGAIN: Duration = Duration::from_millis(200);

/// What the blocking task sends.
#[derive(Debug)]
pub(crate) enum Part {
    Begin(Begin),
    Data(Bytes),
    /// Nothing has been sent before.
    Refused(Exception),
    /// The error has been told in the data; the connection breaks, so that nobody takes the answer for a whole one.
    Broken,
}

pub(crate) async fn handle(FromState(state): FromState<Arc<State>>, request: Request) -> Response {
    let tag = format!("{:032x}", rand::random::<u128>());
    let mut names =
        Names { id: tag.clone(), timezone: state.shared.timezone.clone(), mark: tag[..16].to_owned() };
    let pairs = match pairs(request.uri()) {
        Ok(pairs) => pairs,
        Err(error) => return refused(&error, &names, Encoding::Plain),
    };
    if request.method() == Method::GET && pairs.is_empty() {
        return "Ok.\n".into_response();
    }
    let encoding = Encoding::accepted(request.headers(), &pairs);
    let asked = Asked::read(request.method(), request.headers(), pairs, &state.access, tag);
    let answer = match asked {
        Ok(asked) => {
            names.id.clone_from(&asked.id);
            answer(&state, asked, request, &names).await
        }
        Err(error) => Err(error),
    };
    answer.unwrap_or_else(|error| refused(&error, &names, encoding))
}

async fn answer(
    state: &Arc<State>,
    mut asked: Asked,
    request: Request,
    names: &Names,
) -> Result<Response, Exception> {
    let turns = &state.turns[usize::from(asked.who == Who::Reader)];
    let turn = tokio::select! {
        turn = Arc::clone(turns).acquire_owned() => turn.map_err(|_| closing())?,
        () = state.closing.cancelled() => return Err(closing()),
    };
    let body = if is_multipart(&request) {
        form(&mut asked, request).await?;
        Body::empty()
    } else {
        request.into_body()
    };
    let encoding = asked.encoding;
    let (sender, mut parts) = mpsc::channel(4);
    let (ended, may_end) = (CancellationToken::new(), Arc::new(AtomicBool::new(false)));
    state.tasks.spawn(watch(
        Arc::clone(state),
        asked.terms.tag.clone(),
        sender.clone(),
        ended.clone(),
        Arc::clone(&may_end),
    ));
    let body = SyncIoBridge::new(StreamReader::new(Box::pin(data(body, state.ending.clone()))));
    let work = work::Work {
        shared: Arc::clone(&state.shared),
        mark: names.mark.clone(),
        may_end,
        sender,
        ending: state.ending.clone(),
    };
    state.tasks.spawn_blocking(move || {
        let _ended = ended.drop_guard();
        let _turn = turn;
        work.run(asked, body);
    });
    match parts.recv().await {
        Some(Part::Begin(begin)) => Ok(began(&begin, names, encoding, Body::from_stream(bytes(parts)))),
        Some(Part::Refused(error)) => Err(error),
        Some(Part::Data(_) | Part::Broken) | None => Err(Exception::without_answer()),
    }
}

fn closing() -> Exception {
    Exception::new(Code::TooManySimultaneousQueries, "The engine is closing")
}

/// Ends a SELECT that nobody waits for any more, and everything when the front ends.
async fn watch(
    state: Arc<State>,
    tag: String,
    sender: mpsc::Sender<Part>,
    ended: CancellationToken,
    may_end: Arc<AtomicBool>,
) {
    tokio::select! {
        () = ended.cancelled() => return,
        () = state.ending.cancelled() => {}
        () = sender.closed() => {}
    }
    drop(sender);
    loop {
        if may_end.load(Ordering::SeqCst) || state.ending.is_cancelled() {
            let (shared, tag) = (Arc::clone(&state.shared), tag.clone());
            let killed = tokio::task::spawn_blocking(move || session::kill(&shared, &tag)).await;
            if killed.is_err() {
                return;
            }
        }
        tokio::select! {
            () = ended.cancelled() => return,
            () = tokio::time::sleep(AGAIN) => {}
        }
    }
}

fn is_multipart(request: &Request) -> bool {
    let value = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    value.is_some_and(|value| value.starts_with("multipart/form-data"))
}

/// Parameters may come as a form: a URL has less room.
async fn form(asked: &mut Asked, request: Request) -> Result<(), Exception> {
    let unreadable = |error: &dyn std::fmt::Display| {
        Exception::new(Code::BadArguments, format_args!("The form cannot be read: {error}"))
    };
    let mut form = Multipart::from_request(request, &()).await.map_err(|error| unreadable(&error))?;
    while let Some(field) = form.next_field().await.map_err(|error| unreadable(&error.body_text()))? {
        let name = field.name().unwrap_or_default().to_owned();
        let value = field.bytes().await.map_err(|error| unreadable(&error.body_text()))?;
        if name == "query" {
            asked.query.extend_from_slice(&value);
        } else if let Some(parameter) = name.strip_prefix("param_") {
            let value = std::str::from_utf8(&value).map_err(|error| unreadable(&error))?;
            asked.terms.parameters.push((parameter.to_owned(), value.to_owned()));
        } else {
            return Err(Exception::new(
                Code::NotImplemented,
                format_args!(
                    "External tables are not supported: field '{name}' of the form is neither query nor param_"
                ),
            ));
        }
    }
    Ok(())
}

/// The body of a request, broken off when the front ends or the client falls silent.
/// Broken off is an error and never an end: half an INSERT must not look like a whole one.
fn data(body: Body, ending: CancellationToken) -> impl Stream<Item = io::Result<Bytes>> {
    stream::unfold((body.into_data_stream(), ending), |(mut body, ending)| async move {
        let next = tokio::select! {
            biased;
            () = ending.cancelled() => Some(Err(io::Error::new(io::ErrorKind::ConnectionAborted, "the engine is closing"))),
            next = tokio::time::timeout(IDLE, body.next()) => match next {
                Ok(next) => next.map(|bytes| bytes.map_err(|error| io::Error::new(io::ErrorKind::ConnectionReset, error))),
                Err(_) => Some(Err(io::ErrorKind::TimedOut.into())),
            },
        };
        next.map(|next| (next, (body, ending)))
    })
}

fn bytes(parts: mpsc::Receiver<Part>) -> impl Stream<Item = io::Result<Bytes>> {
    stream::unfold(parts, |mut parts| async move {
        match parts.recv().await? {
            Part::Data(bytes) => Some((Ok(bytes), parts)),
            Part::Begin(_) | Part::Refused(_) | Part::Broken => {
                // The connection sends what it holds, the error's text, when its body has nothing for it.
                tokio::task::yield_now().await;
                Some((Err(io::Error::other("the query failed while its result was being sent")), parts))
            }
        }
    })
}
