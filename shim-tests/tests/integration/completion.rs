//! Completion: Terraform's own through the shim, and ours on top of it, in the shells themselves.
//!
//! Terraform lists its commands in another order each time (Go's maps, 1.11.4), so answers of several
//! words are compared sorted. Shells are looked for on the machine; a test without one says so and skips.

use std::path::{Path, PathBuf};

use shim_tests::shim::{id, operations_of, shim};
use shim_tests::{Sandbox, Scenario, Step, Transcript, programs, shells, stage};

/// The answer to a request for completion, comparable.
fn answer(transcript: &Transcript) -> (Vec<String>, String, Option<i32>) {
    let mut lines: Vec<String> = transcript.stdout_text().split('\n').map(str::to_owned).collect();
    lines.sort();
    (lines, transcript.stderr_text(), transcript.status())
}

/// Lines, and where the cursor is; none: at the end.
const LINES: &[(&str, Option<&str>)] = &[
    ("terraform ", None),
    ("terraform", None),
    ("terraform a", None),
    ("terraform ap", Some("11")),
    ("terraform apply foo", Some("11")),
    ("terraform apply", Some("99")),
    ("terraform apply", Some("x")),
    ("terraform -", None),
    ("terraform -chdir=sub wor", None),
    ("terraform state ", None),
    ("terraform workspace select ", None),
    ("terraform apply -auto", None),
    ("terraform shim ", None),
    ("terraform shim list --", None),
    ("terraform 'open", None),
    ("tf st", None),
    (" ", None),
];

#[test]
fn terraforms_own_completion_is_the_same_through_us() {
    for name in ["tf", "terraform"] {
        let Some(sandbox) = Sandbox::new().with_real_terraform() else { return };
        let sandbox = if name == "tf" { sandbox } else { sandbox.called_as(name) };
        sandbox.write("main.tf", stage::resources(&["a"]));
        for (line, point) in LINES {
            // What bash gives as arguments: the command, the word, the one before it.
            let args = [name, line.rsplit(' ').next().unwrap_or_default(), "x"];
            let ask = |call: shim_tests::Invocation<'_>| {
                let call = call.env("COMP_LINE", *line);
                point.map_or(call.clone(), |point| call.env("COMP_POINT", point)).run()
            };
            let (without, with) = (ask(sandbox.terraform(args)), ask(sandbox.tf(args)));
            assert_eq!(answer(&with), answer(&without), "{name}: {line}");
            if without.stdout_text().lines().count() < 2 {
                assert_eq!(with.stdout, without.stdout, "{name}: {line}");
            }
        }
        assert!(!sandbox.store().exists(), "a Tab leaves nothing");
    }
}

#[test]
fn whatever_the_arguments_are_a_request_for_completion_is_only_answered() {
    let Some(sandbox) = Sandbox::new().with_real_terraform() else { return };
    sandbox.write("main.tf", stage::resources(&["a"]));
    for args in [&["apply", "-auto-approve"][..], &["shim", "save"], &["-chdir=.", "shim"]] {
        let line = "terraform vali";
        let (without, with) = (sandbox.terraform(args.to_vec()), sandbox.tf(args.to_vec()));
        let without = without.env("COMP_LINE", line).run();
        let with = with.env("COMP_LINE", line).run();
        assert_eq!(with.stdout_text(), "validate\n", "{with}");
        assert_eq!(answer(&with), answer(&without), "{args:?}");
        assert!(!sandbox.has("terraform.tfstate") && !sandbox.store().exists(), "{args:?}");
    }
}

#[test]
fn a_request_for_completion_reaches_tofu_as_it_came() {
    let odd = Scenario::new().otherwise([Step::stdout(&b"one\xff\ntwo"[..]), Step::Exit(3)]);
    let sandbox = Sandbox::new().with_fake(odd).called_as("tofu");
    sandbox.put_on_path("tofu", &programs::find("fake-terraform"));
    let args = ["tofu", "ap", "tofu"];
    let call = sandbox.tf(args).env("COMP_LINE", "tofu shim ap").env("COMP_POINT", "7");
    let transcript = call.run();
    transcript.assert_status(3);
    assert_eq!(transcript.stdout, b"one\xff\ntwo");
    let call = transcript.only_call();
    assert_eq!(call.args(), args);
    assert_eq!(call.variable("COMP_LINE").as_deref(), Some("tofu shim ap"));
    assert_eq!(call.variable("COMP_POINT").as_deref(), Some("7"));
}

/// A sandbox where `tf` and `terraform` are we, by links that come before the real one.
fn linked(sandbox: Sandbox) -> Sandbox {
    let ours = sandbox.path("ours");
    std::fs::create_dir(&ours).unwrap();
    for name in ["tf", "terraform"] {
        std::os::unix::fs::symlink(sandbox.tf_program(), ours.join(name)).unwrap();
    }
    let path = std::env::join_paths([ours, sandbox.bin()]).unwrap();
    sandbox.with_variable("PATH", path).with_variable("TERM", "xterm")
}

/// The same with a real Terraform and a history of two operations in `sub`.
fn with_history() -> Option<Sandbox> {
    let sandbox = linked(Sandbox::new().with_real_terraform()?);
    for names in [&["a"][..], &["a", "b"]] {
        sandbox.write("sub/main.tf", stage::resources(names));
        sandbox.tf(["-chdir=sub", "apply", "-auto-approve"]).run().assert_status(0);
    }
    Some(sandbox)
}

/// The script of a shell.
fn script(sandbox: &Sandbox, shell: &str) -> Vec<u8> {
    let call = sandbox.program(&sandbox.path("ours/tf"), ["shim", "completion", shell]);
    let printed = call.run();
    printed.assert_status(0);
    assert!(printed.stderr.is_empty(), "{printed}");
    printed.stdout
}

/// What bash would offer for each line, by calling the function as bash does.
fn in_bash(sandbox: &Sandbox, before: &str, after: &str, lines: &[&str]) -> Option<Vec<String>> {
    let bash = shells::find("bash")?;
    let body = "while IFS= read -r line; do COMP_LINE=$line COMP_POINT=${#line} COMPREPLY=()\n\
                __tf_shim_complete \"${line%% *}\"; printf '%s\\n' \"${COMPREPLY[*]}\"; done";
    let text = format!("{before}\neval \"$(tf shim completion bash)\"\n{after}\n{body}\n");
    sandbox.write("words.bash", text);
    let call = sandbox.program(&bash, ["--norc", "words.bash"]);
    let done = call.stdin(lines.join("\n") + "\n").run();
    done.assert_status(0);
    assert!(done.stderr.is_empty(), "{done}");
    Some(done.stdout_text().lines().map(str::to_owned).collect())
}

#[test]
fn bash_completes_terraforms_words_and_ours() {
    let Some(sandbox) = with_history() else { return };
    let operations = operations_of(&sandbox, &["--state", "sub/terraform.tfstate"]);
    let newest = id(&operations[0])[..8].to_owned();
    let by_id = format!("tf -chdir=sub shim show {}", &newest[..5]);
    let cases = [
        ("tf sh", "shim show"),
        ("tf -chdir=sub shi", "shim"),
        ("terraform shi", "shim"),
        ("tf vali", "validate"),
        ("terraform -chdir=sub vali", "validate"),
        ("tf workspace sel", "select"),
        ("tf workspace select d", "default"),
        ("tf -no-color shi", ""),
        ("tf plan shi", ""),
        ("tf shim li", "list"),
        ("tf -chdir=sub shim li", "list"),
        ("tf shim -json li", "list"),
        ("tf shim list --al", "--all"),
        ("tf shim list -al", "-all"),
        ("tf shim list -all -al", ""),
        ("tf shim --color=", "auto always never"),
        ("tf shim list -color n", "never"),
        ("tf shim completion ", "bash fish zsh"),
        ("tf shim help res", "restore"),
        ("tf shim check --report gitlab-c", "gitlab-codequality="),
        ("tf shim check --report=jun", "junit="),
        ("tf shim which -- vali", "validate"),
        ("tf shim show n", "now"),
        ("tf -chdir=sub shim show serial:1", "1"),
        ("tf -chdir=sub shim show before:a", "apply"),
        ("tf -chdir=sub shim diff @ @", "@ @-"),
        ("tf shim --workspace d", "default"),
        (&by_id, &newest),
        ("tf shim nonsense ", ""),
        ("tf shim list \"--al", "--all"),
        ("~/../ours/tf shim li", "list"),
    ];
    let lines = cases.map(|(line, _)| line);
    for before in ["", "enable -n compopt", "set -o posix"] {
        let Some(found) = in_bash(&sandbox, before, "", &lines) else { return };
        for ((line, wanted), found) in cases.iter().zip(found) {
            let mut found: Vec<&str> = found.split(' ').collect();
            let mut wanted: Vec<&str> = wanted.split(' ').collect();
            found.sort_unstable();
            wanted.sort_unstable();
            assert_eq!(found, wanted, "{before}: {line}");
        }
    }
}

#[test]
fn every_word_of_terraform_is_offered_and_one_more() {
    let Some(sandbox) = with_history() else { return };
    let plain = sandbox.terraform([] as [&str; 0]).env("COMP_LINE", "terraform ").run();
    let (mut wanted, _, _) = answer(&plain);
    wanted.retain(|word| !word.is_empty());
    wanted.push("shim".to_owned());
    wanted.sort();
    let Some(found) = in_bash(&sandbox, "", "", &["tf ", "terraform ", "tf -chdir=sub "]) else {
        return;
    };
    for line in found {
        let mut words: Vec<&str> = line.split(' ').collect();
        words.sort_unstable();
        assert_eq!(words, wanted);
    }
}

#[test]
fn only_names_that_lead_to_us_are_served_and_terraforms_own_line_does_not_win() {
    let Some(sandbox) = with_history() else { return };
    let Some(bash) = shells::find("bash") else { return };
    let real = sandbox.bin().join("terraform");
    // What `terraform -install-autocomplete` writes (1.11.4).
    let theirs = format!("complete -o nospace -C {} terraform", real.display());
    let script = |names: &str| {
        format!("{names}\n{theirs}\neval \"$(tf shim completion bash)\"\ncomplete -p\n")
    };
    let registered = |names: &str| {
        sandbox.write("names.bash", script(names));
        let done = sandbox.program(&bash, ["--norc", "names.bash"]).run();
        done.assert_status(0);
        done.stdout_text()
    };
    let ours = |name: &str| format!("complete -F __tf_shim_complete {name}\n");
    let both = registered("");
    assert!(both.contains(&ours("tf")) && both.contains(&ours("terraform")), "{both}");
    assert!(!both.contains("tofu") && !both.contains(" -C "), "{both}");
    let (bin, own) = (sandbox.bin(), sandbox.path("ours"));
    let real_first = format!("PATH={}:{}", bin.display(), own.display());
    let one = registered(&real_first);
    let is_theirs = |text: &str| text.contains(" -C ") && !text.contains(&ours("terraform"));
    assert!(one.contains(&ours("tf")) && is_theirs(&one), "{one}");
    let alias = registered(&format!("{real_first}\nalias terraform='env A=1 tf'"));
    assert!(alias.contains(&ours("terraform")), "{alias}");
    let path = registered(&format!("{real_first}\nalias terraform=/opt/x/tf"));
    assert!(path.contains(&ours("terraform")), "{path}");
    let another = registered(&format!("{real_first}\nalias terraform='mytf -x'"));
    assert!(is_theirs(&another), "{another}");
    // A program that lies about is not run for a Tab, whatever it is called.
    sandbox.write_script(&sandbox.project().join("terraform"), ": > was-run");
    let odd = ["./terraform sh", "terraform sh", "./tf sh", "tf sh"];
    let found = in_bash(&sandbox, "", "PATH=.; __tf_shim_program=", &odd).unwrap();
    assert_eq!(found, ["", "", "", ""]);
    assert!(!sandbox.has("was-run"));
    // Terraform's words stay where the name no longer leads to us.
    let away = format!("PATH={}", bin.display());
    let found = in_bash(&sandbox, "", &away, &["terraform vali", "terraform shi"]).unwrap();
    assert_eq!(found, ["validate", ""]);
}

#[test]
fn a_tab_asks_nobody_and_says_nothing_where_it_need_not() {
    let sandbox = linked(Sandbox::new().with_fake(Scenario::terraform()));
    sandbox.write_at(&sandbox.config(), "stroe = 1\n");
    sandbox.write_at(&sandbox.store().join("FORMAT"), "nonsense");
    for line in ["tf shim show ", "tf shim li", "tf -chdir=nowhere shim show ", "tf shim list -"] {
        let done = shim(&sandbox, ["complete", "--", line]).run();
        done.assert_status(0);
        assert!(done.stderr.is_empty() && done.calls().is_empty(), "{done}");
        assert!(done.stdout_text().starts_with("words\t\n"), "{done}");
    }
    let dead = Sandbox::new();
    let done = shim(&dead, ["complete", "--", "tf "]).run();
    done.assert_status(0);
    assert_eq!(done.stdout_text().lines().count(), 2, "only our own word: {done}");
    assert!(done.stderr.is_empty(), "{done}");
}

#[test]
fn the_scripts_of_contrib_are_those_that_are_printed() {
    let sandbox = linked(Sandbox::new());
    let contrib = Path::new(env!("CARGO_MANIFEST_DIR")).join("../contrib/completions");
    for (shell, name) in [("bash", "tf.bash"), ("zsh", "_tf"), ("fish", "tf.fish")] {
        let printed = String::from_utf8(script(&sandbox, shell)).unwrap();
        let file = std::fs::read_to_string(contrib.join(name)).unwrap();
        let differing: Vec<_> =
            printed.lines().zip(file.lines()).filter(|(ours, theirs)| ours != theirs).collect();
        assert_eq!(printed.lines().count(), file.lines().count());
        let [(ours, theirs)] = differing[..] else { panic!("{shell}: {differing:?}") };
        assert!(theirs.ends_with("''"), "{theirs}");
        let wanted = theirs.replace("''", &format!("'{}'", sandbox.path("ours/tf").display()));
        assert_eq!(ours, wanted);
        let json = shim(&sandbox, ["completion", shell, "--json"]).run();
        assert_eq!(shim_tests::shim::document(&json)["shell"], shell);
    }
    shim(&sandbox, ["completion", "tcsh"]).run().assert_status(64);
}

#[test]
fn fish_completes_terraforms_words_and_ours() {
    let Some(sandbox) = with_history() else { return };
    let Some(fish) = shells::find("fish") else { return };
    let cases = [
        ("tf shim l", "list\tList the operations on this state, newest first"),
        ("tf vali", "validate"),
        ("terraform shi", "shim\tthe history of the state: list, diff, restore, check"),
        ("tf shim --color=n", "--color=never"),
        ("tf -chdir=sub shim show serial:1", "serial:1\tapply, serial 1"),
        ("tf -chdir=su", "-chdir=sub/\tDirectory"),
        ("tf shim check --report json=su", "json=sub/"),
        ("tf shim list --store su", "sub/\tDirectory"),
        ("A=1 tf shim versi", "version\tShow the version of tf"),
    ];
    // fish lists files with it.
    sandbox.put_on_path("ls", Path::new("/bin/ls"));
    let lines: Vec<_> = cases.iter().map(|(line, _)| format!("complete -C '{line}'")).collect();
    let script = format!("tf shim completion fish | source\n{}\n", lines.join("\n"));
    sandbox.write("words.fish", script);
    let done = sandbox.program(&fish, ["--no-config", "words.fish"]).run();
    done.assert_status(0);
    assert!(done.stderr.is_empty(), "{done}");
    let found = done.stdout_text();
    let wanted: Vec<&str> = cases.iter().map(|(_, wanted)| *wanted).collect();
    assert_eq!(found.lines().collect::<Vec<_>>(), wanted);
}

#[test]
fn in_fish_the_file_of_terraforms_own_completion_does_not_win() {
    let Some(sandbox) = with_history() else { return };
    let Some(fish) = shells::find("fish") else { return };
    // What `terraform -install-autocomplete` writes (1.11.4).
    let theirs = "function __complete_terraform\n    set -lx COMP_LINE (commandline -cp)\n    \
                  test -z (commandline -ct)\n    and set COMP_LINE \"$COMP_LINE \"\n    terraform\nend\n\
                  complete -f -c terraform -a \"(__complete_terraform)\"\n";
    let file = sandbox.home().join(".config/fish/completions/terraform.fish");
    sandbox.write_at(&file, theirs);
    let script = "tf shim completion fish | source\ncomplete -C 'terraform shim l'\ncomplete -C 'terraform logi'\n";
    sandbox.write("words.fish", script);
    let done = sandbox.program(&fish, ["words.fish"]).run();
    done.assert_status(0);
    let found = done.stdout_text();
    let words: Vec<&str> = found.lines().map(|line| line.split('\t').next().unwrap()).collect();
    assert_eq!(words, ["list", "login"], "{done}");
}

/// Types at a shell, with Tabs, and waits for what each line leads to.
fn at_a_prompt(sandbox: &Sandbox, shell: &Path, args: &[&str], typed: &[(&str, &str)]) {
    let call = sandbox.program(shell, args.iter().copied()).env("PS1", "ready> ");
    let mut running = call.on_terminal().start();
    running.wait_for_text("ready> ");
    for (text, wanted) in typed {
        running.type_text(text);
        running.wait_for_text(wanted);
    }
    running.type_text("\x15exit\r");
    running.finish().assert_status(0);
}

/// What is typed at bash and zsh, and what has to come of it.
const TYPED: &[(&str, &str)] = &[
    ("tf shim vers\t\r", "tf-shim 0."),
    ("tf -chdir=sub vali\t\r", "The configuration is valid."),
    ("terraform -chdir=sub shim cat serial:1\t\r", "\"serial\": 1,"),
    ("tf shim un\t\t", "uninstall"),
];

#[test]
fn a_tab_completes_at_the_prompt_of_bash() {
    let Some(sandbox) = with_history() else { return };
    let Some(bash) = shells::find("bash") else { return };
    let start = ("eval \"$(tf shim completion bash)\"; echo lo'aded'\r", "loaded");
    let typed: Vec<_> = std::iter::once(&start).chain(TYPED).copied().collect();
    at_a_prompt(&sandbox, &bash, &["--norc", "--noprofile", "-i"], &typed);
}

#[test]
fn a_tab_completes_at_the_prompt_of_zsh_with_and_without_compinit() {
    let Some(sandbox) = with_history() else { return };
    let Some(zsh) = shells::find("zsh") else { return };
    let load = "eval \"$(tf shim completion zsh)\"";
    // What `terraform -install-autocomplete` writes (1.11.4) comes first.
    let theirs = format!(
        "autoload -U +X bashcompinit && bashcompinit; complete -o nospace -C {} terraform",
        sandbox.bin().join("terraform").display()
    );
    let with = format!("autoload -Uz compinit && compinit -u -D; {theirs}; {load}");
    for start in [load, &with] {
        let start = format!("{start}; echo lo'aded'\r");
        let start = format!("alias t=tf; {start}");
        let alias = ("t shim vers\t-json\r", "format_version");
        let typed: Vec<_> = [(start.as_str(), "loaded")]
            .into_iter()
            .chain(TYPED.iter().copied().take(3))
            .chain([alias, ("tf shim u\t\t", "unpin")])
            .collect();
        at_a_prompt(&sandbox, &zsh, &["-f", "-i"], &typed);
    }
}

#[test]
fn zsh_finds_the_script_of_contrib_in_its_fpath() {
    let Some(sandbox) = with_history() else { return };
    let Some(zsh) = shells::find("zsh") else { return };
    let contrib = Path::new(env!("CARGO_MANIFEST_DIR")).join("../contrib/completions");
    let contrib = contrib.canonicalize().unwrap();
    let start = format!(
        "fpath=({} $fpath); autoload -Uz compinit && compinit -u -D; echo lo'aded'\r",
        contrib.display()
    );
    let typed = [(start.as_str(), "loaded"), TYPED[0], TYPED[1]];
    at_a_prompt(&sandbox, &zsh, &["-f", "-i"], &typed);
}

#[test]
fn a_tab_completes_at_the_prompt_of_fish() {
    let Some(sandbox) = with_history() else { return };
    let Some(fish) = shells::find("fish") else { return };
    let prompt = "function fish_prompt; echo 'ready> '; end";
    let typed = [
        ("tf shim completion fish | source; echo lo'aded'\r", "loaded"),
        ("tf shim versi\t\r", "tf-shim 0."),
        ("tf -chdir=sub vali\t\r", "The configuration is valid."),
    ];
    at_a_prompt(&sandbox, &fish, &["--no-config", "-i", "-C", prompt], &typed);
}

/// A sandbox with the files of `contrib/shell`, real Terraform and a `tofu` that says its name.
fn with_aliases() -> Option<(Sandbox, PathBuf)> {
    let sandbox = Sandbox::new().with_real_terraform()?;
    let program = sandbox.tf_program();
    sandbox.put_on_path("tf", &program);
    sandbox.write_script(
        &sandbox.bin().join("tofu"),
        "[ -n \"$COMP_LINE\" ] && echo tofuword; echo \"tofu $1\"",
    );
    let sandbox = sandbox.with_variable("TERM", "xterm");
    sandbox.write("main.tf", stage::resources(&["a"]));
    let shell = Path::new(env!("CARGO_MANIFEST_DIR")).join("../contrib/shell");
    Some((sandbox, shell.canonicalize().unwrap()))
}

#[test]
fn the_aliases_of_contrib_lead_to_us_and_are_completed() {
    for shell in ["bash", "zsh", "fish"] {
        let Some((sandbox, contrib)) = with_aliases() else { return };
        let Some(program) = shells::find(shell) else { continue };
        let load = format!(". {}/tf-shim.{shell}; echo lo'aded'\r", contrib.display());
        let args: &[&str] = match shell {
            "bash" => &["--norc", "--noprofile", "-i"],
            "zsh" => &["-f", "-i"],
            _ => &["--no-config", "-i", "-C", "function fish_prompt; echo 'ready> '; end"],
        };
        let typed = [
            (load.as_str(), "loaded"),
            ("terraform shim versi\t\r", "tf-shim 0."),
            ("tofu version\r", "tofu version"),
            ("terraform apply -auto-approve\r", "Apply complete"),
            ("terraform shim li\t\r", "apply"),
        ];
        at_a_prompt(&sandbox, &program, args, &typed);
        assert_eq!(sandbox.history().runs().len(), 1, "{shell}");
    }
}
