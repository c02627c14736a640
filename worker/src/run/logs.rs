//! Log lines on their way to the bus, in batches.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use noetl_bus::Bus;
use noetl_domain::report::LogLine;
use tokio::sync::{mpsc, oneshot};

use crate::job::{LogSink, now_ms};

/// Lines that may wait; a tool that prints faster than they can be passed on loses the rest, and a line says so.
const WINDOW: usize = 16 * 1024;
const BATCH: usize = 1024;
const PAUSE: Duration = Duration::from_millis(100);

/// A handle; clones feed the same pump.
#[derive(Clone, Debug)]
pub(super) struct Logs {
    sender: mpsc::Sender<Entry>,
    /// Lines since the last flush, so that quiet work does not wait for the pump.
    pending: Arc<AtomicU64>,
    dropped: Arc<AtomicU64>,
}

#[derive(Debug)]
enum Entry {
    Line(LogLine),
    Flush(oneshot::Sender<()>),
}

impl Logs {
    pub(super) fn start<B: Bus>(bus: Arc<B>) -> Self {
        let (sender, receiver) = mpsc::channel(WINDOW);
        let logs = Self { sender, pending: Arc::default(), dropped: Arc::default() };
        tokio::spawn(pump(bus, receiver, Arc::clone(&logs.pending), Arc::clone(&logs.dropped)));
        logs
    }

    pub(super) fn sink(&self) -> LogSink {
        let logs = self.clone();
        Arc::new(move |line| {
            logs.pending.fetch_add(1, Ordering::AcqRel);
            if logs.sender.try_send(Entry::Line(line)).is_err() {
                logs.pending.fetch_sub(1, Ordering::AcqRel);
                logs.dropped.fetch_add(1, Ordering::AcqRel);
            }
        })
    }

    /// Waits until every line given so far is with the bus.
    pub(super) async fn flush(&self) {
        if self.pending.load(Ordering::Acquire) == 0 {
            return;
        }
        let (done, wait) = oneshot::channel();
        if self.sender.send(Entry::Flush(done)).await.is_ok() {
            // The pump ends only with its runtime; then there is nobody left to tell.
            let _ = wait.await;
        }
    }
}

async fn pump<B: Bus>(
    bus: Arc<B>,
    mut receiver: mpsc::Receiver<Entry>,
    pending: Arc<AtomicU64>,
    dropped: Arc<AtomicU64>,
) {
    let mut entries = Vec::with_capacity(BATCH);
    let mut lines: Vec<LogLine> = Vec::new();
    while receiver.recv_many(&mut entries, BATCH).await > 0 {
        let mut flushes = collect(&mut entries, &mut lines);
        if flushes.is_empty() && lines.len() < BATCH {
            // A little patience makes one message of many lines; a flush ends it.
            let more = tokio::time::timeout(PAUSE, async {
                while lines.len() < BATCH && flushes.is_empty() {
                    if receiver.recv_many(&mut entries, BATCH).await == 0 {
                        return;
                    }
                    flushes.extend(collect(&mut entries, &mut lines));
                }
            });
            // Running into the pause is the normal end.
            let _ = more.await;
        }
        let lost = dropped.swap(0, Ordering::AcqRel);
        if lost > 0
            && let Some(last) = lines.last()
        {
            let text =
                format!("{lost} log lines were dropped: they came faster than they could be passed on");
            lines.push(LogLine {
                stream: "noetl".into(),
                level: "warn".into(),
                at_ms: now_ms(),
                text,
                ..last.clone()
            });
            pending.fetch_add(1, Ordering::AcqRel);
        }
        if !lines.is_empty() {
            let count = lines.len() as u64;
            if let Err(error) = bus.logs(std::mem::take(&mut lines)).await {
                tracing::warn!(%error, lines = count, "log lines could not be passed on");
            }
            pending.fetch_sub(count, Ordering::AcqRel);
        }
        for flush in flushes {
            // Whoever waited may have been stopped meanwhile.
            let _ = flush.send(());
        }
    }
}

fn collect(entries: &mut Vec<Entry>, lines: &mut Vec<LogLine>) -> Vec<oneshot::Sender<()>> {
    let mut flushes = Vec::new();
    for entry in entries.drain(..) {
        match entry {
            Entry::Line(line) => lines.push(line),
            Entry::Flush(done) => flushes.push(done),
        }
    }
    flushes
}
