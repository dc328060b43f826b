//! Programs, variables, start files and configuration.

use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use shim_tests::{Sandbox, Scenario, processes, wait_until};

use super::Ward;

/// A sandbox with a fake Terraform: it says its version.
fn ward() -> Ward {
    Ward::new(Sandbox::new().with_fake(Scenario::terraform()))
}

/// A `PATH` that begins with these.
fn path(ward: &Ward, first: &[PathBuf]) -> std::ffi::OsString {
    let rest = [ward.sandbox.bin(), ward.sandbox.path("tools")];
    std::env::join_paths(first.iter().cloned().chain(rest)).unwrap()
}

/// Writes a file into the home.
fn at_home(ward: &Ward, name: &str, text: &str) {
    ward.sandbox.write_at(&ward.sandbox.home().join(name), text);
}

#[test]
fn without_a_terraform_one_is_looked_for_in_the_usual_places() {
    let ward = Ward::new(Sandbox::new());
    // A developer's machine may have one there, and then this is its path.
    let found = ward.look();
    found.finding("real-missing", &["no real terraform or tofu found on PATH"]);
    let there = ward.sandbox.home().join("bin/terraform");
    ward.sandbox.write_script(&there, "echo 'Terraform v1.11.4'");
    let fix = ward.look().fix("real-missing", &["but `"]);
    let after = ward.cures("real-missing", &[]);
    assert!(after.document["facts"]["version"].is_string(), "{}", after.transcript);
    let unset = ward.without("PATH");
    assert!(!unset.look_behind(&fix).has("relative-path"), "`{fix}` makes an empty entry");
}

#[test]
fn a_wrong_tf_shim_real_is_unset_and_a_program_made_executable() {
    for wrong in ["relative", "/nowhere/terraform"] {
        ward().with("TF_SHIM_REAL", wrong).cures("real-missing", &[wrong]);
    }
    let ward = Ward::new(Sandbox::new());
    let program = ward.sandbox.bin().join("terraform");
    ward.sandbox.write_script(&program, "echo 'Terraform v1.11.4'");
    std::fs::set_permissions(&program, Permissions::from_mode(0o644)).unwrap();
    ward.cures("real-missing", &["not executable"]);
}

#[test]
fn a_program_that_does_not_answer_is_passed_over_for_another() {
    let ward = ward();
    let first = ward.sandbox.path("first");
    ward.sandbox.write_script(&first.join("terraform"), "echo 'no version is set' >&2; exit 1");
    let path = path(&ward, &[first]);
    let ward = ward.with("PATH", path);
    ward.cures("real-broken", &["first/terraform", "no version is set"]);
    ward.sandbox.write_script(&ward.sandbox.path("first/terraform"), "echo nonsense");
    ward.cures("real-broken", &["what it says is no version"]);
}

#[test]
fn a_program_that_hangs_is_given_up() {
    let ward = ward();
    let hangs = ward.sandbox.path("hangs");
    ward.sandbox.write_script(&hangs, "while :; do :; done");
    let ward = ward.with("TF_SHIM_REAL", hangs);
    ward.look().fix("real-broken", &["did not answer within 10 seconds"]);
}

#[test]
fn a_script_that_leads_back_is_a_loop() {
    let ward = ward();
    let script = ward.sandbox.path("wrapper/terraform");
    ward.sandbox
        .write_script(&script, &format!("exec {} \"$@\"", ward.sandbox.path("names/tf").display()));
    let ward = ward.with("TF_SHIM_REAL", script);
    ward.cures("loop", &["wrapper/terraform", "calls tf again"]);
}

#[test]
fn another_program_of_our_name_in_front_is_told_with_its_kind() {
    let ward = ward();
    let tenv = ward.sandbox.path("tenv bin");
    for name in ["tf", "tenv"] {
        ward.sandbox.write_script(&tenv.join(name), "exit 0");
    }
    let with_tenv = path(&ward, &[tenv]);
    let ward = ward.with("PATH", with_tenv);
    let after = ward.cures("shadowed", &["`tf` runs `", "tenv bin/tf` (tenv)", "bin/tf`"]);
    let entry = &after.document["facts"]["path"][1];
    assert_eq!((&entry["kind"], &entry["wins"]), (&"tenv".into(), &false.into()));
    // A symlink `terraform` to us that comes too late protects nobody.
    let links = ward.sandbox.path("links");
    std::fs::create_dir(&links).unwrap();
    symlink(ward.sandbox.tf_program(), links.join("terraform")).unwrap();
    let late =
        std::env::join_paths([ward.sandbox.bin(), ward.sandbox.path("tools"), links]).unwrap();
    let ward = Ward { set: vec![("PATH", late)], ..ward };
    ward.cures("shadowed", &["`terraform` runs `", "links/terraform`"]);
}

#[test]
fn links_of_a_tf_that_was_moved_are_listed_and_made_anew() {
    let ward = ward();
    let usual = ward.sandbox.home().join(".local/share/tf-shim/bin");
    let other = ward.sandbox.path("other");
    for (directory, name, target) in
        [(&usual, "terraform", "/gone/tf"), (&other, "tofu", "/gone/tf"), (&other, "tf", "/gone/x")]
    {
        std::fs::create_dir_all(directory).unwrap();
        symlink(target, directory.join(name)).unwrap();
    }
    let path = path(&ward, &[usual.clone(), other.clone()]);
    let ward = ward.with("PATH", path);
    let found = ward.look();
    let fix = found.fix("dangling-link", &["bin/terraform` leads to `/gone/tf`, which is not"]);
    assert!(fix.ends_with("/bin/tf shim install"), "{fix}");
    let ids = found.ids();
    assert_eq!(ids.iter().filter(|id| **id == "dangling-link").count(), 2, "not `tf`, a stranger");
    let listed = found.document["facts"]["path"].as_array().unwrap();
    let dangling: Vec<_> = listed.iter().filter(|entry| entry["kind"] == "dangling").collect();
    assert_eq!(dangling.len(), 3, "{}", found.transcript);
    assert!(dangling.iter().all(|entry| entry["wins"] == false));
    ward.look_behind(&fix).finding("dangling-link", &["other/tofu"]);
    ward.cures("dangling-link", &["other/tofu"]);
    std::fs::remove_file(other.join("tf")).unwrap();
    symlink("/gone/tf", other.join("tf")).unwrap();
    ward.cures("dangling-link", &["other/tf`"]);
}

#[test]
fn another_tf_is_no_terraform() {
    let ward = ward();
    let other = ward.sandbox.path("other");
    std::fs::create_dir(&other).unwrap();
    ward.sandbox.copy_tf(&other.join("tf"));
    let links = ward.sandbox.home().join(".local/share/tf-shim/bin");
    std::fs::create_dir_all(&links).unwrap();
    symlink(other.join("tf"), links.join("terraform")).unwrap();
    // Beside the real Terraform, our directory in front would leave the links behind.
    let beside = path(&ward, &[links.clone(), other.clone()]);
    let ward = ward.with("PATH", beside);
    ward.look().advice("another-tf", &["other/tf` is another tf, "]);
    let own = ward.sandbox.path("own");
    std::fs::create_dir(&own).unwrap();
    symlink(ward.sandbox.tf_program(), own.join("tf")).unwrap();
    let path = path(&ward, &[links, other, own]);
    let ward = Ward { set: vec![("PATH", path)], ..ward };
    let found = ward.look();
    assert!(!found.has("shadowed"), "{}", found.transcript);
    let entries = found.document["facts"]["path"].as_array().unwrap();
    let another = entries.iter().filter(|entry| entry["kind"] == "another-tf");
    assert_eq!(another.count(), 2, "{}", found.transcript);
    let fix = found.fix("another-tf", &["other/tf` is another tf, ", ", not this one"]);
    let after = ward.look_behind(&fix);
    let says = ["bin/terraform` is another tf, ", "it is run as the real Terraform"];
    let install = after.fix("another-tf", &says);
    assert!(install.ends_with(" shim install"), "{install}");
    let healed = ward.look_behind(&format!("{fix}\n{install}"));
    assert!(!healed.has("another-tf"), "{}", healed.transcript);
    let real = healed.document["facts"]["real"]["path"].as_str().unwrap();
    assert!(real.ends_with("/bin/terraform") && !real.contains("tf-shim/bin"), "{real}");
}

#[test]
fn a_stranger_is_not_taken_for_a_tf_and_that_of_a_manager_not_even_asked() {
    let ward = ward();
    let first = ward.sandbox.path("first");
    let asked = ward.sandbox.path("asked");
    let answers = format!("echo \"$@\" >> {}; echo '{{}}'", asked.display());
    ward.sandbox.write_script(&first.join("tf"), &answers);
    let path = path(&ward, std::slice::from_ref(&first));
    let ward = ward.with("PATH", path);
    ward.look_behind("").finding("shadowed", &["`tf` runs `"]);
    assert_eq!(std::fs::read_to_string(&asked).unwrap(), "shim version --json\n");
    std::fs::remove_file(&asked).unwrap();
    ward.sandbox.write_script(&first.join("tenv"), "exit 0");
    ward.look().finding("shadowed", &["(tenv)"]);
    assert!(!asked.exists(), "it was run");
}

#[test]
fn whoever_hangs_is_ended_with_what_it_started() {
    let ward = ward();
    let sleep = shim_tests::programs::on_path("sleep").unwrap();
    let alive = ward.sandbox.path("alive");
    let hangs = ward.sandbox.path("hangs");
    // The child writes its number, and holds nothing but the streams that it was given.
    ward.sandbox.write_script(
        &hangs,
        &format!("{} 600 &\necho $! > {}\nwait", sleep.display(), alive.display()),
    );
    let ward = ward.with("TF_SHIM_REAL", hangs);
    ward.look_behind("").fix("real-broken", &["did not answer within 10 seconds"]);
    let pid = std::fs::read_to_string(&alive).unwrap();
    let pid = pid.trim().parse().unwrap();
    wait_until("the end of the child", || !processes::is_alive(pid));
}

#[test]
fn a_tf_that_is_not_on_path_is_put_there() {
    let ward = ward();
    std::fs::remove_file(ward.sandbox.bin().join("tf")).unwrap();
    ward.cures("not-on-path", &["this tf is not on PATH"]);
    ward.sandbox.write_script(&ward.sandbox.bin().join("tf"), "exit 0");
    ward.cures("not-on-path", &["and `tf` is `"]);
}

#[test]
fn entries_of_path_that_are_not_absolute_are_taken_out() {
    let ward = ward();
    let mut odd = path(&ward, &[]);
    odd.push("::./bin:");
    let after = ward.with("PATH", odd).cures("relative-path", &["``, `./bin`"]);
    assert!(!after.has("real-missing") && !after.has("not-on-path"));
}

#[test]
fn aliases_and_a_bypass_in_start_files_are_found_by_line() {
    let ward = ward();
    at_home(&ward, ".bashrc", "# mine\nalias terraform='tf'\nalias tf='terraform'\n");
    ward.cures("alias", &[".bashrc:3`", "gives `tf` another meaning", "type -a tf"]);
    at_home(&ward, ".config/fish/config.fish", "alias tofu /usr/bin/tofu\n");
    ward.cures("alias", &["config.fish:1`"]);
    at_home(&ward, ".zshrc", "export TF_SHIM_BYPASS=1\n");
    ward.cures("bypass", &[".zshrc:1`"]);
}

#[test]
fn variables_that_are_wrong_or_unknown_are_unset() {
    ward().with("TF_SHIM_STORE", "store").cures("variable", &["TF_SHIM_STORE", "an absolute path"]);
    ward().with("TF_SHIM_ON_ERROR", "go").cures("variable", &["TF_SHIM_ON_ERROR", "`stop`"]);
    ward().with("TF_SHIM_ALLOW", "protected").cures("variable", &["TF_SHIM_ALLOW", "guards"]);
    ward().with("TF_SHIM_ALLOW", "missing-state").cures("allow", &["TF_SHIM_ALLOW"]);
    ward().with("TF_SHIM_READONLY", "1").cures("unknown-variable", &["`TF_SHIM_READONLY`"]);
    ward().with("TF_CLI_CONFIG_FILE", "/nowhere/rc").cures("cli-config", &["/nowhere/rc"]);
    ward().without("HOME").cures("no-home", &["HOME"]);
    let named = ward().without("HOME").with("TF_SHIM_STORE", "/nowhere/store").look();
    assert!(!named.has("no-home"), "{}", named.transcript);
}

#[test]
fn arguments_from_the_environment_are_taken_apart_as_terraform_does() {
    ward().with("TF_CLI_ARGS_plan", "-var 'x").cures("cli-args", &["`TF_CLI_ARGS_plan`"]);
    for flag in ["-lock=false", "--lock=F", "\"-lock=0\""] {
        let alone = ward().with("TF_CLI_ARGS", flag);
        assert_eq!(alone.look().fix("lock-off", &["`TF_CLI_ARGS`"]), "unset TF_CLI_ARGS");
        alone.cures("lock-off", &[]);
        let among = ward().with("TF_CLI_ARGS_apply", format!("-var 'a=b c' {flag} -parallelism=3"));
        let fix = among.look().fix("lock-off", &[]);
        among.cures("lock-off", &[]);
        let kept = among.look_behind(&format!("{fix}\necho \"$TF_CLI_ARGS_apply\""));
        let text = kept.transcript.stdout_text();
        assert_eq!(text.lines().next(), Some("-var 'a=b c' -parallelism=3"), "{flag}");
    }
    let on = ward().with("TF_CLI_ARGS", "-lock=true -lock-timeout=3s").look();
    assert!(!on.has("lock-off") && !on.has("cli-args"));
}

#[test]
fn faults_of_configuration_files_are_told_with_file_and_line_all_at_once() {
    let ward = ward();
    ward.sandbox.write_at(&ward.sandbox.config(), "on_error = \"stop\"\nstroe = \"/x\"\n");
    ward.sandbox.write(".tf-shim.toml", "store = \"/x\"\n");
    let found = ward.look();
    assert_eq!(found.ids().iter().filter(|id| **id == "configuration").count(), 2);
    let user = found.fix("configuration", &["config.toml:2: unknown key `stroe`"]);
    let project = ward.look_behind(&user).fix("configuration", &[".tf-shim.toml:1", "not allowed"]);
    let after = ward.look_behind(&project);
    assert!(!after.has("configuration"), "{}", after.transcript);
    ward.sandbox.write(".tf-shim.toml", "[guard]\n\nprotect = [\n");
    let fix = ward.look().fix("configuration", &[".tf-shim.toml:3"]);
    assert!(fix.starts_with("\"${EDITOR:-vi}\" +3 "), "{fix}");
    let editor = ward.sandbox.path("editor");
    ward.sandbox.write_script(&editor, "exec sed -i \"${1#+}s/^/# /\" \"$2\"");
    ward.with("EDITOR", editor).cures("configuration", &[]);
}
