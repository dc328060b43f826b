//! The configuration's text as it lies on disk: modules and their files, not yet taken apart.
//!
//! `terraform` reads it and `check` takes it apart, and neither knows the other; so it is plain data here.

use std::path::PathBuf;

/// One file of a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SourceFile {
    /// Its path, absolute.
    pub(crate) path: PathBuf,
    /// Its text.
    pub(crate) text: String,
}

/// One module of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ModuleSource {
    /// Its key in `modules.json`: empty for the root, `a.b` for `module.a.module.b`.
    pub(crate) key: String,
    /// Whether it was downloaded, so that its files are not the user's.
    pub(crate) is_foreign: bool,
    /// Its configuration files.
    pub(crate) files: Vec<SourceFile>,
}
