//! What is wrong after a run. Terraform's exit status stands; this only says so.
//!
//! A finding keeps the state that was left from becoming `@`, so a false one does harm. What is said here is
//! certain: either the state itself shows it, or the command is one that cannot end with status 0 without
//! having done what is missing. Where somebody else was at work meanwhile, nothing is compared.

use crate::model::guard::Guard;
use crate::model::operation::{GuardAction, GuardNote, Image, OperationId, Status};
use crate::model::state::{Lineage, Serial};

/// What is said of a state that cannot be read.
pub(crate) const UNREADABLE: &str = "the state cannot be read after the run";

use super::refusal::told;

/// What a command is bound to have done to the state when it ends with status 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    /// Anything: it may take the state away, or put another in its place.
    Removes,
    /// It may put any other state there.
    Exchanges,
    /// It may have changed it, or not.
    May,
    /// It has changed it.
    Changes,
    /// It has taken every resource out of it.
    Empties,
}

/// A run that has ended.
pub(crate) struct Run<'a> {
    /// Terraform's command.
    pub(crate) verb: &'a str,
    /// What it is bound to have done.
    pub(crate) deed: Deed,
    /// Whether it ended with status 0.
    pub(crate) is_done: bool,
    /// Whether nobody else is known to have been at work, so that `before` and `after` are this run's own.
    pub(crate) is_alone: bool,
    /// The state it found.
    pub(crate) before: &'a Image,
    /// The state it left.
    pub(crate) after: &'a Image,
    /// What else it left.
    pub(crate) traces: &'a Traces,
}

/// What a run left beside the state.
#[derive(Debug, Default)]
pub(crate) struct Traces {
    /// What is wrong with the state's file.
    pub(crate) file: Option<Omission>,
    /// The resources that there must be, after the plan that was applied.
    pub(crate) least_resources: Option<u64>,
    /// What Terraform started from, where it says so.
    pub(crate) origin: Option<Origin>,
    /// What it wrote into a file that no longer has its name.
    pub(crate) orphan: Option<Find>,
    /// What it could not save, and left in `errored.tfstate`.
    pub(crate) errored: Option<Find>,
}

/// What Terraform was certain to do to a local file, and did not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Omission {
    /// It was not written.
    Unwritten,
    /// There is none.
    Missing,
}

/// The state that Terraform found when it had the lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    /// Its lineage.
    pub(crate) lineage: Option<Lineage>,
    /// Its serial.
    pub(crate) serial: Serial,
}

/// What stands between a finding and the command that leads out.
pub(crate) const WAY_BACK: &str = "; bring it back with: ";

/// A state that was found beside the one that counts, and saved.
#[derive(Clone, Debug)]
pub(crate) struct Find {
    /// What it is.
    pub(crate) image: Image,
    /// The command that brings it back, and the operation that keeps it; none where it could not be saved.
    pub(crate) kept: Option<(String, OperationId)>,
}

/// Judges what a run left: a note for each finding.
pub(crate) fn judge(run: &Run<'_>) -> Vec<GuardNote> {
    let lost = lost(run);
    let mut findings: Vec<(Guard, String)> = lost.into_iter().collect();
    if let Some(orphan) = &run.traces.orphan {
        findings.push((Guard::MissingState, run.of_orphan(orphan)));
    }
    if run.is_alone && findings.is_empty() {
        findings.extend(turned(run).or_else(|| undone(run)));
    }
    if run.is_alone {
        findings.extend(run.traces.origin.as_ref().and_then(|origin| overtaken(run, origin)));
    }
    if let Some(errored) = &run.traces.errored {
        findings.push((Guard::ErroredState, run.of_errored(errored)));
    }
    let note = |(guard, text)| GuardNote::new(guard, GuardAction::Noted, text);
    findings.into_iter().map(note).collect()
}

/// The state is not there any more, or is none.
fn lost(run: &Run<'_>) -> Option<(Guard, String)> {
    let had_resources = run.before.resources.is_some_and(|count| count > 0);
    let counts = had_resources && run.deed != Deed::Removes;
    let (guard, text) = match run.after.status {
        Status::Absent if counts => (Guard::MissingState, "the state is gone after the run"),
        Status::Empty if counts => (Guard::MissingState, "the state is empty after the run"),
        Status::Ok | Status::Encrypted | Status::Unknown | Status::Absent | Status::Empty => {
            return None;
        }
        Status::Invalid | Status::Ambiguous => {
            (Guard::CorruptState, "what the run left is no state")
        }
        Status::Unreadable => (Guard::MissingState, UNREADABLE),
    };
    Some((guard, text.to_owned()))
}

/// Another lineage than before, or an older state, and the command does no such thing.
fn turned(run: &Run<'_>) -> Option<(Guard, String)> {
    let Run { verb, before, after, .. } = run;
    let is_state = |image: &Image| matches!(image.status, Status::Ok | Status::Encrypted);
    let may_turn = matches!(run.deed, Deed::Removes | Deed::Exchanges);
    if may_turn || !is_state(before) || !is_state(after) {
        return None;
    }
    let (was, is) = (told(before), told(after));
    let lineages = before.lineage.as_ref().zip(after.lineage.as_ref());
    if lineages.is_some_and(|(before, after)| before != after) {
        let text = format!("{verb} found {was}, and another lineage is there now: {is}");
        return Some((Guard::ForeignState, text));
    }
    (before.serial.zip(after.serial).is_some_and(|(before, after)| after < before)).then(|| {
        (Guard::OlderState, format!("{verb} found {was}, and an older state is there now: {is}"))
    })
}

/// What was certain to be done is not in the state.
fn undone(run: &Run<'_>) -> Option<(Guard, String)> {
    if !run.is_done {
        return None;
    }
    let Run { verb, before, after, traces, .. } = run;
    let done = format!("although {verb} has ended with status 0");
    match traces.file {
        Some(Omission::Missing) => {
            return Some((Guard::MissingState, format!("there is no state, {done}")));
        }
        Some(Omission::Unwritten) => {
            let text =
                format!("the state file was not written, {done}: what it did is in no state");
            return Some((Guard::UnwritableState, text));
        }
        None => {}
    }
    let left = (after.status == Status::Ok).then_some(after.resources).flatten()?;
    if traces.least_resources.is_some_and(|least| left < least) {
        let least = traces.least_resources.unwrap_or_default();
        let text = format!("the state has {}, and the plan leaves {least}", resources(left));
        return Some((Guard::MissingState, text));
    }
    let is_unchanged = before.digest.is_some() && before.digest == after.digest;
    match run.deed {
        Deed::Changes if is_unchanged => {
            Some((Guard::UnwritableState, format!("the state is unchanged, {done}")))
        }
        Deed::Empties if left > 0 => Some((
            Guard::UnwritableState,
            format!("the state still has {}, {done}", resources(left)),
        )),
        Deed::Changes | Deed::Empties | Deed::Removes | Deed::Exchanges | Deed::May => None,
    }
}

/// Terraform started from another state than the one that was saved before it.
fn overtaken(run: &Run<'_>, origin: &Origin) -> Option<(Guard, String)> {
    let Run { verb, before, .. } = run;
    let serial = before.serial.filter(|_| before.status == Status::Ok)?;
    let is_other = match (&before.lineage, &origin.lineage) {
        (Some(before), Some(origin)) => before != origin,
        (None, _) | (_, None) => false,
    };
    if serial == origin.serial && !is_other {
        return None;
    }
    let lineage = origin.lineage.as_ref().filter(|_| is_other);
    let lineage = lineage.map_or_else(String::new, |it| format!(" of lineage {}", it.short()));
    let text = format!(
        "another writer was at work: {verb} started from serial {}{lineage}, and what was saved before it \
         is {}",
        origin.serial,
        told(before),
    );
    Some((Guard::OlderState, text))
}

impl Run<'_> {
    fn of_orphan(&self, orphan: &Find) -> String {
        format!(
            "the state file was removed or replaced while {} ran; what Terraform wrote is {}, {}",
            self.verb,
            told(&orphan.image),
            orphan.told()
        )
    }

    fn of_errored(&self, errored: &Find) -> String {
        format!(
            "a state that could not be saved was left in `errored.tfstate` while {} ran: {}, {}",
            self.verb,
            told(&errored.image),
            errored.told()
        )
    }
}

impl Find {
    /// Where it is kept, and what brings it back.
    fn told(&self) -> String {
        match &self.kept {
            Some((way, id)) => format!("saved as {id}{WAY_BACK}{way}"),
            None => "which could not be saved".to_owned(),
        }
    }
}

/// So many resources.
fn resources(count: u64) -> String {
    if count == 1 { "1 resource".to_owned() } else { format!("{count} resources") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::state::Digest;

    fn state(lineage: &str, serial: u64, resources: u64) -> Image {
        Image {
            lineage: Lineage::new(lineage.to_owned()),
            serial: Some(Serial(serial)),
            resources: Some(resources),
            digest: Some(Digest::of(format!("{lineage} {serial} {resources}").as_bytes())),
            ..Image::without_bytes(Status::Ok)
        }
    }

    /// A run of `apply` that ended well.
    fn apply<'a>(before: &'a Image, after: &'a Image, traces: &'a Traces) -> Run<'a> {
        let (deed, verb) = (Deed::May, "apply");
        Run { verb, deed, is_done: true, is_alone: true, before, after, traces }
    }

    fn texts(run: &Run<'_>) -> Vec<String> {
        judge(run).into_iter().map(|note| format!("{}: {}", note.guard, note.text)).collect()
    }

    /// The guards that have something to say of a run without traces, with one thing changed.
    fn guards(before: &Image, after: &Image, change: impl FnOnce(&mut Run<'_>)) -> Vec<String> {
        of_traces(before, after, &Traces::default(), change)
    }

    /// As [`guards`], with traces.
    fn of_traces(
        before: &Image,
        after: &Image,
        traces: &Traces,
        change: impl FnOnce(&mut Run<'_>),
    ) -> Vec<String> {
        let mut run = apply(before, after, traces);
        change(&mut run);
        judge(&run).into_iter().map(|note| note.guard).collect()
    }

    #[test]
    fn an_ordinary_run_leaves_nothing_to_say() {
        let (five, six, none) = (state("a", 5, 2), state("a", 6, 3), state("a", 6, 0));
        let absent = Image::without_bytes(Status::Absent);
        for (before, after) in [(&five, &six), (&five, &five), (&five, &none), (&absent, &five)] {
            assert!(guards(before, after, |_| {}).is_empty());
        }
        assert!(guards(&absent, &absent, |run| run.is_done = false).is_empty());
    }

    #[test]
    fn a_state_that_vanished_is_noted_unless_the_command_removes_it() {
        let before = state("a", 5, 1);
        for status in [Status::Absent, Status::Empty] {
            let after = Image::without_bytes(status);
            assert_eq!(guards(&before, &after, |_| {}), ["missing-state"]);
            assert!(guards(&before, &after, |run| run.deed = Deed::Removes).is_empty());
            assert!(guards(&state("a", 5, 0), &after, |_| {}).is_empty());
        }
    }

    #[test]
    fn what_is_no_state_or_cannot_be_read_is_noted_whatever_else_is_so() {
        let before = state("a", 5, 1);
        for (status, guard) in
            [(Status::Invalid, "corrupt-state"), (Status::Unreadable, "missing-state")]
        {
            let after = Image::without_bytes(status);
            let crowded = |run: &mut Run<'_>| (run.is_alone, run.is_done) = (false, false);
            assert_eq!(guards(&before, &after, crowded), [guard]);
        }
    }

    #[test]
    fn a_state_only_goes_forward_unless_the_command_exchanges_it() {
        let before = state("a", 5, 1);
        for (after, guard) in
            [(state("b", 9, 1), "foreign-state"), (state("a", 4, 1), "older-state")]
        {
            assert_eq!(guards(&before, &after, |_| {}), [guard]);
            assert_eq!(guards(&before, &after, |run| run.is_done = false), [guard]);
            assert!(guards(&before, &after, |run| run.deed = Deed::Exchanges).is_empty());
            assert!(guards(&before, &after, |run| run.is_alone = false).is_empty());
            assert!(guards(&Image::without_bytes(Status::Empty), &after, |_| {}).is_empty());
            assert!(guards(&Image::without_bytes(Status::Unknown), &after, |_| {}).is_empty());
        }
        assert!(guards(&state("", 5, 1), &state("b", 5, 1), |_| {}).is_empty());
    }

    #[test]
    fn what_must_have_changed_and_has_not_is_noted_after_status_0_only() {
        let before = state("a", 5, 1);
        let changes = |is_done| {
            move |run: &mut Run<'_>| {
                (run.deed, run.is_done) = (Deed::Changes, is_done);
            }
        };
        assert_eq!(guards(&before, &before, changes(true)), ["unwritable-state"]);
        assert!(guards(&before, &before, changes(false)).is_empty());
        assert!(guards(&before, &state("a", 6, 1), changes(true)).is_empty());
        let empties = |run: &mut Run<'_>| run.deed = Deed::Empties;
        assert_eq!(guards(&before, &state("a", 6, 1), empties), ["unwritable-state"]);
        assert!(guards(&before, &state("a", 6, 0), empties).is_empty());
    }

    #[test]
    fn a_file_that_was_not_written_and_a_state_smaller_than_the_plan_are_noted() {
        let (before, after) = (state("a", 5, 1), state("a", 6, 2));
        let unwritten = Traces { file: Some(Omission::Unwritten), ..Traces::default() };
        let text = "unwritable-state: the state file was not written, although apply has ended with status \
                    0: what it did is in no state";
        assert_eq!(texts(&apply(&before, &before, &unwritten)), [text]);
        let missing = Traces { file: Some(Omission::Missing), ..Traces::default() };
        let absent = Image::without_bytes(Status::Absent);
        assert_eq!(of_traces(&absent, &absent, &missing, |_| {}), ["missing-state"]);
        for (least, expected) in [(3, &["missing-state"][..]), (2, &[]), (1, &[])] {
            let traces = Traces { least_resources: Some(least), ..Traces::default() };
            assert_eq!(of_traces(&before, &after, &traces, |_| {}), expected);
            assert!(of_traces(&before, &after, &traces, |run| run.is_done = false).is_empty());
        }
    }

    #[test]
    fn another_start_than_what_was_saved_names_both() {
        let (before, after) = (state("a", 5, 1), state("a", 7, 2));
        let from = |lineage: &str, serial| Traces {
            origin: Some(Origin {
                lineage: Lineage::new(lineage.to_owned()),
                serial: Serial(serial),
            }),
            ..Traces::default()
        };
        let said = |traces: &Traces| texts(&apply(&before, &after, traces));
        assert!(said(&from("a", 5)).is_empty());
        assert!(said(&from("", 5)).is_empty());
        let text = "older-state: another writer was at work: apply started from serial 6, and what was saved \
                    before it is serial 5 (1 resource, lineage a)";
        assert_eq!(said(&from("a", 6)), [text]);
        assert!(said(&from("b", 5)).concat().contains("serial 5 of lineage b"));
        assert!(of_traces(&before, &after, &from("a", 6), |run| run.is_alone = false).is_empty());
    }

    #[test]
    fn what_was_found_lying_about_is_told_with_what_brings_it_back() {
        let before = state("a", 5, 1);
        let find = |kept: Option<(String, OperationId)>| Find { image: state("a", 6, 2), kept };
        let id = OperationId::from_bits(0x1234_5678_0000_0000);
        let errored = find(Some(("tf state push errored.tfstate".to_owned(), id.clone())));
        let orphan = find(Some(("tf shim restore 12345678".to_owned(), id)));
        let traces = Traces { orphan: Some(orphan), errored: Some(errored), ..Traces::default() };
        let texts_of = |traces: &Traces| texts(&apply(&before, &before, traces));
        insta::assert_snapshot!(texts_of(&traces).join("\n"), @r"
        missing-state: the state file was removed or replaced while apply ran; what Terraform wrote is serial 6 (2 resources, lineage a), saved as 12345678; bring it back with: tf shim restore 12345678
        errored-state: a state that could not be saved was left in `errored.tfstate` while apply ran: serial 6 (2 resources, lineage a), saved as 12345678; bring it back with: tf state push errored.tfstate
        ");
        let traces = Traces { errored: Some(find(None)), ..Traces::default() };
        assert!(texts_of(&traces).concat().ends_with("which could not be saved"));
    }
}
