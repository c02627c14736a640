//! The pure crates build for a machine without files, clocks or sockets, where that target is installed.

use std::path::Path;
use std::process::Command;

use crate::command;

const TARGET: &str = "wasm32-unknown-unknown";

pub(crate) fn check() -> anyhow::Result<()> {
    if !installed() {
        eprintln!(
            "note: {TARGET} is not installed (`rustup target add {TARGET}`); the domain's wasm build was not checked"
        );
        return Ok(());
    }
    command::run(command::cargo().args([
        "check",
        "--quiet",
        "--package",
        "noetl-domain",
        "--package",
        "noetl-api",
        "--target",
        TARGET,
    ]))
}

/// The compiler names a folder for every target it knows; the folder is there when the target's std is.
fn installed() -> bool {
    let asked = Command::new("rustc").args(["--print", "target-libdir", "--target", TARGET]).output();
    asked.is_ok_and(|output| Path::new(String::from_utf8_lossy(&output.stdout).trim()).is_dir())
}
