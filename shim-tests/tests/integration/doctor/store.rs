//! The store: its place, its files, its histories.

use std::fs::{File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use nix::sys::signal::Signal;
use shim_tests::shim::{document, shim, tree};
use shim_tests::{End, Sandbox, Scenario, states};

use super::{STATE, Ward};

/// With a store that knows a state.
fn saved() -> Ward {
    let ward = Ward::new(Sandbox::new().with_fake(Scenario::terraform()));
    ward.sandbox.write(STATE, states::state(1, &["a"]));
    shim(&ward.sandbox, ["save"]).run().assert_status(0);
    ward
}

/// The files of a store whose names end so.
fn files(store: &Path, end: &str) -> Vec<PathBuf> {
    let all = tree(store).into_keys();
    all.filter(|path| path.to_string_lossy().ends_with(end)).collect()
}

fn change(path: &Path, mode: u32) {
    std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_store_that_is_not_ours_alone_is_closed() {
    let ward = saved();
    change(&ward.sandbox.store(), 0o755);
    ward.cures("store-exposed", &["the store itself", "open to others"]);
    change(&ward.sandbox.store().join("states"), 0o777);
    let fix = ward.look().fix("store-exposed", &["`states`"]);
    assert!(fix.starts_with("chmod -R go-rwx "), "{fix}");
    ward.cures("store-exposed", &[]);
    let object = files(&ward.sandbox.store(), ".json.gz").remove(0);
    assert_eq!(std::fs::metadata(object).unwrap().permissions().mode() & 0o777, 0o400);
    if nix::unistd::geteuid().is_root() {
        std::os::unix::fs::chown(ward.sandbox.store(), Some(4242), None).unwrap();
        let sudo = ward.sandbox.path("tools/sudo");
        ward.sandbox.write_script(&sudo, "exec \"$@\"");
        let chown = shim_tests::programs::on_path("chown").unwrap();
        ward.sandbox.put_on_path("chown", &chown);
        ward.cures("store-exposed", &["of another user"]);
    }
}

#[test]
fn a_store_that_cannot_be_used_is_told_with_what_stands_in_its_place() {
    let ward = saved();
    let other = ward.sandbox.path("other");
    ward.sandbox.write_at(&other.join("file"), "x");
    ward.with("TF_SHIM_STORE", &other).cures("store-unusable", &["neither empty nor a store"]);
    let ward = saved();
    let file = ward.sandbox.path("file");
    ward.sandbox.write_at(&file, "x");
    ward.with("TF_SHIM_STORE", file.join("store")).cures("store-unusable", &["cannot"]);
    let ward = saved();
    let format = ward.sandbox.store().join("FORMAT");
    let text = std::fs::read_to_string(&format).unwrap();
    std::fs::remove_file(&format).unwrap();
    let lost = ward.look().advice("store-unusable", &["has lost its FORMAT file"]);
    assert!(lost.contains("from a copy"), "{lost}");
    ward.sandbox.write_at(&format, text.replace("\"min_write\":1", "\"min_write\":99"));
    change(&format, 0o600);
    let newer = ward.look().advice("store-unusable", &["was made by a newer tf"]);
    assert_eq!(newer, "use the newer tf that made it");
}

#[test]
fn a_directory_of_the_store_that_is_closed_to_us_is_opened() {
    let ward = saved();
    change(&ward.sandbox.store().join("states"), 0o500);
    ward.cures("store-unusable", &["`states` is closed to you"]);
}

#[test]
fn too_little_room_for_a_state_is_seen_before_it_is_needed() {
    let ward = saved();
    let free = nix::sys::statvfs::statvfs(&ward.sandbox.store()).unwrap();
    let free = free.blocks_available() * free.fragment_size();
    let large = File::options().write(true).open(ward.sandbox.project().join(STATE)).unwrap();
    large.set_len(free / 2).unwrap();
    // Nothing but its length is looked at; whoever compared the trees would read all of it.
    ward.look_behind("").advice("store-full", &["MiB are free at `"]);
    large.set_len(1).unwrap();
    assert!(!ward.look().has("store-full"));
}

#[test]
fn a_store_inside_the_repository_is_moved_out_with_everything_in_it() {
    let ward = Ward::new(Sandbox::new());
    std::fs::create_dir(ward.sandbox.project().join(".git")).unwrap();
    let inside = ward.sandbox.project().join("deep/my store");
    let ward = ward.with("TF_SHIM_STORE", &inside);
    let fix = ward.look().fix("store-in-repository", &["my store` is inside the repository `"]);
    assert!(fix.starts_with("export "), "there is nothing to move yet: {fix}");
    ward.sandbox.write(STATE, states::state(1, &["a"]));
    let save = ["save", "--store", "deep/my store"];
    shim(&ward.sandbox, save).run().assert_status(0);
    let after = ward.cures("store-in-repository", &[]);
    assert_eq!(after.document["facts"]["store"]["operations"], 2, "{}", after.transcript);
    assert!(!inside.exists());
}

#[test]
fn a_home_is_no_repository_unless_it_is_one() {
    let ward = saved();
    let at = |directory: &str| {
        let chdir = format!("-chdir={directory}");
        document(&ward.sandbox.tf([chdir.as_str(), "shim", "doctor", "--json"]).run())
    };
    let home = ward.sandbox.home();
    let here = home.display().to_string();
    let about_the_place = |found: &serde_json::Value| {
        let findings = found["findings"].as_array().unwrap().clone();
        let is_it = |id: &str| id.starts_with("store-i");
        findings.into_iter().find(|finding| is_it(finding["id"].as_str().unwrap()))
    };
    for directory in [here.as_str(), "/"] {
        assert_eq!(about_the_place(&at(directory)), None, "{directory}");
    }
    std::fs::create_dir(home.join(".terraform")).unwrap();
    let module = about_the_place(&at(&here)).unwrap();
    assert_eq!(module["id"], "store-in-module");
    assert!(!module.to_string().contains("git"), "there is no git: {module}");
    std::fs::remove_dir(home.join(".terraform")).unwrap();
    let Some(git) = shim_tests::programs::on_path("git") else { return };
    ward.sandbox.put_on_path("git", &git);
    let init = ward.sandbox.program(&git, ["init", "-q"]).in_directory("../home").run();
    init.assert_status(0);
    let dotfiles = about_the_place(&at(&here)).unwrap();
    assert_eq!(dotfiles["id"], "store-in-repository");
    let fix = dotfiles["fix"].as_str().unwrap();
    let shell = ward.sandbox.path("tools/sh");
    ward.sandbox.program(&shell, ["-c", fix]).run().assert_status(0);
    let ignored = about_the_place(&at(&here)).unwrap();
    assert_eq!((&ignored["id"], &ignored["weight"]), (&"store-ignored".into(), &"note".into()));
}

#[test]
fn a_store_in_memory_is_told() {
    let memory = Path::new("/dev/shm");
    let Ok(room) = tempfile::tempdir_in(memory) else { return };
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    if !mounts.lines().any(|line| line.contains(" /dev/shm ") && line.contains("- tmpfs ")) {
        return;
    }
    let ward = Ward::new(Sandbox::new()).with("TF_SHIM_STORE", room.path().join("store"));
    let found = ward.look();
    found.finding("store-volatile", &["is on a tmpfs"]);
    assert_eq!(found.document["facts"]["store"]["file_system"], "tmpfs");
    assert!(!room.path().join("store").exists());
    if !Ward::new(Sandbox::new()).look().has("store-volatile") {
        ward.cures("store-volatile", &[]);
    }
}

#[test]
fn a_damaged_journal_is_told_and_a_torn_line_only_counted() {
    let ward = saved();
    shim(&ward.sandbox, ["save"]).run().assert_status(0);
    let journal = files(&ward.sandbox.store(), ".jsonl").remove(0);
    let whole = std::fs::read_to_string(&journal).unwrap();
    ward.sandbox.write_at(&journal, &whole[..whole.len() - 5]);
    let torn = ward.look();
    assert_eq!(torn.document["facts"]["store"]["torn_lines"], 1);
    assert!(!torn.has("journal-damaged"), "{}", torn.transcript);
    let lines: Vec<&str> = whole.split_inclusive('\n').collect();
    let damaged = [lines[0], "{}\n", &lines[2..].concat()].concat();
    ward.sandbox.write_at(&journal, damaged);
    let advice = ward.look().advice("journal-damaged", &["terraform.tfstate", "line 2 of"]);
    assert!(advice.contains("cp -a "), "{advice}");
    let identity = files(&ward.sandbox.store(), "identity.json").remove(0);
    ward.sandbox.write_at(&identity, "{");
    ward.look().advice("journal-damaged", &["identity.json"]);
}

#[test]
fn a_newest_good_state_that_cannot_be_given_back_is_written_anew() {
    let ward = saved();
    let object = files(&ward.sandbox.store(), ".json.gz").remove(0);
    change(&object, 0o600);
    ward.sandbox.write_at(&object, "rubbish");
    let after = ward.look().fix("snapshot-damaged", &["is damaged"]);
    let after = ward.look_behind(&format!("{after} >/dev/null"));
    assert!(!after.has("snapshot-damaged"), "{}", after.transcript);
    let object = files(&ward.sandbox.store().join("states"), ".json.gz");
    object
        .iter()
        .filter(|path| path.parent().unwrap().ends_with("objects"))
        .for_each(|path| std::fs::remove_file(path).unwrap());
    ward.look().fix("snapshot-damaged", &[]);
}

#[test]
fn an_interrupted_restore_is_finished() {
    let ward = saved();
    ward.sandbox.write(STATE, states::state(2, &["a", "b", "c"]));
    let killed = shim(&ward.sandbox, ["restore", "serial:1", "--yes"])
        .env("TF_SHIM_TEST_CRASH_AT", "sync-body:1")
        .run();
    assert_eq!(killed.end, End::by(Signal::SIGKILL), "{killed}");
    let found = ward.look();
    let fix = found.fix("restore-interrupted", &["of `terraform.tfstate` was interrupted"]);
    assert_eq!(fix, "tf shim save");
    assert!(!found.has("corrupt-state"), "{}", found.transcript);
    let after = ward.look_behind(&format!("{fix} >/dev/null"));
    assert!(
        !after.has("restore-interrupted") && !after.has("corrupt-state"),
        "{}",
        after.transcript
    );
}

#[test]
fn a_run_that_was_cut_off_is_closed_from_wherever_one_looks() {
    let ward = saved();
    ward.sandbox.play(Scenario::terraform().on(["apply"], []));
    let killed = ward.sandbox.tf(["apply"]).env("TF_SHIM_TEST_CRASH_AT", "sync-journal:1").run();
    assert_eq!(killed.end, End::by(Signal::SIGKILL), "{killed}");
    let found = ward.look();
    assert!(!found.has("lock-may-remain"), "a local lock goes with its process");
    let here = found.fix("operation-unfinished", &["apply ", "was not seen to end"]);
    assert_eq!(here, "tf shim save");
    let elsewhere = ward.sandbox.path("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    let there = ward.sandbox.tf(["shim", "doctor", "--json"]).in_directory(&elsewhere).run();
    let there = document(&there);
    let fix =
        there["findings"].as_array().unwrap().iter().find(|f| f["id"] == "operation-unfinished");
    let fix = fix.unwrap()["fix"].as_str().unwrap().to_owned();
    let state = ward.sandbox.project().join(STATE);
    assert_eq!(fix, format!("tf shim save --state {}", state.display()));
    let lines = format!("cd {} && {fix} >/dev/null", elsewhere.display());
    let after = ward.look_behind(&lines);
    assert!(!after.has("operation-unfinished"), "{}", after.transcript);
}

#[test]
fn temporary_files_of_long_ago_are_removed() {
    let ward = saved();
    let left = files(&ward.sandbox.store(), ".json.gz").remove(0).with_file_name(".tmp-0123");
    ward.sandbox.write_at(&left, "part of a state");
    let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_600_000_000);
    File::options().write(true).open(&left).unwrap().set_modified(long_ago).unwrap();
    ward.cures("store-leftovers", &[".tmp-0123` is left over"]);
    assert!(!left.exists());
}

#[test]
fn a_clock_that_is_behind_the_newest_operation_is_told() {
    let ward = saved();
    let late = shim(&ward.sandbox, ["save"]).env("TF_SHIM_TEST_NOW", "2027-01-01T00:00:00Z");
    late.run().assert_status(0);
    let says = ["it is 2026-11-20 10:00 UTC", "2027-01-01 00:00 UTC"];
    ward.look().advice("clock", &says);
}
