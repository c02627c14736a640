//! Opening and closing the engine: one directory, one process, one engine at a time.
//!
//! chDB itself does not keep a second process away from a directory, so the engine holds a lock file.
//! It must see its last connection closed before the process exits; a hook sees to that when nobody else does.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Once, PoisonError, Weak};

use crate::ffi::{self, Connection, Library};
use crate::layout;

/// The release of chDB that this crate is written against.
pub const VERSION: &str = "26.7.3";

/// Where the engine comes from and where it keeps its data.
#[derive(Clone, Debug)]
pub struct Config {
    /// `libchdb.so`
    pub library: PathBuf,
    /// Made when it is missing; nothing else may live in it.
    pub directory: PathBuf,
    /// Bytes that all queries and merges together may use; `None` leaves the engine's own rule (most of the machine).
    pub memory: Option<u64>,
}

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("there is no library at {}", .0.display())]
    NoLibrary(PathBuf),
    #[error("{} cannot be loaded as libchdb", .path.display())]
    NotLibrary { path: PathBuf, source: Box<dyn std::error::Error + Send + Sync> },
    #[error("{} is chDB {found}, this needs {VERSION}", .path.display())]
    Version { path: PathBuf, found: String },
    #[error("{} is in use by another process", .0.display())]
    Locked(PathBuf),
    #[error("this process has an open engine already")]
    AlreadyOpen,
    #[error("{} cannot be used as the engine's directory", .path.display())]
    Directory { path: PathBuf, source: std::io::Error },
    #[error("the engine cannot open what lies in {}; it has said why on standard error", .0.display())]
    Refused(PathBuf),
}

/// The open engine. Dropping it closes it.
#[derive(Debug)]
pub struct Engine {
    pub(crate) shared: Arc<Shared>,
}

impl Engine {
    /// Loads the library and opens the directory: half a second of blocking work.
    pub fn open(config: &Config) -> Result<Self, OpenError> {
        let library = load(&config.library)?;
        let place = Place::take()?;
        let directory = |source| OpenError::Directory { path: config.directory.clone(), source };
        fs::create_dir_all(&config.directory).map_err(directory)?;
        let root = config.directory.canonicalize().map_err(directory)?;
        let lock = lock(&root)?;
        layout::write(&root, config.memory).map_err(directory)?;
        let arguments = [
            format!("--path={}", layout::data(&root).display()),
            format!("--config-file={}", layout::config(&root).display()),
        ];
        let refused = || OpenError::Refused(root.clone());
        let mut keeper = library.connect(&arguments).ok_or_else(refused)?;
        let timezone = keeper.query(b"SELECT timezone()", "TSVRaw").map_err(|_| refused())?;
        let shared = Arc::new(Shared {
            open: Mutex::new(Some(Open { _keeper: keeper, _lock: lock, _place: place })),
            library,
            path: arguments[0].clone(),
            timezone: String::from_utf8_lossy(&timezone.data).trim().to_owned(),
        });
        let mut last = last();
        *last = Arc::downgrade(&shared);
        drop(last);
        HOOK.call_once(|| ffi::at_exit(close_the_last));
        Ok(Self { shared })
    }
}

fn load(path: &Path) -> Result<&'static Library, OpenError> {
    if !path.exists() {
        return Err(OpenError::NoLibrary(path.to_owned()));
    }
    let library = Library::load(path)
        .map_err(|source| OpenError::NotLibrary { path: path.to_owned(), source: Box::new(source) })?;
    match library.version() {
        version if version == VERSION => Ok(library),
        found => Err(OpenError::Version { path: path.to_owned(), found }),
    }
}

fn lock(root: &Path) -> Result<File, OpenError> {
    let path = root.join("lock");
    let failed = |source| OpenError::Directory { path: path.clone(), source };
    let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::Locked(root.to_owned())),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// What every session needs; it outlives the engine for as long as one of them runs.
pub(crate) struct Shared {
    open: Mutex<Option<Open>>,
    library: &'static Library,
    path: String,
    pub(crate) timezone: String,
}

/// Closed in this order: the engine, then what keeps others away.
struct Open {
    /// Without a connection the engine shuts down, so one is kept.
    _keeper: Connection,
    _lock: File,
    _place: Place,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Shared").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Shared {
    /// One more connection; `None` after the engine has been closed.
    pub(crate) fn connect(&self, arguments: &[&str]) -> Option<Connection> {
        // Held, so that the engine cannot shut down in between.
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.as_ref()?;
        let mut all = vec![self.path.clone()];
        all.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        self.library.connect(&all)
    }

    pub(crate) fn close(&self) {
        drop(self.open.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

/// The one place for an engine in a process.
struct Place;

static TAKEN: AtomicBool = AtomicBool::new(false);

impl Place {
    fn take() -> Result<Self, OpenError> {
        if TAKEN.swap(true, Ordering::SeqCst) { Err(OpenError::AlreadyOpen) } else { Ok(Self) }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        TAKEN.store(false, Ordering::SeqCst);
    }
}

static HOOK: Once = Once::new();
static LAST: Mutex<Weak<Shared>> = Mutex::new(Weak::new());

fn last() -> std::sync::MutexGuard<'static, Weak<Shared>> {
    LAST.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The process exits with an open engine: close it before the library's destructors run, or they abort.
extern "C" fn close_the_last() {
    let shared = last().upgrade();
    if let Some(shared) = shared {
        shared.close();
    }
}
