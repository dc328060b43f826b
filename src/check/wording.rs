//! What is said of each cause, and what is advised.
//!
//! Sentences only: what is true of a finding is decided in `cause`. They name attributes, resources and
//! providers, never values.

use std::collections::BTreeSet;

use super::classify::Mode;
use super::finding::{Cause, CauseKind};
use super::likeness::{Likeness, Notation};
use super::paths::natural;

/// Most names in a sentence; the others are counted.
const MOST_NAMES: usize = 3;

/// Makes a cause.
pub(super) fn cause(kind: CauseKind, text: String, hint: String) -> Cause {
    Cause { kind, text, hint }
}

/// Writes names in back-ticks, sorted, the first few and how many more.
pub(super) fn names_of(names: impl IntoIterator<Item = String>) -> String {
    let mut names: Vec<_> = names.into_iter().collect();
    names.sort_by(|a, b| natural(a, b));
    names.dedup();
    let more = names.len().saturating_sub(MOST_NAMES);
    let shown: Vec<_> = names.iter().take(MOST_NAMES).map(|name| format!("`{name}`")).collect();
    match (shown.as_slice(), more) {
        ([rest @ .., last], 0) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        (_, 0) => shown.concat(),
        (_, more) => format!("{} and {more} more", shown.join(", ")),
    }
}

/// Functions of time or chance.
pub(super) fn of_functions(names: &[String], called: &BTreeSet<&'static str>) -> Cause {
    let functions = names_of(called.iter().map(|function| format!("{function}()")));
    let instead = instead_of(called);
    let what = names_of(names.iter().cloned());
    cause(
        CauseKind::Function,
        format!("{what}: computed with {functions}, which gives another value each time."),
        format!(
            "Use {instead} in place of {functions}, or list the attribute in `ignore_changes`."
        ),
    )
}

/// Templates that call what the configuration's text does not show.
pub(super) fn of_templates(names: &[String], called: &BTreeSet<&'static str>) -> Cause {
    let what = names_of(names.iter().cloned());
    let functions = names_of(called.iter().map(|function| format!("{function}()")));
    cause(
        CauseKind::Function,
        format!(
            "{what}: computed with {functions} and known only after an apply; the template seems to call a \
             function of time or chance."
        ),
        "Look in the template for `timestamp()`, `uuid()` and `bcrypt()`, and give it a value that is kept \
         instead, as of a `time_static` or `random_uuid` resource."
            .to_owned(),
    )
}

/// What to do where the value comes from a file or a template.
pub(super) fn look_into(readers: &BTreeSet<&'static str>) -> String {
    let functions = names_of(readers.iter().map(|function| format!("{function}()")));
    format!(
        "Look at what {functions} reads: a template may call a function of time or chance, and the apply \
         itself may write a file."
    )
}

/// Only what is sensitive differs.
pub(super) fn of_marks() -> Cause {
    cause(
        CauseKind::Unknown,
        "The values stay as they are; only what is marked as sensitive differs.".to_owned(),
        "Look at what marks it: a sensitive variable or output, `sensitive()`, or the provider's schema."
            .to_owned(),
    )
}

/// `replace_triggered_by`, and what of it would change; all that would change where it cannot be read.
pub(super) fn triggered(changing: BTreeSet<String>, is_guess: bool) -> Cause {
    let of = names_of(changing);
    let text = match (of.is_empty(), is_guess) {
        (true, _) => {
            "`replace_triggered_by` names something that is to be changed as well.".to_owned()
        }
        (false, true) => format!(
            "`replace_triggered_by` names something that is to be changed as well, perhaps {of}."
        ),
        (false, false) => {
            format!("`replace_triggered_by` names {of}, which would change as well.")
        }
    };
    cause(
        CauseKind::Trigger,
        text,
        "Settle what it names first, or let it name only what should replace the resource."
            .to_owned(),
    )
}

/// What to take in place of a function of time or chance.
pub(super) fn instead_of(called: &BTreeSet<&'static str>) -> &'static str {
    match called.first().copied() {
        Some("uuid") => "a `random_uuid` resource",
        Some("bcrypt") => "a hash that is made once and kept in a variable",
        Some(_) | None => "a `time_static` or `time_rotating` resource",
    }
}

/// Something else is to be changed first.
pub(super) fn follows(names: &[String], sources: &BTreeSet<String>) -> Cause {
    let what = names_of(names.iter().cloned());
    let of = names_of(sources.iter().cloned());
    cause(
        CauseKind::Upstream,
        format!("{what}: made of {of}, which would change as well."),
        format!("Settle {of} first; this follows from it."),
    )
}

/// A data source gives another value than when the apply used it.
pub(super) fn of_data(names: &[String], sources: &BTreeSet<String>) -> Cause {
    let what = names_of(names.iter().cloned());
    let of = names_of(sources.iter().cloned());
    cause(
        CauseKind::Restless,
        format!("{what}: made of {of}, which may give another value at every read."),
        format!("Make it of something that stays as it is, or narrow down what {of} looks for."),
    )
}

/// What a resource reads has been read back as something else.
pub(super) fn follows_drift(sources: &BTreeSet<String>, mode: Mode) -> Cause {
    let of = names_of(sources.iter().cloned());
    let (text, hint) = match mode {
        Mode::Applied => (
            format!("It is made of {of}, which is read back with other values than were written."),
            format!(
                "Settle {of} first, or check with `--settle 1m` in case its values only come late."
            ),
        ),
        Mode::PlanOnly => (
            format!("It is made of {of}, which is read back with other values than the state has."),
            format!("Settle {of} first, then apply; this follows from it."),
        ),
    };
    cause(CauseKind::Upstream, text, hint)
}

/// Adds that it may only take a while, to what differs once it is read back.
pub(super) fn perhaps_late(mut cause: Cause) -> Cause {
    cause.hint.push_str(" `--settle 1m` tells whether it only comes late.");
    cause
}

/// Adds that it may be somebody else's doing, to what differs from the state.
pub(super) fn perhaps_elsewhere(mut cause: Cause) -> Cause {
    cause.text.push_str(" Or somebody changed it since the last apply.");
    cause
}

/// A provider writes the same thing in other words.
pub(super) fn rewritten(alike: Likeness, names: &[String], provider: &str) -> Cause {
    let what = names_of(names.iter().cloned());
    let (kind, how, hint) = match alike {
        Likeness::Order => (
            CauseKind::Order,
            "in another order",
            "Make it a set with `toset()`, or bring it into the order that is read back, as with `sort()`.",
        ),
        Likeness::Json => (
            CauseKind::Json,
            "as other text that is the same JSON",
            "Write it with `jsonencode()`, in the form that is read back.",
        ),
        Likeness::WhiteSpace => (
            CauseKind::WhiteSpace,
            "with other blanks or line breaks",
            "Wrap it in `trimspace()` or `chomp()`; a heredoc ends with a line break.",
        ),
        Likeness::Case => (
            CauseKind::Case,
            "in another case",
            "Write it in the case that is read back, as with `lower()`.",
        ),
        Likeness::Spelling(notation) => {
            let (how, hint) = spelling(notation);
            (CauseKind::Spelling, how, hint)
        }
        Likeness::Added => (CauseKind::Default, "with more than is configured", "Configure it."),
        Likeness::Lacking => (CauseKind::Dropped, "with less than is configured", "Leave it out."),
    };
    let text = format!("{what}: the provider `{provider}` returns it {how}.");
    cause(kind, text, hint.to_owned())
}

/// How a notation differs, and what to do about it.
pub(super) fn spelling(notation: Notation) -> (&'static str, &'static str) {
    match notation {
        Notation::Empty => (
            "as another kind of nothing: null, empty, zero or false",
            "Write nothing in the form that is read back: leave it out, or set it to `null`.",
        ),
        Notation::Type => (
            "as text where a number or a truth value is meant, or the other way round",
            "Write it in the type that is read back, as with `tostring()` or `tonumber()`.",
        ),
        Notation::Number => (
            "as the same number written in another way",
            "Write the number in the form that is read back.",
        ),
        Notation::Ending => (
            "with or without a slash or a dot at its end",
            "Write it with the ending that is read back, as with `trimsuffix()`.",
        ),
        Notation::Duration => (
            "as the same duration written in another way",
            "Write the duration in the form that is read back.",
        ),
        Notation::Time => (
            "as the same time written in another way",
            "Write the time in the form that is read back, mostly UTC with a `Z`.",
        ),
        Notation::Network => (
            "as the same network written in another way",
            "Write the network in the form that is read back: without host bits, as `cidrsubnet()` does.",
        ),
        Notation::Base64 => (
            "encoded or decoded as base64",
            "Use the attribute that takes base64, or leave the encoding to the provider.",
        ),
    }
}

/// There is more than the configuration says.
pub(super) fn filled_in(names: &[String], is_extended: bool, provider: &str) -> Cause {
    let what = names_of(names.iter().cloned());
    let text = if is_extended {
        format!(
            "{what}: has more than the configuration gives it; the provider `{provider}`, the service or \
             another resource adds to it."
        )
    } else {
        format!(
            "{what}: the provider `{provider}` fills it in where the configuration does not set it."
        )
    };
    let hint = "Configure what is read back, or list the attribute in `ignore_changes`.";
    cause(CauseKind::Default, text, hint.to_owned())
}

/// There is less than the configuration says.
pub(super) fn dropped(names: &[String], provider: &str) -> Cause {
    let what = names_of(names.iter().cloned());
    cause(
        CauseKind::Dropped,
        format!(
            "{what}: configured, but the provider `{provider}` does not return it, or not all of it."
        ),
        "Leave it out where the service does not keep it, or list it in `ignore_changes`."
            .to_owned(),
    )
}

/// What a replacement left behind.
pub(super) fn deposed() -> Cause {
    cause(
        CauseKind::Deposed,
        "An old object is left over from a replacement; it could not be deleted.".to_owned(),
        "Find out from the log of the apply why it cannot be deleted, and apply again.".to_owned(),
    )
}

/// What failed when it was created.
pub(super) fn tainted() -> Cause {
    cause(
        CauseKind::Tainted,
        "The object is tainted: its creation, or a provisioner of it, failed.".to_owned(),
        "Make the creation succeed, then apply again; run `terraform untaint` only if the object is whole."
            .to_owned(),
    )
}

/// What an argument of the check asks for.
pub(super) fn requested() -> Cause {
    cause(
        CauseKind::Rule,
        "`-replace` asks for it in every plan.".to_owned(),
        "Check without `-replace`.".to_owned(),
    )
}

/// What the configuration does not have any more.
pub(super) fn undeclared() -> Cause {
    cause(
        CauseKind::Configuration,
        "The configuration does not declare it any more.".to_owned(),
        "Apply the deletion, declare it again, or use a `removed` block.".to_owned(),
    )
}

/// A `moved`, `import` or `removed` block.
pub(super) fn block_pending(block: &str) -> Cause {
    let article = if block.starts_with('i') { "an" } else { "a" };
    cause(
        CauseKind::Configuration,
        format!("The configuration has {article} `{block}` block that was not carried out yet."),
        "Apply once without `-target`, so that the state knows of it.".to_owned(),
    )
}

/// A block that was not carried out, and what would be done besides. Against what was never written, a
/// provider neither drops nor fills in anything.
pub(super) fn beside_block(block: &str, paths: &[String], besides: Cause) -> Cause {
    let pending = block_pending(block);
    let is_telling = match besides.kind {
        CauseKind::Default
        | CauseKind::Dropped
        | CauseKind::Elsewhere
        | CauseKind::Configuration
        | CauseKind::Unknown => false,
        CauseKind::Function
        | CauseKind::Order
        | CauseKind::Json
        | CauseKind::WhiteSpace
        | CauseKind::Case
        | CauseKind::Spelling
        | CauseKind::Rival
        | CauseKind::DependsOn
        | CauseKind::Upstream
        | CauseKind::Restless
        | CauseKind::Vanished
        | CauseKind::Tainted
        | CauseKind::Trigger
        | CauseKind::Deposed
        | CauseKind::Rule => true,
    };
    if is_telling {
        return Cause { text: format!("{} {}", pending.text, besides.text), ..besides };
    }
    let names = names_of(paths.iter().cloned());
    let what = if names.is_empty() { "the object".to_owned() } else { names };
    Cause { text: format!("{} The apply would also change {what}.", pending.text), ..pending }
}

/// The configuration says something else than what is deployed.
pub(super) fn configured(has_drift: bool) -> Cause {
    let also = if has_drift {
        " It was also changed outside of this configuration since the last apply."
    } else {
        ""
    };
    cause(
        CauseKind::Configuration,
        format!("The configuration says something else than what is deployed.{also}"),
        "Apply it, or take the change out of the configuration.".to_owned(),
    )
}

/// Somebody else's change of attributes.
pub(super) fn elsewhere(what: &str) -> Cause {
    cause(
        CauseKind::Elsewhere,
        format!("{what}: changed by something else than this configuration's apply."),
        "Find out who changes it, and check again; where that is meant, list it in `ignore_changes`."
            .to_owned(),
    )
}

/// Somebody else's deletion.
pub(super) fn gone_elsewhere() -> Cause {
    cause(
        CauseKind::Elsewhere,
        "The object is gone, and this configuration did not delete it.".to_owned(),
        "Find out who deleted it, then apply again, or take it out of the configuration."
            .to_owned(),
    )
}

/// An instance that came or went because of what was changed elsewhere.
pub(super) fn repeated_elsewhere() -> Cause {
    cause(
        CauseKind::Elsewhere,
        "Its `count` or `for_each` depends on something that was changed by something else than this \
         configuration's apply."
            .to_owned(),
        "Find out who changed what `count` and `for_each` are made of.".to_owned(),
    )
}

/// An instance that one apply creates and the next one deletes.
pub(super) fn comes_and_goes(data: BTreeSet<String>) -> Cause {
    let of = names_of(data);
    let asks = if of.is_empty() { String::new() } else { format!("asks {of}, which ") };
    cause(
        CauseKind::Restless,
        format!(
            "One apply creates it and the next one deletes it: its `count` or `for_each` {asks}gives another \
             answer after each apply."
        ),
        "Make `count` and `for_each` of values that an apply does not change.".to_owned(),
    )
}

/// Values that each apply changes back.
pub(super) fn to_and_fro(names: &[String]) -> Cause {
    let what = names_of(names.iter().cloned());
    cause(
        CauseKind::Restless,
        format!("{what}: each apply sets it back to what it was before the last one."),
        "Make it of values that an apply does not change, and look for another resource that writes it."
            .to_owned(),
    )
}

/// The object was written and cannot be found.
pub(super) fn vanished(provider: &str) -> Cause {
    cause(
        CauseKind::Vanished,
        format!(
            "The provider `{provider}` does not find the object that it has just written, or somebody deleted \
             it meanwhile."
        ),
        "Check with `--settle 1m` in case the object only comes late; otherwise look for it in the \
         provider's issues."
            .to_owned(),
    )
}

/// Another resource writes the same object.
pub(super) fn rival(names: &[String], other: &str) -> Cause {
    let what = names_of(names.iter().cloned());
    cause(
        CauseKind::Rival,
        format!("{what}: `{other}` manages the same object and sets the value that is there now."),
        format!(
            "Let only one of the two manage it: remove it here or in `{other}`, or use `ignore_changes`."
        ),
    )
}

/// Other values at every read.
pub(super) fn restless(names: &[String], provider: &str) -> Cause {
    let what = names_of(names.iter().cloned());
    cause(
        CauseKind::Restless,
        format!("{what}: the provider `{provider}` reads another value each time."),
        "List the attribute in `ignore_changes`; the provider should not let it be configured."
            .to_owned(),
    )
}

/// Gone after a second apply.
pub(super) fn unordered(sources: &BTreeSet<String>) -> Cause {
    let of = names_of(sources.iter().cloned());
    if of.is_empty() {
        return cause(
            CauseKind::DependsOn,
            "It needs something that the first apply had not finished when it came to this."
                .to_owned(),
            "Refer to an attribute of what it needs, or name that in `depends_on`; or check with \
             `--settle 1m` in case values only come late."
                .to_owned(),
        );
    }
    cause(
        CauseKind::DependsOn,
        format!("It is made of {of}, which changed during the first apply."),
        format!(
            "Name {of} in `depends_on`, or refer to an attribute that is known only after its change."
        ),
    )
}

/// Somebody else wrote the state.
pub(super) fn state_moved() -> Cause {
    cause(
        CauseKind::Elsewhere,
        "Somebody else wrote the state while the check ran.".to_owned(),
        "Check again while nobody else applies.".to_owned(),
    )
}

/// What is there after an apply, and gone once it was read again.
pub(super) fn stale(names: &[String], provider: &str) -> Cause {
    let what = names_of(names.iter().cloned());
    let what = if what.is_empty() { "The object".to_owned() } else { what };
    cause(
        CauseKind::Unknown,
        format!(
            "{what}: the provider `{provider}` answered the apply with another value than it reads back; a \
             plan with a refresh is empty."
        ),
        "Look for the attribute in the provider's issues; plans with `-refresh=false` show it."
            .to_owned(),
    )
}

/// What to do where the cause is not known.
pub(super) fn advice(provider: &str) -> String {
    format!(
        "Check with `--twice` and `--settle 1m` whether it settles, and look for the attribute in the \
         issues of `{provider}`."
    )
}
