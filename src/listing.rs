//! Long answers of the API on stdout: page after page, or as they come.

use futures::{Stream, StreamExt as _};
use noetl_api::client::ClientError;
use serde::Serialize;

use crate::output;

/// Prints what a stream brings until it ends; as JSON, one document on each line.
pub(crate) async fn follow<T: Serialize>(
    json: bool,
    stream: impl Stream<Item = Result<T, ClientError>>,
    line: impl Fn(&T) -> String,
) -> anyhow::Result<()> {
    let mut stream = std::pin::pin!(stream);
    while let Some(entry) = stream.next().await {
        let entry = entry?;
        if json {
            output::json_line(&entry)?;
        } else {
            output::text(&line(&entry))?;
        }
    }
    Ok(())
}

/// Prints every page; as JSON, one list of them all. `fetch` gets the place after which its page begins, and answers
/// with the entries and the next such place.
pub(crate) async fn pages<T: Serialize>(
    json: bool,
    mut fetch: impl AsyncFnMut(Option<u64>) -> Result<(Vec<T>, Option<u64>), ClientError>,
    line: impl Fn(&T) -> String,
) -> anyhow::Result<()> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let (entries, next) = fetch(after).await?;
        if json {
            all.extend(entries);
        } else {
            for entry in &entries {
                output::text(&line(entry))?;
            }
        }
        after = next;
        if after.is_none() {
            break;
        }
    }
    if json { output::json(&all) } else { Ok(()) }
}
