//! `tf shim doctor`: one situation a finding, made with the real thing; the fix is run as it is shown, and
//! the finding is gone. Each look is held against the schema, and changes nothing.

mod git;
mod module;
mod store;
mod surroundings;

use std::ffi::OsString;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::Value;
use shim_tests::shim::{document, tree};
use shim_tests::{Sandbox, Scenario, Transcript, reports, stage, states};

/// The name Terraform gives a state.
const STATE: &str = "terraform.tfstate";

/// What fixes are made of.
const TOOLS: &[&str] =
    &["chmod", "cut", "find", "getent", "id", "ln", "mkdir", "mv", "rm", "sed", "sh", "cp"];

/// What doctor said.
struct Diagnosis {
    transcript: Transcript,
    document: Value,
}

/// A way to call doctor, the same before and after a fix.
struct Ward {
    sandbox: Sandbox,
    set: Vec<(&'static str, OsString)>,
    without: Vec<&'static str>,
    args: Vec<OsString>,
}

impl Ward {
    /// A sandbox in which `tf` and the tools of fixes are on `PATH`.
    fn new(sandbox: Sandbox) -> Self {
        let sandbox = sandbox.with_tools(TOOLS);
        sandbox.put_on_path("tf", &sandbox.tf_program());
        // As a home is: nobody else comes in.
        std::fs::set_permissions(sandbox.path(""), Permissions::from_mode(0o700)).unwrap();
        Self { sandbox, set: Vec::new(), without: Vec::new(), args: Vec::new() }
    }

    /// With a real Terraform and a resource that was applied through us; none without a Terraform.
    fn applied() -> Option<Self> {
        let ward = Self::new(Sandbox::new().with_real_terraform()?);
        ward.sandbox.write("main.tf", stage::resources(&["a"]));
        ward.sandbox.tf(["apply", "-auto-approve"]).run().assert_status(0);
        Some(ward)
    }

    fn with(mut self, name: &'static str, value: impl Into<OsString>) -> Self {
        self.set.push((name, value.into()));
        self
    }

    fn without(mut self, name: &'static str) -> Self {
        self.without.push(name);
        self
    }

    fn asking(mut self, args: &[&str]) -> Self {
        self.args.extend(args.iter().map(OsString::from));
        self
    }

    /// Calls doctor and sees that nothing was made, changed or removed.
    #[track_caller]
    fn look(&self) -> Diagnosis {
        let top = self.sandbox.path("");
        let was = tree(&top);
        let diagnosis = self.look_behind("");
        let is = tree(&top);
        let is_log = |path: &Path| path.ends_with("calls.jsonl");
        let differs = is.iter().filter(|(path, entry)| was.get(*path) != Some(entry));
        let differs: Vec<_> = differs.map(|(path, _)| path).filter(|path| !is_log(path)).collect();
        let gone: Vec<_> = was.keys().filter(|path| !is.contains_key(*path)).collect();
        assert!(
            differs.is_empty() && gone.is_empty(),
            "{differs:?} {gone:?}\n{}",
            diagnosis.transcript
        );
        diagnosis
    }

    /// Runs lines in a shell, and then doctor in the same.
    #[track_caller]
    fn look_behind(&self, lines: &str) -> Diagnosis {
        // A fix that changes PATH must not change which program this test calls.
        let script = format!("{lines}\nexec \"$0\" \"$@\"");
        let tf = self.sandbox.path("names/tf");
        let args = ["-c".into(), script.into(), tf.into_os_string(), "shim".into()];
        let args = args.into_iter().chain(["doctor".into(), "--json".into()]);
        let shell = self.sandbox.path("tools/sh");
        let call = self.sandbox.program(&shell, args.chain(self.args.iter().cloned()));
        let call = self.set.iter().fold(call, |call, (name, value)| call.env(name, value));
        let call = self.without.iter().fold(call, |call, name| call.env_remove(name));
        let transcript = call.run();
        let text = transcript.stdout_text();
        let at = text.find("{\n").unwrap_or_else(|| panic!("no document\n{transcript}"));
        reports::validate_doctor_json(&text[at..]);
        let document: Value = serde_json::from_str(&text[at..]).unwrap();
        let is_healthy = document["problems"] == 0;
        assert_eq!(document["healthy"], is_healthy);
        transcript.assert_status(i32::from(!is_healthy));
        Diagnosis { transcript, document }
    }

    /// Sees a finding that says all of this, runs its fix, and sees it gone.
    #[track_caller]
    fn cures(&self, id: &str, says: &[&str]) -> Diagnosis {
        let found = self.look();
        let fix = found.fix(id, says);
        let after = self.look_behind(&fix);
        assert!(!after.has(id), "`{fix}` did not help: {}", after.transcript);
        after
    }
}

impl Diagnosis {
    fn ids(&self) -> Vec<&str> {
        let findings = self.document["findings"].as_array().unwrap();
        findings.iter().map(|finding| finding["id"].as_str().unwrap()).collect()
    }

    fn has(&self, id: &str) -> bool {
        self.ids().contains(&id)
    }

    /// The finding of that name, which says all of this.
    #[track_caller]
    fn finding(&self, id: &str, says: &[&str]) -> &Value {
        let findings = self.document["findings"].as_array().unwrap();
        let found = findings.iter().find(|finding| finding["id"] == id);
        let found = found.unwrap_or_else(|| panic!("no `{id}`:\n{}", self.transcript));
        let what = found["what"].as_str().unwrap();
        for part in says {
            assert!(what.contains(part), "`{part}` is not in `{what}`");
        }
        found
    }

    #[track_caller]
    fn fix(&self, id: &str, says: &[&str]) -> String {
        let finding = self.finding(id, says);
        finding["fix"].as_str().unwrap_or_else(|| panic!("no fix: {finding:#}")).to_owned()
    }

    #[track_caller]
    fn advice(&self, id: &str, says: &[&str]) -> String {
        let finding = self.finding(id, says);
        finding["advice"].as_str().unwrap_or_else(|| panic!("no advice: {finding:#}")).to_owned()
    }
}

/// The sandbox may lie on a tmpfs, which is then rightly found.
fn except_for_the_stage(diagnosis: &Diagnosis) -> Vec<&str> {
    diagnosis.ids().into_iter().filter(|id| *id != "store-volatile").collect()
}

#[test]
fn a_healthy_set_up_has_no_finding() {
    let Some(ward) = Ward::applied() else { return };
    let Some(sandbox) = ward.sandbox.with_git() else { return };
    let ward = Ward { sandbox, ..ward };
    ward.sandbox.write(".gitignore", "*.tfstate\n*.tfstate.*\n.terraform/\n");
    let healthy = ward.look();
    assert_eq!(except_for_the_stage(&healthy), [""; 0], "{}", healthy.transcript);
    assert!(healthy.transcript.stderr.is_empty(), "{}", healthy.transcript);
    let facts = &healthy.document["facts"];
    assert_eq!(facts["product"], "Terraform");
    assert!(facts["version"].as_str().unwrap().starts_with(|c: char| c.is_ascii_digit()));
    assert_eq!((&facts["now"]["resources"], &facts["store"]["operations"]), (&1.into(), &1.into()));
    assert_eq!(facts["store"]["last_verified"], Value::Null);
    assert_eq!(facts["path"][0]["kind"], "tf");
    let text = ward.sandbox.tf(["shim", "doctor"]).run();
    assert!(
        text.stdout_text().ends_with("nothing to mend\n") || healthy.has("store-volatile"),
        "{text}"
    );
}

#[test]
fn where_there_is_nothing_at_all_everything_else_is_still_told() {
    let ward = Ward::new(Sandbox::new()).without("HOME").with("TF_CLI_ARGS", "'");
    std::fs::create_dir_all(ward.sandbox.project().join(".terraform")).unwrap();
    ward.sandbox.write(".terraform/terraform.tfstate", "nonsense");
    ward.sandbox.write(".tf-shim.toml", "x");
    let found = ward.look();
    let ids = ["real-missing", "no-home", "configuration", "cli-args", "backend-record"];
    for id in ids {
        found.finding(id, &[]);
    }
    assert_eq!(found.document["state"], Value::Null);
    assert_eq!(found.document["facts"]["store"], Value::Null);
    let text = ward.sandbox.tf(["shim", "doctor"]).env_remove("HOME").run();
    text.assert_status(1);
    let nowhere = ward.sandbox.tf(["-chdir=nowhere", "shim", "doctor"]).run();
    nowhere.assert_status(1);
    assert!(nowhere.stderr_text().contains("nowhere"), "{nowhere}");
    let shell = ward.sandbox.path("tools/sh");
    let script = "cd ../gone && rmdir ../gone && exec \"$0\" shim doctor";
    let tf = ward.sandbox.path("names/tf");
    std::fs::create_dir(ward.sandbox.path("gone")).unwrap();
    let rmdir = shim_tests::programs::on_path("rmdir").unwrap();
    ward.sandbox.put_on_path("rmdir", &rmdir);
    let path = std::env::join_paths([ward.sandbox.bin()]).unwrap();
    let args: [OsString; 3] = ["-c".into(), script.into(), tf.into_os_string()];
    let gone = ward.sandbox.program(&shell, args).env("PATH", path).run();
    gone.assert_status(1);
    assert!(gone.stderr_text().contains("the working directory is gone"), "{gone}");
}

#[test]
fn notes_alone_are_no_alarm() {
    let ward = Ward::new(Sandbox::new().with_fake(Scenario::terraform()));
    let ward = ward.with("TF_SHIM_TALKATIVE", "1");
    let found = ward.look();
    found.finding("unknown-variable", &["TF_SHIM_TALKATIVE"]);
    if !found.has("store-volatile") {
        assert_eq!(found.transcript.status(), Some(0));
        assert_eq!((&found.document["problems"], &found.document["notes"]), (&0.into(), &1.into()));
    }
}

#[test]
fn other_states_and_directories_can_be_meant() {
    let Some(ward) = Ward::applied() else { return };
    ward.sandbox.write("other.tfstate", states::state(7, &["x", "y"]));
    let other = ward.asking(&["--state", "other.tfstate"]).look();
    assert_eq!(other.document["facts"]["now"]["resources"], 2);
    let Some(ward) = Ward::applied() else { return };
    std::fs::remove_file(ward.sandbox.project().join(STATE)).unwrap();
    let call = ["-chdir=../project", "shim", "doctor", "--json"];
    let there = document(&ward.sandbox.tf(call).in_directory("../home").run());
    assert_eq!(there["findings"][0]["fix"], "tf -chdir=../project shim restore @");
}

#[test]
fn what_is_secret_is_never_shown() {
    let ward = Ward::new(Sandbox::new());
    ward.sandbox
        .write_at(&ward.sandbox.home().join(".bashrc"), "alias tf='TOKEN=canary terraform'\n");
    ward.sandbox.write(
        ".terraform/terraform.tfstate",
        r#"{"version":3,"backend":{"type":"http","config":{"address":"http://u:canary@h/s?canary","password":"canary"}}}"#,
    );
    ward.sandbox.write("main.tf", "# canary\n");
    ward.sandbox.write("errored.tfstate", states::state(7, &["canary"]));
    ward.sandbox.write_at(&ward.sandbox.config(), "stroe = \"canary\"\n");
    let ward = ward
        .with("TF_CLI_ARGS_apply", "-var token=canary -lock=false")
        .with("TF_CLI_ARGS_plan", "-var token=canary '")
        .with("TF_SHIM_SOMETHING", "canary")
        .with("TF_VAR_x", "canary");
    let found = ward.look();
    for id in ["alias", "no-locking", "lock-off", "cli-args", "configuration", "errored-state"] {
        found.finding(id, &[]);
    }
    let text = ward
        .set
        .iter()
        .fold(ward.sandbox.tf(["shim", "doctor"]), |call, (name, value)| call.env(name, value));
    for shown in [&found.transcript, &text.run()] {
        let all = shown.stdout_text() + &shown.stderr_text();
        assert!(!all.contains("canary"), "{shown}");
    }
}
