//! On what kind of file system something lies.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// What becomes of the files in a file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nature {
    /// They are in memory, and gone after a restart.
    Memory,
    /// They are on another machine, where locks may not hold.
    Network,
    /// They stay, as far as one can tell.
    Lasting,
}

/// The kind of the file system that holds a path, as the kernel names it (`ext4`, `tmpfs`, `nfs4`); none
/// where `/proc` does not tell. The path must be canonical.
pub(crate) fn kind_of(path: &Path) -> Option<String> {
    kind_in(&std::fs::read(Path::new("/proc/self/mountinfo")).ok()?, path)
}

/// What the name of a kind means.
pub(crate) fn nature_of(kind: &str) -> Nature {
    let network =
        ["nfs", "cifs", "smb", "9p", "afs", "ceph", "lustre", "gfs", "ocfs", "fuse.sshfs"];
    match kind {
        "tmpfs" | "ramfs" => Nature::Memory,
        kind if network.iter().any(|start| kind.starts_with(start)) => Nature::Network,
        _ => Nature::Lasting,
    }
}

/// Looks it up in the text of `mountinfo` (`proc_pid_mountinfo(5)`): the fifth field is where it is
/// mounted, the one after the lone `-` is its kind. Of several on one place the last is on top.
fn kind_in(mounts: &[u8], path: &Path) -> Option<String> {
    let mount = |line: &[u8]| {
        let fields: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
        let place = PathBuf::from(OsString::from_vec(unescaped(fields.get(4)?)));
        let dash = fields.iter().position(|field| *field == b"-")?;
        let kind = String::from_utf8_lossy(fields.get(dash.checked_add(1)?)?).into_owned();
        path.starts_with(&place).then(|| (place.components().count(), kind))
    };
    let holding = mounts.split(|byte| *byte == b'\n').filter_map(mount);
    // The last of equals, which `max_by_key` gives, is the one on top.
    holding.max_by_key(|(depth, _)| *depth).map(|(_, kind)| kind)
}

/// Blank, tab, newline and backslash are written as three octal digits.
fn unescaped(field: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((first, behind)) = rest.split_first() {
        let digits = behind.get(..3).filter(|_| *first == b'\\');
        let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 8).ok());
        plain.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { behind.get(3..).unwrap_or_default() } else { behind };
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_mount_on_top_counts() {
        let mounts = b"22 1 8:1 / / rw shared:1 - ext4 /dev/sda1 rw\n\
            30 22 0:26 / /srv rw - nfs4 host:/srv rw\n\
            31 22 0:27 / /srv/a\\040b rw,nosuid shared:5 master:1 - xfs /dev/b rw\n\
            32 30 0:28 / /srv rw - tmpfs tmpfs rw\n";
        for (path, kind) in
            [("/home", "ext4"), ("/srv/x", "tmpfs"), ("/srv/a b/c", "xfs"), ("/srvx", "ext4")]
        {
            assert_eq!(kind_in(mounts, Path::new(path)).as_deref(), Some(kind), "{path}");
        }
        assert_eq!(kind_in(b"", Path::new("/")), None);
        assert!(kind_of(Path::new("/")).is_some());
    }

    #[test]
    fn kinds_are_told_apart_by_what_becomes_of_the_files() {
        assert_eq!(nature_of("tmpfs"), Nature::Memory);
        assert_eq!(nature_of("nfs4"), Nature::Network);
        assert_eq!(nature_of("cifs"), Nature::Network);
        assert_eq!(nature_of("ext4"), Nature::Lasting);
    }
}
