//! Just enough of the protobuf wire format to look into a saved plan.
//!
//! A message is read as it comes, and only what is asked for is kept: a plan may be huge, and a hostile one
//! unpacks to much more than it is.

use std::io::{self, Read};

/// A field that is asked for is never larger. In bytes.
const MOST_FIELD: u64 = 4 << 20;

/// What a field holds.
#[derive(Debug, PartialEq, Eq)]
enum Body {
    /// A number.
    Number(u64),
    /// Bytes: a text, or a message.
    Bytes(Vec<u8>),
    /// Something that was not asked for.
    Passed,
}

/// Calls `take` with each length-delimited field of that number, in their order. None where the message is
/// cut or broken, where such a field is larger than any that we want, or where `take` gives up.
pub(super) fn each(
    mut message: impl Read,
    wanted: u64,
    mut take: impl FnMut(Vec<u8>) -> Option<()>,
) -> Option<()> {
    while let Some(first) = byte(&mut message)? {
        match read_field(first, &mut message, wanted)? {
            Body::Bytes(bytes) => take(bytes)?,
            Body::Number(_) | Body::Passed => {}
        }
    }
    Some(())
}

/// The last length-delimited field of that number; none where there is none, or as for [`each`].
pub(super) fn field(message: impl Read, wanted: u64) -> Option<Vec<u8>> {
    let mut found = None;
    each(message, wanted, |bytes| {
        found = Some(bytes);
        Some(())
    })?;
    found
}

/// The last number in the field of that number, 0 where there is none, as protobuf has it; none where the
/// message is broken.
pub(super) fn number(mut message: impl Read, wanted: u64) -> Option<u64> {
    let mut found = 0;
    while let Some(first) = byte(&mut message)? {
        if let Body::Number(value) = read_field(first, &mut message, wanted)? {
            found = value;
        }
    }
    Some(found)
}

/// One field, whose first byte has been read.
fn read_field(first: u8, message: &mut impl Read, wanted: u64) -> Option<Body> {
    let key = varint(first, message)?;
    let is_wanted = key >> 3 == wanted;
    let length = match key & 7 {
        0 => {
            let value = next_varint(message)?;
            return Some(if is_wanted { Body::Number(value) } else { Body::Passed });
        }
        1 => 8,
        2 => next_varint(message)?,
        5 => 4,
        _ => return None,
    };
    if is_wanted && key & 7 == 2 {
        return body(message, length).map(Body::Bytes);
    }
    let passed = io::copy(&mut message.by_ref().take(length), &mut io::sink()).ok()?;
    (passed == length).then_some(Body::Passed)
}

/// That many bytes.
fn body(message: &mut impl Read, length: u64) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    let is_fit = length <= MOST_FIELD;
    is_fit.then(|| message.take(length).read_to_end(&mut body).ok())??;
    (body.len() as u64 == length).then_some(body)
}

/// The next byte; none inside at the end, none at all where it cannot be read.
#[expect(clippy::option_option, reason = "the end of a message is no failure")]
fn byte(message: &mut impl Read) -> Option<Option<u8>> {
    let mut byte = [0];
    match message.read(&mut byte) {
        Ok(0) => Some(None),
        Ok(_) => Some(byte.first().copied()),
        Err(_) => None,
    }
}

fn next_varint(message: &mut impl Read) -> Option<u64> {
    let first = byte(message)??;
    varint(first, message)
}

/// A number whose first byte has been read.
fn varint(first: u8, message: &mut impl Read) -> Option<u64> {
    let mut value = u64::from(first & 0x7f);
    let mut last = first;
    for shift in (7..64).step_by(7) {
        if last & 0x80 == 0 {
            return Some(value);
        }
        last = byte(message)??;
        value |= u64::from(last & 0x7f) << shift;
    }
    (last & 0x80 == 0).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    // 1: varint 300, 2: "ab", 3: fixed32, 2: "c"
    const MESSAGE: [u8; 15] =
        [0x08, 0xac, 0x02, 0x12, 2, b'a', b'b', 0x1d, 0, 0, 0, 0, 0x12, 1, b'c'];

    #[test]
    fn the_last_field_of_a_number_counts_and_others_are_passed_over() {
        assert_eq!(field(&MESSAGE[..], 2).as_deref(), Some(&b"c"[..]));
        assert_eq!(field(&MESSAGE[..], 9), None);
        assert_eq!(number(&MESSAGE[..], 1), Some(300));
        assert_eq!(number(&MESSAGE[..], 9), Some(0));
    }

    #[test]
    fn a_message_cut_anywhere_gives_nothing_wrong() {
        let message = [0x12, 3, b'a', b'b', b'c'];
        for end in 0..message.len() {
            assert_eq!(field(&message[..end], 2), None, "{end}");
        }
        assert_eq!(number(&[0x08, 0x80][..], 1), None);
    }

    #[test]
    fn a_field_that_claims_to_be_huge_is_not_kept() {
        let claims = [0x12, 0xff, 0xff, 0xff, 0xff, 0x0f, b'a'];
        assert_eq!(field(&claims[..], 2), None);
    }
}
