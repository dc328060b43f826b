//! What a person, or a CI log, sees while a check runs.
//!
//! On a terminal one line that is written over, and one that stays for each step that has ended; elsewhere a
//! plain line for each step, and one a minute while it runs, so that no CI system takes the silence for a
//! hang. All of it on stderr.

use std::cell::Cell;
use std::time::Duration;

use crate::check::report::{Step, StepName};
use crate::env;
use crate::ops::check::Audience;
use crate::ops::guarded::Voice;
use crate::sys::process::wait_for_input;
use crate::ui::Ui;
use crate::ui::talk::progress;

use super::voice::Speaker;

/// How often a log hears that a step still runs.
const REMINDER: Duration = Duration::from_secs(60);

/// Tells how far a check is.
pub(super) struct Progress<'a> {
    ui: &'a Ui,
    speaker: Speaker,
    is_quiet: bool,
    step: Cell<StepName>,
    /// When the log was told last, since the step began.
    told: Cell<Duration>,
    /// Whether the person who interrupted has heard that it takes a while.
    is_told_to_wait: Cell<bool>,
}

impl<'a> Progress<'a> {
    /// Nothing has begun yet.
    pub(super) fn new(ui: &'a Ui) -> Self {
        Self {
            ui,
            speaker: Speaker::new(false),
            is_quiet: env::is_on(env::QUIET),
            step: Cell::new(StepName::FirstPlan),
            told: Cell::new(Duration::ZERO),
            is_told_to_wait: Cell::new(false),
        }
    }

    fn is_live(&self) -> bool {
        !self.is_quiet && self.ui.can_write_over()
    }
}

impl Audience for Progress<'_> {
    fn began(&self, step: StepName) {
        self.step.set(step);
        self.told.set(Duration::ZERO);
        if self.is_live() {
            self.ui.write_over(&progress::running(step, Duration::ZERO));
        }
    }

    fn runs(&self, for_so_long: Duration, is_interrupted: bool) {
        if is_interrupted && !self.is_told_to_wait.replace(true) && !self.is_quiet {
            self.rested();
            self.ui.talk(&progress::stopping());
        }
        if self.is_live() {
            self.ui.write_over(&progress::running(self.step.get(), for_so_long));
        } else if !self.is_quiet && for_so_long >= self.told.get() + REMINDER {
            self.told.set(for_so_long);
            self.ui.talk(&progress::still_running(self.step.get(), for_so_long));
        }
    }

    fn rests(&self, for_so_long: Duration) {
        if self.is_live() {
            self.ui.write_over(&progress::resting(for_so_long));
        }
    }

    fn rested(&self) {
        if self.is_live() {
            self.ui.wipe();
        }
    }

    fn ended(&self, step: &Step) {
        if self.is_quiet {
            return;
        }
        self.rested();
        self.ui.talk(&progress::ended(step));
    }

    fn is_coloured(&self) -> bool {
        self.ui.talks_in_colour()
    }

    fn approves(&self, is_destroyed_after: bool, gives_up: &dyn Fn() -> bool) -> bool {
        let question = if is_destroyed_after {
            "Do you want to apply this plan, and to destroy everything at the end?"
        } else {
            "Do you want to apply this plan?"
        };
        self.ui.confirm_while(question, &|| wait_for_input(gives_up))
    }

    fn voice(&self) -> &dyn Voice {
        &self.speaker
    }
}
