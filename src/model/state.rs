//! The bytes of a state and what its header says.
//!
//! Bytes are sacred: they are kept exactly as they were read, and the header is scanned from them
//! without changing anything. [`StateImage`] has no `Debug`, no `Display` and no `Serialize`, so that
//! state content cannot leak into a message by accident.

use std::fmt;

use serde::{Deserialize, Serialize};

pub(crate) use super::census::Census;
use super::census::Print;
pub(crate) use super::digest::Digest;
use super::json::{Fault, Token, TokenKind, Tokenizer};
use super::json_text::{decode, name_is};
use super::operation::Status;
pub(crate) use super::scan::{Scan, StateHeader};

/// The identity that Terraform gives a state when it is first written.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Lineage(String);

impl Lineage {
    /// Takes the text of a lineage; `None` where it is empty, which to Terraform is no lineage.
    pub(crate) fn new(text: String) -> Option<Self> {
        (!text.is_empty()).then_some(Self(text))
    }

    /// The whole text, which comes from outside and may hold anything.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The first eight characters, as lists show them.
    pub(crate) fn short(&self) -> &str {
        let end = self.0.char_indices().nth(8).map_or(self.0.len(), |(at, _)| at);
        self.0.get(..end).unwrap_or(&self.0)
    }
}

/// The counter that Terraform moves forward with each change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Serial(pub(crate) u64);

impl Serial {
    /// The next one; `None` after the last.
    pub(crate) fn next(self) -> Option<Self> {
        self.0.checked_add(1).map(Self)
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The exact bytes of a state, their digest, and what a scan of them found.
pub(crate) struct StateImage {
    bytes: Vec<u8>,
    digest: Digest,
    scan: Scan,
}

impl StateImage {
    /// Hashes and scans the bytes, which may be no state at all.
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        Self { digest: Digest::of(&bytes), scan: Scan::of(&bytes), bytes }
    }

    /// The exact bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Gives the exact bytes away.
    #[cfg(test)]
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// SHA-256 of the bytes.
    pub(crate) fn digest(&self) -> Digest {
        self.digest
    }

    /// What the scan found.
    pub(crate) fn scan(&self) -> &Scan {
        &self.scan
    }

    /// The header, where it is a state.
    pub(crate) fn header(&self) -> Option<&StateHeader> {
        self.scan.header.as_ref()
    }

    /// `Ok`, `Empty`, `Invalid`, `Ambiguous` or `Encrypted`.
    pub(crate) fn status(&self) -> Status {
        self.scan.status
    }
}

/// Replaces the digits of the serial, and nothing else. `header` must be that of these bytes.
///
/// Where there is no serial, `"serial":N,` is inserted right after the first brace. That is valid
/// because what has a header has at least one member (`version`, or `encryption_version`).
pub(crate) fn splice_serial(bytes: Vec<u8>, header: &StateHeader, serial: Serial) -> Vec<u8> {
    let digits = serial.to_string();
    let span = header.serial_span.clone().filter(|span| bytes.get(span.clone()).is_some());
    let (span, text) = match (span, bytes.iter().position(|byte| *byte == b'{')) {
        (Some(span), _) => (span, digits),
        (None, Some(brace)) => {
            let after = brace.saturating_add(1);
            (after..after, format!("\"serial\":{digits},"))
        }
        (None, None) => return bytes,
    };
    let head = bytes.get(..span.start).unwrap_or_default();
    let tail = bytes.get(span.end..).unwrap_or_default();
    [head, text.as_bytes(), tail].concat()
}

/// An empty state of a lineage, byte for byte as Terraform writes one (1.11.4).
pub(crate) fn empty_state(lineage: &Lineage, serial: Serial, terraform_version: &str) -> Vec<u8> {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    format!(
        "{{\n  \"version\": 4,\n  \"terraform_version\": {},\n  \"serial\": {serial},\n  \
         \"lineage\": {},\n  \"outputs\": {{}},\n  \"resources\": [],\n  \
         \"check_results\": null\n}}\n",
        quoted(terraform_version),
        quoted(lineage.as_str()),
    )
    .into_bytes()
}

/// Whether two states say the same, apart from `serial`, `terraform_version` and how they are written:
/// blanks, escapes and the order of members. Numbers are compared as written, because 64 bits of a
/// float would make large ones equal that are not. What is no JSON equals only the same bytes.
pub(crate) fn same_meaning(a: &[u8], b: &[u8]) -> bool {
    a == b || matches!((meaning(a), meaning(b)), (Ok(a), Ok(b)) if a == b)
}

/// An array or object whose end has not been seen.
struct Level {
    is_object: bool,
    members: [u64; 2],
    key: [u64; 2],
}

/// Hashes what the bytes say: the members of an object are added up, so their order does not count.
fn meaning(bytes: &[u8]) -> Result<[u64; 2], Fault> {
    let mut tokens = Tokenizer::new(bytes);
    let mut levels: Vec<Level> = Vec::new();
    let mut whole = [0, 0];
    let mut is_skipped = false;
    while let Some(token) = tokens.next_token()? {
        if token.kind == TokenKind::Key {
            let is_top = levels.len() == 1;
            is_skipped =
                is_top && ["serial", "terraform_version"].iter().any(|n| name_is(token.text, n));
            if let Some(level) = levels.last_mut() {
                level.key = prints(token.kind, &[decode(token.text).as_bytes()]);
            }
            continue;
        }
        if token.opens() {
            let is_object = token.kind == TokenKind::ObjectStart;
            levels.push(Level { is_object, members: [0, 0], key: [0, 0] });
            continue;
        }
        let value = match levels.pop_if(|_| token.closes()) {
            Some(level) => prints(token.kind, &level.members.map(u64::to_le_bytes)),
            None => scalar(&token),
        };
        // Terraform takes a top-level null as if it were not there.
        let is_absent = levels.len() == 1 && (is_skipped || token.kind == TokenKind::Null);
        match levels.last_mut() {
            None => whole = value,
            Some(_) if is_absent => {}
            Some(level) => level.add(value),
        }
    }
    Ok(whole)
}

impl Level {
    fn add(&mut self, value: [u64; 2]) {
        let mut sum = [0, 0];
        for (((sum, member), key), value) in
            sum.iter_mut().zip(self.members).zip(self.key).zip(value)
        {
            let parts = [key.to_le_bytes(), value.to_le_bytes(), member.to_le_bytes()];
            let mut print = Print::new();
            let used = if self.is_object { 2 } else { 3 };
            for part in parts.iter().take(used) {
                print.write(part);
            }
            let print = print.finish();
            *sum = if self.is_object { member.wrapping_add(print) } else { print };
        }
        self.members = sum;
    }
}

fn scalar(token: &Token<'_>) -> [u64; 2] {
    match token.kind {
        TokenKind::String => prints(token.kind, &[decode(token.text).as_bytes()]),
        _ => prints(token.kind, &[token.text]),
    }
}

/// Two independent fingerprints, so that equal by accident stays out of reach.
fn prints<P: AsRef<[u8]>>(kind: TokenKind, parts: &[P]) -> [u64; 2] {
    [b'a', b'b'].map(|lane| {
        let mut print = Print::new();
        print.write(&[
            lane,
            u8::from(kind == TokenKind::String),
            u8::from(kind == TokenKind::ArrayEnd),
        ]);
        for part in parts {
            print.write(part.as_ref());
        }
        print.finish()
    })
}

#[cfg(test)]
mod tests {
    use super::{Lineage, Serial, StateImage, Status, empty_state, same_meaning, splice_serial};

    fn spliced(text: &str, serial: u64) -> String {
        let image = StateImage::new(text.as_bytes().to_vec());
        let header = image.header().unwrap().clone();
        let bytes = splice_serial(image.into_bytes(), &header, Serial(serial));
        let again = StateImage::new(bytes);
        assert_eq!(again.header().unwrap().serial, Serial(serial));
        String::from_utf8(again.into_bytes()).unwrap()
    }

    #[test]
    fn only_the_digits_of_the_serial_are_replaced() {
        let text = "{ \"version\":4,\n\"serial\" : 9 , \"lineage\":\"l\"}\n";
        assert_eq!(spliced(text, 10), "{ \"version\":4,\n\"serial\" : 10 , \"lineage\":\"l\"}\n");
    }

    #[test]
    fn a_missing_serial_is_inserted_and_a_null_is_replaced() {
        assert_eq!(spliced(r#" {"version":4}"#, 3), r#" {"serial":3,"version":4}"#);
        assert_eq!(spliced(r#"{"serial":null,"version":4}"#, 3), r#"{"serial":3,"version":4}"#);
    }

    #[test]
    fn of_two_serials_the_one_that_wins_is_replaced() {
        let text = r#"{"version":4,"SERIAL":5,"serial":6,"serial":null}"#;
        assert_eq!(spliced(text, 7), r#"{"version":4,"SERIAL":5,"serial":7,"serial":null}"#);
    }

    #[test]
    fn an_empty_state_is_a_state_of_its_lineage() {
        let lineage = Lineage::new("ec80aa96-x".to_owned()).unwrap();
        let image = StateImage::new(empty_state(&lineage, Serial(3), "1.11.4"));
        assert_eq!(image.status(), Status::Ok);
        assert_eq!(image.header().unwrap().lineage.as_ref(), Some(&lineage));
        assert_eq!(image.header().unwrap().serial, Serial(3));
        assert_eq!(lineage.short(), "ec80aa96");
    }

    #[test]
    fn meaning_ignores_serial_writer_order_and_blanks() {
        let a = br#"{"version":4,"serial":1,"terraform_version":"1","lineage":"l","outputs":{"a":1,"b":"<"}}"#;
        let b = b"{\"version\": 4, \"Serial\": 2, \"outputs\": {\"b\": \"\\u003c\", \"a\": 1}, \"lineage\": \"l\", \"check_results\": null}";
        assert!(same_meaning(a, b));
    }

    #[test]
    fn meaning_sees_every_other_difference() {
        let base = r#"{"version":4,"lineage":"l","x":[1,2,{"a":"b","serial":1}]}"#;
        let others = [
            r#"{"version":4,"lineage":"m","x":[1,2,{"a":"b","serial":1}]}"#,
            r#"{"version":4,"lineage":"l","x":[2,1,{"a":"b","serial":1}]}"#,
            r#"{"version":4,"lineage":"l","x":[1,2,{"a":"b","serial":2}]}"#,
            r#"{"version":4,"lineage":"l","x":[1,2,{"b":"a","serial":1}]}"#,
            r#"{"version":4,"lineage":"l","x":["1",2,{"a":"b","serial":1}]}"#,
            r#"{"version":4,"lineage":"l","x":[1,2,{"a":"b","serial":1},null]}"#,
            r#"{"version":4,"lineage":"l"}"#,
            r#"{"version":4,"lineage":"l","x":[1,2,{"a":"b","serial":1}]"#,
        ];
        for other in others {
            assert!(!same_meaning(base.as_bytes(), other.as_bytes()), "{other}");
        }
        assert!(!same_meaning(b"{\"x\":[]}", b"{\"x\":{}}"));
        assert!(!same_meaning(br#"{"x":"null"}"#, br#"{"x":[null]}"#));
        let large = [r#"{"n":12345678901234567890123}"#, r#"{"n":12345678901234567890124}"#];
        assert!(!same_meaning(large[0].as_bytes(), large[1].as_bytes()));
        assert!(same_meaning(b"not json", b"not json"));
    }
}
