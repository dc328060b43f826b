//! The words for things that more than one screen shows: states, operations, counts, people.

use super::style::{Line, Role};
use crate::model::identity::Identity;
use crate::model::operation::{Changes, Image, Kind, Operation, Outcome, Status};
use crate::model::state::Serial;
use crate::ops::report::StateName;

/// `128 resources`, `1 resource`.
pub(super) fn resources(count: u64) -> String {
    counted(count, "resource")
}

/// `17 operations`, `1 operation`.
pub(super) fn operations(count: usize) -> String {
    counted(u64::try_from(count).unwrap_or(u64::MAX), "operation")
}

/// A number and its noun, with an `s` where it needs one.
pub(super) fn counted(count: u64, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// A size for people: `312 B`, `45.2 KiB`.
pub(super) fn size(bytes: u64) -> String {
    let units = ["KiB", "MiB", "GiB"];
    let mut tenths = bytes.saturating_mul(10);
    let mut shown = format!("{bytes} B");
    for unit in units {
        if tenths < 10_240 {
            break;
        }
        tenths /= 1024;
        shown = format!("{}.{} {unit}", tenths / 10, tenths % 10);
    }
    shown
}

/// What a state is, in a few words: `serial 41 · 128 resources`, `no state`.
pub(super) fn image(image: &Image) -> String {
    let serial = image.serial.map(|serial| format!("serial {serial}"));
    let parts = match image.status {
        Status::Ok => [serial, image.resources.map(resources)],
        Status::Absent => [Some("no state".to_owned()), None],
        Status::Empty => [Some("an empty state".to_owned()), None],
        Status::Invalid => [Some("not a state".to_owned()), Some(size(image.bytes))],
        Status::Ambiguous => [Some("an ambiguous state".to_owned()), serial],
        Status::Encrypted => [Some("an encrypted state".to_owned()), serial],
        Status::Unreadable => [Some("not readable".to_owned()), None],
        Status::Unknown => [Some("not known".to_owned()), None],
    };
    let text = parts.into_iter().flatten().collect::<Vec<_>>().join(" · ");
    if text.is_empty() { "a state".to_owned() } else { text }
}

/// What is called by its verb, and what has none: `apply`, `outside tf`.
pub(super) fn operation(operation: &Operation) -> String {
    name(operation.kind, operation.verb.as_deref())
}

/// The same from its two parts.
pub(super) fn name(kind: Kind, verb: Option<&str>) -> String {
    let word = match kind {
        Kind::Outside => return "outside tf".to_owned(),
        Kind::Run => "run",
        Kind::Save => "save",
        Kind::Restore => "restore",
        Kind::Accept => "accept",
        Kind::Migrate => "migrate",
    };
    verb.unwrap_or(word).to_owned()
}

/// `ana@mbp`; none where nobody is known.
pub(super) fn who(operation: &Operation) -> Option<String> {
    match (&operation.user, &operation.host) {
        (Some(user), Some(host)) => Some(format!("{}@{}", user.display(), host.display())),
        (Some(user), None) => Some(user.display()),
        (None, Some(host)) => Some(format!("?@{}", host.display())),
        (None, None) => None,
    }
}

/// How it ended, in one word, and the weight of that.
pub(super) fn outcome(outcome: Option<Outcome>) -> (Role, &'static str) {
    match outcome {
        None => (Role::Warning, "running"),
        Some(Outcome::Done) => (Role::Plain, "done"),
        Some(Outcome::Failed) => (Role::Error, "failed"),
        Some(Outcome::Killed) => (Role::Error, "killed"),
        Some(Outcome::Refused) => (Role::Error, "refused"),
        Some(Outcome::Unknown) => (Role::Warning, "unknown"),
    }
}

/// `41 → 42`; one number where both are the same or only one is known; `- → 1` from no state.
pub(super) fn serials(before: Option<&Image>, after: Option<&Image>) -> String {
    let serial = |image: Option<&Image>| image.and_then(|image| image.serial);
    let mark = |image: Option<&Image>| match image.map(|image| image.status) {
        None | Some(Status::Unknown | Status::Unreadable) => "?",
        Some(Status::Absent | Status::Empty) => "-",
        Some(Status::Ok | Status::Invalid | Status::Ambiguous | Status::Encrypted) => "!",
    };
    let shown =
        |image| serial(image).map_or_else(|| mark(image).to_owned(), |s: Serial| s.to_string());
    match (before, after) {
        (None, None) => "-".to_owned(),
        (Some(_), None) => shown(before),
        (None, Some(_)) => shown(after),
        (Some(_), Some(_)) => {
            let (old, new) = (shown(before), shown(after));
            if old == new { old } else { format!("{old} → {new}") }
        }
    }
}

/// `+3 ~1 -0`, each in its colour where it is not zero.
pub(super) fn counts(changes: Changes) -> Line {
    let part = |role, sign: char, count: u64| {
        let role = if count == 0 { Role::Dim } else { role };
        Line::of(role, &format!("{sign}{count}"))
    };
    part(Role::Added, '+', changes.add)
        .plain(" ")
        .join(part(Role::Changed, '~', changes.change))
        .plain(" ")
        .join(part(Role::Removed, '-', changes.remove))
}

/// The header of a history: `/srv/net · default · local terraform.tfstate · lineage ec80aa96`.
pub(super) fn state(name: &StateName) -> Line {
    let line = place(&name.identity);
    match &name.lineage {
        Some(lineage) => line.with(Role::Dim, &format!(" · lineage {}", lineage.short())),
        None => line.with(Role::Dim, " · no lineage yet"),
    }
}

/// Where a state is, without its lineage.
fn place(identity: &Identity) -> Line {
    let rest = [identity.workspace(), identity.backend()];
    let line = Line::of(Role::Title, &identity.place());
    rest.iter().fold(line, |line, part| line.with(Role::Dim, " · ").plain(part))
}

#[cfg(test)]
mod tests {
    use super::{serials, size};
    use crate::model::operation::{Image, Status};
    use crate::model::state::Serial;

    #[test]
    fn sizes_have_one_decimal() {
        assert_eq!(size(312), "312 B");
        assert_eq!(size(46_285), "45.2 KiB");
        assert_eq!(size(1_048_576), "1.0 MiB");
        assert_eq!(size(u64::MAX), "1717986918.3 GiB");
    }

    #[test]
    fn serials_say_from_where_to_where() {
        let at =
            |serial| Image { serial: Some(Serial(serial)), ..Image::without_bytes(Status::Ok) };
        let [absent, unknown] = [Status::Absent, Status::Unknown].map(Image::without_bytes);
        assert_eq!(serials(Some(&at(41)), Some(&at(42))), "41 → 42");
        assert_eq!(serials(Some(&at(41)), Some(&at(41))), "41");
        assert_eq!(serials(Some(&at(38)), None), "38");
        assert_eq!(serials(Some(&absent), Some(&at(1))), "- → 1");
        assert_eq!(serials(Some(&at(41)), Some(&unknown)), "41 → ?");
        assert_eq!(serials(None, None), "-");
    }
}
