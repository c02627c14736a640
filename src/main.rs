//! The `noetl` binary: parse, configure, compose, exit status. It holds no business rules.

#![deny(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "they panic when nobody reads; see `output` and `terminal::tell`"
)]

mod children;
mod cli;
mod commands;
mod compose;
mod config;
mod connect;
mod context;
mod credential_file;
mod env;
mod exit;
mod findings;
mod listing;
mod live;
mod notice;
mod outcome;
mod output;
mod payload;
mod playbook_file;
mod problem;
mod program;
mod prose;
mod serve;
mod terminal;
mod watch;
mod which;

use std::process::ExitCode;

use clap::Parser;

use crate::context::Context;

use crate::exit::Exit;

/// The decider makes and frees many small things between a few that live long, where the system's allocator becomes
/// slower the longer an Execution lasts.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    let outcome = Context::new(&cli.global).and_then(|context| commands::dispatch(cli.command, &context));
    match outcome {
        Ok(exit) => exit.into(),
        Err(error) => {
            problem::report(&error);
            Exit::of(&error).into()
        }
    }
}
