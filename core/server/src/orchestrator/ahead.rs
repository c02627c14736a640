//! Deciding may be ahead of committing: by how much, and what is void when a commit fails.

use std::collections::HashMap;

use noetl_domain::id::ExecutionId;

/// Tells a state in memory from the one that was thrown away when a commit failed: what was decided on that is void.
pub(super) type Generation = u64;

/// How far deciding a long round is ahead of committing it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ahead {
    /// Slices on their way to the log.
    slices: u32,
    /// The next slice waits for one of them.
    waits: bool,
}

impl Ahead {
    /// One slice is decided while the one before it is written; more would only let others wait behind them.
    const MOST: u32 = 2;

    /// A slice is on its way, and more follows; says whether to go on at once.
    pub(super) fn sent(&mut self) -> bool {
        self.slices += 1;
        self.waits = self.slices >= Self::MOST;
        !self.waits
    }

    /// A slice is committed; says whether to go on now.
    pub(super) fn committed(&mut self) -> bool {
        self.slices = self.slices.saturating_sub(1);
        std::mem::take(&mut self.waits)
    }
}

/// States that a failed commit made void.
///
/// What was decided on one must not reach the log, even where its version would fit: the log is being read again, and
/// from then on only what is decided on that reading counts.
#[derive(Debug, Default)]
pub(super) struct Void(HashMap<ExecutionId, Generation>);

impl Void {
    pub(super) fn add(&mut self, id: ExecutionId, generation: Generation) {
        self.0.insert(id, generation);
    }

    /// Whether the state is void. A newer one shows that the Execution has been taken up again.
    pub(super) fn holds(&mut self, id: ExecutionId, generation: Generation) -> bool {
        match self.0.get(&id) {
            Some(void) if *void >= generation => true,
            Some(_) => {
                self.0.remove(&id);
                false
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slice_is_decided_while_another_is_written() {
        let mut ahead = Ahead::default();
        assert!(ahead.sent(), "the first is being written");
        assert!(!ahead.sent(), "the second waits for it");
        assert!(ahead.committed());
        assert!(!ahead.committed(), "nothing waits any more");
    }

    #[test]
    fn a_state_is_void_until_a_newer_one_is_there() {
        let (id, mut void) = (ExecutionId(1), Void::default());
        void.add(id, 3);
        assert!(void.holds(id, 2) && void.holds(id, 3) && !void.holds(ExecutionId(2), 3));
        assert!(!void.holds(id, 4) && void.0.is_empty());
    }
}
