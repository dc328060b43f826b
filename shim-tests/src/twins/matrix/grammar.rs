//! Odd command lines: help and version anywhere, flags in odd places, nothing, empties, `--`, `-chdir`,
//! bytes that are no text, very many arguments.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use crate::twins::{Case, World};

/// Lines split at single blanks: two blanks make an empty argument.
const LINES: &[&str] = &[
    "-h",
    "-help",
    "--help",
    "help",
    "help apply",
    "-v",
    "-version",
    "--version",
    "-version -json",
    "version",
    "version -help",
    "-help apply",
    "-help=true",
    "apply -h",
    "apply -help",
    "apply --help",
    "apply -auto-approve -help",
    "apply -help=true",
    "apply -- -h",
    "apply -- -v",
    "apply -auto-approve --version",
    "apply -auto-approve -v",
    "apply -target -h",
    "destroy -auto-approve -version",
    "state rm -help terraform_data.a",
    "state -help mv",
    "state mv -v a b",
    "workspace -help",
    "workspace new -help x",
    " apply",
    "apply ",
    "apply  -auto-approve",
    "  apply -auto-approve",
    "--",
    "-- apply",
    "apply --",
    "apply -- -auto-approve",
    "plan --",
    "plan -- x",
    "-",
    "- apply",
    "apply -",
    "---",
    "---apply",
    "apply ---auto-approve",
    "apply -=",
    "apply --auto-approve",
    "apply --auto-approve --no-color --var=tag=two",
    "apply -auto-approve=true",
    "apply -auto-approve=false",
    "apply -auto-approve=maybe",
    "apply -auto-approve true",
    "apply -auto-approve -auto-approve -lock-timeout=5",
    "apply -auto-approve -lock-timeout 5s",
    "apply -auto-approve -input false",
    "apply -auto-approve -var tag=two -var tag=three",
    "apply -auto-approve -var",
    "apply -auto-approve -target=",
    "apply -auto-approve extra",
    "apply -unknown",
    "apply -auto-approve -unknown=x",
    "-no-color apply -auto-approve",
    "-json apply -auto-approve",
    "-json",
    "-auto-approve apply",
    "plan -no-color x",
    "plan x -no-color",
    "plan -no-color=true",
    "plan -json=true",
    "plan --json",
    "plan -compact-warnings=true",
    "plan shim",
    "aply",
    "Apply",
    "APPLY -auto-approve",
    "app",
    "state pullx",
    "state pullx state pull",
    "state  pull",
    "state -no-color pull",
    "workspace nothing",
    "metadata nothing",
    "providers nothing",
    "destroy -auto-approve -refresh-only",
    "import terraform_data.a id -var tag=x",
    "plan -parallelism=0",
    "plan -parallelism=x",
    "-chdir=sub plan",
    "-chdir=sub apply -auto-approve -replace=terraform_data.lone",
    "-chdir=sub state list",
    "-chdir=sub state rm terraform_data.lone",
    "-chdir=./sub/ output",
    "-chdir=sub",
    "-chdir=sub -help",
    "-chdir=sub version",
    "-chdir=missing plan",
    "-chdir=missing apply -auto-approve",
    "-chdir=missing version",
    "-chdir=missing -help",
    "-chdir= plan",
    "-chdir= apply",
    "-chdir plan",
    "-chdir sub apply -auto-approve",
    "--chdir=sub apply",
    "-chdir=main.tf apply",
    "-chdir=m -chdir=sub apply -auto-approve",
    "-help -chdir=sub apply",
    " -chdir=sub apply -auto-approve",
    "apply -chdir=sub -auto-approve",
    "state rm -state=sub/terraform.tfstate terraform_data.lone",
    "-chdir=sub apply -auto-approve -state=copy.tfstate -replace=terraform_data.lone",
    "-chdir=sub plan -out=../made.bin",
    "state push -",
    "output -raw",
    "force-unlock -force -force",
];

pub(super) fn cases() -> Vec<Case> {
    let lines = LINES.iter().map(|line| Case::of(World::Rich, line.split(' ')));
    let mut cases: Vec<Case> = lines.collect();
    cases.push(Case::new(World::Rich, ""));
    cases.push(Case::of(World::Rich, [""]));
    cases.push(Case::of(World::Rich, ["state rm", "terraform_data.a"]));
    cases.push(Case::of(World::Rich, ["state", "rm", "terraform_data.a\n"]));
    cases.extend(bytes());
    cases.extend(many());
    cases
}

/// Arguments and directories that are no text.
fn bytes() -> Vec<Case> {
    let odd = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
    let lines: Vec<Vec<OsString>> = vec![
        vec![odd(b"\xff\xfe")],
        vec![odd(b"\xff"), "apply".into(), "-auto-approve".into()],
        vec!["apply".into(), "-auto-approve".into(), "-var".into(), odd(b"tag=\xff\xc3\x28")],
        vec![
            "apply".into(),
            "-auto-approve".into(),
            "-var".into(),
            "tag=\u{fc}\u{f1}\u{1f600}".into(),
        ],
        vec!["plan".into(), odd(b"-out=\x80.bin")],
        vec!["apply".into(), odd(b"no\xffplan")],
        vec!["state".into(), "rm".into(), odd(b"terraform_data.\xff")],
        vec!["workspace".into(), "new".into(), odd(b"w\xff")],
        vec!["taint".into(), odd(b"-state=\xff.tfstate"), "terraform_data.a".into()],
        vec!["plan".into(), "-var".into(), "tag='\"`$(false)\\ *~\t\n".into()],
    ];
    let rich = lines.into_iter().map(|line| Case::of(World::Rich, line));
    let places = [&b"with blank"[..], b"no\xffutf8"].into_iter().flat_map(move |name| {
        let chdir = OsString::from_vec([b"-chdir=", name].concat());
        let directory = odd(name);
        [
            Case::of(
                World::Odd,
                [chdir.clone(), "apply".into(), "-auto-approve".into(), "-var=tag=x".into()],
            ),
            Case::of(World::Odd, [chdir.clone(), "plan".into()]),
            Case::of(World::Odd, [chdir, "state".into(), "list".into()]),
            Case::new(World::Odd, "apply -auto-approve -var=tag=x").inside(&directory),
            Case::new(World::Odd, "taint terraform_data.a").inside(&directory),
            Case::new(World::Odd, "workspace new w").inside(directory),
        ]
    });
    rich.chain(places).collect()
}

/// A thousand arguments, and one that is very long.
fn many() -> Vec<Case> {
    let thousand = |words: &[&str], each: &dyn Fn(usize) -> String| {
        let words = words.iter().map(OsString::from);
        Case::of(World::Rich, words.chain((0..1000).map(|n| each(n).into())))
    };
    let long = "x".repeat(100_000);
    vec![
        thousand(&["plan"], &|_| "-var=tag=one".to_owned()),
        thousand(&["apply", "-auto-approve"], &|n| format!("-var=tag=v{n}")),
        thousand(&["state", "rm"], &|n| format!("terraform_data.r{n}")),
        thousand(&["plan"], &|_| String::new()),
        Case::of(World::Rich, ["plan".to_owned(), format!("-var=tag={long}")]),
        Case::of(
            World::Rich,
            ["apply".to_owned(), "-auto-approve".to_owned(), format!("-var=tag={long}")],
        ),
    ]
}
