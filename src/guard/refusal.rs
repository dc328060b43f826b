//! A refusal: which guard, what was expected, what was found, and the commands that lead out.

use std::path::PathBuf;

use chrono::{DateTime, Utc};

use crate::model::guard::Guard;
use crate::model::operation::{GuardAction, GuardNote, Image, OperationId};
use crate::model::state::{Lineage, Serial};

/// How many addresses a record keeps.
const MOST_NAMES: usize = 50;

/// Why a command was not started.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    /// Which guard.
    pub(crate) guard: Guard,
    /// The state that should be there, where one is known.
    pub(crate) expected: Option<Expected>,
    /// What was found instead: a sentence, without a full stop.
    pub(crate) found: String,
    /// What the plan would delete, for `protected`: the address, and why it may not be.
    pub(crate) addresses: Vec<(String, String)>,
    /// SHA-256 of the plan that was judged, for `protected`: hexadecimal.
    pub(crate) plan_sha256: Option<String>,
    /// The commands that lead out; empty where there is none.
    pub(crate) ways: Vec<Way>,
}

/// The state that should be there, as it was last seen.
#[derive(Clone, Debug)]
pub(crate) struct Expected {
    /// Its lineage.
    pub(crate) lineage: Option<Lineage>,
    /// Its serial; where only the passport knows of it the lowest that it can have, if that is known.
    pub(crate) serial: Option<Serial>,
    /// Its managed resource instances; none where only the passport knows of it: there are some.
    pub(crate) resources: Option<u64>,
    /// When it was last seen. UTC.
    pub(crate) when: Option<DateTime<Utc>>,
    /// By whom, as `ana@mbp`.
    pub(crate) who: Option<String>,
    /// Who says so.
    pub(crate) witness: Witness,
}

/// Who knows of a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Witness {
    /// The history: the operation that left it.
    History(OperationId),
    /// The passport in this file.
    Passport(PathBuf),
}

/// A command that leads out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Way {
    /// The command, as it can be pasted.
    pub(crate) command: String,
    /// What it is good for, a few words in the imperative.
    pub(crate) does: &'static str,
}

impl Refusal {
    /// A refusal of which only this is known: no expected state, no plan, no way out.
    pub(crate) fn of(guard: Guard, found: String) -> Self {
        Self {
            guard,
            expected: None,
            found,
            addresses: Vec::new(),
            plan_sha256: None,
            ways: Vec::new(),
        }
    }

    /// What the record keeps of it.
    pub(crate) fn note(&self, action: GuardAction) -> GuardNote {
        let found = with_names(&self.found, &self.addresses);
        GuardNote::new(self.guard, action, sentence(self.expected.as_ref(), &found))
    }
}

/// A finding, and behind it the addresses that it is about, not too many.
pub(super) fn with_names(found: &str, addresses: &[(String, String)]) -> String {
    let names: Vec<&str> =
        addresses.iter().take(MOST_NAMES).map(|(address, _)| address.as_str()).collect();
    let more = addresses.len().saturating_sub(MOST_NAMES);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let colon = if names.is_empty() { "" } else { ": " };
    format!("{found}{colon}{}{more}", names.join(", "))
}

impl Expected {
    /// What stands behind a serial that the state has left behind since: the passport is not kept up to date.
    pub(crate) fn or_later(&self) -> &'static str {
        match self.witness {
            Witness::History(_) => "",
            Witness::Passport(_) => " or later",
        }
    }

    /// A state that an operation of the history left.
    pub(crate) fn left_by(id: &OperationId, image: &Image) -> Self {
        Self {
            lineage: image.lineage.clone(),
            serial: image.serial,
            resources: image.resources,
            when: None,
            who: None,
            witness: Witness::History(id.clone()),
        }
    }
}

/// `expected serial 41 (128 resources, lineage ec80aa96); there is no state`.
pub(crate) fn sentence(expected: Option<&Expected>, found: &str) -> String {
    let expected = expected.map(|expected| format!("expected {expected}; "));
    expected.unwrap_or_default() + found
}

/// `serial 41 (128 resources, lineage ec80aa96)`.
impl std::fmt::Display for Expected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let serial = self.serial.map(|serial| format!("serial {serial}{}", self.or_later()));
        f.write_str(&described(serial, self.resources, self.lineage.as_ref()))
    }
}

/// A state that was seen: `serial 41 (128 resources, lineage ec80aa96)`.
pub(crate) fn told(image: &Image) -> String {
    describe(image.serial, image.resources, image.lineage.as_ref())
}

/// What is known of a state, in a few words; a count that is not known is of one that has some.
pub(super) fn describe(
    serial: Option<Serial>,
    resources: Option<u64>,
    lineage: Option<&Lineage>,
) -> String {
    described(serial.map(|serial| format!("serial {serial}")), resources, lineage)
}

fn described(serial: Option<String>, resources: Option<u64>, lineage: Option<&Lineage>) -> String {
    let what = serial.unwrap_or_else(|| "a state".to_owned());
    let resources = match resources {
        Some(1) => "1 resource".to_owned(),
        Some(count) => format!("{count} resources"),
        None => "with resources".to_owned(),
    };
    let lineage = lineage.map_or("none", |lineage| lineage.short());
    format!("{what} ({resources}, lineage {lineage})")
}
