//! Every exit status and every signal that can end a program, through forwarded and guarded commands.
//!
//! The real Terraform cannot be made to end with 173; the fake can. A status or signal counts as
//! reproduced if the shim ended exactly so.

use nix::sys::signal::Signal;

use crate::sandbox::Sandbox;
use crate::scenario::{Scenario, Step};
use crate::transcript::End;

/// The two kinds of commands, each by one word; the guarded one makes a record.
pub const KINDS: [(&str, &str); 2] = [("forwarded", "plan"), ("guarded", "apply")];

/// What came of one kind of command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ends {
    /// Exit statuses that were tried.
    pub statuses: usize,
    /// Signals that were tried.
    pub signals: usize,
    /// Ends that were not reproduced: what was wanted, and what came.
    pub missed: Vec<String>,
}

/// Returns every signal that ends a process which does nothing about it; the others (signal(7)) are
/// ignored, continue it, or stop it.
#[must_use]
pub fn fatal_signals() -> Vec<Signal> {
    let harmless = [
        Signal::SIGCHLD,
        Signal::SIGCONT,
        Signal::SIGSTOP,
        Signal::SIGTSTP,
        Signal::SIGTTIN,
        Signal::SIGTTOU,
        Signal::SIGURG,
        Signal::SIGWINCH,
    ];
    Signal::iterator().filter(|signal| !harmless.contains(signal)).collect()
}

impl Ends {
    /// Tries every status, 0 to 255, and every fatal signal with that command.
    ///
    /// # Panics
    /// If a guarded command is not guarded: then nothing was shown.
    #[must_use]
    pub fn of(word: &str) -> Self {
        let sandbox = Sandbox::new().with_fake(Scenario::terraform());
        let mut ends = Self::default();
        let mut try_end = |step: Step, wanted: End| {
            sandbox.play(Scenario::terraform().on([word], [step]));
            let end = sandbox.tf([word]).run().end;
            (end != wanted).then(|| ends.missed.push(format!("{word}: {wanted}, not {end}")));
        };
        for status in 0..=255_u8 {
            try_end(Step::Exit(status), End::Status(status.into()));
        }
        for signal in fatal_signals() {
            try_end(Step::die(signal), End::by(signal));
        }
        let is_recorded = !sandbox.histories().is_empty();
        assert_eq!(is_recorded, word == "apply", "`{word}` was routed otherwise");
        Self { statuses: 256, signals: fatal_signals().len(), ..ends }
    }

    /// Returns how many of both were tried.
    #[must_use]
    pub fn tried(&self) -> usize {
        self.statuses + self.signals
    }
}
