//! Text from outside, which may be any bytes.
//!
//! Names of files, users and hosts are bytes that are usually UTF-8. They are kept as bytes and only
//! become something to look at through [`OddText::display`], which lets nothing through that could move
//! a cursor, hide a letter or reorder a line.

use std::ffi::{OsStr, OsString};
use std::fmt::{self, Write as _};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Bytes from outside that are usually text: written as a string, or as `{"b64":"…"}` where they are
/// not UTF-8, so that nothing is lost.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct OddText(Vec<u8>);

impl OddText {
    /// The exact bytes.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The text, where it is UTF-8.
    pub(crate) fn as_str(&self) -> Option<&str> {
        str::from_utf8(&self.0).ok()
    }

    /// Whether there are no bytes.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The exact bytes as the operating system takes them.
    pub(crate) fn to_os_string(&self) -> OsString {
        OsString::from_vec(self.0.clone())
    }

    /// What a person may see of it; see [`escape`].
    pub(crate) fn display(&self) -> String {
        escape(&self.0)
    }
}

impl From<&OsStr> for OddText {
    fn from(text: &OsStr) -> Self {
        Self(text.as_bytes().to_vec())
    }
}

impl From<&str> for OddText {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().to_vec())
    }
}

impl From<String> for OddText {
    fn from(text: String) -> Self {
        Self(text.into_bytes())
    }
}

/// How bytes that are not UTF-8 are written.
#[derive(Serialize, Deserialize)]
struct Encoded {
    b64: String,
}

/// Reads either form. By hand: an untagged enum would copy everything first, and a history has a dozen
/// such texts in every line.
struct Written;

impl<'de> Visitor<'de> for Written {
    type Value = OddText;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or {\"b64\":\"…\"}")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<OddText, E> {
        Ok(OddText(text.as_bytes().to_vec()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<OddText, A::Error> {
        let encoded = Encoded::deserialize(MapAccessDeserializer::new(map))?;
        STANDARD.decode(encoded.b64).map(OddText).map_err(A::Error::custom)
    }
}

impl Serialize for OddText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.as_str() {
            Some(text) => serializer.serialize_str(text),
            None => Encoded { b64: STANDARD.encode(&self.0) }.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for OddText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Written)
    }
}

/// Makes bytes fit for a terminal: control characters, line breaks, bidirectional controls, invisible
/// characters and bytes that are not UTF-8 become `\n`, `\u{202e}`, `\xff`. Not reversible: a backslash
/// that was there stays as it is.
pub(crate) fn escape(bytes: &[u8]) -> String {
    let mut shown = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            if is_treacherous(character) {
                shown.extend(character.escape_default());
            } else {
                shown.push(character);
            }
        }
        for byte in chunk.invalid() {
            // Writing to a string cannot fail.
            let _ = write!(shown, "\\x{byte:02x}");
        }
    }
    shown
}

/// Whether a character would not show as itself.
pub(crate) fn is_treacherous(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61c}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    use proptest::prelude::{any, prop, proptest};

    use super::{OddText, escape};

    #[test]
    fn odd_bytes_are_written_as_base64() {
        let odd = OddText::from(OsStr::from_bytes(b"a\xff"));
        assert_eq!(serde_json::to_string(&odd).unwrap(), r#"{"b64":"Yf8="}"#);
        assert_eq!(serde_json::to_string(&OddText::from("é")).unwrap(), r#""é""#);
        assert!(serde_json::from_str::<OddText>(r#"{"b64":"%"}"#).is_err());
    }

    #[test]
    fn nothing_treacherous_is_shown() {
        let shown = escape("a\n\x1b[31m\u{202e}b\u{2066}\u{9b}\u{200b}".as_bytes());
        assert_eq!(shown, r"a\n\u{1b}[31m\u{202e}b\u{2066}\u{9b}\u{200b}");
        assert_eq!(escape(b"x\xffy"), r"x\xffy");
        assert_eq!(escape("déjà \\ vu".as_bytes()), "déjà \\ vu");
    }

    proptest! {
        #[test]
        fn bytes_survive_the_journal(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let text = OddText::from(OsStr::from_bytes(&bytes));
            let json = serde_json::to_string(&text).unwrap();
            let again: OddText = serde_json::from_str(&json).unwrap();
            assert_eq!(again.as_bytes(), bytes);
            assert_eq!(again.to_os_string().as_bytes(), bytes);
        }
    }
}
