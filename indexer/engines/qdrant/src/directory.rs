//! The engine's directory: one process at a time, a directory per collection, and a place for what is damaged.
//!
//! ```text
//! LOCK            held by the process that serves the directory
//! aliases.json    alias → collection
//! collections/    a directory per collection, named by a random id
//! set-aside/      collections that could not be opened
//! ```

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// Held until the last collection is closed.
#[derive(Debug)]
pub(crate) struct DirectoryLock {
    _file: File,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum LockError {
    #[error("another process serves it")]
    Taken,
    #[error(transparent)]
    File(#[from] io::Error),
}

#[derive(Debug, Clone)]
pub(crate) struct Directory(PathBuf);

impl Directory {
    pub(crate) fn open(path: &Path) -> Result<(Self, DirectoryLock), LockError> {
        let directory = Self(path.to_path_buf());
        fs::create_dir_all(directory.collections())?;
        let file = File::options().create(true).truncate(false).write(true).open(path.join("LOCK"))?;
        match file.try_lock() {
            Ok(()) => Ok((directory, DirectoryLock { _file: file })),
            Err(TryLockError::WouldBlock) => Err(LockError::Taken),
            Err(TryLockError::Error(error)) => Err(error.into()),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn collections(&self) -> PathBuf {
        self.0.join("collections")
    }

    pub(crate) fn aliases(&self) -> PathBuf {
        self.0.join("aliases.json")
    }

    pub(crate) fn new_home(&self) -> PathBuf {
        self.collections().join(uuid::Uuid::new_v4().simple().to_string())
    }

    pub(crate) fn homes(&self) -> io::Result<Vec<PathBuf>> {
        let mut homes = Vec::new();
        for entry in fs::read_dir(self.collections())? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                homes.push(entry.path());
            }
        }
        homes.sort();
        Ok(homes)
    }

    /// Moves a damaged collection out of the way, where a person can look at it.
    pub(crate) fn set_aside(&self, home: &Path) -> io::Result<PathBuf> {
        let place = self.0.join("set-aside");
        fs::create_dir_all(&place)?;
        let name = home.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut target = place.join(&name);
        if target.exists() {
            target = place.join(format!("{name}-{}", uuid::Uuid::new_v4().simple()));
        }
        fs::rename(home, &target)?;
        Ok(target)
    }
}

/// Makes renames and new files in a directory last.
pub(crate) fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}
