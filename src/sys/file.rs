//! Files that are not ours: their identity, a look without waiting, Terraform's own lock.
//!
//! The lock is an open-file-description lock, never a POSIX record lock: the latter vanishes when *any*
//! descriptor of that file is closed in this process (terraform-facts.md 5).

use std::fs::{File, Metadata, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::libc;
use nix::unistd::{AccessFlags, access};

/// Which file this is, whatever it is called: device and inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileId {
    /// The device.
    pub(crate) device: u64,
    /// The inode on it.
    pub(crate) inode: u64,
}

impl FileId {
    /// The identity in what the system says of a file.
    pub(crate) fn of(metadata: &Metadata) -> Self {
        Self { device: metadata.dev(), inode: metadata.ino() }
    }

    /// The identity of the file at `path`, links followed; none where there is none.
    pub(crate) fn at(path: &Path) -> Option<Self> {
        std::fs::metadata(path).ok().map(|metadata| Self::of(&metadata))
    }

    /// The identity of the program that this process runs, also when its name is gone.
    pub(crate) fn of_ourselves() -> Option<Self> {
        Self::at(Path::new("/proc/self/exe"))
    }

    /// The identity of the program that another process runs; none where we may not look.
    pub(crate) fn of_process(pid: i32) -> Option<Self> {
        Self::at(Path::new(&format!("/proc/{pid}/exe")))
    }
}

/// What a file was at one moment: enough to tell later whether it was written, or another has its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Glance {
    /// Which file.
    pub(crate) id: FileId,
    /// Its length in bytes.
    length: u64,
    /// When its content was changed: seconds and nanoseconds.
    modified: (i64, i64),
    /// When anything about it was changed.
    changed: (i64, i64),
}

impl Glance {
    /// What the system says of a file.
    pub(crate) fn of(metadata: &Metadata) -> Self {
        Self {
            id: FileId::of(metadata),
            length: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// What is at `path` now, links followed; none where nothing is.
    pub(crate) fn at(path: &Path) -> Option<Self> {
        std::fs::metadata(path).ok().map(|metadata| Self::of(&metadata))
    }

    /// Whether its times are finer than seconds, so that two writes in a row can be told apart.
    pub(crate) fn is_fine(&self) -> bool {
        self.modified.1 != 0
    }
}

/// Opens a file for reading without waiting for a writer, as a FIFO would want, and without making
/// a terminal ours. Links are followed, as Terraform does.
///
/// # Errors
/// The system's reason.
pub(crate) fn open_for_looking(path: &Path) -> io::Result<File> {
    let flags = OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    OpenOptions::new().read(true).custom_flags(flags.bits()).open(path)
}

/// Reads a small file that lies somewhere in a tree of others: a regular one, links followed, without
/// waiting for anything and without reading more than `most_bytes`.
///
/// # Errors
/// * `InvalidInput`: it is no regular file.
/// * `FileTooLarge`: it has more bytes.
/// * The system's reason.
pub(crate) fn read_small(path: &Path, most_bytes: u64) -> io::Result<Vec<u8>> {
    let file = open_for_looking(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
    }
    let mut bytes = Vec::new();
    if metadata.len() <= most_bytes {
        // It may have grown meanwhile, and what has no size may have bytes.
        file.take(most_bytes.saturating_add(1)).read_to_end(&mut bytes)?;
    }
    if metadata.len().max(bytes.len() as u64) > most_bytes {
        let text = format!("larger than {most_bytes} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
    }
    Ok(bytes)
}

/// Writes a file that only its owner can read, and makes it durable. A link in its place is not
/// followed.
///
/// # Errors
/// `AlreadyExists` where there is one and it may not be overwritten; the system's reason.
pub(crate) fn write_private(path: &Path, bytes: &[u8], overwrite: bool) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600).custom_flags((OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC).bits());
    let options =
        if overwrite { options.create(true).truncate(true) } else { options.create_new(true) };
    let mut file = options.open(path)?;
    file.set_permissions(Permissions::from_mode(0o600))?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Writes behind what is in a file, and makes the file where it is not there; without a byte this only finds
/// out whether it can be done.
///
/// # Errors
/// The system's reason.
pub(crate) fn append(path: &Path, bytes: &[u8]) -> io::Result<()> {
    OpenOptions::new().append(true).create(true).open(path)?.write_all(bytes)
}

/// Writes a file that others may read, over what is there.
///
/// # Errors
/// The system's reason.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).open(path)?.write_all(bytes)
}

/// Whether files can be made in a directory.
pub(crate) fn takes_files(directory: &Path) -> bool {
    let wish = AccessFlags::W_OK | AccessFlags::X_OK;
    directory.is_dir() && access(directory, wish).is_ok()
}

/// Who holds Terraform's lock on a state file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holder {
    /// Nobody.
    Nobody,
    /// A process that took a record lock: Terraform.
    Process(i32),
    /// Somebody with an open-file-description lock: another of ours.
    Unnamed,
}

/// Looks who holds the lock, without taking it: even a read lock of ours would make Terraform fail.
///
/// # Errors
/// The file system has no locks.
pub(crate) fn lock_holder(file: &File) -> io::Result<Holder> {
    let mut wish = whole_file(libc::F_WRLCK);
    fcntl(file, FcntlArg::F_OFD_GETLK(&mut wish))?;
    if i32::from(wish.l_type) == libc::F_UNLCK {
        return Ok(Holder::Nobody);
    }
    Ok(if wish.l_pid > 0 { Holder::Process(wish.l_pid) } else { Holder::Unnamed })
}

/// Takes the write lock that Terraform respects, for as long as `file` is open; false when somebody
/// holds it. Needs a descriptor that is open for writing.
///
/// # Errors
/// The file system has no locks.
pub(crate) fn try_lock(file: &File) -> io::Result<bool> {
    match fcntl(file, FcntlArg::F_OFD_SETLK(&whole_file(libc::F_WRLCK))) {
        Ok(_) => Ok(true),
        Err(Errno::EAGAIN | Errno::EACCES) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn whole_file(kind: i32) -> libc::flock {
    libc::flock {
        l_type: i16::try_from(kind).unwrap_or_default(),
        l_whence: i16::try_from(libc::SEEK_SET).unwrap_or_default(),
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "tests prepare files directly")]

    use super::*;

    #[test]
    fn a_small_file_is_read_and_nothing_is_waited_for() {
        let room = tempfile::tempdir().unwrap();
        let path = |name: &str| room.path().join(name);
        std::fs::write(path("file"), b"abc").unwrap();
        std::os::unix::fs::symlink("file", path("link")).unwrap();
        nix::unistd::mkfifo(&path("fifo"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert_eq!(read_small(&path("link"), 3).unwrap(), b"abc");
        let kind = |path: &Path| read_small(path, 2).unwrap_err().kind();
        assert_eq!(kind(&path("file")), io::ErrorKind::FileTooLarge);
        assert_eq!(kind(&path("none")), io::ErrorKind::NotFound);
        for odd in [path("fifo"), room.path().to_owned(), "/dev/zero".into()] {
            assert_eq!(kind(&odd), io::ErrorKind::InvalidInput, "{}", odd.display());
        }
    }
}
