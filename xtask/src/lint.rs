//! `cargo xtask lint`: what a reviewer should not have to say.

use crate::{command, links, wasm};

pub(crate) fn run() -> anyhow::Result<()> {
    command::run(command::cargo().args(["fmt", "--all", "--check"]))?;
    links::check(&command::root())?;
    wasm::check()?;
    command::run(command::cargo().args([
        "clippy",
        "--quiet",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]))?;
    command::run(
        command::cargo()
            .args(["doc", "--quiet", "--workspace", "--no-deps", "--document-private-items"])
            .env("RUSTDOCFLAGS", "-D warnings"),
    )?;
    if command::succeeds("cargo-deny", &["--version"]) {
        command::run(command::cargo().args(["deny", "--workspace", "check"]))?;
    } else {
        eprintln!("note: cargo-deny is not installed; licences and bans were not checked");
    }
    Ok(())
}
