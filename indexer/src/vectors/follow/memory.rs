//! What the follower has learned of the log so far, kept in a file beside its place.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::baseline::Baselines;
use super::sample::Sample;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Memory {
    /// The copy of the index that it belongs to.
    index: String,
    /// Position in the feed up to which it was learned: what is read again teaches nothing.
    position: u64,
    pub(super) baselines: Baselines,
    pub(super) sample: Sample,
}

impl Memory {
    pub(super) fn knows(&self, position: u64) -> bool {
        position <= self.position
    }

    pub(super) fn reach(&mut self, position: u64) {
        self.position = self.position.max(position);
    }
}

#[derive(Debug)]
pub(super) struct MemoryFile {
    path: PathBuf,
}

impl MemoryFile {
    pub(super) fn new(directory: &Path) -> Self {
        Self { path: directory.join("behaviour.json") }
    }

    /// What was learned for this copy of the index; nothing when the file speaks of another one or cannot be read.
    pub(super) fn load(&self, index: &str) -> Memory {
        let nothing = || Memory { index: index.to_owned(), ..Memory::default() };
        let read = match fs::read(&self.path) {
            Ok(bytes) => serde_json::from_slice::<Memory>(&bytes).map_err(io::Error::from),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return nothing(),
            Err(error) => Err(error),
        };
        match read {
            Ok(memory) if memory.index == index => memory,
            Ok(_) => nothing(),
            Err(error) => {
                tracing::warn!(file = %self.path.display(), %error, "what is usual cannot be read; it is learned anew");
                nothing()
            }
        }
    }

    pub(super) fn save(&self, memory: &Memory) -> io::Result<()> {
        let directory = self.path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(directory)?;
        let beside = self.path.with_extension("json.new");
        let mut file = File::create(&beside)?;
        file.write_all(&serde_json::to_vec(memory)?)?;
        file.sync_all()?;
        fs::rename(&beside, &self.path)?;
        File::open(directory)?.sync_all()
    }
}
