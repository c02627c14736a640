//! The one miner of this process, shared by everything that names the shapes of messages.
//!
//! Its state is kept in a file, and a fingerprint whose template is new or changed is handed to the analytic store.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use noetl_domain::fingerprint::{Config, Id, Miner, Snapshot};

use crate::policy::{self, Text};
use crate::rows::TemplateRow;

/// Where a message came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Error,
    Log,
}

impl Source {
    fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Log => "log",
        }
    }
}

/// Templates whose last telling is remembered; beyond that they are told once more.
const MOST_TOLD: usize = 50_000;

/// Clones share the miner.
#[derive(Clone)]
pub struct Fingerprints {
    /// Read from the file when it is needed first, so that a process that asks nothing does not pay for it.
    inner: Arc<OnceLock<Mutex<Inner>>>,
    file: Arc<PathBuf>,
    /// Held while the file is written: several followers save before they give up their places.
    saving: Arc<Mutex<()>>,
}

struct Inner {
    miner: Miner,
    /// Fingerprints seen since they were last told, with the moment and the source.
    touched: BTreeMap<u64, (i64, Source)>,
    /// Templates as they were last told: what each fingerprint stood for, and under which it went.
    told: HashMap<u64, (String, u64)>,
    /// Position of the newest Event whose messages were learned from.
    learned: u64,
    is_saved: bool,
}

impl std::fmt::Debug for Fingerprints {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fingerprints").field("file", &self.file).finish_non_exhaustive()
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    pub(crate) id: u64,
}

impl Fingerprints {
    /// Goes on with what the file holds; begins anew when there is none or it cannot be read.
    pub fn open(directory: &Path) -> Self {
        let file = Arc::new(directory.join("fingerprints.json"));
        Self { inner: Arc::default(), file, saving: Arc::default() }
    }

    /// Whether nobody has learned from the Event at this position yet; whoever asks first does.
    ///
    /// Followers read the same Events, and a word that is seen twice because two read it is no state of a system.
    pub(crate) fn is_first(&self, position: u64) -> bool {
        let mut inner = self.lock();
        let is_first = position > inner.learned;
        inner.learned = inner.learned.max(position);
        is_first
    }

    /// Tells that a follower begins here: what comes before was learned from, in another life of the process.
    pub(crate) fn learned_to(&self, position: u64) {
        let mut inner = self.lock();
        inner.learned = inner.learned.max(position);
    }

    /// Learns from a message.
    pub(crate) fn of(&self, message: &str, source: Source, at_ms: i64) -> Seen {
        let mut inner = self.lock();
        let matched = inner.miner.observe(message);
        inner.touch(matched.id.0, at_ms, source);
        // A count that is lost in a crash changes no id.
        inner.is_saved &= !matched.is_new;
        Seen { id: matched.id.0 }
    }

    /// As [`Self::of`], for a message that was learned from before.
    pub(crate) fn again(&self, message: &str, source: Source, at_ms: i64) -> Seen {
        let recalled = {
            let mut inner = self.lock();
            let recalled = inner.miner.recall(message);
            if let Some(id) = recalled {
                inner.touch(id.0, at_ms, source);
            }
            recalled
        };
        match recalled {
            Some(id) => Seen { id: id.0 },
            // Forgotten since, or learned by a process that died before it saved.
            None => self.of(message, source, at_ms),
        }
    }

    /// The template of a fingerprint; empty when it is not known here.
    pub fn template(&self, id: u64) -> String {
        self.lock().miner.template(Id(id)).map(ToString::to_string).unwrap_or_default()
    }

    /// How many are known.
    pub fn len(&self) -> usize {
        self.lock().miner.len()
    }

    pub fn is_empty(&self) -> bool {
        self.lock().miner.is_empty()
    }

    /// What the policy lets be stored of a message.
    pub(crate) fn stored(&self, id: u64, message: &str, policy: Text) -> String {
        match policy {
            Text::Full => policy::beginning(message).to_owned(),
            Text::Template => self.template(id),
        }
    }

    /// Templates that are new or changed since the last call, among those that were seen since then.
    pub(crate) fn take_changed(&self) -> Vec<TemplateRow> {
        let mut inner = self.lock();
        let touched = std::mem::take(&mut inner.touched);
        if inner.told.len() > MOST_TOLD {
            inner.told.clear();
        }
        let mut rows = Vec::new();
        for (id, (at_ms, source)) in touched {
            let template = inner.miner.template(Id(id)).map(ToString::to_string).unwrap_or_default();
            let now = (template, inner.miner.current(Id(id)).0);
            if inner.told.get(&id) == Some(&now) {
                continue;
            }
            rows.push(TemplateRow {
                fingerprint: id,
                template: now.0.clone(),
                canonical: now.1,
                source: source.as_str().into(),
                changed_at: at_ms,
            });
            inner.told.insert(id, now);
        }
        rows
    }

    /// Forgets what was told: it may not have arrived.
    pub(crate) fn tell_again(&self) {
        self.lock().told.clear();
    }

    /// Writes the state down, if it has changed: call it before a place in the feed is given up.
    pub(crate) fn save(&self) -> io::Result<()> {
        let _saving = self.saving.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = {
            let mut inner = self.lock();
            if inner.is_saved {
                return Ok(());
            }
            inner.is_saved = true;
            serde_json::to_vec(&inner.miner.snapshot())?
        };
        let beside = self.file.with_extension("json.new");
        if let Some(directory) = self.file.parent() {
            fs::create_dir_all(directory)?;
        }
        let mut file = File::create(&beside)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        fs::rename(&beside, &*self.file)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        let inner = self.inner.get_or_init(|| {
            let miner = load(&self.file);
            Mutex::new(Inner {
                miner,
                touched: BTreeMap::new(),
                told: HashMap::new(),
                learned: 0,
                is_saved: true,
            })
        });
        inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn touch(&mut self, id: u64, at_ms: i64, source: Source) {
        // Nobody may come to take what was touched: without an analytic store nobody does.
        if self.touched.len() < MOST_TOLD {
            self.touched.entry(id).or_insert((at_ms, source));
        }
    }
}

fn load(file: &Path) -> Miner {
    let Ok(bytes) = fs::read(file) else { return Miner::new(Config::default()) };
    match serde_json::from_slice::<Snapshot>(&bytes) {
        Ok(snapshot) => Miner::restore(Config::default(), snapshot),
        Err(error) => {
            tracing::warn!(file = %file.display(), %error, "the known fingerprints cannot be read; they are found anew");
            Miner::new(Config::default())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_that_may_not_have_arrived_is_told_again() {
        let directory = tempfile::tempdir().unwrap();
        let fingerprints = Fingerprints::open(directory.path());
        let seen = |n: u32| fingerprints.of(&format!("row {n} refused"), Source::Error, 1).id;
        let id = seen(1);
        assert_eq!(fingerprints.take_changed()[0].fingerprint, id);
        assert_eq!(seen(2), id);
        assert!(fingerprints.take_changed().is_empty(), "it is known in this form");
        fingerprints.tell_again();
        assert_eq!(seen(3), id);
        assert_eq!(fingerprints.take_changed().len(), 1);
    }

    #[test]
    fn followers_that_read_the_same_learn_from_it_once() {
        let directory = tempfile::tempdir().unwrap();
        let fingerprints = Fingerprints::open(directory.path());
        let read = |position: u64, message: &str| {
            if fingerprints.is_first(position) {
                fingerprints.of(message, Source::Error, 1).id
            } else {
                fingerprints.again(message, Source::Error, 1).id
            }
        };
        // Names come once each; read by two followers they still come once.
        let names = ["alice", "bob", "carol", "dave", "erin", "frank"];
        let messages = names.map(|name| format!("user {name} may not read the ledger"));
        let one: Vec<u64> = messages.iter().zip(1..).map(|(message, at)| read(at, message)).collect();
        let two: Vec<u64> = messages.iter().zip(1..).map(|(message, at)| read(at, message)).collect();
        assert_eq!(one.last(), two.last());
        assert_eq!(fingerprints.len(), 1, "{one:?} {two:?}");
    }

    #[test]
    fn a_new_process_gives_the_same_ids() {
        let directory = tempfile::tempdir().unwrap();
        let first = Fingerprints::open(directory.path());
        let id = first.of("connection to 10.0.0.1:5432 refused", Source::Error, 1).id;
        first.save().unwrap();
        let second = Fingerprints::open(directory.path());
        assert_eq!(second.len(), 1);
        assert_eq!(second.of("connection to 10.0.0.9:5433 refused", Source::Error, 2).id, id);
    }
}
