//! `cargo xtask test`: the set-up that tests need, then every test of the workspace.

use clap::Args;

use crate::{command, setup};

#[derive(Debug, Args)]
pub(crate) struct Test {
    /// Passed on to the test runner, such as a part of a test's name
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    options: Vec<String>,
}

impl Test {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        setup::run(setup::For::Tests)?;
        let mut tests = command::cargo();
        if command::succeeds("cargo-nextest", &["nextest", "--version"]) {
            tests.args(["nextest", "run", "--workspace", "--no-fail-fast"]);
        } else {
            tests.args(["test", "--workspace", "--no-fail-fast"]);
        }
        command::run(tests.args(self.options))
    }
}
