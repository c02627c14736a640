//! Where a follower is in the feed, kept in a file that is replaced whole.
//!
//! Before rows are put into a store, the stretch they cover is written down as the intent.
//! After a crash the same stretch is put in again under the same token, so the store can tell that it has it already.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use noetl_bus::feed::Heads;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Place {
    /// The copy of the index that the place belongs to.
    pub(crate) index: String,
    pub(crate) events: u64,
    pub(crate) lines: u64,
    /// The end of the stretch that may be in the store already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) intent: Option<Until>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Until {
    pub(crate) events: u64,
    pub(crate) lines: u64,
}

impl Place {
    pub(crate) fn heads(&self) -> Heads {
        Heads { events: self.events, lines: self.lines }
    }

    /// Where the stretch ended that arrived last.
    pub(crate) fn reached(&self) -> Until {
        Until { events: self.events, lines: self.lines }
    }

    /// Names the stretch from here to there; the same stretch has the same name.
    pub(crate) fn token(&self, until: Until) -> String {
        format!("{}:{}-{}:{}-{}", self.index, self.events, until.events, self.lines, until.lines)
    }
}

/// The file of one follower.
#[derive(Debug)]
pub(crate) struct PlaceFile {
    path: PathBuf,
}

impl PlaceFile {
    pub(crate) fn new(directory: &Path, follower: &str) -> Self {
        Self { path: directory.join(format!("{follower}.json")) }
    }

    /// The place in this copy of the index; the beginning when the file speaks of another one or cannot be read.
    pub(crate) fn load(&self, index: &str) -> Place {
        let beginning = Place { index: index.to_owned(), ..Place::default() };
        let text = match fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return beginning,
            Err(error) => {
                tracing::warn!(file = %self.path.display(), %error, "the place in the feed cannot be read; indexing begins anew");
                return beginning;
            }
        };
        match serde_json::from_str::<Place>(&text) {
            Ok(place) if place.index == index => place,
            Ok(_) => beginning,
            Err(error) => {
                tracing::warn!(file = %self.path.display(), %error, "the place in the feed cannot be read; indexing begins anew");
                beginning
            }
        }
    }

    /// The place that was saved last, of whichever copy of the index; the beginning when there is none.
    pub(crate) fn last(&self) -> Place {
        let text = fs::read_to_string(&self.path).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    }

    pub(crate) fn save(&self, place: &Place) -> io::Result<()> {
        let directory = self.path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(directory)?;
        let beside = self.path.with_extension("json.new");
        let mut file = File::create(&beside)?;
        file.write_all(&serde_json::to_vec(place)?)?;
        file.sync_all()?;
        fs::rename(&beside, &self.path)?;
        File::open(directory)?.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_belongs_to_one_copy_of_the_index() {
        let directory = tempfile::tempdir().unwrap();
        let file = PlaceFile::new(directory.path(), "analytics");
        assert_eq!(file.load("one").events, 0);
        let mut place = file.load("one");
        place.events = 7;
        place.intent = Some(Until { events: 9, lines: 0 });
        file.save(&place).unwrap();
        assert_eq!(file.load("one"), place);
        assert_eq!(file.load("two"), Place { index: "two".into(), ..Place::default() });
    }

    #[test]
    fn a_broken_file_means_the_beginning() {
        let directory = tempfile::tempdir().unwrap();
        let file = PlaceFile::new(directory.path(), "analytics");
        fs::write(directory.path().join("analytics.json"), "{\"events\": ").unwrap();
        assert_eq!(file.load("one").heads(), Heads::default());
    }
}
