use super::{diff, list, written};
use crate::ops::report::{DiffReport, ListReport, Side};
use crate::ui::samples::{self, image, operations, remote, state};

#[test]
fn a_list_has_every_key_of_the_interface() {
    let report = ListReport {
        state: state("/srv/net/terraform.tfstate"),
        operations: operations().into_iter().take(1).collect(),
        total: 4,
        newest_good: None,
        damage: Vec::new(),
    };
    insta::assert_snapshot!(written(&list(&report)), @r#"
    {
      "format_version": "1.0",
      "state": {
        "key": "f228ccf87fa1",
        "kind": "local",
        "path": "/srv/net/terraform.tfstate",
        "workspace": "default",
        "lineage": "ec80aa96-3c0d-4f0e-9d0f-1f6b2a2c9a11"
      },
      "operations": [
        {
          "id": "7c1e9a0411223344",
          "seq": 9,
          "kind": "run",
          "verb": "apply",
          "argv": [
            "apply",
            "-auto-approve",
            "-var",
            "‹redacted›"
          ],
          "started": "2026-11-20T07:57:40.250Z",
          "finished": "2026-11-20T07:58:52.750Z",
          "user": "ana",
          "host": "mbp",
          "cwd": "/srv/net",
          "terraform": "1.11.4",
          "exit": 0,
          "signal": null,
          "outcome": "done",
          "before": {
            "status": "ok",
            "lineage": "ec80aa96-3c0d-4f0e-9d0f-1f6b2a2c9a11",
            "serial": 41,
            "sha256": "b8282e78d87c2a42f7c0f5b543c0d7760d3fe5a3860a25c20ec57ddaa4d80b81",
            "bytes": 128312,
            "resources": 128
          },
          "after": {
            "status": "ok",
            "lineage": "ec80aa96-3c0d-4f0e-9d0f-1f6b2a2c9a11",
            "serial": 42,
            "sha256": "ed049108bc18f2c64369e8d0ea42850bdd1a7d1dd340cfde716315579702a76c",
            "bytes": 131312,
            "resources": 131
          },
          "changes": {
            "add": 3,
            "change": 1,
            "remove": 0
          },
          "guards": [],
          "pinned": false,
          "note": null
        }
      ]
    }
    "#);
}

#[test]
fn a_document_cannot_harm_a_terminal() {
    let document = serde_json::json!("\u{202e}\u{9b}\u{7f}\x1b \u{e0001} é");
    let text = written(&document);
    assert_eq!(text, "\"\\u202e\\u009b\\u007f\\u001b \\udb40\\udc01 é\"\n");
    assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), document);
}

#[test]
fn a_remote_state_has_a_backend_and_masked_stays_masked() {
    let mut changes = samples::diff();
    changes.resources.drain(2..);
    changes.resources.drain(..1);
    let report = DiffReport {
        state: remote(),
        from: Side { name: "@-".to_owned(), image: image(41, 128) },
        to: Side { name: "now".to_owned(), image: image(42, 131) },
        diff: changes,
    };
    insta::assert_snapshot!(written(&diff(&report)), @r#"
    {
      "format_version": "1.0",
      "state": {
        "key": "15992266a37a",
        "kind": "s3",
        "backend": {
          "bucket": "acme-states",
          "key": "prod/net.tfstate",
          "region": "eu-1"
        },
        "workspace": "prod",
        "lineage": null
      },
      "from": {
        "name": "@-",
        "state": {
          "status": "ok",
          "lineage": "ec80aa96-3c0d-4f0e-9d0f-1f6b2a2c9a11",
          "serial": 41,
          "sha256": "b8282e78d87c2a42f7c0f5b543c0d7760d3fe5a3860a25c20ec57ddaa4d80b81",
          "bytes": 128312,
          "resources": 128
        }
      },
      "to": {
        "name": "now",
        "state": {
          "status": "ok",
          "lineage": "ec80aa96-3c0d-4f0e-9d0f-1f6b2a2c9a11",
          "serial": 42,
          "sha256": "ed049108bc18f2c64369e8d0ea42850bdd1a7d1dd340cfde716315579702a76c",
          "bytes": 131312,
          "resources": 131
        }
      },
      "differ": true,
      "diff": {
        "resources": [
          {
            "address": "aws_security_group.main",
            "deposed": null,
            "mode": "managed",
            "action": "change",
            "attributes": [
              {
                "path": "ingress[0].port",
                "before": "80",
                "after": "443",
                "sensitive": false
              },
              {
                "path": "password",
                "before": "(sensitive)",
                "after": "(sensitive)",
                "sensitive": true
              },
              {
                "path": "policy",
                "before": "\"{\\\"Version\\\":\\\"2012-10-17\\\",\\\"Statement\\\":[{\\\"Effect\\\":\\\"Allow\\\",\\\"Action\\\":\\\"s3:*\\\"}]}\"",
                "after": "\"{}\"",
                "sensitive": false
              },
              {
                "path": "tags[\"\\u001b[31m שלום\"]",
                "before": "null",
                "after": "\"\\u202e🚀\"",
                "sensitive": false
              }
            ],
            "id": "i-0abc"
          }
        ],
        "outputs": [
          {
            "name": "url",
            "action": "change",
            "before": "\"http://a\"",
            "after": "\"http://b\"",
            "sensitive": false
          }
        ],
        "changes": {
          "add": 1,
          "change": 2,
          "remove": 1
        }
      }
    }
    "#);
}
