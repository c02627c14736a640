//! The contract as a checked-in document.

use std::path::Path;

/// A change of the surface shows in the diff of `core/api/openapi.json`.
#[test]
fn the_checked_in_document_is_the_one_that_is_served() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../api/openapi.json");
    let served = crate::http::openapi().to_pretty_json().expect("a document") + "\n";
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&file, &served).expect("the document can be written");
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        kept == served,
        "the surface changed: run `UPDATE=1 cargo test -p noetl-server contract` and look at the diff"
    );
}

/// A machine without a network shows the same page.
#[tokio::test]
async fn the_page_of_the_contract_needs_nothing_from_outside() {
    let app = super::app::App::start().await;
    let page = app.get("/docs").await;
    let page = page.as_str().expect("a page");
    assert!(page.contains("/api/openapi.json") && !page.contains("://"), "{page}");
    let document = app.get("/api/openapi.json").await;
    let paths = document["paths"].as_object().expect("paths");
    for path in ["/api/execute", "/api/feed", "/api/catalog/{path}/ui_schema", "/metrics"] {
        assert!(paths.contains_key(path), "{path} is not in the document");
    }
    let code = app.get("/docs/codes/ap002").await;
    assert!(code.as_str().is_some_and(|page| page.contains("There is no execution with this id")));
}
