//! What lies in the engine's directory: `lock`, `config.xml`, `users.xml`, and the engine's own `data`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The role a reading session confines itself to.
pub(crate) const READER: &str = "noetl_reader";

pub(crate) fn data(root: &Path) -> PathBuf {
    root.join("data")
}

pub(crate) fn config(root: &Path) -> PathBuf {
    root.join("config.xml")
}

/// Writes the configuration anew: it follows from the program, and edits to it would be lost in silence otherwise.
pub(crate) fn write(root: &Path, memory: Option<u64>) -> io::Result<()> {
    for folder in ["data", "tmp", "files", "schemas"] {
        fs::create_dir_all(root.join(folder))?;
    }
    let at = |name: &str| escaped(&root.join(name).display().to_string());
    let memory = memory.map_or_else(String::new, |bytes| {
        format!("  <max_server_memory_usage>{bytes}</max_server_memory_usage>\n")
    });
    let config = format!(
        "<clickhouse>\n\
         \x20 <users_config>{users}</users_config>\n\
         \x20 <tmp_path>{tmp}/</tmp_path>\n\
         \x20 <user_files_path>{files}/</user_files_path>\n\
         \x20 <format_schema_path>{schemas}/</format_schema_path>\n\
         {memory}\
         \x20 <mark_cache_size>134217728</mark_cache_size>\n\
         \x20 <index_mark_cache_size>33554432</index_mark_cache_size>\n\
         \x20 <primary_index_cache_size>134217728</primary_index_cache_size>\n\
         \x20 <query_condition_cache_size>16777216</query_condition_cache_size>\n\
         \x20 <background_pool_size>2</background_pool_size>\n\
         </clickhouse>\n",
        users = at("users.xml"),
        tmp = at("tmp"),
        files = at("files"),
        schemas = at("schemas"),
    );
    fs::write(self::config(root), config)?;
    fs::write(root.join("users.xml"), users())
}

/// chDB knows one user, so what a session may do hangs on the role it takes. The front checks keys.
fn users() -> String {
    format!(
        "<clickhouse>\n\
         \x20 <profiles><default/></profiles>\n\
         \x20 <quotas><default/></quotas>\n\
         \x20 <roles>\n\
         \x20   <noetl_owner><grants><query>GRANT ALL ON *.*</query></grants></noetl_owner>\n\
         \x20   <{READER}><grants><query>GRANT SELECT, SHOW, dictGet ON *.*</query></grants></{READER}>\n\
         \x20 </roles>\n\
         \x20 <users><default><no_password/><profile>default</profile><quota>default</quota><grants>\n\
         \x20   <query>GRANT noetl_owner</query><query>GRANT {READER}</query>\n\
         \x20 </grants></default></users>\n\
         </clickhouse>\n"
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
