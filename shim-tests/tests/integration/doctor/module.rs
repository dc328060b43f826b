//! The root module: its state, its backend, its locks.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use shim_tests::backend::HttpBackend;
use shim_tests::shim::{document, operations, serial, shim};
use shim_tests::{Sandbox, processes, stage, states, wait_until};

use super::{STATE, Ward};

/// With a state of serial 41 that is known, and no Terraform.
fn known() -> Ward {
    let ward = Ward::new(Sandbox::new());
    ward.sandbox.write(STATE, states::state(41, &["a", "b"]));
    shim(&ward.sandbox, ["save"]).run().assert_status(0);
    ward
}

#[test]
fn a_state_that_cannot_be_read_is_moved_aside() {
    let ward = Ward::new(Sandbox::new());
    std::fs::create_dir(ward.sandbox.project().join(STATE)).unwrap();
    ward.cures("state-unreadable", &["is a directory, not a file"]);
    let ward = Ward::new(Sandbox::new());
    ward.sandbox.write(STATE, states::state(1, &["a"]));
    ward.sandbox.write_at(&ward.sandbox.config(), "max_state = \"10B\"\n");
    let advice = ward.look().advice("state-unreadable", &["larger than 10 bytes"]);
    assert!(advice.contains("max_state"), "{advice}");
}

#[test]
fn a_state_of_another_user_is_told_with_its_owner() {
    let setpriv = shim_tests::programs::on_path("setpriv");
    let Some(setpriv) = setpriv.filter(|_| nix::unistd::geteuid().is_root()) else { return };
    let ward = Ward::new(Sandbox::new());
    ward.sandbox.write(STATE, states::state(1, &["a"]));
    let change = |path: &Path, mode: u32| {
        std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    };
    change(&ward.sandbox.path(""), 0o755);
    // Where the tests were built may be closed to others.
    let program = ward.sandbox.path("tf");
    ward.sandbox.copy_tf(&program);
    let state = ward.sandbox.project().join(STATE);
    let seen = || {
        let who = ["--reuid", "4242", "--clear-groups"].map(Into::into);
        let call = [program.clone().into_os_string(), "shim".into(), "doctor".into()];
        let args = who.into_iter().chain(call).chain(["--json".into()]);
        let found = document(&ward.sandbox.program(&setpriv, args).run());
        let findings = found["findings"].as_array().unwrap().clone();
        findings.into_iter().find(|finding| finding["id"] == "state-unreadable").unwrap()
    };
    change(&state, 0o600);
    let advice = seen()["advice"].as_str().unwrap().to_owned();
    let chown = format!("sudo chown 4242 {}`", state.display());
    assert!(advice.contains("belongs to root: ") && advice.contains(&chown), "{advice}");
    std::os::unix::fs::chown(&state, Some(4242), None).unwrap();
    change(&state, 0o200);
    assert_eq!(seen()["fix"], format!("chmod u+rw {}", state.display()));
}

#[test]
fn what_the_guards_object_to_is_a_problem_and_restore_mends_it() {
    let other = "11111111-53d4-44b7-9f0c-6c2b9a1e7d10";
    let losses: [(&str, Option<String>, &str); 4] = [
        ("missing-state", None, "expected serial 41 (2 resources"),
        ("corrupt-state", Some("{".to_owned()), "1 bytes that are no state"),
        ("foreign-state", Some(states::state_of(other, 50, &["x"])), "another lineage"),
        ("older-state", Some(states::state(7, &["a"])), "an older state: serial 7"),
    ];
    for (id, loss, says) in losses {
        let ward = known();
        match loss {
            None => std::fs::remove_file(ward.sandbox.project().join(STATE)).unwrap(),
            Some(text) => ward.sandbox.write(STATE, text),
        }
        let fix = ward.look().fix(id, &[says]);
        assert_eq!(fix, "tf shim restore @");
        let after = ward.look_behind(&format!("{fix} --yes >/dev/null"));
        assert!(!after.has(id), "{}", after.transcript);
    }
    let ward = Ward::new(Sandbox::new());
    ward.sandbox.write(STATE, "{");
    ward.look().advice("corrupt-state", &[]);
}

#[test]
fn a_state_of_a_newer_terraform_is_told() {
    let Some(ward) = Ward::applied() else { return };
    let state = String::from_utf8(ward.sandbox.read(STATE)).unwrap();
    let at = state.find("\"terraform_version\": \"").unwrap() + 22;
    let end = at + state[at..].find('"').unwrap();
    ward.sandbox.write(STATE, format!("{}99.1.0{}", &state[..at], &state[end..]));
    let advice = ward.look().advice("newer-state", &["written by Terraform 99.1.0, and this is"]);
    assert_eq!(advice, "use Terraform 99.1.0 or newer here");
}

#[test]
fn an_errored_state_is_pushed_where_it_is_newer_and_else_kept_in_the_store() {
    let Some(ward) = Ward::applied() else { return };
    let state = ward.sandbox.read(STATE);
    let newer = shim_tests::shim::with_serial(&state, serial(&state) + 5);
    ward.sandbox.write("errored.tfstate", newer);
    ward.cures("errored-state", &["with serial"]);
    assert!(!ward.sandbox.has("errored.tfstate"));
    assert!(serial(&ward.sandbox.read(STATE)) >= serial(&state) + 5);
    let pushed = ward.sandbox.read(STATE);
    for known in [&pushed, &state] {
        ward.sandbox.write("errored.tfstate", known);
        ward.cures("errored-state", &["not newer than the state"]);
        assert!(!ward.sandbox.has("errored.tfstate") && ward.sandbox.read(STATE) == pushed);
    }
    let kept = ward.sandbox.history_of("errored.tfstate").newest().after;
    assert!(kept == Some(state), "it is in the store");
    ward.sandbox.write("errored.tfstate", "");
    ward.cures("errored-state", &["is no state"]);
    assert!(ward.sandbox.has("errored.tfstate.broken"));
}

#[test]
fn states_copies_and_plans_that_others_can_read_are_closed() {
    let Some(ward) = Ward::applied() else { return };
    ward.sandbox.write("main.tf", stage::resources(&["a", "b"]));
    ward.sandbox.tf(["apply", "-auto-approve"]).run().assert_status(0);
    ward.sandbox.terraform(["plan", "-out", "my plan"]).run().assert_status(0);
    assert!(!ward.look().has("readable-by-others"), "the directory above keeps others out");
    std::fs::set_permissions(ward.sandbox.path(""), Permissions::from_mode(0o755)).unwrap();
    let found = ward.look();
    let fix = found.fix("readable-by-others", &["`my plan`, `terraform.tfstate`", "backup`"]);
    assert!(fix.starts_with("chmod go-rwx ") && fix.contains("/my plan'"), "{fix}");
    ward.cures("readable-by-others", &[]);
    // Terraform writes in place, and so the mode stays.
    ward.sandbox.write("main.tf", stage::resources(&["a", "b", "c"]));
    ward.sandbox.tf(["apply", "-auto-approve"]).run().assert_status(0);
    assert!(!ward.look().has("readable-by-others"));
}

#[test]
fn a_lock_info_without_its_lock_is_stale_and_a_held_one_is_a_fact() {
    let Some(ward) = Ward::applied() else { return };
    let place = ward.sandbox.path("tmp");
    ward.sandbox.write("main.tf", stage::slow_resource("b", &place));
    let running = ward.sandbox.terraform(["apply", "-auto-approve"]).start();
    wait_until("the apply has begun", || place.join("begun").exists());
    let held = ward.look_behind("");
    assert!(!held.has("stale-lock"), "{}", held.transcript);
    let holder = held.document["facts"]["locked_by"].as_str().unwrap();
    assert!(holder.contains("OperationTypeApply"), "{holder}");
    running.signal(Signal::SIGKILL);
    ward.sandbox.write_at(&place.join("go"), "");
    let _killed = running.finish();
    let found =
        ward.cures("stale-lock", &["lock.info` (", "OperationTypeApply", "nobody holds the lock"]);
    assert_eq!(found.document["facts"]["locked_by"], serde_json::Value::Null);
    assert!(!ward.sandbox.has(".terraform.tfstate.lock.info"));
}

#[test]
fn a_backend_that_does_not_lock_is_told_with_what_would_make_it() {
    let Some(sandbox) = Sandbox::new().with_real_terraform() else { return };
    let ward = Ward::new(sandbox);
    let backend = HttpBackend::start();
    let address = backend.address();
    ward.sandbox.write(
        "main.tf",
        format!("terraform {{\n  backend \"http\" {{\n    address = \"{address}\"\n  }}\n}}\n"),
    );
    ward.sandbox.terraform(["init"]).run().assert_status(0);
    let found = ward.look();
    let advice = found.advice("no-locking", &["`http`", "`lock_address` is not set"]);
    assert!(advice.contains("tf init -reconfigure"), "{advice}");
    assert_eq!(found.document["facts"]["backend"]["locks"], false);
    let locking = format!("tf init -reconfigure -backend-config=lock_address={address} >/dev/null");
    assert!(!ward.look_behind(&locking).has("no-locking"));
    assert!(backend.requests().iter().all(|request| !request.starts_with("LOCK")));
}

#[test]
fn an_s3_backend_is_judged_by_its_record_and_asked_about_by_its_own_tool() {
    let ward = Ward::new(Sandbox::new());
    let record = |lock: &str| {
        format!(
            r#"{{"version":3,"backend":{{"type":"s3","config":{{"bucket":"acme states","key":"k","use_lockfile":{lock}}}}}}}"#
        )
    };
    ward.sandbox.write(".terraform/terraform.tfstate", record("false"));
    ward.look().finding("no-locking", &[]);
    ward.sandbox.write(".terraform/terraform.tfstate", record("null"));
    let found = ward.look();
    let fix = found.fix("no-locking", &["`s3`", "`use_lockfile`"]);
    assert_eq!(fix, "tf init -reconfigure -backend-config=use_lockfile=true");
    let question = "aws s3api get-bucket-versioning --bucket 'acme states'";
    assert_eq!(found.document["facts"]["backend"]["versioning"], question);
    ward.sandbox.write(".terraform/terraform.tfstate", record("true"));
    assert!(!ward.look().has("no-locking"));
}

#[test]
fn a_broken_backend_record_is_moved_aside_and_written_anew() {
    let Some(ward) = Ward::applied() else { return };
    ward.sandbox.write(".terraform/terraform.tfstate", "{");
    let found = ward.look();
    let fix = found.fix("backend-record", &["is not one"]);
    let after = ward.look_behind(&format!("{fix} >/dev/null"));
    assert!(!after.has("backend-record"), "{}", after.transcript);
}

#[test]
fn a_lock_that_a_killed_run_left_in_a_backend_is_told_with_the_way_to_its_id() {
    let Some(sandbox) = Sandbox::new().with_real_terraform() else { return };
    let ward = Ward::new(sandbox);
    let backend = HttpBackend::start();
    let place = ward.sandbox.path("tmp");
    ward.sandbox.write("backend.tf", backend.configuration());
    ward.sandbox.terraform(["init"]).run().assert_status(0);
    // Where there is no state yet, a force-unlock leaves no record, and the note stays until the next one.
    ward.sandbox.write("main.tf", stage::resources(&["first"]));
    ward.sandbox.tf(["apply", "-auto-approve"]).run().assert_status(0);
    ward.sandbox.write("main.tf", stage::slow_resource("a", &place));
    let running = ward.sandbox.tf(["apply", "-auto-approve"]).start();
    wait_until("the apply has begun", || place.join("begun").exists());
    // Not by name: the witness of the shim is called as it pleases.
    let real = std::fs::canonicalize(ward.sandbox.bin().join("terraform")).unwrap();
    let runs_it =
        |pid: &u32| std::fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|exe| exe == real);
    let terraform = processes::children_of(running.pid()).into_iter().find(runs_it).unwrap();
    kill(Pid::from_raw(i32::try_from(terraform).unwrap()), Signal::SIGKILL).unwrap();
    ward.sandbox.write_at(&place.join("go"), "");
    let _killed = running.finish();
    assert!(backend.is_locked());
    let known = backend.requests().len();
    let advice = ward.look().advice("lock-may-remain", &["the last apply (", "was killed"]);
    assert_eq!(backend.requests().len(), known, "the remote is not asked");
    assert!(advice.contains("`tf plan -input=false`") && advice.contains("`tf force-unlock ID`"));
    let plan = ward.sandbox.tf(["plan", "-input=false", "-no-color"]).run();
    let said = plan.stderr_text();
    let id = said.split("ID=").nth(1).unwrap_or_else(|| panic!("the holder is named: {plan}"));
    let id: String = id.chars().take_while(|c| !c.is_whitespace()).collect();
    let unlocked = ward.look_behind(&format!("tf force-unlock -force {id} >/dev/null"));
    assert!(!backend.is_locked() && !unlocked.has("lock-may-remain"), "{}", unlocked.transcript);
    assert_eq!(operations(&ward.sandbox)[0]["verb"], "force-unlock");
}
