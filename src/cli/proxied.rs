//! The guarded command, and the failures of the hot path, as the user hears them.

use std::process::ExitCode;

use crate::error::{Caller, Error, status};
use crate::ops::guarded::{self, Call, Verdict};
use crate::ops::read_only;
use crate::proxy;
use crate::ui::failure::Failure;
use crate::ui::{Color, Ui};

use super::failed;
use super::voice::Speaker;

/// Runs a guarded command and ends as Terraform ended; none where Terraform can as well be called
/// directly.
pub(crate) fn guard(call: &Call<'_>) -> Option<ExitCode> {
    let is_json = call.guarded.line.parse().flags.iter().any(|flag| flag.name == "json");
    match guarded::run(call, &Speaker::new(is_json)) {
        Ok(Verdict::HandOver) => None,
        Ok(Verdict::Ended(ending)) => Some(proxy::end_as(ending)),
        Err(error) => Some(refuse(&error)),
    }
}

/// Refuses a command that is not known to only read, where nothing else may run.
pub(crate) fn refuse_to_run(what: &str) -> ExitCode {
    refuse(&read_only::of(what))
}

/// Says why Terraform cannot be called.
pub(crate) fn cannot_hand_over(reason: proxy::CannotHandOver) -> ExitCode {
    match reason {
        proxy::CannotHandOver::NotFound(error) => refuse(&Error::Real(error)),
        proxy::CannotHandOver::NotStarted { path, source } => {
            let what = format!("cannot run `{}`", path.display());
            speaker().fail(&Failure::saying(what).cause(source.to_string()));
            ExitCode::from(status::NOT_EXECUTABLE)
        }
    }
}

fn refuse(error: &Error) -> ExitCode {
    failed::tell(&speaker(), error);
    ExitCode::from(error.exit_status(Caller::Proxy))
}

fn speaker() -> Ui {
    Ui::new(Color::Auto, crate::ops::Clock::new().now())
}
