//! The documents that were named: files, those below directories, and pages of the web.

use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use noetl_api::client::{FetchError, Fetched, fetch};
use noetl_api::knowledge::{Format, KnowledgeRequest, LARGEST};
use noetl_domain::code::Code;

use crate::problem::Problem;

/// How long a page may take.
const PATIENCE: Duration = Duration::from_mins(1);
/// Documents of one directory, at most: whoever names `/` did not mean it.
const MOST: usize = 20_000;

/// A document that is to be taken in.
#[derive(Debug)]
pub(super) struct Document {
    named: Named,
    /// It was typed itself, not only the directory that it lies in.
    is_named: bool,
}

/// A place, and what is found there is known by.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) name: String,
    place: Place,
}

#[derive(Debug, PartialEq, Eq)]
enum Place {
    File(PathBuf),
    Page(String),
}

impl Named {
    /// A path or address as somebody typed it.
    pub(super) fn of(text: &str) -> Self {
        let start = text.get(..8).unwrap_or(text).to_ascii_lowercase();
        if start.starts_with("http://") || start.starts_with("https://") {
            return Self { name: text.to_owned(), place: Place::Page(text.to_owned()) };
        }
        let path = Path::new(text);
        Self { name: name_of(path), place: Place::File(path.to_owned()) }
    }
}

/// `./docs/ops.md` and `docs//ops.md` are `docs/ops.md`.
fn name_of(path: &Path) -> String {
    let parts = path.components().filter(|part| !matches!(part, Component::CurDir));
    parts.collect::<PathBuf>().display().to_string()
}

/// Everything that was named, in the order it was; files below a directory by name.
pub(super) fn find(places: &[String], name: Option<&str>) -> anyhow::Result<Vec<Document>> {
    if name.is_some() && places.len() > 1 {
        return Err(Problem::usage("--as names one document or directory, and several were given")
            .hint("add them one after another")
            .into());
    }
    let mut found = Vec::new();
    for text in places {
        let mut named = Named::of(text);
        let directory = match &named.place {
            Place::File(path) if path.is_dir() => Some(path.clone()),
            Place::File(path) if !path.exists() => {
                return Err(Problem::usage(format!("there is no file or directory {}", path.display()))
                    .hint("addresses begin with http:// or https://")
                    .into());
            }
            Place::File(_) | Place::Page(_) => None,
        };
        if let Some(name) = name {
            name.clone_into(&mut named.name);
        }
        match directory {
            Some(directory) => found.extend(below(&directory, &named.name)?),
            None => found.push(Document { named, is_named: true }),
        }
    }
    Ok(found)
}

/// The documents below a directory; what is hidden, and what only points elsewhere, is left alone.
fn below(directory: &Path, name: &str) -> anyhow::Result<Vec<Document>> {
    let mut files = Vec::new();
    let mut open = vec![directory.to_owned()];
    while let Some(folder) = open.pop() {
        let listed = || format!("cannot list {}", folder.display());
        for entry in std::fs::read_dir(&folder).with_context(listed)? {
            let entry = entry.with_context(listed)?;
            if entry.file_name().to_string_lossy().starts_with('.') {
                continue;
            }
            let kind = entry.file_type().with_context(listed)?;
            if kind.is_dir() {
                open.push(entry.path());
            } else if kind.is_file() && by_name(&entry.file_name().to_string_lossy()).is_some() {
                files.push(entry.path());
            }
        }
        if files.len() > MOST {
            return Err(Problem::usage(format!("{} holds more than {MOST} documents", directory.display()))
                .hint("name the directories below it that are meant")
                .into());
        }
    }
    if files.is_empty() {
        return Err(Problem::usage(format!("there is no document below {}", directory.display()))
            .hint("documents end in .md, .markdown, .txt, .rst, .html or .htm; name a file to take it whatever it is called")
            .into());
    }
    files.sort();
    let document = |path: PathBuf| {
        let inside = path.strip_prefix(directory).unwrap_or(&path);
        let whole = if name.is_empty() { name_of(inside) } else { format!("{name}/{}", inside.display()) };
        Document { named: Named { name: whole, place: Place::File(path) }, is_named: false }
    };
    Ok(files.into_iter().map(document).collect())
}

/// How a document is written, by how its name ends.
fn by_name(name: &str) -> Option<Format> {
    match Path::new(name).extension()?.to_str()?.to_ascii_lowercase().as_str() {
        "md" | "markdown" => Some(Format::Markdown),
        "txt" | "rst" => Some(Format::Text),
        "html" | "htm" => Some(Format::Html),
        _ => None,
    }
}

impl Document {
    pub(super) fn name(&self) -> &str {
        &self.named.name
    }

    pub(super) fn is_named(&self) -> bool {
        self.is_named
    }

    /// Reads or fetches it.
    pub(super) async fn read(&self) -> anyhow::Result<KnowledgeRequest> {
        match &self.named.place {
            Place::File(path) => {
                let format = by_name(&path.to_string_lossy()).unwrap_or(Format::Text);
                let content = read(path)?;
                Ok(KnowledgeRequest { source: self.named.name.clone(), title: None, content, format })
            }
            Place::Page(address) => {
                let page = fetch(address, LARGEST, PATIENCE).await.map_err(problem)?;
                let format = written(&page)?;
                // Whoever gave no name gets the address without what is secret in it.
                let named = self.named.name != *address;
                let source = if named { self.named.name.clone() } else { page.address };
                Ok(KnowledgeRequest { source, title: None, content: page.content, format })
            }
        }
    }
}

fn read(path: &Path) -> anyhow::Result<String> {
    let refused = |reason: String| Problem::new(reason).code(Code::DocumentRefused);
    let size = std::fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?.len();
    if size > LARGEST as u64 {
        let reason = format!("the document is too large: {size} bytes, and at most {LARGEST} are taken");
        return Err(refused(reason).hint("cut it into several documents").into());
    }
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let text = String::from_utf8(bytes).ok().filter(|text| !text.contains('\0'));
    text.ok_or_else(|| refused("it is no text in UTF-8".to_owned()).into())
}

/// How a page is written: as it is described, else as it is called.
fn written(page: &Fetched) -> anyhow::Result<Format> {
    let path = page.address.split('?').next().unwrap_or_default();
    let by_name = by_name(path);
    let format = match page.content_type.as_str() {
        "text/html" | "application/xhtml+xml" => Some(Format::Html),
        "text/markdown" | "text/x-markdown" => Some(Format::Markdown),
        // Many servers know no better.
        "" | "text/plain" | "application/octet-stream" => by_name.or(Some(Format::Text)),
        other if other.starts_with("text/") => by_name.or(Some(Format::Text)),
        _ => by_name,
    };
    format.ok_or_else(|| {
        Problem::new(format!("it is {}; text, Markdown and HTML are taken", page.content_type))
            .code(Code::DocumentRefused)
            .into()
    })
}

fn problem(error: FetchError) -> anyhow::Error {
    let code = match &error {
        FetchError::Address { .. } => Code::CommandLine,
        FetchError::Setup(_) => Code::Internal,
        FetchError::Unreachable { .. } | FetchError::Status { .. } | FetchError::Slow { .. } => {
            Code::Connection
        }
        FetchError::TooLarge { .. } | FetchError::NotText { .. } => Code::DocumentRefused,
    };
    let problem = Problem::new(error.to_string()).code(code);
    anyhow::Error::from(error).context(problem)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(found: &[Document]) -> Vec<&str> {
        found.iter().map(Document::name).collect()
    }

    #[test]
    fn documents_below_a_directory_are_found_by_name() {
        let directory = tempfile::tempdir().unwrap();
        for file in ["b.md", "a/c.HTML", "a/d.rst", "a/e.png", ".git/f.md", "a/.hidden.md"] {
            let path = directory.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "text").unwrap();
        }
        let typed = [directory.path().display().to_string()];
        assert_eq!(
            names(&find(&typed, Some("team")).unwrap()),
            ["team/a/c.HTML", "team/a/d.rst", "team/b.md"]
        );
        let whole = find(&typed, None).unwrap();
        assert_eq!(whole[2].name(), directory.path().join("b.md").display().to_string());
        assert!(find(&[directory.path().join("a/.git").display().to_string()], None).is_err());
        let two = [typed[0].clone(), typed[0].clone()];
        assert!(find(&two, Some("team")).unwrap_err().to_string().contains("--as"));
    }

    #[test]
    fn one_place_has_one_name() {
        assert_eq!(Named::of("./docs//ops.md").name, "docs/ops.md");
        assert_eq!(Named::of("/work/ops.md").name, "/work/ops.md");
        assert_eq!(
            Named::of("HTTPS://x.example/a"),
            Named { name: "HTTPS://x.example/a".into(), place: Place::Page("HTTPS://x.example/a".into()) }
        );
    }

    #[test]
    fn pages_are_read_as_they_are_described_or_called() {
        let page = |content_type: &str, address: &str| {
            written(&Fetched {
                address: address.into(),
                content_type: content_type.into(),
                content: String::new(),
            })
            .ok()
        };
        assert_eq!(page("text/html", "https://x.example/a.md"), Some(Format::Html));
        assert_eq!(page("text/plain", "https://x.example/a.md?raw=1"), Some(Format::Markdown));
        assert_eq!(page("application/octet-stream", "https://x.example/a"), Some(Format::Text));
        assert_eq!(page("image/png", "https://x.example/a"), None);
    }
}
