//! The text of JSON strings, as Go's `encoding/json` reads it.
//!
//! It forgives more than others do: half surrogates and bytes that are not UTF-8 become U+FFFD, and
//! names of members match whatever their case. Both matter where Terraform and we must agree on what a
//! state says.

use std::borrow::Cow;

/// The text of a string or key token as Go reads it: half surrogates and bytes that are not UTF-8
/// become U+FFFD.
pub(crate) fn decode(token: &[u8]) -> Cow<'_, str> {
    let inner = token.strip_prefix(b"\"").unwrap_or(token);
    let inner = inner.strip_suffix(b"\"").unwrap_or(inner);
    if !inner.contains(&b'\\') {
        return String::from_utf8_lossy(inner);
    }
    let mut text: Vec<u8> = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if byte != b'\\' {
            text.push(byte);
            continue;
        }
        let Some((&letter, tail)) = rest.split_first() else { break };
        rest = tail;
        let plain = match letter {
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                let (character, tail) = escaped_character(rest);
                rest = tail;
                text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                continue;
            }
            other => other,
        };
        text.push(plain);
    }
    Cow::Owned(String::from_utf8_lossy(&text).into_owned())
}

/// Reads what follows `\u`, a second half included.
fn escaped_character(rest: &[u8]) -> (char, &[u8]) {
    let (unit, tail) = code_unit(rest);
    if let Some(character) = char::from_u32(unit) {
        return (character, tail);
    }
    if let Some(after) = tail.strip_prefix(b"\\u") {
        let (low, after) = code_unit(after);
        let units = [unit, low].map(|unit| u16::try_from(unit).unwrap_or_default());
        if let Some(Ok(character)) = char::decode_utf16(units).next() {
            return (character, after);
        }
    }
    (char::REPLACEMENT_CHARACTER, tail)
}

fn code_unit(rest: &[u8]) -> (u32, &[u8]) {
    let (hex, tail) = rest.split_at_checked(4).unwrap_or((rest, &[]));
    let unit = hex
        .iter()
        .fold(0_u32, |unit, byte| unit << 4 | char::from(*byte).to_digit(16).unwrap_or_default());
    (unit, tail)
}

/// Whether Go takes a key token for the field `name` (ASCII, lower case): it ignores case, and folds
/// the long s and the Kelvin sign too (`foldName` in its `encoding/json`, Go 1.24).
#[inline]
pub(crate) fn name_is(token: &[u8], name: &str) -> bool {
    if token.is_ascii() && !token.contains(&b'\\') {
        let inner = token.get(1..token.len().saturating_sub(1)).unwrap_or_default();
        return inner.eq_ignore_ascii_case(name.as_bytes());
    }
    let fold = |c: char| match c {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        other => other.to_ascii_lowercase(),
    };
    decode(token).chars().map(fold).eq(name.chars())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::{decode, name_is};

    #[test]
    fn escapes_are_read_as_go_reads_them() {
        assert_eq!(decode(br#""a\u003cb\n\"\ud83d\ude00\ud800x\/""#), "a<b\n\"😀\u{fffd}x/");
        assert_eq!(decode(br#""\ud800\u0041""#), "\u{fffd}A");
    }

    #[test]
    fn names_match_without_case() {
        assert!(name_is(br#""SERIAL""#, "serial"));
        assert!(name_is(br#""\u0073erial""#, "serial"));
        assert!(name_is("\"\u{17f}erial\"".as_bytes(), "serial"));
        assert!(!name_is(br#""serials""#, "serial"));
    }

    proptest! {
        #[test]
        fn any_text_survives(text in any::<String>()) {
            let token = serde_json::to_string(&text).unwrap();
            assert_eq!(decode(token.as_bytes()), text);
        }
    }
}
