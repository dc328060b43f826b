//! Trees of files as values: read from a directory, written into one, compared.
//!
//! A saved plan is a zip, whose members carry the time they were packed; it is compared by its members.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use crate::varying::steady;

/// What is at one path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// A directory.
    Directory,
    /// A file of these bytes.
    File(Vec<u8>),
    /// A symlink to there.
    Link(PathBuf),
    /// A pipe, a socket, a device.
    Other,
}

/// Everything below a directory, by relative path: permission bits and content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree(pub BTreeMap<PathBuf, (u32, Node)>);

impl Tree {
    /// Reads everything below a directory; empty where there is none.
    #[must_use]
    pub fn read(top: &Path) -> Self {
        let mut tree = Self::default();
        let mut waiting = vec![top.to_owned()];
        while let Some(directory) = waiting.pop() {
            for entry in std::fs::read_dir(&directory).into_iter().flatten() {
                let path = entry.unwrap().path();
                let Ok(meta) = std::fs::symlink_metadata(&path) else { continue };
                let kind = meta.file_type();
                let node = if kind.is_dir() {
                    waiting.push(path.clone());
                    Node::Directory
                } else if kind.is_file() {
                    Node::File(std::fs::read(&path).unwrap())
                } else if kind.is_symlink() {
                    Node::Link(std::fs::read_link(&path).unwrap())
                } else {
                    Node::Other
                };
                let name = path.strip_prefix(top).unwrap().to_owned();
                tree.0.insert(name, (meta.permissions().mode() & 0o7777, node));
            }
        }
        tree
    }

    /// Writes everything into a directory, which is there.
    pub fn write(&self, top: &Path) {
        for (name, (mode, node)) in &self.0 {
            let path = top.join(name);
            match node {
                Node::Directory => std::fs::create_dir_all(&path).unwrap(),
                Node::File(bytes) => {
                    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                    std::fs::write(&path, bytes).unwrap();
                }
                Node::Link(target) => symlink(target, &path).unwrap(),
                Node::Other => panic!("`{}` cannot be written", path.display()),
            }
            if !matches!(node, Node::Link(_)) {
                std::fs::set_permissions(&path, PermissionsExt::from_mode(*mode)).unwrap();
            }
        }
    }

    /// Adds a file of mode 0644.
    #[must_use]
    pub fn with(mut self, name: impl Into<PathBuf>, content: impl Into<Vec<u8>>) -> Self {
        let name = name.into();
        for directory in name.ancestors().skip(1).filter(|part| !part.as_os_str().is_empty()) {
            self.0.insert(directory.to_owned(), (0o755, Node::Directory));
        }
        self.0.insert(name, (0o644, Node::File(content.into())));
        self
    }

    /// Returns the bytes of a file.
    #[must_use]
    pub fn file(&self, name: impl AsRef<Path>) -> Option<&[u8]> {
        match self.0.get(name.as_ref()) {
            Some((_, Node::File(bytes))) => Some(bytes),
            Some((_, Node::Directory | Node::Link(_) | Node::Other)) | None => None,
        }
    }

    /// Leaves out a path and everything below it.
    pub fn remove(&mut self, name: &Path) {
        self.0.retain(|path, _| !path.starts_with(name));
    }

    /// Whether anything is at or below a path.
    #[must_use]
    pub fn has(&self, name: &Path) -> bool {
        self.0.keys().any(|path| path.starts_with(name))
    }

    /// Returns what can be compared: one text per path, times and ids named, also in the path.
    #[must_use]
    pub fn steady(&self, label: &str) -> BTreeMap<Vec<u8>, Vec<u8>> {
        let told = self.0.iter().map(|(name, (mode, node))| {
            let name = [label.as_bytes(), b"/", name.as_os_str().as_bytes()].concat();
            let (kind, content) = match node {
                Node::Directory => ("directory", Vec::new()),
                Node::File(bytes) => ("file", content(bytes)),
                Node::Link(target) => ("link", target.as_os_str().as_bytes().to_vec()),
                Node::Other => ("other", Vec::new()),
            };
            (steady(&name), [format!("{kind} {mode:04o} ").as_bytes(), &content].concat())
        });
        told.collect()
    }
}

/// Returns the content of a file with times and ids named; of a zip, its members one after the other.
fn content(bytes: &[u8]) -> Vec<u8> {
    if !bytes.starts_with(b"PK\x03\x04") {
        return steady(bytes);
    }
    members(bytes).unwrap_or_else(|| bytes.to_vec())
}

/// Reads the members of a zip by name; none where it is broken. Terraform 1.11.4 packs the sources of a
/// module, and lists the attributes that a plan depends on, in no particular order.
fn members(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).ok()?;
    let mut told = BTreeMap::new();
    for at in 0..archive.len() {
        let mut member = archive.by_index(at).ok()?;
        let name = member.name().ok()?.into_owned();
        let mut content = Vec::new();
        member.read_to_end(&mut content).ok()?;
        let content = if name == "tfplan" { fields(&content)? } else { steady(&content) };
        told.insert(name, content);
    }
    Some(
        told.into_iter()
            .flat_map(|(name, content)| {
                [format!("member {name} ").as_bytes(), &content, b"\n"].concat()
            })
            .collect(),
    )
}

/// Returns the fields of a protobuf message, times and ids named, sorted; none where it is broken.
fn fields(message: &[u8]) -> Option<Vec<u8>> {
    let mut rest = message;
    let mut found = Vec::new();
    while !rest.is_empty() {
        let whole = rest;
        let tag = varint(&mut rest)?;
        match tag & 7 {
            0 => drop(varint(&mut rest)?),
            1 => rest = rest.get(8..)?,
            2 => {
                let length = usize::try_from(varint(&mut rest)?).ok()?;
                rest = rest.get(length..)?;
            }
            5 => rest = rest.get(4..)?,
            _ => return None,
        }
        found.push(steady(&whole[..whole.len() - rest.len()]));
    }
    found.sort();
    Some(found.concat())
}

/// Reads a number as protobuf writes it: seven bits a byte, the lowest first.
fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for at in 0..10 {
        let (byte, tail) = rest.split_first()?;
        *rest = tail;
        number |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}
