//! `tf shim install`, `uninstall` and `completion`: show, ask, act.

use std::path::Path;

use crate::error::Error;
use crate::ops::install::uninstall::{self, UninstallPlan};
use crate::ops::install::{self, InstallPlan, Wish};
use crate::ops::root_module;
use crate::ui::Format;

use super::run::Session;

/// Whether anything may be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Earnest {
    /// Yes.
    Act,
    /// It is only shown.
    Show,
}

/// Installs, or shows what installing would do. A person is asked before a start file is edited.
///
/// # Errors
/// As [`install::plan`] and [`install::carry_out`]; nobody said yes.
pub(super) fn install(
    session: &Session<'_>,
    (directory, edits, both): (Option<&Path>, bool, bool),
    earnest: Earnest,
) -> Result<InstallPlan, Error> {
    let directory = directory.map(|directory| root_module(session.chdir).join(directory));
    let wish = Wish { directory: directory.as_deref(), edits, both };
    let plan = install::plan(session.called_as, wish)?;
    if earnest == Earnest::Show || plan.is_nothing() {
        return Ok(plan);
    }
    if edits && !session.invocation.common.yes {
        if session.format() == Format::Text {
            session.ui.explain(&plan);
        }
        if !session.ui.confirm("Do you want to edit these start files?") {
            return Err(Error::NotConfirmed { what: "the edit of start files" });
        }
    }
    install::carry_out(plan)
}

/// Uninstalls, or shows what uninstalling would do.
///
/// # Errors
/// As [`uninstall::plan`] and [`uninstall::carry_out`].
pub(super) fn uninstall(
    session: &Session<'_>,
    directory: Option<&Path>,
    earnest: Earnest,
) -> Result<UninstallPlan, Error> {
    let directory = directory.map(|directory| root_module(session.chdir).join(directory));
    let store = session.invocation.common.store.as_deref();
    let plan = uninstall::plan(session.called_as, directory.as_deref(), store)?;
    if earnest == Earnest::Show || plan.is_nothing() {
        return Ok(plan);
    }
    uninstall::carry_out(plan)
}
