//! The matrix: Terraform against itself, and against the shim. One half is called as `tf`, the other
//! through a symlink; the command of `docs/fidelity.md` does all of it both ways.

use std::collections::BTreeSet;

use shim_tests::twins::matrix::matrix;
use shim_tests::twins::suite::{Manner, Tally};
use shim_tests::twins::{Behind, Case, Who};

use super::worlds;

/// Carries out half of the matrix, and all that is cheap: plainly once more, and through the shim.
fn carry_out_half(half: usize, who: Who) -> Option<Tally> {
    let is_meant = |(number, case): &(usize, Case)| {
        number % 2 == half || !matches!(case.behind, Behind::Terraform)
    };
    let cases = matrix().into_iter().enumerate().filter(is_meant);
    let cases: Vec<Case> = cases.map(|(_, case)| case).collect();
    let manner = Manner { shimmed: &[Who::Plain, who], threads: 2, shrinks: false };
    let tally = Tally::of(worlds()?, cases.len(), &|number| cases[number].clone(), manner);
    assert!(tally.found.is_empty(), "{}", tally.complaint());
    assert_eq!(tally.comparisons, 2 * tally.cases);
    let real_work = [tally.ended_well, tally.recorded, tally.changed];
    assert!(real_work.iter().all(|count| *count >= 50), "{real_work:?} of {}", tally.cases);
    Some(tally)
}

#[test]
fn terraform_differs_neither_from_itself_nor_from_tf() {
    let _skipped = carry_out_half(0, Who::Tf);
}

#[test]
fn terraform_differs_neither_from_itself_nor_from_a_symlink_to_tf() {
    let _skipped = carry_out_half(1, Who::Terraform);
}

/// Returns the commands that a help of Terraform lists behind a heading: each on a line of its own,
/// indented, two blanks or more before its text.
fn listed(help: &str, headings: &[&str]) -> Vec<String> {
    let mut is_list = false;
    let lines = help.lines().filter(|line| {
        if !line.starts_with(' ') && !line.is_empty() {
            is_list = headings.contains(line);
        }
        is_list && line.starts_with("  ")
    });
    let words = lines.filter_map(|line| line.trim_start().split_once("  "));
    words.map(|(word, _)| word.to_owned()).collect()
}

#[test]
fn every_command_of_the_help_and_its_subcommands_is_in_the_matrix() {
    let Some(sandbox) = shim_tests::Sandbox::new().with_real_terraform() else { return };
    let help = |args: &[&str]| {
        let args = args.iter().copied().chain(["-help"]);
        let headings = ["Main commands:", "All other commands:", "Subcommands:"];
        listed(&sandbox.terraform(args).run().stdout_text(), &headings)
    };
    let mut commands = BTreeSet::new();
    for command in help(&[]) {
        commands.extend(help(&[&command]).into_iter().map(|sub| format!("{command} {sub}")));
        commands.insert(command);
    }
    assert!(commands.len() > 30 && commands.contains("state mv"), "{commands:?}");
    let cases = matrix();
    let is_there = |words: &str| {
        let words: Vec<&str> = words.split(' ').collect();
        cases.iter().any(|case| {
            matches!(case.behind, Behind::Terraform)
                && case.args.len() >= words.len()
                && words.iter().zip(&case.args).all(|(word, arg)| arg == word)
        })
    };
    let missing: Vec<&String> = commands.iter().filter(|command| !is_there(command)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
