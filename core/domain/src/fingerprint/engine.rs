//! The patterns known so far, and how a new one finds its place among them.
//!
//! Patterns with equally many columns share a group.
//! In a group a pattern is looked up by one hash for each set of open columns that occurs there: a prefix tree whose
//! branches are all tried at once, so that a first word that varies costs nothing extra.

use std::collections::HashMap;

use super::bytes::mix;
use super::evidence::{Witness, suffices};
use super::template::{Column, Template};

/// A template, the cluster it belongs to, and what was counted.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    pub(super) template: Template,
    pub(super) count: u64,
    pub(super) cluster: usize,
    /// When it was last met, in messages.
    pub(super) touched: u64,
    /// The pattern that took it in.
    pub(super) moved: Option<usize>,
    open: u128,
}

#[derive(Clone, Debug, Default)]
struct Group {
    live: Vec<usize>,
    tables: Vec<(u128, HashMap<u64, usize>)>,
}

/// How counts combine when one pattern takes in another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counts {
    /// Other messages: add.
    Add,
    /// Perhaps the same messages, counted elsewhere: the greater.
    Join,
}

#[derive(Clone, Debug)]
pub(super) struct Engine {
    pub(super) patterns: Vec<Pattern>,
    groups: HashMap<usize, Group>,
    /// `clusters[a] == a` unless `a` became part of another.
    clusters: Vec<usize>,
    pub(super) live: usize,
    counts: Counts,
    /// Clusters that became part of others since somebody asked.
    united: Vec<usize>,
}

/// How many columns may open at once.
const TOGETHER: u32 = 3;
/// How many words longer than an open column a value may be.
const STRETCH: usize = 3;
/// Patterns compared with a new one, newest first.
const NEIGHBOURS: usize = 2048;

impl Engine {
    pub(super) fn new(counts: Counts) -> Self {
        Self {
            patterns: Vec::new(),
            groups: HashMap::new(),
            clusters: Vec::new(),
            live: 0,
            counts,
            united: Vec::new(),
        }
    }

    pub(super) fn new_cluster(&mut self) -> usize {
        self.clusters.push(self.clusters.len());
        self.clusters.len() - 1
    }

    /// The cluster that `cluster` has become part of.
    pub(super) fn cluster(&self, mut cluster: usize) -> usize {
        while self.clusters[cluster] != cluster {
            cluster = self.clusters[cluster];
        }
        cluster
    }

    /// The older cluster takes in the younger.
    pub(super) fn unite(&mut self, a: usize, b: usize) {
        let (a, b) = (self.cluster(a), self.cluster(b));
        if a != b {
            self.clusters[a.max(b)] = a.min(b);
            self.united.push(a.max(b));
        }
    }

    pub(super) fn take_united(&mut self) -> Vec<usize> {
        std::mem::take(&mut self.united)
    }

    pub(super) fn count_as(&mut self, counts: Counts) {
        self.counts = counts;
    }

    /// Takes over a pattern of another engine.
    pub(super) fn keep(&mut self, pattern: &Pattern, cluster: usize) -> usize {
        self.add(pattern.template.clone(), pattern.count, cluster, pattern.touched)
    }

    /// The living pattern that `at` has become part of.
    pub(super) fn pattern(&self, mut at: usize) -> usize {
        while let Some(next) = self.patterns[at].moved {
            at = next;
        }
        at
    }

    /// The pattern that takes these columns, if one does.
    pub(super) fn find(&self, columns: &[Column]) -> Option<usize> {
        let group = self.groups.get(&columns.len());
        let found = group
            .into_iter()
            .flat_map(|group| &group.tables)
            .filter_map(|(open, table)| table.get(&hash(columns, *open)).copied());
        // The pattern with the fewest open columns says most.
        found.min_by_key(|at| (self.patterns[*at].open.count_ones(), *at))
    }

    /// A pattern with one open word takes a name of a few words: `John Smith`, and never `invalid user`.
    fn stretch(&self, columns: &[Column]) -> Option<usize> {
        for more in 1..=STRETCH.min(columns.len().saturating_sub(3)) {
            let Some(group) = self.groups.get(&(columns.len() - more)) else { continue };
            for (open, table) in &group.tables {
                if open.count_ones() != 1 {
                    continue;
                }
                let at = open.trailing_zeros() as usize;
                if !columns[at..=at + more].iter().all(Column::is_like_a_name) {
                    continue;
                }
                let mut cut = columns[..=at].to_vec();
                cut.extend_from_slice(&columns[at + more + 1..]);
                if let Some(found) = table.get(&hash(&cut, *open)) {
                    return Some(*found);
                }
            }
        }
        None
    }

    /// Counts a message with these columns; true if no pattern took it and one was made.
    pub(super) fn insert(&mut self, columns: Vec<Column>, count: u64, now: u64) -> (usize, bool) {
        let stretched = || if self.counts == Counts::Add { self.stretch(&columns) } else { None };
        if let Some(found) = self.find(&columns).or_else(stretched) {
            let pattern = &mut self.patterns[found];
            pattern.count = self.counts.combine(pattern.count, count);
            pattern.touched = now;
            if pattern.template.columns.len() == columns.len() {
                for (mine, theirs) in pattern.template.columns.iter_mut().zip(&columns) {
                    mine.join(theirs);
                }
            }
            return (found, false);
        }
        let cluster = self.new_cluster();
        (self.add(Template { columns }, count, cluster, now), true)
    }

    fn add(&mut self, template: Template, count: u64, cluster: usize, now: u64) -> usize {
        let at = self.patterns.len();
        let columns = &template.columns;
        let open = columns
            .iter()
            .enumerate()
            .filter(|(_, column)| column.is_open())
            .fold(0, |set, (at, _)| set | 1u128 << at);
        let group = self.groups.entry(columns.len()).or_default();
        group.live.push(at);
        let key = hash(columns, open);
        match group.tables.iter_mut().find(|(set, _)| *set == open) {
            Some((_, table)) => {
                table.insert(key, at);
            }
            None => group.tables.push((open, HashMap::from([(key, at)]))),
        }
        self.patterns.push(Pattern { template, count, cluster, touched: now, moved: None, open });
        self.live += 1;
        at
    }

    /// Opens columns as long as the neighbours of this pattern give reason to.
    pub(super) fn settle(&mut self, at: usize) -> bool {
        let mut changed = false;
        let mut at = self.pattern(at);
        while let Some(varying) = self.reason(at) {
            at = self.generalise(at, varying);
            changed = true;
        }
        changed
    }

    /// The columns that should open for this pattern: the fewest for which there is evidence.
    fn reason(&self, at: usize) -> Option<u128> {
        let columns = &self.patterns[at].template.columns;
        let group = self.groups.get(&columns.len())?;
        let near: Vec<(u128, usize)> = group
            .live
            .iter()
            .rev()
            .take(NEIGHBOURS)
            .filter(|other| **other != at)
            .filter_map(|other| Some((difference(columns, &self.patterns[*other].template.columns)?, *other)))
            .collect();
        let mut sets: Vec<u128> = near.iter().map(|(set, _)| *set).collect();
        sets.sort_unstable_by_key(|set| (set.count_ones(), *set));
        sets.dedup();
        sets.into_iter().find(|set| {
            let mut witnesses: Vec<Witness<'_>> = vec![self.witness(at)];
            witnesses.extend(
                near.iter().filter(|(other, _)| other & !set == 0).map(|(_, other)| self.witness(*other)),
            );
            suffices(&witnesses, &members(*set))
        })
    }

    fn witness(&self, at: usize) -> Witness<'_> {
        let pattern = &self.patterns[at];
        Witness { columns: &pattern.template.columns, count: pattern.count }
    }

    /// Makes the pattern with these columns open, and lets it take in what it covers.
    fn generalise(&mut self, at: usize, varying: u128) -> usize {
        let mut columns = self.patterns[at].template.columns.clone();
        for column in members(varying) {
            columns[column] = Column::open(columns[column].spaced);
        }
        let (cluster, now) = (self.patterns[at].cluster, self.patterns[at].touched);
        let wide = self.add(Template { columns }, 0, cluster, now);
        let open = self.patterns[wide].open;
        let key = hash(&self.patterns[wide].template.columns, open);
        let group = self.groups.get(&self.patterns[wide].template.columns.len());
        let covered: Vec<usize> = group
            .into_iter()
            .flat_map(|group| &group.live)
            .copied()
            .filter(|other| *other != wide)
            .filter(|other| {
                let other = &self.patterns[*other];
                other.open & !open == 0 && hash(&other.template.columns, open) == key
            })
            .collect();
        for other in covered {
            self.take_in(wide, other);
        }
        wide
    }

    fn take_in(&mut self, wide: usize, other: usize) {
        let (count, cluster, touched) = {
            let other = &self.patterns[other];
            (other.count, other.cluster, other.touched)
        };
        let theirs = self.patterns[other].template.columns.clone();
        for (mine, theirs) in self.patterns[wide].template.columns.iter_mut().zip(&theirs) {
            mine.join(theirs);
        }
        let pattern = &mut self.patterns[wide];
        pattern.count = self.counts.combine(pattern.count, count);
        pattern.touched = pattern.touched.max(touched);
        let mine = pattern.cluster;
        self.patterns[other].moved = Some(wide);
        self.unite(mine, cluster);
        self.live -= 1;
        let (open, columns) = (self.patterns[other].open, &self.patterns[other].template.columns);
        let key = hash(columns, open);
        if let Some(group) = self.groups.get_mut(&columns.len()) {
            group.live.retain(|at| *at != other);
            if let Some((_, table)) = group.tables.iter_mut().find(|(set, _)| *set == open) {
                // The wide pattern may stand there already, under the same key.
                if table.get(&key) == Some(&other) {
                    table.remove(&key);
                }
            }
            group.tables.retain(|(_, table)| !table.is_empty());
        }
    }
}

impl Counts {
    fn combine(self, a: u64, b: u64) -> u64 {
        match self {
            Self::Add => a.saturating_add(b),
            Self::Join => a.max(b),
        }
    }
}

/// Equal for columns that agree outside the open ones; a mark is never a value of an open column.
fn hash(columns: &[Column], open: u128) -> u64 {
    let mut sum = columns.len() as u64;
    for (at, column) in columns.iter().enumerate() {
        if open & (1 << at) == 0 || column.is_mark() {
            sum = sum.wrapping_add(mix(column.symbol ^ mix(at as u64 + 1)));
        }
    }
    mix(sum)
}

/// The columns in which two patterns differ, if they are few and could be values.
fn difference(a: &[Column], b: &[Column]) -> Option<u128> {
    let mut set = 0u128;
    let mut many = 0;
    for (at, (mine, theirs)) in a.iter().zip(b).enumerate() {
        if mine.symbol == theirs.symbol {
            continue;
        }
        many += 1;
        if many > TOGETHER || mine.is_mark() || theirs.is_mark() || mine.is_open() || theirs.is_open() {
            return None;
        }
        set |= 1 << at;
    }
    (set != 0).then_some(set)
}

fn members(mut set: u128) -> Vec<usize> {
    let mut members = Vec::new();
    while set != 0 {
        members.push(set.trailing_zeros() as usize);
        set &= set - 1;
    }
    members
}
