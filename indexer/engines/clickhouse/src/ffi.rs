//! The C functions of `libchdb.so`, and safe handles over them.
//!
//! The header does not come with the package; the signatures are those of chDB 26.7 and are tried by every test.
//! The library is never unloaded: it leaves threads and destructors of its own behind.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::path::Path;
use std::ptr::NonNull;

use crate::exception::Exception;

/// A connection of chDB points at its own handle.
type Connected = *mut *mut c_void;

/// The functions, looked up once.
pub(crate) struct Library {
    version: unsafe extern "C" fn() -> *const c_char,
    connect: unsafe extern "C" fn(c_int, *mut *mut c_char) -> Connected,
    close: unsafe extern "C" fn(Connected),
    query: unsafe extern "C" fn(*mut c_void, *const c_char, usize, *const c_char, usize) -> *mut c_void,
    stream: unsafe extern "C" fn(*mut c_void, *const c_char, usize, *const c_char, usize) -> *mut c_void,
    fetch: unsafe extern "C" fn(*mut c_void, *mut c_void) -> *mut c_void,
    cancel: unsafe extern "C" fn(*mut c_void, *mut c_void),
    buffer: unsafe extern "C" fn(*mut c_void) -> *const u8,
    length: unsafe extern "C" fn(*mut c_void) -> usize,
    error: unsafe extern "C" fn(*mut c_void) -> *const c_char,
    rows: unsafe extern "C" fn(*mut c_void) -> u64,
    storage_rows: unsafe extern "C" fn(*mut c_void) -> u64,
    storage_bytes: unsafe extern "C" fn(*mut c_void) -> u64,
    rows_written: unsafe extern "C" fn(*mut c_void) -> u64,
    bytes_written: unsafe extern "C" fn(*mut c_void) -> u64,
    destroy: unsafe extern "C" fn(*mut c_void),
    insert: unsafe extern "C" fn(*mut c_void, *const c_char, usize, *const c_char, usize) -> *mut c_void,
    append: unsafe extern "C" fn(*mut c_void, *const u8, usize) -> c_int,
    done: unsafe extern "C" fn(*mut c_void) -> *mut c_void,
    insert_error: unsafe extern "C" fn(*mut c_void) -> *const c_char,
    cancel_insert: unsafe extern "C" fn(*mut c_void),
    destroy_insert: unsafe extern "C" fn(*mut c_void),
}

impl Library {
    /// Loads the library for the rest of the process's life.
    pub(crate) fn load(path: &Path) -> Result<&'static Self, libloading::Error> {
        // SAFETY: the initialisers of libchdb set up its allocator and tables and touch nothing of ours.
        let library = unsafe { libloading::Library::new(path) }?;
        macro_rules! function {
            ($name:literal) => {
                // SAFETY: the type is that of the C function, as written in the field it goes to.
                unsafe { *library.get($name)? }
            };
        }
        let quiet: unsafe extern "C" fn(c_int) = function!("chdb_set_signal_handlers_enabled");
        let functions = Self {
            version: function!("chdb_version"),
            connect: function!("chdb_connect"),
            close: function!("chdb_close_conn"),
            query: function!("chdb_query_n"),
            stream: function!("chdb_stream_query_n"),
            fetch: function!("chdb_stream_fetch_result"),
            cancel: function!("chdb_stream_cancel_query"),
            buffer: function!("chdb_result_buffer"),
            length: function!("chdb_result_length"),
            error: function!("chdb_result_error"),
            rows: function!("chdb_result_rows_read"),
            storage_rows: function!("chdb_result_storage_rows_read"),
            storage_bytes: function!("chdb_result_storage_bytes_read"),
            rows_written: function!("chdb_result_rows_written"),
            bytes_written: function!("chdb_result_bytes_written"),
            destroy: function!("chdb_destroy_query_result"),
            insert: function!("chdb_stream_insert_n"),
            append: function!("chdb_stream_append"),
            done: function!("chdb_stream_done"),
            insert_error: function!("chdb_stream_insert_error"),
            cancel_insert: function!("chdb_stream_cancel_insert"),
            destroy_insert: function!("chdb_destroy_insert_stream"),
        };
        // SAFETY: a plain setter, called before the first connect as the library wants it.
        unsafe { quiet(0) };
        std::mem::forget(library);
        Ok(Box::leak(Box::new(functions)))
    }

    pub(crate) fn version(&self) -> String {
        // SAFETY: takes nothing, and returns a string that lives as long as the library.
        text(unsafe { (self.version)() }).unwrap_or_default()
    }

    /// `None`: the engine refuses, and has said why on standard error.
    pub(crate) fn connect(&'static self, arguments: &[String]) -> Option<Connection> {
        let arguments: Vec<CString> = std::iter::once("clickhouse")
            .chain(arguments.iter().map(String::as_str))
            .map(CString::new)
            .collect::<Result<_, _>>()
            .ok()?;
        let mut pointers: Vec<*mut c_char> = arguments.iter().map(|one| one.as_ptr().cast_mut()).collect();
        // SAFETY: argc strings that end with zero, alive during the call; the library copies them and writes to none.
        let connected = unsafe { (self.connect)(pointers.len() as c_int, pointers.as_mut_ptr()) };
        let connected = NonNull::new(connected)?;
        // SAFETY: a connection that is not null points at its handle.
        NonNull::new(unsafe { *connected.as_ptr() })?;
        Some(Connection { library: self, connected })
    }
}

/// One connection: used by one thread at a time, and closed when dropped.
pub(crate) struct Connection {
    library: &'static Library,
    connected: NonNull<*mut c_void>,
}

// SAFETY: chDB binds a connection to no thread; `&mut self` on every use keeps it to one at a time.
unsafe impl Send for Connection {}

impl Drop for Connection {
    fn drop(&mut self) {
        // SAFETY: made by `connect`, closed once; whatever borrows it has ended.
        unsafe { (self.library.close)(self.connected.as_ptr()) };
    }
}

impl Connection {
    fn handle(&self) -> *mut c_void {
        // SAFETY: points at its handle until it is closed.
        unsafe { *self.connected.as_ptr() }
    }

    /// Runs one statement to its end. The whole result is in memory.
    pub(crate) fn query(&mut self, sql: &[u8], format: &str) -> Result<Piece, Exception> {
        // SAFETY: an open connection and two texts with their lengths, alive during the call.
        let raw = unsafe {
            (self.library.query)(
                self.handle(),
                sql.as_ptr().cast(),
                sql.len(),
                format.as_ptr().cast(),
                format.len(),
            )
        };
        self.library.take(raw)
    }

    /// Begins a SELECT whose result is fetched piece by piece.
    pub(crate) fn stream(&mut self, sql: &[u8], format: &str) -> Result<Rows<'_>, Exception> {
        // SAFETY: as in `query`.
        let raw = unsafe {
            (self.library.stream)(
                self.handle(),
                sql.as_ptr().cast(),
                sql.len(),
                format.as_ptr().cast(),
                format.len(),
            )
        };
        let raw = NonNull::new(raw).ok_or_else(Exception::without_answer)?;
        let failed = self.library.error_of(raw);
        let rows = Rows { connection: self, raw, running: failed.is_none() };
        failed.map_or(Ok(rows), Err)
    }

    /// Begins an INSERT that takes its data as bytes of `format`.
    pub(crate) fn insert(&mut self, sql: &[u8], format: &str) -> Result<Insertion<'_>, Exception> {
        // SAFETY: as in `query`.
        let raw = unsafe {
            (self.library.insert)(
                self.handle(),
                sql.as_ptr().cast(),
                sql.len(),
                format.as_ptr().cast(),
                format.len(),
            )
        };
        let insertion = Insertion {
            raw: NonNull::new(raw).ok_or_else(Exception::without_answer)?,
            connection: self,
            open: true,
        };
        match insertion.error() {
            Some(error) => Err(error),
            None => Ok(insertion),
        }
    }
}

impl Library {
    fn error_of(&self, raw: NonNull<c_void>) -> Option<Exception> {
        // SAFETY: a result that has not been destroyed; the text lives as long as the result, and is copied here.
        text(unsafe { (self.error)(raw.as_ptr()) }).map(Exception::from_engine)
    }

    /// Copies a result out and destroys it.
    fn take(&self, raw: *mut c_void) -> Result<Piece, Exception> {
        let raw = NonNull::new(raw).ok_or_else(Exception::without_answer)?;
        let failed = self.error_of(raw);
        // SAFETY: a result that has not been destroyed; its buffer is `length` bytes long, and is copied here.
        let piece = unsafe {
            let (start, length) = ((self.buffer)(raw.as_ptr()), (self.length)(raw.as_ptr()));
            let data = if start.is_null() { &[] } else { std::slice::from_raw_parts(start, length) };
            Piece {
                data: data.to_vec(),
                rows: (self.rows)(raw.as_ptr()),
                rows_read: (self.storage_rows)(raw.as_ptr()),
                bytes_read: (self.storage_bytes)(raw.as_ptr()),
                rows_written: (self.rows_written)(raw.as_ptr()),
                bytes_written: (self.bytes_written)(raw.as_ptr()),
            }
        };
        // SAFETY: destroyed once, and not used after.
        unsafe { (self.destroy)(raw.as_ptr()) };
        failed.map_or(Ok(piece), Err)
    }
}

/// Some of a result, or all of it.
#[derive(Debug, Default)]
pub(crate) struct Piece {
    pub(crate) data: Vec<u8>,
    pub(crate) rows: u64,
    pub(crate) rows_read: u64,
    pub(crate) bytes_read: u64,
    pub(crate) rows_written: u64,
    pub(crate) bytes_written: u64,
}

/// A SELECT under way; dropping it ends it.
pub(crate) struct Rows<'c> {
    connection: &'c mut Connection,
    raw: NonNull<c_void>,
    running: bool,
}

impl Rows<'_> {
    /// The next piece; `None` after the last one.
    pub(crate) fn next(&mut self) -> Result<Option<Piece>, Exception> {
        if !self.running {
            return Ok(None);
        }
        let library = self.connection.library;
        // SAFETY: an open connection and its own stream, which has not ended.
        let raw = unsafe { (library.fetch)(self.connection.handle(), self.raw.as_ptr()) };
        let piece = library.take(raw).inspect_err(|_| self.running = false)?;
        if piece.data.is_empty() {
            self.running = false;
            return Ok(None);
        }
        Ok(Some(piece))
    }
}

impl Drop for Rows<'_> {
    fn drop(&mut self) {
        let library = self.connection.library;
        if self.running {
            // SAFETY: the stream has not ended; between two fetches it may be cancelled.
            unsafe { (library.cancel)(self.connection.handle(), self.raw.as_ptr()) };
        }
        // SAFETY: destroyed once.
        unsafe { (library.destroy)(self.raw.as_ptr()) };
    }
}

/// An INSERT that takes data; dropping it before `done` gives up what has not been written.
pub(crate) struct Insertion<'c> {
    connection: &'c mut Connection,
    raw: NonNull<c_void>,
    open: bool,
}

impl Insertion<'_> {
    fn error(&self) -> Option<Exception> {
        // SAFETY: an insertion that has not been destroyed; the text is copied.
        text(unsafe { (self.connection.library.insert_error)(self.raw.as_ptr()) }).map(Exception::from_engine)
    }

    /// Hands over some bytes; they need not end where a row does. Blocks while the engine is busy with earlier ones.
    pub(crate) fn append(&mut self, data: &[u8]) -> Result<(), Exception> {
        // SAFETY: an open insertion and `len` bytes, which the engine copies.
        let status =
            unsafe { (self.connection.library.append)(self.raw.as_ptr(), data.as_ptr(), data.len()) };
        if status == 0 {
            return Ok(());
        }
        Err(self.error().unwrap_or_else(Exception::without_answer))
    }

    /// Ends the data. When this returns, the rows are in the table.
    pub(crate) fn done(mut self) -> Result<Piece, Exception> {
        self.open = false;
        // SAFETY: an open insertion, ended once.
        let raw = unsafe { (self.connection.library.done)(self.raw.as_ptr()) };
        if raw.is_null() {
            return Err(self.error().unwrap_or_else(Exception::without_answer));
        }
        self.connection.library.take(raw)
    }
}

impl Drop for Insertion<'_> {
    fn drop(&mut self) {
        let library = self.connection.library;
        if self.open {
            // SAFETY: not ended yet.
            unsafe { (library.cancel_insert)(self.raw.as_ptr()) };
        }
        // SAFETY: destroyed once, whatever became of it.
        unsafe { (library.destroy_insert)(self.raw.as_ptr()) };
    }
}

fn text(start: *const c_char) -> Option<String> {
    if start.is_null() {
        return None;
    }
    // SAFETY: what the library returns as text ends with zero and lives through this call.
    Some(unsafe { CStr::from_ptr(start) }.to_string_lossy().into_owned())
}

/// Runs `hook` when the process exits, before the destructors of what is loaded until now.
pub(crate) fn at_exit(hook: extern "C" fn()) {
    unsafe extern "C" {
        fn atexit(hook: extern "C" fn()) -> c_int;
    }
    // SAFETY: the C library's own function; the hook lives as long as the program.
    // A full table of hooks (status not 0) leaves us where we were without one.
    unsafe { atexit(hook) };
}
