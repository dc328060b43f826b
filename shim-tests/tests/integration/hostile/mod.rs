//! Nothing in a repository can make us run a program, write outside the store and the state, hang, eat
//! memory, or steer a terminal.
//!
//! Each tree is what somebody may have checked out: files of every name that we or a program like us might
//! read, and files of odd kinds where Terraform keeps its own. In each, our commands run under `strace`, and
//! what they do is compared with what plain Terraform does in the same tree.
//!
//! In every tree programs named `terraform`, `tofu` and `git` lie about, and `PATH` has empty and relative
//! entries.

mod links;
mod project_files;
mod records;
mod strangers;

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use shim_tests::strace::{self, Deeds, Traced};
use shim_tests::{End, Sandbox, programs, stage};

/// Memory for the data of one process; Terraform needs about a fifth of it.
const MEMORY: u64 = 300 << 20;
/// Longer than any command takes that does not wait for something.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a command may take that Terraform has been seen to wait in for ever.
const SHORT_PATIENCE: Duration = Duration::from_secs(4);

/// What becomes of an apply in a tree.
#[derive(Clone, Copy, Debug)]
enum Apply {
    /// It ends as Terraform's does.
    AsTerraform,
    /// It is refused, and says this.
    Refused(&'static str),
    /// Either: it is refused where Terraform would go on, or end with an error of its own.
    Either,
    /// Terraform waits for ever, or reads without end; it is refused, or left to that.
    Waits,
}

/// One tree, and what becomes of an apply in it.
#[derive(Clone, Copy)]
struct Tree {
    /// What is odd about it.
    name: &'static str,
    /// Lays it out.
    set: fn(&Sandbox),
    /// What becomes of an apply.
    apply: Apply,
}

/// The commands of ours that only look, and what follows `tf` in them.
const LOOKS: &[&[&str]] = &[
    &["shim"],
    &["shim", "list"],
    &["shim", "doctor"],
    &["shim", "which", "--", "apply"],
    &["shim", "check", "--plan-only"],
];
/// As Terraform's own commands are called.
const PLAN: &[&str] = &["plan", "-input=false", "-no-color"];
const APPLY: &[&str] = &["apply", "-input=false", "-auto-approve", "-no-color"];

/// Runs everything in every one of these trees.
#[track_caller]
fn visit(trees: &[Tree]) {
    for tree in trees {
        let (Some(theirs), Some(ours)) = (set(tree), set(tree)) else { return };
        let real = programs::real_terraform().unwrap();
        let traced = |sandbox: &Sandbox, program: &Path, words: &[&str], patience| {
            let line: Vec<OsString> = std::iter::once(program.as_os_str().to_owned())
                .chain(words.iter().map(OsString::from))
                .collect();
            strace::run(sandbox, path_of(sandbox), &line, (MEMORY, patience))
        };
        let waits = matches!(tree.apply, Apply::Waits);
        let patience = if waits { SHORT_PATIENCE } else { PATIENCE };
        let Some(plan) = traced(&theirs, &real, PLAN, patience) else { return };
        let us = ours.path("names/tf");
        for words in LOOKS {
            let is_planning = words.contains(&"check");
            let patience = if is_planning { patience } else { PATIENCE };
            let seen = traced(&ours, &us, words, patience).unwrap();
            Judge { tree, words, seen: &seen }.looked(is_planning.then_some(&plan));
        }
        let seen = traced(&ours, &us, PLAN, patience).unwrap();
        Judge { tree, words: PLAN, seen: &seen }.forwarded(&plan);
        let apply = traced(&theirs, &real, APPLY, patience).unwrap();
        let seen = traced(&ours, &us, APPLY, patience).unwrap();
        Judge { tree, words: APPLY, seen: &seen }.applied(&apply);
        // With a history there is more to look at.
        for words in &LOOKS[..3] {
            let seen = traced(&ours, &us, words, PATIENCE).unwrap();
            Judge { tree, words, seen: &seen }.looked(None);
        }
        assert!(!ours.path("pwned").exists(), "{}: a program of the tree ran", tree.name);
    }
}

/// Lays a tree out; none without a real Terraform.
fn set(tree: &Tree) -> Option<Sandbox> {
    let sandbox = Sandbox::new().with_real_terraform()?;
    if let Some(git) = programs::on_path("git") {
        sandbox.put_on_path("git", &git);
    }
    sandbox.write("main.tf", stage::resources(&["a"]));
    let mark = format!("echo \"$0\" >> {}", sandbox.path("pwned").display());
    for name in ["terraform", "tofu", "git", "bin/terraform", "bin/tofu", "bin/git", "evil"] {
        sandbox.write_script(&sandbox.project().join(name), &mark);
    }
    std::fs::create_dir(sandbox.path("outside")).unwrap();
    (tree.set)(&sandbox);
    Some(sandbox)
}

/// What nobody should have: the directory itself, by two names, and one of the tree, before the real ones.
fn path_of(sandbox: &Sandbox) -> OsString {
    let mut path = OsString::from(":.:bin:./bin:");
    path.push(sandbox.bin());
    path.push(":");
    path
}

/// Compares what one command did with what it may do.
struct Judge<'a> {
    tree: &'a Tree,
    words: &'a [&'a str],
    seen: &'a Traced,
}

impl Judge<'_> {
    /// A command that only looks; a check may do what a plan does.
    #[track_caller]
    fn looked(&self, plan: Option<&Traced>) {
        if plan.is_none() || !self.waits() {
            self.ended();
        }
        self.did_no_more_than(plan.map_or(&Deeds::default(), |plan| &plan.deeds));
        let said = [&self.seen.transcript.stdout[..], &self.seen.transcript.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        let is_treacherous = |c: char| {
            (c.is_control() && c != '\n')
                || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
        };
        assert!(!said.contains(is_treacherous), "{}", self.told());
        let forged = said.lines().any(|line| line.starts_with("tf shim: forged"));
        assert!(!forged, "{}", self.told());
    }

    /// A command that Terraform takes over.
    #[track_caller]
    fn forwarded(&self, plain: &Traced) {
        if !self.waits() {
            assert_eq!(self.seen.transcript.end, plain.transcript.end, "{}", self.told());
        }
        self.did_no_more_than(&plain.deeds);
    }

    /// An apply.
    #[track_caller]
    fn applied(&self, plain: &Traced) {
        self.did_no_more_than(&plain.deeds);
        let is_refused = self.seen.transcript.end == End::Status(125);
        let is_same = !self.seen.was_killed && self.seen.transcript.end == plain.transcript.end;
        match self.tree.apply {
            Apply::AsTerraform => assert!(is_same, "as plain Terraform: {}", self.told()),
            Apply::Either => assert!(is_same || is_refused, "{}", self.told()),
            Apply::Waits => {}
            Apply::Refused(why) => {
                let said = self.seen.transcript.stderr_text();
                let said = self.seen.transcript.names.apply_paths(&said);
                assert!(is_refused && said.contains(why), "expected {why}: {}", self.told());
                assert!(!said.contains('\u{1b}'), "{}", self.told());
                let programs = &self.seen.deeds.programs;
                assert!(!programs.contains("[BIN]/terraform"), "nothing ran: {}", self.told());
            }
        }
    }

    /// Whether Terraform does not come to an end here.
    fn waits(&self) -> bool {
        matches!(self.tree.apply, Apply::Waits)
    }

    /// It came to an end by itself, with a status and without a panic.
    #[track_caller]
    fn ended(&self) {
        assert!(!self.seen.was_killed, "it hangs: {}", self.told());
        let is_crash = matches!(self.seen.transcript.end, End::Signal(_) | End::Status(101 | 134));
        assert!(!is_crash, "it crashed: {}", self.told());
        let said = self.seen.transcript.stderr_text();
        assert!(!said.contains("panicked") && !said.contains("allocation"), "{}", self.told());
    }

    /// Beyond what plain Terraform does: the store, our own scratch, ourselves, the real Terraform and git.
    #[track_caller]
    fn did_no_more_than(&self, plain: &Deeds) {
        let Deeds { programs, connections, written } = &self.seen.deeds;
        let real = programs::real_terraform().unwrap().canonicalize().unwrap();
        let is_program = |program: &str| {
            let known = ["[ROOT]/names/tf", "[BIN]/terraform", "[BIN]/git"];
            known.contains(&program) || Path::new(program) == real || is_us(program)
        };
        let odd: Vec<_> =
            programs.difference(&plain.programs).filter(|program| !is_program(program)).collect();
        assert!(odd.is_empty(), "programs: {odd:?}\n{}", self.told());
        // The C library asks for names of users there.
        let is_names = |whom: &str| whom.contains("/var/run/nscd/socket");
        let odd: Vec<_> =
            connections.difference(&plain.connections).filter(|whom| !is_names(whom)).collect();
        assert!(odd.is_empty(), "connections: {odd:?}\n{}", self.told());
        let is_ours = |path: &str| {
            let places = ["[STORE]/", "[ROOT]/tmp/", "/proc/self/", "/dev/null", "/dev/tty"];
            let parents = ["[STORE]", "[HOME]/.local", "[HOME]/.local/state"];
            places.iter().any(|place| path.starts_with(place)) || parents.contains(&path)
        };
        let odd: Vec<_> = written.difference(&plain.written).filter(|p| !is_ours(p)).collect();
        assert!(odd.is_empty(), "written: {odd:?}\n{}", self.told());
    }

    fn told(&self) -> String {
        format!("{}, {:?}\n{}", self.tree.name, self.words, self.seen.transcript)
    }
}

/// Whether a program is the one under test, by its own name.
fn is_us(program: &str) -> bool {
    Path::new(program).file_name().is_some_and(|name| name == "tf-under-test")
        || program == "/proc/self/exe"
}
