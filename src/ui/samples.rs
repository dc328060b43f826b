//! Reports for the tests of the screens: ordinary ones, and ones with odd names.

use std::ffi::OsString;

use chrono::{DateTime, Utc};

use super::screen::Frame;
use super::time::Clock;
use super::{Answer, Paint};
use crate::guard::refusal::{Expected, Refusal, Way};
use crate::model::change::{Action, AttributeChange, OutputChange, ResourceChange, StateDiff};
use crate::model::content::{Mode, ResourceEntry};
use crate::model::guard::Guard;
use crate::model::identity::Identity;
use crate::model::operation::{
    Changes, GuardAction, GuardNote, Image, Kind, Operation, OperationId, Outcome, Status,
};
use crate::model::redact::{Grammar, OddText, RedactedArgv};
use crate::model::state::{Digest, Lineage, Serial};
use crate::ops::report::StateName;

/// A time in RFC 3339.
pub(super) fn time(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// The time of all tests, in UTC, and so many columns.
pub(super) fn frame(width: Option<usize>) -> Frame {
    let now = time("2026-11-20T08:00:00Z");
    Frame { width, clock: Clock { now, local: |time| time.fixed_offset() } }
}

/// A screen at 80 columns without colour; none of its lines is wider.
pub(super) fn at_80(answer: &dyn Answer) -> String {
    let document = answer.document();
    assert!(document.get("state").or(document.get("states")).is_some(), "{document}");
    fitted(answer)
}

/// The same of a report that is about this machine, not about a state.
pub(super) fn fitted(answer: &dyn Answer) -> String {
    assert_eq!(answer.document()["format_version"], "1.0");
    let text = answer.screen(&frame(Some(80))).render(Paint::Plain);
    for line in text.lines() {
        assert!(super::width::columns(line) <= 80, "{line}");
    }
    text
}

/// The same with colour, the escape character shown as `^`.
pub(super) fn coloured(answer: &dyn Answer) -> String {
    answer.screen(&frame(Some(80))).render(Paint::Colour).replace('\x1b', "^")
}

pub(super) fn lineage() -> Lineage {
    Lineage::new("ec80aa96-3c0d-4f0e-9d0f-1f6b2a2c9a11".to_owned()).unwrap()
}

/// A good state.
pub(super) fn image(serial: u64, resources: u64) -> Image {
    let mut image = Image::without_bytes(Status::Ok);
    image.lineage = Some(lineage());
    image.serial = Some(Serial(serial));
    image.digest = Some(Digest::of(&serial.to_le_bytes()));
    image.bytes = 1000 * resources + 312;
    image.resources = Some(resources);
    image
}

pub(super) fn state(path: &str) -> StateName {
    let identity = Identity {
        kind: "local".to_owned(),
        attributes: [("path".to_owned(), OddText::from(path))].into(),
        workspace: "default".to_owned(),
        aliases: Vec::new(),
        project: OddText::from("net"),
    };
    StateName { identity, lineage: Some(lineage()) }
}

pub(super) fn remote() -> StateName {
    let attributes = [("bucket", "acme-states"), ("key", "prod/net.tfstate"), ("region", "eu-1")];
    let attributes = attributes.map(|(name, value)| (name.to_owned(), OddText::from(value)));
    let identity = Identity {
        kind: "s3".to_owned(),
        attributes: attributes.into(),
        workspace: "prod".to_owned(),
        aliases: Vec::new(),
        project: OddText::from("net"),
    };
    StateName { identity, lineage: None }
}

/// An `apply` of `ana@mbp` two minutes ago.
pub(super) fn apply() -> Operation {
    let argv = ["apply", "-auto-approve", "-var", "password=hunter2"].map(OsString::from);
    let grammar = Grammar { command: "apply", takes_value: &|flag| flag == "var" };
    Operation {
        id: OperationId::from_bits(0x7c1e_9a04_1122_3344),
        seq: 9,
        kind: Kind::Run,
        verb: Some("apply".to_owned()),
        argv: Some(RedactedArgv::of_line(&[], &argv, &grammar)),
        started: time("2026-11-20T07:57:40.250Z"),
        finished: Some(time("2026-11-20T07:58:52.750Z")),
        user: Some(OddText::from("ana")),
        host: Some(OddText::from("mbp")),
        cwd: Some(OddText::from("/srv/net")),
        terraform: Some("1.11.4".to_owned()),
        exit: Some(0),
        signal: None,
        outcome: Some(Outcome::Done),
        before: Some(image(41, 128)),
        provisional: false,
        ended: None,
        contested: false,
        after: Some(image(42, 131)),
        changes: Some(Changes { add: 3, change: 1, remove: 0 }),
        guards: Vec::new(),
        pinned: false,
        note: None,
    }
}

/// The operations of the interface, newest first.
pub(super) fn operations() -> Vec<Operation> {
    let outside = Operation {
        id: OperationId::from_bits(0xb3d0_417e_0000_0001),
        kind: Kind::Outside,
        verb: None,
        argv: None,
        started: time("2026-11-19T09:00:00Z"),
        finished: None,
        user: None,
        host: None,
        before: Some(image(40, 128)),
        after: Some(image(41, 128)),
        changes: Some(Changes { add: 0, change: 2, remove: 0 }),
        ..apply()
    };
    let removed = Operation {
        id: OperationId::from_bits(0x91aa_20c5_0000_0002),
        verb: Some("state rm".to_owned()),
        started: time("2026-11-17T09:00:00Z"),
        before: Some(image(39, 130)),
        after: Some(image(40, 128)),
        changes: Some(Changes { add: 0, change: 0, remove: 2 }),
        pinned: true,
        note: Some("before vpc move".to_owned()),
        ..apply()
    };
    let refused = Operation {
        id: OperationId::from_bits(0xe07f_5b11_0000_0003),
        verb: Some("destroy".to_owned()),
        started: time("2026-11-12T23:02:00Z"),
        user: Some(OddText::from("bo")),
        host: Some(OddText::from("dev3")),
        outcome: Some(Outcome::Refused),
        exit: None,
        before: Some(image(38, 130)),
        after: None,
        changes: None,
        guards: vec![guard(GuardAction::Refused, "protected", "protected resources")],
        ..apply()
    };
    vec![apply(), outside, removed, refused]
}

/// Operations that ended in every other way, some with odd names.
pub(super) fn odd_operations() -> Vec<Operation> {
    let ended = |bits: u64, outcome: Option<Outcome>| Operation {
        id: OperationId::from_bits(bits << 32),
        outcome,
        changes: None,
        after: None,
        ..apply()
    };
    let failed = Operation {
        after: Some(image(42, 130)),
        changes: Some(Changes { add: 2, change: 0, remove: 0 }),
        started: time("2025-03-02T10:00:00Z"),
        ..ended(0xaaaa_0001, Some(Outcome::Failed))
    };
    let killed = Operation {
        user: Some(OddText::from("מרים\u{202e}\x1b[31m")),
        host: Some(OddText::from("a-very-long-host-name.example.org")),
        ..ended(0xaaaa_0002, Some(Outcome::Killed))
    };
    let unknown = Operation {
        verb: Some("state replace-provider".to_owned()),
        after: Some(Image::without_bytes(Status::Unknown)),
        ..ended(0xaaaa_0003, Some(Outcome::Unknown))
    };
    let running = Operation {
        user: Some(OddText::from("小林")),
        finished: None,
        before: Some(Image::without_bytes(Status::Absent)),
        ..ended(0xaaaa_0004, None)
    };
    let saved = Operation {
        kind: Kind::Save,
        verb: Some("save".to_owned()),
        after: Some(image(41, 128)),
        note: Some("🚀 launch\nday, the one with the very long explanation".to_owned()),
        ..ended(0xaaaa_0005, Some(Outcome::Done))
    };
    let allowed = Operation {
        after: Some(image(40, 128)),
        changes: Some(Changes { add: 0, change: 12, remove: 1024 }),
        guards: vec![guard(GuardAction::Allowed, "older-state", "serial 40 after serial 41")],
        ..ended(0xaaaa_0006, Some(Outcome::Done))
    };
    vec![running, allowed, saved, unknown, killed, failed]
}

pub(super) fn guard(action: GuardAction, guard: &str, text: &str) -> GuardNote {
    GuardNote { guard: guard.to_owned(), action, text: text.to_owned() }
}

pub(super) fn entry(address: &str, id: Option<&str>) -> ResourceEntry {
    ResourceEntry {
        address: address.to_owned(),
        deposed: None,
        mode: Mode::Managed,
        kind: "aws_instance".to_owned(),
        provider: r#"provider["registry.terraform.io/hashicorp/aws"]"#.to_owned(),
        id: id.map(str::to_owned),
    }
}

fn attribute(path: &str, before: Option<&str>, after: Option<&str>) -> AttributeChange {
    AttributeChange {
        path: path.to_owned(),
        before: before.map(str::to_owned),
        after: after.map(str::to_owned),
        sensitive: after == Some("(sensitive)"),
    }
}

/// A difference with everything in it.
pub(super) fn diff() -> StateDiff {
    let resource = |action, address: &str, attributes| ResourceChange {
        address: address.to_owned(),
        deposed: None,
        mode: Mode::Managed,
        action,
        attributes,
        id: Some("i-0abc".to_owned()),
    };
    let policy = r#""{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"s3:*\"}]}""#;
    let long = r#"module.network["eu-central-1"].module.subnets["private-a"].aws_route_table_association.世界["very-long-key-with-words"]"#;
    StateDiff {
        resources: vec![
            resource(
                Action::Add,
                "aws_instance.web[0]",
                vec![
                    attribute("ami", None, Some(r#""ami-0abc""#)),
                    attribute("instance_type", None, Some(r#""t3.micro""#)),
                    attribute("tags", None, Some(r#"{"Name":"web"}"#)),
                ],
            ),
            resource(
                Action::Change,
                "aws_security_group.main",
                vec![
                    attribute("ingress[0].port", Some("80"), Some("443")),
                    attribute("password", Some("(sensitive)"), Some("(sensitive)")),
                    attribute("policy", Some(policy), Some(r#""{}""#)),
                    attribute(r#"tags["\u001b[31m שלום"]"#, Some("null"), Some(r#""\u202e🚀""#)),
                ],
            ),
            resource(Action::Change, "null_resource.same", Vec::new()),
            resource(Action::Remove, long, vec![attribute("id", Some(r#""rtbassoc-1""#), None)]),
            ResourceChange {
                deposed: Some("a1b2c3d4".to_owned()),
                ..resource(Action::Remove, "aws_instance.web[0]", Vec::new())
            },
        ],
        outputs: vec![OutputChange {
            name: "url".to_owned(),
            action: Action::Change,
            before: Some(r#""http://a""#.to_owned()),
            after: Some(r#""http://b""#.to_owned()),
            sensitive: false,
        }],
        changes: Changes { add: 1, change: 2, remove: 1 },
    }
}

/// A state that is missed.
pub(super) fn missing() -> Refusal {
    let mut expected = Expected::left_by(&apply().id, &image(42, 131));
    expected.when = Some(apply().started);
    expected.who = Some("ana@mbp".to_owned());
    Refusal {
        guard: Guard::MissingState,
        expected: Some(expected),
        found: "there is no state".to_owned(),
        addresses: Vec::new(),
        plan_sha256: None,
        ways: vec![
            Way { command: "tf shim restore @".to_owned(), does: "bring the expected state back" },
            Way { command: "tf shim accept".to_owned(), does: "what is there now is right" },
        ],
    }
}
