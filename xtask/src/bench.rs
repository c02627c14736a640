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
    /// The assistant instead: faults, load (both over the release binary), tuner
    #[arg(long, conflicts_with = "indexer")]
    assistant: bool,
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
        let tests = [("faults", "faults_are_explained"), ("load", "answers_come_while_the_server_is_busy")];
        let tests: Vec<&str> = tests.iter().filter(|(name, _)| wants(name)).map(|(_, test)| *test).collect();
        if tests.is_empty() {
            return Ok(());
        }
        crate::setup::run(crate::setup::For::Tests)?;
        let mut build = crate::command::cargo();
        crate::command::run(build.args(["build", "--release", "--package", "noetl", "--bin", "noetl"]))?;
        // What an earlier run left must not pass for this one's.
        for left in [figures.to_owned(), figures.with_extension("json.load")] {
            if left.exists() {
                std::fs::remove_file(left)?;
            }
        }
        for test in tests {
            let mut command = crate::command::cargo();
            command.args(["test", "--workspace", "--test", "e2e", test, "--", "--nocapture"]);
            command.env("NOETL_LAB_BINARY", std::path::absolute("target/release/noetl")?);
            command.env("NOETL_LAB_JSON", figures);
            if self.quick {
                command.env("NOETL_TEST_ONLY", "unseen");
            }
            // What it misses stands in its report; the table shows it all the same.
            if !command.status()?.success() {
                eprintln!("{test} failed: what it missed stands above");
            }
        }
        Ok(())
    }
}
