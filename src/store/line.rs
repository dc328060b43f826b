//! One line of the journal: a flat JSON object, chained to the line before and closed by its own sum.
//!
//! The sum is over the exact bytes of the line before `,"sum"`, so a line is judged as bytes first and
//! understood second. Lines are never written again, so fields and kinds this program does not know
//! survive where they are.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;

use crate::model::redact::RedactedArgv;
use crate::model::state::Digest;

use super::error::StoreError;
use super::head::Head;
use super::record::{Entry, RecordKind};

/// Version of the line format.
const VERSION: u32 = 1;

/// A line, its newline included, is at most this long; only `open` lines may be longer.
const LONGEST_LINE: usize = 64 << 10;

/// How many characters of a sentence are kept in a line that would be too long.
const CUT_TEXT: usize = 1000;

/// What stands where something was cut.
const CUT: &str = "‹cut›";

/// A line that was read, whole and understood.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    /// Position in the order of the history.
    pub(crate) seq: u64,
    /// The sum of the line before.
    pub(crate) prev: Option<Digest>,
    /// The sum of this line.
    pub(crate) sum: Digest,
    /// What it says.
    pub(crate) entry: Entry,
    /// For `open` lines: the head.
    pub(crate) head: Option<Box<Head>>,
}

/// What reading a line gave.
#[derive(Debug)]
pub(super) enum Line {
    /// A record.
    Record(Box<Record>),
    /// Whole, but of a form this program does not understand: chain it, skip it.
    Strange {
        /// Its position.
        seq: u64,
        /// The sum of the line before.
        prev: Option<Digest>,
        /// Its sum.
        sum: Digest,
    },
    /// Not what was written.
    Bad,
}

/// A line ready to be written.
#[derive(Debug)]
pub(super) struct Encoded {
    /// Its bytes, newline included.
    pub(super) bytes: Vec<u8>,
    /// Its sum.
    pub(super) sum: Digest,
}

/// The fields that the store itself gives, as they are read.
#[derive(Deserialize)]
struct Frame {
    /// Position.
    seq: u64,
    /// Sum of the line before.
    #[serde(default)]
    prev: Option<Digest>,
}

/// The head of an `open` line, as it is read.
#[derive(Deserialize)]
struct WithHead {
    /// The head.
    head: Head,
}

/// Encodes an entry; a command line, sentence or note that makes it too long is cut, with a mark.
///
/// # Errors
/// [`StoreError::LineTooLong`] where cutting does not help.
pub(super) fn encode(entry: &Entry, seq: u64, prev: Option<Digest>) -> Result<Encoded, StoreError> {
    let whole = frame(entry, seq, prev, None)?;
    let Some(excess) = whole.bytes.len().checked_sub(LONGEST_LINE).filter(|excess| *excess > 0)
    else {
        return Ok(whole);
    };
    let cut = frame(&cut(entry.clone(), excess)?, seq, prev, None)?;
    match cut.bytes.len() {
        0..=LONGEST_LINE => Ok(cut),
        length => Err(StoreError::LineTooLong { length }),
    }
}

/// Encodes the first line of a segment.
///
/// # Errors
/// The head cannot be written as JSON.
pub(super) fn encode_open(
    head: &Head,
    t: DateTime<Utc>,
    prev: Option<Digest>,
) -> Result<Encoded, StoreError> {
    frame(&Entry::new(RecordKind::Open, None, t), head.seq, prev, Some(head))
}

/// Puts the parts of a line together. By hand, because the sum is over exact bytes.
fn frame(
    entry: &Entry,
    seq: u64,
    prev: Option<Digest>,
    head: Option<&Head>,
) -> Result<Encoded, StoreError> {
    let prev = serde_json::to_string(&prev).map_err(StoreError::Encode)?;
    let body = serde_json::to_string(entry).map_err(StoreError::Encode)?;
    let body = body.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or_default();
    let mut line = format!("{{\"v\":{VERSION},\"seq\":{seq},\"prev\":{prev},{body}");
    if let Some(head) = head {
        line.push_str(",\"head\":");
        line.push_str(&serde_json::to_string(head).map_err(StoreError::Encode)?);
    }
    let sum = Digest::of(line.as_bytes());
    line.extend([
        ",\"sum\":\"",
        &sum.to_string(),
        "\"}
",
    ]);
    Ok(Encoded { bytes: line.into_bytes(), sum })
}

/// Shortens what may be long: first the command line, as much as needed; then sentences.
fn cut(mut entry: Entry, excess: usize) -> Result<Entry, StoreError> {
    if let Some(argv) = entry.argv.take() {
        entry.argv = Some(cut_argv(&argv, excess).map_err(StoreError::Encode)?);
    }
    entry.note = entry.note.as_deref().map(cut_text);
    for note in &mut entry.guards {
        note.text = cut_text(&note.text);
    }
    Ok(entry)
}

/// Drops arguments from the end until enough is gone.
fn cut_argv(argv: &RedactedArgv, excess: usize) -> Result<RedactedArgv, serde_json::Error> {
    let Value::Array(mut arguments) = serde_json::to_value(argv)? else {
        return Ok(argv.clone());
    };
    // The mark needs a little room, too.
    let wanted = excess.saturating_add(64);
    let mut gone = 0_usize;
    while gone < wanted {
        let Some(last) = arguments.pop() else { break };
        gone = gone.saturating_add(serde_json::to_string(&last)?.len());
    }
    arguments.push(Value::String(CUT.to_owned()));
    serde_json::from_value(Value::Array(arguments))
}

/// Keeps the beginning of a long text.
fn cut_text(text: &str) -> String {
    match text.char_indices().nth(CUT_TEXT) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}{CUT}", text.get(..end).unwrap_or_default()),
    }
}

/// Reads a line, without its newline.
pub(super) fn decode(line: &[u8]) -> Line {
    let Some((body, sum)) = split_sum(line) else { return Line::Bad };
    if Digest::of(body) != sum {
        return Line::Bad;
    }
    let frame = Frame::at_the_beginning(line).or_else(|| serde_json::from_slice(line).ok());
    let Some(Frame { seq, prev }) = frame else { return Line::Bad };
    let Ok(entry) = serde_json::from_slice::<Entry>(line) else {
        return Line::Strange { seq, prev, sum };
    };
    let head = match entry.kind {
        RecordKind::Open => serde_json::from_slice::<WithHead>(line).ok().map(|it| it.head.into()),
        _ => None,
    };
    Line::Record(Box::new(Record { seq, prev, sum, entry, head }))
}

impl Frame {
    /// Reads the fields where [`frame`] writes them, without reading the whole line once more.
    fn at_the_beginning(line: &[u8]) -> Option<Self> {
        let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let rest = line.strip_prefix(b"{\"v\":")?;
        let rest = rest.get(digits(rest)..)?.strip_prefix(b",\"seq\":")?;
        let (seq, rest) = rest.split_at_checked(digits(rest))?;
        let seq = std::str::from_utf8(seq).ok()?.parse().ok()?;
        let rest = rest.strip_prefix(b",\"prev\":")?;
        if rest.starts_with(b"null,") {
            return Some(Self { seq, prev: None });
        }
        let (prev, rest) = rest.strip_prefix(b"\"")?.split_at_checked(64)?;
        let prev = std::str::from_utf8(prev).ok()?.parse().ok()?;
        rest.starts_with(b"\",").then_some(Self { seq, prev: Some(prev) })
    }
}

/// Divides a line into what the sum is over and the sum.
fn split_sum(line: &[u8]) -> Option<(&[u8], Digest)> {
    let rest = line.strip_suffix(b"\"}")?;
    let (rest, sum) = rest.split_at_checked(rest.len().checked_sub(64)?)?;
    let body = rest.strip_suffix(b",\"sum\":\"")?;
    Some((body, std::str::from_utf8(sum).ok()?.parse().ok()?))
}

#[cfg(test)]
#[expect(clippy::indexing_slicing, reason = "tests fail loudly")]
mod tests {
    use super::*;
    use crate::model::operation::OperationId;
    use crate::model::redact::OddText;

    fn entry() -> Entry {
        let op = OperationId::from_bits(7);
        Entry::new(RecordKind::Save, Some(op), DateTime::UNIX_EPOCH)
    }

    fn record(line: &[u8]) -> Record {
        match decode(line.strip_suffix(b"\n").unwrap()) {
            Line::Record(record) => *record,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn lines_are_read_back_and_the_sum_is_last() {
        let prev = Some(Digest::of(b"x"));
        let line = encode(&entry(), 3, prev).unwrap();
        let text = std::str::from_utf8(&line.bytes).unwrap();
        assert!(text.starts_with("{\"v\":1,\"seq\":3,\"prev\":\""));
        let (body, _) = text.rsplit_once(",\"sum\"").unwrap();
        assert_eq!(Digest::of(body.as_bytes()), line.sum);
        let read = record(&line.bytes);
        assert_eq!((read.seq, read.prev, read.sum), (3, prev, line.sum));
        assert_eq!(read.entry, entry());
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let line = encode(&entry(), 3, None).unwrap().bytes;
        let line = line.strip_suffix(b"\n").unwrap();
        for bit in 0..line.len() * 8 {
            let mut flipped = line.to_vec();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(matches!(decode(&flipped), Line::Bad), "bit {bit}");
        }
    }

    #[test]
    fn unknown_kinds_and_fields_are_records_and_odd_values_are_strange() {
        let sealed = |body: &str| format!("{body},\"sum\":\"{}\"}}\n", Digest::of(body.as_bytes()));
        let head = "{\"v\":9,\"seq\":5,\"prev\":null,\"t\":\"2026-01-01T00:00:00Z\"";
        let newer = record(sealed(&format!("{head},\"kind\":\"moved\",\"new\":[1]")).as_bytes());
        assert_eq!(newer.entry.kind, RecordKind::Unknown);
        let odd = sealed(&format!("{head},\"kind\":\"end\",\"outcome\":\"vanished\""));
        assert!(matches!(decode(odd.trim_end().as_bytes()), Line::Strange { seq: 5, .. }));
    }

    #[test]
    fn huge_command_lines_and_notes_are_cut_with_a_mark() {
        for arguments in [vec!["x".repeat(200_000)], vec!["-target=a".to_owned(); 50_000]] {
            let argv = serde_json::to_value(&arguments).unwrap();
            let argv = serde_json::from_value(argv).unwrap();
            let note = Some("ü".repeat(100_000));
            let line = encode(&Entry { argv: Some(argv), note, ..entry() }, 1, None).unwrap();
            assert!(line.bytes.len() <= LONGEST_LINE);
            let read = record(&line.bytes).entry;
            assert!(serde_json::to_string(&read.argv).unwrap().ends_with("\"‹cut›\"]"));
            assert!(read.note.unwrap().ends_with(CUT));
        }
    }

    #[test]
    fn what_cannot_be_cut_is_refused() {
        let long = Entry { host: Some(OddText::from("h".repeat(70_000).as_str())), ..entry() };
        assert!(matches!(encode(&long, 1, None), Err(StoreError::LineTooLong { .. })));
    }
}
