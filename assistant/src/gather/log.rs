//! Reads a log: whole when it is short, its beginning, its end and its errors when it is long.

use std::time::Duration;

use noetl_domain::event::Recorded;

use super::{Brief, Slice, SourceError, Sources};
use crate::evidence::Run;

const PAGE: usize = 2_000;
/// A log of up to so many Events is read whole.
const WHOLE: u64 = 10_000;
/// Of a longer one: what came first holds what was fetched, what came last holds what went wrong.
const FIRST: usize = 2_000;
const LAST: usize = 4_000;
const ERRORS: usize = 500;
/// How long the search for errors in the middle may take.
const PATIENCE: Duration = Duration::from_millis(400);

pub(super) async fn read<S: Sources>(
    sources: &S,
    brief: &Brief,
    gaps: &mut Vec<String>,
) -> Result<Run, SourceError> {
    let log = if brief.events <= WHOLE {
        whole(sources, brief).await?
    } else {
        parts(sources, brief, gaps).await?
    };
    // A run that is under way may have grown since.
    let events = brief.events.max(log.last().map_or(0, |last| last.seq));
    Ok(Run::fold(brief.execution, &log, events))
}

async fn whole<S: Sources>(sources: &S, brief: &Brief) -> Result<Vec<Recorded>, SourceError> {
    let mut log: Vec<Recorded> = Vec::new();
    loop {
        let seq = log.last().map_or(0, |last| last.seq);
        let page = sources.events(brief.execution, Slice::After { seq, limit: PAGE }).await?;
        let is_last = page.len() < PAGE;
        log.extend(page);
        if is_last || log.len() as u64 >= 2 * WHOLE {
            return Ok(log);
        }
    }
}

async fn parts<S: Sources>(
    sources: &S,
    brief: &Brief,
    gaps: &mut Vec<String>,
) -> Result<Vec<Recorded>, SourceError> {
    let id = brief.execution;
    let mut log = sources.events(id, Slice::After { seq: 0, limit: FIRST }).await?;
    log.extend(sources.events(id, Slice::Last { limit: LAST }).await?);
    match tokio::time::timeout(PATIENCE, sources.events(id, Slice::Errors { limit: ERRORS })).await {
        Ok(errors) => log.extend(errors?),
        Err(_) => gaps
            .push(format!("the log has {} events; errors in its middle were not looked for", brief.events)),
    }
    log.sort_by_key(|recorded| recorded.seq);
    log.dedup_by_key(|recorded| recorded.seq);
    let read = log.len() as u64;
    gaps.push(format!(
        "the log has {} events, of which {read} were read: its beginning, its end and errors",
        brief.events
    ));
    Ok(log)
}
