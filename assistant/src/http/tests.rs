//! The contract as a checked-in document.

use std::path::Path;

/// A change of the surface shows in the diff of `assistant/openapi.json`.
#[test]
fn the_checked_in_document_is_the_one_that_is_served() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    let served = super::openapi().to_pretty_json().unwrap() + "\n";
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&file, &served).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        kept == served,
        "the surface changed: run `UPDATE=1 cargo test -p noetl-assistant checked_in` and look at the diff"
    );
}
