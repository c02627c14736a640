//! Waiting for an execution to end while somebody looks at it.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use futures::StreamExt as _;
use noetl_api::client::{Client, ClientError};
use noetl_api::event::FeedQuery;
use noetl_api::execution::ExecutionStatus;
use noetl_api::log::LogFilter;
use noetl_domain::id::ExecutionId;
use noetl_server::store::DataLock;
use tokio::signal::unix::{SignalKind, signal};

use crate::connect::{Connection, Need, connect};
use crate::context::Context;
use crate::live::View;

/// How often the picture is renewed. The end is not polled for: the feed tells it.
const FRAME: Duration = Duration::from_millis(100);

enum Ended {
    Execution,
    /// The process that ran the execution has left.
    Server,
}

/// Follows an execution to its end; Ctrl-C cancels it.
///
/// When another process decides over our data directory and leaves, this one takes over: the execution goes on.
pub(crate) async fn until_end(
    context: &Context,
    mut connection: Connection,
    id: ExecutionId,
    view: &mut View,
) -> anyhow::Result<(Connection, ExecutionStatus)> {
    let mut seen = None;
    loop {
        match follow(context, &connection, id, view, &mut seen).await? {
            Ended::Execution => match connection.client.status(id).await {
                Ok(status) if status.status != "RUNNING" => {
                    view.finish(&status);
                    return Ok((connection, status));
                }
                // A server that leaves ends its feeds too.
                Ok(_) => {}
                Err(ClientError::Unreachable { .. }) if connection.shared => {}
                Err(error) => {
                    return Err(error).with_context(|| format!("cannot read execution {id}"));
                }
            },
            Ended::Server => {}
        }
        // A breath, in case the server is only just leaving.
        tokio::time::sleep(FRAME).await;
        if connection.shared {
            connection = connect(context, Need::Resume).await?;
        }
    }
}

async fn follow(
    context: &Context,
    connection: &Connection,
    id: ExecutionId,
    view: &mut View,
    seen: &mut Option<u64>,
) -> anyhow::Result<Ended> {
    let client: &Client = &connection.client;
    // The feed of one execution ends with it; a type that comes once keeps the wait small.
    let mut feed = std::pin::pin!(client.follow(&FeedQuery {
        execution_id: Some(id.to_string()),
        after: Some("0".to_owned()),
        event_type: Some("playbook.completed".to_owned()),
    }));
    let mut lines = match view.lines() {
        Some(filter) => client.follow_logs(id, &LogFilter { after: *seen, ..filter }),
        None => futures::stream::empty().boxed(),
    }
    .fuse();
    // One listener for the whole time: a Ctrl-C that comes while something else is handled must not be lost.
    let mut pressed = signal(SignalKind::interrupt()).context("cannot listen for Ctrl-C")?;
    let mut interrupts = 0;
    let mut pause = FRAME;
    loop {
        tokio::select! {
            biased;
            message = feed.next() => match message {
                Some(Ok(_)) => {}
                Some(Err(ClientError::Unreachable { .. })) if connection.shared => return Ok(Ended::Server),
                Some(Err(error)) => return Err(error).with_context(|| format!("cannot follow execution {id}")),
                None => {
                    // What tools printed last is still on its way; they end with the execution, too.
                    while view.shows_tools()
                        && let Some(Ok(line)) = lines.next().await
                    {
                        view.line(&line);
                    }
                    return Ok(Ended::Execution);
                }
            },
            // A lost connection only costs lines.
            Some(Ok(line)) = lines.next() => {
                *seen = Some(line.id);
                view.line(&line);
            }
            _ = pressed.recv() => {
                interrupts += 1;
                if interrupts > 1 {
                    std::process::exit(3);
                }
                view.say("cancelling; press Ctrl-C again to leave at once");
                // An execution that ended in the meantime has nothing left to cancel.
                let _ = client.cancel(id, Some("interrupted from the terminal".to_owned()), true).await;
            }
            () = tokio::time::sleep(pause) => {
                let asked = Instant::now();
                if let Ok(status) = client.status(id).await {
                    view.show(&status);
                } else if connection.shared && DataLock::holder(&context.config.store.data_dir).is_none() {
                    return Ok(Ended::Server);
                }
                // A picture that costs much is renewed less often.
                pause = FRAME.max(asked.elapsed() * 10);
            }
        }
    }
}
