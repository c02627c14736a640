//! `cargo xtask release`: the optimised binary.

use anyhow::Context as _;

use crate::{command, setup};

pub(crate) fn run() -> anyhow::Result<()> {
    setup::run(setup::For::Running)?;
    command::run(command::cargo().args(["build", "--release", "--package", "noetl", "--bin", "noetl"]))?;
    let binary = command::target_dir().join("release/noetl");
    let size = std::fs::metadata(&binary).with_context(|| format!("cannot find {}", binary.display()))?.len();
    eprintln!("{} ({} MB)", binary.display(), size / 1_000_000);
    Ok(())
}
