use noetl_domain::code::Code;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::again::until_stopped;
use crate::vectors::Question;
use crate::vectors::testing::Store;

fn request(source: &str, content: &str) -> KnowledgeRequest {
    KnowledgeRequest { source: source.into(), content: content.into(), ..KnowledgeRequest::default() }
}

/// A document with one passage for each word.
fn document(words: &[&str]) -> String {
    words.iter().fold(String::new(), |text, word| text + &format!("# {word}\nHow to live with {word}.\n"))
}

async fn found(vectors: &Vectors, text: &str) -> Option<(String, String)> {
    let question = Question { text, kinds: vec![Kind::Knowledge], limit: 1, ..Question::default() };
    let hits = vectors.search(&question, 0).await.unwrap();
    hits.into_iter().next().map(|hit| (hit.facts.source, hit.facts.title))
}

async fn count(vectors: &Vectors, source: &str) -> u64 {
    vectors.count(Kind::Knowledge, Some(place::of(source))).await.unwrap()
}

/// Lets the keeper do what there is to do at a start.
async fn keep(vectors: &Vectors, knowledge: &Knowledge) {
    let (status, stop) = (Status::default(), CancellationToken::new());
    let work = Keeper::new(vectors.clone(), Some(knowledge.clone()), status.clone());
    let changed = status.changed();
    let kept = tokio::spawn(until_stopped(work, stop.clone()));
    changed.await;
    assert!(status.get().looked_at.knowledge);
    stop.cancel();
    kept.await.unwrap();
}

fn asked(vectors: &Vectors) -> u64 {
    vectors.embedder().unwrap().counters().texts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_is_found_replaced_and_removed() {
    let mut store = Store::open().await;
    let directory = tempfile::tempdir().unwrap();
    let (vectors, knowledge) = (store.vectors.clone(), Knowledge::open(directory.path()));
    let text = document(&["deadlocks", "certificates", "quotas"]);
    let added = knowledge.add(&vectors, request(" docs/ops.md ", &text), 1_000).await.unwrap();
    assert_eq!((added.source.source.as_str(), added.source.title.as_str()), ("docs/ops.md", "deadlocks"));
    assert_eq!((added.source.passages, added.new, added.gone), (3, 3, 0));
    assert_eq!(
        found(&vectors, "expired certificates").await,
        Some(("docs/ops.md".into(), "certificates".into()))
    );
    let other = knowledge
        .add(&vectors, request("other", "# Coffee\nBeans are in the kitchen."), 1_000)
        .await
        .unwrap();
    assert_eq!(other.new, 1);

    // What only moved is the same passage.
    let text = document(&["replicas", "quotas", "deadlocks"]);
    let replaced = knowledge.add(&vectors, request("docs/ops.md", &text), 2_000).await.unwrap();
    assert_eq!((replaced.source.passages, replaced.new, replaced.gone), (3, 1, 1));
    assert_eq!((count(&vectors, "docs/ops.md").await, asked(&vectors)), (3, 6));
    assert_eq!(replaced.source.added_at, "1970-01-01T00:00:02.000Z");
    let again = knowledge.add(&vectors, request("docs/ops.md", &text), 3_000).await.unwrap();
    assert_eq!((again.new, again.gone, &again.source), (0, 0, &replaced.source));

    let listed = knowledge.list().await.unwrap();
    assert_eq!(listed, [replaced.source, other.source]);
    let removed = knowledge.remove(&vectors, "docs/ops.md").await.unwrap().unwrap();
    assert_eq!(
        (removed.passages, count(&vectors, "docs/ops.md").await, count(&vectors, "other").await),
        (3, 0, 1)
    );
    assert_eq!(knowledge.remove(&vectors, "docs/ops.md").await.unwrap(), None);
    assert_eq!(knowledge.list().await.unwrap().len(), 1);
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_record_outlives_the_store() {
    let mut store = Store::open().await;
    let directory = tempfile::tempdir().unwrap();
    let knowledge = Knowledge::open(directory.path());
    let text = document(&["deadlocks", "quotas"]);
    knowledge.add(&store.vectors, request("ops", &text), 1_000).await.unwrap();
    keep(&store.vectors, &knowledge).await;
    let codes = codes::points().len() as u64;
    assert_eq!(store.vectors.count(Kind::Knowledge, None).await.unwrap(), codes + 2);

    // After a restart everything is there, and nothing is embedded.
    store.reopen().await;
    let knowledge = Knowledge::open(directory.path());
    keep(&store.vectors, &knowledge).await;
    assert_eq!((count(&store.vectors, "ops").await, asked(&store.vectors)), (2, 0));
    store.close().await;

    // The store is lost: another one begins empty.
    let mut fresh = Store::open().await;
    keep(&fresh.vectors, &knowledge).await;
    assert_eq!(count(&fresh.vectors, "ops").await, 2);
    assert_eq!(found(&fresh.vectors, "quotas").await, Some(("ops".into(), "quotas".into())));
    fresh.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_collection_follows_the_record_whatever_came_between() {
    let mut store = Store::open().await;
    let directory = tempfile::tempdir().unwrap();
    let (vectors, knowledge) = (store.vectors.clone(), Knowledge::open(directory.path()));
    knowledge.add(&vectors, request("ops", &document(&["deadlocks", "quotas"])), 1_000).await.unwrap();
    knowledge.add(&vectors, request("kept", &document(&["replicas"])), 1_000).await.unwrap();

    // A process that ended behind the record, and left as many passages of the document before.
    let mut entry = knowledge.inner.record.get("ops").unwrap().unwrap();
    let text = document(&["coffee", "tea"]);
    (entry.digest, entry.placed) = (digest(&text), String::new());
    knowledge.inner.record.put(&entry, &text).unwrap();
    // Points that no source stands for.
    let passage = cut::Passage { title: String::new(), text: "nobody knows where from".into() };
    vectors.put(Kind::Knowledge, &[place::point("lost", &passage, 0)]).await.unwrap();
    // A passage that went missing.
    vectors.delete_where(Kind::Knowledge, place::of("kept")).await.unwrap();

    keep(&vectors, &knowledge).await;
    assert_eq!(found(&vectors, "coffee").await, Some(("ops".into(), "coffee".into())));
    let counts = [count(&vectors, "ops").await, count(&vectors, "kept").await, count(&vectors, "lost").await];
    assert_eq!(counts, [2, 1, 0]);

    // A text that is gone hides nothing else.
    for file in std::fs::read_dir(directory.path().join("knowledge")).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "txt") {
            std::fs::remove_file(path).unwrap();
        }
    }
    vectors.delete_where(Kind::Knowledge, place::any_of(codes::sources())).await.unwrap();
    vectors.delete_where(Kind::Knowledge, place::of("ops")).await.unwrap();
    keep(&vectors, &knowledge).await;
    assert_eq!((count(&vectors, "ops").await, count(&vectors, "code:IX001").await), (0, 1));
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_of_codes_are_found_and_are_nobodys_documents() {
    let mut store = Store::open().await;
    let directory = tempfile::tempdir().unwrap();
    let knowledge = Knowledge::open(directory.path());
    keep(&store.vectors, &knowledge).await;
    for code in [Code::PythonMissingModule, Code::StoreLocked] {
        let (source, title) = found(&store.vectors, code.title()).await.unwrap();
        assert_eq!((source, title), (format!("code:{code}"), format!("{code}: {}", code.title())));
    }
    assert_eq!(knowledge.list().await.unwrap(), []);
    assert_eq!(knowledge.remove(&store.vectors, "code:TL003").await.unwrap(), None);
    let refused = knowledge.add(&store.vectors, request("code:TL003", "mine"), 0).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "a source cannot be called \"code:TL003\": that is a page of an error Code"
    );
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_taken_changes_nothing() {
    let mut store = Store::open().await;
    let directory = tempfile::tempdir().unwrap();
    let (vectors, knowledge) = (store.vectors.clone(), Knowledge::open(directory.path()));
    knowledge.add(&vectors, request("ops", "# A\nsomething"), 0).await.unwrap();
    let name = "n".repeat(2_000);
    for (request, expected) in [
        (request("ops", " \n# nothing below\n"), "the document has no text"),
        (request(" ", "text"), "a source cannot be called \" \": it is empty"),
        (
            request("a\nb", "text"),
            "a source cannot be called \"a\\nb\": it has characters that cannot be shown",
        ),
        (request(&name, "text"), "it is longer than a thousand bytes"),
        (
            request("ops", &"x ".repeat(LARGEST)),
            "the document is too large: 16777216 bytes, and at most 8388608",
        ),
        (request("ops", &document(&["x"; 3])), ""),
    ] {
        match knowledge.add(&vectors, request, 0).await {
            Ok(_) => assert_eq!(expected, ""),
            Err(error) => assert!(error.to_string().contains(expected), "{error}"),
        }
    }
    let mut many = String::new();
    for number in 0..=MOST_PASSAGES {
        many += &format!("# {number}\nx{number}\n");
    }
    let page = KnowledgeRequest { format: Format::Markdown, ..request("many", &many) };
    let error = knowledge.add(&vectors, page, 0).await.unwrap_err();
    assert_eq!(error.to_string(), "the document has 20001 passages, and at most 20000 are taken");
    assert_eq!((count(&vectors, "ops").await, count(&vectors, "many").await), (1, 0));
    store.close().await;
}
