//! A restore that was cut off and cannot be finished: half a state, and nobody may build on it.

use nix::sys::signal::Signal;
use shim_tests::End;
use shim_tests::shim::shim;

use super::contract::Asks;
use super::scene::{Scene, refusals};
use super::states::STATES;
use super::verbs::VERBS;

/// Kills the process at a named point.
const CRASH: &str = "TF_SHIM_TEST_CRASH_AT";

/// Cuts a restore off, and takes away what it was to write.
fn cut_off(scene: &Scene) {
    scene.reset();
    scene.play_dead();
    let restore = shim(&scene.sandbox, ["restore", "@-", "--yes"]).env(CRASH, "sync-body:1").run();
    assert_eq!(restore.end, End::by(Signal::SIGKILL), "{restore}");
    let history = scene.sandbox.history_of("terraform.tfstate");
    std::fs::remove_dir_all(history.directory.join("objects")).unwrap();
    std::fs::create_dir(history.directory.join("objects")).unwrap();
}

#[test]
fn a_restore_that_cannot_be_finished_stops_whatever_asks_and_nothing_lets_it_pass() {
    let Some(scene) = Scene::set() else { return };
    let right = &STATES[0];
    for verb in VERBS.iter().filter(|verb| verb.workspace == "default") {
        cut_off(&scene);
        verb.prepare(&scene.sandbox);
        let is_asked =
            matches!(verb.asks, Asks::All | Asks::AllButMissing | Asks::Writing | Asks::Corrupt);
        let all = super::ALLOWABLE.join(",");
        let transcript = scene.call(right, verb, None).env("TF_SHIM_ALLOW", all).run();
        let expected: &[&str] = if is_asked { &["unfinished"] } else { &[] };
        assert_eq!(refusals(&transcript), expected, "{}: {transcript}", verb.words);
        assert_eq!(scene.has_started(verb.args), !is_asked, "{}: {transcript}", verb.words);
    }
}
