//! Where things stand: the real binary, the state, what the guards say of it, the store.

use crate::error::Error;
use crate::guard::refusal::{Refusal, Way};
use crate::model::guard::Guard;
use crate::store;
use crate::terraform::read::Reading;

use super::caller::Caller;
use super::guards::Known;
use super::report::StatusReport;
use super::which::real_report;
use super::{Context, Subject, capture, errored, guards, unwritable};

/// Where things stand. Never fails: what cannot be told is said so.
pub(crate) fn status(
    context: &Context,
    subject: Result<&Subject, &Error>,
    caller: &Caller<'_>,
) -> StatusReport {
    let mut report = StatusReport {
        real: real_report(caller.called_as),
        state: subject.ok().map(Subject::name),
        now: None,
        trouble: subject.err().map(ToString::to_string),
        last: None,
        findings: Vec::new(),
        newest_good: None,
        is_read_only: context.config.guard.read_only,
        store: context.config.store.clone(),
        operations: None,
        store_trouble: None,
    };
    let Ok(subject) = subject else { return report };
    let reading = match capture::read_if_local(&subject.location, context.limits()) {
        Ok(reading) => reading,
        Err(error) => {
            report.trouble = Some(error.to_string());
            None
        }
    };
    report.now = reading.as_ref().map(capture::image_of);
    if let Err(error) = fill_from_store(context, subject, reading.as_ref(), caller, &mut report) {
        report.store_trouble = Some(error.to_string());
    }
    report
}

fn fill_from_store(
    context: &Context,
    subject: &Subject,
    reading: Option<&Reading>,
    caller: &Caller<'_>,
    report: &mut StatusReport,
) -> Result<(), Error> {
    let dir = context.history_for_reading(&subject.location)?;
    let history = dir.as_ref().map(store::StateDir::history).transpose()?.unwrap_or_default();
    let store::History { operations, head, .. } = history;
    report.operations = Some(operations.len());
    report.last = operations.last().cloned();
    report.newest_good.clone_from(&head.good);
    let now = report.now.as_ref().or(head.last.as_ref());
    let lineage = now.and_then(|now| now.lineage.clone());
    if let Some(state) = &mut report.state {
        state.lineage =
            lineage.or_else(|| head.good.as_ref().and_then(|(_, good)| good.lineage.clone()));
    }
    if !head.intents.is_empty() {
        report.findings.push(interrupted(caller));
        return Ok(());
    }
    if let (Some(now), Some(reading)) = (&report.now, reading) {
        let known = Known { dir: dir.as_ref(), head: &head, identity: &subject.location.identity };
        let objection = guards::objection(context, known, (now, reading))?;
        let refusal = |objection| guards::refusal(known, objection, caller);
        report.findings = objection.map(refusal).transpose()?.into_iter().collect();
        report.findings.extend(unwritable::look(&subject.location, now));
    }
    let expected = guards::expected(context, &head, &subject.location.identity)?;
    if let Some(now) = report.now.as_ref().or(head.last.as_ref()) {
        let states = (now, expected.as_ref());
        report.findings.extend(errored::glance(context, dir.as_ref(), states, caller)?);
    }
    Ok(())
}

fn interrupted(caller: &Caller<'_>) -> Refusal {
    Refusal {
        ways: vec![Way { command: caller.shim("save"), does: "finish it now" }],
        ..Refusal::of(
            Guard::Unfinished,
            "a restore was interrupted; the next command that writes finishes it".to_owned(),
        )
    }
}
