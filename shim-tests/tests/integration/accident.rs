//! The accident of February 2026, replayed: a new laptop without the state, an apply that creates
//! everything again, an old state copied in, `destroy -auto-approve`.
//!
//! Each play is a session on a laptop; what it showed stands in `docs/accident.md`. What differs from run
//! to run (ids, lineages, names) has a fixed form there.

use std::path::PathBuf;

use regex::Regex;
use serde_json::Value;
use shim_tests::pages::compare_or_accept;
use shim_tests::sandbox::NOW_VARIABLE;
use shim_tests::shim::{operations, serial, shim, with_serial};
use shim_tests::{Sandbox, Size, Transcript, stage, states};

use crate::guards::ways::{follow, ways_out};

/// The name Terraform gives a state.
const STATE: &str = "terraform.tfstate";
/// The description that is committed.
const PASSPORT: &str = ".tf-shim.passport.json";
/// The stack.
const STACK: &[&str] = &["database", "network", "web"];

/// The terminal of a person.
const WINDOW: Size = Size { columns: 90, lines: 24 };

/// A laptop: a home of its own, a clone of the repository.
struct Laptop {
    /// Where it is.
    sandbox: Sandbox,
    /// What was typed and shown.
    session: String,
}

/// The state as it was when it was last right.
fn newest() -> String {
    states::state(41, STACK)
}

/// A copy that somebody kept long ago.
fn archived() -> String {
    states::state(12, &["database", "network"])
}

impl Laptop {
    /// One with the configuration and nothing else; none where there is no Terraform.
    fn new() -> Option<Self> {
        let sandbox = Sandbox::new().with_real_terraform()?.with_variable("TF_SHIM_TALK", "1");
        sandbox.write("main.tf", stage::resources(STACK));
        Some(Self { sandbox, session: String::new() })
    }

    /// The one that the stack was built on, which has seen it all, and its passport.
    fn old() -> Option<(Self, Vec<u8>)> {
        let mut laptop = Self::new()?;
        laptop.sandbox.write(STATE, newest());
        laptop.at("2026-02-02T18:40:00Z", &["apply", "-auto-approve"]).assert_status(0);
        laptop.session.clear();
        laptop.at("2026-02-02T18:45:00Z", &["shim", "passport"]).assert_status(0);
        let passport = laptop.sandbox.read(PASSPORT);
        Some((laptop, passport))
    }

    /// A new one: a fresh clone, with the passport in it.
    fn clone_of(passport: &[u8]) -> Option<Self> {
        let laptop = Self::new()?;
        laptop.sandbox.write(PASSPORT, passport);
        Some(laptop)
    }

    /// Keeps what was typed and shown.
    fn say(&mut self, text: &str) {
        self.session.push_str(text);
    }

    /// Types a command at a time of day.
    fn at(&mut self, now: &str, args: &[&str]) -> Transcript {
        let transcript = self.sandbox.tf(args.iter().copied()).env(NOW_VARIABLE, now).run();
        let words = args.iter().filter(|word| **word != "--yes");
        let line = words.copied().collect::<Vec<_>>().join(" ");
        let shown = self.shown(&transcript);
        self.say(&format!("$ tf {line}\n{shown}"));
        transcript
    }

    /// Types a command that must be refused by that guard, before Terraform is started.
    #[track_caller]
    fn is_stopped(&mut self, args: &[&str], guard: &str) -> Vec<String> {
        let was = std::fs::read(self.sandbox.project().join(STATE)).ok();
        let call =
            || self.sandbox.tf(args.iter().copied()).env(NOW_VARIABLE, "2026-02-20T09:00:00Z");
        let transcript = call().run();
        transcript.assert_status(125);
        let text = transcript.stderr_text();
        assert!(text.contains(&format!("was refused: {guard}")), "{transcript}");
        assert!(transcript.stdout.is_empty(), "Terraform was not started: {transcript}");
        let line = text.lines().find(|line| line.starts_with('{')).unwrap();
        let line: Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["guard"], guard);
        let newest = &operations(&self.sandbox)[0];
        assert_eq!(newest["outcome"], "refused", "{newest:#}");
        assert_eq!(std::fs::read(self.sandbox.project().join(STATE)).ok(), was);
        let seen = call().env("NO_COLOR", "1").on_terminal_of(WINDOW).run();
        seen.assert_status(125);
        let screen = String::from_utf8(seen.screen.unwrap()).unwrap();
        let screen = screen.lines().map(|line| self.named(line.trim_end()) + "\n");
        let screen: String = screen.collect();
        self.say(&format!("$ tf {}\n{screen}", args.join(" ")));
        ways_out(&transcript)
    }

    /// Follows a way out that was printed.
    #[track_caller]
    fn follows(&mut self, printed: &[String], wanted: &str) {
        let way = printed.iter().find(|way| way.contains(wanted));
        let way = way.unwrap_or_else(|| panic!("no `{wanted}` among {printed:?}"));
        let transcript = follow(&self.sandbox, way);
        // What would change is shown before; here it is what was done that counts.
        let text = transcript.stdout_text() + &transcript.stderr_text();
        let done = text.lines().find(|line| line.starts_with("tf shim: ")).unwrap_or_default();
        let done = self.named(done);
        self.say(&format!("$ {way}\n{done}\n"));
    }

    /// Applies and must find nothing to do.
    #[track_caller]
    fn is_at_peace(&mut self) {
        let applied = self.at("2026-02-20T09:10:00Z", &["apply", "-auto-approve"]);
        let text = applied.assert_status(0).stdout_text();
        assert!(text.contains("0 added, 0 changed, 0 destroyed"), "{applied}");
    }

    /// Puts a state there, as `cp` does.
    fn copies(&mut self, from: &str, state: impl AsRef<[u8]>) {
        self.sandbox.write(STATE, state);
        self.say(&format!("$ cp {from} {STATE}\n"));
    }

    /// What a person saw: what we said, and the last words of Terraform.
    fn shown(&self, transcript: &Transcript) -> String {
        let colours = Regex::new("\u{1b}\\[[0-9;]*m").unwrap();
        let stdout = transcript.stdout_text();
        let stdout = colours.replace_all(&stdout, "");
        let last = stdout.lines().rfind(|line| !line.trim().is_empty());
        let ours = transcript.stderr_text();
        let ours = ours.lines().filter(|line| !line.starts_with('{'));
        let (before, after): (Vec<_>, Vec<_>) = ours.partition(|line| line.contains(" before "));
        let terraform = last.map(|last| format!("…\n{last}"));
        let lines = before.into_iter().map(str::to_owned).chain(terraform);
        let lines = lines.chain(after.into_iter().map(str::to_owned));
        lines.map(|line| self.named(&line) + "\n").collect()
    }

    /// Gives what differs from run to run a fixed form.
    fn named(&self, line: &str) -> String {
        let mut line = self.sandbox.names().apply_paths(line);
        let project = self.sandbox.project();
        line = line.replace("[PROJECT]/", "").replace(&*project.to_string_lossy(), "~/stack");
        let who = Regex::new(r"\b[\w.-]+@[\w.-]+").unwrap();
        line = who.replace_all(&line, "ana@laptop").into_owned();
        for (at, operation) in operations(&self.sandbox).iter().rev().enumerate() {
            let id = operation["id"].as_str().unwrap();
            let number = u32::try_from(at).unwrap().wrapping_mul(0x1f3b_5d71);
            let known = format!("{:08x}", number.wrapping_add(0x7c1e_9a04));
            line = line.replace(&id[..8], &known);
            for side in ["before", "after"] {
                let lineage = operation[side]["lineage"].as_str().unwrap_or(states::LINEAGE);
                if lineage != states::LINEAGE {
                    line = line.replace(&lineage[..8], "5b0d7e1c");
                }
            }
        }
        // How often Terraform writes while it creates three things is a matter of time.
        let serials = Regex::new(r"serial [1-9]\b").unwrap();
        let line = serials.replace_all(&line, "serial 4");
        let destroyed = Regex::new(r"serial 13 → \d+").unwrap();
        destroyed.replace_all(&line, "serial 13 → 17").into_owned()
    }

    /// What was shown, for the page.
    fn block(&self) -> String {
        format!("\n```console\n{}```\n\n", self.session)
    }
}

#[test]
fn a_new_laptop_is_stopped_before_it_creates_everything_again() {
    let Some((_old, passport)) = Laptop::old() else { return };
    let Some(mut laptop) = Laptop::clone_of(&passport) else { return };
    laptop.is_stopped(&["apply", "-auto-approve"], "missing-state");
    laptop.copies("/mnt/old-laptop/stack/terraform.tfstate", newest());
    laptop.is_at_peace();
    assert_eq!(laptop.sandbox.read(STATE), newest().into_bytes());
    compare_or_accept("accident.md", "new laptop", &laptop.block());
}

#[test]
fn an_old_state_that_is_copied_in_is_not_destroyed() {
    let Some((_old, passport)) = Laptop::old() else { return };
    let Some(mut laptop) = Laptop::clone_of(&passport) else { return };
    laptop.copies("/mnt/old-laptop/stack/terraform.tfstate", newest());
    laptop.is_at_peace();
    laptop.session.clear();
    laptop.copies("~/archive/terraform.tfstate", archived());
    let printed = laptop.is_stopped(&["destroy", "-auto-approve"], "older-state");
    laptop.follows(&printed, "restore @");
    let is = laptop.sandbox.read(STATE);
    assert!(with_serial(&is, 0) == with_serial(newest().as_bytes(), 0));
    laptop.is_at_peace();
    compare_or_accept("accident.md", "old state", &laptop.block());
}

#[test]
fn whoever_insists_on_an_empty_state_is_stopped_at_the_destroy() {
    let Some((_old, passport)) = Laptop::old() else { return };
    let Some(mut laptop) = Laptop::clone_of(&passport) else { return };
    let printed = laptop.is_stopped(&["apply", "-auto-approve"], "missing-state");
    laptop.session.clear();
    laptop.follows(&printed, "accept");
    laptop.at("2026-02-20T09:02:00Z", &["apply", "-auto-approve"]).assert_status(0);
    let twins = laptop.sandbox.read(STATE);
    // As it is said, the old one is of another lineage, whichever serial it has.
    laptop.copies("~/archive/terraform.tfstate", archived());
    let printed = laptop.is_stopped(&["destroy", "-auto-approve"], "foreign-state");
    laptop.follows(&printed, "restore @");
    let is = laptop.sandbox.read(STATE);
    assert!(with_serial(&is, 0) == with_serial(&twins, 0), "the twins are known again");
    let destroyed = laptop.at("2026-02-20T09:05:00Z", &["destroy", "-auto-approve"]);
    let text = destroyed.assert_status(0).stdout_text();
    assert!(text.contains("Resources: 3 destroyed"), "the twins, and nothing else: {destroyed}");
    assert!(!text.contains("id-database"), "{destroyed}");
    laptop.copies("/mnt/old-laptop/stack/terraform.tfstate", newest());
    laptop.is_at_peace();
    compare_or_accept("accident.md", "insisting", &laptop.block());
}

#[test]
fn what_plain_terraform_created_again_is_another_lineage_than_the_passport_says() {
    let Some((_old, passport)) = Laptop::old() else { return };
    let Some(mut laptop) = Laptop::clone_of(&passport) else { return };
    laptop.sandbox.terraform(["apply", "-auto-approve"]).run().assert_status(0);
    for args in [&["apply", "-auto-approve"][..], &["destroy", "-auto-approve"]] {
        laptop.is_stopped(args, "foreign-state");
    }
    laptop.copies("/mnt/old-laptop/stack/terraform.tfstate", newest());
    laptop.is_at_peace();
}

#[test]
fn the_laptop_that_has_seen_it_all_brings_the_state_back_itself() {
    let Some((mut laptop, passport)) = Laptop::old() else { return };
    assert!(!passport.is_empty());
    let good = laptop.sandbox.read(STATE);
    let project: PathBuf = laptop.sandbox.project();
    laptop.session.clear();
    // The state is lost.
    std::fs::remove_file(project.join(STATE)).unwrap();
    laptop.session += "$ git clean -fdxq\n";
    let printed = laptop.is_stopped(&["apply", "-auto-approve"], "missing-state");
    laptop.follows(&printed, "restore @");
    laptop.is_at_peace();
    // Everything is created again, by plain Terraform.
    std::fs::remove_file(project.join(STATE)).unwrap();
    laptop.sandbox.terraform(["apply", "-auto-approve"]).run().assert_status(0);
    laptop.session += "$ git clean -fdxq\n$ terraform apply -auto-approve\n…\n\
                       Apply complete! Resources: 3 added, 0 changed, 0 destroyed.\n";
    let printed = laptop.is_stopped(&["destroy", "-auto-approve"], "foreign-state");
    laptop.follows(&printed, "restore @");
    laptop.is_at_peace();
    // An old state is copied in.
    laptop.copies("~/archive/terraform.tfstate", archived());
    let printed = laptop.is_stopped(&["destroy", "-auto-approve"], "older-state");
    laptop.follows(&printed, "restore @");
    laptop.is_at_peace();
    let is = laptop.sandbox.read(STATE);
    assert!(with_serial(&is, 0) == with_serial(&good, 0));
    assert!(serial(&is) > serial(&good), "it went forward");
    compare_or_accept("accident.md", "same laptop", &laptop.block());
}

#[test]
fn a_passport_is_written_once_and_is_quiet_afterwards() {
    let Some((mut laptop, passport)) = Laptop::old() else { return };
    let text = String::from_utf8(passport.clone()).unwrap();
    assert!(text.contains(states::LINEAGE), "{text}");
    for value in STACK {
        assert!(!text.contains(value), "nothing of the state's content is in it: {text}");
    }
    laptop.sandbox.write("main.tf", stage::resources(&["database"]));
    laptop.at("2026-02-03T10:00:00Z", &["apply", "-auto-approve"]).assert_status(0);
    shim(&laptop.sandbox, ["passport"]).run().assert_status(0);
    assert_eq!(laptop.sandbox.read(PASSPORT), passport, "no noise in git");
    let named = Regex::new(r#""by": "[^"]*""#).unwrap().replace(&text, r#""by": "ana@laptop""#);
    let block = format!("\n```json\n{named}```\n\n");
    compare_or_accept("accident.md", "passport", &block);
}

#[test]
fn an_old_copy_of_the_right_lineage_is_older_than_the_passport_says() {
    let Some((_old, passport)) = Laptop::old() else { return };
    let Some(mut laptop) = Laptop::clone_of(&passport) else { return };
    laptop.copies("~/archive/terraform.tfstate", archived());
    laptop.is_stopped(&["destroy", "-auto-approve"], "older-state");
    laptop.copies("/mnt/old-laptop/stack/terraform.tfstate", newest());
    laptop.is_at_peace();
    compare_or_accept("accident.md", "archive", &laptop.block());
}
