//! How a user names a state: `@-`, `7c1e`, `serial:41`, `before:destroy`, `2h`.
//!
//! Parsing and resolving are two steps. Parsing (here) needs no history, only the clock of the caller;
//! resolving is in `resolve.rs`. What is easy to get wrong: `90d` is made of hexadecimal digits and is
//! a time all the same; `1234d` is an id.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};

use super::operation::OperationId;
use super::resolve::Side;
use super::state::Serial;

/// A state as a user names it (interface.md 2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reference {
    /// `now`: the live state.
    Now,
    /// `@`, `@-`, `@-3`: the newest good state, or that many different good ones earlier.
    Good {
        /// How many earlier; 0 is the newest.
        back: usize,
    },
    /// `7c1e` and `7c1e:before`.
    Operation {
        /// The first digits of the id, at least four, lower case.
        prefix: String,
        /// What it left, or what it found.
        side: Side,
    },
    /// `serial:41`: the newest with that serial.
    Serial(Serial),
    /// `before:destroy`: what the last operation of that verb found. Blanks between words.
    BeforeVerb(String),
    /// `2h`, `2026-11-20T10:00`: the state as it was then.
    AsOf(DateTime<Utc>),
    /// `sha256:…`: by content.
    Digest {
        /// The first digits, at least eight, lower case.
        prefix: String,
    },
}

/// A text that names no state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotAReference {
    /// It looks like nothing we know.
    #[error(
        "`{0}` names no state; try `now`, `@`, `@-`, an id, `ID:before`, `serial:41`, \
         `before:destroy`, `2h`, `2026-11-20T10:00` or `sha256:…`"
    )]
    Unknown(String),
    /// Fewer digits of an id than tell operations apart.
    #[error("`{0}` is too short for an id: at least 4 digits")]
    ShortId(String),
    /// More digits than an id has.
    #[error("`{0}` is too long for an id: at most 16 digits (by content it is `sha256:…`)")]
    LongId(String),
    /// No number after `serial:`, or `@-`.
    #[error("`{0}` does not end with a whole number")]
    NoNumber(String),
    /// No verb after `before:`.
    #[error("`{0}` lacks a command, as in `before:destroy`")]
    NoVerb(String),
    /// Not 8 to 64 hexadecimal digits after `sha256:`.
    #[error("`{0}` needs 8 to 64 hexadecimal digits after `sha256:`")]
    NoDigest(String),
    /// It has the form of a time, but there is no such time.
    #[error("`{0}` is no time that there was or will be; the form is `2026-11-20T10:00`")]
    NoTime(String),
    /// A local time that the clocks skipped.
    #[error(
        "`{0}` is a time that the local clock skipped or had twice; write it with `Z` or an offset"
    )]
    NoLocalTime(String),
}

impl Reference {
    /// Reads what a user typed. `now` is the time that relative times count from; `local` turns a local
    /// time into UTC, and gives `None` where there is no such time or two.
    ///
    /// # Errors
    /// The text has none of the forms, or one of them incompletely.
    pub(crate) fn parse(
        text: &str,
        now: DateTime<Utc>,
        local: &dyn Fn(NaiveDateTime) -> Option<DateTime<Utc>>,
    ) -> Result<Self, NotAReference> {
        let typed = || text.to_owned();
        if text == "now" {
            return Ok(Self::Now);
        }
        if let Some(back) = text.strip_prefix('@') {
            return good(back).ok_or_else(|| NotAReference::NoNumber(typed()));
        }
        if let Some(serial) = text.strip_prefix("serial:") {
            let serial = whole_number(serial).ok_or_else(|| NotAReference::NoNumber(typed()))?;
            return Ok(Self::Serial(Serial(serial)));
        }
        if let Some(verb) = text.strip_prefix("before:") {
            let words = canonical_verb(verb);
            return match words.as_str() {
                "" => Err(NotAReference::NoVerb(typed())),
                _ => Ok(Self::BeforeVerb(words)),
            };
        }
        if let Some(digest) = text.strip_prefix("sha256:") {
            return match hex(digest) {
                Some(prefix) if (8..=64).contains(&prefix.len()) => Ok(Self::Digest { prefix }),
                _ => Err(NotAReference::NoDigest(typed())),
            };
        }
        if let Some(ago) = duration(text) {
            let then = now.checked_sub_signed(ago);
            return then.map(Self::AsOf).ok_or_else(|| NotAReference::NoTime(typed()));
        }
        if text.contains('T') && text.starts_with(|c: char| c.is_ascii_digit()) {
            return time(text, local).map(Self::AsOf);
        }
        operation(text)
    }
}

fn good(text: &str) -> Option<Reference> {
    let back = match text {
        "" => 0,
        "-" => 1,
        _ => usize::try_from(whole_number(text.strip_prefix('-')?)?).ok()?,
    };
    Some(Reference::Good { back })
}

fn operation(text: &str) -> Result<Reference, NotAReference> {
    let (id, side) = match text.strip_suffix(":before") {
        Some(id) => (id, Side::Before),
        None => (text, Side::After),
    };
    let Some(prefix) = hex(id) else { return Err(NotAReference::Unknown(text.to_owned())) };
    match prefix.len() {
        0..4 => Err(NotAReference::ShortId(id.to_owned())),
        4..=OperationId::DIGITS => Ok(Reference::Operation { prefix, side }),
        _ => Err(NotAReference::LongId(id.to_owned())),
    }
}

/// Digits only: `parse` alone would take a sign.
fn whole_number(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

fn hex(text: &str) -> Option<String> {
    let is_hex = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hex.then(|| text.to_ascii_lowercase())
}

/// One to three digits and a unit; a year has 365 days.
fn duration(text: &str) -> Option<TimeDelta> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if !(1..=3).contains(&digits.len()) {
        return None;
    }
    let count = i64::try_from(whole_number(digits)?).ok()?;
    match unit {
        "m" => TimeDelta::try_minutes(count),
        "h" => TimeDelta::try_hours(count),
        "d" => TimeDelta::try_days(count),
        "w" => TimeDelta::try_weeks(count),
        "y" => TimeDelta::try_days(count.saturating_mul(365)),
        _ => None,
    }
}

fn time(
    text: &str,
    local: &dyn Fn(NaiveDateTime) -> Option<DateTime<Utc>>,
) -> Result<DateTime<Utc>, NotAReference> {
    let zoned = text.strip_suffix('Z').map_or_else(|| text.to_owned(), |t| format!("{t}+00:00"));
    for form in ["%Y-%m-%dT%H:%M%:z", "%Y-%m-%dT%H:%M:%S%.f%:z"] {
        if let Ok(time) = DateTime::parse_from_str(&zoned, form) {
            return Ok(time.with_timezone(&Utc));
        }
    }
    for form in ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S%.f"] {
        if let Ok(time) = NaiveDateTime::parse_from_str(text, form) {
            return local(time).ok_or_else(|| NotAReference::NoLocalTime(text.to_owned()));
        }
    }
    Err(NotAReference::NoTime(text.to_owned()))
}

/// `state-rm` and `state rm` are one verb, and so are `force-unlock` and `force unlock`.
pub(super) fn canonical_verb(verb: &str) -> String {
    let words = verb.split(|c: char| c == '-' || c.is_whitespace());
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
    use proptest::prelude::{any, proptest};

    use super::{NotAReference, Reference, Side};
    use crate::model::state::Serial;

    fn utc(text: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(text).unwrap().with_timezone(&Utc)
    }

    /// One hour east of UTC, with a gap between 2 and 3 in the morning.
    fn local(time: NaiveDateTime) -> Option<DateTime<Utc>> {
        let is_gap = time.format("%H").to_string() == "02";
        (!is_gap).then(|| time.and_utc() - TimeDelta::hours(1))
    }

    fn parse(text: &str) -> Result<Reference, NotAReference> {
        Reference::parse(text, utc("2026-11-20T12:00:00Z"), &local)
    }

    fn operation(prefix: &str, side: Side) -> Reference {
        Reference::Operation { prefix: prefix.to_owned(), side }
    }

    #[test]
    fn every_form_of_the_table_is_read() {
        let as_of = |text| Reference::AsOf(utc(text));
        for (text, expected) in [
            ("now", Reference::Now),
            ("@", Reference::Good { back: 0 }),
            ("@-", Reference::Good { back: 1 }),
            ("@-3", Reference::Good { back: 3 }),
            ("7c1e9a04", operation("7c1e9a04", Side::After)),
            ("7C1E", operation("7c1e", Side::After)),
            ("7c1e:before", operation("7c1e", Side::Before)),
            ("serial:41", Reference::Serial(Serial(41))),
            ("before:destroy", Reference::BeforeVerb("destroy".to_owned())),
            ("before:state rm", Reference::BeforeVerb("state rm".to_owned())),
            ("before:state-rm", Reference::BeforeVerb("state rm".to_owned())),
            ("90m", as_of("2026-11-20T10:30:00Z")),
            ("90d", as_of("2026-08-22T12:00:00Z")),
            ("1y", as_of("2025-11-20T12:00:00Z")),
            ("2w", as_of("2026-11-06T12:00:00Z")),
            ("1234d", operation("1234d", Side::After)),
            ("2026", operation("2026", Side::After)),
            ("2026-11-20T10:00", as_of("2026-11-20T09:00:00Z")),
            ("2026-11-20T10:00:30", as_of("2026-11-20T09:00:30Z")),
            ("2026-11-20T10:00Z", as_of("2026-11-20T10:00:00Z")),
            ("2026-11-20T10:00:01.5+02:00", as_of("2026-11-20T08:00:01.5Z")),
            ("sha256:E3B0C442", Reference::Digest { prefix: "e3b0c442".to_owned() }),
        ] {
            assert_eq!(parse(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_incomplete_says_what_is_missing() {
        let own = str::to_owned;
        for (text, expected) in [
            ("", NotAReference::Unknown(own(""))),
            ("head", NotAReference::Unknown(own("head"))),
            ("7c1", NotAReference::ShortId(own("7c1"))),
            ("12", NotAReference::ShortId(own("12"))),
            ("00112233445566778", NotAReference::LongId(own("00112233445566778"))),
            ("@3", NotAReference::NoNumber(own("@3"))),
            ("@--1", NotAReference::NoNumber(own("@--1"))),
            ("serial:+4", NotAReference::NoNumber(own("serial:+4"))),
            ("serial:", NotAReference::NoNumber(own("serial:"))),
            ("before:", NotAReference::NoVerb(own("before:"))),
            ("sha256:e3b0", NotAReference::NoDigest(own("sha256:e3b0"))),
            ("2026-13-20T10:00", NotAReference::NoTime(own("2026-13-20T10:00"))),
            ("2026-11-20T02:30", NotAReference::NoLocalTime(own("2026-11-20T02:30"))),
        ] {
            assert_eq!(parse(text), Err(expected), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in any::<String>()) {
            let _ = parse(&text);
        }
    }
}
