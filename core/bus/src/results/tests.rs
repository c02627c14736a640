use serde_json::json;

use super::*;

fn rows(count: usize) -> Value {
    (0..count).map(|number| json!({"id": number, "name": "ñ".repeat(300)})).collect()
}

#[tokio::test]
async fn a_result_is_stored_once_and_read_back_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let location = directory.path().join("new/results");
    let location = location.to_str().unwrap();
    let value = json!({"rows": rows(400), "total": 400, "page": {"next": 2}});
    let results = Results::open(location).unwrap();
    let select = ["total".to_owned(), "page.next".to_owned(), "rows.1.id".to_owned(), "absent".to_owned()];
    let first = results.put_selected(ExecutionId(7), "fetch all/pages", &value, &select).await.unwrap();
    let again = results.put(ExecutionId(7), "other", &value).await.unwrap();

    assert_eq!(first.key, again.key);
    assert_eq!(first.extracted, json!({"page.next": 2, "rows.1.id": 1, "total": 400}));
    assert_eq!(first.preview["rows"].as_array().map(Vec::len), Some(3));
    assert_eq!(first.preview["rows"][0]["name"].as_str().map(|name| name.chars().count()), Some(201));
    assert_eq!(first.uri, format!("noetl://execution/7/result/fetch%20all%2Fpages/{}", first.sha256));
    assert_eq!(first.bytes, serde_json::to_vec(&value).unwrap().len() as u64);

    let reopened = Results::open(&format!("file://{location}")).unwrap();
    assert_eq!(*reopened.get(&first).await.unwrap(), value);
    let read = reopened.resolve(&first.uri).await.unwrap();
    assert!(Arc::ptr_eq(&read, &reopened.get(&first).await.unwrap()), "the second read comes from memory");
    assert_eq!(reopened.delete(ExecutionId(7)).await.unwrap(), 1);
    assert!(matches!(reopened.get(&first).await, Err(ResultsError::Missing(_))));
}

#[tokio::test]
async fn damage_and_nonsense_are_told() {
    let directory = tempfile::tempdir().unwrap();
    let results = Results::open(directory.path().to_str().unwrap()).unwrap();
    let reference = results.put(ExecutionId(1), "s", &rows(3)).await.unwrap();
    std::fs::write(directory.path().join(&reference.key), "[]").unwrap();
    assert!(matches!(results.get(&reference).await, Err(ResultsError::Damaged { .. })));
    for uri in [
        "",
        "noetl://execution/1/result/s/../../etc",
        "noetl://execution/x/result/s/00",
        "file:///etc/passwd",
    ] {
        assert!(matches!(results.resolve(uri).await, Err(ResultsError::NotAReference(_))), "{uri}");
    }
    assert!(matches!(Results::open("s3://bucket/x"), Err(ResultsError::Location { .. })));
}

#[test]
fn size_is_measured_as_json_text() {
    let value = json!({"text": "ab\"c", "n": [1, 2.5, null]});
    let size = serde_json::to_vec(&value).unwrap().len();
    assert!(!exceeds(&value, size));
    assert!(exceeds(&value, size - 1));
}
