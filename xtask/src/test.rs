//! `cargo xtask test`: the set-up that tests need, then every test of the workspace.

use clap::Args;

use crate::{artifacts, command, setup};

#[derive(Debug, Args)]
pub(crate) struct Test {
    /// Only what asks a real language model on this machine (1.1 GB are fetched the first time; minutes of work)
    #[arg(long)]
    llm: bool,
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
        if self.llm {
            let (server, model) = artifacts::llm()?;
            tests.env("NOETL_LLM_SERVER", server).env("NOETL_LLM_MODEL", model);
            if self.options.is_empty() {
                // All the others have nothing to do with it.
                tests.args(["a_real_model_makes_no_answer_worse", "--no-capture"]);
            }
        }
        command::run(tests.args(self.options))
    }
}
