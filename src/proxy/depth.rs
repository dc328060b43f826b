//! How deep shims are nested, and what the ones above have learned.
//!
//! A provisioner that calls `terraform output` inside an apply is nesting of the right kind; a wrapper
//! script that leads back to us for ever is not. One variable, `TF_SHIM_DEPTH`, carries what tells
//! them apart: how many shims are above, which files are shims (never the real binary, so never called),
//! which candidate led straight back to us, and which commands are being guarded, so that one command is
//! one operation whatever stands between us and Terraform.
//!
//! Its form is `COUNT;HANDING;CANDIDATE;SHIM,SHIM…;GUARDED,GUARDED…;ROUND`. Nonsense counts as nothing, and
//! so does what an older version of us left out. Where there is no variable at all, `ancestry` asks the
//! processes above; only for what plain forwarding never meets.
//!
//! The variable outlives the run: what a provisioner leaves behind carries it on. So a guarded command
//! counts only while the shim that guards it is above us, by process id and start time.

use std::cell::OnceCell;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use crate::env;
use crate::sys::file::FileId;
use crate::sys::process::{Own, start_of};

use super::ancestry;
use super::argv::{CommandLine, Fnv};

/// Shims above this many are a loop; real nesting (a provisioner in a provisioner) is at two or three.
const CEILING: u32 = 12;

/// So often the very same words in the very same directory may come back from one candidate. Terraform may
/// be meant to call itself so, once or twice; a version manager whose version we are does it for ever.
const ROUNDS: u32 = 2;

/// A candidate of at least this many bytes is no script: Terraform has 80 MB and more, a shim of bash a few
/// hundred bytes. The size is known anyway; for a script the processes above may be looked at.
const NO_SCRIPT: u64 = 1 << 20;

/// The value that makes a new process of ours a witness.
pub(crate) const WITNESS: &str = "witness";

/// What the shims above have left in the environment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Depth {
    /// Whether there was a variable.
    is_told: bool,
    count: u32,
    witness: bool,
    handing: Option<Handing>,
    candidate: Option<FileId>,
    shims: Vec<FileId>,
    guarded: Vec<Guarding>,
    round: Option<Round>,
    /// Whether the candidate led straight back to us, once that was asked.
    led_back: OnceCell<bool>,
}

/// What was called, by words and directory, and how often it has come back so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Round {
    call: u64,
    times: u32,
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
        let told = value.to_str().map(Self::parse).unwrap_or_default();
        // Nobody above: the ordinary case asks the system nothing.
        let round = (told.count > 0).then(|| Round::own(told.round));
        Self { is_told: true, round, ..told }
    }

    fn parse(text: &str) -> Self {
        if text == WITNESS {
            return Self { witness: true, ..Self::default() };
        }
        let mut fields = text.split(';');
        let mut field = || fields.next().unwrap_or_default();
        Self {
            is_told: true,
            count: field().parse().unwrap_or(0),
            witness: false,
            handing: Handing::parse(field()),
            candidate: parse_id(field()),
            shims: field().split(',').filter_map(parse_id).collect(),
            guarded: field().split(',').filter_map(Guarding::parse).collect(),
            round: Round::parse(field()),
            led_back: OnceCell::new(),
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
    pub(crate) fn is_guarding(&self, fingerprint: u64, line: &CommandLine) -> bool {
        if !self.is_told {
            return ancestry::is_guarding(line);
        }
        let mut same = self.guarded.iter().filter(|guarding| guarding.fingerprint == fingerprint);
        same.any(|guarding| is_above_us(guarding.pid, guarding.start))
    }

    /// Whether a shim above us is this file, or it was found to lead back to one.
    pub(crate) fn knows_as_shim(&self, candidate: FileId) -> bool {
        self.shims.contains(&candidate)
    }

    /// Whether calling a candidate of that many bytes led straight back to us, with no Terraform in between.
    pub(crate) fn leads_back(&self, candidate: FileId, bytes: u64) -> bool {
        if !self.is_told {
            return bytes < NO_SCRIPT && ancestry::leads_back(candidate);
        }
        self.candidate == Some(candidate) && self.led_back()
    }

    /// Sure where the process ids say so: the process that the shim above started is us, or our parent still
    /// runs the candidate, a script. Where the script has become Terraform, as those of version managers do,
    /// we are its provisioner. A program that starts us from afar is found by its repeating itself.
    fn led_back(&self) -> bool {
        *self.led_back.get_or_init(|| self.look_back())
    }

    fn look_back(&self) -> bool {
        let Some((handing, candidate)) = self.handing.zip(self.candidate) else { return false };
        let own = Own::read();
        let is_us = match handing {
            Handing::Exec { own: pid } => pid == own.pid,
            Handing::Child { of } => of == own.parent,
        };
        let is_repeated = self.round.is_some_and(|round| round.times >= ROUNDS);
        is_us || is_repeated || ancestry::parent_runs(candidate)
    }

    /// What the program that we start is told.
    pub(crate) fn deeper(&self, handing: Handing, candidate: FileId, guards: Option<u64>) -> Self {
        let mut next = Self { is_told: true, ..self.clone() };
        next.count = self.count.saturating_add(1);
        if self.led_back() {
            next.shims.extend(self.candidate);
        }
        next.shims.extend(FileId::of_ourselves());
        next.shims.sort_unstable_by_key(|id| (id.device, id.inode));
        next.shims.dedup();
        next.handing = Some(handing);
        next.candidate = Some(candidate);
        next.led_back = OnceCell::new();
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
        let round = self.round.map(Round::to_text).unwrap_or_default();
        let count = self.count;
        OsStr::new(&format!("{count};{handing};{candidate};{shims};{guarded};{round}")).to_owned()
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
    ancestry::above().any(|above| above == pid) && start_of(pid) == Some(start)
}

impl Round {
    /// Our own call, counted on where the shim above was called so too.
    fn own(above: Option<Self>) -> Self {
        let mut hash = Fnv::default();
        hash.add(std::env::current_dir().unwrap_or_default().as_os_str().as_bytes());
        for word in std::env::args_os().skip(1) {
            hash.add(word.as_bytes());
        }
        let same = above.filter(|above| above.call == hash.value);
        Self { call: hash.value, times: same.map_or(0, |above| above.times.saturating_add(1)) }
    }

    fn parse(text: &str) -> Option<Self> {
        let (call, times) = text.split_once('.')?;
        Some(Self { call: u64::from_str_radix(call, 16).ok()?, times: times.parse().ok()? })
    }

    fn to_text(self) -> String {
        format!("{:x}.{}", self.call, self.times)
    }
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
        assert_eq!(back.round, deeper.round);
        assert_eq!(back.shims, vec![FileId::of_ourselves().unwrap()]);
    }

    #[test]
    fn only_a_shim_above_us_guards() {
        let guarded_by = |pid, start| Depth {
            is_told: true,
            guarded: vec![Guarding { fingerprint: 7, pid, start }],
            ..Depth::default()
        };
        let parent = Own::read().parent;
        let start = start_of(parent).unwrap();
        let line = CommandLine::read(&[]);
        assert!(guarded_by(parent, start).is_guarding(7, &line));
        assert!(!guarded_by(parent, start).is_guarding(8, &line));
        assert!(!guarded_by(parent, start + 1).is_guarding(7, &line));
        let own = Own::read().pid;
        assert!(!guarded_by(own, start_of(own).unwrap()).is_guarding(7, &line));
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
    fn a_candidate_that_became_us_leads_back_and_one_that_is_somewhere_above_does_not() {
        let own = Own::read();
        let handed = |handing| Depth::default().deeper(handing, CANDIDATE, None);
        let leads_back = |depth: &Depth| depth.leads_back(CANDIDATE, NO_SCRIPT);
        assert!(leads_back(&handed(Handing::Exec { own: own.pid })));
        assert!(leads_back(&handed(Handing::Child { of: own.parent })));
        assert!(!leads_back(&handed(Handing::Exec { own: own.parent })));
        assert!(!leads_back(&handed(Handing::Child { of: own.pid })));
        let other = FileId { device: 1, inode: 3 };
        assert!(!handed(Handing::Exec { own: own.pid }).leads_back(other, NO_SCRIPT));
    }

    #[test]
    fn a_candidate_that_comes_back_with_the_same_words_leads_back_after_some_rounds() {
        let handed = Depth::default().deeper(Handing::Exec { own: 1 }, CANDIDATE, None);
        for (times, expected) in [(0, false), (ROUNDS - 1, false), (ROUNDS, true)] {
            let depth = Depth { round: Some(Round { call: 7, times }), ..handed.clone() };
            assert_eq!(depth.leads_back(CANDIDATE, NO_SCRIPT), expected, "{times}");
        }
        let first = Round::own(None);
        assert_eq!(first.times, 0);
        assert_eq!(Round::own(Some(first)), Round { times: 1, ..first });
        assert_eq!(Round::own(Some(Round { call: 7, times: 9 })).times, 0, "other words");
    }

    #[test]
    fn what_an_older_version_wrote_is_read() {
        let depth = Depth::parse("2;e7;1:2;3:4;beef.5.6");
        assert_eq!((depth.count(), depth.round, depth.guarded.len()), (2, None, 1));
    }
}
