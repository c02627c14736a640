//! Finds the Python interpreter that tasks run in.

use std::path::{Path, PathBuf};

/// Where to look, read from the environment once.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// `NOETL_PYTHON`: a path, or a name on the search path.
    pub chosen: Option<PathBuf>,
    pub search_path: Vec<PathBuf>,
    /// `PYENV_VERSION`.
    pub pyenv_version: Option<String>,
}

impl Places {
    pub fn from_env() -> Self {
        Self {
            chosen: std::env::var_os("NOETL_PYTHON").filter(|value| !value.is_empty()).map(PathBuf::from),
            search_path: std::env::var_os("PATH")
                .map(|value| std::env::split_paths(&value).collect())
                .unwrap_or_default(),
            pyenv_version: std::env::var("PYENV_VERSION").ok(),
        }
    }

    /// The interpreter's program file.
    pub fn interpreter(&self) -> Result<PathBuf, NotFound> {
        let names: Vec<PathBuf> = match &self.chosen {
            Some(path) if path.components().count() > 1 => {
                return if path.is_file() { Ok(path.clone()) } else { Err(NotFound(Some(path.clone()))) };
            }
            Some(name) => vec![name.clone()],
            None => vec!["python3".into(), "python".into()],
        };
        let found =
            names.iter().flat_map(|name| self.search_path.iter().map(move |folder| folder.join(name)));
        for candidate in found.filter(|candidate| candidate.is_file()) {
            match self.behind_shim(&candidate) {
                Shim::Not => return Ok(candidate),
                Shim::For(interpreter) => return Ok(interpreter),
                Shim::ForSystem => {}
            }
        }
        Err(NotFound(self.chosen.clone()))
    }

    /// pyenv's shims are shell scripts that cost more time than the interpreter's own start.
    fn behind_shim(&self, candidate: &Path) -> Shim {
        let Some(folder) = candidate.parent().filter(|folder| folder.ends_with("shims")) else {
            return Shim::Not;
        };
        let Some(root) = folder.parent().filter(|root| root.join("versions").is_dir()) else {
            return Shim::Not;
        };
        let version = self.pyenv_version.clone().or_else(|| {
            let here = std::env::current_dir().unwrap_or_default();
            here.ancestors()
                .map(|folder| folder.join(".python-version"))
                .chain([root.join("version")])
                .find_map(|file| std::fs::read_to_string(file).ok())
        });
        let version =
            version.as_deref().and_then(|text| text.split([':', '\n', ' ']).next()).unwrap_or_default();
        if version == "system" {
            return Shim::ForSystem;
        }
        let interpreter = root.join("versions").join(version).join("bin").join("python3");
        if !version.is_empty() && interpreter.is_file() { Shim::For(interpreter) } else { Shim::Not }
    }
}

enum Shim {
    Not,
    For(PathBuf),
    /// pyenv hands on to whatever follows it on the search path.
    ForSystem,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct NotFound(Option<PathBuf>);

impl std::fmt::Display for NotFound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            Some(chosen) => write!(f, "there is no Python interpreter at {}", chosen.display())?,
            None => {
                f.write_str("no Python interpreter was found: neither python3 nor python is on the PATH")?;
            }
        }
        f.write_str("; install one (apt-get install python3) or set NOETL_PYTHON to its path")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_behind_pyenv_shims_and_names_what_is_missing() {
        let root = tempfile::tempdir().unwrap();
        let touch = |name: &str, text: &str| {
            let path = root.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, text).unwrap();
            path
        };
        touch("pyenv/shims/python3", "");
        let behind = touch("pyenv/versions/3.12.1/bin/python3", "");
        let system = touch("usr/bin/python3", "");
        let places = |version: &str| Places {
            chosen: None,
            search_path: vec![root.path().join("pyenv/shims"), root.path().join("usr/bin")],
            pyenv_version: Some(version.into()),
        };
        assert_eq!(places("3.12.1").interpreter(), Ok(behind));
        assert_eq!(places("system").interpreter(), Ok(system));
        assert_eq!(places("9.9").interpreter(), Ok(root.path().join("pyenv/shims/python3")));

        let nowhere = Places { chosen: Some("/nowhere/python3".into()), ..Places::default() };
        let message = nowhere.interpreter().unwrap_err().to_string();
        assert!(message.contains("/nowhere/python3") && message.contains("NOETL_PYTHON"), "{message}");
    }
}
