//! `cargo xtask bench`: measures the release binary or the semantic layer, and the raw limit beside each figure.

use std::path::PathBuf;

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
    /// Where the figures go as JSON; `target/bench.json` or `target/bench-indexer.json` when it is not given
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
        } else {
            ("spine", "target/bench.json")
        };
        let mut command = crate::command::cargo();
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
}
