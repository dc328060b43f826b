//! The rows: what may lie where the state should be.

use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::time::{Duration, SystemTime};

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use serde_json::Value;
use shim_tests::Sandbox;
use shim_tests::shim::{serial, with_serial};

use super::contract::Found;

/// One row.
#[derive(Clone, Copy)]
pub(crate) struct Odd {
    /// What it is, as the page says it.
    pub(crate) what: &'static str,
    /// What is wrong with it.
    pub(crate) found: Found,
    /// Makes it.
    make: Make,
    /// Whether root, who may do everything, would not meet it.
    pub(crate) stops_only_the_powerless: bool,
    /// A variable that is set to 1.
    pub(crate) variable: Option<&'static str>,
}

/// How a row is made.
#[derive(Clone, Copy)]
enum Make {
    /// A file, of the good state.
    File(fn(&[u8]) -> Vec<u8>),
    /// Anything else, at the path; the file is gone by then.
    Thing(fn(&Sandbox, &Path)),
    /// The good state with another mode.
    Mode(u32),
    /// The good state, and another file beside the configuration.
    Errored,
}

impl Odd {
    /// A row.
    const fn new(what: &'static str, found: Found, make: Make) -> Self {
        Self { what, found, make, stops_only_the_powerless: false, variable: None }
    }

    /// A row of a file.
    const fn file(what: &'static str, found: Found, make: fn(&[u8]) -> Vec<u8>) -> Self {
        Self::new(what, found, Make::File(make))
    }

    /// A row that only shows to whom modes matter.
    const fn mode(what: &'static str, found: Found, mode: u32) -> Self {
        Self { stops_only_the_powerless: true, ..Self::new(what, found, Make::Mode(mode)) }
    }

    /// Puts it in the place of the good state.
    pub(crate) fn put(&self, sandbox: &Sandbox, path: &Path) {
        let good = std::fs::read(path).unwrap();
        match self.make {
            Make::File(make) => sandbox.write_at(path, make(&good)),
            Make::Thing(make) => {
                std::fs::remove_file(path).unwrap();
                make(sandbox, path);
                return;
            }
            Make::Mode(mode) => {
                std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
                return;
            }
            Make::Errored => {
                sandbox.write("errored.tfstate", with_serial(&good, serial(&good) + 1));
            }
        }
        // What is no state and was written a moment ago may be half of one, and is waited for.
        let file = std::fs::File::options().append(true).open(path).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(3600)).unwrap();
    }
}

/// All of them.
pub(crate) const STATES: &[Odd] = &[
    Odd::file("as it was left", Found::Right, <[u8]>::to_vec),
    Odd::file("the same, by another version", Found::Right, rewritten),
    Odd::file("changed by plain Terraform", Found::Right, changed),
    Odd::file("keys in other case", Found::Right, other_case),
    Odd::new("no file", Found::Missing, Make::Thing(|_, _| {})),
    Odd::file("0 bytes", Found::Missing, |_| Vec::new()),
    Odd::file("`{\"version\":4}`", Found::Missing, |_| br#"{"version":4}"#.to_vec()),
    Odd::file("no resources", Found::Missing, emptied),
    Odd::new("a dangling symlink", Found::Missing, Make::Thing(dangling)),
    Odd::file("a newline", Found::Corrupt, |_| b"\n".to_vec()),
    Odd::file("`{}`", Found::Corrupt, |_| b"{}".to_vec()),
    Odd::file("half a file", Found::Corrupt, |good| good[..good.len() / 2].to_vec()),
    Odd::file("NULs", Found::Corrupt, |good| vec![0; good.len()]),
    Odd::file("a key twice, in different case", Found::Corrupt, twice),
    Odd::file("a byte order mark", Found::Corrupt, |good| [b"\xef\xbb\xbf", good].concat()),
    Odd::file("UTF-16", Found::Corrupt, utf_16),
    Odd::file("another lineage", Found::Foreign, foreign),
    Odd::file("a lower serial", Found::Older, |good| with_serial(good, serial(good) - 1)),
    Odd::file("the same serial, other content", Found::Older, other_content),
    Odd::new("a newer one in `errored.tfstate`", Found::Errored, Make::Errored),
    Odd::mode("a file that cannot be written", Found::Unwritable, 0o444),
    Odd::mode("a file that cannot be read", Found::Unreadable, 0o000),
    Odd::new(
        "a directory",
        Found::Unreadable,
        Make::Thing(|_, path| std::fs::create_dir(path).unwrap()),
    ),
    Odd::new(
        "a FIFO",
        Found::Unreadable,
        Make::Thing(|_, path| mkfifo(path, Mode::S_IRWXU).unwrap()),
    ),
    Odd::new(
        "`/dev/zero`",
        Found::Unreadable,
        Make::Thing(|_, path| symlink("/dev/zero", path).unwrap()),
    ),
    Odd {
        variable: Some("TF_SHIM_READ_ONLY"),
        ..Odd::file("as left, `TF_SHIM_READ_ONLY=1`", Found::ReadOnly, <[u8]>::to_vec)
    },
];

/// Replaces the first occurrence of a text, which must be there.
fn replaced(state: &[u8], from: &str, to: &str) -> Vec<u8> {
    let text = std::str::from_utf8(state).unwrap();
    assert!(text.contains(from), "no `{from}` in {text}");
    text.replacen(from, to, 1).into_bytes()
}

/// Another version of Terraform wrote the same.
fn rewritten(good: &[u8]) -> Vec<u8> {
    let mut state: Value = serde_json::from_slice(good).unwrap();
    state["terraform_version"] = "1.9.8".into();
    let mut bytes = serde_json::to_vec(&state).unwrap();
    bytes.push(b'\n');
    bytes
}

/// A higher serial, and other content.
fn changed(good: &[u8]) -> Vec<u8> {
    with_serial(&other_content(good), serial(good) + 2)
}

/// As Terraform reads it: the names of members in any case.
fn other_case(good: &[u8]) -> Vec<u8> {
    let state = with_serial(good, serial(good) + 1);
    let state = replaced(&state, "\"serial\":", "\"Serial\":");
    replaced(&state, "\"lineage\":", "\"LINEAGE\":")
}

/// One reader takes the first, another the last.
fn twice(good: &[u8]) -> Vec<u8> {
    replaced(good, "\"serial\":", "\"SERIAL\": 99,\n  \"serial\":")
}

/// Everything was taken out behind our back.
fn emptied(good: &[u8]) -> Vec<u8> {
    let mut state: Value = serde_json::from_slice(good).unwrap();
    state["resources"] = Value::Array(Vec::new());
    state["serial"] = (serial(good) + 1).into();
    serde_json::to_vec(&state).unwrap()
}

/// The state of somebody else, with a higher serial.
fn foreign(good: &[u8]) -> Vec<u8> {
    let mut state: Value = serde_json::from_slice(good).unwrap();
    state["lineage"] = "0f0f0f0f-53d4-44b7-9f0c-6c2b9a1e7d10".into();
    state["serial"] = (serial(good) + 7).into();
    serde_json::to_vec(&state).unwrap()
}

/// Another value, the serial as it was.
fn other_content(good: &[u8]) -> Vec<u8> {
    replaced(good, "\"value\": \"", "\"value\": \"other ")
}

/// As an editor of another world saves it.
fn utf_16(good: &[u8]) -> Vec<u8> {
    let text = std::str::from_utf8(good).unwrap();
    let units = std::iter::once(0xfeff).chain(text.encode_utf16());
    units.flat_map(u16::to_le_bytes).collect()
}

/// A link to a file that is not there.
fn dangling(sandbox: &Sandbox, path: &Path) {
    let gone = sandbox.path("gone.tfstate");
    // Terraform makes what the link names.
    if gone.exists() {
        std::fs::remove_file(&gone).unwrap();
    }
    symlink(gone, path).unwrap();
}
