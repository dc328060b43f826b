//! A refusal in one line of JSON, for programs that run Terraform without a person.
//!
//! It says what was refused and what a person must do. It never names a way round a guard: whoever reads
//! it may be about to try one.

use serde_json::{Value, json};

use super::super::time::rfc3339;
use crate::guard::refusal::Refusal;
use crate::model::guard::Guard;
use crate::model::state::Lineage;

/// One line for each refusal, without the end of line.
pub(crate) fn line(refusal: &Refusal) -> String {
    super::safe(&document(refusal).to_string())
}

fn document(refusal: &Refusal) -> Value {
    let expected = refusal.expected.as_ref().map(|expected| {
        json!({
            "lineage": expected.lineage.as_ref().map(Lineage::as_str),
            "serial": expected.serial.map(|serial| serial.0),
            "resources": expected.resources,
            "when": expected.when.map(rfc3339),
            "who": expected.who,
        })
    });
    let addresses: Vec<&str> = refusal.addresses.iter().map(|(a, _)| a.as_str()).collect();
    json!({
        "tf_shim": "refused",
        "guard": refusal.guard.word(),
        "expected": expected,
        "found": refusal.found,
        "addresses": addresses,
        "plan_sha256": refusal.plan_sha256,
        "next": next(refusal.guard),
    })
}

/// What a person must do.
fn next(guard: Guard) -> &'static str {
    match guard {
        Guard::MissingState | Guard::ForeignState | Guard::OlderState => {
            "stop and ask a person to run `tf shim`: either the expected state has to be restored, or a \
             person has to say that the one that is there is right"
        }
        Guard::CorruptState => {
            "stop and ask a person to run `tf shim`: the last good state has to be restored"
        }
        Guard::ErroredState => {
            "stop and ask a person: a newer state lies in errored.tfstate and has to be pushed first"
        }
        Guard::UnwritableState => {
            "stop and ask a person to make the state writable, or to make room on its disk"
        }
        Guard::Unfinished => {
            "stop and ask a person to run `tf shim`: a restore was interrupted and has to be finished"
        }
        Guard::ReadOnly => {
            "only commands that read may be run here; a person has to run this one elsewhere"
        }
        Guard::Protected => {
            "stop and ask a person: the plan deletes what is protected; where the rules allow it, a person \
             at a terminal can confirm that"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::line;
    use crate::guard::refusal::Refusal;
    use crate::model::guard::Guard;

    #[test]
    fn it_is_one_line_and_names_no_way_round() {
        for guard in Guard::ALL {
            let refusal = Refusal {
                guard,
                expected: None,
                found: "x\n\u{202e}\u{9b}".to_owned(),
                addresses: vec![("a.b[\"\u{1b}\"]".to_owned(), "deleted".to_owned())],
                plan_sha256: None,
                ways: Vec::new(),
            };
            let line = line(&refusal);
            assert!(line.starts_with("{\"tf_shim\":\"refused\",\"guard\":"));
            assert!(line.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{line}");
            for way_round in ["TF_SHIM", "BYPASS", "ALLOW", "accept"] {
                assert!(!line.contains(way_round), "{line}");
            }
            let read: serde_json::Value = serde_json::from_str(&line).unwrap();
            assert_eq!(read["guard"], guard.word());
        }
    }
}
