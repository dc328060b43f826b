//! Private files and directories, opened relative to a directory that is held open.
//!
//! A [`Folder`] is a descriptor, not a path: what was checked once (owner, mode) is what is used, and
//! nobody can swap a link in between. Names inside it are single components and never followed where
//! they are links. New files are 0600 and new directories 0700 whatever the umask says.
//!
//! Here are the single steps only. Their order, and when to sync, is the business of the callers.

use std::ffi::OsStr;
use std::fs::{File, Metadata, Permissions};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::dir::Dir;
use nix::errno::Errno;
use nix::fcntl::{AtFlags, FallocateFlags, OFlag, fallocate, openat};
use nix::sys::stat::{FchmodatFlags, Mode, fchmodat, fstatat, mkdirat};
use nix::unistd::{UnlinkatFlags, linkat, unlinkat};

use super::lock;

/// Names a file for as long as it is open somewhere: device and inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct FileIdentity {
    /// The device.
    device: u64,
    /// The inode on it.
    inode: u64,
}

impl FileIdentity {
    /// The identity of an open file, or of what a path leads to.
    pub(crate) fn of(metadata: &Metadata) -> Self {
        Self { device: metadata.dev(), inode: metadata.ino() }
    }
}

/// Whether something had to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Made {
    /// It is new; the directory that holds it must be synced.
    New,
    /// It was there.
    Existing,
}

/// An open directory.
#[derive(Debug)]
pub(crate) struct Folder {
    /// The descriptor.
    file: File,
    /// How it was reached; for messages, and for the few calls that take only paths.
    path: PathBuf,
}

impl Folder {
    /// Opens a directory by path. Links on the way are followed: the path is the user's own choice.
    ///
    /// # Errors
    /// It is not there, not a directory, or not ours to open.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let fd = nix::fcntl::open(path, flags, Mode::empty())?;
        Ok(Self { file: File::from(fd), path: path.to_owned() })
    }

    /// Opens a directory inside this one.
    ///
    /// # Errors
    /// It is not there, not a directory, or a link.
    pub(crate) fn folder(&self, name: &str) -> io::Result<Self> {
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let fd = openat(&self.file, name, flags, Mode::empty())?;
        Ok(Self { file: File::from(fd), path: self.path.join(name) })
    }

    /// Makes a directory inside this one, 0700, and opens it. One that is there is opened as it is.
    ///
    /// # Errors
    /// It cannot be made, or what is there is no directory.
    pub(crate) fn make_folder(&self, name: &OsStr) -> io::Result<(Self, Made)> {
        let made = match mkdirat(&self.file, name, Mode::S_IRWXU) {
            Ok(()) => {
                // A umask of 0700 and more would keep even ourselves out.
                fchmodat(&self.file, name, Mode::S_IRWXU, FchmodatFlags::FollowSymlink)?;
                Made::New
            }
            Err(Errno::EEXIST) => Made::Existing,
            Err(errno) => return Err(errno.into()),
        };
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let fd = openat(&self.file, name, flags, Mode::empty())?;
        let folder = Self { file: File::from(fd), path: self.path.join(name) };
        if made == Made::New {
            folder.make_private()?;
        }
        Ok((folder, made))
    }

    /// Sets this directory to 0700.
    ///
    /// # Errors
    /// It is not ours.
    pub(crate) fn make_private(&self) -> io::Result<()> {
        self.file.set_permissions(Permissions::from_mode(0o700))
    }

    /// Creates a new file, 0600, for writing.
    ///
    /// # Errors
    /// The name is taken (also by a dangling link), or the file cannot be created.
    pub(crate) fn create_file(&self, name: &str) -> io::Result<File> {
        let flags =
            OFlag::O_RDWR | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let file = File::from(openat(&self.file, name, flags, Mode::from_bits_truncate(0o600))?);
        file.set_permissions(Permissions::from_mode(0o600))?;
        Ok(file)
    }

    /// Opens a regular file for reading.
    ///
    /// # Errors
    /// It is not there, a link, or no regular file. A FIFO is not waited for.
    pub(crate) fn open_file(&self, name: &str) -> io::Result<File> {
        self.open_regular(name, OFlag::O_RDONLY)
    }

    /// Opens a regular file for appending.
    ///
    /// # Errors
    /// As [`Self::open_file`].
    pub(crate) fn open_append(&self, name: &str) -> io::Result<File> {
        self.open_regular(name, OFlag::O_WRONLY | OFlag::O_APPEND)
    }

    /// Opens a regular file for reading and writing, and creates it, 0600, where it is missing.
    ///
    /// # Errors
    /// As [`Self::open_file`] and [`Self::create_file`].
    pub(crate) fn open_or_create(&self, name: &str) -> io::Result<File> {
        match self.create_file(name) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                self.open_regular(name, OFlag::O_RDWR)
            }
            done => done,
        }
    }

    /// Opens something that is there, if it is a regular file.
    fn open_regular(&self, name: &str, access: OFlag) -> io::Result<File> {
        let flags =
            access | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
        let file = File::from(openat(&self.file, name, flags, Mode::empty())?);
        if file.metadata()?.is_file() {
            return Ok(file);
        }
        Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"))
    }

    /// A second descriptor of the same directory.
    ///
    /// # Errors
    /// There are no more descriptors.
    pub(crate) fn try_clone(&self) -> io::Result<Self> {
        Ok(Self { file: self.file.try_clone()?, path: self.path.clone() })
    }

    /// The identity of what the name stands for, without following it; none where nothing does.
    ///
    /// # Errors
    /// The directory cannot be asked.
    pub(crate) fn identity(&self, name: &str) -> io::Result<Option<FileIdentity>> {
        match fstatat(&self.file, name, AtFlags::AT_SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(FileIdentity { device: stat.st_dev, inode: stat.st_ino })),
            Err(Errno::ENOENT) => Ok(None),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Moves a file to a new name, in this or another directory of the same file system, and never
    /// replaces anything.
    ///
    /// # Errors
    /// `AlreadyExists` where the new name is taken; else the move failed.
    pub(crate) fn rename_new(
        &self,
        name: &str,
        to: &Self,
        new: impl AsRef<OsStr>,
    ) -> io::Result<()> {
        let new = new.as_ref();
        match rename_noreplace(self, name, to, new) {
            // The file system, or the kernel, does not know the flag (rename(2)).
            Err(Errno::EINVAL | Errno::ENOSYS | Errno::EOPNOTSUPP) => {
                linkat(&self.file, name, &to.file, new, AtFlags::empty())?;
                self.remove(name)
            }
            done => Ok(done?),
        }
    }

    /// Removes a file. One that is not there is no error.
    ///
    /// # Errors
    /// The file is there and stays.
    pub(crate) fn remove(&self, name: &str) -> io::Result<()> {
        match unlinkat(&self.file, name, UnlinkatFlags::NoRemoveDir) {
            Ok(()) | Err(Errno::ENOENT) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }

    /// The names inside, sorted. Names that are not UTF-8 come with replacement characters, which no
    /// name of ours contains.
    ///
    /// # Errors
    /// The directory cannot be read to its end.
    pub(crate) fn names(&self) -> io::Result<Vec<String>> {
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let mut directory = Dir::openat(&self.file, ".", flags, Mode::empty())?;
        let mut names = Vec::new();
        for entry in directory.iter() {
            let name = entry?.file_name().to_bytes().to_owned();
            if name != b"." && name != b".." {
                names.push(OsStr::from_bytes(&name).to_string_lossy().into_owned());
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// Makes the names inside durable.
    ///
    /// # Errors
    /// They may not be; do not ask a second time.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.file.sync_all()
    }

    /// Owner and permission bits as they are now.
    ///
    /// # Errors
    /// The descriptor cannot be asked.
    pub(crate) fn owner_and_mode(&self) -> io::Result<(u32, u32)> {
        let metadata = self.file.metadata()?;
        Ok((metadata.uid(), metadata.mode() & 0o7777))
    }

    /// Bytes that can still be written here.
    ///
    /// # Errors
    /// The file system cannot be asked.
    pub(crate) fn available_bytes(&self) -> io::Result<u64> {
        lock::available_bytes(&self.path)
    }

    /// How this directory was reached.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// Reserves room for a file, so that a full disk is noticed before anything is written. Where the file
/// system cannot do that, nothing happens.
///
/// # Errors
/// There is no room.
pub(crate) fn reserve(file: &File, bytes: u64) -> io::Result<()> {
    let Ok(length) = i64::try_from(bytes) else {
        return Err(Errno::EFBIG.into());
    };
    match fallocate(file.as_fd(), FallocateFlags::empty(), 0, length) {
        Err(errno @ (Errno::ENOSPC | Errno::EDQUOT | Errno::EFBIG | Errno::EIO)) => {
            Err(errno.into())
        }
        // Anything else says that this cannot be done here (EOPNOTSUPP, ENOSYS, EINVAL for length 0).
        _ => Ok(()),
    }
}

/// Who we are, for comparing with owners.
pub(crate) fn effective_user() -> u32 {
    nix::unistd::geteuid().as_raw()
}

/// One rename that refuses to replace.
#[cfg(target_env = "gnu")]
fn rename_noreplace(from: &Folder, name: &str, to: &Folder, new: &OsStr) -> Result<(), Errno> {
    use nix::fcntl::{RenameFlags, renameat2};
    renameat2(&from.file, name, &to.file, new, RenameFlags::RENAME_NOREPLACE)
}

/// nix offers renameat2 for glibc only (0.31); elsewhere the other way is taken.
#[cfg(not(target_env = "gnu"))]
fn rename_noreplace(_: &Folder, _: &str, _: &Folder, _: &OsStr) -> Result<(), Errno> {
    Err(Errno::ENOSYS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn mode(path: &Path) -> u32 {
        std::fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn files_and_folders_are_private_whatever_the_umask() {
        let room = tempfile::tempdir().unwrap();
        // The mask is the process's, not the thread's; a narrower one would disturb other tests.
        let old = nix::sys::stat::umask(Mode::empty());
        let top = Folder::open(room.path()).unwrap();
        let (folder, made) = top.make_folder(OsStr::new("d")).unwrap();
        top.create_file("f").unwrap();
        nix::sys::stat::umask(old);
        assert_eq!(made, Made::New);
        assert_eq!(mode(folder.path()), 0o700);
        assert_eq!(mode(&room.path().join("f")), 0o600);
    }

    #[test]
    fn rename_never_replaces() {
        let room = tempfile::tempdir().unwrap();
        let top = Folder::open(room.path()).unwrap();
        top.create_file("a").unwrap().write_all(b"a").unwrap();
        top.create_file("b").unwrap().write_all(b"b").unwrap();
        let error = top.rename_new("a", &top, "b").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        top.rename_new("a", &top, "c").unwrap();
        assert_eq!(top.names().unwrap(), ["b", "c"]);
        assert_eq!(std::fs::read(room.path().join("b")).unwrap(), b"b");
    }

    #[test]
    fn links_and_fifos_are_not_opened() {
        let room = tempfile::tempdir().unwrap();
        let top = Folder::open(room.path()).unwrap();
        top.create_file("real").unwrap();
        std::os::unix::fs::symlink("real", room.path().join("link")).unwrap();
        std::os::unix::fs::symlink(".", room.path().join("dirlink")).unwrap();
        nix::unistd::mkfifo(&room.path().join("fifo"), Mode::S_IRWXU).unwrap();
        assert!(top.open_file("link").is_err());
        assert!(top.open_file("fifo").is_err());
        assert!(top.open_or_create("link").is_err());
        assert!(top.create_file("link").is_err());
        assert!(top.folder("dirlink").is_err());
    }
}
