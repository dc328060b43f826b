//! What the user hears around a guarded command.

use crate::env;
use crate::error::Error;
use crate::model::operation::Image;
use crate::ops::guarded::Voice;
use crate::ops::protected::{Answer, Deletion, Question};
use crate::ops::report::{RunReport, StateName};
use crate::sys::process::wait_for_input;
use crate::ui::talk::{self, When, Wish};
use crate::ui::{Color, Ui};

use super::failed;

/// Speaks on stderr: talk where it is wanted, failures and findings always.
pub(crate) struct Speaker {
    ui: Ui,
    is_talkative: bool,
}

impl Speaker {
    /// A speaker for a command; `is_json` where Terraform was asked for JSON, in any spelling.
    pub(crate) fn new(is_json: bool) -> Self {
        let ui = Ui::new(Color::Auto, crate::ops::Clock::new().now());
        let when = When { is_terminal: ui.stderr_is_terminal(), is_json, wish: wish() };
        Self { ui, is_talkative: when.is_shown() }
    }
}

/// What the environment says about talk.
fn wish() -> Wish {
    if env::is_on(env::QUIET) {
        return Wish::Quiet;
    }
    if env::is_on(env::TALK) { Wish::Talk } else { Wish::Unsaid }
}

impl Voice for Speaker {
    fn saved(&self, verb: &str, states: &[Image]) {
        if self.is_talkative {
            self.ui.talk(&talk::before(verb, &states.iter().collect::<Vec<_>>()));
        }
    }

    fn ended(&self, reports: &[(StateName, RunReport)]) {
        if self.is_talkative {
            self.ui.talk(&match reports {
                [(_, report)] => talk::after(report),
                several => talk::after_several(several),
            });
        }
        for (_, report) in reports {
            self.ui.talk(&talk::findings(report, &self.ui.talk_frame()));
        }
    }

    fn excused(&self, verb: &str, error: &Error) {
        self.ui.fail(&failed::excused(verb, error));
    }

    fn failed(&self, error: &Error) {
        failed::tell(&self.ui, error);
    }

    fn approves(&self, question: &Question<'_>, gives_up: &dyn Fn() -> bool) -> Answer {
        self.ui.approve(question, gives_up, &|| wait_for_input(gives_up))
    }

    fn has_person(&self) -> bool {
        failed::has_person(&self.ui)
    }

    fn confirms(&self, deletion: &Deletion<'_>, gives_up: &dyn Fn() -> bool) -> bool {
        self.ui.confirm_deletion(deletion, &|| wait_for_input(gives_up))
    }
}
