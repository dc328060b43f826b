//! The passport: what a state should be, written down beside the configuration and committed with it.
//!
//! It holds no secret and changes rarely: which states there are, their lineages, whether they have
//! resources, and who said so. A clone on a new machine has no history; this is what it knows.

use chrono::{DateTime, SubsecRound, Utc};
use serde::{Deserialize, Serialize};

use super::identity::Identity;
use super::state::{Lineage, Serial};

/// The version of the format. The second number grows with each added key.
const FORMAT_VERSION: &str = "1.0";

/// A passport.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Passport {
    /// Version of the format.
    format_version: String,
    /// The states of a root module, one a workspace.
    states: Vec<Claim>,
}

/// What one state should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Claim {
    /// Kind of the backend.
    pub(crate) kind: String,
    /// Path of a local state, as seen from the root module.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) path: Option<String>,
    /// Key of the history of a remote state: a hash of where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<String>,
    /// The workspace.
    pub(crate) workspace: String,
    /// The lineage.
    pub(crate) lineage: Option<Lineage>,
    /// Its serial when that was written down: whatever is right has this one or a higher. Not kept up to date.
    #[serde(default)]
    pub(crate) serial: Option<Serial>,
    /// Whether it has resources.
    pub(crate) has_resources: bool,
    /// When that was written down. UTC.
    pub(crate) when: DateTime<Utc>,
    /// By whom, as `ana@mbp`.
    pub(crate) by: String,
}

/// Why a text is no passport.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotAPassport {
    /// It cannot be read.
    #[error("line {line}: no JSON of that form")]
    Json {
        /// From 1.
        line: usize,
    },
    /// It is of a later time.
    #[error("its format is not 1.x; use a newer tf")]
    Format,
    /// Nobody can tell which of two is meant.
    #[error("it describes the workspace `{0}` twice")]
    Twice(String),
}

impl Passport {
    /// Reads one.
    ///
    /// # Errors
    /// It is none, of a later format, or contradicts itself.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, NotAPassport> {
        let passport: Self = serde_json::from_slice(text)
            .map_err(|error| NotAPassport::Json { line: error.line().max(1) })?;
        if !passport.format_version.starts_with("1.") {
            return Err(NotAPassport::Format);
        }
        for (index, claim) in passport.states.iter().enumerate() {
            let earlier = passport.states.iter().take(index);
            if earlier.into_iter().any(|other| other.is_same_place(claim)) {
                return Err(NotAPassport::Twice(claim.workspace.clone()));
            }
        }
        Ok(passport)
    }

    /// One without states.
    pub(crate) fn empty() -> Self {
        Self { format_version: FORMAT_VERSION.to_owned(), states: Vec::new() }
    }

    /// What it says of a state.
    pub(crate) fn claim(&self, place: &Claim) -> Option<&Claim> {
        self.states.iter().find(|claim| claim.is_same_place(place))
    }

    /// With another claim in the place of the one about the same state; sorted, so that two that say the
    /// same are the same file.
    pub(crate) fn with(mut self, claim: Claim) -> Self {
        self.states.retain(|other| !other.is_same_place(&claim));
        self.states.push(claim);
        let order = |claim: &Claim| {
            (claim.kind.clone(), claim.workspace.clone(), claim.path.clone(), claim.key.clone())
        };
        self.states.sort_by_key(order);
        self
    }

    /// The text of the file.
    ///
    /// # Errors
    /// Never for what this type can hold; serialising has an error type.
    pub(crate) fn to_text(&self) -> serde_json::Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }
}

impl Claim {
    /// A claim about a state, with nothing claimed yet. `path` is that of a local state, as seen from the
    /// root module.
    pub(crate) fn about(identity: &Identity, path: Option<String>, at: DateTime<Utc>) -> Self {
        let key = path.is_none().then(|| identity.key());
        Self {
            kind: identity.kind.clone(),
            path,
            key,
            workspace: identity.workspace.clone(),
            lineage: None,
            serial: None,
            has_resources: false,
            when: at.trunc_subsecs(0),
            by: String::new(),
        }
    }

    /// Whether the two are about the same state.
    fn is_same_place(&self, other: &Self) -> bool {
        self.kind == other.kind
            && self.path == other.path
            && self.key == other.key
            && self.workspace == other.workspace
    }

    /// Whether it holds for what is so. The serial only grows, and the claim need not follow it.
    pub(crate) fn holds_for(&self, is: &Self) -> bool {
        self.lineage == is.lineage
            && self.has_resources == is.has_resources
            && self.serial <= is.serial
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(workspace: &str, lineage: &str) -> Claim {
        Claim {
            kind: "local".to_owned(),
            path: Some("terraform.tfstate".to_owned()),
            key: None,
            workspace: workspace.to_owned(),
            lineage: Lineage::new(lineage.to_owned()),
            serial: Some(Serial(7)),
            has_resources: true,
            when: "2026-11-20T10:00:00Z".parse().unwrap(),
            by: "ana@mbp".to_owned(),
        }
    }

    #[test]
    fn a_later_claim_takes_the_place_of_an_earlier_one() {
        let passport = Passport::empty().with(claim("b", "1")).with(claim("a", "1"));
        let passport = passport.with(claim("b", "2"));
        let read = Passport::parse(passport.to_text().unwrap().as_bytes()).unwrap();
        assert_eq!(read, passport);
        let workspaces: Vec<_> = read.states.iter().map(|claim| claim.workspace.as_str()).collect();
        assert_eq!(workspaces, ["a", "b"]);
        assert_eq!(read.claim(&claim("b", "")).unwrap().lineage, Lineage::new("2".to_owned()));
    }

    #[test]
    fn a_claim_holds_while_the_serial_grows() {
        let said = claim("a", "1");
        for (serial, holds) in [(None, false), (Some(6), false), (Some(7), true), (Some(8), true)] {
            let is = Claim { serial: serial.map(Serial), ..said.clone() };
            assert_eq!(said.holds_for(&is), holds);
        }
        assert!(Claim { serial: None, ..said.clone() }.holds_for(&said), "of an older tf");
        assert!(!said.holds_for(&Claim { has_resources: false, ..said.clone() }));
        assert!(!said.holds_for(&claim("a", "2")));
    }

    #[test]
    fn what_is_no_passport_is_said_with_its_line() {
        let twice =
            Passport { states: vec![claim("a", "1"), claim("a", "2")], ..Passport::empty() };
        let twice = twice.to_text().unwrap();
        for (text, expected) in [
            ("", NotAPassport::Json { line: 1 }),
            ("{\n\n<<<<<<< HEAD", NotAPassport::Json { line: 3 }),
            ("{\"format_version\": \"2.0\", \"states\": []}", NotAPassport::Format),
            (&twice, NotAPassport::Twice("a".to_owned())),
        ] {
            assert_eq!(Passport::parse(text.as_bytes()), Err(expected));
        }
    }
}
