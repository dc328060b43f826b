//! The FORMAT file, which says who may read and write a store, and the README for those without `tf`.
//!
//! An old program must notice that it would misread or spoil what a newer one made, so the file names
//! the oldest version that may read and write, and the features a reader or writer has to know.

use std::io::{self, Read};

use serde::{Deserialize, Serialize};

use crate::sys::fs::Folder;
use crate::sys::random;

use super::error::{Access, StoreError};

/// Name of the file.
pub(super) const FILE: &str = "FORMAT";

/// Name of the page for people.
pub(super) const README: &str = "README.txt";

/// The version this program writes.
const VERSION: u32 = 1;

/// Read features and write features this program knows: none yet.
const FEATURES: [&str; 0] = [];

/// What FORMAT says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Format {
    /// Always `tf-shim-store`.
    #[serde(rename = "format")]
    name: String,
    /// Version of the program that made it.
    version: u32,
    /// The oldest version that may read.
    min_read: u32,
    /// The oldest version that may write.
    min_write: u32,
    /// A random name of this store, for copies elsewhere.
    pub(super) store: String,
    /// What a reader has to know.
    #[serde(default)]
    read_features: Vec<String>,
    /// What a writer has to know.
    #[serde(default)]
    write_features: Vec<String>,
}

impl Format {
    /// A new store's format.
    ///
    /// # Errors
    /// No randomness.
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {
            name: "tf-shim-store".to_owned(),
            version: VERSION,
            min_read: VERSION,
            min_write: VERSION,
            store: random::uuid()?,
            read_features: Vec::new(),
            write_features: Vec::new(),
        })
    }

    /// Reads FORMAT; none where there is none.
    ///
    /// # Errors
    /// It is there and cannot be read or understood.
    pub(super) fn read(root: &Folder) -> Result<Option<Self>, StoreError> {
        let mut text = Vec::new();
        let found = root.open_file(FILE).and_then(|file| file.take(1 << 16).read_to_end(&mut text));
        let path = root.path().join(FILE);
        match found {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(StoreError::Open { path, source }),
        }
        let format = serde_json::from_slice::<Self>(&text).and_then(|format| {
            if format.name == "tf-shim-store" {
                return Ok(format);
            }
            Err(serde::de::Error::custom("not the format of a tf-shim store"))
        });
        format.map(Some).map_err(|source| StoreError::BadFormat { path, source })
    }

    /// Whether this program may do that.
    pub(super) fn allows(&self, access: Access) -> bool {
        let (oldest, features) = match access {
            Access::Read => (self.min_read, &self.read_features),
            Access::Write => (self.min_write, &self.write_features),
        };
        oldest <= VERSION && features.iter().all(|name| FEATURES.contains(&name.as_str()))
    }
}

/// What a person needs who has this directory and no `tf`.
pub(super) const README_TEXT: &str = "\
This directory holds snapshots of Terraform states, made by tf (tf-shim).
They contain secrets, as every state does. Do not edit anything here.

To get a state back without tf:

  1. Find the directory of your state under states/: the label before the
     last dash is the project and the workspace, identity.json says exactly
     which state it is.
  2. In its objects/, names are LINEAGE.SERIAL.SHA256.json.gz. Pick the one
     with the highest serial of your lineage:
         ls objects/
     The last lines of the newest file in journal/ say which one was current.
  3. gunzip -c OBJECT > restored.tfstate
  4. sha256sum restored.tfstate      must print the SHA256 from the name.
  5. Look at it.
  6. terraform state push restored.tfstate
     (raise \"serial\" in it by hand if that is refused), or, for a local state
     with no Terraform running: cp restored.tfstate terraform.tfstate

Files named none.invalid.SHA256.raw.gz were found where a state should have
been, and are no states.
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newer_formats_and_unknown_features_are_kept_away_from() {
        let ours = Format::new().unwrap();
        assert!(ours.allows(Access::Read) && ours.allows(Access::Write));
        let newer = Format { version: 2, min_write: 2, ..ours.clone() };
        assert!(newer.allows(Access::Read) && !newer.allows(Access::Write));
        let featured = Format { read_features: vec!["age".to_owned()], ..ours };
        assert!(!featured.allows(Access::Read));
    }
}
