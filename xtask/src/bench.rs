//! `cargo xtask bench`: measures the release binary or the semantic layer, and the raw limit beside each figure.

use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct Bench {
    /// Only the measurements whose name contains this
    #[arg(long, value_name = "NAME")]
    only: Option<String>,
    /// The semantic layer instead: ingest, lag, memory, questions
    #[arg(long)]
    indexer: bool,
    /// The assistant instead: faults, load, history (all over the release binary), tuner
    #[arg(long, conflicts_with = "indexer")]
    assistant: bool,
    /// Also asks a small real model about this many cases (1.1 GB are fetched once; half a minute for each case)
    #[arg(long, value_name = "CASES", requires = "assistant", num_args = 0..=1, default_missing_value = "24")]
    model: Option<usize>,
    /// Where the figures go as JSON; `target/bench.json`, `-indexer` or `-assistant` when it is not given
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Smaller sizes, to see that everything runs
    #[arg(long)]
    quick: bool,
}

impl Bench {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let (target, file) = if self.indexer {
            ("indexer", "target/bench-indexer.json")
        } else if self.assistant {
            ("assistant", "target/bench-assistant.json")
        } else {
            ("spine", "target/bench.json")
        };
        let laboratory = std::path::absolute("target/laboratory.json")?;
        if self.assistant {
            self.laboratory(&laboratory)?;
        }
        let mut command = crate::command::cargo();
        command.env("NOETL_LAB_JSON", &laboratory);
        if self.model.is_some() {
            command.env("NOETL_LAB_MODEL", "1");
        }
        command.args(["bench", "--package", "noetl", "--bench", target, "--"]);
        if let Some(only) = &self.only {
            command.args(["--only", only]);
        }
        let json = std::path::absolute(self.json.unwrap_or_else(|| file.into()))?;
        command.arg("--json").arg(&json);
        if self.quick {
            command.arg("--quick");
        }
        let status = command.status()?;
        if !status.success() {
            bail!("the measurements ended with {status}");
        }
        eprintln!("\nThe same figures as JSON: {}", json.display());
        Ok(())
    }

    /// Runs the fault laboratory and the load over the release binary; they leave their figures in a file.
    fn laboratory(&self, figures: &Path) -> anyhow::Result<()> {
        let wants = |name: &str| self.only.as_ref().is_none_or(|only| name.contains(only.as_str()));
        let tests = [
            ("faults", "faults_are_explained"),
            ("load", "answers_come_while_the_server_is_busy"),
            ("history", "answers_come_over_a_long_history"),
            ("model", "a_real_model_makes_no_answer_worse"),
        ];
        let is_wanted = |name: &str| wants(name) && (name != "model" || self.model.is_some());
        let tests: Vec<&str> =
            tests.iter().filter(|(name, _)| is_wanted(name)).map(|(_, test)| *test).collect();
        if tests.is_empty() {
            return Ok(());
        }
        crate::setup::run(crate::setup::For::Tests)?;
        let mut build = crate::command::cargo();
        crate::command::run(build.args(["build", "--release", "--package", "noetl", "--bin", "noetl"]))?;
        // What an earlier run left must not pass for this one's.
        for kind in ["json", "json.load", "json.history", "json.model"] {
            let left = figures.with_extension(kind);
            if left.exists() {
                std::fs::remove_file(left)?;
            }
        }
        let model = self.model.map(|_| crate::artifacts::llm()).transpose()?;
        for test in tests {
            let mut command = crate::command::cargo();
            command.args(["test", "--workspace", "--test", "e2e", test, "--", "--nocapture"]);
            command.env("NOETL_LAB_BINARY", std::path::absolute("target/release/noetl")?);
            command.env("NOETL_LAB_JSON", figures);
            if self.quick {
                command.env("NOETL_TEST_ONLY", "unseen").env("NOETL_LAB_QUICK", "1");
            }
            if let (Some((server, file)), Some(cases)) = (&model, self.model) {
                command.env("NOETL_LLM_SERVER", server).env("NOETL_LLM_MODEL", file);
                command.env("NOETL_LLM_CASES", cases.to_string());
            }
            // What it misses stands in its report; the table shows it all the same.
            if !command.status()?.success() {
                eprintln!("{test} failed: what it missed stands above");
            }
        }
        Ok(())
    }
}
