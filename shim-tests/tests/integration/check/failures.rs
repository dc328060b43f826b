//! What can fail: Terraform itself, its provider, the disk. No verdict, no trace of a plan, and Terraform's
//! own words.

use std::path::Path;
use std::process::Command;

use shim_tests::provider::Step;
use shim_tests::shim::operations;
use shim_tests::wait_until;

use super::{Checked, Stage, text};

/// Fails unless a check has no verdict because of a step, and quotes Terraform.
#[track_caller]
fn assert_no_verdict(checked: &Checked, step: &str, said: &str) {
    let Checked { transcript, answer } = checked;
    transcript.assert_status(4);
    assert_eq!(answer["verdict"], "error", "{transcript}");
    let end = (&answer["end"]["how"], &answer["end"]["step"]);
    assert_eq!((text(end.0), text(end.1)), ("failed", step), "{transcript}");
    assert!(transcript.stderr_text().contains(said), "{said}: {transcript}");
}

mod terraform {
    use super::*;

    #[test]
    fn a_configuration_that_cannot_be_read_is_terraforms_own_error() {
        let Some(stage) = Stage::set("resource \"fake_thing\" {\n") else { return };
        let checked = stage.check(&[]);
        assert_no_verdict(&checked, "plan0", "Error: ");
        assert_eq!(checked.steps(), ["plan0"]);
        assert!(text(&checked.answer["end"]["message"]).starts_with("Error: "), "{checked:?}");
        assert!(!stage.sandbox.store().exists() || operations(&stage.sandbox).is_empty());
    }

    #[test]
    fn a_variable_without_a_value_is_terraforms_own_error() {
        let Some(stage) = Stage::set("variable \"region\" {}\n") else { return };
        assert_no_verdict(&stage.check(&[]), "plan0", "No value for required variable");
        assert_no_verdict(
            &stage.check(&["--plan-only"]),
            "plan0",
            "No value for required variable",
        );
    }

    #[test]
    fn a_directory_that_is_not_initialised_is_terraforms_own_error() {
        let configuration = "module \"m\" {\n  source = \"./m\"\n}\n";
        let Some(stage) = Stage::set(configuration) else { return };
        stage.sandbox.write("m/main.tf", "");
        assert_no_verdict(&stage.check(&[]), "plan0", "terraform init");
    }

    #[test]
    fn an_apply_that_fails_leaves_no_verdict_and_is_recorded() {
        let configuration = r#"resource "fake_thing" "a" {}
resource "fake_failing" "f" {
  fails      = "create"
  depends_on = [fake_thing.a]
}
"#;
        let Some(stage) = Stage::set(configuration) else { return };
        let checked = stage.check(&[]);
        assert_no_verdict(&checked, "apply", "fake_failing: Create failed");
        let recorded = operations(&stage.sandbox);
        assert_eq!(recorded.len(), 1);
        assert_eq!(recorded[0]["outcome"], "failed", "{recorded:#?}");
        assert_eq!(recorded[0]["after"]["resources"], 1, "{recorded:#?}");
    }

    #[test]
    fn an_apply_that_fails_half_way_says_what_it_left_tainted() {
        let configuration = "resource \"fake_failing\" \"f\" {\n  fails = \"halfway\"\n}\n";
        let Some(stage) = Stage::set(configuration) else { return };
        assert_no_verdict(&stage.check(&[]), "apply", "fake_failing: Create failed");
        let findings = ["pending fake_failing.f - tainted main.tf:1"];
        stage.check(&["--plan-only"]).assert("not-idempotent", &findings);
    }

    #[test]
    fn a_plan_that_fails_after_the_apply_leaves_no_verdict() {
        let configuration = "resource \"fake_failing\" \"f\" {\n  fails = \"read\"\n}\n";
        let Some(stage) = Stage::set(configuration) else { return };
        let checked = stage.check(&[]);
        assert_no_verdict(&checked, "B", "fake_failing: Read failed");
        assert_eq!(checked.steps(), ["plan0", "apply", "A", "B"]);
    }

    #[test]
    fn a_provider_that_crashes_leaves_no_verdict() {
        for (fails, step) in [("crash-plan", "plan0"), ("crash", "apply"), ("crash-read", "B")] {
            let configuration =
                format!("resource \"fake_failing\" \"f\" {{\n  fails = \"{fails}\"\n}}\n");
            let Some(stage) = Stage::set(&configuration) else { return };
            assert_no_verdict(&stage.check(&[]), step, "Plugin did not respond");
            // What is made by then is read, and read again.
            if step != "B" {
                stage.configure("resource \"fake_thing\" \"a\" {}\n");
                assert_eq!(stage.check(&[]).answer["verdict"], "idempotent");
            }
        }
    }

    #[test]
    fn a_condition_that_fails_after_the_apply_leaves_no_verdict() {
        let configuration = r#"resource "fake_restless" "a" {
  value = "v"
  lifecycle {
    ignore_changes = [value]
    postcondition {
      condition     = self.value == "v"
      error_message = "not what it was"
    }
  }
}
"#;
        let Some(stage) = Stage::set(configuration) else { return };
        assert_no_verdict(&stage.check(&[]), "B", "not what it was");
    }

    #[test]
    fn a_directory_without_a_configuration_is_terraforms_own_error() {
        let Some(stage) = Stage::set("") else { return };
        for name in ["main.tf", "versions.tf"] {
            std::fs::remove_file(stage.sandbox.project().join(name)).unwrap();
        }
        assert_no_verdict(&stage.check(&[]), "plan0", "No configuration files");
    }

    #[test]
    fn a_directory_that_is_not_there_is_named() {
        let Some(stage) = Stage::set("") else { return };
        let line = stage.sandbox.tf(["-chdir=nowhere", "shim", "check", "--yes", "--json"]);
        let checked = stage.checked(line.run());
        assert_eq!(checked.answer["verdict"], "error", "{}", checked.transcript);
        assert!(![Some(0), Some(2)].contains(&checked.transcript.status()), "{checked:?}");
        assert!(checked.transcript.stderr_text().contains("nowhere"), "{}", checked.transcript);
        assert!(checked.steps().is_empty());
    }

    #[test]
    fn a_terraform_that_is_not_there_is_127() {
        let Some(stage) = Stage::set("") else { return };
        std::fs::remove_file(stage.sandbox.bin().join("terraform")).unwrap();
        let checked = stage.check(&[]);
        checked.transcript.assert_status(127);
        assert_eq!(checked.answer["verdict"], "error");
    }
}

mod the_lock {
    use super::*;

    #[test]
    fn a_state_that_somebody_has_locked_leaves_no_verdict() {
        let Some(stage) = Stage::set("resource \"fake_thing\" \"a\" {}\n") else { return };
        stage.cloud().hold(Step::Create);
        let other = stage.sandbox.terraform(["apply", "-auto-approve"]).start();
        stage.wait_for(Step::Create, "fake_thing", 1);
        assert_no_verdict(&stage.check(&[]), "plan0", "Error acquiring the state lock");
        stage.cloud().release(Step::Create);
        other.finish().assert_status(0);
    }

    #[test]
    fn a_lock_is_waited_for_as_long_as_it_is_said() {
        let Some(stage) = Stage::set("resource \"fake_thing\" \"a\" {}\n") else { return };
        stage.cloud().hold(Step::Create);
        let other = stage.sandbox.terraform(["apply", "-auto-approve"]).start();
        stage.wait_for(Step::Create, "fake_thing", 1);
        let line = stage.prepare(&[]).env("TF_CLI_ARGS_plan", "-lock-timeout=60s");
        let running = line.start();
        wait_until("the plan that waits", || names_of_plans(&stage) == 1);
        stage.cloud().release(Step::Create);
        other.finish().assert_status(0);
        let checked = stage.checked(running.finish());
        checked.assert("idempotent", &[]);
        assert_eq!(checked.steps(), ["plan0"]);
    }

    /// Counts the private directories of checks that are at work.
    fn names_of_plans(stage: &Stage) -> usize {
        stage.left_behind().len()
    }
}

mod the_disk {
    use super::*;

    #[test]
    fn a_report_that_cannot_be_written_does_not_keep_back_the_others() {
        let Some(stage) = Stage::set("resource \"fake_thing\" \"a\" {}\n") else { return };
        let checked =
            stage.check(&["--report", "json=/dev/full", "--report", "junit=out/check.xml"]);
        assert_eq!(checked.answer["verdict"], "idempotent");
        checked.transcript.assert_status(1);
        let stderr = checked.transcript.stderr_text();
        assert!(stderr.contains("/dev/full"), "{stderr}");
        assert!(stage.sandbox.has("out/check.xml"));
    }

    #[test]
    fn a_report_that_cannot_be_made_is_found_out_before_anything_is_applied() {
        for more in [["--report", "html=file/check.html"], ["--evidence", "file"]] {
            let Some(stage) = Stage::set("resource \"fake_thing\" \"a\" {}\n") else { return };
            stage.sandbox.write("file", "");
            let checked = stage.check(&more);
            checked.transcript.assert_status(4);
            assert_eq!(checked.answer["end"]["how"], "not-started");
            assert!(checked.transcript.stderr_text().contains("`file"), "{}", checked.transcript);
            assert!(stage.cloud().objects().is_empty());
        }
    }

    #[test]
    fn a_report_that_cannot_be_written_does_not_hide_the_verdict() {
        let configuration = "resource \"terraform_data\" \"a\" {\n  input = uuid()\n}\n";
        let Some(stage) = Stage::set(configuration) else { return };
        let checked = stage.check(&["--report", "json=/dev/full"]);
        checked.assert("not-idempotent", &["update terraform_data.a input function main.tf:1"]);
    }

    #[test]
    fn a_store_that_cannot_be_used_is_a_refusal_before_anything_is_applied() {
        let Some(stage) = Stage::set("resource \"fake_thing\" \"a\" {}\n") else { return };
        stage.sandbox.write_at(&stage.sandbox.store(), "not a directory");
        let checked = stage.check(&["--report", "json=check.json"]);
        checked.transcript.assert_status(125);
        assert_eq!(checked.answer["verdict"], "error");
        assert!(stage.cloud().objects().is_empty() && stage.sandbox.has("check.json"));
    }

    #[test]
    fn a_directory_for_temporary_files_that_is_none_is_a_refusal() {
        let Some(stage) = Stage::set("resource \"fake_thing\" \"a\" {}\n") else { return };
        stage.sandbox.write("file", "");
        for directory in ["/dev/null", "/nowhere/at/all"] {
            let line = stage.prepare(&[]).env("TMPDIR", directory);
            let checked = stage.checked(line.run());
            assert!(![Some(0), Some(2)].contains(&checked.transcript.status()), "{checked:?}");
            assert!(checked.transcript.stderr_text().contains(directory), "{checked:?}");
            assert!(stage.cloud().calls().is_empty());
        }
    }

    #[test]
    fn a_directory_for_temporary_files_without_space_for_a_plan_leaves_no_verdict() {
        let Some(stage) = stage(&noise()) else { return };
        let Some(checked) = check_in(&stage, "size=8k", "TMPDIR") else { return };
        assert_no_verdict(&checked, "plan0", "space");
        let report = String::from_utf8(stage.sandbox.read("check.json")).unwrap();
        shim_tests::reports::validate_check_json(&report);
        assert!(!stage.sandbox.has("terraform.tfstate"), "{}", checked.transcript);
    }

    /// A plan is packed and takes little space; as JSON it takes more than there is.
    #[test]
    fn a_plan_that_cannot_be_read_out_for_want_of_space_leaves_no_verdict_and_says_so() {
        let Some(stage) = stage(&"x".repeat(100_000)) else { return };
        let Some(checked) = check_in(&stage, "size=8k", "TMPDIR") else { return };
        checked.transcript.assert_status(4);
        assert_eq!(checked.answer["verdict"], "error", "{}", checked.transcript);
        assert!(stage.sandbox.has("check.json"));
        let stderr = checked.transcript.stderr_text();
        assert!(stderr.to_lowercase().contains("space"), "{}", checked.transcript);
    }

    #[test]
    fn a_full_store_is_a_refusal_before_anything_is_applied() {
        let Some(stage) = stage("x") else { return };
        let Some(checked) = check_in(&stage, "size=4k", "TF_SHIM_STORE") else { return };
        checked.transcript.assert_status(125);
        assert_eq!(checked.answer["verdict"], "error", "{}", checked.transcript);
        assert!(!stage.sandbox.has("terraform.tfstate"), "{}", checked.transcript);
        assert!(stage.sandbox.has("check.json"));
    }

    /// A text that cannot be packed.
    fn noise() -> String {
        let mut seed = 1_u64;
        let mut letter = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            char::from(b'a' + u8::try_from((seed >> 33) % 26).unwrap())
        };
        (0..100_000).map(|_| letter()).collect()
    }

    /// A configuration that needs no provider.
    fn stage(input: &str) -> Option<Stage> {
        let stage = Stage::set("")?;
        stage.sandbox.write("versions.tf", "");
        stage.configure(&format!(
            "resource \"terraform_data\" \"a\" {{\n  input = \"{input}\"\n}}\n"
        ));
        Some(stage)
    }

    /// Checks with a small file system, in a namespace of its own, as the directory that a variable names.
    #[expect(clippy::print_stdout, reason = "a skipped test says so")]
    #[expect(clippy::disallowed_methods, reason = "the walls are those of tf, not of its tests")]
    fn check_in(stage: &Stage, options: &str, variable: &str) -> Option<Checked> {
        let tried = Command::new("unshare")
            .args(["-rm", "sh", "-c", "mount -t tmpfs -o size=1m x /mnt"])
            .status();
        if !tried.is_ok_and(|status| status.success()) {
            println!("skipped: no tmpfs in a namespace of our own");
            return None;
        }
        let sandbox = &stage.sandbox;
        let room = sandbox.path("room");
        std::fs::create_dir(&room).unwrap();
        let script = format!(
            "mount -t tmpfs -o mode=700,{options} x {room} && exec {tf} shim check --yes --json \
             --report json=check.json",
            room = room.display(),
            tf = sandbox.tf_program().display(),
        );
        let path = std::env::var_os("PATH").unwrap();
        let mut places = std::env::split_paths(&path).map(|place| place.join("unshare"));
        let unshare = places.find(|place| place.exists()).unwrap();
        let path = std::env::join_paths([&sandbox.bin(), Path::new("/bin"), Path::new("/usr/bin")]);
        let value = if variable == "TMPDIR" { room } else { room.join("store") };
        let args = ["-rm", "/bin/sh", "-c", script.as_str()];
        let line = sandbox.program(&unshare, args).env("PATH", path.unwrap());
        Some(stage.checked(line.env(variable, value.into_os_string()).run()))
    }
}
