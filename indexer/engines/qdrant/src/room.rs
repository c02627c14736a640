//! Room on the disk, looked for before the engine writes.
//!
//! The engine writes through memory maps of sparse files: where no block is left for a page, the system ends the whole
//! process (SIGBUS), and no error can be caught. So nothing is begun with less room than a write may need.

use std::io;
use std::path::Path;

/// Bytes that must be free. A write touches a few megabytes at most; others may fill the disk meanwhile.
const LEAST: u64 = 64 << 20;

/// An error of the kind `StorageFull` when there is too little.
pub(crate) fn check(directory: &Path) -> io::Result<()> {
    let found = nix::sys::statvfs::statvfs(directory).map_err(io::Error::from)?;
    let free = found.blocks_available().saturating_mul(found.fragment_size());
    if free >= LEAST {
        return Ok(());
    }
    let (free, least) = (free >> 20, LEAST >> 20);
    let words = format!("no space left: {free} MiB are free, and the vector engine wants {least}");
    Err(io::Error::new(io::ErrorKind::StorageFull, words))
}
