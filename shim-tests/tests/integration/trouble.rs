//! What cannot be saved is not run: every trouble before Terraform starts is status 125, a clear sentence and
//! a hint; plain forwarding works all the same.

use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::sys::stat::Mode;
use nix::unistd::{Uid, chown, mkfifo};
use shim_tests::{Invocation, Sandbox, Scenario, Step, Transcript, states};

/// The name Terraform gives a state.
const STATE: &str = "terraform.tfstate";

/// A fake that applies and plans, and a state.
fn stage() -> Sandbox {
    let scenario = Scenario::terraform()
        .on(["apply"], [Step::stdout("applied\n")])
        .on(["plan"], [Step::stdout("planned\n")]);
    let sandbox = Sandbox::new().with_fake(scenario);
    sandbox.write(STATE, states::state(3, &["a"]));
    sandbox
}

/// Fails unless a guarded command is refused with a hint before Terraform was started.
#[track_caller]
fn assert_refused(transcript: &Transcript) {
    transcript.assert_status(125);
    let text = transcript.stderr_text();
    assert!(text.starts_with("tf shim: "), "{transcript}");
    assert!(transcript.stdout.is_empty(), "{transcript}");
    let applied = transcript.calls().iter().any(|call| call.line().contains("apply"));
    assert!(!applied, "Terraform was not started: {transcript}");
}

/// Fails unless that trouble stops a guarded command, lets it pass where the user said so, and does not
/// concern a forwarded one.
#[track_caller]
fn assert_trouble(sandbox: &Sandbox, prepare: impl Fn(Invocation<'_>) -> Invocation<'_>) -> String {
    let refused = prepare(sandbox.tf(["apply"])).run();
    assert_refused(&refused);
    let excused = prepare(sandbox.tf(["apply"])).env("TF_SHIM_ON_ERROR", "continue").run();
    assert_eq!(excused.assert_status(0).stdout_text(), "applied\n");
    assert!(
        excused.stderr_text().starts_with("tf shim: apply runs without a snapshot"),
        "it says so: {excused}"
    );
    assert!(!excused.stderr_text().contains("not started"), "{excused}");
    let forwarded = prepare(sandbox.tf(["plan"])).run();
    assert_eq!(forwarded.assert_status(0).stdout_text(), "planned\n");
    assert!(forwarded.stderr.is_empty(), "{forwarded}");
    refused.stderr_text()
}

/// Whether this test run may do what only root may; says so where not.
#[expect(clippy::print_stdout, reason = "a skipped test says so where the test run shows it")]
fn is_root() -> bool {
    let is_root = Uid::effective().is_root();
    if !is_root {
        println!("skipped: needs root");
    }
    is_root
}

mod the_store {
    use super::*;

    #[test]
    fn a_file_in_its_place_stops() {
        let sandbox = stage();
        sandbox.write_at(&sandbox.store(), "not a directory");
        assert_trouble(&sandbox, |line| line);
        assert_eq!(std::fs::read(sandbox.store()).unwrap(), b"not a directory");
    }

    #[test]
    fn a_file_in_place_of_a_directory_above_it_stops() {
        let sandbox = stage();
        sandbox.write_at(&sandbox.home().join(".local"), "not a directory");
        assert_trouble(&sandbox, |line| line);
    }

    #[test]
    fn somebody_elses_things_in_its_place_are_left_alone() {
        let sandbox = stage();
        sandbox.write_at(&sandbox.store().join("diary.txt"), "dear diary");
        std::fs::set_permissions(sandbox.store(), Permissions::from_mode(0o700)).unwrap();
        assert_trouble(&sandbox, |line| line);
        assert_eq!(std::fs::read_dir(sandbox.store()).unwrap().count(), 1);
    }

    #[test]
    fn a_read_only_store_stops() {
        let sandbox = stage();
        sandbox.tf(["apply"]).run().assert_status(0);
        // Root may write where it may not; a file where a directory must be stops root too.
        if Uid::effective().is_root() {
            let directory = sandbox.history().directory;
            std::fs::remove_dir_all(directory.join("journal")).unwrap();
            sandbox.write_at(&directory.join("journal"), "");
        } else {
            let read_only = Permissions::from_mode(0o500);
            for part in ["journal", "objects", "running"] {
                let path = sandbox.history().directory.join(part);
                std::fs::set_permissions(path, read_only.clone()).unwrap();
            }
        }
        assert_trouble(&sandbox, |line| line);
    }

    #[test]
    fn a_store_on_a_read_only_file_system_stops() {
        let Some(room) = Room::mount("ro") else { return };
        room.run_in(&stage(), "apply", 125);
    }

    #[test]
    fn a_store_on_a_full_file_system_stops() {
        let Some(room) = Room::mount("size=1m") else { return };
        let text = room.run_in(&stage(), "apply", 125);
        assert!(text.contains("space"), "{text}");
    }

    #[test]
    fn a_store_without_free_inodes_stops() {
        let Some(room) = Room::mount("size=64m,nr_inodes=4") else { return };
        room.run_in(&stage(), "apply", 125);
    }

    #[test]
    fn a_limit_on_the_size_of_files_stops_or_is_told_of_and_never_ends_us_by_its_signal() {
        let mut ends = std::collections::BTreeSet::new();
        for blocks in 0..24 {
            let sandbox = Sandbox::new();
            sandbox.write_script(&sandbox.bin().join("terraform"), "exit 7");
            sandbox.write(STATE, states::state(3, &["a"]));
            let limited = format!("ulimit -f {blocks}; exec \"$0\" apply");
            let args = ["-c", &limited, &sandbox.tf_program().to_string_lossy()].map(str::to_owned);
            let transcript = sandbox.program(Path::new("/bin/sh"), args).run();
            let status = transcript.status().unwrap_or_else(|| panic!("{blocks}: {transcript}"));
            if status == 125 {
                assert_refused(&transcript);
                assert!(transcript.stderr_text().contains("File too large"), "{transcript}");
            }
            ends.insert(status);
        }
        assert_eq!(
            ends.into_iter().collect::<Vec<_>>(),
            [7, 125],
            "both were seen, and nothing else"
        );
    }

    #[test]
    fn a_foreign_owner_stops() {
        if !is_root() {
            return;
        }
        let sandbox = stage();
        sandbox.tf(["apply"]).run().assert_status(0);
        chown(&sandbox.store(), Some(Uid::from_raw(12345)), None).unwrap();
        let text = assert_trouble(&sandbox, |line| line);
        assert!(text.contains(&*sandbox.store().to_string_lossy()), "{text}");
    }

    #[test]
    fn a_store_that_others_may_write_to_stops() {
        let sandbox = stage();
        sandbox.tf(["apply"]).run().assert_status(0);
        std::fs::set_permissions(sandbox.store(), Permissions::from_mode(0o777)).unwrap();
        assert_trouble(&sandbox, |line| line);
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "the walls are those of tf, not of its tests")]
    fn a_symlink_in_place_of_one_of_its_directories_stops() {
        let sandbox = stage();
        sandbox.tf(["apply"]).run().assert_status(0);
        let objects = sandbox.history().directory.join("objects");
        let elsewhere = sandbox.path("elsewhere");
        std::fs::rename(&objects, &elsewhere).unwrap();
        symlink(&elsewhere, &objects).unwrap();
        sandbox.write(STATE, states::state(4, &["b"]));
        let count = std::fs::read_dir(&elsewhere).unwrap().count();
        assert_trouble(&sandbox, |line| line);
        assert_eq!(std::fs::read_dir(&elsewhere).unwrap().count(), count);
    }

    #[test]
    fn a_newer_format_stops_and_is_left_alone() {
        for change in [
            (r#""min_write":1"#, r#""min_write":2"#),
            (r#""min_read":1"#, r#""min_read":2"#),
            (r#""write_features":[]"#, r#""write_features":["new"]"#),
        ] {
            let sandbox = stage();
            sandbox.tf(["apply"]).run().assert_status(0);
            let file = sandbox.store().join("FORMAT");
            let format = std::fs::read_to_string(&file).unwrap();
            let newer = format.replace(change.0, change.1);
            assert_ne!(newer, format);
            sandbox.write_at(&file, newer);
            let lines = sandbox.history().lines.len();
            assert_trouble(&sandbox, |line| line);
            assert_eq!(sandbox.history().lines.len(), lines);
        }
    }

    #[test]
    fn a_lost_or_broken_format_stops() {
        for content in [None, Some(""), Some("{}"), Some("{\"format\":\"diary\"}")] {
            let sandbox = stage();
            sandbox.tf(["apply"]).run().assert_status(0);
            let file = sandbox.store().join("FORMAT");
            match content {
                Some(content) => sandbox.write_at(&file, content),
                None => std::fs::remove_file(&file).unwrap(),
            }
            assert_trouble(&sandbox, |line| line);
        }
    }

    #[test]
    fn no_home_at_all_stops() {
        // Unset, it would be looked up for the user who runs the tests, whose store is not ours to touch.
        let sandbox = stage();
        let refused = sandbox.tf(["apply"]).env("HOME", "relative").run();
        assert_refused(&refused);
        assert!(refused.stderr_text().contains("TF_SHIM_STORE"), "{refused}");
    }

    #[test]
    fn no_home_at_all_is_trouble_that_can_be_excused() {
        assert_trouble(&stage(), |line| line.env("HOME", "relative"));
    }

    #[test]
    fn a_store_that_is_named_needs_no_home() {
        let sandbox = stage();
        let store = sandbox.path("store").into_os_string();
        let line = sandbox.tf(["apply"]).env("HOME", "relative").env("TF_SHIM_STORE", &store);
        line.run().assert_status(0);
        assert_eq!(shim_tests::history::read_all(store.as_ref()).len(), 1);
    }

    #[test]
    fn a_refusal_says_why_and_what_to_do() {
        let sandbox = stage();
        sandbox.write_at(&sandbox.store(), "not a directory");
        let refused = sandbox.tf(["apply"]).run();
        let text = refused.stderr_text();
        assert!(text.contains("hint"), "{text}");
        assert!(text.contains("TF_SHIM_ON_ERROR=continue"), "{text}");
        assert!(text.contains(&*sandbox.store().to_string_lossy()), "{text}");
    }

    /// A mounted tmpfs in a mount namespace of its own, so that nothing of it is left.
    struct Room {
        /// Options of the mount.
        options: &'static str,
    }

    impl Room {
        /// Tries whether such a thing can be mounted here.
        #[expect(clippy::print_stdout, reason = "a skipped test says so")]
        #[expect(
            clippy::disallowed_methods,
            reason = "the walls are those of tf, not of its tests"
        )]
        fn mount(options: &'static str) -> Option<Self> {
            let script = "mount -t tmpfs -o size=1m x /mnt";
            let tried = Command::new("unshare").args(["-rm", "sh", "-c", script]).status();
            if tried.is_ok_and(|status| status.success()) {
                return Some(Self { options });
            }
            println!("skipped: no tmpfs in a namespace of our own");
            None
        }

        /// Runs a command with the store in there, fails unless it ends with that status and Terraform was
        /// not started, and returns what it said.
        fn run_in(&self, sandbox: &Sandbox, verb: &str, status: i32) -> String {
            let place = sandbox.path("room");
            std::fs::create_dir(&place).unwrap();
            let script = format!(
                "mount -t tmpfs -o mode=700,{} x {place} && exec {} {verb}",
                self.options,
                sandbox.tf_program().display(),
                place = place.display(),
            );
            let path = std::env::var_os("PATH").unwrap();
            let unshare =
                std::env::split_paths(&path).map(|d| d.join("unshare")).find(|p| p.exists());
            let args = ["-rm", "/bin/sh", "-c", script.as_str()];
            let path = std::env::join_paths([sandbox.bin(), "/bin".into(), "/usr/bin".into()]);
            let transcript = sandbox
                .program(&unshare.unwrap(), args)
                .env("PATH", path.unwrap())
                .env("TF_SHIM_STORE", place.join("store").into_os_string())
                .run();
            transcript.assert_status(status);
            assert!(transcript.calls().is_empty(), "{transcript}");
            transcript.stderr_text()
        }
    }
}

mod the_state {
    use super::*;

    /// A state that is something else.
    fn odd(make: impl FnOnce(&PathBuf)) -> Sandbox {
        let sandbox = stage();
        let path = sandbox.project().join(STATE);
        std::fs::remove_file(&path).unwrap();
        make(&path);
        sandbox
    }

    #[test]
    fn a_directory_a_fifo_and_a_device_end_quickly_with_a_clear_sentence() {
        let directory = odd(|path| std::fs::create_dir(path).unwrap());
        let fifo = odd(|path| mkfifo(path, Mode::S_IRWXU).unwrap());
        let zero = odd(|path| symlink("/dev/zero", path).unwrap());
        let link = odd(|path| symlink("/dev/tty", path).unwrap());
        for (sandbox, word) in
            [(directory, "a directory"), (fifo, "a FIFO"), (zero, "a device"), (link, "device")]
        {
            let start = std::time::Instant::now();
            let text = assert_trouble(&sandbox, |line| line);
            assert!(start.elapsed().as_secs() < 20, "{text}");
            assert!(text.contains(word) && text.contains(STATE), "{text}");
            assert!(!sandbox.store().exists() || sandbox.histories().is_empty());
        }
    }

    #[test]
    fn a_symlink_that_leads_in_a_circle_stops() {
        let sandbox = odd(|path| symlink(STATE, path).unwrap());
        assert_trouble(&sandbox, |line| line);
    }

    #[test]
    fn a_state_larger_than_the_limit_stops_and_is_not_read() {
        let sandbox = stage();
        sandbox.write_at(&sandbox.config(), "max_state = \"1MiB\"\n");
        let file =
            std::fs::File::options().write(true).open(sandbox.project().join(STATE)).unwrap();
        file.set_len(1 << 40).unwrap();
        let text = assert_trouble(&sandbox, |line| line);
        assert!(text.contains("max_state"), "{text}");
    }

    #[test]
    fn a_backend_record_that_is_none_stops() {
        for content in ["", "{", "[]", "{\"backend\":{\"type\":7}}"] {
            let sandbox = stage();
            sandbox.write(".terraform/terraform.tfstate", content);
            let refused = sandbox.tf(["apply"]).run();
            // A record without a backend is what Terraform leaves after unsetting one.
            if content == "[]" {
                continue;
            }
            assert_refused(&refused);
        }
    }

    #[test]
    fn a_remote_that_fails_stops() {
        let scenario = Scenario::terraform()
            .on(["state", "pull"], [Step::stderr("Error: 403 forbidden\n"), Step::Exit(1)])
            .on(["apply"], [Step::stdout("applied\n")])
            .on(["plan"], [Step::stdout("planned\n")]);
        let sandbox = Sandbox::new().with_fake(scenario);
        let record = r#"{"version":3,"backend":{"type":"http","config":{"address":"http://u:p@127.0.0.1:9/s"},"hash":1}}"#;
        sandbox.write(".terraform/terraform.tfstate", record);
        let text = assert_trouble(&sandbox, |line| line);
        assert!(text.contains("403 forbidden"), "{text}");
    }
}

mod the_configuration {
    use super::*;

    /// Fails unless a file stops guarded commands by name, line and key, and nothing else.
    #[track_caller]
    fn assert_stops(sandbox: &Sandbox, place: &str, key: &str) {
        for excuse in ["stop", "continue"] {
            let refused = sandbox.tf(["apply"]).env("TF_SHIM_ON_ERROR", excuse).run();
            assert_refused(&refused);
            let text = refused.stderr_text();
            assert!(text.contains(place) && text.contains(key), "{text}");
        }
        let forwarded = sandbox.tf(["plan"]).run();
        assert_eq!(forwarded.assert_status(0).stdout_text(), "planned\n");
    }

    #[test]
    fn a_forbidden_key_of_a_project_file_stops_with_file_line_and_key() {
        for key in ["store", "on_error", "max_state", "pull_timeout"] {
            let sandbox = stage();
            sandbox.write(".tf-shim.toml", format!("# ours\n\n{key} = \"x\"\n"));
            assert_stops(&sandbox, ".tf-shim.toml:3", &format!("`{key}`"));
        }
    }

    #[test]
    fn an_unknown_key_stops_with_file_line_and_key() {
        let sandbox = stage();
        sandbox.write(".tf-shim.toml", "[guard]\nprotekt = true\n");
        assert_stops(&sandbox, ".tf-shim.toml:2", "protekt");
        let sandbox = stage();
        sandbox.write_at(&sandbox.config(), "on_eror = \"stop\"\n");
        assert_stops(&sandbox, "config.toml:1", "on_eror");
    }

    #[test]
    fn what_is_no_toml_stops_with_file_and_line() {
        let sandbox = stage();
        sandbox.write(".tf-shim.toml", "[guard]\n= =\n");
        assert_stops(&sandbox, ".tf-shim.toml:2", "TOML");
        let sandbox = stage();
        sandbox.write_at(&sandbox.config(), b"\xff\xfe");
        assert_stops(&sandbox, "config.toml", "");
    }

    #[test]
    fn a_wrong_value_stops_with_file_line_and_key() {
        let sandbox = stage();
        sandbox.write_at(&sandbox.config(), "\npull_timeout = \"soon\"\n");
        assert_stops(&sandbox, "config.toml:2", "pull_timeout");
    }

    #[test]
    fn the_file_of_the_root_module_counts_not_that_of_the_working_directory() {
        let sandbox = stage();
        sandbox.write("sub/.tf-shim.toml", "store = \"x\"\n");
        sandbox.tf(["apply"]).run().assert_status(0);
        assert_refused(&sandbox.tf(["-chdir=sub", "apply"]).run());
    }

    #[test]
    fn a_missing_terraform_is_127() {
        let sandbox = stage();
        std::fs::remove_file(sandbox.bin().join("terraform")).unwrap();
        let transcript = sandbox.tf(["apply"]).run();
        transcript.assert_status(127);
        assert!(sandbox.histories().is_empty());
    }
}
