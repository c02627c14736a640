//! One file per command. Each has the options of its verb and a `run` that does it.

pub(crate) mod anomalies;
pub(crate) mod bottlenecks;
pub(crate) mod cancel;
pub(crate) mod catalog;
pub(crate) mod chat;
pub(crate) mod cleanup;
pub(crate) mod cluster;
pub(crate) mod clusters;
pub(crate) mod compare;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod convert;
pub(crate) mod credential;
pub(crate) mod db;
pub(crate) mod events;
pub(crate) mod execute;
pub(crate) mod executions;
pub(crate) mod explain;
pub(crate) mod fingerprint;
pub(crate) mod get;
pub(crate) mod insight;
pub(crate) mod knowledge;
pub(crate) mod lint;
pub(crate) mod list;
pub(crate) mod logs;
pub(crate) mod mcp;
pub(crate) mod policy;
pub(crate) mod proposals;
pub(crate) mod register;
pub(crate) mod retry;
pub(crate) mod rollout;
pub(crate) mod run;
pub(crate) mod schedule;
pub(crate) mod search;
pub(crate) mod server;
pub(crate) mod similar;
pub(crate) mod sql;
pub(crate) mod stats;
pub(crate) mod status;
pub(crate) mod tools;
pub(crate) mod up;
pub(crate) mod why;
pub(crate) mod worker;

use crate::cli::Command;
use crate::context::Context;
use crate::exit::Exit;

/// Runs one command to its exit status.
pub(crate) fn dispatch(command: Command, context: &Context) -> anyhow::Result<Exit> {
    match command {
        Command::Run(command) => command.run(context),
        Command::Up(command) => command.run(context),
        Command::Lint(command) => command.run(context),
        Command::Convert(command) => command.run(context),
        Command::Explain(command) => command.run(context),
        Command::Fingerprint(command) => command.run(context),
        Command::Register(command) => command.run(context),
        Command::Catalog(command) => command.run(context),
        Command::Execute(command) => command.run(context),
        Command::Executions(command) => command.run(context),
        Command::Status(command) => command.run(context),
        Command::Events(command) => command.run(context),
        Command::Logs(command) => command.run(context),
        Command::Why(command) => command.run(context),
        Command::Proposals(command) => command.run(context),
        Command::Rollout(command) => command.run(context),
        Command::Policy(command) => command.run(context),
        Command::Chat(command) => command.run(context),
        Command::Mcp(command) => command.run(context),
        Command::Cancel(command) => command.run(context),
        Command::Retry(command) => command.run(context),
        Command::Search(command) => command.run(context),
        Command::Knowledge(command) => command.run(context),
        Command::Similar(command) => command.run(context),
        Command::Clusters(command) => command.run(context),
        Command::Anomalies(command) => command.run(context),
        Command::Stats(command) => command.run(context),
        Command::Bottlenecks(command) => command.run(context),
        Command::Compare(command) => command.run(context),
        Command::Sql(command) => command.run(context),
        Command::Cluster(command) => command.run(context),
        Command::Credential(command) => command.run(context),
        Command::Schedule(command) => command.run(context),
        Command::Tools(command) => command.run(context),
        Command::Db(command) => command.run(context),
        Command::Cleanup(command) => command.run(context),
        Command::Server(command) => command.run(context),
        Command::Worker(command) => command.run(context),
        Command::Config(command) => command.run(context),
        Command::Completions(command) => command.run(context),
        Command::List(command) => command.run(context),
        Command::Get(command) => command.run(context),
    }
}
