//! No false alarm: ordinary histories, drawn at random, in which no guard has anything to say.
//!
//! A history follows from the seed and its number alone, and each of its acts from the seed, the number
//! and its place: an act that is left out does not change the others. That is how one that fails is made
//! smaller, by hand: `TF_SHIM_TESTS_HISTORY=fake:17 TF_SHIM_TESTS_WITHOUT=2,5,6`.

mod act;
mod state;
mod world;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;
use shim_tests::grammar::random::Random;
use shim_tests::programs::real_terraform;
use shim_tests::shim::{document, shim};

use act::{ACTS, Act, draw};
use world::{Behind, World};

/// What is drawn from.
const SEED: u64 = 5;

/// Acts of one history.
const LENGTH: usize = 12;

/// How many histories a real Terraform lives through.
const REAL: usize = 50;

/// How many the fake does.
const FAKE: usize = 950;

/// After so many nobody wants to see more.
const ENOUGH: usize = 5;

/// What came of one history.
struct Life {
    /// What was done, for whoever has to find out why.
    told: Vec<String>,
    /// How often each act was done.
    acts: BTreeMap<Act, usize>,
    /// What was wrong.
    wrong: Vec<String>,
}

/// Lives through one history, without the acts that are left out.
fn live(behind: Behind, number: usize, without: &[usize]) -> Life {
    let mut world = World::new(behind).unwrap();
    let mut acts = BTreeMap::new();
    for place in 0..LENGTH {
        if without.contains(&place) {
            continue;
        }
        let mut random = Random::new(SEED ^ ((number as u64 + 1) << 20), place);
        // Every history begins with something that is there.
        let act = if place == 0 { Act::Change } else { draw(&mut random, |act| world.can(act)) };
        world.told.push(format!("# {place}: {act:?}"));
        world.act(act, &mut random);
        *acts.entry(act).or_default() += 1;
        if !world.wrong.is_empty() {
            break;
        }
    }
    look_back(&mut world);
    Life { told: world.told, acts, wrong: world.wrong }
}

/// Looks at what is recorded: sound, and without a word of a guard.
fn look_back(world: &mut World) {
    // Reading them checks sums, chain and objects.
    for history in world.sandbox.histories() {
        for line in &history.lines {
            let has_note = line["guards"].as_array().is_some_and(|notes| !notes.is_empty());
            if has_note || line["outcome"] == "refused" {
                world.wrong.push(format!("{} {}", line["verb"], line["guards"]));
            }
        }
    }
    let status = shim(&world.sandbox, ["--json"]).run();
    if status.status() != Some(0) {
        world.wrong.push(status.to_string());
        return;
    }
    let status = document(&status);
    let has_findings = status["findings"].as_array().is_none_or(|findings| !findings.is_empty());
    if has_findings || !status["trouble"].is_null() || status["store"]["trouble"] != Value::Null {
        world.wrong.push(format!("{status:#}"));
    }
}

/// Lives through many on two cores, and fails where a guard had something to say.
fn assert_peace(behind: Behind, count: usize) {
    let (next, found) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let (acts, wrong) = (Mutex::new(BTreeMap::<Act, usize>::new()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count || found.load(Ordering::Relaxed) >= ENOUGH {
                        return;
                    }
                    let life = live(behind, number, &[]);
                    let mut all = acts.lock().unwrap();
                    for (act, times) in &life.acts {
                        *all.entry(*act).or_default() += times;
                    }
                    drop(all);
                    if !life.wrong.is_empty() {
                        found.fetch_add(1, Ordering::Relaxed);
                        wrong.lock().unwrap().push(explain(behind, number, &life));
                    }
                }
            });
        }
    });
    let (acts, wrong) = (acts.into_inner().unwrap(), wrong.into_inner().unwrap());
    assert!(wrong.is_empty(), "{} of {count} histories\n{}", wrong.len(), wrong.join("\n\n"));
    for (act, _) in ACTS {
        let least = count / 20;
        let times = acts.get(act).copied().unwrap_or(0);
        assert!(times >= least, "{act:?} was done {times} times, not {least}: {acts:?}");
    }
}

/// What a person needs in order to see it again.
fn explain(behind: Behind, number: usize, life: &Life) -> String {
    let who = if behind == Behind::Real { "real" } else { "fake" };
    let told = life.told.join("\n  ");
    format!(
        "TF_SHIM_TESTS_HISTORY={who}:{number} (seed {SEED})\n  {told}\n{}",
        life.wrong.join("\n")
    )
}

#[test]
fn no_guard_has_anything_to_say_in_fifty_ordinary_histories_of_a_real_terraform() {
    if real_terraform().is_some() {
        assert_peace(Behind::Real, REAL);
    }
}

#[test]
fn no_guard_has_anything_to_say_in_nine_hundred_and_fifty_more_ordinary_histories() {
    assert_peace(Behind::Fake, FAKE);
}

#[test]
fn the_history_that_is_named_is_lived_through_once_more() {
    let Ok(name) = std::env::var("TF_SHIM_TESTS_HISTORY") else { return };
    let (who, number) = name.split_once(':').expect("fake:17 or real:3");
    let behind = if who == "real" { Behind::Real } else { Behind::Fake };
    let without = std::env::var("TF_SHIM_TESTS_WITHOUT").unwrap_or_default();
    let without: Vec<usize> = without.split(',').filter_map(|place| place.parse().ok()).collect();
    let number = number.parse().unwrap();
    let life = live(behind, number, &without);
    assert!(life.wrong.is_empty(), "{}", explain(behind, number, &life));
}
