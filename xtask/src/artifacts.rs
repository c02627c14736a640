//! Which engines and models the setup brings, and what it says when it cannot. None is vital.

use crate::fetch::{Artifact, Package, Wanted};
use crate::{command, setup};

const ARTIFACTS: &[Artifact] = &[CHDB];

const CHDB: Artifact = Artifact {
    name: "chdb",
    version: "26.7.3",
    what: "the ClickHouse engine (566 MB)",
    without: "analytics (noetl stats, anomalies, clusters, sql) and the tests of its engine are off",
    machine: Some(("linux", "x86_64")),
    parts: &[(
        Package::Npm("@chdb/lib-linux-x64-gnu@26.7.3-stable.1"),
        &[Wanted {
            inside: "@chdb/lib-linux-x64-gnu/libchdb.so",
            name: "libchdb.so",
            sha256: "36ad4e999882821ef13cf2d0f52c93f48e6ee1b4498b35a201c23ce4b8d15bf5",
        }],
    )],
};

pub(crate) fn run() {
    for artifact in ARTIFACTS.iter().filter(|artifact| !artifact.is_here()) {
        if !artifact.fits_machine() {
            eprintln!("{}: not available for this machine; {}", artifact.what, artifact.without);
            continue;
        }
        eprintln!("missing: {}", artifact.what);
        let programs = artifact.parts.iter().map(|(package, _)| package.program());
        for (program, package) in programs {
            if !command::succeeds(program, &["--version"]) {
                setup::install_if_allowed(&[package]);
            }
        }
        if let Err(error) = artifact.fetch() {
            let lines: Vec<String> = artifact.parts.iter().map(|(package, _)| package.line()).collect();
            eprintln!(
                "warning: {error:#}\nwarning: without {}, {}; when this line works, run the setup again:\n\n    {}\n",
                artifact.what,
                artifact.without,
                lines.join(" && ")
            );
        }
    }
}
