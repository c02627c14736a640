//! `cargo xtask up`: from a clone to a running system with something to look at.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

use anyhow::Context as _;
use clap::Args;

use crate::{command, setup};

#[derive(Debug, Args)]
pub(crate) struct Up {
    /// Build the optimised binary; the first build takes several times longer
    #[arg(long)]
    release: bool,
    /// Stop after the example has run
    #[arg(long)]
    once: bool,
    /// Options passed on to `noetl up`, such as `--port 9000`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    options: Vec<String>,
}

impl Up {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        setup::run(setup::For::Running)?;
        let mut build = command::cargo();
        build.args(["build", "--quiet", "--package", "noetl", "--bin", "noetl"]);
        if self.release {
            build.arg("--release");
        }
        let profile = if self.release { "release" } else { "debug" };
        let binary = command::target_dir().join(profile).join("noetl");
        if !binary.is_file() {
            eprintln!("Building noetl; the first time takes a few minutes.");
        }
        command::run(&mut build)?;
        let mut up = Command::new(&binary);
        up.current_dir(command::root()).args([
            "up",
            "--register",
            "examples",
            "--run",
            "examples/hello.yaml",
        ]);
        if self.once {
            up.arg("--once");
        }
        // The server replaces this process, so that Ctrl-C reaches it alone.
        Err(up.args(self.options).exec()).with_context(|| format!("cannot start {}", binary.display()))
    }
}
