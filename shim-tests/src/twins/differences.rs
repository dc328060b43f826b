//! What differs between two runs, once everything that may differ is taken out.

use std::collections::BTreeSet;
use std::fmt;

use crate::Bytes;

use super::case::Case;
use super::exceptions::{Exception, names};
use super::seen::{Seen, Sight};

/// One thing that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What it is: a stream, the end, a file, something a child saw.
    pub what: String,
    /// What the plain twin has.
    pub plain: Vec<u8>,
    /// What the shimmed one has.
    pub shimmed: Vec<u8>,
}

impl Difference {
    /// Compares a plain run with one through the shim, the given exceptions excused.
    #[must_use]
    pub fn between(
        case: &Case,
        plain: &Seen,
        shimmed: &Seen,
        exceptions: &[Exception],
    ) -> Vec<Self> {
        let (mut plain, mut shimmed) = (plain.clone(), shimmed.clone());
        for exception in exceptions {
            exception.excuse(case, &mut plain, &mut shimmed);
        }
        let mut found = Vec::new();
        let mut compare = |what: &str, plain: &[u8], shimmed: &[u8]| {
            if plain != shimmed {
                let what = what.to_owned();
                found.push(Self { what, plain: plain.to_vec(), shimmed: shimmed.to_vec() });
            }
        };
        let text = |end: &dyn fmt::Display| end.to_string().into_bytes();
        compare("end", &text(&plain.end), &text(&shimmed.end));
        compare("stdout", &plain.stdout, &shimmed.stdout);
        compare("stderr", &plain.stderr, &shimmed.stderr);
        for (name, plain, shimmed) in files(&plain, &shimmed) {
            compare(&format!("file {}", name.escape_ascii()), &plain, &shimmed);
        }
        let (there, here) = (&plain.remote, &shimmed.remote);
        compare("remote state", &told(&there.state), &told(&here.state));
        compare("remote requests", &told(&there.requests), &told(&here.requests));
        compare("remote lock", &told(&there.is_locked), &told(&here.is_locked));
        compare("children", &told(&plain.sights.len()), &told(&shimmed.sights.len()));
        for (number, (there, here)) in plain.sights.iter().zip(&shimmed.sights).enumerate() {
            for ((what, there), (_, here)) in aspects(there).into_iter().zip(aspects(here)) {
                compare(&format!("child {number}: {what}"), there.as_bytes(), here.as_bytes());
            }
        }
        found
    }
}

/// Every path that either has, and what each has there.
fn files(plain: &Seen, shimmed: &Seen) -> Vec<(Vec<u8>, Vec<u8>, Vec<u8>)> {
    let all = |seen: &Seen| -> std::collections::BTreeMap<Vec<u8>, Vec<u8>> {
        seen.files.iter().chain(&seen.store).map(|(n, c)| (n.clone(), c.clone())).collect()
    };
    let (plain, shimmed) = (all(plain), all(shimmed));
    let names: BTreeSet<&Vec<u8>> = plain.keys().chain(shimmed.keys()).collect();
    let content = |tree: &std::collections::BTreeMap<Vec<u8>, Vec<u8>>, name: &Vec<u8>| {
        tree.get(name).cloned().unwrap_or_else(|| b"(not there)".to_vec())
    };
    let rows =
        names.iter().map(|name| ((*name).clone(), content(&plain, name), content(&shimmed, name)));
    rows.collect()
}

fn told(value: &dyn fmt::Debug) -> Vec<u8> {
    format!("{value:?}").into_bytes()
}

/// Everything a child saw, by name.
fn aspects(sight: &Sight) -> Vec<(&'static str, String)> {
    let Sight {
        args,
        name,
        environment,
        cwd,
        descriptors,
        terminals,
        blocked,
        ignored,
        depth,
        is_in_group,
        is_in_session,
    } = sight;
    let bytes = |all: &[Bytes]| format!("{all:?}");
    vec![
        ("arguments", bytes(args)),
        ("name", format!("{name:?}")),
        ("environment", names(environment).join("\n")),
        ("directory", format!("{cwd:?}")),
        ("descriptors", format!("{descriptors:?}")),
        ("terminals", format!("{terminals:?}")),
        ("blocked signals", format!("{blocked:x}")),
        ("ignored signals", format!("{ignored:x}")),
        ("place below what was started", format!("{depth:?}")),
        ("in the group", is_in_group.to_string()),
        ("in the session", is_in_session.to_string()),
    ]
}

/// Shows where the two begin to differ, with a little before and after.
impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let same = self.plain.iter().zip(&self.shimmed).take_while(|(a, b)| a == b).count();
        let from = same.saturating_sub(60);
        let part = |bytes: &[u8]| {
            let end = bytes.len().min(same + 240);
            bytes.get(from..end).unwrap_or_default().escape_ascii().to_string()
        };
        writeln!(f, "  {} differs at byte {same}", self.what)?;
        writeln!(f, "    plain:   {}", part(&self.plain))?;
        write!(f, "    shimmed: {}", part(&self.shimmed))
    }
}
