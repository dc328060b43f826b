//! Protection where other things go wrong, or stand in between.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use shim_tests::backend::HttpBackend;
use shim_tests::{Sandbox, stage, wait_until};

use super::{RULE, addresses, applied, assert_nothing_left, refused};

#[test]
fn what_cannot_be_saved_is_protected_all_the_same() {
    let Some(sandbox) = applied() else { return };
    let before = sandbox.read("terraform.tfstate");
    let nowhere = sandbox.path("file");
    sandbox.write_at(&nowhere, "");
    let excused = || sandbox.tf(["destroy", "-auto-approve"]).env("TF_SHIM_ON_ERROR", "continue");
    for call in
        [excused().env("TF_SHIM_STORE", nowhere.join("store")), excused().env_remove("HOME")]
    {
        let transcript = call.run();
        transcript.assert_status(125);
        assert!(transcript.stderr_text().contains("\"guard\":\"protected\""), "{transcript}");
        assert!(sandbox.read("terraform.tfstate") == before);
        assert_nothing_left(&sandbox);
    }
    // What deletes nothing runs, without a record.
    sandbox.write("main.tf", stage::resources(&["a", "b", "c"]));
    let applied = sandbox.tf(["apply", "-auto-approve"]).env("TF_SHIM_ON_ERROR", "continue");
    applied.env("TF_SHIM_STORE", nowhere.join("store")).run().assert_status(0);
    assert!(sandbox.read("terraform.tfstate") != before);
}

#[test]
fn a_shim_below_a_shim_judges_nothing_twice() {
    let Some(sandbox) = applied() else { return };
    let tf = sandbox.tf_program();
    let real = std::fs::read_link(sandbox.bin().join("terraform")).unwrap();
    // A wrapper that leads back to another copy of ours, which finds the real one behind it.
    let second = sandbox.path("second");
    std::fs::create_dir(&second).unwrap();
    sandbox.copy_tf(&second.join("inner"));
    std::fs::remove_file(sandbox.bin().join("terraform")).unwrap();
    let script =
        format!("TF_SHIM_REAL={} exec {} \"$@\"", real.display(), second.join("inner").display());
    sandbox.write_script(&sandbox.bin().join("terraform"), &script);
    assert!(tf.exists());
    sandbox.write("main.tf", stage::resources(&["a", "c"]));
    let transcript = sandbox.tf(["apply"]).stdin("yes\n").run();
    transcript.assert_status(0);
    assert_eq!(transcript.stderr_text().matches("Enter a value").count(), 1, "{transcript}");
    assert_eq!(sandbox.history().runs().len(), 1, "one command is one operation");
    let (transcript, refusal) = refused(&sandbox, sandbox.tf(["destroy", "-auto-approve"]));
    assert_eq!(addresses(&refusal), ["terraform_data.a"], "{transcript}");
    assert_eq!(transcript.stderr_text().matches("was refused").count(), 1, "{transcript}");
    // The apply below a `destroy` is of another name, and still the same command.
    let args = ["destroy", "-auto-approve", "-target=terraform_data.c"];
    sandbox.tf(args).run().assert_status(0);
    assert_eq!(sandbox.history().runs().len(), 3);
}

#[test]
fn a_remote_state_is_protected_like_any_other() {
    let Some(sandbox) = Sandbox::new().with_real_terraform() else { return };
    let backend = HttpBackend::start();
    sandbox.write("main.tf", backend.configuration() + &stage::resources(&["a", "b"]));
    sandbox.terraform(["init"]).run().assert_status(0);
    sandbox.write(".tf-shim.toml", RULE);
    sandbox.tf(["apply"]).stdin("yes\n").run().assert_status(0);
    let before = backend.state();
    let transcript = sandbox.tf(["destroy", "-auto-approve"]).run();
    transcript.assert_status(125);
    assert!(backend.state() == before, "{transcript}");
    assert_eq!(sandbox.history().newest().outcome(), "refused");
    assert_nothing_left(&sandbox);
}

#[test]
fn nothing_of_a_plan_is_said_and_nothing_in_it_can_forge_a_line() {
    let Some(sandbox) = Sandbox::new().with_real_terraform() else { return };
    let odd = "resource \"terraform_data\" \"a\" {\n  for_each = { \"\\u001b[2J\\ntf shim: ok\" = 1 }\n  \
               input = sensitive(\"C4N4RY\")\n}\n";
    sandbox.write("main.tf", odd);
    sandbox.terraform(["apply", "-auto-approve"]).run().assert_status(0);
    sandbox.write(".tf-shim.toml", RULE);
    let (transcript, refusal) = refused(&sandbox, sandbox.tf(["destroy", "-auto-approve"]));
    let text = transcript.stderr_text();
    assert!(!text.contains("C4N4RY") && !text.contains('\u{1b}'), "{text}");
    assert!(!text.lines().any(|line| line.starts_with("tf shim: ok")), "{text}");
    assert_eq!(addresses(&refusal).len(), 1);
    let record = sandbox.history().newest().end.to_string();
    assert!(!record.contains("C4N4RY"), "{record}");
}

#[test]
fn a_plan_is_private_while_it_is_there() {
    let Some(sandbox) = applied() else { return };
    sandbox.write("main.tf", stage::resources(&["a", "b", "c"]));
    let mut running = sandbox.tf(["apply"]).stdin_left_open().start();
    wait_until("the question", || running.stderr().ends_with(b"Enter a value: "));
    let mode = |path: &Path| std::fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777;
    let scratch = std::fs::read_dir(sandbox.path("tmp")).unwrap().map(|e| e.unwrap().path());
    let scratch = scratch.filter(|path| path.join("plan").exists()).collect::<Vec<_>>();
    assert_eq!(scratch.len(), 1);
    assert_eq!((mode(&scratch[0]), mode(&scratch[0].join("plan"))), (0o700, 0o600));
    // Whoever can write there in spite of that changes nothing that is applied.
    sandbox.write_at(&scratch[0].join("plan"), "another");
    running.write_stdin("yes\n");
    let transcript = running.finish();
    transcript.assert_status(125);
    assert!(transcript.stderr_text().contains("not the one that was judged"), "{transcript}");
    assert_nothing_left(&sandbox);
}

#[test]
fn without_a_place_for_the_plan_nothing_is_planned() {
    let Some(sandbox) = applied() else { return };
    let before = sandbox.read("terraform.tfstate");
    let call = sandbox.tf(["destroy", "-auto-approve"]).env("TMPDIR", sandbox.path("nowhere"));
    let transcript = call.run();
    transcript.assert_status(125);
    assert!(transcript.stderr_text().contains("nowhere"), "{transcript}");
    assert!(sandbox.read("terraform.tfstate") == before);
}
