//! What came of one run, in a form that can be compared: times and ids are named already.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::Bytes;
use crate::scenario::Call;
use crate::transcript::End;

use super::run::is_of_the_shell;

/// Everything that was seen of one run.
#[derive(Clone, Debug)]
pub struct Seen {
    /// How it ended.
    pub end: End,
    /// What it wrote to stdout.
    pub stdout: Vec<u8>,
    /// What it wrote to stderr.
    pub stderr: Vec<u8>,
    /// Every file left behind in project, home and temporary directory, the store left out.
    pub files: BTreeMap<Vec<u8>, Vec<u8>>,
    /// The store, and the directories made for it.
    pub store: BTreeMap<Vec<u8>, Vec<u8>>,
    /// What the remote backend has.
    pub remote: Remote,
    /// What each child saw, in the order in which they were started.
    pub sights: Vec<Sight>,
    /// Whether the shim made a record, so that the command was a guarded one.
    pub is_recorded: bool,
    /// Whether a state was changed.
    pub has_changed: bool,
}

/// What the remote backend has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    /// The state.
    pub state: Option<Vec<u8>>,
    /// Every request, method and path.
    pub requests: Vec<String>,
    /// Whether it is locked.
    pub is_locked: bool,
}

/// What one child saw: the fake behind the shim, or a probe that Terraform ran.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sight {
    /// Arguments, without the name.
    pub args: Vec<Bytes>,
    /// The name it was called by.
    pub name: Bytes,
    /// The whole environment, sorted.
    pub environment: Vec<(Bytes, Bytes)>,
    /// The working directory.
    pub cwd: Bytes,
    /// Every open descriptor, and what it is.
    pub descriptors: Vec<(i32, Bytes)>,
    /// Which of 0, 1 and 2 are terminals.
    pub terminals: Vec<bool>,
    /// Blocked signals.
    pub blocked: u64,
    /// Ignored signals.
    pub ignored: u64,
    /// How far below the process that was started.
    pub depth: Depth,
    /// Whether it is in the process group of the process that was started.
    pub is_in_group: bool,
    /// Whether it is in our session.
    pub is_in_session: bool,
}

/// Where a child is, seen from the process that was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// It is that process.
    Itself,
    /// Its child.
    Child,
    /// Further down.
    Below,
}

impl Sight {
    /// Reads what a call of the fake wrote down; `started` is the process id of what was started.
    #[must_use]
    pub fn of(call: &Call, started: i32) -> Self {
        let session = nix::unistd::getsid(None).unwrap().as_raw();
        let mut environment = call.environment.clone();
        environment.retain(|(name, _)| !is_of_the_shell(&name.to_os()));
        environment.sort();
        let describe = |target: &Bytes| {
            // A pipe has a number of its own in each run.
            let is_pipe = target.0.starts_with(b"pipe:") || target.0.starts_with(b"socket:");
            if is_pipe { Bytes::from("a pipe") } else { target.clone() }
        };
        let name = call.argv.first().map(Bytes::to_os).unwrap_or_default();
        let name = Path::new(&name).file_name().unwrap_or_default().as_bytes().to_vec();
        Self {
            args: call.argv.iter().skip(1).cloned().collect(),
            name: name.into(),
            environment,
            cwd: call.cwd.clone(),
            descriptors: call.descriptors.iter().map(|(n, to)| (*n, describe(to))).collect(),
            terminals: call.streams.iter().map(|stream| stream.is_terminal).collect(),
            blocked: call.blocked,
            ignored: call.ignored,
            depth: match started {
                pid if pid == call.pid => Depth::Itself,
                pid if pid == call.ppid => Depth::Child,
                _ => Depth::Below,
            },
            is_in_group: call.pgid == started,
            is_in_session: call.sid == session,
        }
    }
}
