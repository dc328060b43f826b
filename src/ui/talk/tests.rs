use super::{When, Wish, after, before, findings};
use crate::model::operation::{
    Changes, GuardAction, GuardNote, Image, OperationId, Outcome, Status,
};
use crate::ops::report::RunReport;
use crate::ui::samples::{frame, image, state};
use crate::ui::{Paint, Screen};

fn text(screen: &Screen) -> String {
    screen.render(Paint::Plain)
}

fn report(old: Image, new: Image) -> RunReport {
    RunReport {
        operation: OperationId::from_bits(1),
        verb: "apply".to_owned(),
        before: old,
        after: new,
        changes: Some(Changes { add: 3, change: 1, remove: 0 }),
        findings: Vec::new(),
        outcome: Some(Outcome::Done),
        can_undo: true,
    }
}

#[test]
fn before_says_what_was_saved() {
    let [absent, unknown] = [Status::Absent, Status::Unknown].map(Image::without_bytes);
    let one = Image { resources: Some(1), ..image(7, 1) };
    let odd = Image { bytes: 12, ..Image::without_bytes(Status::Invalid) };
    let cases: [(&[&Image], &str); 6] = [
        (&[&image(41, 128)], "tf shim: saved serial 41 (128 resources) before apply\n"),
        (&[&absent], "tf shim: no state yet before apply\n"),
        (&[&unknown], "tf shim: no snapshot before apply: the state could not be read\n"),
        (&[&odd], "tf shim: saved what is not a state (12 B) before apply\n"),
        (
            &[&image(41, 128), &one],
            "tf shim: saved serial 41 (128 resources) and serial 7 (1 resource) before apply\n",
        ),
        (&[], ""),
    ];
    for (images, said) in cases {
        assert_eq!(text(&before("apply", images)), said);
    }
}

#[test]
fn after_says_what_became_of_it() {
    let said = |report: &RunReport| text(&after(report));
    let changed = report(image(41, 128), image(42, 131));
    assert_eq!(said(&changed), "tf shim: serial 41 → 42, +3 ~1 -0 · undo with: tf shim undo\n");
    let unchanged = RunReport { can_undo: false, ..report(image(42, 131), image(42, 131)) };
    assert_eq!(said(&unchanged), "tf shim: serial 42 unchanged\n");
    let absent = Image::without_bytes(Status::Absent);
    let first = RunReport { can_undo: false, ..report(absent.clone(), image(1, 3)) };
    assert_eq!(said(&first), "tf shim: serial 1, +3 ~1 -0\n");
    let failed = RunReport { outcome: Some(Outcome::Failed), ..changed };
    assert_eq!(
        said(&failed),
        "tf shim: apply failed: serial 41 → 42, +3 ~1 -0 · undo with: tf shim undo\n"
    );
    let nothing = RunReport { can_undo: false, ..report(absent.clone(), absent) };
    assert_eq!(said(&nothing), "tf shim: still no state\n");
    let unknown = Image::without_bytes(Status::Unknown);
    let unknown = RunReport { can_undo: false, ..report(image(41, 1), unknown) };
    assert_eq!(said(&unknown), "tf shim: what it left is not known yet; the next call finds out\n");
    let destroyed = RunReport {
        changes: Some(Changes { add: 0, change: 0, remove: 128 }),
        ..report(image(41, 128), image(45, 0))
    };
    assert_eq!(
        said(&destroyed),
        "tf shim: serial 41 → 45, +0 ~0 -128, empty now · undo with: tf shim undo\n"
    );
}

#[test]
fn several_states_are_told_apart() {
    let names = ["/srv/net/terraform.tfstate", "/srv/net/other.tfstate"].map(state);
    let reports = [report(image(41, 9), image(42, 8)), report(image(1, 1), image(1, 1))];
    let pairs: Vec<_> = names.into_iter().zip(reports).collect();
    assert_eq!(
        text(&super::after_several(&pairs)),
        "tf shim: default · local terraform.tfstate: serial 41 → 42, +3 ~1 -0\n\
         tf shim: default · local other.tfstate: serial 1 unchanged\n"
    );
}

#[test]
fn findings_are_lines_of_their_own() {
    let finding = |action, text: &str| GuardNote {
        guard: "older-state".to_owned(),
        action,
        text: text.to_owned(),
    };
    let findings_of = vec![
        finding(GuardAction::Noted, "serial 40 after 41\n\x1b[31m"),
        finding(GuardAction::Allowed, "let through"),
    ];
    let report = RunReport { findings: findings_of, ..report(image(41, 1), image(40, 1)) };
    assert_eq!(
        text(&findings(&report, &frame(Some(80)))),
        "tf shim: older-state: serial 40 after 41\\n\\u{1b}[31m\n"
    );
}

#[test]
fn talk_is_for_terminals_unless_asked_for() {
    let shown = |is_terminal, is_json, wish| When { is_terminal, is_json, wish }.is_shown();
    assert!(shown(true, false, Wish::Unsaid));
    assert!(!shown(true, true, Wish::Unsaid));
    assert!(!shown(false, false, Wish::Unsaid));
    assert!(shown(false, false, Wish::Talk));
    assert!(!shown(false, true, Wish::Talk));
    assert!(!shown(true, false, Wish::Quiet));
}
