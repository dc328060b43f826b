//! Where Terraform could not write the state, it is not started.

use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt, symlink};

use shim_tests::{Sandbox, Transcript, programs, stage, states};

use super::{STATE, tf_without_powers};

/// Returns a sandbox with a state and one resource more to be made.
fn stage() -> Option<Sandbox> {
    let sandbox = Sandbox::new().with_real_terraform()?;
    sandbox.write("main.tf", stage::resources(&["a", "b"]));
    sandbox.write(STATE, states::state(3, &["a"]));
    Some(sandbox)
}

/// Fails unless a command was refused for these words.
#[track_caller]
fn assert_refused(transcript: &Transcript, words: &str) {
    transcript.assert_status(125);
    let said = transcript.stderr_text();
    assert!(said.contains("was refused: unwritable-state"), "{transcript}");
    assert!(said.contains(words), "`{words}` is missing: {transcript}");
    assert!(transcript.stdout.is_empty(), "Terraform was not started: {transcript}");
}

#[test]
fn a_file_or_a_directory_without_permission_is_named() {
    let Some(sandbox) = stage() else { return };
    sandbox.write("links/.keep", "");
    symlink(sandbox.project().join(STATE), sandbox.project().join("links/s")).unwrap();
    let apply = ["apply", "-auto-approve"];
    let linked = ["apply", "-auto-approve", "-state=links/s"];
    let missing = ["apply", "-auto-approve", "-state=links/x/y/s"];
    let push = ["state", "push", "pushed"];
    sandbox.write("pushed", states::state(4, &["a"]));
    let rows = [
        (STATE, 0o444, &apply[..], "terraform.tfstate` cannot be written: permission denied"),
        (STATE, 0o444, &linked, "terraform.tfstate` cannot be written: permission denied"),
        (STATE, 0o444, &push, "terraform.tfstate` cannot be written: permission denied"),
        ("links", 0o555, &linked, "links`, where lock and backup go: permission denied"),
        ("links", 0o555, &missing, "links`, where lock and backup go: permission denied"),
    ];
    for (name, mode, args, words) in rows {
        let path = sandbox.project().join(name);
        let was = std::fs::metadata(&path).unwrap().permissions();
        std::fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        let Some(call) = tf_without_powers(&sandbox, args) else { return };
        assert_refused(&call.run(), words);
        std::fs::set_permissions(&path, was).unwrap();
    }
    // What can be written is written, directories that are missing included.
    tf_without_powers(&sandbox, &missing).unwrap().run().assert_status(0);
    tf_without_powers(&sandbox, &linked).unwrap().run().assert_status(0);
}

/// Runs `tf` in a mount namespace of its own, after a shell command that mounts something.
fn tf_after(sandbox: &Sandbox, mount: &str, args: &str) -> Option<Transcript> {
    if !programs::works("unshare", &["-rm", "sh", "-c", "mount -t tmpfs -o size=1m x /mnt"]) {
        return None;
    }
    let tf = sandbox.tf_program();
    let script = format!("{mount} && exec {} {args}", tf.display());
    let path = std::env::join_paths([sandbox.bin(), "/bin".into(), "/usr/bin".into()]).unwrap();
    let unshare = programs::on_path("unshare")?;
    let args = ["-rm", "/bin/sh", "-c", script.as_str()];
    Some(sandbox.program(&unshare, args).env("PATH", path).run())
}

#[test]
fn a_file_system_that_is_read_only_or_too_small_is_named() {
    let Some(sandbox) = stage() else { return };
    let project = sandbox.project();
    let place = project.display();
    let read_only = format!("mount --bind {place} {place} && mount -o remount,bind,ro {place}");
    let Some(refused) = tf_after(&sandbox, &read_only, "apply -auto-approve") else { return };
    assert_refused(&refused, "read-only file system");
    std::fs::create_dir(project.join("small")).unwrap();
    let small = format!("mount -t tmpfs -o size=8m x {place}/small");
    let args = "apply -auto-approve -state=small/s";
    assert_refused(
        &tf_after(&sandbox, &small, args).unwrap(),
        "8 MiB free, and 16 MiB may be needed",
    );
    let large = format!("mount -t tmpfs -o size=32m x {place}/small");
    tf_after(&sandbox, &large, args).unwrap().assert_status(0);
}

#[test]
fn what_a_full_file_system_did_not_take_is_found_and_kept() {
    let Some(sandbox) = stage() else { return };
    let project = sandbox.project();
    let place = project.display();
    std::fs::create_dir(project.join("small")).unwrap();
    let long = "x".repeat(60_000);
    sandbox.write("main.tf", stage::resources(&["a"]) + &stage::resource("long", &long));
    let mount = format!(
        "mount -t tmpfs -o size=64k x {place}/small && cp {place}/{STATE} {place}/small/s && \
         export TF_SHIM_ALLOW=unwritable-state"
    );
    let args = "apply -auto-approve -state=small/s";
    let Some(failed) = tf_after(&sandbox, &mount, args) else { return };
    failed.assert_status(1);
    let said = failed.stderr_text();
    assert!(said.contains("errored-state: a state that could not be saved"), "{failed}");
    assert!(said.contains(" --state small/s"), "{failed}");
}
