//! pre-commit, and the hooks of pre-commit-terraform, which are shell scripts around three commands.
//!
//! `hooks/_common.sh`, `terraform_fmt.sh` and `terraform_validate.sh` of antonbabenko/pre-commit-terraform
//! (November 2026): the program is that of `--tf-path`, `PCT_TFPATH`, `TERRAGRUNT_TFPATH`, else `terraform`;
//! `fmt` with the file; `validate`, and where that fails `init -backend=false` and `validate` again, both
//! streams in one variable; many directories at the same time. `pre-commit` itself is run with the recipe,
//! see the chapter of the recipes.

use shim_tests::callers::{Place, assert_ends, in_both, json};
use shim_tests::{Sandbox, Transcript};

use super::{STATE, applied, configured};

/// Runs a line of the hooks, with the program in `$tool_path`.
fn hook(place: &Place, line: &str) -> Transcript {
    place.shell(line).env("tool_path", place.terraform()).env("TF_IN_AUTOMATION", "1").run()
}

#[test]
fn format_and_validate_are_the_same() {
    let set = |sandbox: &Sandbox| {
        configured(sandbox);
        sandbox.write("odd.tf", "locals {\na=1\n}\n");
    };
    let work = |place: &Place| {
        vec![
            hook(place, "\"$tool_path\" fmt -check -diff odd.tf 2>&1"),
            hook(place, "\"$tool_path\" fmt odd.tf"),
            hook(place, "\"$tool_path\" validate > /dev/null 2>&1"),
            hook(
                place,
                "out=$(\"$tool_path\" init -backend=false 2>&1); code=$?; echo \"$out\"; exit $code",
            ),
            hook(place, "\"$tool_path\" validate -json"),
        ]
    };
    let Some(both) = in_both(set, work) else { return };
    assert_ends(&both.through, &[3, 0, 0, 0, 0]);
    assert_eq!(json(&both.through[4])["valid"], true);
    assert!(both.place.sandbox.histories().is_empty(), "a hook leaves no trace");
}

#[test]
fn a_hook_beside_a_state_leaves_the_state_and_says_nothing() {
    let work = |place: &Place| vec![hook(place, "\"$tool_path\" init -backend=false 2>&1")];
    let Some(both) = in_both(applied, work) else { return };
    assert_ends(&both.through, &[0]);
    let runs = both.place.sandbox.history_of(STATE).runs();
    assert!(runs.iter().all(|run| run.before == run.after), "{runs:#?}");
}
