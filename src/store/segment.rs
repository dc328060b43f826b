//! Files of a journal: their names, their lines, and what is wrong with the chain through them.

use std::collections::HashSet;
use std::fmt;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;

use crate::model::state::Digest;
use crate::sys::fs::Folder;

use super::line::{self, Line, Record};
use super::record::RecordKind;

/// Names a segment: `NNNNNNNN.jsonl`, or `NNNNNNNN-<random>.jsonl` where locks do not work and each
/// process has its own. Ordered as the segments are read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SegmentName {
    /// Its number; starts at 1.
    pub(super) number: u32,
    /// The process that owns it, where it is owned: sixteen random digits.
    pub(super) owner: Option<String>,
}

impl SegmentName {
    /// Parses a file name; none for files that are no segments.
    pub(super) fn parse(file: &str) -> Option<Self> {
        let stem = file.strip_suffix(".jsonl")?;
        let (number, owner) = match stem.split_once('-') {
            Some((number, owner)) => (number, Some(owner)),
            None => (stem, None),
        };
        let digits = number.len() == 8 && number.bytes().all(|b| b.is_ascii_digit());
        let hex = |text: &str| text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let named = owner.is_none_or(|owner| owner.len() == 16 && hex(owner));
        if !digits || !named {
            return None;
        }
        Some(Self { number: number.parse().ok()?, owner: owner.map(str::to_owned) })
    }
}

impl fmt::Display for SegmentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.owner {
            Some(owner) => write!(f, "{:08}-{owner}.jsonl", self.number),
            None => write!(f, "{:08}.jsonl", self.number),
        }
    }
}

/// Something about a journal that is not as it was written. `line` counts from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Damage {
    /// Lines that are not what was written, and that the chain misses: a record is lost.
    LostLine {
        /// The file.
        segment: String,
        /// The line.
        line: usize,
    },
    /// A line that fails at the end, or that nothing was chained to: a write that was cut off and never
    /// acknowledged. Skipped; nothing is lost.
    TornLine {
        /// The file.
        segment: String,
        /// The line.
        line: usize,
    },
    /// A whole line that does not continue the one before: lines between them are missing.
    Gap {
        /// The file.
        segment: String,
        /// The line.
        line: usize,
    },
    /// A whole line that this program does not understand.
    Strange {
        /// The file.
        segment: String,
        /// The line.
        line: usize,
    },
    /// Two different records have the same number. Both count.
    TwoRecords {
        /// The number.
        seq: u64,
    },
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LostLine { segment, line } => {
                write!(f, "line {line} of `{segment}` is damaged; a record is lost")
            }
            Self::TornLine { segment, line } => {
                write!(f, "line {line} of `{segment}` was cut off while it was written")
            }
            Self::Gap { segment, line } => {
                write!(f, "records are missing before line {line} of `{segment}`")
            }
            Self::Strange { segment, line } => {
                write!(f, "line {line} of `{segment}` is not understood")
            }
            Self::TwoRecords { seq } => write!(f, "two records have the number {seq}"),
        }
    }
}

/// A segment that was read.
#[derive(Debug)]
pub(super) struct Segment {
    /// Its name.
    pub(super) name: SegmentName,
    /// Its lines.
    pub(super) lines: Vec<Line>,
    /// Its length in bytes.
    pub(super) bytes: u64,
    /// Whether anything may be appended: the last line is whole, and the file has no second name.
    pub(super) sealed: bool,
}

impl Segment {
    /// Reads a segment to its end.
    ///
    /// # Errors
    /// It cannot be read.
    pub(super) fn read(folder: &Folder, name: &SegmentName) -> io::Result<Self> {
        let mut file = folder.open_file(&name.to_string())?;
        let single = file.metadata()?.nlink() == 1;
        let mut text = Vec::new();
        file.read_to_end(&mut text)?;
        let lines: Vec<_> = text.split_inclusive(|byte| *byte == b'\n').map(read_line).collect();
        let whole = !matches!(lines.last(), None | Some(Line::Bad));
        let bytes = text.len().try_into().unwrap_or(u64::MAX);
        Ok(Self { name: name.clone(), lines, bytes, sealed: !(whole && single) })
    }

    /// Whether the last line is not whole: a crash, or a writer at work.
    pub(super) fn is_torn(&self) -> bool {
        matches!(self.lines.last(), Some(Line::Bad))
    }

    /// The record of its first line, if that is one with a head.
    pub(super) fn open_line(&self) -> Option<&Record> {
        match self.lines.first() {
            Some(Line::Record(record)) if record.head.is_some() => Some(record),
            _ => None,
        }
    }

    /// The sum of its last whole line.
    pub(super) fn last_sum(&self) -> Option<Digest> {
        self.lines.iter().rev().find_map(|line| match line {
            Line::Record(record) => Some(record.sum),
            Line::Strange { sum, .. } => Some(*sum),
            Line::Bad => None,
        })
    }
}

/// Reads one line. Without its newline it is not whole, whatever it says.
fn read_line(text: &[u8]) -> Line {
    text.strip_suffix(b"\n").map_or(Line::Bad, line::decode)
}

/// What a walk along the chain meets.
pub(super) enum Step {
    /// A record.
    Record(Box<Record>),
    /// A record that was met before: written again after a failed sync.
    Again(Box<Record>),
    /// A line that cannot be understood; its number.
    Skip(u64),
    /// A place where a record is lost.
    Lost,
}

/// Whether the line before opened a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Opened {
    /// It did not.
    No,
    /// It did; its `prev`.
    After(Option<Digest>),
}

/// A walk along the chain of lines.
pub(super) struct Walk {
    /// What was met, in order.
    pub(super) steps: Vec<Step>,
    /// What is wrong.
    pub(super) damage: Vec<Damage>,
    /// Sums of the last two whole lines, the newer one last.
    sums: [Option<Digest>; 2],
    /// The `prev` of the line before, if that was an `open` line. A record written again after a failed
    /// sync keeps its bytes, and with them the `prev` that the `open` line has, too.
    opened_at: Opened,
    /// Bad lines since the last whole one.
    bad: Vec<(String, usize)>,
    /// Sums of all whole lines that were met.
    seen: HashSet<Digest>,
    /// Numbers that were met.
    numbers: HashSet<u64>,
    /// Whether several processes wrote at once, so that there is no single chain to follow.
    parallel: bool,
}

impl Walk {
    /// Walks through segments in their order. The first line's `prev` is taken for granted.
    pub(super) fn along(segments: Vec<Segment>) -> Self {
        let mut walk = Self {
            steps: Vec::new(),
            damage: Vec::new(),
            sums: [None; 2],
            opened_at: Opened::No,
            bad: Vec::new(),
            seen: HashSet::new(),
            numbers: HashSet::new(),
            parallel: segments.iter().any(|segment| segment.name.owner.is_some()),
        };
        for segment in segments {
            let name = segment.name.to_string();
            for (index, line) in segment.lines.into_iter().enumerate() {
                walk.meet(&name, index.saturating_add(1), line);
            }
        }
        walk.settle_bad_lines(true);
        walk.order();
        walk
    }

    /// Whether several processes wrote at once.
    pub(super) fn is_parallel(&self) -> bool {
        self.parallel
    }

    /// Meets the next line.
    fn meet(&mut self, segment: &str, line: usize, content: Line) {
        match content {
            Line::Bad => self.bad.push((segment.to_owned(), line)),
            Line::Strange { seq, prev, sum } => {
                self.link(segment, line, prev, sum, false);
                self.damage.push(Damage::Strange { segment: segment.to_owned(), line });
                self.steps.push(Step::Skip(seq));
            }
            Line::Record(record) => {
                let open = record.entry.kind == RecordKind::Open;
                self.link(segment, line, record.prev, record.sum, open);
                let new = self.seen.insert(record.sum);
                if new && !open && !self.numbers.insert(record.seq) {
                    self.damage.push(Damage::TwoRecords { seq: record.seq });
                }
                self.steps.push(if new || open {
                    Step::Record(record)
                } else {
                    Step::Again(record)
                });
            }
        }
    }

    /// Checks that a whole line continues the chain.
    fn link(&mut self, segment: &str, line: usize, prev: Option<Digest>, sum: Digest, open: bool) {
        let [older, newer] = self.sums;
        let first = newer.is_none() && self.bad.is_empty();
        let continues = first
            || self.parallel
            || prev == newer
            // Written a second time, because the first new segment failed.
            || self.seen.contains(&sum)
            // A new segment because the last record's sync failed: it comes again, here.
            || (open && prev == older)
            || self.opened_at == Opened::After(prev);
        if !continues && self.bad.is_empty() {
            self.damage.push(Damage::Gap { segment: segment.to_owned(), line });
            self.steps.push(Step::Lost);
        }
        self.settle_bad_lines(continues);
        self.sums = [newer, Some(sum)];
        self.opened_at = if open { Opened::After(prev) } else { Opened::No };
    }

    /// Says what the bad lines were, now that it is known whether the chain misses them.
    fn settle_bad_lines(&mut self, harmless: bool) {
        if self.bad.is_empty() {
            return;
        }
        if !harmless {
            self.steps.push(Step::Lost);
        }
        for (segment, line) in std::mem::take(&mut self.bad) {
            self.damage.push(if harmless {
                Damage::TornLine { segment, line }
            } else {
                Damage::LostLine { segment, line }
            });
        }
    }

    /// Where several processes wrote at once, the order is by number, time and sum.
    fn order(&mut self) {
        if self.parallel {
            self.steps.sort_by_key(|step| match step {
                Step::Record(record) | Step::Again(record) => {
                    (record.seq, Some((record.entry.t, record.sum)))
                }
                Step::Skip(seq) => (*seq, None),
                Step::Lost => (0, None),
            });
        }
    }
}
