//! Answers, and streams that are files, closed, or read by somebody who has gone.

use crate::twins::{Case, Input, Output, World};

/// What is asked for, and where.
const ASKING: &[(World, &str)] = &[
    (World::Fresh, "apply"),
    (World::Changed, "apply -no-color"),
    (World::Applied, "destroy"),
    (World::Http, "destroy"),
    (World::Rich, "apply -input=false -var tag=two"),
    (World::Lone, "state replace-provider terraform.io/builtin/terraform a/b/c"),
    (World::Rich, "force-unlock id"),
    (World::HttpLocked, "force-unlock somebody"),
    (World::Uninitialised, "init"),
    (World::HttpFresh, "init"),
];

/// What is answered.
const ANSWERS: &[&str] = &["yes\n", "no\n", "yes", "", "YES\n", "\n"];

/// What is answered to two questions. Where the input ends between them, Terraform 1.11.4 waits for ever
/// once in some hundred runs, also without us.
const TWO_ANSWERS: &[&str] = &["told\nyes\n", "told\nno\n", "told\nYES\n", "told", ""];

pub(super) fn cases() -> Vec<Case> {
    let twice = TWO_ANSWERS.iter().map(|answers| Case::new(World::Asking, "apply").answer(answers));
    let asked = ASKING.iter().flat_map(|(world, line)| {
        let answers = ANSWERS.iter().map(|answer| Input::Bytes((*answer).into()));
        let odd = [Input::Null, Input::Closed, Input::File(b"yes\n".to_vec())];
        answers.chain(odd).map(|input| Case::new(*world, line).input(input))
    });
    let mut cases: Vec<Case> = asked.chain(twice).collect();
    for input in [
        Input::Null,
        Input::Closed,
        Input::Bytes(b"1+1\nvar.tag\nnothing\n".to_vec()),
        Input::File(b"upper(\"x\")\n".to_vec()),
    ] {
        cases.push(Case::new(World::Rich, "console").input(input.clone()));
        cases.push(Case::new(World::Rich, "state push -").input(input.clone()));
        cases.push(Case::new(World::Rich, "fmt -").input(input));
    }
    cases.extend(outputs());
    cases
}

/// Where they write.
fn outputs() -> Vec<Case> {
    let forwarded = ["plan", "version", "metadata functions -json", "state list", "output nothing"];
    let guarded = [
        "apply -auto-approve -var tag=two",
        "taint terraform_data.a",
        "state rm terraform_data.nothing",
    ];
    let ways = [Output::Closed, Output::ErrorClosed, Output::Gone, Output::File];
    let all = forwarded.iter().chain(&guarded);
    let rich = all.flat_map(|line| ways.map(|way| Case::new(World::Rich, line).output(way)));
    // With time between the lines, so that the reader is surely gone at the second; or with more than a
    // pipe holds.
    let heads = [
        Case::new(World::Slow, "apply -auto-approve"),
        Case::new(World::Rich, "metadata functions -json"),
    ];
    let gone = [
        Case::new(World::Fresh, "apply -auto-approve"),
        Case::new(World::Http, "destroy -auto-approve"),
    ];
    let heads = heads.into_iter().map(|case| case.output(Output::Head));
    let gone = gone.into_iter().map(|case| case.output(Output::Gone));
    rich.chain(heads).chain(gone).collect()
}
