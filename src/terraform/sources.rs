//! Reads the text of the configuration: the root module, and every module that `init` installed.
//!
//! What is missing, too large, no regular file or no UTF-8 is passed over: whoever reads the text wants to
//! point at a line, and an answer less is no failure. Which file is configuration is Terraform's rule
//! (`dirFiles` and `IsIgnoredFile` in its `internal/configs`, 1.11), and `OpenTofu`'s on top of it.
//!
//! What is easy to get wrong: `Dir` in `modules.json` is relative to the root module, not to the data
//! directory that the file lies in.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::model::source::{ModuleSource, SourceFile};
use crate::sys::file::read_small;

use super::locate::plain;

/// Larger files are passed over, in bytes.
const MAX_FILE_BYTES: u64 = 8 << 20;
/// How much is read in all, in bytes.
const MAX_TOTAL_BYTES: usize = 128 << 20;
/// How many files are read in all.
const MAX_FILES: usize = 5000;

/// Whose rules decide which files are configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// `.tf` and `.tf.json`.
    Terraform,
    /// Also `.tofu` and `.tofu.json`, which replace the `.tf` files of their names.
    OpenTofu,
}

/// Reads the modules of a configuration, the root first. A relative data directory is one below the root
/// module. Paths are absolute and have no `..`.
pub(crate) fn read(directory: &Path, data_dir: &Path, dialect: Dialect) -> Vec<ModuleSource> {
    let root = plain(&std::path::absolute(directory).unwrap_or_else(|_| directory.to_owned()));
    let data_dir = plain(&root.join(data_dir));
    let mut directories = BTreeMap::from([(String::new(), root.clone())]);
    for (key, relative) in installed(&data_dir) {
        directories.entry(key).or_insert_with(|| plain(&root.join(relative)));
    }
    let mut budget = Budget { files: MAX_FILES, bytes: MAX_TOTAL_BYTES };
    let modules = directories.into_iter().map(|(key, directory)| ModuleSource {
        key,
        is_foreign: directory.starts_with(&data_dir),
        files: budget.files(&directory, dialect),
    });
    modules.collect()
}

/// Whether variables of the root module may be ephemeral. Only a hint: to give variables again does no harm
/// (terraform-facts.md 8.4).
pub(crate) fn names_ephemeral(modules: &[ModuleSource]) -> bool {
    let root = modules.iter().filter(|module| module.key.is_empty());
    root.flat_map(|module| &module.files).any(|file| file.text.contains("ephemeral"))
}

/// Reads the files that give values to variables: those that Terraform finds by itself (its "Variable
/// Definitions Files") and those that are named. What cannot be read is passed over.
pub(crate) fn values(directory: &Path, named: &[OsString]) -> Vec<SourceFile> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let is_found = |name: &OsString| {
        let name = name.to_string_lossy();
        let is_automatic = name.ends_with(".auto.tfvars") || name.ends_with(".auto.tfvars.json");
        is_automatic || name == "terraform.tfvars" || name == "terraform.tfvars.json"
    };
    let found = entries.map(|entry| entry.file_name()).filter(is_found);
    let mut budget = Budget { files: MAX_FILES, bytes: MAX_TOTAL_BYTES };
    let paths = found.chain(named.iter().cloned()).map(|name| directory.join(name));
    paths.filter_map(|path| budget.file(path)).collect()
}

/// The lines of a file, from 1, the last included; empty where it cannot be read.
pub(crate) fn lines(file: &Path, wanted: &RangeInclusive<usize>) -> String {
    let text = read_bounded(file).unwrap_or_default();
    lines_of(&String::from_utf8_lossy(&text), wanted)
}

/// Those lines of a text.
pub(crate) fn lines_of(text: &str, wanted: &RangeInclusive<usize>) -> String {
    let numbered =
        text.lines().enumerate().filter(|(at, _)| wanted.contains(&at.saturating_add(1)));
    numbered.flat_map(|(_, line)| [line, "\n"]).collect()
}

/// What may still be read.
struct Budget {
    /// How many files.
    files: usize,
    /// How many bytes.
    bytes: usize,
}

impl Budget {
    /// Reads the configuration files of a directory, in the order of their names.
    fn files(&mut self, directory: &Path, dialect: Dialect) -> Vec<SourceFile> {
        let names = file_names(directory, dialect);
        names.into_iter().filter_map(|name| self.file(directory.join(name))).collect()
    }

    /// Reads one file.
    fn file(&mut self, path: PathBuf) -> Option<SourceFile> {
        self.files = self.files.checked_sub(1)?;
        let text = String::from_utf8(read_bounded(&path)?).ok()?;
        self.bytes = self.bytes.checked_sub(text.len())?;
        Some(SourceFile { path, text })
    }
}

/// The keys and directories in `modules.json`, as `init` writes it (`internal/modsdir`, 1.11). An entry of
/// another form is passed over.
fn installed(data_dir: &Path) -> Vec<(String, PathBuf)> {
    let bytes = read_bounded(&data_dir.join("modules/modules.json")).unwrap_or_default();
    let manifest: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let entries = manifest.get("Modules").and_then(Value::as_array).map(Vec::as_slice);
    let entry = |entry: &Value| {
        let key = entry.get("Key")?.as_str()?;
        let directory = entry.get("Dir")?.as_str()?;
        Some((key.to_owned(), PathBuf::from(directory)))
    };
    entries.unwrap_or_default().iter().filter_map(entry).collect()
}

/// The names of the configuration files in a directory, sorted.
fn file_names(directory: &Path, dialect: Dialect) -> BTreeSet<OsString> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let mut names: BTreeSet<_> = entries
        .map(|entry| entry.file_name())
        .filter(|name| is_configuration(name, dialect))
        .collect();
    let replaced: Vec<_> = names.iter().filter_map(|name| replaced_by(name)).collect();
    names.retain(|name| !replaced.contains(name));
    names
}

/// Whether a file of that name is configuration. Editors' files are not.
fn is_configuration(name: &OsStr, dialect: Dialect) -> bool {
    let bytes = name.as_encoded_bytes();
    let is_ignored = bytes.starts_with(b".")
        || bytes.ends_with(b"~")
        || (bytes.starts_with(b"#") && bytes.ends_with(b"#"));
    let endings: &[&[u8]] = match dialect {
        Dialect::Terraform => &[b".tf", b".tf.json"],
        Dialect::OpenTofu => &[b".tf", b".tf.json", b".tofu", b".tofu.json"],
    };
    !is_ignored && endings.iter().any(|ending| bytes.ends_with(ending))
}

/// The `.tf` file that a `.tofu` file replaces.
fn replaced_by(name: &OsStr) -> Option<OsString> {
    let name = name.to_str()?;
    let replaced = name
        .strip_suffix(".tofu")
        .map(|stem| format!("{stem}.tf"))
        .or_else(|| name.strip_suffix(".tofu.json").map(|stem| format!("{stem}.tf.json")));
    replaced.map(Into::into)
}

/// Reads a regular file that is not too large, without waiting for anything.
fn read_bounded(path: &Path) -> Option<Vec<u8>> {
    read_small(path, MAX_FILE_BYTES).ok()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "tests prepare files directly")]

    use std::path::{Path, PathBuf};

    use super::{Dialect, MAX_FILE_BYTES, read};

    fn write(room: &Path, name: &str, bytes: impl AsRef<[u8]>) {
        let path = room.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    /// The modules in short: key, whether foreign, names of files.
    fn modules(room: &Path, dialect: Dialect) -> Vec<(String, bool, Vec<String>)> {
        let modules = read(room, Path::new(".terraform"), dialect);
        let short = modules.into_iter().map(|module| {
            let below = |path: PathBuf| path.strip_prefix(room).unwrap().display().to_string();
            let files = module.files.into_iter().map(|file| below(file.path)).collect();
            (module.key, module.is_foreign, files)
        });
        short.collect()
    }

    #[test]
    fn every_installed_module_is_read() {
        let room = tempfile::tempdir().unwrap();
        let room = room.path();
        for name in ["r/main.tf", "r/a.tf.json", "shared/x.tf", "r/.terraform/modules/vpc/v.tf"] {
            write(room, name, "");
        }
        write(
            room,
            "r/.terraform/modules/modules.json",
            r#"{"Modules":[{"Key":"","Source":"","Dir":"."},{"Key":"vpc","Dir":".terraform/modules/vpc"},
                {"Key":"vpc.in","Dir":".terraform/modules/gone"},{"Key":"own","Dir":"../shared"},
                {"Key":7,"Dir":"x"},{"Key":"x"},null]}"#,
        );
        let own = read(&room.join("r"), Path::new(".terraform"), Dialect::Terraform);
        let own = own.iter().find(|module| module.key == "own").unwrap();
        assert_eq!(own.files[0].path, room.join("shared/x.tf"));
        assert!(!own.is_foreign);
        write(
            room,
            "r/.terraform/modules/modules.json",
            "{\"Modules\":[{\"Key\":\"vpc\",\"Dir\":\".terraform/modules/vpc\"}]}",
        );
        assert_eq!(
            modules(&room.join("r"), Dialect::Terraform),
            [
                (String::new(), false, vec!["a.tf.json".into(), "main.tf".into()]),
                ("vpc".into(), true, vec![".terraform/modules/vpc/v.tf".into()]),
            ]
        );
    }

    #[test]
    fn a_tofu_file_replaces_its_namesake_for_opentofu_alone() {
        let room = tempfile::tempdir().unwrap();
        let room = room.path();
        for name in ["a.tf", "a.tofu", "b.tf", "c.tf.json", "c.tofu.json", "d.tofu", "d.tf.json"] {
            write(room, name, "");
        }
        let files = |dialect| modules(room, dialect).remove(0).2;
        assert_eq!(files(Dialect::Terraform), ["a.tf", "b.tf", "c.tf.json", "d.tf.json"]);
        assert_eq!(
            files(Dialect::OpenTofu),
            ["a.tofu", "b.tf", "c.tofu.json", "d.tf.json", "d.tofu"]
        );
    }

    #[test]
    fn what_is_no_text_of_a_sensible_size_is_passed_over() {
        let room = tempfile::tempdir().unwrap();
        let room = room.path();
        for (name, bytes) in
            [("a.tf", &b"x"[..]), ("b.tf", b"\xff"), (".c.tf", b""), ("d.tf~", b"")]
        {
            write(room, name, bytes);
        }
        write(room, "dir.tf/x", "");
        write(room, "modules.json", "{");
        let large = std::fs::File::create(room.join("e.tf")).unwrap();
        large.set_len(MAX_FILE_BYTES + 1).unwrap();
        nix::unistd::mkfifo(&room.join("f.tf"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        std::os::unix::fs::symlink("/dev/zero", room.join("g.tf")).unwrap();
        std::os::unix::fs::symlink("a.tf", room.join("h.tf")).unwrap();
        let files = modules(room, Dialect::OpenTofu).remove(0).2;
        assert_eq!(files, ["a.tf", "h.tf"]);
        assert!(read(&room.join("none"), Path::new("x"), Dialect::Terraform)[0].files.is_empty());
    }
}
