//! The backend inside a saved plan.
//!
//! `apply PLANFILE` writes to the backend that is stored *in the plan*, not to the one of the directory
//! (terraform-facts.md 1.1). It is not in `show -json`: it is field 13 of the protobuf message `Plan` in
//! the zip member `tfplan` (`internal/plans/planproto/planfile.proto`, Terraform 1.11.4): 1 the type, 2 the
//! configuration (itself a message with `MessagePack` in field 1), 3 the workspace at plan time, which
//! Terraform does not use.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde_json::{Map, Value};

use super::TerraformError;
use super::backend::Backend;

/// Larger plan bodies are not read; the member holds actions and values, not the state.
const LIMIT: u64 = 1 << 30;

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
    let Ok(mut file) = File::open(path) else { return Ok(Plan::Other) };
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
    let mut message = Vec::new();
    member.take(LIMIT).read_to_end(&mut message).map_err(|e| unreadable(&e.to_string()))?;
    let backend = field(&message, 13).ok_or_else(|| unreadable("it names no backend"))?;
    let kind = field(backend, 1).and_then(|kind| std::str::from_utf8(kind).ok());
    let kind = kind.ok_or_else(|| unreadable("its backend has no type"))?;
    let config = field(backend, 2).and_then(|config| field(config, 1)).unwrap_or_default();
    Ok(Plan::Saved(Backend::new(kind.to_owned(), decode_config(config))))
}

/// The configuration's attributes; what cannot be decoded counts as not set.
fn decode_config(bytes: &[u8]) -> Map<String, Value> {
    match rmp_serde::from_slice::<Value>(bytes) {
        Ok(Value::Object(members)) => members,
        Ok(_) | Err(_) => Map::new(),
    }
}

/// The last length-delimited field of that number in a protobuf message.
fn field(message: &[u8], wanted: u64) -> Option<&[u8]> {
    let mut rest = message;
    let mut found = None;
    while !rest.is_empty() {
        let key = varint(&mut rest)?;
        let body = match key & 7 {
            0 => {
                varint(&mut rest)?;
                None
            }
            1 => take(&mut rest, 8).map(|_| None)?,
            2 => {
                let length = usize::try_from(varint(&mut rest)?).ok()?;
                Some(take(&mut rest, length)?)
            }
            5 => take(&mut rest, 4).map(|_| None)?,
            _ => return None,
        };
        if key >> 3 == wanted {
            found = body.or(found);
        }
    }
    found
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(length)?;
    *rest = left;
    Some(taken)
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (&byte, left) = rest.split_first()?;
        *rest = left;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_field_of_a_number_counts_and_others_are_passed_over() {
        // 1: varint 300, 2: "ab", 3: fixed32, 2: "c"
        let message = [0x08, 0xac, 0x02, 0x12, 2, b'a', b'b', 0x1d, 0, 0, 0, 0, 0x12, 1, b'c'];
        assert_eq!(field(&message, 2), Some(&b"c"[..]));
        assert_eq!(field(&message, 9), None);
    }

    #[test]
    fn a_message_cut_anywhere_gives_nothing_wrong() {
        let message = [0x12, 3, b'a', b'b', b'c'];
        for end in 0..message.len() {
            assert_eq!(field(&message[..end], 2), None, "{end}");
        }
    }
}
