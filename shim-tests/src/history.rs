//! Reads a store as store.md describes it, with a JSON reader, `gunzip` and SHA-256, and nothing of `tf`.
//!
//! Reading is checking: [`History::read`] fails the test if a line is not whole, its sum is wrong, the
//! chain has a gap, or a recorded object is not the bytes that its digest says. So whoever reads a
//! history has also verified it.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::read::GzDecoder;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// The history of one state.
#[derive(Clone, Debug)]
pub struct History {
    /// Its directory below `states/`.
    pub directory: PathBuf,
    /// What `identity.json` says.
    pub identity: Value,
    /// The lines of the journal, `open` lines included, in order.
    pub lines: Vec<Value>,
}

/// One operation: its lines put together.
#[derive(Clone)]
pub struct Operation {
    /// Its name.
    pub id: String,
    /// `run` for a guarded command, else the kind of its line.
    pub kind: String,
    /// What was said at the beginning, or all of it.
    pub begin: Value,
    /// What was said at the end; null while there is none.
    pub end: Value,
    /// What it found, checked; none where no bytes are recorded.
    pub before: Option<Vec<u8>>,
    /// What it left, checked; none where no bytes are recorded.
    pub after: Option<Vec<u8>>,
}

/// Reads every history of a store, verified; none where there is no store.
#[must_use]
pub fn read_all(store: &Path) -> Vec<History> {
    let Ok(entries) = std::fs::read_dir(store.join("states")) else { return Vec::new() };
    let mut directories: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    directories.sort();
    directories.iter().map(|directory| History::read(directory)).collect()
}

/// Returns the SHA-256 of bytes, in hexadecimal.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    use std::fmt::Write;
    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes everything");
        text
    })
}

/// Returns text of the journal as bytes: a string, or `{"b64": …}` where it is not UTF-8.
#[must_use]
pub fn odd_text(value: &Value) -> Vec<u8> {
    match value {
        Value::String(text) => text.as_bytes().to_vec(),
        other => STANDARD.decode(other["b64"].as_str().expect("odd text is base64")).unwrap(),
    }
}

impl History {
    /// Reads and verifies one history.
    ///
    /// # Panics
    /// If a line is not whole, the chain has a gap, or a recorded object is not there or not right.
    #[must_use]
    pub fn read(directory: &Path) -> Self {
        let history = Self::read_sound_lines(directory, Tail::MustBeWhole);
        for line in &history.lines {
            for side in ["before", "after"] {
                let _checked = history.bytes(&line[side]);
            }
        }
        history
    }

    /// Reads a history that a crash may have left: a torn last line of a segment is left out, the rest must
    /// be as sound as ever.
    #[must_use]
    pub fn read_after_a_crash(directory: &Path) -> Self {
        let history = Self::read_sound_lines(directory, Tail::MayBeTorn);
        for line in &history.lines {
            for side in ["before", "after"] {
                let _checked = history.bytes(&line[side]);
            }
        }
        history
    }

    /// Reads the lines and checks sums, chain and order.
    fn read_sound_lines(directory: &Path, tail: Tail) -> Self {
        let identity = std::fs::read(directory.join("identity.json")).unwrap_or_default();
        let identity = serde_json::from_slice(&identity).unwrap_or(Value::Null);
        let mut lines = Vec::new();
        for segment in segments(directory) {
            let text = std::fs::read(&segment).unwrap();
            for line in text.split_inclusive(|byte| *byte == b'\n') {
                match (read_line(line), tail) {
                    (Some(line), _) => lines.push(line),
                    (None, Tail::MayBeTorn) => {}
                    (None, Tail::MustBeWhole) => {
                        panic!("a damaged line in `{}`: {}", segment.display(), line.escape_ascii())
                    }
                }
            }
        }
        check_chain(directory, &lines);
        Self { directory: directory.to_owned(), identity, lines }
    }

    /// Returns the bytes an image stands for, verified; none where it has none.
    ///
    /// # Panics
    /// If the object is not there, or is not what the image says.
    #[must_use]
    pub fn bytes(&self, image: &Value) -> Option<Vec<u8>> {
        let stored = image["stored"].as_str()?;
        let encoded = std::fs::read(self.directory.join("objects").join(stored))
            .unwrap_or_else(|error| panic!("object `{stored}` cannot be read: {error}"));
        assert_eq!(Some(sha256(&encoded).as_str()), image["stored_sha256"].as_str(), "{stored}");
        assert_eq!(image["stored_bytes"].as_u64(), u64::try_from(encoded.len()).ok(), "{stored}");
        let mut plain = Vec::new();
        GzDecoder::new(encoded.as_slice()).read_to_end(&mut plain).expect("the object is gzip");
        assert_eq!(Some(sha256(&plain).as_str()), image["id"].as_str(), "{stored}");
        assert_eq!(image["bytes"].as_u64(), u64::try_from(plain.len()).ok(), "{stored}");
        assert!(stored.contains(&sha256(&plain)), "an object is named by its content: {stored}");
        Some(plain)
    }

    /// Returns the operations, in the order of their first line.
    ///
    /// # Panics
    /// If an operation has two beginnings, two ends, or an end without a beginning.
    #[must_use]
    pub fn operations(&self) -> Vec<Operation> {
        let mut order = Vec::new();
        let mut parts: BTreeMap<String, (Value, Value)> = BTreeMap::new();
        for line in &self.lines {
            let Some(op) = line["op"].as_str() else { continue };
            let is_end = line["kind"] == "end";
            let part = parts.entry(op.to_owned()).or_insert_with(|| {
                order.push(op.to_owned());
                (Value::Null, Value::Null)
            });
            let place = if is_end { &mut part.1 } else { &mut part.0 };
            assert!(place.is_null(), "operation {op} says twice how it began or ended: {line}");
            *place = line.clone();
        }
        order.into_iter().map(|op| self.operation(&op, parts[&op].clone())).collect()
    }

    /// Returns the guarded commands among the operations.
    #[must_use]
    pub fn runs(&self) -> Vec<Operation> {
        self.operations().into_iter().filter(|operation| operation.kind == "run").collect()
    }

    /// Puts one operation together. What the end says of the beginning is newer.
    fn operation(&self, id: &str, (begin, end): (Value, Value)) -> Operation {
        // A refused command never began: one line says both.
        let is_refused = begin.is_null() && end["outcome"] == "refused";
        let begin = if is_refused { end.clone() } else { begin };
        assert!(!begin.is_null(), "operation {id} ends without having begun: {end}");
        let is_run = is_refused || begin["kind"] == "begin";
        let kind = if is_run { "run" } else { begin["kind"].as_str().unwrap() };
        let before = if end["before"].is_null() { &begin["before"] } else { &end["before"] };
        let after = if is_run { &end["after"] } else { &begin["after"] };
        Operation {
            id: id.to_owned(),
            kind: kind.to_owned(),
            before: self.bytes(before),
            after: self.bytes(after),
            begin,
            end,
        }
    }

    /// Returns the one operation there is.
    ///
    /// # Panics
    /// If there is not exactly one.
    #[must_use]
    pub fn only(&self) -> Operation {
        let mut all = self.operations();
        assert_eq!(all.len(), 1, "one operation was expected: {:#?}", self.lines);
        all.remove(0)
    }

    /// Returns the newest operation.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    pub fn newest(&self) -> Operation {
        self.operations().pop().expect("an operation")
    }

    /// Returns the names of the markers in `running/`.
    #[must_use]
    pub fn running(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.directory.join("running")).into_iter().flatten();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    /// Returns the path of a local state, as bytes.
    #[must_use]
    pub fn path(&self) -> Vec<u8> {
        odd_text(&self.identity["attributes"]["path"])
    }
}

impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What tells one from another; bytes and whole lines would bury it.
        let image = |image: &Value| match image["serial"].as_u64() {
            Some(serial) => format!("{serial}"),
            None => image["status"].as_str().unwrap_or("none").to_owned(),
        };
        let after = if self.kind == "run" { &self.end["after"] } else { &self.begin["after"] };
        write!(
            f,
            "{} {} {} #{}-#{} {} -> {} {:?} exit {} signal {}",
            self.kind,
            self.id,
            self.verb(),
            self.begin["seq"],
            self.end["seq"],
            image(&self.begin["before"]),
            image(after),
            self.outcome(),
            self.end["exit"],
            self.end["signal"],
        )?;
        if self.begin["provisional"] == true {
            write!(f, " provisional, then {}", image(&self.end["before"]))?;
        }
        Ok(())
    }
}

impl Operation {
    /// Returns the status of what it found: `ok`, `absent`, …
    #[must_use]
    pub fn before_status(&self) -> &str {
        let before =
            if self.end["before"].is_null() { &self.begin["before"] } else { &self.end["before"] };
        before["status"].as_str().unwrap_or("none")
    }

    /// Returns the status of what it left; `none` where nothing was recorded.
    #[must_use]
    pub fn after_status(&self) -> &str {
        let after = if self.kind == "run" { &self.end["after"] } else { &self.begin["after"] };
        after["status"].as_str().unwrap_or("none")
    }

    /// Returns how it ended: `done`, `failed`, …; empty while it has not.
    #[must_use]
    pub fn outcome(&self) -> &str {
        self.end["outcome"].as_str().unwrap_or_default()
    }

    /// Returns the command.
    #[must_use]
    pub fn verb(&self) -> &str {
        self.begin["verb"].as_str().unwrap_or_default()
    }
}

/// Whether a crash may have torn lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tail {
    /// Nothing crashed.
    MustBeWhole,
    /// Something did.
    MayBeTorn,
}

/// Returns the segments of a journal, oldest first.
fn segments(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory.join("journal")).into_iter().flatten();
    let mut segments: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    segments.retain(|path| path.extension().is_some_and(|end| end == "jsonl"));
    segments.sort();
    segments
}

/// Reads one line, newline included; none where it is not whole or its sum is wrong.
fn read_line(line: &[u8]) -> Option<Value> {
    let text = std::str::from_utf8(line).ok()?.strip_suffix('\n')?;
    let value: Value = serde_json::from_str(text).ok()?;
    let sum = value["sum"].as_str()?;
    let body = text.strip_suffix(&format!(",\"sum\":\"{sum}\"}}"))?;
    (sha256(body.as_bytes()) == sum).then_some(value)
}

/// Fails unless every line names the one before it and the order only grows.
fn check_chain(directory: &Path, lines: &[Value]) {
    let place = directory.display();
    let mut before: Option<&Value> = None;
    for line in lines {
        let wanted = before.map_or(&Value::Null, |before| &before["sum"]);
        assert_eq!(&line["prev"], wanted, "the chain breaks in `{place}` at {line}");
        let seq = line["seq"].as_u64().expect("a line has a place in the order");
        let least = before.and_then(|before| before["seq"].as_u64());
        let is_open = line["kind"] == "open";
        let fits = least.is_none_or(|least| if is_open { seq == least } else { seq > least });
        assert!(fits, "the order does not grow in `{place}` at {line}");
        before = Some(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes a line as store.md 4 says.
    fn sealed(body: &str) -> Vec<u8> {
        format!("{body},\"sum\":\"{}\"}}\n", sha256(body.as_bytes())).into_bytes()
    }

    #[test]
    fn a_line_with_any_flipped_bit_is_noticed() {
        let line = sealed("{\"v\":1,\"seq\":1,\"prev\":null,\"kind\":\"open\"");
        assert!(read_line(&line).is_some());
        for bit in 0..line.len() * 8 {
            let mut flipped = line.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(read_line(&flipped).is_none(), "bit {bit}");
        }
    }

    #[test]
    #[should_panic(expected = "the chain breaks")]
    fn a_missing_line_breaks_the_chain() {
        let directory = tempfile::tempdir().unwrap();
        let journal = directory.path().join("journal");
        std::fs::create_dir(&journal).unwrap();
        let lines = [sealed("{\"seq\":1,\"prev\":null"), sealed("{\"seq\":3,\"prev\":\"x\"")];
        std::fs::write(journal.join("00000001.jsonl"), lines.concat()).unwrap();
        let _unreachable = History::read(directory.path());
    }
}
