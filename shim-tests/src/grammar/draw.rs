//! Drawing one case: a command and its flags, then what makes it odd, then what surrounds it.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use crate::twins::{Case, Input, World};

use super::commands::{COMMANDS, Command, Flag, Value};
use super::random::Random;

/// The worlds of random cases, and how often each is drawn.
const PLACES: &[(World, usize)] = &[
    (World::Rich, 75),
    (World::Changed, 16),
    (World::Applied, 8),
    (World::Fresh, 8),
    (World::Workspaces, 7),
    (World::Http, 6),
    (World::LocalBackend, 3),
    (World::HttpFresh, 2),
    (World::Uninitialised, 2),
    (World::Emptied, 2),
    (World::Asking, 2),
    (World::Invalid, 1),
    (World::Broken, 1),
    (World::Empty, 1),
    (World::EmptyState, 1),
    (World::HalfState, 1),
    (World::NewlineState, 1),
    (World::NewerState, 1),
    (World::Locked, 1),
    (World::HttpLocked, 1),
    (World::Tested, 1),
];

/// Without it, or an answer, an apply does nothing.
const AUTO: Flag = ("auto-approve", Value::Switch);

/// What may be read from stdin.
const ANSWERS: &[&str] = &[
    "yes\n",
    "yes\n",
    "yes\n",
    "yes\n",
    "yes\n",
    "yes\n",
    "no\n",
    "yes",
    "\n",
    "one\nyes\n",
    "1+1\n",
    "y\n",
    "",
];

/// Words that go into odd places.
const ODDITIES: &[&str] = &[
    "",
    "--",
    "-",
    "-h",
    "-help",
    "--help",
    "-version",
    "-v",
    "--version",
    "---x",
    "-=",
    "-no-color",
    "-json",
    "-json=true",
    "--json",
    "-auto-approve",
    "extra",
    "-unknown",
    "-chdir=sub",
    "-help=true",
    "apply",
    "state",
    "-var",
    "-target",
    "-input=false",
    "-lock=false",
];

/// Variables, and what they may be set to.
const VARIABLES: &[(&str, &[&str])] = &[
    ("TF_WORKSPACE", &["dev", "default", "new", "a/b", "..", ""]),
    ("TF_DATA_DIR", &[".data", "", "sub/.terraform"]),
    ("TF_IN_AUTOMATION", &["1", "0", ""]),
    ("TF_INPUT", &["0", "false", "1"]),
    ("TF_VAR_tag", &["env", ""]),
    ("TF_VAR_asked", &["told"]),
    ("TF_CLI_ARGS_plan", &["-no-color", "-destroy", "-out=env.bin", "'", "-json"]),
    (
        "TF_CLI_ARGS_apply",
        &["-auto-approve", "-auto-approve -no-color", "-var tag=env", "\"x", "-help"],
    ),
    ("TF_CLI_ARGS_destroy", &["-auto-approve", "-target=terraform_data.b"]),
    ("TF_CLI_ARGS_state_mv", &["-dry-run", "-lock=false"]),
    ("TF_CLI_ARGS_state_rm", &["-dry-run", "-backup=env.backup"]),
    ("TF_CLI_ARGS_state", &["-nonsense"]),
    ("TF_CLI_ARGS_init", &["-force-copy", "-reconfigure", "-input=false"]),
    (
        "TF_CLI_ARGS",
        &[
            "-no-color",
            "-json",
            "version",
            "plan",
            "apply -auto-approve",
            "-help",
            "-chdir=sub",
            "-var tag=x;-destroy",
            "(",
            "a\\",
            "'' plan",
            "-auto-approve",
            "# x",
        ],
    ),
    ("TF_CLI_ARGS_", &["version", "destroy -auto-approve"]),
    ("COMP_LINE", &["terraform app", "terraform nothing", "terraform state rep"]),
    ("NO_COLOR", &["1"]),
    ("TERM", &["dumb", "xterm"]),
];

/// Draws the case of that number.
#[must_use]
pub fn draw(seed: u64, number: usize) -> Case {
    let mut random = Random::new(seed, number);
    let random = &mut random;
    let command = random.weighed(COMMANDS, |command| command.weight);
    let (place, _) = *random.weighed(PLACES, |(_, weight)| *weight);
    // What it would change is listed in no particular order.
    let world = if command.words.contains(&"replace-provider") { World::Lone } else { place };
    let mut args = line(random, command);
    if random.percent(10) {
        make_odd(random, &mut args);
    }
    if random.percent(9) {
        change_directory(random, &mut args);
    }
    let mut case = Case::of(world, args);
    case.name = format!("drawn {number} of seed {seed}");
    surround(random, &mut case);
    case.input = input(random, command);
    if case.world == World::Asking {
        // Two questions: where the input ends between them, Terraform sometimes waits for ever.
        case.input = random.pick(&[Input::Null, Input::Bytes(b"one\nyes\n".to_vec())]).clone();
    }
    case
}

/// Draws a command line: words, flags, positional arguments.
fn line(random: &mut Random, command: &Command) -> Vec<OsString> {
    let mut args: Vec<OsString> = command.words.iter().map(OsString::from).collect();
    if random.percent(50) && command.flags.contains(&AUTO) {
        args.push("-auto-approve".into());
    }
    for _ in 0..*random.pick(&[0, 0, 1, 1, 1, 2, 2, 4]) {
        if !command.flags.is_empty() {
            let flag = random.pick(command.flags);
            push_flag(random, flag, &mut args);
        }
    }
    let ways = command.positionals;
    let sensible = if random.percent(82) { ways.len().div_ceil(2) } else { ways.len() };
    args.extend(ways[random.below(sensible)].iter().map(OsString::from));
    if random.percent(4) && !command.flags.is_empty() {
        let flag = random.pick(command.flags);
        push_flag(random, flag, &mut args);
    }
    args
}

/// Writes a flag in one of the ways in which one may.
fn push_flag(random: &mut Random, (name, value_kind): &Flag, args: &mut Vec<OsString>) {
    let dashes = if random.percent(12) { "--" } else { "-" };
    match value_kind {
        Value::Switch if random.percent(8) => {
            let value = random.pick(&["true", "false", "1", "maybe"]);
            args.push(format!("{dashes}{name}={value}").into());
        }
        Value::Switch => args.push(format!("{dashes}{name}").into()),
        Value::Of(values) | Value::Truth(values) => {
            // The first ones are the sensible ones.
            let end = if random.percent(88) { values.len().div_ceil(3) } else { values.len() };
            let value = values[random.below(end)];
            let is_joined = if matches!(value_kind, Value::Truth(_)) { 97 } else { 75 };
            if random.percent(is_joined) {
                args.push(format!("{dashes}{name}={value}").into());
            } else {
                args.extend([format!("{dashes}{name}").into(), value.into()]);
            }
        }
    }
}

/// Puts something odd somewhere.
fn make_odd(random: &mut Random, args: &mut Vec<OsString>) {
    let at = random.below(args.len() + 1);
    if random.percent(10) {
        args.insert(at, OsString::from_vec(b"\xff\xfe-x\x80".to_vec()));
    } else if random.percent(10) && args.len() > 1 {
        // Not the first: for some unknown commands Terraform proposes one of several, whichever comes.
        args.remove(at.clamp(1, args.len() - 1));
    } else if random.percent(10) && at > 2 {
        args.swap(at - 1, 1);
    } else {
        args.insert(at, random.pick(ODDITIES).into());
    }
}

/// Adds a `-chdir` in one of its forms.
fn change_directory(random: &mut Random, args: &mut Vec<OsString>) {
    let forms: &[&[&str]] = &[
        &["-chdir=sub"],
        &["-chdir=sub"],
        &["-chdir=."],
        &["-chdir=m"],
        &["-chdir=./sub/"],
        &["-chdir=missing"],
        &["-chdir="],
        &["-chdir", "sub"],
        &["--chdir=sub"],
        &["-chdir=.", "-chdir=sub"],
        &["", "-chdir=sub"],
        &["-chdir=main.tf"],
    ];
    let form = random.pick(forms);
    args.splice(0..0, form.iter().map(OsString::from));
}

/// Draws what surrounds it.
fn surround(random: &mut Random, case: &mut Case) {
    while random.percent(13) {
        let (name, values) = *random.pick(VARIABLES);
        if !case.env.iter().any(|(n, _)| n == name) {
            case.env.push((name.into(), random.pick(values).into()));
        }
    }
    if random.percent(4) && case.world == World::Rich {
        case.directory = random.pick(&["sub", "m"]).into();
    }
}

/// Draws what it reads.
fn input(random: &mut Random, command: &Command) -> Input {
    if !command.asks && random.percent(85) {
        return Input::Null;
    }
    let answer = random.pick(ANSWERS).as_bytes().to_vec();
    match random.below(10) {
        0 => Input::Null,
        1 => Input::Closed,
        2 => Input::File(answer),
        _ => Input::Bytes(answer),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_a_seed_is_always_the_same_case() {
        for number in 0..50 {
            assert_eq!(draw(3, number).to_string(), draw(3, number).to_string());
        }
        assert_ne!(draw(3, 1).to_string(), draw(4, 1).to_string());
    }

    #[test]
    fn nothing_is_drawn_that_leaves_the_stage() {
        for number in 0..5000 {
            let line = draw(11, number).to_string();
            assert!(!line.contains("autocomplete") && !line.contains(" login"), "{line}");
        }
    }

    #[test]
    fn every_command_and_every_world_is_drawn() {
        let lines: Vec<String> = (0..4000).map(|number| draw(5, number).to_string()).collect();
        for command in COMMANDS {
            let words = command.words.join(" ");
            assert!(lines.iter().any(|line| line.contains(&words)), "{words}");
        }
        for (world, _) in PLACES {
            let start = format!("[{world:?}");
            assert!(lines.iter().any(|line| line.starts_with(&start)), "{world:?}");
        }
    }
}
