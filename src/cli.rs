//! The command line: every verb, its options, and the spellings of older CLIs as hidden aliases.
//!
//! What a command does lives in `commands/<verb>.rs`; this file only lists them.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::commands::{
    anomalies, bottlenecks, cancel, catalog, chat, cleanup, cluster, clusters, compare, completions, config,
    convert, credential, db, events, execute, executions, explain, fingerprint, get, knowledge, lint, list,
    logs, mcp, policy, proposals, register, retry, rollout, run, schedule, search, server, similar, sql,
    stats, status, tools, up, why, worker,
};

#[derive(Debug, Parser)]
#[command(
    name = "noetl",
    version,
    about = "Runs playbooks, durably, with nothing to install.",
    long_about = "Runs playbooks, durably, with nothing to install.\n\n\
                  `noetl run FILE` runs one playbook here and now.\n\
                  `noetl up` starts the server and a worker in one process on 127.0.0.1:8082.",
    disable_help_subcommand = true,
    arg_required_else_help = true,
    max_term_width = 110
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options that every command understands.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Host of the server (`up`, `server start`: address to listen on)
    #[arg(long, global = true, value_name = "HOST")]
    pub(crate) host: Option<String>,
    /// Port of the server (`up`, `server start`: port to listen on)
    #[arg(long, short = 'p', global = true, value_name = "PORT")]
    pub(crate) port: Option<u16>,
    /// Address of the server, instead of host and port
    #[arg(long, global = true, value_name = "URL", alias = "endpoint", conflicts_with_all = ["host", "port"])]
    pub(crate) server_url: Option<String>,
    /// Directory that holds the embedded store [default: $NOETL_DATA_DIR, else ~/.noetl]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Configuration file [default: noetl.toml in the current directory, if there is one]
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true)]
    pub(crate) config: Option<PathBuf>,
    /// Print one JSON document instead of text
    #[arg(long, short = 'j', global = true)]
    pub(crate) json: bool,
    /// When to use colours: auto, always, never
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        hide_short_help = true,
        hide_possible_values = true
    )]
    pub(crate) color: Color,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a playbook to its end and print its result
    #[command(alias = "exec")]
    Run(run::Run),
    /// Start the server and a worker in one process
    Up(up::Up),
    /// Check playbooks and print everything that is wrong with them
    Lint(lint::Lint),
    /// Print a playbook in its canonical form, whatever generation it was written in
    Convert(convert::Convert),
    /// Explain an error Code: cause, fix, example
    Explain(explain::Explain),
    /// Group messages that say the same thing, one message per line
    Fingerprint(fingerprint::Fingerprint),
    /// Put playbooks or credentials on the server
    Register(register::Register),
    /// Look at and run what is registered
    #[command(subcommand)]
    Catalog(catalog::Catalog),
    /// Start an execution of a registered playbook, or ask for its status
    #[command(subcommand)]
    Execute(execute::Execute),
    /// List executions
    Executions(executions::Executions),
    /// Show one execution: its state, its steps, its result
    Status(status::Status),
    /// Print the events of an execution
    Events(events::Events),
    /// Print what the tools of an execution printed
    Logs(logs::Logs),
    /// Say why an execution failed, with the evidence
    Why(why::Why),
    /// Look at what could be better, approve it or turn it down
    #[command(subcommand)]
    Proposals(proposals::Proposals),
    /// Look at new versions that are being tried, and steer them
    #[command(subcommand)]
    Rollout(rollout::Rollout),
    /// Show or check what may be changed by itself, how far, and when
    Policy(policy::Policy),
    /// Ask about the history in plain words
    Chat(chat::Chat),
    /// Offer the same questions to other assistants (Model Context Protocol)
    Mcp(mcp::Mcp),
    /// Cancel an execution
    Cancel(cancel::Cancel),
    /// Run a finished execution again, keeping the results of completed steps
    Retry(retry::Retry),
    /// Find failures, executions, playbooks and knowledge by meaning and by words
    Search(search::Search),
    /// Show failures and executions like one of them, and what ended them
    Similar(similar::Similar),
    /// Add, list and remove documents that are searched too
    #[command(subcommand)]
    Knowledge(knowledge::Knowledge),
    /// Show failures that say the same thing: how often, since when, where
    Clusters(clusters::Clusters),
    /// Show steps that are not as they used to be
    Anomalies(anomalies::Anomalies),
    /// Show how long a playbook takes, how often it fails, what it costs
    Stats(stats::Stats),
    /// Show where the time of a playbook goes, and when it meets its deadline
    Bottlenecks(bottlenecks::Bottlenecks),
    /// Show two executions side by side
    Compare(compare::Compare),
    /// Ask the analytic tables in SQL
    Sql(sql::Sql),
    /// Look at the semantic layer
    #[command(subcommand)]
    Cluster(cluster::Cluster),
    /// Keep, list and remove credentials
    #[command(subcommand)]
    Credential(credential::Credential),
    /// Run playbooks at times or intervals
    #[command(subcommand)]
    Schedule(schedule::Schedule),
    /// List tools, or show the fields of one
    Tools(tools::Tools),
    /// Create or check the embedded store
    #[command(subcommand)]
    Db(db::Db),
    /// Cancel executions that fell silent, delete those that ended long ago
    Cleanup(cleanup::Cleanup),
    /// Start or stop the server
    #[command(subcommand)]
    Server(server::Server),
    /// Start a worker apart from the server
    #[command(subcommand)]
    Worker(worker::Worker),
    /// Print the configuration in effect
    Config(config::Config),
    /// Print a completion script for a shell
    Completions(completions::Completions),
    /// List a type of resource: playbook, credential, execution, schedule
    #[command(hide = true)]
    List(list::List),
    /// Get one resource
    #[command(hide = true, subcommand)]
    Get(get::Get),
}
