//! The disk that the index lies on is full.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{MIXED, books, caught_up, configure, failing, library, options, run_some};
use crate::app::App;

/// A small file system of its own; gone with its value.
struct Small(PathBuf);

impl Small {
    /// `None` where this process may not mount.
    fn mount(at: &Path, size: &str) -> Option<Self> {
        std::fs::create_dir_all(at).expect("a directory to mount at");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "noetl-test"])
            .arg(at)
            .output()
            .ok()?;
        if !mounted.status.success() {
            eprintln!("NOT TESTED: a full disk; {}", String::from_utf8_lossy(&mounted.stderr).trim());
            return None;
        }
        Some(Self(at.to_owned()))
    }

    /// Takes all space but so many bytes.
    fn fill_up_to(&self, left: u64) {
        let path = self.0.join("filler");
        let _ = std::fs::write(&path, vec![0; 512 << 20]);
        let file = std::fs::File::options().write(true).open(&path).expect("the filler");
        let length = file.metadata().expect("the size of the filler").len();
        file.set_len(length.saturating_sub(left)).expect("a shorter filler");
    }

    fn empty(&self) {
        std::fs::remove_file(self.0.join("filler")).expect("the filler goes");
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        // Whatever still has files open there keeps them until it ends.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_stops_the_index_and_nothing_else() {
    if library().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("noetl.toml");
    let mut app = App::start_with(options(&file, "enabled = false")).await;
    app.kill();
    let Some(disk) = Small::mount(&app.data().join("index"), "256m") else { return };
    configure(&file, "");
    app.restart().await;
    app.register(MIXED).await.unwrap();
    run_some(&app, 0..6).await;
    caught_up(&app).await;
    books::balance(&app).await;

    // First not even the place can be written down; then it can, and the rows that belong to it cannot.
    for (left, numbers) in [(0, 6..12), (256 << 10, 12..18)] {
        disk.fill_up_to(left);
        run_some(&app, numbers).await;
        let reason = failing(&app).await;
        assert!(reason.to_lowercase().contains("space"), "{left} bytes left: {reason}");
        disk.empty();
        caught_up(&app).await;
        books::balance(&app).await;
    }

    // Dying with a full disk loses nothing either, and who starts with one is waited for until there is room.
    disk.fill_up_to(0);
    run_some(&app, 18..24).await;
    app.kill();
    app.restart().await;
    run_some(&app, 24..30).await;
    let reason = failing(&app).await;
    assert!(reason.to_lowercase().contains("space"), "{reason}");
    disk.empty();
    caught_up(&app).await;
    books::balance(&app).await;
    drop(app);
}
