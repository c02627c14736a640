//! `cargo xtask bench`: measures the release binary, and the raw limit beside each figure.

use std::path::PathBuf;

use anyhow::bail;
use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct Bench {
    /// Only the measurements whose name contains this
    #[arg(long, value_name = "NAME")]
    only: Option<String>,
    /// Where the figures go as JSON
    #[arg(long, value_name = "FILE", default_value = "target/bench.json")]
    json: PathBuf,
    /// Smaller sizes, to see that everything runs
    #[arg(long)]
    quick: bool,
}

impl Bench {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let mut command = std::process::Command::new(env!("CARGO"));
        command.args(["bench", "--package", "noetl", "--bench", "spine", "--"]);
        if let Some(only) = &self.only {
            command.args(["--only", only]);
        }
        let json = std::path::absolute(&self.json)?;
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
