//! Random command lines: two thousand of one seed here, as many as one likes with the command
//! that `docs/fidelity.md` names.

use shim_tests::grammar::draw;
use shim_tests::twins::Who;
use shim_tests::twins::suite::{Manner, Tally};

use super::worlds;

/// What is drawn from.
const SEED: u64 = 1;

/// How many are drawn.
const COUNT: usize = 2000;

#[test]
fn two_thousand_random_lines_do_not_differ() {
    let Some(worlds) = worlds() else { return };
    let manner = Manner { shimmed: &[Who::Terraform], threads: 2, shrinks: true };
    let tally = Tally::of(worlds, COUNT, &|number| draw(SEED, number), manner);
    assert!(tally.found.is_empty(), "seed {SEED}\n{}", tally.complaint());
    // Usage errors are all alike: much must reach real work.
    let shares = [(tally.ended_well, 40), (tally.recorded, 30), (tally.changed, 10)];
    for (count, percent) in shares {
        assert!(count * 100 >= COUNT * percent, "{count} of {COUNT}, not {percent} %: {shares:?}");
    }
}

#[test]
fn random_lines_do_not_differ_without_the_shim() {
    let Some(worlds) = worlds() else { return };
    let manner = Manner { shimmed: &[Who::Plain], threads: 2, shrinks: false };
    let tally = Tally::of(worlds, 200, &|number| draw(SEED + 1, number), manner);
    assert!(tally.found.is_empty(), "seed {}\n{}", SEED + 1, tally.complaint());
}
