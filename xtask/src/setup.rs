//! What must be on the machine besides a Rust toolchain.
//!
//! Missing packages are installed through apt when that needs no password; otherwise the one line to type is named.

use std::path::Path;
use std::process::Command;

use anyhow::bail;

use crate::{artifacts, command};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum For {
    /// Building and running.
    Running,
    /// Building, running, and the tests against real servers.
    Tests,
}

struct Need {
    what: &'static str,
    package: &'static str,
    present: fn() -> bool,
    /// Nothing works without it.
    vital: bool,
    only_tests: bool,
}

const NEEDS: &[Need] = &[
    Need {
        what: "a C compiler, for the bundled SQLite",
        package: "build-essential",
        present: || command::succeeds("cc", &["--version"]),
        vital: true,
        only_tests: false,
    },
    Need {
        what: "Python 3, for python steps",
        package: "python3",
        present: || command::succeeds("python3", &["--version"]),
        vital: true,
        only_tests: false,
    },
    Need {
        what: "a PostgreSQL server, for the tests of the postgres tool",
        package: "postgresql",
        present: postgres_is_installed,
        vital: false,
        only_tests: true,
    },
];

pub(crate) fn run(purpose: For) -> anyhow::Result<()> {
    packages(purpose)?;
    artifacts::run();
    Ok(())
}

/// Installs through apt when that needs no password; says so when it fails, and leaves the rest to the caller.
pub(crate) fn install_if_allowed(packages: &[&str]) {
    if let Some(mut apt) = apt()
        && let Err(error) = install(&mut apt, packages)
    {
        eprintln!("warning: {error:#}");
    }
}

fn packages(purpose: For) -> anyhow::Result<()> {
    let missing = missing(purpose);
    if missing.is_empty() {
        return Ok(());
    }
    for need in &missing {
        eprintln!("missing: {} (package {})", need.what, need.package);
    }
    let packages: Vec<&str> = missing.iter().map(|need| need.package).collect();
    install_if_allowed(&packages);
    let still: Vec<&Need> = missing.into_iter().filter(|need| !(need.present)()).collect();
    if still.is_empty() {
        return Ok(());
    }
    let packages: Vec<&str> = still.iter().map(|need| need.package).collect();
    let line = format!("sudo apt-get install -y {}", packages.join(" "));
    if still.iter().any(|need| need.vital) {
        bail!("something is missing; type this, then try again:\n\n    {line}\n");
    }
    eprintln!("warning: tests that need what is missing will fail; type:\n\n    {line}\n");
    Ok(())
}

fn missing(purpose: For) -> Vec<&'static Need> {
    NEEDS
        .iter()
        .filter(|need| purpose == For::Tests || !need.only_tests)
        .filter(|need| !(need.present)())
        .collect()
}

fn install(apt: &mut Command, packages: &[&str]) -> anyhow::Result<()> {
    // Fresh images come without package lists, so the first try may not find anything.
    let again = clone(apt);
    if command::run(apt.args(["install", "-y", "--no-install-recommends"]).args(packages)).is_ok() {
        return Ok(());
    }
    command::run(clone(&again).arg("update"))?;
    command::run(clone(&again).args(["install", "-y", "--no-install-recommends"]).args(packages))
}

/// apt-get, when it can run without asking for a password.
fn apt() -> Option<Command> {
    if !command::succeeds("apt-get", &["--version"]) {
        return None;
    }
    let mut apt = if is_root() {
        Command::new("apt-get")
    } else if command::succeeds("sudo", &["-n", "true"]) {
        let mut sudo = Command::new("sudo");
        sudo.args(["-n", "DEBIAN_FRONTEND=noninteractive", "apt-get"]);
        sudo
    } else {
        return None;
    };
    apt.env("DEBIAN_FRONTEND", "noninteractive");
    Some(apt)
}

fn clone(command: &Command) -> Command {
    let mut copy = Command::new(command.get_program());
    copy.args(command.get_args()).env("DEBIAN_FRONTEND", "noninteractive");
    copy
}

/// The user that owns this process, without a call that needs `unsafe` or another crate.
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0)
}

/// Debian keeps the server's programs off PATH.
fn postgres_is_installed() -> bool {
    command::succeeds("postgres", &["--version"])
        || std::fs::read_dir("/usr/lib/postgresql").is_ok_and(|versions| {
            versions
                .filter_map(Result::ok)
                .any(|version| Path::new(&version.path()).join("bin/postgres").is_file())
        })
}
