//! The map in ARCHITECTURE.md, held to: who may import whom, and how files are made.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Each room, and the rooms it may import.
const ARROWS: &[(&str, &[&str])] = &[
    ("noetl-domain", &[]),
    ("noetl-api", &["noetl-domain"]),
    ("noetl-bus", &["noetl-domain"]),
    ("noetl-server", &["noetl-api", "noetl-bus", "noetl-domain"]),
    ("noetl-worker", &["noetl-bus", "noetl-domain"]),
    ("noetl-indexer", &["noetl-api", "noetl-bus", "noetl-domain"]),
    ("noetl-assistant", &["noetl-api", "noetl-bus", "noetl-domain"]),
    ("noetl-engine-clickhouse", &[]),
    ("noetl-engine-qdrant", &[]),
    (
        "noetl",
        &[
            "noetl-api",
            "noetl-assistant",
            "noetl-bus",
            "noetl-domain",
            "noetl-engine-clickhouse",
            "noetl-engine-qdrant",
            "noetl-indexer",
            "noetl-server",
            "noetl-worker",
        ],
    ),
    ("noetl-test-service", &[]),
    ("xtask", &[]),
];

/// What would let the domain observe the world.
const NOT_IN_THE_DOMAIN: &[&str] = &[
    "tokio",
    "futures",
    "async-std",
    "sqlx",
    "reqwest",
    "axum",
    "rand",
    "chrono",
    "time",
    "uuid",
    "object_store",
    "nix",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The direct, non-test dependencies of every crate of the workspace.
fn imports() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo metadata runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let names = packages.iter().map(|package| {
        let dependencies = package["dependencies"].as_array().expect("dependencies");
        let normal = dependencies.iter().filter(|dependency| dependency["kind"].is_null());
        let names = normal.map(|dependency| dependency["name"].as_str().expect("a name").to_owned());
        (package["name"].as_str().expect("a name").to_owned(), names.collect())
    });
    names.collect()
}

#[test]
fn rooms_import_only_along_the_arrows() {
    let imports = imports();
    let known: BTreeSet<&str> = ARROWS.iter().map(|(room, _)| *room).collect();
    let found: BTreeSet<&str> = imports.keys().map(String::as_str).collect();
    assert_eq!(found, known, "a crate is missing from the map, or from the workspace");
    for (room, allowed) in ARROWS {
        let crossing: Vec<_> = imports[*room]
            .iter()
            .filter(|name| known.contains(name.as_str()) && !allowed.contains(&name.as_str()))
            .collect();
        assert!(crossing.is_empty(), "{room} must not import {crossing:?}");
    }
}

#[test]
fn the_domain_cannot_observe_the_world() {
    let imports = imports();
    let seen: Vec<_> =
        imports["noetl-domain"].iter().filter(|name| NOT_IN_THE_DOMAIN.contains(&name.as_str())).collect();
    assert!(seen.is_empty(), "noetl-domain must not import {seen:?}");
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("readable") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn files_are_small_say_what_they_are_for_and_are_not_called_mod() {
    let mut files = Vec::new();
    sources(root(), &mut files);
    let mut wrong = Vec::new();
    for path in files {
        let text = std::fs::read_to_string(&path).expect("readable");
        let shown = path.strip_prefix(root()).unwrap_or(&path).display();
        // A file of tests is named after what it tests, and its tests are sentences.
        let tests =
            path.ends_with("tests.rs") || path.parent().is_some_and(|folder| folder.ends_with("tests"));
        if !tests && !text.trim_start().starts_with("//!") {
            wrong.push(format!("{shown} does not open with what it is for"));
        }
        if path.ends_with("mod.rs") {
            wrong.push(format!("{shown} should be named after its module"));
        }
        let lines = text.lines().count();
        if lines > 600 {
            wrong.push(format!("{shown} has {lines} lines: look for the second idea inside"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
