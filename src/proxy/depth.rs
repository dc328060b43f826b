//! How deep shims are nested, and what the ones above have learned.
//!
//! A provisioner that calls `terraform output` inside an apply is nesting of the right kind; a wrapper
//! script that leads back to us for ever is not. One variable, `TF_SHIM_DEPTH`, carries what tells
//! them apart: how many shims are above, which files are shims (never the real binary, so never called),
//! which candidate led straight back to us, and which commands are being guarded, so that one command is
//! one operation whatever stands between us and Terraform.
//!
//! Its form is `COUNT;HANDING;CANDIDATE;SHIM,SHIM…;GUARDED,GUARDED…`. Nonsense counts as nothing.
//!
//! The variable outlives the run: what a provisioner leaves behind carries it on. So a guarded command
//! counts only while the shim that guards it is above us, by process id and start time.

use std::ffi::{OsStr, OsString};

use crate::env;
use crate::sys::file::FileId;
use crate::sys::process::{Own, parent_of, start_of};

/// Shims above this many are a loop; real nesting (a provisioner in a provisioner) is at two or three.
const CEILING: u32 = 12;

/// So far up a shim is looked for.
const ANCESTORS: usize = 256;

/// The value that makes a new process of ours a witness.
pub(crate) const WITNESS: &str = "witness";

/// What the shims above have left in the environment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Depth {
    count: u32,
    witness: bool,
    handing: Option<Handing>,
    candidate: Option<FileId>,
    shims: Vec<FileId>,
    guarded: Vec<Guarding>,
}

/// A command that a shim guards, and which process that shim is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Guarding {
    fingerprint: u64,
    pid: i32,
    start: u64,
}

/// How a shim started the program it found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Handing {
    /// It became it, keeping its process id.
    Exec {
        /// That id.
        own: i32,
    },
    /// It started it as a child.
    Child {
        /// The process id of the shim that waits.
        of: i32,
    },
}

impl Depth {
    /// Reads the variable; what is not in our form counts as "nobody above".
    pub(crate) fn from_environment() -> Self {
        let Some(value) = std::env::var_os(env::DEPTH) else { return Self::default() };
        value.to_str().map(Self::parse).unwrap_or_default()
    }

    fn parse(text: &str) -> Self {
        if text == WITNESS {
            return Self { witness: true, ..Self::default() };
        }
        let mut fields = text.split(';');
        let mut field = || fields.next().unwrap_or_default();
        Self {
            count: field().parse().unwrap_or(0),
            witness: false,
            handing: Handing::parse(field()),
            candidate: parse_id(field()),
            shims: field().split(',').filter_map(parse_id).collect(),
            guarded: field().split(',').filter_map(Guarding::parse).collect(),
        }
    }

    /// Whether this process is to be a witness.
    pub(crate) fn is_witness(&self) -> bool {
        self.witness
    }

    /// Whether so many shims are above that it can only be a loop.
    pub(crate) fn is_a_loop(&self) -> bool {
        self.count >= CEILING
    }

    /// How many shims are above.
    pub(crate) fn count(&self) -> u32 {
        self.count
    }

    /// Whether a shim above us guards this very command.
    pub(crate) fn is_guarding(&self, fingerprint: u64) -> bool {
        let mut same = self.guarded.iter().filter(|guarding| guarding.fingerprint == fingerprint);
        same.any(|guarding| is_above_us(guarding.pid, guarding.start))
    }

    /// Whether a candidate must not be called: it is a shim, or calling it led straight back to us with
    /// no Terraform in between.
    pub(crate) fn rules_out(&self, candidate: FileId) -> bool {
        self.shims.contains(&candidate) || (self.led_back() && self.candidate == Some(candidate))
    }

    /// Sure only where the process ids say so. The process that the shim above started is us, or it
    /// is our parent and runs another program than the candidate, so that the candidate is a script.
    /// Where it is our parent and *is* the candidate, that is Terraform, and we are its provisioner.
    fn led_back(&self) -> bool {
        // Nobody above: the ordinary case asks the system nothing.
        let Some(handing) = self.handing else { return false };
        let own = Own::read();
        let is_us = match handing {
            Handing::Exec { own: pid } => pid == own.pid,
            Handing::Child { of } => of == own.parent,
        };
        let is_our_parent = || match handing {
            Handing::Exec { own: pid } => pid == own.parent,
            Handing::Child { of } => parent_of(own.parent) == Some(of),
        };
        let is_a_script =
            || FileId::of_process(own.parent).is_some_and(|p| Some(p) != self.candidate);
        is_us || (is_our_parent() && is_a_script())
    }

    /// What the program that we start is told.
    pub(crate) fn deeper(&self, handing: Handing, candidate: FileId, guards: Option<u64>) -> Self {
        let mut next = self.clone();
        next.count = self.count.saturating_add(1);
        if self.led_back() {
            next.shims.extend(self.candidate);
        }
        next.shims.extend(FileId::of_ourselves());
        next.shims.sort_unstable_by_key(|id| (id.device, id.inode));
        next.shims.dedup();
        next.handing = Some(handing);
        next.candidate = Some(candidate);
        let own = Own::read().pid;
        let guarding = |fingerprint| Guarding::by(own, fingerprint);
        next.guarded.extend(guards.and_then(guarding));
        next
    }

    /// The value of the variable.
    pub(crate) fn to_value(&self) -> OsString {
        let handing = self.handing.map(Handing::to_text).unwrap_or_default();
        let candidate = self.candidate.map(id_text).unwrap_or_default();
        let shims: Vec<String> = self.shims.iter().copied().map(id_text).collect();
        let guarded: Vec<String> = self.guarded.iter().map(|guarding| guarding.to_text()).collect();
        let (shims, guarded) = (shims.join(","), guarded.join(","));
        OsStr::new(&format!("{};{handing};{candidate};{shims};{guarded}", self.count)).to_owned()
    }
}

impl Guarding {
    /// The command that the process `pid` guards; none where the system does not tell its start.
    fn by(pid: i32, fingerprint: u64) -> Option<Self> {
        Some(Self { fingerprint, pid, start: start_of(pid)? })
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let fingerprint = u64::from_str_radix(parts.next()?, 16).ok()?;
        let (pid, start) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        Some(Self { fingerprint, pid, start })
    }

    fn to_text(self) -> String {
        format!("{:x}.{}.{}", self.fingerprint, self.pid, self.start)
    }
}

/// Whether a process is among those that led to us.
fn is_above_us(pid: i32, start: u64) -> bool {
    let mut above = Some(Own::read().parent);
    for _ in 0..ANCESTORS {
        match above {
            Some(found) if found == pid => return start_of(pid) == Some(start),
            Some(found) if found > 1 => above = parent_of(found),
            Some(_) | None => return false,
        }
    }
    false
}

impl Handing {
    fn parse(text: &str) -> Option<Self> {
        if let Some(pid) = text.strip_prefix('e') {
            return pid.parse().ok().map(|own| Self::Exec { own });
        }
        text.strip_prefix('c').and_then(|pid| pid.parse().ok()).map(|of| Self::Child { of })
    }

    fn to_text(self) -> String {
        match self {
            Self::Exec { own } => format!("e{own}"),
            Self::Child { of } => format!("c{of}"),
        }
    }
}

fn parse_id(text: &str) -> Option<FileId> {
    let (device, inode) = text.split_once(':')?;
    Some(FileId { device: device.parse().ok()?, inode: inode.parse().ok()? })
}

fn id_text(id: FileId) -> String {
    format!("{}:{}", id.device, id.inode)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CANDIDATE: FileId = FileId { device: 1, inode: 2 };

    #[test]
    fn what_is_written_is_read_back() {
        let deeper = Depth::default().deeper(Handing::Exec { own: 7 }, CANDIDATE, Some(0xbeef));
        let back = Depth::parse(deeper.to_value().to_str().unwrap());
        assert_eq!(back.count(), 1);
        assert_eq!(back.guarded, deeper.guarded);
        assert_eq!(back.guarded.len(), 1);
        assert_eq!(back.handing, Some(Handing::Exec { own: 7 }));
        assert_eq!(back.candidate, Some(CANDIDATE));
        assert_eq!(back.shims, vec![FileId::of_ourselves().unwrap()]);
    }

    #[test]
    fn only_a_shim_above_us_guards() {
        let guarded_by = |pid, start| Depth {
            guarded: vec![Guarding { fingerprint: 7, pid, start }],
            ..Depth::default()
        };
        let parent = Own::read().parent;
        let start = start_of(parent).unwrap();
        assert!(guarded_by(parent, start).is_guarding(7));
        assert!(!guarded_by(parent, start).is_guarding(8));
        assert!(!guarded_by(parent, start + 1).is_guarding(7));
        let own = Own::read().pid;
        assert!(!guarded_by(own, start_of(own).unwrap()).is_guarding(7));
    }

    #[test]
    fn nonsense_is_nothing() {
        for text in ["", "x", ";;;;", "1;e;::;,,;zz", "-3", "99999999999999999999"] {
            let depth = Depth::parse(text);
            assert!(
                !depth.is_a_loop() && depth.shims.is_empty() && depth.guarded.is_empty(),
                "{text}"
            );
        }
    }

    #[test]
    fn a_candidate_that_became_us_is_ruled_out_and_a_nested_one_is_not() {
        let own = Own::read();
        let led_back = Depth::default().deeper(Handing::Exec { own: own.pid }, CANDIDATE, None);
        assert!(led_back.rules_out(CANDIDATE));
        let script = Depth::default().deeper(Handing::Exec { own: own.parent }, CANDIDATE, None);
        assert!(script.rules_out(CANDIDATE));
        let parent = FileId::of_process(own.parent).unwrap();
        let nested = Depth::default().deeper(Handing::Exec { own: own.parent }, parent, None);
        assert!(!nested.rules_out(parent));
        let waited_for =
            Depth::default().deeper(Handing::Child { of: own.parent }, CANDIDATE, None);
        assert!(waited_for.rules_out(CANDIDATE));
    }
}
