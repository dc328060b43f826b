//! Named points at which a test can end the writer, to look at what a crash there leaves behind.
//!
//! In a debug build `TF_SHIM_TEST_CRASH_AT=NAME[:N]` kills this process right before it passes that
//! point for the N-th time. A release build contains neither the variable nor the death.

/// Passes a named point.
#[cfg(not(debug_assertions))]
pub(crate) fn reach(_name: &'static str) {}

/// Passes a named point, unless a test wants us dead here.
#[cfg(debug_assertions)]
pub(crate) fn reach(name: &'static str) {
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// How often the point of the variable was passed.
    static PASSES: AtomicUsize = AtomicUsize::new(0);

    let Some(wish) = std::env::var_os("TF_SHIM_TEST_CRASH_AT") else { return };
    let wish = wish.to_string_lossy();
    let (wanted, nth) = wish.split_once(':').unwrap_or((&wish, "1"));
    if wanted != name {
        return;
    }
    let before = PASSES.fetch_add(1, Ordering::SeqCst);
    if nth.parse() == Ok(before.saturating_add(1)) {
        let ourselves = nix::unistd::Pid::this();
        let _ = nix::sys::signal::kill(ourselves, nix::sys::signal::Signal::SIGKILL);
    }
}
