//! The documents as files: the record that the collection follows.
//!
//! A vector store may be lost, and another embedder begins with empty collections; what people brought stays here.
//! Each source has a small file about it and a file with its text, named after the hashes of the name and of the text.
//! The first is replaced whole when the second is on disk, so that a source is either as it was or as it is now.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use noetl_api::knowledge::{Format, KnowledgeSource};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::insights::moment_of_ms;

/// What is known of a source.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) source: String,
    /// As it was given; empty: as the document says.
    pub(super) given_title: String,
    pub(super) title: String,
    pub(super) format: Format,
    /// Unix milliseconds.
    pub(super) added_ms: i64,
    pub(super) bytes: u64,
    /// Of the text.
    pub(super) digest: String,
    pub(super) passages: u64,
    /// The collection that held all its passages when it was last looked at; empty: none may.
    pub(super) placed: String,
}

impl Entry {
    pub(super) fn told(&self) -> KnowledgeSource {
        KnowledgeSource {
            source: self.source.clone(),
            title: self.title.clone(),
            format: self.format,
            passages: self.passages,
            bytes: self.bytes,
            added_at: moment_of_ms(self.added_ms),
        }
    }

    /// Whether it came from the same document.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.digest == other.digest && self.format == other.format && self.given_title == other.given_title
    }

    fn name(&self) -> String {
        digest(&self.source)
    }

    fn text_name(&self) -> String {
        format!("{}-{}.txt", self.name(), self.digest)
    }
}

pub(super) fn digest(text: &str) -> String {
    let hash = Sha256::digest(text.as_bytes());
    // Half of it is more than enough for names that do not collide.
    format!("{:032x}", u128::from_be_bytes(hash.first_chunk().copied().unwrap_or_default()))
}

#[derive(Debug)]
pub(super) struct Record {
    directory: PathBuf,
}

impl Record {
    pub(super) fn new(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// Every source, by name.
    pub(super) fn list(&self) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for path in self.files()? {
            if path.extension().is_some_and(|extension| extension == "json") {
                entries.extend(read(&path)?);
            }
        }
        entries.sort_by(|a: &Entry, b| a.source.cmp(&b.source));
        Ok(entries)
    }

    pub(super) fn get(&self, source: &str) -> io::Result<Option<Entry>> {
        read(&self.about(&digest(source)))
    }

    pub(super) fn content(&self, entry: &Entry) -> io::Result<String> {
        fs::read_to_string(self.directory.join(entry.text_name()))
    }

    /// Keeps a document in the place of the one that its source had.
    pub(super) fn put(&self, entry: &Entry, content: &str) -> io::Result<()> {
        let before = self.get(&entry.source)?;
        self.write(&entry.text_name(), content.as_bytes())?;
        self.tell(entry)?;
        match before {
            Some(before) if before.digest != entry.digest => forget(&self.directory.join(before.text_name())),
            _ => Ok(()),
        }
    }

    /// Replaces what is known of a source, and leaves its text alone.
    pub(super) fn tell(&self, entry: &Entry) -> io::Result<()> {
        self.write(&format!("{}.json", entry.name()), &serde_json::to_vec(entry)?)
    }

    pub(super) fn remove(&self, entry: &Entry) -> io::Result<()> {
        forget(&self.about(&entry.name()))?;
        forget(&self.directory.join(entry.text_name()))
    }

    /// Removes what a process that ended half-way left behind; says which texts are kept though nothing is known of them.
    pub(super) fn tidy(&self) -> io::Result<Vec<PathBuf>> {
        let known: HashSet<String> = self.list()?.iter().map(Entry::text_name).collect();
        let mut kept = Vec::new();
        for path in self.files()? {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let is_text = path.extension().is_some_and(|extension| extension == "txt");
            if is_text && !known.contains(&*name) && self.is_damaged(&name)? {
                // Its only copy may be this one.
                kept.push(path);
            } else if name.ends_with(".new") || is_text && !known.contains(&*name) {
                forget(&path)?;
            }
        }
        Ok(kept)
    }

    /// Whether what is known of the source of a text is there and cannot be read.
    fn is_damaged(&self, text_name: &str) -> io::Result<bool> {
        let Some((source, _)) = text_name.split_once('-') else { return Ok(false) };
        let about = self.about(source);
        Ok(about.try_exists()? && read(&about)?.is_none())
    }

    fn about(&self, name: &str) -> PathBuf {
        self.directory.join(format!("{name}.json"))
    }

    fn files(&self) -> io::Result<Vec<PathBuf>> {
        let entries = match fs::read_dir(&self.directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        entries.map(|entry| Ok(entry?.path())).collect()
    }

    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        fs::create_dir_all(&self.directory)?;
        let beside = self.directory.join(format!("{name}.new"));
        let mut file = File::create(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, self.directory.join(name))?;
        File::open(&self.directory)?.sync_all()
    }
}

/// None where there is nothing, or nothing that can be read: one broken file must not hide the other sources.
fn read(path: &Path) -> io::Result<Option<Entry>> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    match serde_json::from_slice(&bytes) {
        Ok(entry) => Ok(Some(entry)),
        Err(error) => {
            tracing::warn!(file = %path.display(), %error, "what is known of a document cannot be read");
            Ok(None)
        }
    }
}

fn forget(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(source: &str, content: &str) -> Entry {
        Entry { source: source.into(), digest: digest(content), ..Entry::default() }
    }

    fn files(record: &Record) -> usize {
        record.files().unwrap().len()
    }

    #[test]
    fn a_document_takes_the_place_of_the_one_before() {
        let directory = tempfile::tempdir().unwrap();
        let record = Record::new(directory.path().join("knowledge"));
        assert_eq!(record.list().unwrap(), []);
        for (source, content) in [("b", "one"), ("a", "one"), ("b", "two"), ("b", "two")] {
            record.put(&entry(source, content), content).unwrap();
        }
        let known = record.list().unwrap();
        assert_eq!(known.iter().map(|entry| entry.source.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        let contents: Vec<_> = known.iter().map(|entry| record.content(entry).unwrap()).collect();
        assert_eq!((contents, files(&record)), (vec!["one".to_owned(), "two".to_owned()], 4));
        record.remove(&known[0]).unwrap();
        record.remove(&known[0]).unwrap();
        assert_eq!((record.get("a").unwrap(), files(&record)), (None, 2));
    }

    #[test]
    fn what_was_left_half_way_goes_and_what_is_broken_hides_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let record = Record::new(directory.path().to_owned());
        record.put(&entry("kept", "text"), "text").unwrap();
        for name in ["abc.json.new", "abc-def.txt"] {
            fs::write(directory.path().join(name), "half").unwrap();
        }
        fs::write(directory.path().join("broken.json"), "{").unwrap();
        assert_eq!(record.tidy().unwrap(), [""; 0].map(PathBuf::from));
        assert_eq!(record.list().unwrap(), [entry("kept", "text")]);
        assert_eq!(files(&record), 3);
    }

    #[test]
    fn a_text_whose_description_is_damaged_is_kept_until_it_is_brought_again() {
        let directory = tempfile::tempdir().unwrap();
        let record = Record::new(directory.path().to_owned());
        let before = entry("runbook", "the only copy");
        record.put(&before, "the only copy").unwrap();
        fs::write(record.about(&before.name()), "{\"source\":\"runb").unwrap();
        let text = directory.path().join(before.text_name());
        for _ in 0..2 {
            assert_eq!(record.tidy().unwrap(), std::slice::from_ref(&text));
            assert_eq!(fs::read_to_string(&text).unwrap(), "the only copy");
        }
        record.put(&entry("runbook", "newer"), "newer").unwrap();
        assert_eq!((record.tidy().unwrap(), text.exists(), files(&record)), (vec![], false, 2));
    }
}
