//! Fingerprints: which messages say the same thing.
//!
//! A [`Miner`] reads messages one after another and gives each the [`Id`] of its template,
//! such as `connection to <ip>:<num> refused`.
//! Values whose type shows in their form are masked first (`scan`, `atom`); what then differs only in words that vary
//! as names do becomes one template (`engine`, `evidence`).
//! A message of a known shape costs one pass and one lookup, and allocates nothing.
//!
//! Memory is bounded: by messages cut in length, by patterns kept, by shapes remembered.
//! An id, once given, stays with its cluster while the template grows more general; where clusters turn out to be one,
//! the younger id becomes an alias of the older.
//! States of several processes [`merge`](Miner::merge) to the same clusters in whichever order.
//!
//! Nothing here knows a particular system's logs.

mod atom;
mod bytes;
mod dates;
mod engine;
mod evidence;
mod host;
mod kind;
mod measure;
mod message;
mod numbered;
mod scan;
mod shape;
mod state;
mod template;

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

pub use kind::Kind;
pub use state::{Snapshot, StoredCluster};
pub use template::Template;

use engine::{Counts, Engine};
use scan::{Form, Scanner};
use template::Column;

/// The stable name of a cluster: 64 bits, as 16 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(pub u64);

/// The bounds of a miner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Templates kept; the rarest and longest unseen go first.
    pub max_clusters: usize,
    /// Shapes of messages remembered for the short way.
    pub max_shapes: usize,
    /// Bytes read of one message.
    pub max_bytes: usize,
    /// Words and values read of one message.
    pub max_words: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self { max_clusters: 10_000, max_shapes: 65_536, max_bytes: 8_192, max_words: 256 }
    }
}

/// What a message is an instance of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Match {
    pub id: Id,
    /// Whether this message is the first of its cluster.
    pub is_new: bool,
}

/// A masked value of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'m> {
    pub kind: Kind,
    pub text: &'m str,
    /// Where it begins in the message, in bytes.
    pub start: usize,
}

/// What a cluster is called, and the pattern that stands for it.
#[derive(Clone, Copy, Debug)]
struct Name {
    id: Id,
    face: usize,
}

/// Gives messages the ids of their templates.
#[derive(Clone, Debug)]
pub struct Miner {
    config: Config,
    scanner: Scanner,
    /// From the hash of a message's shape to its pattern.
    shapes: HashMap<u64, usize, PassThrough>,
    engine: Engine,
    /// By cluster of the engine.
    names: HashMap<usize, Name>,
    /// The other way.
    by_id: BTreeMap<Id, usize>,
    aliases: BTreeMap<Id, Id>,
    messages: u64,
}

impl Miner {
    pub fn new(config: Config) -> Self {
        Self {
            config,
            scanner: Scanner::default(),
            shapes: HashMap::default(),
            engine: Engine::new(Counts::Add),
            names: HashMap::new(),
            by_id: BTreeMap::new(),
            aliases: BTreeMap::new(),
            messages: 0,
        }
    }

    /// The cluster of one message, in the light of what came before it.
    pub fn observe(&mut self, message: &str) -> Match {
        let before = self.engine.patterns.len();
        let at = self.note(message);
        if self.engine.patterns.len() == before {
            // The short way: nothing was learned, so nothing can have moved.
            let cluster = self.engine.cluster(self.engine.patterns[at].cluster);
            if let Some(name) = self.names.get(&cluster) {
                return Match { id: name.id, is_new: false };
            }
        }
        self.engine.settle(at);
        let matched = self.named(at);
        self.bound();
        matched
    }

    /// The cluster of a message that was observed before; counts nothing and learns nothing.
    pub fn recall(&mut self, message: &str) -> Option<Id> {
        let essence = message::essence(message, self.config.max_bytes);
        let units = self.scanner.scan(&essence, self.config.max_words);
        let at = match self.shapes.get(&Scanner::shape(units)) {
            Some(known) => *known,
            None => self.engine.find(&shape::columns(&essence, units))?,
        };
        let at = self.engine.pattern(at);
        let cluster = self.engine.cluster(self.engine.patterns[at].cluster);
        self.names.get(&cluster).map(|name| name.id)
    }

    /// The clusters of several messages, each in the light of all of them and of what came before.
    ///
    /// A look at a few thousand messages tells names from states better than a look at one.
    pub fn observe_all<'m>(&mut self, messages: impl IntoIterator<Item = &'m str>) -> Vec<Match> {
        let before = self.engine.patterns.len();
        let noted: Vec<usize> = messages.into_iter().map(|message| self.note(message)).collect();
        self.settle_from(before);
        let matches = noted.into_iter().map(|at| self.named(at)).collect();
        self.bound();
        matches
    }

    /// What the messages of a cluster have in common; an id that became an alias still answers.
    pub fn template(&self, id: Id) -> Option<&Template> {
        let cluster = *self.by_id.get(&self.current(id))?;
        let name = self.names.get(&cluster)?;
        Some(&self.engine.patterns[self.engine.pattern(name.face)].template)
    }

    /// The id under which a cluster goes today, and its template as text.
    pub fn describe(&self, id: Id) -> (Id, String) {
        let id = self.current(id);
        (id, self.template(id).map(ToString::to_string).unwrap_or_default())
    }

    /// The id under which a cluster goes today.
    pub fn current(&self, id: Id) -> Id {
        self.aliases.get(&id).copied().unwrap_or(id)
    }

    /// Ids that were given once and have become part of another: old to current.
    pub fn aliases(&self) -> impl Iterator<Item = (Id, Id)> {
        self.aliases.iter().map(|(old, current)| (*old, *current))
    }

    /// How many clusters there are.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// The masked values of a message with their types, in order: what may be shown, filtered or left out.
    pub fn fields<'m>(&mut self, message: &'m str) -> Vec<Field<'m>> {
        let end = message.floor_char_boundary(self.config.max_bytes);
        let message = message.get(..end).unwrap_or_default();
        let kind = |form| match form {
            Form::Value(kind) => Some(kind),
            Form::Numbered => Some(Kind::Id),
            Form::Word | Form::Punctuation => None,
        };
        let units = self.scanner.scan(message, self.config.max_words);
        let field = |unit: &scan::Unit| {
            let kind = kind(unit.form)?;
            Some(Field { kind, text: unit.text(message), start: unit.start as usize })
        };
        units.iter().filter_map(field).collect()
    }

    /// Counts a message and finds or makes its pattern.
    fn note(&mut self, message: &str) -> usize {
        self.messages += 1;
        let essence = message::essence(message, self.config.max_bytes);
        let units = self.scanner.scan(&essence, self.config.max_words);
        let shape = Scanner::shape(units);
        if let Some(known) = self.shapes.get(&shape) {
            let at = self.engine.pattern(*known);
            let pattern = &mut self.engine.patterns[at];
            pattern.count += 1;
            pattern.touched = self.messages;
            return at;
        }
        let columns: Vec<Column> = shape::columns(&essence, units);
        let (at, _) = self.engine.insert(columns, 1, self.messages);
        if self.shapes.len() >= self.config.max_shapes {
            self.shapes.clear();
        }
        self.shapes.insert(shape, at);
        at
    }

    /// Settles every pattern that was made since.
    fn settle_from(&mut self, first: usize) {
        let mut at = first;
        // Generalising makes patterns, which are settled in their turn.
        while at < self.engine.patterns.len() {
            if self.engine.patterns[at].moved.is_none() {
                self.engine.settle(at);
            }
            at += 1;
        }
    }

    /// The id of the cluster of a pattern; a cluster gets its id from its template when it is first asked for.
    fn named(&mut self, at: usize) -> Match {
        let at = self.engine.pattern(at);
        let cluster = self.engine.cluster(self.engine.patterns[at].cluster);
        self.forward_ids();
        if let Some(name) = self.names.get(&cluster) {
            return Match { id: name.id, is_new: false };
        }
        let mut id = Id(self.engine.patterns[at].template.hash());
        while self.by_id.contains_key(&id) || self.aliases.contains_key(&id) {
            id = Id(bytes::mix(id.0.wrapping_add(1)));
        }
        self.name(cluster, Name { id, face: at });
        Match { id, is_new: true }
    }

    /// Turns the ids of clusters that became part of others into aliases.
    fn forward_ids(&mut self) {
        for younger in self.engine.take_united() {
            let older = self.engine.cluster(younger);
            let Some(name) = self.names.remove(&younger) else { continue };
            self.by_id.remove(&name.id);
            match self.names.get(&older) {
                Some(current) => self.alias(name.id, current.id),
                None => self.name(older, name),
            }
        }
    }

    fn name(&mut self, cluster: usize, name: Name) {
        self.by_id.insert(name.id, cluster);
        self.names.insert(cluster, name);
    }

    fn alias(&mut self, old: Id, current: Id) {
        for target in self.aliases.values_mut().filter(|target| **target == old) {
            *target = current;
        }
        self.aliases.insert(old, current);
        if self.aliases.len() > 4 * self.config.max_clusters {
            self.aliases.pop_first();
        }
    }
}

impl std::fmt::Display for Id {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl std::str::FromStr for Id {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        u64::from_str_radix(text, 16).map(Self)
    }
}

impl Serialize for Id {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Shapes are hashes already.
#[derive(Clone, Copy, Debug, Default)]
struct PassThrough;

impl std::hash::BuildHasher for PassThrough {
    type Hasher = Same;

    fn build_hasher(&self) -> Same {
        Same(0)
    }
}

#[derive(Debug)]
struct Same(u64);

impl std::hash::Hasher for Same {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}
