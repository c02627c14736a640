//! One process per data directory: the lock ends with the process, however it ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;
use std::sync::{Arc, Mutex};

use super::{Holder, StoreError};

const NAME: &str = "noetl.lock";

/// The right to use a data directory, until it is dropped.
#[derive(Debug)]
pub struct DataLock {
    file: Mutex<File>,
}

impl DataLock {
    /// Takes the directory (created when missing), or says who has it.
    pub fn acquire(directory: &Path) -> Result<Self, StoreError> {
        let failed = |source: std::io::Error| StoreError::Directory {
            directory: directory.to_owned(),
            source: Arc::new(source),
        };
        std::fs::create_dir_all(directory).map_err(failed)?;
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(directory.join(NAME))
            .map_err(failed)?;
        match patiently(&file) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let holder = read_holder(&mut file);
                return Err(StoreError::Locked { directory: directory.to_owned(), holder });
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        write_holder(&mut file, None).map_err(failed)?;
        Ok(Self { file: Mutex::new(file) })
    }

    /// Tells others where this process serves.
    pub fn set_address(&self, address: &str) -> std::io::Result<()> {
        let mut file = self.file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        write_holder(&mut file, Some(address))
    }

    /// Who uses a directory, without taking it; None when nobody does.
    pub fn holder(directory: &Path) -> Option<Holder> {
        let mut file = File::open(directory.join(NAME)).ok()?;
        match file.try_lock_shared() {
            Ok(()) => None,
            Err(_) => Some(read_holder(&mut file)),
        }
    }
}

fn write_holder(file: &mut File, address: Option<&str>) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    let address = address.map(|address| format!("address {address}\n")).unwrap_or_default();
    write!(file, "pid {}\n{address}", std::process::id())?;
    file.flush()
}

/// Somebody who only asks for the holder keeps a shared lock for a moment; that must not stop a start.
fn patiently(file: &File) -> Result<(), TryLockError> {
    for _ in 0..10 {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => std::thread::sleep(std::time::Duration::from_millis(5)),
            settled => return settled,
        }
    }
    file.try_lock()
}

fn read_holder(file: &mut File) -> Holder {
    let mut text = String::new();
    // The file is for people; one that cannot be read names nobody.
    let _ = file.take(4096).read_to_string(&mut text);
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    Holder {
        pid: field("pid ").and_then(|pid| pid.parse().ok()),
        address: field("address ").map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_told_who_the_first_is_and_where_it_serves() {
        let directory = tempfile::tempdir().unwrap();
        let inside = directory.path().join("new/data");
        let lock = DataLock::acquire(&inside).unwrap();
        lock.set_address("127.0.0.1:8082").unwrap();
        let refused = DataLock::acquire(&inside).unwrap_err();
        assert_eq!(
            refused.to_string(),
            format!(
                "the data directory {} is used by process {} at 127.0.0.1:8082",
                inside.display(),
                std::process::id()
            )
        );
        assert!(refused.hint().unwrap().contains("127.0.0.1:8082"));
        assert!(DataLock::holder(&inside).is_some());
        drop(lock);
        assert!(DataLock::holder(&inside).is_none());
        DataLock::acquire(&inside).unwrap();
    }
}
