use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;

use super::{Command, Common, Invocation, Parsed, parse};
use crate::model::shell::Shell;
use crate::ui::Color;

fn words(line: &str) -> Vec<OsString> {
    line.split(' ').filter(|word| !word.is_empty()).map(OsString::from).collect()
}

fn run(line: &str) -> Invocation {
    match parse(words(line)) {
        Ok(Parsed::Run(invocation)) => *invocation,
        other => panic!("{line}: {other:?}"),
    }
}

fn help(line: &str) -> String {
    match parse(words(line)) {
        Ok(Parsed::Help { plain, coloured }) => {
            assert!(!plain.contains('\x1b') && coloured.contains('\x1b'));
            plain
        }
        other => panic!("{line}: {other:?}"),
    }
}

fn wrong(line: &str) -> String {
    let wrong = parse(words(line)).unwrap_err();
    format!("{wrong} | {}", wrong.hint())
}

#[test]
fn every_command_is_read() {
    let diff = |from: &str, to: &str, detailed_exitcode| Command::Diff {
        from: from.to_owned(),
        to: to.to_owned(),
        detailed_exitcode,
    };
    let at = || "@".to_owned();
    let cases = [
        ("", Command::Status),
        ("list", Command::List { number: None, all: false }),
        ("log -n 5 --all", Command::List { number: Some(5), all: true }),
        ("list -n5", Command::List { number: Some(5), all: false }),
        ("show", Command::Show { reference: None }),
        ("show @", Command::Show { reference: Some(at()) }),
        ("diff", diff("@-", "now", false)),
        ("diff serial:4", diff("serial:4", "now", false)),
        ("diff 2h @ -detailed-exitcode", diff("2h", "@", true)),
        ("cat @ -o x", Command::Cat { reference: at(), output: Some("x".into()), force: false }),
        ("save -m -json", Command::Save { message: Some("-json".to_owned()), pin: false }),
        ("save --pin", Command::Save { message: None, pin: true }),
        (
            "restore @ -dry-run -force",
            Command::Restore { reference: at(), dry_run: true, force: true },
        ),
        ("undo -orphan", Command::Undo { dry_run: false, orphan: true }),
        ("pin @ -mwhy", Command::Pin { reference: at(), message: Some("why".to_owned()) }),
        ("unpin @", Command::Unpin { reference: at() }),
        (
            "install d -edit -dry-run",
            Command::Install {
                directory: Some("d".into()),
                edit: true,
                both: false,
                dry_run: true,
            },
        ),
        ("uninstall", Command::Uninstall { directory: None, dry_run: false }),
        ("completion fish", Command::Completion { shell: Shell::Fish }),
        ("complete -breaks =: -- tf", Command::Complete { breaks: "=:".into(), line: "tf".into() }),
        ("which", Command::Which { args: Vec::new() }),
        ("which -- apply -json", Command::Which { args: words("apply -json") }),
        ("version", Command::Version),
        ("-version", Command::Version),
        ("-V", Command::Version),
    ];
    for (line, command) in cases {
        assert_eq!(run(line).command, command, "{line}");
    }
}

#[test]
fn common_flags_stand_anywhere_with_one_dash_or_two() {
    let common = Common {
        json: true,
        workspace: Some("-prod".to_owned()),
        state: Some("a b".into()),
        color: Color::Never,
        yes: true,
        store: Some("/s".into()),
    };
    let mut line = words("-json -workspace=-prod list --color never -yes -store /s --state");
    line.push("a b".into());
    let Ok(Parsed::Run(found)) = parse(line) else { panic!() };
    assert_eq!(found.common, common);
    assert_eq!(run("list").common, Common::default());
    assert_eq!(run("-workspace json list").common.workspace.as_deref(), Some("json"));
}

#[test]
fn paths_need_not_be_utf_8() {
    let odd = OsString::from_vec(b"a\xff".to_vec());
    let mut line = words("list -state");
    line.push(odd.clone());
    let Ok(Parsed::Run(found)) = parse(line) else { panic!() };
    assert_eq!(found.common.state, Some(odd.clone().into()));
    let mut joined = OsString::from("-store=");
    joined.push(&odd);
    let Ok(Parsed::Run(found)) = parse(vec![joined]) else { panic!() };
    assert_eq!(found.common.store, Some(odd.into()));
}

#[test]
fn help_goes_with_every_spelling() {
    let long = help("help");
    for line in ["--help", "-help", "-h"] {
        assert_eq!(help(line), long);
    }
    assert!(long.contains("REF names a state"), "{long}");
    assert!(help("help restore").contains("serial:41"));
    assert_eq!(help("restore -help"), help("help restore"));
    for line in long.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

#[test]
fn wrong_usage_is_said_in_our_words() {
    let cases = [
        ("lst", "`lst` is not a command of tf shim | did you mean `list`? see `tf shim help`"),
        ("chekc", "`chekc` is not a command of tf shim | did you mean `check`? see `tf shim help`"),
        ("list -frob", "unexpected `--frob` | see `tf shim help`"),
        ("list -jsno", "unexpected `--jsno` | did you mean `--json`? see `tf shim help`"),
        ("restore", "`<REF>` is missing | see `tf shim help`"),
        ("list -n", "`-n <N>` needs a value | see `tf shim help`"),
        ("list -n x", "`x` is not a value of `-n <N>` | see `tf shim help`"),
        (
            "-color=pink",
            "`pink` is not a value of `--color <auto|always|never>` | use one of auto, always, never",
        ),
        ("-json -json", "`--json` is given more than once | see `tf shim help`"),
        ("cat @ -force", "`-o <FILE>` is missing | see `tf shim help`"),
        ("show a b", "unexpected `b` | see `tf shim help`"),
        (
            "check --report json=terraform.tfstate",
            "`json=terraform.tfstate` is not a value of `--report <FORMAT=PATH>`: a report never takes the \
             place of a state or of a configuration | see `tf shim help`",
        ),
        ("help lst", "`lst` is not a command of tf shim | see `tf shim help`"),
    ];
    for (line, said) in cases {
        assert_eq!(wrong(line), said, "{line}");
    }
}
