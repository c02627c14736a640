//! A planted bad change under the canary's sequential test.

use super::Rollback;

/// Waits for the test of the control plane; without it nothing is claimed.
pub(super) fn measure(_seed: u64, _runs: usize) -> Rollback {
    Rollback::default()
}
