//! The backend inside a saved plan.
//!
//! `apply PLANFILE` writes to the backend that is stored *in the plan*, not to the one of the directory
//! (terraform-facts.md 1.1). It is not in `show -json`: it is field 13 of the protobuf message `Plan` in
//! the zip member `tfplan` (`internal/plans/planproto/planfile.proto`, Terraform 1.11.4): 1 the type, 2 the
//! configuration (itself a message with `MessagePack` in field 1), 3 the workspace at plan time, which
//! Terraform does not use.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use serde_json::{Map, Value};

use crate::sys::file::open_for_looking;

use super::TerraformError;
use super::backend::Backend;
use super::protobuf::field;

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

/// A saved plan: a zip archive.
pub(super) struct Archive {
    zip: zip::ZipArchive<File>,
}

impl Archive {
    /// Opens a saved plan; none where it is no such file.
    pub(super) fn open(path: &Path) -> Option<zip::result::ZipResult<Self>> {
        let mut file = open_for_looking(path).ok()?;
        if !file.metadata().is_ok_and(|found| found.is_file()) {
            return None;
        }
        let mut head = [0_u8; 4];
        let is_zip = matches!(file.read(&mut head), Ok(4)) && head == *b"PK\x03\x04";
        is_zip.then(|| Ok(Self { zip: zip::ZipArchive::new(file)? }))
    }

    /// Gives one member, as it comes.
    pub(super) fn member(&mut self, name: &str) -> zip::result::ZipResult<impl Read> {
        Ok(BufReader::new(self.zip.by_name(name)?.take(LIMIT)))
    }
}

/// Reads the backend of a saved plan.
///
/// # Errors
/// It is a zip archive, and not one we can follow.
pub(crate) fn read(path: &Path) -> Result<Plan, TerraformError> {
    let unreadable =
        |reason: &str| TerraformError::Plan { path: path.to_owned(), reason: reason.to_owned() };
    let Some(archive) = Archive::open(path) else {
        return Ok(if is_pointer(path) { Plan::Elsewhere } else { Plan::Other });
    };
    let mut archive = archive.map_err(|e| unreadable(&e.to_string()))?;
    let member = archive.member("tfplan").map_err(|e| unreadable(&e.to_string()))?;
    let backend = field(member, 13);
    let backend = backend.ok_or_else(|| unreadable("it names no backend"))?;
    let kind = field(&*backend, 1).and_then(|kind| String::from_utf8(kind).ok());
    let kind = kind.ok_or_else(|| unreadable("its backend has no type"))?;
    let config = field(&*backend, 2).and_then(|config| field(&*config, 1)).unwrap_or_default();
    Ok(Plan::Saved(Backend::new(kind, decode_config(&config))))
}

/// Whether a file begins as the JSON that points to a plan kept elsewhere.
fn is_pointer(path: &Path) -> bool {
    let Ok(mut file) = open_for_looking(path) else { return false };
    let mut head = [0_u8; 1];
    let is_file = file.metadata().is_ok_and(|found| found.is_file());
    is_file && matches!(file.read(&mut head), Ok(1)) && head == *b"{"
}

/// The configuration's attributes; what cannot be decoded counts as not set.
fn decode_config(bytes: &[u8]) -> Map<String, Value> {
    match rmp_serde::from_slice::<Value>(bytes) {
        Ok(Value::Object(members)) => members,
        Ok(_) | Err(_) => Map::new(),
    }
}
