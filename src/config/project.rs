//! The project's files: `.tf-shim.toml` in the root module and above it, up to the top of the repository.
//!
//! Reviewed in git and not trusted: they hold `[guard]` and `[check]` and nothing else.

use std::path::{Path, PathBuf};

use super::check::CheckConfig;
use super::document::{Document, read};
use super::error::ConfigError;
use super::guard::GuardConfig;

/// The project file's name.
const PROJECT_FILE: &str = ".tf-shim.toml";

/// What project files say.
#[derive(Clone, Debug, Default)]
pub(super) struct ProjectFile {
    /// `[check]`.
    pub(super) check: CheckConfig,
    /// `[guard]`.
    pub(super) guard: GuardConfig,
}

/// The top of the repository that a directory, given in full, lies in.
pub(crate) fn repository_top(directory: &Path) -> Option<&Path> {
    directory.ancestors().find(|above| above.join(".git").exists())
}

/// Reads every project file from the root module up to the top of its repository, the nearest first, and
/// gives what they say together.
///
/// # Errors
/// The first thing that is wrong, with file, line and key.
pub(super) fn load(root_module: &Path) -> Result<ProjectFile, ConfigError> {
    let mut all = ProjectFile::default();
    for (path, top) in files(root_module) {
        if let Some(text) = read_inside(&path, &top)? {
            let ProjectFile { check, guard } = parse(&path, &text)?;
            all.check.add(check);
            all.guard.tighten(guard);
        }
    }
    Ok(all)
}

/// The first thing that is wrong with each of them.
pub(super) fn faults(root_module: &Path) -> impl Iterator<Item = ConfigError> {
    let fault = |(path, top): (PathBuf, PathBuf)| match read_inside(&path, &top) {
        Ok(text) => parse(&path, &text?).err(),
        Err(fault) => Some(fault),
    };
    files(root_module).into_iter().filter_map(fault)
}

/// Where project files may be, the nearest first, each with the top of the repository.
fn files(root_module: &Path) -> Vec<(PathBuf, PathBuf)> {
    let root = root_module.canonicalize().unwrap_or_else(|_| root_module.to_owned());
    let top = repository_top(&root).unwrap_or(&root);
    let directories = root.ancestors().take_while(|directory| directory.starts_with(top));
    directories.map(|directory| (directory.join(PROJECT_FILE), top.to_owned())).collect()
}

/// Reads one, if it is what is reviewed: a link is followed only to a file of the same repository.
fn read_inside(path: &Path, top: &Path) -> Result<Option<String>, ConfigError> {
    if path.canonicalize().is_ok_and(|target| !target.starts_with(top)) {
        let path = path.to_owned();
        return Err(ConfigError::Unfit { path, why: "is a link that leads out of the repository" });
    }
    read(path)
}

/// Takes the text of one apart.
pub(super) fn parse(path: &Path, text: &str) -> Result<ProjectFile, ConfigError> {
    let document = Document::new(path, text);
    let mut file = ProjectFile::default();
    for (key, value) in document.parse()?.into_inner() {
        match key.get_ref().as_ref() {
            "check" => file.check = CheckConfig::parse(&document, &value)?,
            "guard" => file.guard = GuardConfig::parse(&document, &value)?,
            name => {
                let place = document.place(&key.span());
                return Err(ConfigError::ForbiddenKey { place, key: name.to_owned() });
            }
        }
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "tests prepare files directly")]

    use super::*;

    fn project(text: &str) -> Option<String> {
        parse(Path::new(".tf-shim.toml"), text).err().map(|error| error.to_string())
    }

    #[test]
    fn a_project_file_can_name_no_store_and_no_unknown_guard() {
        assert_eq!(project(""), None);
        assert_eq!(project("[guard]\n[check]\n"), None);
        for (text, expected) in [
            ("store = \"/x\"", ".tf-shim.toml:1: `store` is not allowed in a project file"),
            ("[hooks]\na=1", ".tf-shim.toml:1: `hooks` is not allowed in a project file"),
            ("[guard]\n\nprotect = 1", ".tf-shim.toml:3: `guard.protect` must be a table"),
            ("guard = 1", ".tf-shim.toml:1: `guard` must be a table"),
            ("check = 1", ".tf-shim.toml:1: `check` must be a table"),
        ] {
            assert_eq!(project(text).as_deref(), Some(expected));
        }
    }

    #[test]
    fn files_are_united_from_the_root_module_to_the_top_of_the_repository() {
        let outside = tempfile::tempdir().unwrap();
        let top = outside.path().join("repository");
        let root = top.join("a/b");
        std::fs::create_dir_all(&root).unwrap();
        std::fs::create_dir(top.join(".git")).unwrap();
        let write = |directory: &Path, outputs: &str| {
            let rule = "[[check.accept]]\naddress = \"x\"\nreason = \"r\"\n";
            let text = format!("[check]\noutputs = {outputs}\n{rule}");
            std::fs::write(directory.join(PROJECT_FILE), text).unwrap();
        };
        write(&root, "[\"b\", \"a\"]");
        write(&top, "[\"a\", \"c\"]");
        write(outside.path(), "[\"outside\"]");
        let check = load(&root).ok().unwrap().check;
        assert_eq!(check.outputs, ["b", "a", "c"]);
        let lines: Vec<_> = check.accept.iter().map(|rule| rule.place.as_ref().unwrap()).collect();
        assert_eq!(lines.len(), 2);
        assert!(lines[0].file.ends_with("a/b/.tf-shim.toml") && lines[0].file.is_absolute());
        std::fs::write(root.join(PROJECT_FILE), "x = 1").unwrap();
        assert!(load(&root).is_err());
    }
}
