//! The backend inside a saved plan.
//!
//! `apply PLANFILE` writes to the backend that is stored *in the plan*, not to the one of the directory
//! (terraform-facts.md 1.1). It is not in `show -json`: it is field 13 of the protobuf message `Plan` in
//! the zip member `tfplan` (`internal/plans/planproto/planfile.proto`, Terraform 1.11.4): 1 the type, 2 the
//! configuration (itself a message with `MessagePack` in field 1), 3 the workspace at plan time, which
//! Terraform does not use.

use std::io::{self, BufReader, Read};
use std::path::Path;

use serde_json::{Map, Value};

use crate::sys::file::open_for_looking;

use super::TerraformError;
use super::backend::Backend;

/// Larger plan bodies are not read; the member holds actions and values, not the state.
const LIMIT: u64 = 1 << 30;
/// A field that we want is never larger. In bytes.
const MOST_FIELD: u64 = 4 << 20;

/// What a file given to `apply` is.
pub(crate) enum Plan {
    /// A saved plan with the backend it was made for.
    Saved(Backend),
    /// A pointer to a plan that is kept by HCP Terraform.
    Elsewhere,
    /// Not a plan: Terraform will say so and stop.
    Other,
}

/// Reads the backend of a saved plan.
///
/// # Errors
/// It is a zip archive, and not one we can follow.
pub(crate) fn read(path: &Path) -> Result<Plan, TerraformError> {
    let Ok(mut file) = open_for_looking(path) else { return Ok(Plan::Other) };
    if !file.metadata().is_ok_and(|found| found.is_file()) {
        return Ok(Plan::Other);
    }
    let mut head = [0_u8; 4];
    match file.read(&mut head) {
        Ok(4) if head == *b"PK\x03\x04" => {}
        Ok(_) if head.first() == Some(&b'{') => return Ok(Plan::Elsewhere),
        Ok(_) | Err(_) => return Ok(Plan::Other),
    }
    let unreadable =
        |reason: &str| TerraformError::Plan { path: path.to_owned(), reason: reason.to_owned() };
    let mut archive = zip::ZipArchive::new(file).map_err(|e| unreadable(&e.to_string()))?;
    let member = archive.by_name("tfplan").map_err(|e| unreadable(&e.to_string()))?;
    let backend = field(BufReader::new(member.take(LIMIT)), 13);
    let backend = backend.ok_or_else(|| unreadable("it names no backend"))?;
    let kind = field(&*backend, 1).and_then(|kind| String::from_utf8(kind).ok());
    let kind = kind.ok_or_else(|| unreadable("its backend has no type"))?;
    let config = field(&*backend, 2).and_then(|config| field(&*config, 1)).unwrap_or_default();
    Ok(Plan::Saved(Backend::new(kind, decode_config(&config))))
}

/// The configuration's attributes; what cannot be decoded counts as not set.
fn decode_config(bytes: &[u8]) -> Map<String, Value> {
    match rmp_serde::from_slice::<Value>(bytes) {
        Ok(Value::Object(members)) => members,
        Ok(_) | Err(_) => Map::new(),
    }
}

/// The last length-delimited field of that number in a protobuf message; none where the message is cut, or
/// the field larger than any that we want. The others are passed over, not kept: a plan may be huge.
fn field(mut message: impl Read, wanted: u64) -> Option<Vec<u8>> {
    let mut found = None;
    while let Some(first) = byte(&mut message)? {
        let key = varint(first, &mut message)?;
        let length = match key & 7 {
            0 => {
                let first = byte(&mut message)??;
                varint(first, &mut message)?;
                continue;
            }
            1 => 8,
            2 => {
                let first = byte(&mut message)??;
                varint(first, &mut message)?
            }
            5 => 4,
            _ => return None,
        };
        if key >> 3 == wanted && key & 7 == 2 {
            found = Some(body(&mut message, length)?);
        } else if io::copy(&mut message.by_ref().take(length), &mut io::sink()).ok()? < length {
            return None;
        }
    }
    found
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

    #[test]
    fn the_last_field_of_a_number_counts_and_others_are_passed_over() {
        // 1: varint 300, 2: "ab", 3: fixed32, 2: "c"
        let message = [0x08, 0xac, 0x02, 0x12, 2, b'a', b'b', 0x1d, 0, 0, 0, 0, 0x12, 1, b'c'];
        assert_eq!(field(&message[..], 2).as_deref(), Some(&b"c"[..]));
        assert_eq!(field(&message[..], 9), None);
    }

    #[test]
    fn a_message_cut_anywhere_gives_nothing_wrong() {
        let message = [0x12, 3, b'a', b'b', b'c'];
        for end in 0..message.len() {
            assert_eq!(field(&message[..end], 2), None, "{end}");
        }
    }
}
