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
    let asks = edits && !session.invocation.common.yes && earnest == Earnest::Act;
    if asks {
        let plan = install::plan(session.called_as, wish)?;
        if plan.is_nothing() {
            return Ok(plan);
        }
        ask(session, &plan)?;
    }
    // Nobody is kept waiting while a person thinks; so it is looked at anew.
    let _alone = (earnest == Earnest::Act).then(install::alone);
    let plan = install::plan(session.called_as, wish)?;
    if earnest == Earnest::Show || plan.is_nothing() {
        return Ok(plan);
    }
    install::carry_out(plan)
}

/// Shows the lines and asks.
fn ask(session: &Session<'_>, plan: &InstallPlan) -> Result<(), Error> {
    let what = "the edit of start files";
    if session.format() == Format::Text {
        session.ui.explain(plan);
        session.ui.gap();
    }
    if session.ui.confirm("Do you want to edit these start files?") {
        Ok(())
    } else if session.ui.can_ask() {
        Err(Error::Declined { what })
    } else {
        Err(Error::NotConfirmed { what })
    }
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
    let _alone = (earnest == Earnest::Act).then(install::alone);
    let plan = uninstall::plan(session.called_as, directory.as_deref(), store)?;
    if earnest == Earnest::Show || plan.is_nothing() {
        return Ok(plan);
    }
    uninstall::carry_out(plan)
}
