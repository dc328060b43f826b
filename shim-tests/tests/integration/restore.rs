//! Restore: whatever happened to a state, it comes back, byte for byte but for its serial.
//!
//! The contract is interface.md 2 ("Restore and undo") and store.md 8. Wherever a real Terraform can be the
//! judge, it is: an empty plan is the proof that nothing was lost.

use std::ffi::OsString;
use std::fs::Permissions;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use shim_tests::shim::{document, id, operations, serial, shim, tree, with_serial};
use shim_tests::{Sandbox, Scenario, Step, Transcript, stage, states, wait_until};

/// The name Terraform gives a state.
const STATE: &str = "terraform.tfstate";

/// The lock info that lies beside a state while it is locked.
const INFO: &str = ".terraform.tfstate.lock.info";

/// Returns a sandbox in which a real Terraform has applied two resources; none where there is none.
fn applied() -> Option<Sandbox> {
    let sandbox = Sandbox::new().with_real_terraform()?;
    sandbox.write("main.tf", stage::resources(&["a", "b"]));
    sandbox.tf(["apply", "-auto-approve"]).run().assert_status(0);
    Some(sandbox)
}

/// Returns a sandbox without any Terraform whose store knows this state.
fn saved(state: impl AsRef<[u8]>) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write(STATE, state);
    shim(&sandbox, ["save"]).run().assert_status(0);
    sandbox
}

/// Restores without asking.
#[track_caller]
fn restore(sandbox: &Sandbox, reference: &str) -> Transcript {
    let transcript = shim(sandbox, ["restore", reference, "--yes"]).run();
    transcript.assert_status(0);
    transcript
}

/// Fails unless the real Terraform finds nothing to do.
#[track_caller]
fn assert_plan_is_empty(sandbox: &Sandbox) {
    sandbox.terraform(["plan", "-detailed-exitcode"]).run().assert_status(0);
}

mod whatever_happened {
    use super::*;

    #[test]
    fn it_comes_back_and_the_real_terraform_finds_nothing_to_do() {
        let Some(sandbox) = applied() else { return };
        let good = sandbox.read(STATE);
        let lineage = good.windows(11).position(|part| part == b"\"lineage\": ").unwrap();
        let poisoned = [b"#", &good[1..]].concat();
        let mut garbage = good.clone();
        garbage[lineage] = 0;
        let losses: [(&str, Option<Vec<u8>>); 9] = [
            ("deleted", None),
            ("truncated to nothing", Some(Vec::new())),
            ("garbage", Some(b"\0\xff\xfe not a state".to_vec())),
            ("one bad byte", Some(garbage)),
            ("another state", Some(states::state(900, &["x"]).into_bytes())),
            ("half a file", Some(good[..good.len() / 2].to_vec())),
            ("a version and nothing else", Some(b"{\"version\":4}".to_vec())),
            ("poisoned", Some(poisoned)),
            ("a lone newline", Some(b"\n".to_vec())),
        ];
        let mut highest = serial(&good);
        for (what, loss) in losses {
            match &loss {
                Some(bytes) => sandbox.write(STATE, bytes),
                None => std::fs::remove_file(sandbox.project().join(STATE)).unwrap(),
            }
            // Another lineage is no good state, so `@` stays ours.
            restore(&sandbox, "@");
            highest = if what == "another state" { 901 } else { highest + 1 };
            let back = sandbox.read(STATE);
            assert!(back == with_serial(&good, highest), "{what}: {}", back.escape_ascii());
            assert!(!sandbox.has(INFO), "{what}");
            assert_plan_is_empty(&sandbox);
            let list = sandbox.terraform(["state", "list"]).run();
            assert_eq!(list.stdout, b"terraform_data.a\nterraform_data.b\n", "{what}: {list}");
            // What was there is kept, whatever it was.
            let newest = operations(&sandbox).remove(0);
            assert_eq!(newest["kind"], "restore", "{what}: {newest}");
            if let Some(bytes) = loss.filter(|bytes| !bytes.is_empty()) {
                let before = format!("{}:before", &id(&newest)[..8]);
                let cat = shim(&sandbox, ["cat", &before]).run();
                cat.assert_status(0);
                assert!(cat.stdout == bytes, "{what}: what was there is kept");
            }
        }
    }

    #[test]
    fn a_project_of_a_workspace_gets_its_own_state_back() {
        let Some(sandbox) = applied() else { return };
        let default = sandbox.read(STATE);
        sandbox.tf(["workspace", "new", "blue"]).run().assert_status(0);
        sandbox.tf(["apply", "-auto-approve"]).run().assert_status(0);
        let path = "terraform.tfstate.d/blue/terraform.tfstate";
        let blue = sandbox.read(path);
        std::fs::remove_dir_all(sandbox.project().join("terraform.tfstate.d")).unwrap();
        restore(&sandbox, "@");
        assert!(sandbox.read(path) == with_serial(&blue, serial(&blue) + 1));
        assert_plan_is_empty(&sandbox);
        std::fs::remove_file(sandbox.project().join(STATE)).unwrap();
        shim(&sandbox, ["restore", "@", "--yes", "--workspace", "default"]).run().assert_status(0);
        assert!(sandbox.read(STATE) == with_serial(&default, serial(&default) + 1));
    }
}

mod bytes {
    use super::*;

    /// Writes a state with that serial, replaces it, restores it, and fails unless every byte but the digits
    /// of the serial is the same.
    #[track_caller]
    fn assert_only_the_serial_differs(what: &str, template: &str) {
        let at = |serial: &str| template.replace("{SERIAL}", serial).into_bytes();
        let sandbox = saved(at("9"));
        std::fs::remove_file(sandbox.project().join(STATE)).unwrap();
        restore(&sandbox, "@");
        assert!(sandbox.read(STATE) == at("10"), "{what}, absent");
        sandbox.write(STATE, states::state(98, &["other"]));
        restore(&sandbox, "serial:9");
        assert!(sandbox.read(STATE) == at("99"), "{what}, a longer one there");
        sandbox.write(STATE, "{}");
        restore(&sandbox, "serial:9");
        assert!(sandbox.read(STATE) == at("100"), "{what}, a shorter one there");
    }

    #[test]
    fn everything_but_the_digits_of_the_serial_is_the_same_however_it_is_written() {
        let plain = states::state(4711, &["a", "b"]).replace("4711", "{SERIAL}");
        let compact: String = plain.lines().map(str::trim).collect();
        let lineage = states::LINEAGE;
        let shapes = [
            ("as Terraform writes it", plain.clone()),
            ("carriage returns", plain.replace('\n', "\r\n")),
            ("tabs", plain.replace("  ", "\t")),
            ("no newline at the end", plain.trim_end().to_owned()),
            ("blanks at the end", format!("{plain} \n\t \n")),
            ("one line", compact),
            ("a blank before the colon", plain.replace("\"serial\":", "\"serial\" \n : ")),
            (
                "unknown keys",
                plain.replacen("{\n", "{\n\"zz\": {\"serial\": 3, \"a\": [1e400]},\n", 1),
            ),
            ("an odd case", plain.replace("\"serial\"", "\"SeRiAl\"")),
            ("an escaped key", plain.replace("\"serial\"", "\"ser\\u0069al\"")),
            ("a serial inside a string", plain.replace("id-a", "\\\"serial\\\": 5,")),
            (
                "bytes that are no UTF-8 are not here, but letters are",
                plain.replace("id-b", "äöü🦀\u{7f}"),
            ),
            (
                "the serial as the last key",
                format!(
                    "{{\"version\":4,\"lineage\":\"{lineage}\",\"resources\":[],\"outputs\":{{\"o\":{{\"value\":1,\"type\":\"number\"}}}},\"serial\":{{SERIAL}}}}"
                ),
            ),
        ];
        for (what, template) in shapes {
            assert_only_the_serial_differs(what, &template);
        }
    }

    #[test]
    fn a_state_without_a_serial_gets_one_and_keeps_every_other_byte() {
        let whole = states::state(5, &["a"]);
        let bare = whole.replace("  \"serial\": 5,\n", "");
        let sandbox = saved(&bare);
        sandbox.write(STATE, "{}");
        restore(&sandbox, "@");
        let back = String::from_utf8(sandbox.read(STATE)).unwrap();
        assert_eq!(back, bare.replacen('{', "{\"serial\":1,", 1));
    }

    #[test]
    fn the_real_terraform_takes_what_comes_back_however_it_is_written() {
        let Some(sandbox) = applied() else { return };
        let good = String::from_utf8(sandbox.read(STATE)).unwrap();
        let shapes = [
            good.replace('\n', "\r\n"),
            good.replace("  ", "\t").trim_end().to_owned(),
            good.replace("\"serial\"", "\"SERIAL\""),
            good.replacen("{\n", "{\n \"later\": {\"serial\": 1},\n", 1),
        ];
        for shape in shapes {
            sandbox.write(STATE, &shape);
            shim(&sandbox, ["save"]).run().assert_status(0);
            let known = operations(&sandbox).remove(0);
            sandbox.write(STATE, "");
            restore(&sandbox, id(&known));
            assert_plan_is_empty(&sandbox);
        }
    }

    #[test]
    fn small_and_large_states_come_back() {
        let sizes: &[usize] = if cfg!(debug_assertions) {
            &[1 << 10, 10 << 20]
        } else {
            &[1 << 10, 10 << 20, 100 << 20]
        };
        for size in sizes {
            let state = states::state_of_size(7, *size);
            let sandbox = saved(&state);
            sandbox.write(STATE, "{");
            restore(&sandbox, "@");
            assert!(sandbox.read(STATE) == with_serial(state.as_bytes(), 8), "{size}");
        }
    }
}

mod files {
    use super::*;

    #[test]
    fn inode_owner_mode_and_links_are_kept() {
        let sandbox = saved(states::state(3, &["a"]));
        let path = sandbox.project().join(STATE);
        sandbox.write(STATE, "{");
        std::fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        std::fs::hard_link(&path, sandbox.project().join("link")).unwrap();
        if nix::unistd::geteuid().is_root() {
            std::os::unix::fs::chown(&path, Some(1234), Some(2345)).unwrap();
        }
        let before = std::fs::metadata(&path).unwrap();
        restore(&sandbox, "@");
        let after = std::fs::metadata(&path).unwrap();
        let kept = |meta: &std::fs::Metadata| {
            (meta.dev(), meta.ino(), meta.uid(), meta.gid(), meta.mode(), meta.nlink())
        };
        assert_eq!(kept(&after), kept(&before));
        assert!(sandbox.read("link") == states::state(4, &["a"]).into_bytes());
    }

    #[test]
    fn a_link_stays_a_link_and_the_file_it_leads_to_is_written() {
        let state = states::state(3, &["a"]);
        let sandbox = Sandbox::new();
        let (target, link) =
            (sandbox.path("elsewhere/real.tfstate"), sandbox.project().join(STATE));
        sandbox.write_at(&target, &state);
        symlink("../elsewhere/real.tfstate", &link).unwrap();
        shim(&sandbox, ["save"]).run().assert_status(0);
        for (loss, wanted) in [(Some("{"), 4), (Some(""), 5), (None, 6)] {
            match loss {
                Some(text) => sandbox.write_at(&target, text),
                None => std::fs::remove_file(&target).unwrap(),
            }
            restore(&sandbox, "@");
            assert!(link.is_symlink(), "{loss:?}");
            assert!(std::fs::read(&target).unwrap() == states::state(wanted, &["a"]).into_bytes());
        }
        let beside = tree(&sandbox.path("elsewhere"));
        assert_eq!(beside.len(), 1, "nothing is left beside it: {:?}", beside.keys());
    }

    #[test]
    fn a_file_that_was_not_there_is_readable_by_its_owner_only() {
        let sandbox = saved(states::state(3, &["a"]));
        let path = sandbox.project().join(STATE);
        std::fs::remove_file(&path).unwrap();
        let report = document(&shim(&sandbox, ["restore", "@", "--yes", "--json"]).run());
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o7777, 0o600, "{report:#}");
        assert_eq!(tree(&sandbox.project()).len(), 1, "nothing is left beside it");
    }

    #[test]
    fn names_that_are_not_utf_8_are_names_like_any_other() {
        let sandbox = Sandbox::new();
        let odd = OsString::from_vec(b"st\xffate \x1b[31m.tfstate".to_vec());
        let path = sandbox.project().join(&odd);
        let flagged = |args: [&str; 3]| {
            let args = args.into_iter().filter(|arg| !arg.is_empty()).map(OsString::from);
            let flags = [OsString::from("--state"), odd.clone()];
            shim(&sandbox, args.chain(flags)).run()
        };
        sandbox.write(&odd, states::state(3, &["a"]));
        flagged(["save", "", ""]).assert_status(0);
        for (loss, wanted) in [(Some("{"), 4), (None, 5)] {
            match loss {
                Some(text) => sandbox.write_at(&path, text),
                None => std::fs::remove_file(&path).unwrap(),
            }
            let restored = flagged(["restore", "@", "--yes"]);
            restored.assert_status(0);
            assert!(!restored.stderr.contains(&0x1b), "{restored}");
            assert!(std::fs::read(&path).unwrap() == states::state(wanted, &["a"]).into_bytes());
        }
        assert_eq!(tree(&sandbox.project()).len(), 1, "nothing is left beside it");
    }

    #[test]
    fn junk_in_the_place_of_the_lock_info_is_in_nobodys_way() {
        let sandbox = saved(states::state(3, &["a"]));
        for junk in ["", "{}", "not json", "{\"ID\":\"long gone\",\"Who\":\"bo@dev3\"}"] {
            sandbox.write(INFO, junk);
            sandbox.write(STATE, "{");
            let restored = restore(&sandbox, "@");
            assert!(!restored.stderr_text().contains("dev3"), "{restored}");
            assert!(!sandbox.has(INFO), "{junk}");
        }
    }
}

mod asking {
    use super::*;

    #[test]
    fn a_dry_run_writes_nothing_anywhere() {
        let sandbox = saved(states::state(3, &["a", "b"]));
        sandbox.write(STATE, states::state(4, &["a"]));
        shim(&sandbox, ["save"]).run().assert_status(0);
        let (project, store) = (tree(&sandbox.project()), tree(&sandbox.home()));
        for args in [&["restore", "@-", "--dry-run"][..], &["restore", "-dry-run", "@-", "--json"]]
        {
            let shown = shim(&sandbox, args.iter().copied()).run();
            shown.assert_status(0);
            assert!(shown.stdout_text().contains("terraform_data.b"), "{shown}");
        }
        shim(&sandbox, ["undo", "--dry-run"]).run().assert_status(0);
        assert!(tree(&sandbox.project()) == project, "the project is as it was");
        assert!(tree(&sandbox.home()) == store, "the store is as it was");
    }

    #[test]
    fn without_a_terminal_and_without_yes_it_is_refused_and_nothing_is_changed() {
        let sandbox = saved(states::state(3, &["a"]));
        sandbox.write(STATE, "{");
        let project = tree(&sandbox.project());
        for input in ["", "yes\n"] {
            let refused = shim(&sandbox, ["restore", "@"]).stdin(input).run();
            refused.assert_status(3);
            assert!(refused.stderr_text().contains("--yes"), "{refused}");
        }
        assert!(tree(&sandbox.project()) == project);
        assert!(operations(&sandbox).iter().all(|operation| operation["kind"] != "restore"));
    }

    #[test]
    fn on_a_terminal_only_yes_is_a_yes() {
        let sandbox = saved(states::state(3, &["a"]));
        sandbox.write(STATE, "{");
        let answers = [
            ("y\n", 3),
            ("YES\n", 3),
            ("yes \n", 3),
            (" yes\n", 3),
            ("\n", 3),
            ("\x04", 3),
            ("yes\n", 0),
        ];
        for (answer, status) in answers {
            let mut running = shim(&sandbox, ["restore", "@"]).on_terminal().start();
            running.wait_for_text("Enter a value:");
            assert!(sandbox.read(STATE) == b"{", "nothing is written before the answer");
            running.type_text(answer);
            running.finish().assert_status(status);
            let wanted = if status == 0 { states::state(4, &["a"]) } else { "{".to_owned() };
            assert!(sandbox.read(STATE) == wanted.into_bytes(), "{answer:?}");
        }
    }

    #[test]
    fn what_is_typed_after_the_answer_is_left_for_the_shell() {
        let sandbox = saved(states::state(3, &["a"]));
        sandbox.write(STATE, "{");
        let script = sandbox.path("session");
        let tf = sandbox.tf_program();
        sandbox.write_script(
            &script,
            &format!("{} shim restore @ && read next && echo \"[$next]\"", tf.display()),
        );
        let mut running = sandbox.program(&script, [] as [&str; 0]).on_terminal().start();
        running.wait_for_text("Enter a value:");
        running.type_text("yes\nnext line\n");
        let done = running.finish();
        done.assert_status(0);
        assert!(String::from_utf8_lossy(&done.screen.unwrap()).contains("[next line]"));
    }
}

mod serials_and_references {
    use super::*;

    /// Returns a sandbox with a history of a fake Terraform: apply, apply, destroy, an hour apart, from
    /// serial 1 on.
    fn with_history() -> Sandbox {
        let sandbox = Sandbox::new();
        let steps = [("apply", 1, &["a"][..]), ("apply", 2, &["a", "b"]), ("destroy", 3, &[])];
        let mut sandbox = sandbox.with_fake(Scenario::terraform());
        for (at, (verb, serial, resources)) in steps.into_iter().enumerate() {
            let write = Step::write(STATE, states::state(serial, resources));
            sandbox.play(Scenario::terraform().on([verb], [write]));
            let now = format!("2026-11-20T0{}:00:00Z", at + 1);
            sandbox.tf([verb]).env("TF_SHIM_TEST_NOW", now).run().assert_status(0);
        }
        sandbox = sandbox.with_variable("TF_SHIM_TEST_NOW", "2026-11-20T04:30:00Z");
        sandbox
    }

    #[test]
    fn every_form_of_a_reference_brings_its_state_back() {
        let two = ["a", "b"];
        let probe = with_history();
        let digest = shim_tests::history::sha256(states::state(2, &two).as_bytes());
        let ids: Vec<String> = operations(&probe).iter().map(|op| id(op).to_owned()).collect();
        assert_eq!(ids.len(), 3);
        let forms: [(&str, &[&str]); 13] = [
            ("@", &[]),
            ("@-", &two),
            ("@-2", &["a"]),
            ("serial:1", &["a"]),
            ("serial:2", &two),
            ("before:destroy", &two),
            ("before:apply", &["a"]),
            ("2h", &two),
            ("150m", &two),
            ("3h", &["a"]),
            ("2026-11-20T02:30", &two),
            ("2026-11-20T03:30:00+02:00", &["a"]),
            ("SHA", &two),
        ];
        for (form, resources) in forms {
            let sandbox = with_history();
            sandbox.write(STATE, "{");
            let form =
                if form == "SHA" { format!("sha256:{}", &digest[..8]) } else { form.to_owned() };
            restore(&sandbox, &form);
            let wanted = states::state(4, resources).into_bytes();
            assert!(
                sandbox.read(STATE) == wanted,
                "{form}: {}",
                sandbox.read(STATE).escape_ascii()
            );
        }
        let sandbox = with_history();
        for (index, side, resources) in
            [(0, ":before", &two[..]), (1, "", &two), (1, ":before", &["a"])]
        {
            let known = operations(&sandbox);
            let runs: Vec<_> = known.iter().filter(|op| op["kind"] == "run").collect();
            let form = format!("{}{side}", &id(runs[index])[..8]);
            sandbox.write(STATE, "{");
            restore(&sandbox, &form);
            let back = sandbox.read(STATE);
            assert!(back == states::state(serial(&back), resources).into_bytes(), "{form}");
        }
    }

    #[test]
    fn what_was_absent_comes_back_as_an_empty_state_of_the_same_lineage() {
        let sandbox = with_history();
        let first = id(operations(&sandbox).last().unwrap()).to_owned();
        restore(&sandbox, &format!("{first}:before"));
        assert!(sandbox.read(STATE) == states::state(4, &[]).into_bytes());
        std::fs::remove_file(sandbox.project().join(STATE)).unwrap();
        restore(&sandbox, &format!("{first}:before"));
        assert!(sandbox.read(STATE) == states::state(5, &[]).into_bytes());
    }

    #[test]
    fn the_serial_is_one_more_than_the_highest_that_is_known() {
        let sandbox = saved(states::state(40, &["a"]));
        sandbox.write(STATE, states::state(70, &["b"]));
        restore(&sandbox, "serial:40");
        assert_eq!(serial(&sandbox.read(STATE)), 71, "the file has a higher one");
        sandbox.write(STATE, states::state_of("another", 500, &["c"]));
        restore(&sandbox, "serial:40");
        assert_eq!(serial(&sandbox.read(STATE)), 501, "the file has another lineage");
        sandbox.write(STATE, states::state(2, &["d"]));
        restore(&sandbox, "serial:40");
        assert_eq!(serial(&sandbox.read(STATE)), 502, "the history has a higher one");
    }

    #[test]
    fn the_state_that_is_there_already_is_not_written_again() {
        let sandbox = saved(states::state(3, &["a"]));
        let before = tree(&sandbox.project());
        for reference in ["@", "serial:3"] {
            let done = restore(&sandbox, reference);
            assert!(done.stderr_text().contains("current one"), "{done}");
        }
        assert!(tree(&sandbox.project()) == before);
        assert!(operations(&sandbox).iter().all(|operation| operation["kind"] != "restore"));
    }

    #[test]
    fn a_restore_is_an_operation_that_can_be_undone() {
        let sandbox = with_history();
        restore(&sandbox, "serial:2");
        shim(&sandbox, ["undo", "--yes"]).run().assert_status(0);
        assert!(sandbox.read(STATE) == states::state(5, &[]).into_bytes());
        let newest = operations(&sandbox);
        assert_eq!((&newest[0]["kind"], &newest[0]["verb"]), (&"restore".into(), &"undo".into()));
        assert_eq!(newest[1]["verb"], "restore");
        shim(&sandbox, ["undo", "--yes"]).run().assert_status(0);
        assert!(sandbox.read(STATE) == states::state(6, &["a", "b"]).into_bytes());
    }

    #[test]
    fn a_reference_without_a_state_is_an_error_and_nothing_is_written() {
        let sandbox = with_history();
        let before = tree(&sandbox.project());
        for (reference, status) in [
            ("@-9", 1),
            ("serial:77", 1),
            ("before:import", 1),
            ("now", 1),
            ("abc", 64),
            ("serial:x", 64),
        ] {
            shim(&sandbox, ["restore", reference, "--yes"]).run().assert_status(status);
        }
        assert!(tree(&sandbox.project()) == before);
    }
}

mod locks {
    use super::*;

    /// Returns a sandbox in which a real Terraform is about to create one more resource, which waits for the
    /// file `go` of the project.
    fn slow() -> Option<Sandbox> {
        let sandbox = applied()?;
        let place = sandbox.project();
        sandbox.write("slow.tf", stage::slow_resource("slow", &place));
        Some(sandbox)
    }

    /// Returns `strace`, which makes a restore slow; none, with a message, where there is none.
    #[expect(clippy::print_stdout, reason = "a skipped test says so where the test run shows it")]
    fn strace() -> Option<std::path::PathBuf> {
        let found = ["/usr/bin/strace", "/usr/local/bin/strace"].map(Path::new);
        let found = found.into_iter().find(|path| path.exists());
        if found.is_none() {
            println!("skipped: no strace");
        }
        found.map(Path::to_owned)
    }

    #[test]
    fn while_the_real_terraform_holds_the_lock_a_restore_is_refused_and_names_it() {
        let Some(sandbox) = slow() else { return };
        let apply = sandbox.terraform(["apply", "-auto-approve"]).start();
        apply.wait_for_file("begun");
        let before = sandbox.read(STATE);
        let known = operations(&sandbox).remove(0);
        let refused = shim(&sandbox, ["restore", &format!("{}:before", id(&known)), "--yes"]).run();
        refused.assert_status(3);
        let said = refused.stderr_text();
        assert!(said.contains("locked by") && said.contains("OperationTypeApply"), "{refused}");
        assert!(said.contains(&format!("process {}", apply.pid())), "{refused}");
        assert!(sandbox.read(STATE) == before, "the file is left alone");
        assert!(sandbox.has(INFO), "its lock info is left alone");
        sandbox.write("go", "");
        apply.finish().assert_status(0);
        assert_plan_is_empty(&sandbox);
        restore(&sandbox, id(&known));
        let list = sandbox.terraform(["state", "list"]).run();
        assert_eq!(list.stdout, b"terraform_data.a\nterraform_data.b\n", "{list}");
    }

    /// Restores slowly, so that others can look at it at work: each sync takes a while.
    fn slow_restore<'s>(
        sandbox: &'s Sandbox,
        strace: &Path,
        reference: &str,
    ) -> shim_tests::Invocation<'s> {
        let tf = sandbox.tf_program().into_os_string().into_string().unwrap();
        let inject = "inject=fsync,fdatasync:delay_enter=300000";
        let args = ["-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync,fdatasync", "-e", inject];
        let args = args.into_iter().chain([&*tf, "shim", "restore", reference, "--yes"]);
        sandbox.program(strace, args)
    }

    #[test]
    fn a_terraform_that_waits_for_our_lock_works_on_what_was_restored() {
        let Some(sandbox) = applied() else { return };
        let Some(strace) = strace() else { return };
        sandbox.tf(["state", "rm", "terraform_data.b"]).run().assert_status(0);
        sandbox.write("main.tf", stage::resources(&["a", "b", "c"]));
        let restoring = slow_restore(&sandbox, &strace, "@-").start();
        restoring.wait_for_file(INFO);
        let waiting = sandbox.terraform(["apply", "-auto-approve", "-lock-timeout=30s"]).run();
        waiting.assert_status(0);
        assert!(
            waiting.stdout_text().contains("Acquiring state lock"),
            "it had to wait: {waiting}"
        );
        assert!(waiting.stdout_text().contains("1 added, 0 changed, 0 destroyed"), "{waiting}");
        restoring.finish().assert_status(0);
        let list = sandbox.terraform(["state", "list"]).run();
        let all = b"terraform_data.a\nterraform_data.b\nterraform_data.c\n";
        assert_eq!(list.stdout, all, "neither result is lost: {list}");
        assert!(!sandbox.has(INFO));
        assert_plan_is_empty(&sandbox);
    }

    #[test]
    fn a_terraform_that_does_not_wait_is_refused_and_told_who_is_at_work() {
        let Some(sandbox) = applied() else { return };
        let Some(strace) = strace() else { return };
        sandbox.tf(["state", "rm", "terraform_data.b"]).run().assert_status(0);
        let restoring = slow_restore(&sandbox, &strace, "@-").start();
        restoring.wait_for_file(INFO);
        wait_until("a whole lock info", || sandbox.read(INFO).ends_with(b"}"));
        assert_eq!(std::fs::metadata(sandbox.project().join(INFO)).unwrap().mode() & 0o777, 0o600);
        let refused = sandbox.terraform(["apply", "-auto-approve"]).run();
        refused.assert_status(1);
        assert!(refused.stderr_text().contains("tf shim restore"), "{refused}");
        let second = shim(&sandbox, ["restore", "@-", "--yes"]).run();
        second.assert_status(3);
        restoring.finish().assert_status(0);
        assert_plan_is_empty(&sandbox);
    }
}
