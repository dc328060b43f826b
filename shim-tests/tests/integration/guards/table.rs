//! The table: each cell tried, held against the contract, and against the page.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use nix::unistd::Uid;
use shim_tests::pages::compare_or_accept;
use shim_tests::programs::{on_path, real_terraform};

use super::contract::{Answer, answer};
use super::page;
use super::scene::{Scene, refusals};
use super::states::{Odd, STATES};
use super::verbs::{VERBS, Verb};

/// Whether a row can be tried here; says so where not.
#[expect(clippy::print_stdout, reason = "what is passed over says so where the test run shows it")]
fn can_be_tried(odd: &Odd) -> bool {
    let is_powerless = !Uid::effective().is_root() || on_path("setpriv").is_some();
    let can = is_powerless || !odd.stops_only_the_powerless;
    if !can {
        println!("passed over: {} (root, and no setpriv)", odd.what);
    }
    can
}

/// Does something with each row, on two stages at once; the answers in the order of the rows.
fn each_row<T: Send>(does: impl Fn(&Scene, &'static Odd) -> T + Sync) -> Vec<(&'static Odd, T)> {
    let rows: Vec<&'static Odd> = STATES.iter().filter(|odd| can_be_tried(odd)).collect();
    let next = AtomicUsize::new(0);
    let all = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let scene = Scene::set().unwrap();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(odd) = rows.get(number).copied() else { break };
                    let done = does(&scene, odd);
                    all.lock().unwrap().push((number, (odd, done)));
                }
            });
        }
    });
    let mut all = all.into_inner().unwrap();
    all.sort_by_key(|(number, _)| *number);
    all.into_iter().map(|(_, done)| done).collect()
}

#[test]
fn each_command_is_refused_or_passed_as_the_contract_says_and_as_the_page_tells() {
    if real_terraform().is_none() {
        return;
    }
    let rows = each_row(|scene, odd| -> Vec<Answer> {
        let cell = |verb: &Verb| {
            let is_to_pass = answer(odd.found, verb.asks) == Answer::Passed;
            scene.try_cell(odd, verb, is_to_pass)
        };
        VERBS.iter().map(cell).collect()
    });
    let mut wrong = Vec::new();
    for (odd, answers) in &rows {
        for (verb, is) in VERBS.iter().zip(answers) {
            let must = answer(odd.found, verb.asks);
            if *is != must {
                wrong.push(format!("{} × {}: {must:?}, not {is:?}", odd.what, verb.words));
            }
        }
    }
    assert!(wrong.is_empty(), "{} cells:\n{}", wrong.len(), wrong.join("\n"));
    if rows.len() == STATES.len() {
        compare_or_accept("guards.md", "table", &page::table(&rows));
    }
}

#[test]
fn a_guard_that_is_named_lets_pass_and_that_is_recorded_and_no_other_does() {
    if real_terraform().is_none() {
        return;
    }
    let wrong = each_row(|scene, odd| {
        let mut wrong = Vec::new();
        for verb in VERBS {
            let Answer::Refused(guard) = answer(odd.found, verb.asks) else { continue };
            scene.reset();
            scene.play_dead();
            verb.prepare(&scene.sandbox);
            odd.put(&scene.sandbox, &scene.sandbox.project().join(verb.state()));
            let what = format!("{} × {}", odd.what, verb.words);
            let others = super::ALLOWABLE.iter().filter(|&&other| other != guard);
            let others = others.copied().collect::<Vec<_>>().join(",");
            let call = || scene.call(odd, verb, None);
            let refused = call().env("TF_SHIM_ALLOW", others).run();
            if refusals(&refused) != [&*guard] || scene.has_started(verb.args) {
                wrong.push(format!("{what}: the others do not let it pass: {refused}"));
            }
            if !super::ALLOWABLE.contains(&&*guard) {
                continue;
            }
            let allowed = call().env("TF_SHIM_ALLOW", &guard).run();
            if !refusals(&allowed).is_empty() || !scene.has_started(verb.args) {
                wrong.push(format!("{what}: it is let pass: {allowed}"));
                continue;
            }
            let operations = scene.operations(verb);
            let notes = operations[0]["guards"].as_array().cloned().unwrap_or_default();
            let is_noted =
                notes.iter().any(|note| note["guard"] == *guard && note["action"] == "allowed");
            if !is_noted {
                wrong.push(format!("{what}: that is recorded: {:#}", operations[0]));
            }
        }
        scene.play_for_real();
        wrong
    });
    let wrong: Vec<String> = wrong.into_iter().flat_map(|(_, wrong)| wrong).collect();
    assert!(wrong.is_empty(), "{} cells:\n{}", wrong.len(), wrong.join("\n"));
}
