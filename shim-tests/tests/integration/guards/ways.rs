//! The ways out: each command that a refusal prints can be pasted, and leads out.

use shim_tests::Transcript;

use super::contract::Found;
use super::scene::{STATE, Scene};
use super::states::STATES;
use super::verbs::VERBS;

/// The commands under `way out`.
pub(crate) fn ways_out(transcript: &Transcript) -> Vec<String> {
    let text = transcript.stderr_text();
    let mut ways = Vec::new();
    for line in text.lines().skip_while(|line| !line.trim_start().starts_with("way out")) {
        let rest = line.trim_start();
        let rest = rest.strip_prefix("way out").unwrap_or(rest).trim_start();
        if !line.starts_with("  ") || rest.is_empty() {
            break;
        }
        let command = rest.split("  ").next().unwrap_or_default();
        ways.push(command.to_owned());
    }
    ways
}

/// Follows a way out, as a person would who confirms.
#[track_caller]
pub(crate) fn follow(scene: &shim_tests::Sandbox, way: &str) -> Transcript {
    let mut words = way.split_whitespace();
    let name = words.next().unwrap();
    assert!(matches!(name, "tf" | "terraform"), "{way}");
    let needs_yes = ["restore", "undo", "accept"].iter().any(|word| way.contains(word));
    let transcript = scene.tf(words.chain(needs_yes.then_some("--yes"))).run();
    transcript.assert_status(0);
    transcript
}

/// Sets a scene in which the state was replaced, and lets an apply be refused.
fn refused(scene: &Scene, what: &str) -> Transcript {
    scene.reset();
    let odd = STATES.iter().find(|odd| odd.what == what).unwrap();
    odd.put(&scene.sandbox, &scene.sandbox.project().join(STATE));
    let refused = scene.call(odd, &VERBS[0], None).run();
    refused.assert_status(125);
    refused
}

/// Fails unless the real Terraform is let pass, and finds two resources and one more to make.
#[track_caller]
fn assert_applies(scene: &Scene, what: &str) {
    let applied = scene.sandbox.tf(["apply", "-auto-approve"]).run();
    assert_eq!(applied.status(), Some(0), "{what}: {applied}");
}

#[test]
fn every_way_out_that_is_printed_leads_out() {
    let Some(scene) = Scene::set() else { return };
    let good = scene.sandbox.read(STATE);
    for odd in STATES {
        let is_content =
            matches!(odd.found, Found::Missing | Found::Corrupt | Found::Foreign | Found::Older);
        if !is_content {
            continue;
        }
        let printed = ways_out(&refused(&scene, odd.what));
        let may_accept = odd.found != Found::Corrupt;
        assert!(printed.iter().any(|way| way.contains("restore")), "{}: {printed:?}", odd.what);
        assert_eq!(
            printed.iter().any(|way| way.contains("accept")),
            may_accept,
            "{}: {printed:?}",
            odd.what
        );
        for way in &printed {
            let again = refused(&scene, odd.what);
            let found = std::fs::read(scene.sandbox.project().join(STATE)).ok();
            follow(&scene.sandbox, way);
            let is = std::fs::read(scene.sandbox.project().join(STATE)).ok();
            if way.contains("restore") {
                let is = is.unwrap_or_else(|| panic!("{}: {way}: {again}", odd.what));
                let same = shim_tests::shim::with_serial(&is, 0)
                    == shim_tests::shim::with_serial(&good, 0);
                assert!(same, "{}: {way} brings the good state back", odd.what);
            } else {
                assert!(is == found, "{}: {way} leaves the state alone", odd.what);
            }
            assert_applies(&scene, &format!("{} after {way}", odd.what));
        }
    }
}
