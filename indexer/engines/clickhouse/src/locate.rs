//! Where `libchdb.so` is found when nobody names it.

use std::path::PathBuf;

use crate::engine::VERSION;

/// `NOETL_CHDB_LIB`, else what `cargo xtask setup` has put into the cache; `None` when it is not there.
pub fn library() -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(named) = set("NOETL_CHDB_LIB") {
        return Some(named);
    }
    let cache = set("NOETL_CACHE_DIR")
        .or_else(|| set("XDG_CACHE_HOME").map(|cache| cache.join("noetl")))
        .or_else(|| set("HOME").map(|home| home.join(".cache/noetl")))?;
    let path = cache.join("engines").join(format!("chdb-{VERSION}")).join("libchdb.so");
    path.is_file().then_some(path)
}
