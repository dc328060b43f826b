//! `tf shim install` and `tf shim uninstall`: what is linked and edited, what is left alone, and that nothing
//! is left behind.

use std::collections::BTreeMap;
use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use nix::sys::signal::Signal;
use shim_tests::shim::{document, shim};
use shim_tests::{End, Invocation, Sandbox, Scenario, Transcript, shells, stage};

/// Where the links go, below the home.
const USUAL: &str = ".local/share/tf-shim/bin";

/// A home with bash, and a Terraform that is no real one.
fn with_bash() -> Sandbox {
    Sandbox::new().with_fake(Scenario::terraform()).with_variable("SHELL", "/bin/bash")
}

/// What is below a directory: mode, inode, bytes or target. Without times, which reading and undoing change.
fn contents(top: &Path) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
    shim_tests::shim::tree(top)
        .into_iter()
        .map(|(path, (mode, _, _, _, mut bytes))| {
            if let Ok(target) = std::fs::read_link(&path) {
                bytes = target.into_os_string().into_encoded_bytes();
            }
            (path, (mode, bytes))
        })
        .collect()
}

/// Fails unless two looks were the same; says which paths differ, not all their bytes.
#[track_caller]
fn assert_same(
    now: &BTreeMap<PathBuf, (u32, Vec<u8>)>,
    before: &BTreeMap<PathBuf, (u32, Vec<u8>)>,
) {
    let paths = now.keys().chain(before.keys());
    let differing: Vec<_> = paths.filter(|path| now.get(*path) != before.get(*path)).collect();
    assert!(differing.is_empty(), "{differing:#?}");
}

/// Calls it and expects a status.
fn done<'a>(sandbox: &'a Sandbox, args: &[&str], status: i32) -> Transcript {
    let transcript: Invocation<'a> = shim(sandbox, args.iter().copied());
    let transcript = transcript.run();
    transcript.assert_status(status);
    transcript
}

#[test]
fn a_link_is_made_where_there_is_a_program_to_stand_for() {
    let sandbox = with_bash();
    let before = contents(&sandbox.home());
    let shown = done(&sandbox, &["install", "--dry-run"], 0);
    assert!(shown.stdout_text().starts_with("would install in "), "{shown}");
    assert_same(&contents(&sandbox.home()), &before);
    let first = done(&sandbox, &["install"], 0);
    let directory = sandbox.home().join(USUAL);
    let target = std::fs::read_link(directory.join("terraform")).unwrap();
    assert_eq!(target, sandbox.path("names/tf"));
    assert!(!directory.join("tofu").is_symlink(), "there is no tofu to stand for");
    let text = first.names.apply(&first.stdout_text());
    insta::assert_snapshot!(text, @r#"
    installed in [HOME]/.local/share/tf-shim/bin

      terraform  new link · stands for [BIN]/terraform
      tofu       not linked: there is none on PATH; to link it now: --both
      leads to   [ROOT]/names/tf
      on PATH    not in this shell

    Put this at the end of `[HOME]/.bashrc`, or run tf shim install --edit:

        export PATH="$HOME/.local/share/tf-shim/bin:$PATH"
        eval "$([ROOT]/names/tf shim completion bash)"

    Then open a new shell. To take the links away again: tf shim uninstall
    "#);
    assert!(first.stderr.is_empty(), "{first}");
    let installed = contents(&sandbox.home());
    let second = done(&sandbox, &["install"], 0);
    assert!(second.stdout_text().starts_with("nothing to do"), "{second}");
    assert_same(&contents(&sandbox.home()), &installed);
    // A tofu that comes later is linked by the next run.
    sandbox.write_script(&sandbox.bin().join("tofu"), "exit 0");
    done(&sandbox, &["install"], 0);
    assert!(directory.join("tofu").is_symlink());
    let gone = done(&sandbox, &["uninstall"], 0);
    assert!(gone.stdout_text().starts_with("uninstalled"), "{gone}");
    assert_same(&contents(&sandbox.home()), &before);
    let again = done(&sandbox, &["uninstall"], 0);
    assert!(again.stdout_text().starts_with("nothing to do"), "{again}");
}

#[test]
fn without_any_program_only_both_links_are_an_answer() {
    let sandbox = Sandbox::new();
    done(&sandbox, &["install"], 127);
    assert!(contents(&sandbox.home()).is_empty());
    done(&sandbox, &["install", "--both"], 0);
    for name in ["terraform", "tofu"] {
        let link = sandbox.home().join(USUAL).join(name);
        let called = sandbox.program(&link, ["version"]).run();
        called.assert_status(127);
        assert!(called.stderr_text().contains(&format!("no real {name}")), "{called}");
    }
    // Links that are there stay, and a later run has nothing to add.
    assert!(done(&sandbox, &["install"], 0).stdout_text().starts_with("nothing to do"));
}

#[test]
fn what_is_not_ours_is_never_replaced_nor_removed() {
    let sandbox = with_bash();
    let directory = sandbox.path("mine");
    let named = directory.to_str().unwrap().to_owned();
    let theirs = directory.join("terraform");
    for kind in ["file", "link", "dangling", "directory", "link to another tf"] {
        std::fs::create_dir(&directory).unwrap();
        match kind {
            "file" => sandbox.write_script(&theirs, "exit 0"),
            "link" => symlink("/bin/true", &theirs).unwrap(),
            "dangling" => symlink("/nowhere/tf", &theirs).unwrap(),
            "directory" => std::fs::create_dir(&theirs).unwrap(),
            _ => {
                sandbox.copy_tf(&sandbox.path("copy/tf"));
                symlink(sandbox.path("copy/tf"), &theirs).unwrap();
            }
        }
        let before = contents(&directory);
        let refused = done(&sandbox, &["install", &named], 1);
        assert!(refused.stderr_text().contains("not a link to tf"), "{kind}: {refused}");
        assert!(refused.stderr_text().contains("hint:"), "{kind}: {refused}");
        done(&sandbox, &["uninstall", &named], 0);
        assert_same(&contents(&directory), &before);
        std::fs::remove_dir_all(&directory).unwrap();
    }
    assert!(contents(&sandbox.home()).is_empty());
}

#[test]
fn in_the_usual_place_a_link_to_a_former_tf_is_made_anew() {
    let sandbox = with_bash();
    let link = sandbox.home().join(USUAL).join("terraform");
    std::fs::create_dir_all(link.parent().unwrap()).unwrap();
    symlink("/opt/old/bin/tf", &link).unwrap();
    done(&sandbox, &["install"], 0);
    assert_eq!(std::fs::read_link(&link).unwrap(), sandbox.path("names/tf"));
    std::fs::remove_file(&link).unwrap();
    symlink("/opt/old/bin/tf", &link).unwrap();
    done(&sandbox, &["uninstall"], 0);
    assert!(!link.is_symlink());
    assert!(link.parent().unwrap().is_dir(), "it was there before");
}

#[test]
fn places_that_cannot_be_are_refused_with_the_way_out() {
    let sandbox = with_bash();
    sandbox.write_at(&sandbox.path("file"), "");
    let file = sandbox.path("file").into_os_string().into_string().unwrap();
    for place in ["/proc/tf-shim-bin", "a:b", "a\nb", &file] {
        let refused = done(&sandbox, &["install", place], 1);
        assert!(refused.stderr_text().contains("hint:"), "{refused}");
    }
    let homeless = |args: &[&str]| shim(&sandbox, args.iter().copied()).env_remove("HOME").run();
    homeless(&["install"]).assert_status(1);
    homeless(&["install", "here", "--edit", "--yes"]).assert_status(1);
    assert!(!sandbox.has("here"));
    homeless(&["install", "here"]).assert_status(0);
    assert!(sandbox.project().join("here/terraform").is_symlink());
    homeless(&["uninstall", "here"]).assert_status(0);
    assert!(!sandbox.has("here"));
}

#[test]
fn a_directory_that_comes_after_the_real_one_is_told_and_one_before_it_works() {
    let sandbox = with_bash();
    let directory = sandbox.home().join(USUAL);
    let path = |dirs: [&Path; 2]| std::env::join_paths(dirs).unwrap();
    let bin = sandbox.bin();
    let position = |path| {
        let call = shim(&sandbox, ["install", "--json"]).env("PATH", path).run();
        call.assert_status(0);
        document(&call)["on_path"].clone()
    };
    assert_eq!(position(path([&bin, &directory]))["position"], "after");
    let after = position(path([&bin, &directory]))["after"].clone();
    assert_eq!(after, bin.join("terraform").to_str().unwrap());
    assert_eq!(position(path([&directory, &bin]))["position"], "first");
    assert_eq!(position(bin.clone().into_os_string())["position"], "absent");
    let late = shim(&sandbox, ["install"]).env("PATH", path([&bin, &directory])).run();
    assert!(late.stdout_text().contains("which therefore runs"), "{late}");
    // Through the link, and by it, the real one is still found.
    let terraform = directory.join("terraform");
    let first = path([&directory, &bin]);
    let which = sandbox.program(&terraform, ["shim", "which", "--json"]).env("PATH", first.clone());
    let which = which.run();
    which.assert_status(0);
    assert_eq!(document(&which)["real"]["path"], bin.join("terraform").to_str().unwrap());
    // Called by our own link, the link still leads to tf, not to itself.
    let again = sandbox.program(&terraform, ["shim", "install"]).env("PATH", first).run();
    assert!(again.stdout_text().starts_with("nothing to do"), "{again}");
}

#[test]
fn a_link_leads_to_a_path_that_lasts() {
    let sandbox = with_bash();
    let versioned = sandbox.path("Cellar/tf-shim/0.1.0/bin/tf");
    sandbox.copy_tf(&versioned);
    let brew = sandbox.path("brew");
    std::fs::create_dir(&brew).unwrap();
    symlink(&versioned, brew.join("tf")).unwrap();
    let link = sandbox.home().join(USUAL).join("terraform");
    let with_path = |program: &Path, dirs: &[&Path]| {
        let path = std::env::join_paths(dirs).unwrap();
        let call = sandbox.program(program, ["shim", "install"]).env("PATH", path).run();
        call.assert_status(0);
        (std::fs::read_link(&link).unwrap(), call.stderr_text())
    };
    let bin = sandbox.bin();
    let (target, said) = with_path(&versioned, &[&bin]);
    assert_eq!(target, versioned);
    assert!(said.contains("next version"), "{said}");
    // Now that there is a better path, the link is made anew.
    let (target, said) = with_path(&versioned, &[&bin, &brew]);
    assert_eq!((target, said.as_str()), (brew.join("tf"), ""));
    // Of two paths that last, the one on PATH is that which is kept up to date.
    let release = sandbox.path("releases/0.1.0/tf");
    sandbox.copy_tf(&release);
    let current = sandbox.path("current");
    std::fs::create_dir(&current).unwrap();
    symlink(&release, current.join("tf")).unwrap();
    done(&sandbox, &["uninstall"], 0);
    assert_eq!(with_path(&release, &[&bin, &current]).0, current.join("tf"));
    let temporary = sandbox.path("tmp/tf");
    sandbox.copy_tf(&temporary);
    done(&sandbox, &["uninstall"], 0);
    let (target, said) = with_path(&temporary, &[&bin]);
    assert_eq!(target, temporary);
    assert!(said.contains("temporary"), "{said}");
}

#[test]
fn a_program_that_everybody_can_replace_is_told() {
    let sandbox = with_bash();
    assert!(done(&sandbox, &["install", "--dry-run"], 0).stderr.is_empty());
    let names = sandbox.path("names");
    std::fs::set_permissions(&names, Permissions::from_mode(0o777)).unwrap();
    let told = done(&sandbox, &["install", "--dry-run"], 0);
    assert!(told.stderr_text().contains(&format!("chmod o-w {}", names.display())), "{told}");
    std::fs::set_permissions(&names, Permissions::from_mode(0o1777)).unwrap();
    assert!(done(&sandbox, &["install", "--dry-run"], 0).stderr.is_empty(), "it is sticky");
}

/// Start files as they may be.
const ODD: &[&[u8]] = &[
    b"",
    b"alias a=b\n",
    b"alias a=b",
    b"a=1\r\nb=2\r\n",
    b"a=1\r\nb=2",
    b"# \xff\xfe \x00\n",
    b"\n\n",
];

#[test]
fn an_edited_start_file_is_the_same_file_and_comes_back_to_the_byte() {
    for old in ODD {
        let sandbox = with_bash();
        let (real, file) = (sandbox.home().join("dotfiles/bashrc"), sandbox.home().join(".bashrc"));
        sandbox.write_at(&real, old);
        std::fs::set_permissions(&real, Permissions::from_mode(0o640)).unwrap();
        symlink("dotfiles/bashrc", &file).unwrap();
        sandbox.write_at(&sandbox.home().join(".bash_profile"), ". ~/.bashrc\n");
        let (before, inode) = (contents(&sandbox.home()), std::fs::metadata(&real).unwrap().ino());
        let refused = done(&sandbox, &["install", "--edit"], 3);
        assert!(refused.stderr_text().contains("--yes"), "{refused}");
        assert_same(&contents(&sandbox.home()), &before);
        done(&sandbox, &["install", "--edit", "--dry-run"], 0);
        assert_same(&contents(&sandbox.home()), &before);
        done(&sandbox, &["install", "--edit", "--yes"], 0);
        let edited = std::fs::read(&real).unwrap();
        assert!(edited.starts_with(old) && edited.len() > old.len());
        assert_eq!(std::fs::metadata(&real).unwrap().ino(), inode, "the same file");
        assert!(file.is_symlink());
        let installed = contents(&sandbox.home());
        let again = done(&sandbox, &["install", "--edit", "--yes"], 0);
        assert!(again.stdout_text().starts_with("nothing to do"), "{again}");
        assert_same(&contents(&sandbox.home()), &installed);
        done(&sandbox, &["uninstall"], 0);
        assert_same(&contents(&sandbox.home()), &before);
        assert_eq!(std::fs::metadata(&real).unwrap().ino(), inode, "still the same file");
    }
}

#[test]
fn what_was_added_below_the_block_stays() {
    let sandbox = with_bash();
    let file = sandbox.home().join(".bashrc");
    sandbox.write_at(&file, "above");
    done(&sandbox, &["install", "--edit", "--yes"], 0);
    let mut text = std::fs::read(&file).unwrap();
    text.extend(b"below\n");
    sandbox.write_at(&file, text);
    done(&sandbox, &["uninstall"], 0);
    assert_eq!(std::fs::read(&file).unwrap(), b"above\nbelow\n");
}

#[test]
fn a_block_without_its_end_is_left_to_the_person() {
    let sandbox = with_bash();
    let file = sandbox.home().join(".bashrc");
    sandbox.write_at(&file, "# >>> tf-shim >>>\nPATH=x\n");
    let before = contents(&sandbox.home());
    done(&sandbox, &["install", "--edit", "--yes"], 1);
    done(&sandbox, &["uninstall"], 1);
    assert_same(&contents(&sandbox.home()), &before);
}

#[test]
fn a_start_file_that_cannot_be_edited_keeps_everything_from_being_done() {
    let sandbox = with_bash();
    std::fs::create_dir(sandbox.home().join(".bashrc")).unwrap();
    let before = contents(&sandbox.home());
    let refused = done(&sandbox, &["install", "--edit", "--yes"], 1);
    assert!(refused.stderr_text().contains(".bashrc"), "{refused}");
    assert_same(&contents(&sandbox.home()), &before);
}

#[test]
fn a_person_is_asked_before_a_start_file_is_edited() {
    let sandbox = with_bash();
    let file = sandbox.home().join(".bashrc");
    sandbox.write_at(&file, "a\n");
    for (answer, status) in [("no\r", 3), ("yes\r", 0)] {
        let mut running = shim(&sandbox, ["install", "--edit"]).on_terminal().start();
        running.wait_for_text("Enter a value:");
        assert_eq!(std::fs::read(&file).unwrap(), b"a\n");
        assert!(!sandbox.home().join(USUAL).exists());
        running.type_text(answer);
        let said = running.finish();
        said.assert_status(status);
        let text = said.to_string();
        assert!(!text.contains("nobody can be asked"), "who said no was there: {said}");
        assert!(text.contains("    case $PATH: in"), "the lines are shown: {said}");
    }
    assert!(std::fs::read(&file).unwrap().len() > 2);
}

#[test]
fn a_start_file_survives_a_crash_in_the_middle_of_an_edit() {
    for point in ["edit-copied", "edit-written"] {
        for args in [&["install", "--edit", "--yes"][..], &["uninstall"]] {
            let sandbox = with_bash();
            let file = sandbox.home().join(".bashrc");
            sandbox.write_at(&file, "precious\n");
            sandbox.write_at(&sandbox.home().join(".bash_profile"), ". ~/.bashrc\n");
            if args == ["uninstall"] {
                done(&sandbox, &["install", "--edit", "--yes"], 0);
            }
            let before = std::fs::read(&file).unwrap();
            let crashing = shim(&sandbox, args.iter().copied()).env("TF_SHIM_TEST_CRASH_AT", point);
            assert_eq!(crashing.run().end, End::by(Signal::SIGKILL));
            let copy = sandbox.home().join(".bashrc.tf-shim-copy");
            assert_eq!(std::fs::read(&copy).unwrap(), before, "{point}");
            let half = contents(&sandbox.home());
            let refused = done(&sandbox, args, 1);
            assert!(refused.stderr_text().contains(".bashrc.tf-shim-copy"), "{refused}");
            assert_same(&contents(&sandbox.home()), &half);
            sandbox.write_at(&file, std::fs::read(&copy).unwrap());
            std::fs::remove_file(&copy).unwrap();
            done(&sandbox, args, 0);
            done(&sandbox, &["uninstall"], 0);
            assert_eq!(std::fs::read(&file).unwrap(), b"precious\n");
        }
    }
}

#[test]
fn uninstalling_takes_links_from_every_entry_of_path_and_tells_what_stays() {
    let sandbox = with_bash();
    let own = sandbox.path("own-bin");
    let named = own.to_str().unwrap();
    sandbox.write_at(&own.join("other"), "mine");
    done(&sandbox, &["install", named], 0);
    shim(&sandbox, ["save"]).run().assert_status(0);
    let path = std::env::join_paths([own.clone(), sandbox.bin(), own.clone()]).unwrap();
    let dry = shim(&sandbox, ["uninstall", "--dry-run"]).env("PATH", &path).run();
    assert!(own.join("terraform").is_symlink(), "{dry}");
    let gone = shim(&sandbox, ["uninstall"]).env("PATH", &path).run();
    gone.assert_status(0);
    let said = gone.names.apply(&gone.stdout_text());
    assert!(!own.join("terraform").is_symlink() && own.join("other").exists(), "{gone}");
    assert_eq!(std::fs::read_dir(&own).unwrap().count(), 1, "only what was there");
    assert!(said.contains("hash -r") && said.contains("rm -r [STORE]"), "{gone}");
    assert!(sandbox.store().is_dir());
    let json = shim(&sandbox, ["uninstall", "--json"]).run();
    let document = document(&json);
    assert_eq!(document["done"], serde_json::Value::Null);
    assert!(document["store"]["bytes"].as_u64().unwrap() > 100, "{document:#}");
    assert_eq!(document["links"], serde_json::json!([]));
}

#[test]
fn the_json_document_has_every_key() {
    let sandbox = with_bash();
    let call = done(&sandbox, &["install", "--edit", "--yes", "--json"], 0);
    let document = document(&call);
    let keys: Vec<&String> = document.as_object().unwrap().keys().collect();
    let wanted =
        "format_version done program directory links on_path shell start_file lines edits warnings";
    assert_eq!(keys, wanted.split(' ').collect::<Vec<_>>());
    assert_eq!(document["done"], "installed");
    assert_eq!(document["shell"], "bash");
    let actions: Vec<_> =
        document["links"].as_array().unwrap().iter().map(|link| link["action"].clone()).collect();
    assert_eq!(actions, ["make", "skip"]);
    assert_eq!(document["edits"][0]["action"], "create");
}

#[test]
fn the_way_back_that_is_printed_names_the_directory_and_a_block_leads_to_it() {
    let sandbox = with_bash();
    let said = done(&sandbox, &["install", "../my dir/../it's"], 0);
    let directory = sandbox.project().parent().unwrap().join("it's");
    let word = format!("'{}'", directory.to_str().unwrap().replace('\'', "'\\''"));
    let text = said.stdout_text().replace('\n', " ");
    assert!(text.contains(&format!("tf shim uninstall {word}")), "{said}");
    assert!(text.contains(&format!("PATH={word}")), "{said}");
    done(&sandbox, &["uninstall", directory.to_str().unwrap()], 0);
    assert!(!directory.exists());
    let before = contents(&sandbox.home());
    for shell in ["/bin/bash", "/bin/fish"] {
        for place in ["zz", "a $b'c"] {
            let edit = shim(&sandbox, ["install", place, "--edit", "--yes"]).env("SHELL", shell);
            edit.run().assert_status(0);
            assert!(sandbox.project().join(place).join("terraform").is_symlink());
            done(&sandbox, &["uninstall"], 0);
            assert!(!sandbox.has(place), "{shell} {place}");
            assert_same(&contents(&sandbox.home()), &before);
        }
    }
}

#[test]
fn links_that_a_moved_program_left_behind_are_ours() {
    let sandbox = with_bash();
    let (old, new) = (sandbox.path("old/tf"), sandbox.path("new/tf"));
    sandbox.copy_tf(&old);
    sandbox.copy_tf(&new);
    let directory = sandbox.path("mine");
    let named = directory.to_str().unwrap();
    let call = |program: &Path, verb: &str| {
        let call = sandbox.program(program, ["shim", verb, named]);
        call.env("PATH", sandbox.bin()).run().assert_status(0);
    };
    call(&old, "install");
    std::fs::remove_file(&old).unwrap();
    call(&new, "install");
    assert_eq!(std::fs::read_link(directory.join("terraform")).unwrap(), new);
    sandbox.copy_tf(&old);
    std::fs::remove_file(&new).unwrap();
    call(&old, "uninstall");
    assert!(!directory.exists());
}

#[test]
fn the_block_says_nothing_that_a_shell_would_run() {
    let sandbox = with_bash();
    done(&sandbox, &["install", "--edit", "--yes"], 0);
    let text = std::fs::read_to_string(sandbox.home().join(".bashrc")).unwrap();
    assert!(!text.contains('`'), "{text}");
    let comments = text.lines().filter(|line| line.starts_with('#'));
    assert!(comments.into_iter().all(|line| !line.contains('$')), "{text}");
}

#[test]
fn a_start_file_that_leads_nowhere_is_told_before_anything_is_done() {
    let sandbox = with_bash();
    symlink("dotfiles/bashrc", sandbox.home().join(".bashrc")).unwrap();
    let before = contents(&sandbox.home());
    let refused = done(&sandbox, &["install", "--edit", "--yes"], 1);
    let said = refused.stderr_text();
    assert!(said.contains("a link to `dotfiles/bashrc`, which is not there"), "{refused}");
    assert_same(&contents(&sandbox.home()), &before);
}

#[test]
fn a_home_that_is_not_there_yet_is_made_and_goes_again() {
    let sandbox = with_bash();
    let home = sandbox.path("new/home");
    for args in [&["install", "--edit", "--yes"][..], &["uninstall"]] {
        shim(&sandbox, args.iter().copied()).env("HOME", &home).run().assert_status(0);
        assert_eq!(home.join(USUAL).join("terraform").is_symlink(), args[0] == "install");
    }
    assert!(!sandbox.path("new").exists());
}

#[test]
fn an_odd_start_file_of_another_shell_does_not_keep_the_rest_from_going() {
    let sandbox = with_bash();
    done(&sandbox, &["install", "--edit", "--yes"], 0);
    std::fs::create_dir(sandbox.home().join(".zshrc")).unwrap();
    let odd = sandbox.home().join(".bash_login");
    sandbox.write_at(&odd, vec![b' '; 17 << 20]);
    let told = done(&sandbox, &["uninstall"], 1);
    assert!(told.stdout_text().contains("passed over: too large"), "{told}");
    assert!(!sandbox.home().join(".local").exists() && !sandbox.home().join(".bashrc").exists());
    std::fs::remove_file(&odd).unwrap();
    done(&sandbox, &["uninstall"], 0);
}

#[test]
fn lines_that_a_person_wrote_are_named_and_left_alone() {
    let sandbox = with_bash();
    done(&sandbox, &["install"], 0);
    let file = sandbox.home().join(".bashrc");
    let text =
        "a=1\n# ~/.local/share/tf-shim/bin\nexport PATH=\"$HOME/.local/share/tf-shim/bin:$PATH\"\n";
    sandbox.write_at(&file, text);
    let call = done(&sandbox, &["uninstall", "--json"], 0);
    let by_hand = document(&call)["by_hand"].clone();
    assert_eq!(by_hand, serde_json::json!([{ "path": file, "line": 3 }]));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
}

#[test]
fn several_at_once_do_what_one_does() {
    let sandbox = with_bash();
    sandbox.write_at(&sandbox.home().join(".profile"), "a=1\n");
    let before = contents(&sandbox.home());
    let start = |_| shim(&sandbox, ["install", "--edit", "--yes"]).start();
    let running: Vec<_> = (0..8).map(start).collect();
    for run in running {
        run.finish().assert_status(0);
    }
    let text = std::fs::read_to_string(sandbox.home().join(".profile")).unwrap();
    assert_eq!(text.matches(">>> tf-shim").count(), 1, "{text}");
    done(&sandbox, &["uninstall"], 0);
    assert_same(&contents(&sandbox.home()), &before);
}

#[test]
fn a_variable_that_names_no_program_is_told() {
    let sandbox = with_bash();
    let call = shim(&sandbox, ["install"]).env("TF_SHIM_REAL", "/nowhere/terraform").run();
    assert!(call.stderr_text().contains("TF_SHIM_REAL names no file"), "{call}");
}

/// What a shell says is run, and an apply in it.
const SESSION: &str =
    "command -v terraform; terraform apply -auto-approve >/dev/null; echo status $?";

/// Installs into a home, works in every kind of that shell, uninstalls, and compares.
fn from_home_to_home(shell: &str, start_file: &str, kinds: &[&[&str]], session: &str) {
    let Some(sandbox) = Sandbox::new().with_real_terraform() else { return };
    let Some(program) = shells::find(shell) else { return };
    let sandbox = sandbox.with_variable("SHELL", &program).with_variable("TERM", "dumb");
    sandbox.write("main.tf", stage::resources(&["a"]));
    let file = sandbox.home().join(start_file);
    // The system's own start files may set PATH anew; a user's line brings the real one back.
    let bin = sandbox.bin();
    let path = match shell {
        "fish" => format!("set -gx PATH {} $PATH", bin.display()),
        _ => format!("export PATH={}:$PATH", bin.display()),
    };
    sandbox.write_at(&file, &path);
    let run = |args: &[&str], line: &str| {
        let args = args.iter().copied().chain(["-c", line]);
        let done = sandbox.program(&program, args).run();
        done.assert_status(0);
        done
    };
    // What a shell leaves in a home by itself is no trace of ours.
    for kind in kinds {
        let _ = run(kind, "true");
    }
    let before = contents(&sandbox.home());
    done(&sandbox, &["install", "--edit", "--yes"], 0);
    let link = sandbox.home().join(USUAL).join("terraform");
    for (at, kind) in kinds.iter().enumerate() {
        let said = run(kind, session).stdout_text();
        assert_eq!(said, format!("{}\nstatus 0\n", link.display()), "{kind:?}");
        assert_eq!(sandbox.history().runs().len(), at + 1, "one record each: {kind:?}");
    }
    done(&sandbox, &["uninstall"], 0);
    let mut after = contents(&sandbox.home());
    after.retain(|path, _| !path.starts_with(sandbox.store()));
    for above in sandbox.store().ancestors().skip(1) {
        if !before.contains_key(above) {
            after.remove(above);
        }
    }
    assert_same(&after, &before);
}

#[test]
fn from_home_to_home_in_bash() {
    let kinds: &[&[&str]] = &[&["-l"], &["-l", "-i"]];
    from_home_to_home("bash", ".profile", kinds, SESSION);
    from_home_to_home("bash", ".bash_profile", kinds, SESSION);
    from_home_to_home("bash", ".bashrc", &[&["-i"]], SESSION);
}

#[test]
fn from_home_to_home_in_zsh() {
    from_home_to_home("zsh", ".zshrc", &[&["-i"], &["-l", "-i"]], SESSION);
}

#[test]
fn from_home_to_home_in_fish() {
    let session = SESSION.replace("$?", "$status");
    from_home_to_home("fish", ".config/fish/config.fish", &[&[], &["-l"], &["-i"]], &session);
}

#[test]
fn a_new_shell_completes_after_the_edit() {
    for (shell, args) in [("bash", &["-i"][..]), ("zsh", &["-i"]), ("fish", &["-i"])] {
        let sandbox = Sandbox::new().with_fake(Scenario::terraform());
        let Some(program) = shells::find(shell) else { continue };
        let sandbox = sandbox.with_variable("SHELL", &program).with_variable("TERM", "xterm");
        let (file, prompt) = match shell {
            "bash" => (".bashrc", "PS1='ready> '\n"),
            "zsh" => (".zshrc", "PS1='ready> '\n"),
            _ => (".config/fish/config.fish", "function fish_prompt; echo 'ready> '; end\n"),
        };
        sandbox.write_at(&sandbox.home().join(file), prompt);
        done(&sandbox, &["install", "--edit", "--yes"], 0);
        let call = sandbox.program(&program, args.iter().copied());
        let mut running = call.on_terminal().start();
        running.wait_for_text("ready> ");
        running.type_text("terraform shim versi\t\r");
        running.wait_for_text("tf-shim 0.");
        running.type_text("exit\r");
        running.finish().assert_status(0);
    }
}
