//! Waiting for a condition with a deadline: the only place of the harness that lets time pass.

use std::time::{Duration, Instant};

/// Longer than anything takes on a busy machine; what is not there by then will not come.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// How often a condition is looked at.
const PACE: Duration = Duration::from_millis(2);

/// Waits until `condition` holds.
///
/// # Panics
/// If it does not within [`DEADLINE`]; the message names `what`.
pub fn wait_until(what: &str, condition: impl FnMut() -> bool) {
    assert!(comes(condition), "waited {DEADLINE:?} in vain: {what}");
}

/// Waits until `condition` holds; false if it does not within [`DEADLINE`].
pub fn comes(mut condition: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    while !condition() {
        if start.elapsed() >= DEADLINE {
            return false;
        }
        std::thread::park_timeout(PACE);
    }
    true
}
