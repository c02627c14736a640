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
        let Self { only, json, quick } = self;
        bail!("no measurement is built yet (only: {only:?}, json: {}, quick: {quick})", json.display())
    }
}
