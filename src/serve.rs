//! A server in the foreground: rooms up, say where, serve until told to stop.

use std::path::PathBuf;

use anyhow::Context as _;
use noetl_api::client::Client;
use noetl_api::execute::ExecuteRequest;
use noetl_server::store::DataLock;
use tokio::signal::unix::{SignalKind, signal};

use crate::commands::register;
use crate::commands::up::Up;
use crate::compose::{self, Rooms};
use crate::connect::Connection;
use crate::context::Context;
use crate::exit::Exit;
use crate::live::{Talk, View};
use crate::playbook_file::{self, PlaybookFile};
use crate::{outcome, program, terminal, watch};

pub(crate) async fn until_stopped(context: &Context, up: &Up) -> anyhow::Result<Exit> {
    // What cannot be registered or run is said before anything starts.
    let register = read(&up.register)?;
    let run = read(up.run.as_slice())?;
    let path = &context.config.store.data_dir;
    let lock = DataLock::acquire(path)?;
    // Listening for signals starts before serving, so that an early Ctrl-C is not lost.
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for Ctrl-C")?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for the signal to stop")?;
    let rooms = compose::server(context, lock).await?;
    let client = Client::new(rooms.address())?;
    for file in register.iter().chain(&run) {
        register::send_if_new(&client, file).await?;
    }
    let mut exit = Exit::Success;
    let mut rooms = rooms;
    if let Some(file) = run.first() {
        (rooms, exit) = demonstrate(context, Connection::to(rooms)?, file).await?;
    }
    if up.once {
        rooms.close().await?;
        return Ok(exit);
    }
    terminal::tell(&banner(context, &rooms, register.len()));
    let reason = tokio::select! {
        _ = interrupt.recv() => "interrupted",
        _ = terminate.recv() => "told to stop",
        failure = rooms.failed() => return Err(failure),
    };
    terminal::tell(&format!(
        "{reason}; letting commands in hand finish (what does not goes on at the next start)"
    ));
    tokio::select! {
        closed = rooms.close() => closed?,
        _ = interrupt.recv() => terminal::tell("left at once"),
    }
    Ok(Exit::Success)
}

fn read(paths: &[PathBuf]) -> anyhow::Result<Vec<PlaybookFile>> {
    let mut files = Vec::new();
    for path in paths {
        files.extend(playbook_file::below(path)?);
    }
    playbook_file::read_all(&files)
}

/// Runs one playbook over the server that was just started, as a user would.
async fn demonstrate(
    context: &Context,
    connection: Connection,
    file: &PlaybookFile,
) -> anyhow::Result<(Rooms, Exit)> {
    terminal::tell(&format!("running {}", file.path.display()));
    let request =
        ExecuteRequest { trigger: Some("cli".to_owned()), ..ExecuteRequest::path(&file.playbook.path) };
    let executed = connection.client.execute(&request).await;
    let id = executed.with_context(|| format!("cannot start {}", file.playbook.path))?.execution_id;
    let mut view = View::choose(context.json, Talk::Steps);
    let (connection, status) = watch::until_end(context, connection, id, &mut view).await?;
    let exit = outcome::print(context, &connection.client, &status).await?;
    let rooms = connection.into_rooms().context("the server that ran the playbook is not ours")?;
    Ok((rooms, exit))
}

fn banner(context: &Context, rooms: &Rooms, registered: usize) -> String {
    let style = terminal::stderr_style();
    let (address, program) = (rooms.address(), program::name());
    let mut out = format!("{} {address}\n", style.success("NoETL is up at"));
    let mut line = |label: &str, text: &str| out.push_str(&format!("  {}  {text}\n", style.dim(label)));
    line("api  ", &format!("{address}/docs"));
    line("data ", &context.config.store.data_dir.display().to_string());
    if registered > 0 {
        line("have ", &format!("{registered} playbooks registered; {program} catalog list"));
        line("next ", &format!("{program} execute playbook examples/parallel_loop --wait"));
    } else {
        line("next ", &format!("{program} run examples/hello.yaml"));
    }
    line("stop ", "Ctrl-C");
    out
}
