//! Files of the user's that we change in place, such as the start file of a shell.
//!
//! In place, and not by a new file that takes the name: links, owner, mode, and whatever else hangs on the
//! file stay as they are. So that a crash in the middle loses nothing, a copy of what was there lies beside
//! it until the new content is on the disk; who finds such a copy must not write over it.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;

use super::checkpoint;

/// The longest file that is taken for a start file, in bytes.
const MOST: u64 = 16 << 20;

/// What is at the end of the name of a copy.
const COPY: &str = ".tf-shim-copy";

/// Reads a file, links followed; none where there is none.
///
/// # Errors
/// It is there and cannot be read, is no regular file, or is longer than any start file.
pub(crate) fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match open(path, false) {
        Ok(file) => contents(&file).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Finds out whether a file that is there could be written.
///
/// # Errors
/// It cannot.
pub(crate) fn probe(path: &Path) -> io::Result<()> {
    open(path, true).map(|_| ())
}

/// Makes a new file, as the umask wants it.
///
/// # Errors
/// The name is taken, also by a dangling link; the system's reason.
pub(crate) fn create(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Where the copy of a file would be while it is edited. Links are followed.
pub(crate) fn copy_of(path: &Path) -> PathBuf {
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let mut name = real.file_name().map_or_else(OsString::new, ToOwned::to_owned);
    name.push(COPY);
    real.with_file_name(name)
}

/// Replaces the content of a file, in place. `old` is what it was when the new content was made of it.
///
/// # Errors
/// It is something else by now, nothing was done; a copy of an earlier edit is there; the system's reason.
pub(crate) fn replace(path: &Path, old: &[u8], new: &[u8]) -> io::Result<()> {
    let mut file = open(path, true)?;
    if contents(&file)? != old {
        return Err(io::Error::other("it changed meanwhile"));
    }
    let copy = copy_of(path);
    let mut kept = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&copy)?;
    kept.write_all(old)?;
    kept.sync_all()?;
    sync_directory(&copy)?;
    checkpoint::reach("edit-copied");
    let same = old.iter().zip(new).take_while(|(old, new)| old == new).count();
    file.seek(SeekFrom::Start(same as u64))?;
    file.write_all(new.get(same..).unwrap_or_default())?;
    checkpoint::reach("edit-written");
    file.set_len(new.len() as u64)?;
    file.sync_all()?;
    std::fs::remove_file(&copy)?;
    sync_directory(&copy)
}

/// Whether everybody may write to what is there, links followed, or put something else in its place. Gives
/// the first such place.
pub(crate) fn exposed(path: &Path) -> Option<PathBuf> {
    let real = path.canonicalize().ok()?;
    let others =
        |path: &Path| std::fs::metadata(path).map_or(0, |found| found.permissions().mode());
    // In a sticky directory nobody but its owner can replace a file (inode(7)).
    let is_open = |path: &&Path| {
        let mode = others(path);
        mode & 0o002 != 0 && (!path.is_dir() || mode & 0o1000 == 0)
    };
    let mut places = path.ancestors().skip(1).chain(real.ancestors());
    places.find(is_open).map(Path::to_owned)
}

fn open(path: &Path, writes: bool) -> io::Result<File> {
    let flags = OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    let file = OpenOptions::new().read(true).write(writes).custom_flags(flags.bits()).open(path)?;
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
    }
    if found.len() > MOST {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "too large for a start file"));
    }
    Ok(file)
}

fn contents(file: &File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(MOST + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn sync_directory(file: &Path) -> io::Result<()> {
    File::open(file.parent().unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt as _;

    #[test]
    fn a_file_is_edited_in_place_and_no_copy_is_left() {
        let room = tempfile::tempdir().unwrap();
        let real = room.path().join("real");
        create(&real, b"one\ntwo\n").unwrap();
        std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o640)).unwrap();
        let link = room.path().join("link");
        std::os::unix::fs::symlink("real", &link).unwrap();
        let before = std::fs::metadata(&real).unwrap();
        for (old, new) in [(&b"one\ntwo\n"[..], &b"one\n"[..]), (b"one\n", b"\xff three\n")] {
            replace(&link, old, new).unwrap();
            assert_eq!(read(&real).unwrap().unwrap(), new);
        }
        let after = std::fs::metadata(&real).unwrap();
        assert_eq!((after.ino(), after.mode()), (before.ino(), before.mode()));
        assert!(link.is_symlink() && !copy_of(&link).exists());
        assert!(replace(&link, b"something else", b"x").is_err());
        assert_eq!(read(&real).unwrap().unwrap(), b"\xff three\n");
    }

    #[test]
    fn a_copy_that_is_there_is_not_written_over() {
        let room = tempfile::tempdir().unwrap();
        let file = room.path().join("f");
        create(&file, b"half").unwrap();
        create(&copy_of(&file), b"whole").unwrap();
        let error = replace(&file, b"half", b"new").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(read(&file).unwrap().unwrap(), b"half");
        assert_eq!(read(&copy_of(&file)).unwrap().unwrap(), b"whole");
    }
}
