//! Counts of clusters, for the table.

use std::collections::HashMap;

use noetl_domain::fingerprint::{Id, Miner};

use super::lines::Window;
use crate::output;

/// Clusters remembered; the rarest go first.
const CLUSTERS: usize = 50_000;
/// Characters shown of an example.
const EXAMPLE: usize = 120;

#[derive(Debug)]
pub(super) struct Cluster {
    pub(super) id: Id,
    pub(super) count: u64,
    pub(super) first: u64,
    pub(super) last: u64,
    pub(super) template: String,
    pub(super) example: String,
}

#[derive(Debug, Default)]
pub(super) struct Tally {
    clusters: HashMap<Id, Cluster>,
    unlisted: u64,
}

impl Tally {
    pub(super) fn add(&mut self, miner: &mut Miner, window: &Window) {
        let matches = miner.observe_all(window.lines.iter().map(String::as_str));
        for ((number, line), found) in (window.first..).zip(&window.lines).zip(matches) {
            let cluster = self.clusters.entry(found.id).or_insert_with(|| {
                let template = miner.describe(found.id).1;
                Cluster {
                    id: found.id,
                    count: 0,
                    first: number,
                    last: number,
                    template,
                    example: output::shortened(line, EXAMPLE),
                }
            });
            cluster.count += 1;
            cluster.last = number;
        }
        if self.clusters.len() > CLUSTERS {
            self.forget();
        }
    }

    fn forget(&mut self) {
        let mut counts: Vec<u64> = self.clusters.values().map(|cluster| cluster.count).collect();
        counts.sort_unstable();
        let limit = counts[counts.len() / 2];
        let unlisted = &mut self.unlisted;
        self.clusters.retain(|_, cluster| {
            let stays = cluster.count > limit;
            *unlisted += if stays { 0 } else { cluster.count };
            stays
        });
    }

    /// The clusters, the most frequent first, and how many lines belong to none of them.
    pub(super) fn finish(self, miner: &Miner) -> (Vec<Cluster>, u64) {
        let mut merged: HashMap<Id, Cluster> = HashMap::new();
        let mut clusters: Vec<Cluster> = self.clusters.into_values().collect();
        clusters.sort_by_key(|cluster| cluster.first);
        for mut cluster in clusters {
            cluster.id = miner.current(cluster.id);
            if let Some(template) = miner.template(cluster.id) {
                cluster.template = template.to_string();
            }
            match merged.get_mut(&cluster.id) {
                Some(older) => {
                    older.count += cluster.count;
                    older.last = older.last.max(cluster.last);
                }
                None => {
                    merged.insert(cluster.id, cluster);
                }
            }
        }
        let mut clusters: Vec<Cluster> = merged.into_values().collect();
        clusters.sort_by_key(|cluster| (std::cmp::Reverse(cluster.count), cluster.first));
        (clusters, self.unlisted)
    }
}
