//! How this program is called, for lines that a user may copy.

use std::path::{Path, PathBuf};

/// `noetl` when it was found on PATH, else the way to the binary from here.
pub(crate) fn name() -> String {
    let typed = std::env::args_os().next().map_or_else(|| PathBuf::from("noetl"), PathBuf::from);
    shown(&typed, std::env::current_dir().ok().as_deref())
}

fn shown(typed: &Path, here: Option<&Path>) -> String {
    if typed.components().count() == 1 {
        return typed.display().to_string();
    }
    let below = here.and_then(|here| typed.strip_prefix(here).ok()).unwrap_or(typed);
    // A file of this directory is not searched for without the dot.
    if below.components().count() == 1 {
        format!("./{}", below.display())
    } else {
        below.display().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_binary_outside_path_is_named_by_its_place() {
        let here = Some(Path::new("/home/ada/noetl"));
        for (typed, expected) in [
            ("noetl", "noetl"),
            ("/home/ada/noetl/target/debug/noetl", "target/debug/noetl"),
            ("/home/ada/noetl/noetl", "./noetl"),
            ("/opt/bin/noetl", "/opt/bin/noetl"),
            ("target/debug/noetl", "target/debug/noetl"),
        ] {
            assert_eq!(shown(Path::new(typed), here), expected);
        }
    }
}
