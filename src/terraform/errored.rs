//! `errored.tfstate`: where Terraform leaves a state that it could not save.
//!
//! It lies in the root module, holds a whole state under the serial that it would have had, is overwritten
//! by the next failure, and is never read or removed by Terraform, not even after it was pushed
//! (terraform-facts.md 4.4). Whatever else has that name is nobody's finding: a repository may hold a FIFO,
//! a link to a device, or a gigabyte.

use std::path::{Path, PathBuf};

use crate::model::operation::Status;
use crate::model::state::StateImage;

use super::read::read_file;

/// The name that Terraform gives it.
pub(crate) const NAME: &str = "errored.tfstate";

/// Where it would be, for a root module.
pub(crate) fn path(root_module: &Path) -> PathBuf {
    root_module.join(NAME)
}

/// The state in it; none where there is none, or what is there is no state. Never waits for long.
pub(crate) fn find(root_module: &Path, max_bytes: u64) -> Option<StateImage> {
    let image = read_file(&path(root_module), max_bytes).ok()?.image?;
    matches!(image.status(), Status::Ok | Status::Encrypted).then_some(image)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use nix::sys::stat::Mode;
    use nix::unistd::mkfifo;

    use super::*;
    use crate::sys::file::write;

    const STATE: &[u8] = br#"{"version":4,"serial":7,"lineage":"l"}"#;

    #[test]
    fn only_a_state_is_found_and_nothing_is_waited_for() {
        for what in
            ["nothing", "a directory", "a FIFO", "a device", "a loop", "no state", "no bytes"]
        {
            let room = tempfile::tempdir().unwrap();
            let path = path(room.path());
            match what {
                "a directory" => std::fs::create_dir(path).unwrap(),
                "a FIFO" => mkfifo(&path, Mode::S_IRWXU).unwrap(),
                "a device" => symlink("/dev/zero", path).unwrap(),
                "a loop" => symlink(&path, &path).unwrap(),
                "no state" => write(&path, b"{}").unwrap(),
                "no bytes" => write(&path, b"").unwrap(),
                _ => {}
            }
            assert!(find(room.path(), 1000).is_none(), "{what}");
        }
    }

    #[test]
    fn a_state_is_found_unless_it_is_too_large() {
        let room = tempfile::tempdir().unwrap();
        write(&path(room.path()), STATE).unwrap();
        assert_eq!(find(room.path(), 1000).unwrap().bytes(), STATE);
        assert!(find(room.path(), 10).is_none());
    }
}
