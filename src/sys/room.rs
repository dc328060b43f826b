//! Whether a place takes what somebody wants to write there, found out without writing.

use std::io;
use std::path::Path;

use nix::sys::statvfs::statvfs;
use nix::unistd::{AccessFlags, eaccess, geteuid};

/// Why a file cannot be written, by the effective user; none where it can. A file system that is mounted
/// read-only and a file that is immutable are told for the superuser too (`access(2)`).
pub(crate) fn why_not_written(file: &Path) -> Option<io::Error> {
    eaccess(file, AccessFlags::W_OK).err().map(io::Error::from)
}

/// Why no file can be made in a directory, by the effective user; none where one can.
pub(crate) fn why_no_new_file(directory: &Path) -> Option<io::Error> {
    eaccess(directory, AccessFlags::W_OK | AccessFlags::X_OK).err().map(io::Error::from)
}

/// Bytes that we can still write to the file system that holds a path; the superuser also has what is kept
/// back for it. None where the file system does not say: some count nothing at all.
pub(crate) fn free_bytes(path: &Path) -> Option<u64> {
    let found = statvfs(path).ok()?;
    if found.blocks() == 0 {
        return None;
    }
    let blocks = if geteuid().is_root() { found.blocks_free() } else { found.blocks_available() };
    Some(blocks.saturating_mul(found.fragment_size()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_cannot_be_written_and_a_directory_of_ours_takes_files() {
        let room = tempfile::tempdir().unwrap();
        assert!(why_no_new_file(room.path()).is_none());
        let missing = why_not_written(&room.path().join("none")).unwrap();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
        crate::sys::file::write(&room.path().join("file"), b"").unwrap();
        assert!(why_not_written(&room.path().join("file")).is_none());
        assert!(free_bytes(room.path()).is_some());
        // The kernel's own file system has no blocks to count.
        assert_eq!(free_bytes(Path::new("/proc")), None);
    }
}
