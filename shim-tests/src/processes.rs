//! Looking at processes from outside, through `/proc`.

use nix::sys::signal::Signal;

/// Returns the state letter of a process (`R`, `S`, `T`, `Z`, …), none where there is none.
#[must_use]
pub fn state_of(pid: u32) -> Option<char> {
    field(pid, 0)?.chars().next()
}

/// Whether a process is stopped, every thread of it: before that its parent is not told.
#[must_use]
pub fn is_stopped(pid: u32) -> bool {
    let Ok(threads) = std::fs::read_dir(format!("/proc/{pid}/task")) else { return false };
    let threads = threads.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let mut states = threads.map(state_of).peekable();
    states.peek().is_some() && states.all(|state| state == Some('T'))
}

/// Whether a process is there and works: neither gone nor waiting to be collected.
#[must_use]
pub fn is_alive(pid: u32) -> bool {
    state_of(pid).is_some_and(|state| !matches!(state, 'Z' | 'X'))
}

/// Returns the children of a process that are alive.
#[must_use]
pub fn children_of(parent: u32) -> Vec<u32> {
    let is_child = |pid: &u32| field(*pid, 1) == Some(parent.to_string()) && is_alive(*pid);
    everyone().into_iter().filter(is_child).collect()
}

/// Returns the members of a process group that are alive.
#[must_use]
pub fn in_group(group: u32) -> Vec<u32> {
    let is_member = |pid: &u32| field(*pid, 2) == Some(group.to_string()) && is_alive(*pid);
    everyone().into_iter().filter(is_member).collect()
}

/// Returns every process there is.
#[must_use]
pub fn everyone() -> Vec<u32> {
    let entries = std::fs::read_dir("/proc").expect("/proc is there");
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect()
}

/// Returns the parent of a process.
#[must_use]
pub fn parent_of(pid: u32) -> Option<u32> {
    field(pid, 1)?.parse().ok()
}

/// Whether a signal was sent to a process and has not been taken by it yet.
#[must_use]
pub fn is_pending(pid: u32, signal: Signal) -> bool {
    is_in(pid, &["SigPnd:", "ShdPnd:"], signal)
}

/// Whether the first thread of a process blocks a signal.
#[must_use]
pub fn is_blocked(pid: u32, signal: Signal) -> bool {
    is_in(pid, &["SigBlk:"], signal)
}

/// Whether a signal is in one of those masks of `/proc/PID/status`.
fn is_in(pid: u32, names: &[&str], signal: Signal) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let masks = status.lines().filter_map(|line| names.iter().find_map(|n| line.strip_prefix(n)));
    let mut masks = masks.filter_map(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    masks.any(|mask| mask & (1 << (signal as i32 - 1)) != 0)
}

/// Reads a field of `/proc/PID/stat`, counted from behind the name, which may hold anything.
fn field(pid: u32, number: usize) -> Option<String> {
    let stat = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
    let end = stat.iter().rposition(|byte| *byte == b')')?;
    let rest = String::from_utf8_lossy(&stat[end + 1..]).into_owned();
    rest.split_ascii_whitespace().nth(number).map(str::to_owned)
}
