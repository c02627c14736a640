//! Tells the decider when a timer is due.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use noetl_domain::event::TimerKey;
use noetl_domain::id::ExecutionId;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::input::Input;

/// A handle to the clock.
#[derive(Clone, Debug)]
pub(super) struct Clock(mpsc::UnboundedSender<Due>);

#[derive(Clone, Debug)]
struct Due {
    at_ms: i64,
    id: ExecutionId,
    key: TimerKey,
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.at_ms == other.at_ms
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.at_ms.cmp(&other.at_ms)
    }
}

impl Clock {
    /// Timers need no removal: one that fires too late changes nothing.
    pub(super) fn set(&self, id: ExecutionId, key: TimerKey, at_ms: i64) {
        let _ = self.0.send(Due { at_ms, id, key });
    }
}

pub(super) fn start(inputs: mpsc::Sender<Input>, stop: CancellationToken) -> Clock {
    let (sender, mut receiver) = mpsc::unbounded_channel::<Due>();
    tokio::spawn(async move {
        let mut heap: BinaryHeap<Reverse<Due>> = BinaryHeap::new();
        loop {
            let now = now_ms();
            while let Some(Reverse(due)) = heap.peek()
                && due.at_ms <= now
            {
                let Some(Reverse(due)) = heap.pop() else { break };
                if inputs.send(Input::Timer { id: due.id, key: due.key }).await.is_err() {
                    return;
                }
            }
            // Woken at least once a minute, so that a clock that was set forward is noticed.
            let next = heap.peek().map_or(60_000, |Reverse(due)| (due.at_ms - now).clamp(1, 60_000));
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(Duration::from_millis(next as u64)) => {}
                due = receiver.recv() => match due {
                    Some(due) => heap.push(Reverse(due)),
                    None => return,
                },
            }
        }
    });
    Clock(sender)
}

/// Unix milliseconds.
pub(crate) fn now_ms() -> i64 {
    chrono::Utc::now().timestamp_millis()
}
