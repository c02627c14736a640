//! How long after its commit an Event can be asked about, while a steady stream of them comes.

use std::time::{Duration, Instant};

use noetl_server::ids::now_ms;

use crate::backlog::Backlog;
use crate::figures::{Figures, Row};
use crate::layer::{Layer, heads};
use crate::process::Since;
use crate::times::{median, quantile};
use crate::traffic::Traffic;

const A_SECOND: u64 = 5_000;
/// Transactions a second.
const COMMITS: u64 = 50;

pub(crate) async fn measure(figures: &mut Figures, seconds: u64) -> anyhow::Result<()> {
    let backlog = Backlog::empty().await?;
    let mut layer = Layer::open().await?;
    let following = layer.follow(&backlog);
    let since = Since::now()?;
    let mut traffic = Traffic::new(2);
    // What was committed when: the last position, and the moment.
    let mut commits: Vec<(u64, Instant)> = Vec::new();
    let mut lags: Vec<Duration> = Vec::new();
    let (mut written, mut waiting, mut seen) = (0, 0, 0);
    let mut tick = tokio::time::interval(Duration::from_millis(1_000 / COMMITS));
    while written < seconds * A_SECOND {
        let changed = layer.semantic.status().changed();
        tokio::select! {
            _ = tick.tick() => {
                // Of the clock rather than of the ticks, so that a late one is made up for.
                let due = (since.wall().as_secs_f64() * A_SECOND as f64) as u64;
                let missing = due.saturating_sub(written).max(1);
                written += backlog.append(&mut traffic, missing, now_ms()).await?;
                commits.push((written, Instant::now()));
            }
            () = changed => {}
        }
        note(&layer, &commits, &mut lags, (&mut waiting, &mut seen));
    }
    let cores = since.cpu()?.as_secs_f64() / since.wall().as_secs_f64();
    layer.reached(heads(&backlog).await?).await?;
    note(&layer, &commits, &mut lags, (&mut waiting, &mut seen));
    following.end().await?;
    let parts =
        layer.number("SELECT count() FROM system.parts WHERE active AND database = 'observability'")?;
    eprintln!("  {written} events in {:.0} s, {parts} parts left", since.wall().as_secs_f64());
    let name = |what: &str| format!("lag: commit to answer at {A_SECOND} events/s for {seconds} s, {what}");
    let empty = empty_insert(&mut layer)?;
    figures.add(
        Row::time(&name("p50"), median(&mut lags), "").raw("one insert of one row by the engine", empty),
    );
    figures.add(
        Row::time(&name("p99"), quantile(&mut lags, 0.99), "< 2 s")
            .raw("one insert of one row by the engine", empty),
    );
    figures.add(Row::plain(&name("cores in use, writing included"), cores, "cores", ""));
    layer.close().await;
    Ok(())
}

/// Notes the lag of every Event that has arrived since the last look.
fn note(layer: &Layer, commits: &[(u64, Instant)], lags: &mut Vec<Duration>, at: (&mut usize, &mut u64)) {
    let (waiting, seen) = at;
    let position = layer.semantic.status().get().analytics.position;
    while let Some((last, committed)) = commits.get(*waiting) {
        let arrived = position.min(*last);
        lags.extend((*seen..arrived).map(|_| committed.elapsed()));
        *seen = arrived.max(*seen);
        if position < *last {
            break;
        }
        *waiting += 1;
    }
}

fn empty_insert(layer: &mut Layer) -> anyhow::Result<Duration> {
    layer.ask("CREATE TABLE one (n UInt64) ENGINE = MergeTree ORDER BY n", "Null")?;
    let mut times = Vec::new();
    for n in 0..100 {
        let began = Instant::now();
        layer.ask(&format!("INSERT INTO one VALUES ({n})"), "Null")?;
        times.push(began.elapsed());
    }
    Ok(median(&mut times))
}
