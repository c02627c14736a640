//! How well people's words find failures: searches alone and fused, on a labelled set.
//!
//! `cargo test -p noetl-indexer --lib retrieval -- --nocapture` prints the table of docs/semantic-layer.md.
//! Weights are chosen on one half of the queries; the floors below hold for the other half.

use std::collections::HashMap;

use serde::Deserialize;

use super::fuse::{Fusion, Hit, fuse};
use super::sparse::SparseVector;
use super::{Config, Embedder, document, normalise, open, query};

const FAILURES: &str = include_str!("../../tests/retrieval/failures.jsonl");
const QUERIES: &str = include_str!("../../tests/retrieval/queries.jsonl");
/// Hits that a store is asked for.
const ASKED: usize = 50;

#[derive(Debug, Deserialize)]
struct Failure {
    id: String,
    text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    /// What a person would say.
    Paraphrase,
    /// Some words of the failure among one's own, as most people type.
    Mixed,
    /// A code or a name.
    Exact,
}

#[derive(Debug, Deserialize)]
struct Query {
    query: String,
    /// Failures that answer it.
    right: Vec<String>,
    kind: Kind,
}

fn lines<T: for<'l> Deserialize<'l>>(text: &str) -> Vec<T> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[derive(Clone, Copy, Debug, Default)]
struct Quality {
    recall_at_5: f64,
    ndcg_at_10: f64,
    queries: f64,
}

impl Quality {
    fn count(&mut self, ranked: &[usize], right: &[usize]) {
        let gain = |rank: usize| 1.0 / ((rank + 2) as f64).log2();
        let found = |at: &usize| right.contains(at);
        let top = ranked.iter().take(5).filter(|at| found(at)).count();
        let gains: f64 =
            ranked.iter().take(10).enumerate().filter(|(_, at)| found(at)).map(|(rank, _)| gain(rank)).sum();
        let best: f64 = (0..right.len().min(10)).map(gain).sum();
        self.recall_at_5 += top as f64 / right.len() as f64;
        self.ndcg_at_10 += gains / best;
        self.queries += 1.0;
    }

    fn mean(self) -> (f64, f64) {
        (self.recall_at_5 / self.queries, self.ndcg_at_10 / self.queries)
    }
}

/// The hits of both searches for every query, as a store would give them.
struct Searched {
    queries: Vec<Query>,
    right: Vec<Vec<usize>>,
    /// The fusion that search uses.
    fusions: Vec<Fusion>,
    dense: Vec<Vec<Hit<usize>>>,
    sparse: Vec<Vec<Hit<usize>>>,
}

fn best(scores: impl Iterator<Item = f32>) -> Vec<Hit<usize>> {
    let mut hits: Vec<Hit<usize>> = scores.enumerate().map(|(id, score)| Hit { id, score }).collect();
    hits.retain(|hit| hit.score > 0.0);
    hits.sort_by(|a, b| b.score.total_cmp(&a.score));
    hits.truncate(ASKED);
    hits
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The inverse document frequency as the store's modifier has it.
fn idf(documents: &[SparseVector]) -> HashMap<u32, f32> {
    let mut counts: HashMap<u32, f32> = HashMap::new();
    for index in documents.iter().flat_map(|document| &document.indices) {
        *counts.entry(*index).or_insert(0.0) += 1.0;
    }
    let all = documents.len() as f32;
    counts.into_iter().map(|(index, n)| (index, ((all - n + 0.5) / (n + 0.5) + 1.0).ln())).collect()
}

async fn search(embedder: &Embedder, prepare: fn(&str) -> String) -> Searched {
    let failures: Vec<Failure> = lines(FAILURES);
    let queries: Vec<Query> = lines(QUERIES);
    let by_id: HashMap<&str, usize> =
        failures.iter().enumerate().map(|(at, f)| (f.id.as_str(), at)).collect();
    let right =
        queries.iter().map(|query| query.right.iter().map(|id| by_id[id.as_str()]).collect()).collect();

    let texts: Vec<String> = failures.iter().map(|failure| prepare(&failure.text)).collect();
    let asked: Vec<String> = queries.iter().map(|query| prepare(&query.query)).collect();
    let vectors = embedder.embed(&texts).await.unwrap();
    let asked = embedder.embed(&asked).await.unwrap();
    let dense = asked.iter().map(|asked| best(vectors.iter().map(|vector| dot(asked, vector)))).collect();

    let documents: Vec<SparseVector> = failures.iter().map(|failure| document(&failure.text)).collect();
    let idf = idf(&documents);
    let weigh = |asked: &SparseVector, document: &SparseVector| -> f32 {
        let terms = document.indices.iter().zip(&document.values);
        let shared = terms.filter(|(index, _)| asked.indices.binary_search(index).is_ok());
        shared.map(|(index, value)| idf[index] * value).sum()
    };
    let terms: Vec<SparseVector> = queries.iter().map(|asked| query(&asked.query)).collect();
    let sparse =
        terms.iter().map(|asked| best(documents.iter().map(|document| weigh(asked, document)))).collect();
    let fusions = terms.iter().map(|asked| Fusion::of(asked, documents.len() as u64)).collect();
    Searched { queries, right, fusions, dense, sparse }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Half {
    Choosing,
    HeldOut,
}

#[derive(Clone, Copy, Debug)]
enum Way {
    Sparse,
    Dense,
    /// As search does, with another weight.
    Covered(f32),
    Fused(Fusion),
}

impl Searched {
    fn ranked(&self, at: usize, way: Way) -> Vec<usize> {
        let ids = |hits: &[Hit<usize>]| hits.iter().map(|hit| hit.id).collect();
        let fused = |fusion| {
            let fused = fuse(&self.dense[at], &self.sparse[at], fusion);
            fused.into_iter().map(|fused| fused.id).collect()
        };
        match (way, self.fusions[at]) {
            (Way::Sparse, _) => ids(&self.sparse[at]),
            (Way::Dense, _) => ids(&self.dense[at]),
            (Way::Fused(fusion), _) => fused(fusion),
            (Way::Covered(weight), Fusion::Covered { full, .. }) => fused(Fusion::Covered { weight, full }),
            (Way::Covered(_), other) => fused(other),
        }
    }

    /// Recall among the first five and nDCG among the first ten, as means over the queries of one kind and half.
    fn quality(&self, kind: Kind, half: Half, way: Way) -> (f64, f64) {
        let mut quality = Quality::default();
        for (at, query) in self.queries.iter().enumerate() {
            let in_half = (at % 2 == 0) == (half == Half::Choosing);
            if query.kind == kind && in_half {
                quality.count(&self.ranked(at, way), &self.right[at]);
            }
        }
        quality.mean()
    }

    /// What search does with these hits, on the half that nothing was chosen on.
    fn held_out(&self, kind: Kind) -> (f64, f64) {
        let mut quality = Quality::default();
        for at in (1..self.queries.len()).step_by(2).filter(|at| self.queries[*at].kind == kind) {
            quality.count(&self.ranked(at, Way::Fused(self.fusions[at])), &self.right[at]);
        }
        quality.mean()
    }

    fn table(&self, title: &str, ways: &[(String, Way)]) {
        println!("\n{title}: recall@5 and nDCG@10\n");
        println!(
            "| search | paraphrases, choosing | paraphrases, held out | mixed, held out | exact, held out |"
        );
        println!("|---|---|---|---|---|");
        for (name, way) in ways {
            let cells = [
                (Kind::Paraphrase, Half::Choosing),
                (Kind::Paraphrase, Half::HeldOut),
                (Kind::Mixed, Half::HeldOut),
                (Kind::Exact, Half::HeldOut),
            ];
            let cells = cells.map(|(kind, half)| {
                let (recall, ndcg) = self.quality(kind, half, *way);
                format!("{recall:.3} {ndcg:.3}")
            });
            println!("| {name} | {} |", cells.join(" | "));
        }
    }
}

fn ways() -> Vec<(String, Way)> {
    let mut ways = vec![
        ("sparse only".to_owned(), Way::Sparse),
        ("dense only".to_owned(), Way::Dense),
        ("reciprocal ranks, k = 60".to_owned(), Way::Fused(Fusion::Ranks { k: 60.0 })),
    ];
    for sparse in [0.05, 0.1, 0.2, 0.3, 0.5] {
        ways.push((format!("dense + {sparse} × sparse / best"), Way::Fused(Fusion::Weighted { sparse })));
    }
    for weight in [0.1, 0.2, 0.3, 0.5, 0.7, 1.0] {
        ways.push((format!("dense + {weight} × coverage²"), Way::Covered(weight)));
    }
    ways
}

/// Floors a little below what was measured: (kind, recall@5, nDCG@10).
fn check(searched: &Searched, floors: &[(Kind, f64, f64)]) {
    for (kind, least_recall, least_ndcg) in floors {
        let (recall, ndcg) = searched.held_out(*kind);
        assert!(
            recall >= *least_recall && ndcg >= *least_ndcg,
            "{kind:?}: recall@5 {recall:.3}, nDCG@10 {ndcg:.3}"
        );
    }
}

#[test]
fn the_labelled_set_is_large_and_does_not_repeat_itself() {
    let failures: Vec<Failure> = lines(FAILURES);
    let queries: Vec<Query> = lines(QUERIES);
    assert!(
        failures.len() >= 150 && queries.iter().filter(|query| query.kind == Kind::Paraphrase).count() >= 300
    );
    let mut texts: Vec<&str> = failures.iter().map(|failure| failure.text.as_str()).collect();
    texts.extend(queries.iter().map(|query| query.query.as_str()));
    let all = texts.len();
    texts.sort_unstable();
    texts.dedup();
    assert_eq!(texts.len(), all);
}

#[tokio::test]
async fn the_built_in_embedder_finds_what_people_mean() {
    let searched = search(&Embedder::builtin(), normalise).await;
    searched.table("built-in embedder", &ways());
    check(&searched, &[(Kind::Paraphrase, 0.2, 0.17), (Kind::Mixed, 0.95, 0.9), (Kind::Exact, 1.0, 0.97)]);
}

#[tokio::test]
async fn the_local_model_finds_what_people_mean() {
    let Some(embedder) = local().await else { return };
    let searched = search(&embedder, normalise).await;
    searched.table(&embedder.identity().key(), &ways());
    check(&searched, &[(Kind::Paraphrase, 0.64, 0.52), (Kind::Mixed, 0.96, 0.94), (Kind::Exact, 1.0, 0.97)]);
}

#[tokio::test]
#[ignore = "a measurement: what normalising gains, and how many texts a second of one core makes vectors of"]
async fn normalising_and_speed() {
    let ways = [("dense only".to_owned(), Way::Dense)];
    let as_it_is: fn(&str) -> String = str::to_owned;
    let in_words: fn(&str) -> String = |text| super::normalise::in_words(text).join(" ");
    for embedder in [Some(Embedder::builtin()), local().await].into_iter().flatten() {
        for (title, prepare) in
            [("as it is", as_it_is), ("in words alone", in_words), ("normalised", normalise)]
        {
            let title = format!("{}, {title}", embedder.identity());
            search(&embedder, prepare).await.table(&title, &ways);
        }
        let failures: Vec<Failure> = lines(FAILURES);
        // Other texts than those that are remembered.
        let texts: Vec<String> =
            failures.iter().map(|failure| normalise(&format!("again {}", failure.text))).collect();
        let before = cpu_seconds();
        embedder.embed(&texts).await.unwrap();
        let rate = texts.len() as f64 / (cpu_seconds() - before).max(0.01);
        println!("\n{}: {rate:.0} texts per CPU second", embedder.identity());
    }
    let failures: Vec<Failure> = lines(FAILURES);
    let before = cpu_seconds();
    for _ in 0..100 {
        for failure in &failures {
            std::hint::black_box(normalise(&failure.text));
        }
    }
    println!(
        "\nnormalise: {:.0} texts per CPU second",
        100.0 * failures.len() as f64 / (cpu_seconds() - before).max(0.01)
    );
}

/// User and system time of this process; the machine's ticks are hundredths.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    fields[11..13].iter().map(|ticks| ticks.parse::<f64>().unwrap()).sum::<f64>() / 100.0
}

/// The local model, where setup could bring it.
async fn local() -> Option<Embedder> {
    let opened = open(&Config::default().or_from_environment(|name| std::env::var_os(name))).await;
    match opened.note {
        None => opened.embedder,
        Some(note) => {
            eprintln!("NOT TESTED: the local model is absent: {note}");
            None
        }
    }
}
