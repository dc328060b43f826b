//! Every exit status and every fatal signal, of forwarded and of guarded commands.

use shim_tests::twins::ends::{Ends, KINDS};

#[test]
fn every_status_and_every_fatal_signal_of_a_forwarded_command_is_reproduced() {
    let ends = Ends::of(KINDS[0].1);
    assert!(ends.missed.is_empty(), "{ends:#?}");
}

#[test]
fn every_status_and_every_fatal_signal_of_a_guarded_command_is_reproduced() {
    let ends = Ends::of(KINDS[1].1);
    assert!(ends.missed.is_empty(), "{ends:#?}");
    assert_eq!((ends.statuses, ends.signals), (256, 23));
}
