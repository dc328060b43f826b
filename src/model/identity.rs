//! What a state *is*: the key of its history.
//!
//! The key must not move: the directory of a history is found by it. So only [`Identity::canonical_bytes`]
//! goes into it, whose form is fixed by a test, and neither the name of the project nor an alias does.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::digest::{Digest, Digester};
use super::redact::OddText;
use super::text::escape;

/// Names a state by what it is, not by how one got there: two clones that point to the same remote
/// key are one, two workspaces are two.
///
/// Serialised, this is the `identity.json` of a state directory (store.md 3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    /// Backend kind: `local`, `http`, `s3`, …
    pub(crate) kind: String,
    /// What distinguishes it within its kind, without credentials. For `local`: `path`, the canonical
    /// parent directory plus the file name as Terraform names it.
    pub(crate) attributes: BTreeMap<String, OddText>,
    /// The workspace, `default` included.
    pub(crate) workspace: String,
    /// Resolved targets where `path` is a symbolic link. Not part of the key.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) aliases: Vec<OddText>,
    /// Name of the project directory, for the readable part of the directory's name. Not part of the key.
    #[serde(default)]
    pub(crate) project: OddText,
}

/// Longest label of a directory, in bytes.
const LABEL_BYTES: usize = 40;

/// Attributes that say by themselves where a state is, in the order people expect.
const TELLING: &[&str] = &[
    "address",
    "hostname",
    "organization",
    "endpoint",
    "storage_account_name",
    "container_name",
    "bucket",
    "namespace",
    "secret_suffix",
    "schema_name",
    "prefix",
    "key",
    "path",
];

impl Identity {
    /// The bytes whose hash is the key: kind, workspace and attributes, each with its length before it,
    /// so that no two identities have the same bytes. A file is one state whichever workspace it is
    /// reached by, so its path alone counts.
    pub(crate) fn canonical_bytes(&self) -> Vec<u8> {
        let mut parts: Vec<&[u8]> = vec![b"tf-shim-identity-1", self.kind.as_bytes()];
        if self.kind != "local" {
            parts.push(self.workspace.as_bytes());
        }
        for (name, value) in &self.attributes {
            parts.extend([name.as_bytes(), value.as_bytes()]);
        }
        let with_length = |part: &[u8]| [part.len().to_string().as_bytes(), b":", part].concat();
        parts.into_iter().flat_map(with_length).collect()
    }

    /// Twelve hexadecimal digits that name this state.
    pub(crate) fn key(&self) -> String {
        let mut digester = Digester::new();
        digester.update(&self.canonical_bytes());
        Digest::prefix(&digester.finish(), 12)
    }

    /// Name of the directory of its history: a label for people, then the key.
    pub(crate) fn directory_name(&self) -> String {
        let words = [reduced(self.project.as_bytes()), reduced(self.workspace.as_bytes())];
        let mut label =
            words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-");
        label.truncate(LABEL_BYTES);
        let label = match label.trim_end_matches('-') {
            "" => "state",
            label => label,
        };
        format!("{label}-{}", self.key())
    }

    /// The path of a local state; none for a remote one.
    pub(crate) fn path(&self) -> Option<&OddText> {
        self.attributes.get("path").filter(|_| self.kind == "local")
    }

    /// Where it belongs, for people: the project's directory of a local state, else the name of the
    /// project. Escaped.
    pub(crate) fn place(&self) -> String {
        let (directory, _) = self.split_path();
        directory.map_or_else(|| self.project.display(), escape)
    }

    /// Backend kind and where the state is within, for people: `local terraform.tfstate`,
    /// `s3 bucket/key`. Escaped.
    pub(crate) fn backend(&self) -> String {
        let (_, file) = self.split_path();
        let within = file.map_or_else(|| self.remote_address(), escape);
        let kind = escape(self.kind.as_bytes());
        if within.is_empty() { kind } else { format!("{kind} {within}") }
    }

    /// The workspace, for people. Escaped.
    pub(crate) fn workspace(&self) -> String {
        escape(self.workspace.as_bytes())
    }

    fn remote_address(&self) -> String {
        let telling: Vec<_> = TELLING
            .iter()
            .filter_map(|name| self.attributes.get(*name))
            .filter(|value| !value.is_empty())
            .map(OddText::display)
            .collect();
        if !telling.is_empty() {
            return telling.join("/");
        }
        let all = self.attributes.iter();
        let all =
            all.map(|(name, value)| format!("{}={}", escape(name.as_bytes()), value.display()));
        all.collect::<Vec<_>>().join(" ")
    }

    /// Splits a local path into the project's directory and the rest. Terraform keeps the states of
    /// other workspaces in `terraform.tfstate.d/WORKSPACE/`, which belongs to the rest.
    fn split_path(&self) -> (Option<&[u8]>, Option<&[u8]>) {
        let Some(path) = self.path().map(OddText::as_bytes) else { return (None, None) };
        let workspace = ["/terraform.tfstate.d/", &self.workspace, "/terraform.tfstate"].concat();
        let nested = path.strip_suffix(workspace.as_bytes()).map(<[u8]>::len);
        let slash = nested.or_else(|| path.iter().rposition(|byte| *byte == b'/'));
        let Some((directory, rest)) = slash.and_then(|at| path.split_at_checked(at)) else {
            return (None, Some(path));
        };
        let directory = if directory.is_empty() { b"/" } else { directory };
        (Some(directory), Some(rest.strip_prefix(b"/").unwrap_or(rest)))
    }
}

/// Reduces foreign text to `[a-z0-9-]`, so that it can be part of a file name anywhere.
fn reduced(text: &[u8]) -> String {
    let mut word = String::new();
    for byte in text {
        match byte.to_ascii_lowercase() {
            kept @ (b'a'..=b'z' | b'0'..=b'9') => word.push(char::from(kept)),
            _ if word.ends_with('-') || word.is_empty() => {}
            _ => word.push('-'),
        }
    }
    word.truncate(word.trim_end_matches('-').len());
    word
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    use proptest::prelude::{any, prop, proptest};

    use super::Identity;
    use crate::model::redact::OddText;

    fn local(path: &str, workspace: &str) -> Identity {
        Identity {
            kind: "local".to_owned(),
            attributes: [("path".to_owned(), OddText::from(path))].into(),
            workspace: workspace.to_owned(),
            aliases: Vec::new(),
            project: OddText::from("My Net"),
        }
    }

    #[test]
    fn the_key_never_moves() {
        let identity = local("/srv/net/terraform.tfstate", "default");
        let expected: &[u8] = b"18:tf-shim-identity-15:local4:path26:/srv/net/terraform.tfstate";
        assert_eq!(identity.canonical_bytes(), expected);
        assert_eq!(identity.directory_name(), "my-net-default-KEY".replace("KEY", &identity.key()));
        assert_eq!(identity.key().len(), 12);
    }

    #[test]
    fn project_and_aliases_are_no_part_of_the_key() {
        let one = local("/srv/net/terraform.tfstate", "default");
        let mut two = one.clone();
        two.project = OddText::from("other");
        two.aliases.push(OddText::from("/x"));
        assert_eq!(one.key(), two.key());
    }

    #[test]
    fn a_file_is_one_state_and_a_remote_is_one_in_each_workspace() {
        let file = |workspace| local("/srv/net/terraform.tfstate", workspace);
        assert_eq!(file("default").key(), file("blue").key());
        let remote = |workspace| Identity { kind: "s3".to_owned(), ..file(workspace) };
        assert_ne!(remote("default").key(), remote("blue").key());
    }

    #[test]
    fn people_see_directory_workspace_and_file() {
        let plain = local("/srv/net/terraform.tfstate", "default");
        assert_eq!(
            (plain.place(), plain.backend()),
            ("/srv/net".into(), "local terraform.tfstate".into())
        );
        let blue = local("/srv/net/terraform.tfstate.d/blue/terraform.tfstate", "blue");
        assert_eq!(blue.place(), "/srv/net");
        assert_eq!(blue.backend(), "local terraform.tfstate.d/blue/terraform.tfstate");
        assert_eq!(local("/x.tfstate", "default").place(), "/");
        let mut remote = plain;
        remote.kind = "s3".to_owned();
        remote.attributes = [("key", "net/x"), ("bucket", "b")]
            .map(|(k, v)| (k.to_owned(), OddText::from(v)))
            .into();
        assert_eq!((remote.place(), remote.backend()), ("My Net".into(), "s3 b/net/x".into()));
    }

    proptest! {
        #[test]
        fn foreign_text_never_becomes_a_path(
            project in prop::collection::vec(any::<u8>(), 0..80),
            workspace in any::<String>(),
        ) {
            let mut identity = local("/p", &workspace);
            identity.project = OddText::from(OsStr::from_bytes(&project));
            let name = identity.directory_name();
            assert!(name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-')));
            assert!(name.len() <= 53 && !name.starts_with('-'));
        }

        #[test]
        fn different_identities_have_different_bytes(
            a in ("[a-c:0-9]{0,4}", "[a-c:0-9]{0,4}", "[a-c:0-9]{0,4}"),
            b in ("[a-c:0-9]{0,4}", "[a-c:0-9]{0,4}", "[a-c:0-9]{0,4}"),
        ) {
            let make = |(kind, name, value): &(String, String, String)| {
                let mut identity = local("", "w");
                identity.kind.clone_from(kind);
                identity.attributes = [(name.clone(), OddText::from(value.as_str()))].into();
                identity
            };
            assert_eq!(a == b, make(&a).canonical_bytes() == make(&b).canonical_bytes());
        }
    }
}
