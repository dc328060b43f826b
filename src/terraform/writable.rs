//! Where Terraform writes a local state, and what it needs beside it.
//!
//! The state is written in place; lock info and backup go beside the *name*, which may be a link to
//! somewhere else; directories that are missing are made (terraform-facts.md 1.2 and 4.1).

use std::path::{Path, PathBuf};

use super::write::end_of_links;

/// The places that Terraform writes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Places {
    /// The file, at the end of all links; none where it is still to be made.
    pub(crate) file: Option<PathBuf>,
    /// The directories that files are made in, or directories, as far as they exist.
    pub(crate) directories: Vec<PathBuf>,
}

impl Places {
    /// The places of the state at a path.
    pub(crate) fn of(path: &Path) -> Self {
        let target = end_of_links(path);
        let is_there = target.exists();
        let mut directories: Vec<PathBuf> = nearest(path).into_iter().collect();
        if !is_there {
            directories.extend(nearest(&target).filter(|other| !directories.contains(other)));
        }
        Self { file: is_there.then_some(target), directories }
    }
}

/// The nearest directory above a path that is there.
fn nearest(path: &Path) -> Option<PathBuf> {
    path.ancestors().skip(1).find(|directory| directory.exists()).map(Path::to_owned)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn the_backup_goes_beside_the_link_and_the_state_behind_it() {
        let room = tempfile::tempdir().unwrap();
        let at = |name: &str| room.path().join(name);
        std::fs::create_dir(at("real")).unwrap();
        std::fs::create_dir(at("links")).unwrap();
        symlink(at("real/state"), at("links/state")).unwrap();
        let dangling = Places::of(&at("links/state"));
        assert_eq!(dangling, Places { file: None, directories: vec![at("links"), at("real")] });
        crate::sys::file::write(&at("real/state"), b"").unwrap();
        let whole = Places::of(&at("links/state"));
        assert_eq!(whole, Places { file: Some(at("real/state")), directories: vec![at("links")] });
    }

    #[test]
    fn of_directories_that_are_to_be_made_the_nearest_one_above_counts() {
        let room = tempfile::tempdir().unwrap();
        let places = Places::of(&room.path().join("a/b/state"));
        assert_eq!(places, Places { file: None, directories: vec![room.path().to_owned()] });
    }
}
