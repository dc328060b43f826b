//! What is protected, and what is not, told by small plans.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::*;
use crate::config::Reaction;

fn section(addresses: &[&str], types: &[&str], workspaces: &[&str]) -> Protected {
    let patterns = |texts: &[&str]| texts.iter().map(|text| Pattern::new(text)).collect();
    Protected {
        addresses: patterns(addresses),
        types: patterns(types),
        workspaces: patterns(workspaces),
        file: PathBuf::from("/r/.tf-shim.toml"),
        line: 3,
    }
}

fn config(sections: Vec<Protected>, max_deletes: Option<u64>) -> GuardConfig {
    GuardConfig { protected: sections, max_deletes, reaction: Reaction::Ask, read_only: false }
}

fn change(address: &str, actions: &[&str]) -> Value {
    json!({"address": address, "mode": "managed", "type": "t", "change": {"actions": actions}})
}

fn plan(changes: &[Value]) -> Plan {
    let document = json!({"format_version": "1.2", "resource_changes": changes});
    Plan::parse(document.to_string().as_bytes()).unwrap()
}

fn hits(changes: &[Value], config: &GuardConfig, workspace: &str) -> Vec<String> {
    let objection = judge(&plan(changes), config, workspace);
    objection.map_or_else(Vec::new, |objection| {
        objection.deletions.into_iter().map(|(address, _)| address).collect()
    })
}

#[test]
fn what_deletes_is_a_hit_and_what_does_not_is_none() {
    let all = config(vec![section(&[], &[], &["prod"])], None);
    for (actions, is_hit) in [
        (&["delete"][..], true),
        (&["delete", "create"], true),
        (&["create", "delete"], true),
        (&["create"], false),
        (&["update"], false),
        (&["no-op"], false),
        (&["forget"], false),
        (&["create", "forget"], false),
    ] {
        let changes = [change("t.a", actions)];
        assert_eq!(!hits(&changes, &all, "prod").is_empty(), is_hit, "{actions:?}");
        assert!(hits(&changes, &all, "dev").is_empty(), "{actions:?}");
    }
    let moved = json!({"address": "t.b", "previous_address": "t.a", "mode": "managed", "type": "t",
        "change": {"actions": ["no-op"]}});
    assert!(hits(&[moved], &all, "prod").is_empty());
    let data = json!({"address": "data.t.a", "mode": "data", "type": "t",
        "change": {"actions": ["delete"]}});
    assert!(hits(&[data], &all, "prod").is_empty());
}

#[test]
fn an_address_covers_its_instances_and_a_module_all_that_is_in_it() {
    for (pattern, address, is_hit) in [
        ("t.a", "t.a", true),
        ("t.a", "t.a[0]", true),
        ("t.a", "t.a[\"x.y[\"]", true),
        ("t.a", "t.ab", false),
        ("t.a[0]", "t.a[1]", false),
        ("t.a[\"k\"]", "t.a[\"k\"]", true),
        ("t.*", "t.a[0]", true),
        ("t.a", "module.m.t.a", false),
        ("module.m", "module.m.t.a", true),
        ("module.m", "module.m[\"k\"].module.n.t.a[1]", true),
        ("module.m[\"k\"]", "module.m[\"k\"].t.a", true),
        ("module.m[\"k\"]", "module.m[\"l\"].t.a", false),
        ("module.m", "module.mm.t.a", false),
        ("module.n", "module.m.module.n.t.a", false),
        ("module.m.module.n", "module.m[0].module.n[1].t.a", true),
        ("module.m.t.a", "module.m[0].t.a[\"k\"]", true),
        ("module.*.t.a", "module.m.t.a", true),
        ("module.*", "t.a", false),
    ] {
        let rules = config(vec![section(&[pattern], &[], &[])], None);
        let found = hits(&[change(address, &["delete"])], &rules, "default");
        assert_eq!(!found.is_empty(), is_hit, "{pattern} {address}");
    }
}

#[test]
fn types_and_workspaces_limit_each_other_within_a_section_and_not_between_two() {
    let typed = |types: &[&str], workspaces: &[&str]| section(&[], types, workspaces);
    let delete = [change("module.m.t.a", &["delete"])];
    assert_eq!(hits(&delete, &config(vec![typed(&["t"], &["prod*"])], None), "prod-eu").len(), 1);
    assert!(hits(&delete, &config(vec![typed(&["t"], &["prod"])], None), "dev").is_empty());
    assert!(hits(&delete, &config(vec![typed(&["tt"], &["prod"])], None), "prod").is_empty());
    let two = config(vec![typed(&["t"], &[]), typed(&["u"], &["dev"])], None);
    assert_eq!(hits(&delete, &two, "prod").len(), 1);
}

#[test]
fn an_object_that_is_moved_first_is_protected_under_both_names() {
    let moved = json!({"address": "t.b", "previous_address": "t.a", "mode": "managed", "type": "t",
        "change": {"actions": ["delete", "create"]}});
    for name in ["t.a", "t.b"] {
        let rules = config(vec![section(&[name], &[], &[])], None);
        let objection = judge(&plan(std::slice::from_ref(&moved)), &rules, "default").unwrap();
        assert_eq!(
            objection.deletions,
            [("t.b".to_owned(), "replaced, moved from t.a".to_owned())]
        );
    }
}

#[test]
fn a_deposed_object_is_an_object() {
    let deposed = json!({"address": "t.a", "mode": "managed", "type": "t", "deposed": "0011aabb",
        "change": {"actions": ["delete"]}});
    let rules = config(vec![section(&["t.a"], &[], &[])], None);
    assert_eq!(hits(&[deposed], &rules, "default"), ["t.a (deposed 0011aabb)"]);
}

#[test]
fn too_many_deletions_are_a_hit_in_every_workspace_and_all_are_named() {
    let changes = [
        change("t.a", &["delete"]),
        change("t.b", &["create", "delete"]),
        change("t.c", &["update"]),
    ];
    assert!(hits(&changes, &config(Vec::new(), Some(2)), "any").is_empty());
    assert_eq!(hits(&changes, &config(Vec::new(), Some(1)), "any"), ["t.a", "t.b"]);
    assert!(hits(&changes[2..], &config(Vec::new(), Some(0)), "any").is_empty());
    let both = config(vec![section(&["t.a"], &[], &[])], Some(1));
    let objection = judge(&plan(&changes), &both, "default").unwrap();
    assert_eq!(
        objection.found(),
        "the plan deletes what /r/.tf-shim.toml:3 protects; the plan deletes or replaces 2 \
         objects, and max_deletes allows 1"
    );
    assert_eq!(objection.deletions.len(), 2);
}

/// An object that goes, or comes, with one known attribute.
fn with_input(address: &str, action: &str, reason: Option<&str>, input: &str) -> Value {
    let object = json!({"input": input, "none": null});
    let (before, after) = match action {
        "create" => (Value::Null, object),
        _ => (object, Value::Null),
    };
    json!({"address": address, "mode": "managed", "type": "t", "action_reason": reason,
        "change": {"actions": [action], "before": before, "after": after}})
}

fn proposals(changes: &[Value]) -> Vec<String> {
    let rules = config(vec![section(&["*"], &[], &[])], None);
    let objection = judge(&plan(changes), &rules, "default").unwrap();
    objection.ways().into_iter().map(|way| way.command).collect()
}

#[test]
fn a_renamed_block_is_seen_and_the_one_that_is_alike_is_named() {
    let gone = Some("delete_because_no_resource_config");
    let changes = [
        with_input("t.old", "delete", gone, "same"),
        with_input("t.other", "create", None, "else"),
        with_input("t.new", "create", None, "same"),
    ];
    assert_eq!(proposals(&changes), ["moved {\n  from = t.old\n  to   = t.new\n}"]);
    assert!(proposals(&changes[..2]).is_empty(), "what is not alike is not proposed");
    let destroyed = with_input("t.old", "delete", None, "same");
    assert!(proposals(&[destroyed, changes[2].clone()]).is_empty(), "nothing is renamed");
}

#[test]
fn a_renamed_resource_with_instances_is_one_block() {
    let gone = Some("delete_because_no_resource_config");
    let changes = [
        with_input("t.old[\"a\"]", "delete", gone, "same"),
        with_input("t.old[\"b\"]", "delete", gone, "same"),
        with_input("t.new[\"b\"]", "create", None, "same"),
        with_input("t.new[\"a\"]", "create", None, "same"),
    ];
    assert_eq!(proposals(&changes), ["moved {\n  from = t.old\n  to   = t.new\n}"]);
    let keyed = [
        with_input("t.x[\"a\"]", "delete", Some("delete_because_each_key"), "same"),
        with_input("t.x[\"b\"]", "create", None, "same"),
    ];
    assert_eq!(proposals(&keyed), ["moved {\n  from = t.x[\"a\"]\n  to   = t.x[\"b\"]\n}"]);
}

#[test]
fn a_key_that_is_left_out_does_not_matter_wherever_it_stands() {
    let address = "module.m[\"y.z\"].terraform_data.in[\"plain\"]";
    for pattern in [
        "module.m.terraform_data.in",
        "module.m.terraform_data.in[\"plain\"]",
        "module.m[\"y.z\"].terraform_data.in",
        "module.m",
        "module.m[\"y.z\"]",
    ] {
        assert!(covers_address(&Pattern::new(pattern), address), "{pattern}");
    }
    for pattern in [
        "module.m.terraform_data.in[\"other\"]",
        "module.m[\"x\"].terraform_data.in",
        "module.m[\"x\"]",
        "terraform_data.in",
    ] {
        assert!(!covers_address(&Pattern::new(pattern), address), "{pattern}");
    }
    let deep = format!("module.m{}.a.b[0]", "[0].module.n".repeat(20));
    assert!(covers_address(
        &Pattern::new(&format!("module.m{}.a.b", ".module.n".repeat(20))),
        &deep
    ));
}
