//! Looking back: list, show, diff, cat, save, pin, which. What a person reads, and what a script reads.

use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use serde_json::Value;
use shim_tests::history::sha256;
use shim_tests::shim::{document, id, operations, shim, tree};
use shim_tests::{Sandbox, Scenario, Step, Transcript, stage, states};

/// The name Terraform gives a state.
const STATE: &str = "terraform.tfstate";

/// Returns a sandbox with a history of a fake Terraform: two applies and a `state rm`.
fn with_history() -> Sandbox {
    let sandbox = Sandbox::new().with_fake(Scenario::terraform());
    let steps = [("apply", 1, &["a"][..]), ("apply", 2, &["a", "b"]), ("state rm", 3, &["a"])];
    for (verb, serial, resources) in steps {
        let words: Vec<&str> = verb.split(' ').collect();
        let write = Step::write(STATE, states::state(serial, resources));
        sandbox.play(Scenario::terraform().on(words.iter().copied(), [write]));
        let args = words.into_iter().chain((verb == "state rm").then_some("terraform_data.b"));
        sandbox.tf(args).run().assert_status(0);
    }
    sandbox
}

/// Runs `tf shim …`, and fails unless it ends with this status.
#[track_caller]
fn look(sandbox: &Sandbox, args: &[&str], status: i32) -> Transcript {
    let transcript = shim(sandbox, args.iter().copied()).run();
    transcript.assert_status(status);
    transcript
}

/// Returns the files of all objects in the store.
fn objects(sandbox: &Sandbox) -> Vec<PathBuf> {
    let all = tree(&sandbox.store()).into_keys();
    all.filter(|path| path.to_string_lossy().ends_with(".json.gz")).collect()
}

/// Fails unless an object has these keys.
#[track_caller]
fn assert_keys(value: &Value, keys: &str) {
    for key in keys.split(' ') {
        assert!(value.get(key).is_some(), "`{key}` is missing: {value:#}");
    }
}

#[test]
fn a_list_as_text_has_one_line_an_operation_newest_first() {
    let sandbox = with_history();
    let text = look(&sandbox, &["list"], 0).stdout_text();
    let lines: Vec<&str> = text.lines().skip(3).collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert!(lines[0].starts_with("@ ") && lines[0].contains("state rm"), "{text}");
    assert!(lines[0].contains("2 → 3") && lines[0].contains("+0 ~0 -1"), "{text}");
    assert!(lines[2].contains("- → 1"), "{text}");
    assert_eq!(look(&sandbox, &["log"], 0).stdout_text(), text);
    let one = look(&sandbox, &["list", "-n", "1"], 0).stdout_text();
    assert!(one.contains("state rm") && !one.contains("apply"), "{one}");
    let all = look(&sandbox, &["list", "-all"], 0).stdout_text();
    assert!(all.contains("project"), "{all}");
}

#[test]
fn the_json_documents_have_every_key_of_the_contract() {
    let sandbox = with_history();
    look(&sandbox, &["pin", "@-", "-m", "before vpc move"], 0);
    let list = document(&look(&sandbox, &["list", "--json"], 0));
    assert_keys(&list, "format_version state operations");
    assert_eq!(list["format_version"], "1.0");
    assert_keys(&list["state"], "key kind path workspace lineage");
    for operation in list["operations"].as_array().unwrap() {
        assert_keys(
            operation,
            "id seq kind verb argv started finished user host cwd terraform exit signal outcome \
             before after changes guards pinned note",
        );
        assert_keys(&operation["after"], "status lineage serial sha256 bytes resources");
        assert_keys(&operation["changes"], "add change remove");
        let started = operation["started"].as_str().unwrap();
        assert_eq!(started, "2026-11-20T10:00:00.000Z");
    }
    let pinned: Vec<_> =
        list["operations"].as_array().unwrap().iter().map(|op| op["pinned"] == true).collect();
    assert_eq!(pinned, [false, true, false]);
    look(&sandbox, &["unpin", "@-"], 0);
    assert!(operations(&sandbox).iter().all(|operation| operation["pinned"] == false));
    for args in [&["--json"][..], &["show"], &["diff"], &["save"], &["which"], &["version"]] {
        let args: Vec<&str> = args.iter().copied().chain(["-json"]).collect();
        let args = if args[0] == "--json" { vec!["--json"] } else { args };
        let report = document(&look(&sandbox, &args, 0));
        assert_eq!(report["format_version"], "1.0", "{args:?}: {report:#}");
    }
}

#[test]
fn cat_gives_the_exact_bytes_and_a_file_for_its_owner_only() {
    let sandbox = with_history();
    let wanted = states::state(2, &["a", "b"]).into_bytes();
    assert!(look(&sandbox, &["cat", "@-"], 0).stdout == wanted);
    look(&sandbox, &["cat", "@-", "-o", "out"], 0);
    assert!(sandbox.read("out") == wanted);
    assert_eq!(std::fs::metadata(sandbox.project().join("out")).unwrap().mode() & 0o777, 0o600);
    let exists = look(&sandbox, &["cat", "@", "-o", "out"], 1);
    assert!(exists.stderr_text().contains("--force"), "{exists}");
    assert!(sandbox.read("out") == wanted);
    look(&sandbox, &["cat", "@", "-o", "out", "-force"], 0);
    assert!(sandbox.read("out") == states::state(3, &["a"]).into_bytes());
    let by_content = format!("sha256:{}", &sha256(&wanted)[..12]);
    assert!(look(&sandbox, &["cat", &by_content], 0).stdout == wanted);
}

#[test]
fn diff_tells_by_its_status_where_that_is_asked_for() {
    let sandbox = with_history();
    let differs = look(&sandbox, &["diff", "@-", "@", "-detailed-exitcode"], 2);
    assert!(differs.stdout_text().contains("- terraform_data.b"), "{differs}");
    look(&sandbox, &["diff", "@-", "@"], 0);
    look(&sandbox, &["diff", "@", "now", "-detailed-exitcode"], 0);
}

#[test]
fn what_is_sensitive_is_never_shown_wherever_it_stands() {
    let Some(sandbox) = Sandbox::new().with_real_terraform() else { return };
    let configuration = |secret: &str| {
        format!(
            "resource \"terraform_data\" \"s\" {{\n  input = sensitive(\"{secret}\")\n}}\n\
             resource \"terraform_data\" \"copy\" {{\n  input = \"{secret}\"\n}}\n\
             output \"o\" {{\n  value = \"{secret}\"\n  sensitive = true\n}}\n"
        )
    };
    for secret in ["canary-one-1", "canary-two-2"] {
        sandbox.write("main.tf", configuration(secret));
        sandbox.tf(["apply", "-auto-approve"]).run().assert_status(0);
    }
    sandbox.write(STATE, "{");
    let commands: [&[&str]; 6] = [
        &["diff", "@-", "@"],
        &["diff", "@-", "@", "--json"],
        &["show"],
        &["show", "--json"],
        &["list", "--json"],
        &["restore", "@-", "--dry-run", "--json"],
    ];
    for command in commands {
        let shown = look(&sandbox, command, 0);
        let text = shown.stdout_text() + &shown.stderr_text();
        assert!(!text.contains("canary"), "{shown}");
    }
}

#[test]
fn looking_needs_no_terraform_and_no_sound_configuration() {
    let sandbox = with_history();
    let listed = look(&sandbox, &["list"], 0).stdout;
    std::fs::remove_file(sandbox.bin().join("terraform")).unwrap();
    assert!(look(&sandbox, &["list"], 0).stdout == listed);
    for args in [&["show"][..], &["diff"], &["cat", "@"], &[]] {
        look(&sandbox, args, 0);
    }
    sandbox.write_at(&sandbox.config(), "stroe = \"/x\"\n");
    let broken = look(&sandbox, &["list"], 0);
    assert!(broken.stdout == listed, "{broken}");
    assert!(broken.stderr_text().contains("stroe"), "{broken}");
    look(&sandbox, &["restore", "@-", "--yes"], 125);
}

#[test]
fn other_directories_states_and_stores_can_be_named() {
    let sandbox = with_history();
    let listed = look(&sandbox, &["list", "--json"], 0).stdout;
    let from_above = sandbox.tf(["-chdir=../project", "shim", "list", "--json"]).run();
    assert!(
        document(&from_above)["operations"]
            == document(&look(&sandbox, &["list", "-json"], 0))["operations"]
    );
    sandbox.write("other.tfstate", states::state(9, &["z"]));
    look(&sandbox, &["save", "--state", "other.tfstate"], 0);
    assert!(look(&sandbox, &["list", "--json"], 0).stdout == listed, "histories are apart");
    let other = look(&sandbox, &["cat", "@", "-state=other.tfstate"], 0);
    assert!(other.stdout == states::state(9, &["z"]).into_bytes());
    let store = sandbox.path("another").into_os_string().into_string().unwrap();
    let empty = document(&look(&sandbox, &["list", "--json", "--store", &store], 0));
    assert_eq!(empty["operations"], Value::Array(Vec::new()));
    let blue = document(&look(&sandbox, &["list", "--json", "-workspace", "blue"], 0));
    assert_eq!(blue["state"]["workspace"], "blue");
}

#[test]
fn a_reference_that_names_nothing_is_an_error_with_candidates() {
    let sandbox = with_history();
    let newest = operations(&sandbox).remove(0);
    let unknown = look(&sandbox, &["cat", "ffff0000"], 1);
    assert!(unknown.stderr_text().contains(&id(&newest)[..8]), "{unknown}");
    look(&sandbox, &["cat", "serial:99"], 1);
    for syntax in ["abc", "serial:", "sha256:12", "@x", "before:", "2026-13-01"] {
        look(&sandbox, &["cat", syntax], 64);
    }
    look(&sandbox, &["lst"], 64);
    look(&sandbox, &["list", "--nonsense"], 64);
}

#[test]
fn a_damaged_or_lost_object_is_named_with_good_neighbours_and_never_handed_out() {
    let sandbox = with_history();
    let known = operations(&sandbox);
    let wanted = known[1]["after"]["sha256"].as_str().unwrap();
    let object = objects(&sandbox).into_iter().find(|path| path.to_string_lossy().contains(wanted));
    let object = object.unwrap();
    let mut bytes = std::fs::read(&object).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::remove_file(&object).unwrap();
    sandbox.write_at(&object, &bytes);
    for loss in ["flipped", "lost"] {
        if loss == "lost" {
            std::fs::remove_file(&object).unwrap();
        }
        for args in [&["cat", "@-"][..], &["restore", "@-", "--yes"]] {
            let refused = look(&sandbox, args, 1);
            assert!(refused.stdout.is_empty(), "{refused}");
            let said = refused.stderr_text();
            assert!(said.contains(&id(&known[1])[..8]), "{loss}: {refused}");
            assert!(said.contains(&id(&known[0])[..8]), "a good neighbour, {loss}: {refused}");
        }
        assert!(sandbox.read(STATE) == states::state(3, &["a"]).into_bytes());
        look(&sandbox, &["list"], 0);
        look(&sandbox, &["cat", "@"], 0);
    }
}

#[test]
fn a_newer_store_is_refused_and_an_unusable_one_is_named() {
    let sandbox = with_history();
    let format = sandbox.store().join("FORMAT");
    let text = std::fs::read_to_string(&format).unwrap();
    let newer = text
        .replace("\"min_read\":1", "\"min_read\":99")
        .replace("\"min_write\":1", "\"min_write\":99");
    assert_ne!(newer, text);
    std::fs::remove_file(&format).unwrap();
    sandbox.write_at(&format, newer);
    for args in [&["list"][..], &["restore", "@-", "--yes"], &["save"]] {
        let refused = look(&sandbox, args, 3);
        assert!(refused.stderr_text().contains("newer tf"), "{refused}");
    }
    let file = sandbox.path("file");
    sandbox.write_at(&file, "no store");
    let file = file.into_os_string().into_string().unwrap();
    let unusable = look(&sandbox, &["list", "--store", &file], 125);
    assert!(unusable.stderr_text().contains("[ROOT]") || unusable.stderr_text().contains(&file));
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let sandbox = with_history();
    let big = states::state_of_size(50, 1 << 20);
    sandbox.write(STATE, &big);
    look(&sandbox, &["save"], 0);
    let script = sandbox.path("pipe");
    let tf = sandbox.tf_program();
    let body = format!(
        "{{ {} shim cat @; echo \"status $?\" >&2; }} | /usr/bin/head -c 10 >/dev/null",
        tf.display()
    );
    sandbox.write_script(&script, &body);
    let done = sandbox.program(&script, [] as [&str; 0]).run();
    assert_eq!(done.stderr_text(), "status 0\n", "{done}");
}

#[test]
fn colours_are_for_terminals_and_for_those_who_ask() {
    let sandbox = with_history();
    let is_coloured = |bytes: &[u8]| bytes.contains(&0x1b);
    assert!(!is_coloured(&look(&sandbox, &["list"], 0).stdout));
    assert!(is_coloured(&look(&sandbox, &["list", "--color", "always"], 0).stdout));
    let terminal =
        |args: &[&str]| shim(&sandbox, args.iter().copied()).env("TERM", "xterm").on_terminal();
    assert!(is_coloured(&terminal(&["list"]).run().screen.unwrap()));
    assert!(!is_coloured(&terminal(&["list", "-color=never"]).run().screen.unwrap()));
    assert!(!is_coloured(&terminal(&["list"]).env("NO_COLOR", "1").run().screen.unwrap()));
    assert!(!is_coloured(&terminal(&["list"]).env("TERM", "dumb").run().screen.unwrap()));
}

#[test]
fn which_tells_how_a_command_line_would_be_treated() {
    let sandbox = Sandbox::new().with_fake(Scenario::terraform());
    sandbox.write("main.tf", stage::resources(&["a"]));
    let guarded = look(&sandbox, &["which", "--", "apply"], 0).stdout_text();
    assert!(guarded.contains("guard") && guarded.contains(STATE), "{guarded}");
    let forwarded = look(&sandbox, &["which", "--", "plan"], 0).stdout_text();
    assert!(forwarded.contains("forward"), "{forwarded}");
    let none = Sandbox::new();
    look(&none, &["which"], 127);
    look(&none, &["help"], 0);
    look(&none, &["version"], 0);
}

#[test]
fn a_history_without_its_beginning_says_so() {
    let sandbox = Sandbox::new().with_fake(Scenario::terraform());
    sandbox.write(STATE, states::state(1, &["a"]));
    shim(&sandbox, ["save"]).run().assert_status(0);
    let journal = sandbox.history().directory.join("journal");
    let first = journal.join("00000001.jsonl");
    let whole = std::fs::read(&first).unwrap();
    // A torn tail makes the next record open a second segment.
    sandbox.write_at(&first, &whole[..whole.len() - 10]);
    shim(&sandbox, ["save"]).run().assert_status(0);
    assert!(journal.join("00000002.jsonl").exists());
    std::fs::remove_file(first).unwrap();
    let listed = shim(&sandbox, ["list"]).run();
    listed.assert_status(0);
    assert!(listed.stderr_text().contains("00000002.jsonl"), "{listed}");
}
