//! Where the cells of the table are tried: a recorded history, set up once and put back for each.

use std::path::Path;

use nix::unistd::Uid;
use serde_json::Value;
use shim_tests::history::sha256;
use shim_tests::programs::on_path;
use shim_tests::shim::{document, serial, shim, with_serial};
use shim_tests::{Invocation, Sandbox, Scenario, Transcript, stage};

use super::contract::{Answer, Asks};
use super::states::Odd;
use super::verbs::Verb;

/// The name Terraform gives a state.
pub(crate) const STATE: &str = "terraform.tfstate";

/// Address space that `tf` may have where it does not start Terraform, KiB.
const ROOM: usize = 300 * 1024;

/// A stage that can be put back as it was.
pub(crate) struct Scene {
    /// Where it is.
    pub(crate) sandbox: Sandbox,
}

impl Scene {
    /// Applies two resources twice, in two workspaces; none where there is no Terraform.
    pub(crate) fn set() -> Option<Self> {
        let sandbox = Sandbox::new().with_fake(Scenario::new()).with_real_terraform()?;
        let real = sandbox.bin().join("terraform").canonicalize().unwrap();
        let script = format!(
            "printf '%s\\n' \"$*\" >> '{}'\nexec '{}' \"$@\"",
            sandbox.path("started").display(),
            real.display(),
        );
        sandbox.write_script(&sandbox.path("logged"), &script);
        let run = |args: &[&str]| {
            sandbox.tf(args.iter().copied()).run().assert_status(0);
        };
        let change = |b: &str| {
            let text = stage::resource("a", "a") + &stage::resource("b", b);
            sandbox.write("main.tf", text);
            run(&["apply", "-auto-approve"]);
        };
        change("b");
        change("c");
        run(&["workspace", "new", "w"]);
        run(&["apply", "-auto-approve"]);
        run(&["apply", "-auto-approve", "-replace=terraform_data.b"]);
        run(&["workspace", "select", "default"]);
        let good = sandbox.read(STATE);
        assert!(serial(&good) >= 3, "{}", String::from_utf8_lossy(&good));
        sandbox.write("push.tfstate", with_serial(&good, serial(&good) + 1));
        sandbox.write("main.tf", stage::resources(&["a", "b", "c"]));
        sandbox.terraform(["plan", "-out=saved.plan"]).run().assert_status(0);
        std::fs::create_dir(sandbox.path("kept")).unwrap();
        let scene = Self { sandbox };
        scene.copy("", "kept");
        scene.play_for_real();
        Some(scene)
    }

    /// Copies project and home from one place below the root to another.
    fn copy(&self, from: &str, to: &str) {
        let place = |top: &str, name: &str| self.sandbox.path(top).join(name).into_os_string();
        let args = ["-a".into(), place(from, "project"), place(from, "home"), place(to, "")];
        let copy = self.sandbox.program(Path::new("/bin/cp"), args);
        copy.in_directory(self.sandbox.path("")).run().assert_status(0);
    }

    /// Puts everything back as it was.
    pub(crate) fn reset(&self) {
        for name in ["project", "home"] {
            std::fs::remove_dir_all(self.sandbox.path(name)).unwrap();
        }
        self.copy("kept", "");
        self.forget();
    }

    /// Lets a real Terraform come when it is called, and be noted.
    pub(crate) fn play_for_real(&self) {
        self.sandbox.put_on_path("terraform", &self.sandbox.path("logged"));
    }

    /// Lets one come that is noted and does nothing.
    pub(crate) fn play_dead(&self) {
        let idle = self.sandbox.path("idle");
        if !idle.exists() {
            let log = self.sandbox.path("started");
            self.sandbox
                .write_script(&idle, &format!("printf '%s\\n' \"$*\" >> '{}'", log.display()));
        }
        self.sandbox.put_on_path("terraform", &idle);
    }

    /// Forgets what was started so far.
    pub(crate) fn forget(&self) {
        self.sandbox.write_at(&self.sandbox.path("started"), "");
    }

    /// Whether Terraform was started for that.
    pub(crate) fn has_started(&self, args: &[&str]) -> bool {
        let log = std::fs::read_to_string(self.sandbox.path("started")).unwrap();
        log.lines().any(|line| line == args.join(" "))
    }

    /// Prepares a call of `tf` without the powers of root over other people's modes.
    pub(crate) fn call(&self, odd: &Odd, verb: &Verb, room: Option<usize>) -> Invocation<'_> {
        let mut words = Vec::new();
        if odd.stops_only_the_powerless && Uid::effective().is_root() {
            let setpriv = on_path("setpriv").unwrap();
            let setpriv = setpriv.to_string_lossy().into_owned();
            words.extend([setpriv, "--bounding-set=-all".into(), "--inh-caps=-all".into()]);
        }
        words.push(self.sandbox.path("names/tf").to_string_lossy().into_owned());
        words.extend(verb.args.iter().map(|&word| word.to_owned()));
        let limit = room.map_or_else(String::new, |room| format!("ulimit -v {room} && "));
        let script = format!("{limit}exec \"$@\"");
        let args = ["-c".to_owned(), script, "sh".to_owned()].into_iter().chain(words);
        let call = self.sandbox.program(Path::new("/bin/sh"), args);
        odd.variable.map_or(call.clone(), |variable| call.env(variable, "1"))
    }

    /// Tries one cell and says what happened.
    pub(crate) fn try_cell(&self, odd: &Odd, verb: &Verb, is_to_pass: bool) -> Answer {
        self.reset();
        verb.prepare(&self.sandbox);
        let path = self.sandbox.project().join(verb.state());
        odd.put(&self.sandbox, &path);
        let known = self.operations(verb).len();
        let was = std::fs::symlink_metadata(&path).ok().map(|meta| (meta.len(), meta.file_type()));
        let room = (!is_to_pass).then_some(ROOM);
        let transcript = self.call(odd, verb, room).run();
        let answer = self.answer(verb, &transcript);
        let is = std::fs::symlink_metadata(&path).ok().map(|meta| (meta.len(), meta.file_type()));
        if answer != Answer::Passed && was != is {
            return Answer::Wrong(format!("the state was touched: {transcript}"));
        }
        let operations = self.operations(verb);
        let newest = operations.first().cloned().unwrap_or_default();
        let is_recorded = newest["outcome"] == "refused" && operations.len() > known;
        match &answer {
            // There is no state to record it with.
            Answer::Refused(_) if verb.asks == Asks::NothingAndTouchesNone => answer,
            Answer::Refused(guard) => {
                let notes = newest["guards"].as_array().cloned().unwrap_or_default();
                let names = |note: &Value| note["guard"] == **guard && note["action"] == "refused";
                // What was found is saved before anybody is asked.
                let bytes = std::fs::read(&path).unwrap_or_default();
                let is_saved = bytes.is_empty() || newest["before"]["sha256"] == sha256(&bytes);
                let has_note = notes.iter().any(names) && newest["after"].is_null();
                if is_recorded && has_note && is_saved {
                    return answer;
                }
                Answer::Wrong(format!("refused by {guard}, recorded as {newest:#}"))
            }
            Answer::Passed | Answer::Unsaved if is_recorded => {
                Answer::Wrong(format!("recorded as refused: {transcript}"))
            }
            Answer::Passed | Answer::Unsaved | Answer::Wrong(_) => answer,
        }
    }

    /// The operations on the state that a command is about, newest first.
    pub(crate) fn operations(&self, verb: &Verb) -> Vec<Value> {
        let list = shim(&self.sandbox, ["list", "--json", "--workspace", verb.workspace]).run();
        // Where nothing can be asked for, nothing is recorded.
        if list.status() != Some(0) {
            return Vec::new();
        }
        document(&list)["operations"].as_array().unwrap().clone()
    }

    /// What a command was answered.
    fn answer(&self, verb: &Verb, transcript: &Transcript) -> Answer {
        let guards = refusals(transcript);
        let has_started = self.has_started(verb.args);
        match (transcript.status(), has_started, guards.as_slice()) {
            (Some(125), false, [guard]) => Answer::Refused(guard.clone()),
            (Some(125), false, []) if transcript.stderr_text().starts_with("tf shim: ") => {
                Answer::Unsaved
            }
            (Some(status), true, []) if status < 125 => Answer::Passed,
            _ => Answer::Wrong(format!("started: {has_started}, guards {guards:?}: {transcript}")),
        }
    }
}

/// The guards that the lines for programs name.
pub(crate) fn refusals(transcript: &Transcript) -> Vec<String> {
    let text = transcript.stderr_text();
    let lines = text.lines().filter(|line| line.starts_with("{\"tf_shim\":\"refused\""));
    lines
        .map(|line| {
            let line: Value = serde_json::from_str(line).unwrap();
            line["guard"].as_str().unwrap().to_owned()
        })
        .collect()
}
