//! Which process is meant, beyond its number: numbers are used again.

use std::fmt;
use std::fs;
use std::str::FromStr;

/// One process of one boot of this machine: number and start time together are never used again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ProcessMark {
    /// The process id.
    pub(crate) pid: u32,
    /// When it started, in clock ticks since boot: field 22 of `/proc/PID/stat` (proc(5)).
    pub(crate) start: u64,
    /// Which boot: `/proc/sys/kernel/random/boot_id`; empty where the kernel does not tell.
    pub(crate) boot: String,
}

impl ProcessMark {
    /// Reads the mark of a process that is there now; none where there is no such process, or it has
    /// ended and only waits to be collected.
    pub(crate) fn read(pid: u32) -> Option<Self> {
        let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
        Some(Self { pid, start: start_time(&stat)?, boot: boot_id() })
    }

    /// Reads the mark of this process.
    pub(crate) fn read_own() -> Option<Self> {
        Self::read(std::process::id())
    }

    /// Whether exactly this process still runs. Only meaningful on the machine that made the mark.
    pub(crate) fn is_alive(&self) -> bool {
        Self::read(self.pid).as_ref() == Some(self)
    }
}

impl fmt::Display for ProcessMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.pid, self.start, self.boot)
    }
}

/// A text that is not the mark of a process.
#[derive(Debug, thiserror::Error)]
#[error("not the mark of a process")]
pub(crate) struct NotAMark;

impl FromStr for ProcessMark {
    type Err = NotAMark;

    fn from_str(text: &str) -> Result<Self, NotAMark> {
        let mut words = text.split_ascii_whitespace();
        let pid = words.next().and_then(|word| word.parse().ok()).ok_or(NotAMark)?;
        let start = words.next().and_then(|word| word.parse().ok()).ok_or(NotAMark)?;
        Ok(Self { pid, start, boot: words.next().unwrap_or_default().to_owned() })
    }
}

/// Field 22 of `/proc/PID/stat`. The second field, the name, may hold blanks and parentheses, so
/// counting starts behind the last parenthesis. None for zombies: their work is over.
fn start_time(stat: &[u8]) -> Option<u64> {
    let name_end = stat.iter().rposition(|byte| *byte == b')')?;
    let rest = std::str::from_utf8(stat.get(name_end..)?).ok()?;
    let mut fields = rest.split_ascii_whitespace().skip(1);
    if matches!(fields.next()?, "Z" | "X" | "x") {
        return None;
    }
    // The state, just taken, is field 3; 22 is eighteen further on.
    fields.nth(18)?.parse().ok()
}

/// The name of this boot.
fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_mark_is_alive_and_survives_text() {
        let mark = ProcessMark::read_own().unwrap();
        let again: ProcessMark = mark.to_string().parse().unwrap();
        assert_eq!(mark, again);
        assert!(again.is_alive());
    }

    #[test]
    fn same_number_with_another_start_is_another_process() {
        let mut mark = ProcessMark::read_own().unwrap();
        mark.start += 1;
        assert!(!mark.is_alive());
    }

    #[test]
    fn names_with_parentheses_do_not_shift_the_fields() {
        let tail = (4..=30).map(|n| n.to_string()).collect::<Vec<_>>().join(" ");
        let stat = format!("7 (a) S (b) S {tail}");
        assert_eq!(start_time(stat.as_bytes()), Some(22));
        let zombie = format!("7 (a) Z {tail}");
        assert_eq!(start_time(zombie.as_bytes()), None);
    }
}
