//! The state of a miner: kept, restored, merged with that of another process, and bounded.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::engine::{Counts, Engine, Pattern};
use super::template::Template;
use super::{Config, Id, Miner, Name};

/// Everything that a miner has learned, for a store or another process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    pub clusters: Vec<StoredCluster>,
    /// Old ids and what they are called today.
    #[serde(default)]
    pub aliases: BTreeMap<Id, Id>,
}

/// One cluster: enough to rebuild it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredCluster {
    pub id: Id,
    /// Its templates, the most frequent first; more than one where messages differ in their number of words.
    pub templates: Vec<(Template, u64)>,
}

impl Miner {
    /// What was learned, in an order that depends on nothing else.
    pub fn snapshot(&self) -> Snapshot {
        let mut clusters: BTreeMap<Id, Vec<&Pattern>> = BTreeMap::new();
        for pattern in self.engine.patterns.iter().filter(|pattern| pattern.moved.is_none()) {
            if let Some(name) = self.names.get(&self.engine.cluster(pattern.cluster)) {
                clusters.entry(name.id).or_default().push(pattern);
            }
        }
        let stored = |(id, mut patterns): (Id, Vec<&Pattern>)| {
            patterns.sort_by_key(|pattern| (std::cmp::Reverse(pattern.count), pattern.template.hash()));
            let templates =
                patterns.into_iter().map(|pattern| (pattern.template.clone(), pattern.count)).collect();
            StoredCluster { id, templates }
        };
        Snapshot { clusters: clusters.into_iter().map(stored).collect(), aliases: self.aliases.clone() }
    }

    /// A miner that goes on where the snapshot was taken.
    pub fn restore(config: Config, snapshot: Snapshot) -> Self {
        let mut miner = Self::new(config);
        miner.absorb(vec![snapshot]);
        miner.engine.count_as(Counts::Add);
        miner
    }

    /// Takes in what another miner has learned.
    ///
    /// Both orders give the same clusters, and a second time changes nothing.
    /// Of clusters that turn out to be one, the smallest id stays; the others become aliases.
    /// Counts are the greater of both, as both may have counted the same messages.
    pub fn merge(&mut self, other: &Snapshot) {
        let mine = self.snapshot();
        let (config, messages) = (self.config, self.messages);
        *self = Self::new(config);
        self.messages = messages;
        self.absorb(vec![mine, other.clone()]);
        self.engine.count_as(Counts::Add);
        self.bound();
    }

    fn absorb(&mut self, snapshots: Vec<Snapshot>) {
        self.engine = Engine::new(Counts::Join);
        let mut patterns: Vec<(Template, u64, Id)> = Vec::new();
        for snapshot in &snapshots {
            for cluster in &snapshot.clusters {
                patterns.extend(
                    cluster.templates.iter().map(|(template, count)| (template.clone(), *count, cluster.id)),
                );
            }
        }
        // General templates first, so that they take in the others; then by content, never by who brought them.
        patterns.sort_by(|(mine, my_count, my_id), (theirs, their_count, their_id)| {
            let open =
                |template: &Template| template.columns.iter().filter(|column| column.is_open()).count();
            (open(theirs), mine.hash(), their_count, my_id)
                .cmp(&(open(mine), theirs.hash(), my_count, their_id))
                // The hash does not see how long a rule of marks is, nor the digits of a numbered word.
                .then_with(|| mine.texts().cmp(theirs.texts()))
        });
        let mut slots: BTreeMap<Id, (usize, usize)> = BTreeMap::new();
        for (template, count, id) in patterns {
            let (at, _) = self.engine.insert(template.columns, count, self.messages);
            let cluster = self.engine.patterns[at].cluster;
            match slots.get(&id) {
                Some((slot, _)) => self.engine.unite(*slot, cluster),
                None => {
                    slots.insert(id, (cluster, at));
                }
            }
        }
        self.settle_all();
        self.engine.take_united();
        for snapshot in snapshots {
            self.aliases.extend(snapshot.aliases);
        }
        for (id, (cluster, face)) in slots {
            let cluster = self.engine.cluster(cluster);
            match self.names.get(&cluster) {
                // Ids come in order: the smallest is there first.
                Some(current) => self.alias(id, current.id),
                None => self.name(cluster, Name { id, face }),
            }
        }
        self.tidy_aliases();
    }

    /// Settles until nothing more follows.
    fn settle_all(&mut self) {
        loop {
            let before = self.engine.patterns.len();
            self.settle_from(0);
            if self.engine.patterns.len() == before {
                return;
            }
        }
    }

    /// Every alias names a living id.
    fn tidy_aliases(&mut self) {
        let mut tidy = BTreeMap::new();
        for old in self.aliases.keys() {
            let mut current = *old;
            // A chain cannot be longer than the table.
            for _ in 0..=self.aliases.len() {
                if self.by_id.contains_key(&current) {
                    break;
                }
                let Some(next) = self.aliases.get(&current) else { break };
                current = *next;
            }
            if current != *old && self.by_id.contains_key(&current) {
                tidy.insert(*old, current);
            }
        }
        self.aliases = tidy;
    }

    /// Lets go of the rarest patterns, and of what is left of those that others took in.
    pub(super) fn bound(&mut self) {
        let limit = self.config.max_clusters.max(1);
        let dead = self.engine.patterns.len() - self.engine.live;
        if self.engine.live <= limit && dead <= limit {
            return;
        }
        let old = std::mem::replace(&mut self.engine, Engine::new(Counts::Add));
        let mut living: Vec<&Pattern> =
            old.patterns.iter().filter(|pattern| pattern.moved.is_none()).collect();
        if living.len() > limit {
            living.sort_by_key(|pattern| std::cmp::Reverse((pattern.count.min(16), pattern.touched)));
            living.truncate(limit - limit / 8);
        }
        living.sort_by_key(|pattern| pattern.cluster);
        let names = std::mem::take(&mut self.names);
        self.by_id.clear();
        self.shapes.clear();
        let mut slots: BTreeMap<usize, usize> = BTreeMap::new();
        for pattern in living {
            let was = old.cluster(pattern.cluster);
            let cluster = *slots.entry(was).or_insert_with(|| self.engine.new_cluster());
            let face = self.engine.keep(pattern, cluster);
            if let (Some(name), false) = (names.get(&was), self.names.contains_key(&cluster)) {
                self.name(cluster, Name { id: name.id, face });
            }
        }
        self.tidy_aliases();
    }
}
