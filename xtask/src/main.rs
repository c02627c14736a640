//! `cargo xtask <verb>`: the chores of the house, the same for people and for CI.

mod artifacts;
mod bench;
mod command;
mod fetch;
mod links;
mod lint;
mod release;
mod setup;
mod test;
mod up;
mod wasm;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "The chores of the house.", max_term_width = 110)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Check for what the other verbs need, and install it through apt where that is allowed
    Setup,
    /// Build and start everything on 127.0.0.1:8082, register examples/, run one and show its result
    Up(up::Up),
    /// Run every test of the workspace
    Test(test::Test),
    /// Formatting, lints, documentation, links
    Lint,
    /// Measure, and print one table and a JSON file
    Bench(bench::Bench),
    /// Build the optimised binary
    Release,
}

fn main() -> ExitCode {
    let done = match Cli::parse().verb {
        Verb::Setup => setup::run(setup::For::Tests),
        Verb::Up(up) => up.run(),
        Verb::Test(test) => test.run(),
        Verb::Lint => lint::run(),
        Verb::Bench(bench) => bench.run(),
        Verb::Release => release::run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
