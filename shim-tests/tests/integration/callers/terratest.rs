//! terratest: `init`, `apply`, `plan`, `output`, `destroy`, and whatever it printed in one log.
//!
//! Its `modules/shell/command.go` and `modules/terraform` (November 2026): both pipes are read to their
//! ends before the process is waited for; stdin is inherited; `plan` must end with 0, 1 or 2; outputs are
//! read from stdout alone.

use shim_tests::callers::{Place, assert_ends, in_both, json};

use super::{configured, recorded};

#[test]
fn a_test_applies_looks_plans_and_destroys() {
    let work = |place: &Place| {
        let lines: [&[&str]; 6] = [
            &["init", "-upgrade=false", "-no-color"],
            &[
                "apply",
                "-input=false",
                "-auto-approve",
                "-no-color",
                "-var",
                "size=big",
                "-lock=false",
            ],
            &["output", "-no-color", "-json"],
            &[
                "plan",
                "-input=false",
                "-lock=false",
                "-detailed-exitcode",
                "-no-color",
                "-var",
                "size=big",
            ],
            &["show", "-no-color", "-json"],
            &[
                "destroy",
                "-auto-approve",
                "-input=false",
                "-no-color",
                "-var",
                "size=big",
                "-lock=false",
            ],
        ];
        lines.iter().map(|args| place.call(args.iter().copied()).run()).collect()
    };
    let Some(both) = in_both(configured, work) else { return };
    assert_ends(&both.through, &[0; 6]);
    assert_eq!(json(&both.through[2])["size"]["value"], "big");
    assert_eq!(recorded(&both.place), ["apply", "destroy"]);
}

#[test]
fn both_streams_in_one_are_terraforms_alone() {
    let work = |place: &Place| {
        let both = |args: &str| place.shell(format!("terraform {args} 2>&1")).run();
        vec![
            both("apply -input=false -auto-approve -no-color"),
            both("apply -input=false -auto-approve -no-color -var other=1"),
            both("destroy -input=false -auto-approve -no-color"),
        ]
    };
    let Some(both) = in_both(configured, work) else { return };
    assert_ends(&both.through, &[0, 1, 0]);
}
