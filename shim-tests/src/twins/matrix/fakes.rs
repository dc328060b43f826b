//! What a child sees, with the fake behind both: arguments as bytes, environment, descriptors, group.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use crate::scenario::{Scenario, Step};
use crate::twins::{Case, Input, Output, World};

/// A part with something on every stream, for a forwarded and a guarded command.
fn part() -> Scenario {
    let said = |status| {
        [Step::stdout("out\n"), Step::stderr(vec![0, 255, b'\n', b'e']), Step::Exit(status)]
    };
    Scenario::terraform().on(["plan"], said(2)).on(["apply"], said(3)).on(["state", "rm"], said(1))
}

pub(super) fn cases() -> Vec<Case> {
    let odd = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
    let tails: Vec<Vec<OsString>> = vec![
        vec![],
        vec!["".into()],
        vec!["".into(), "".into(), "x".into()],
        vec!["--".into(), "-".into(), "---".into(), "-=".into()],
        vec!["-var".into(), "a= b\tc\n".into()],
        vec![odd(b"-var=a=\xff\xfe\x80"), odd(b"\xc3\x28")],
        vec!["'\"`$(false)\\".into(), "*".into(), "~".into(), "\u{fc}\u{f1}".into()],
        (0..1000).map(|n| format!("-var=v{n}={n}").into()).collect(),
        vec!["x".repeat(100_000).into()],
    ];
    let lines = tails.iter().flat_map(|tail| {
        ["plan", "apply"].map(|word| {
            let line = std::iter::once(OsString::from(word)).chain(tail.iter().cloned());
            Case::of(World::Applied, line).fake(part())
        })
    });
    lines.chain(surroundings()).collect()
}

/// The same two commands with odd surroundings.
fn surroundings() -> Vec<Case> {
    let mut cases = Vec::new();
    for word in ["plan", "apply", "state rm x"] {
        let plainly = || Case::new(World::Applied, word).fake(part());
        cases.push(
            plainly()
                .env("EMPTY", "")
                .env("ODD", OsStr::from_bytes(b"\xff\xfe=\n"))
                .env(OsStr::from_bytes(b"N\xffAME"), "x")
                .env("TF_LOG", "")
                .env("TF_VAR_x", "1"),
        );
        cases.push(plainly().inside("m"));
        cases.push(plainly().input(Input::Closed));
        cases.push(plainly().input(Input::File(b"yes\n".to_vec())));
        cases.extend(
            [Output::Closed, Output::ErrorClosed, Output::File].map(|way| plainly().output(way)),
        );
        cases.extend(["HUP", "INT", "USR2"].map(|signal| plainly().ignoring(signal)));
    }
    let echo =
        Scenario::terraform().on(["plan"], [Step::EchoStdin]).on(["apply"], [Step::EchoStdin]);
    let bytes: Vec<u8> = (0..=255).cycle().take(40_000).collect();
    for word in ["plan", "apply"] {
        let echoed = Case::new(World::Applied, word).fake(echo.clone());
        cases.push(echoed.clone().input(Input::Bytes(bytes.clone())));
        cases.push(echoed.input(Input::File(bytes.clone())));
    }
    cases
}
