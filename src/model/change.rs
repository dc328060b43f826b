//! What differs between two states, by address and attribute.
//!
//! Whether an instance *changed* is decided by its fingerprint, as the counts in the journal are, so
//! that a list of changes and its count never disagree. An instance can thus be listed without
//! attributes: when only the way it is written differs, or a number beyond 64 bits.
//!
//! Paths are those of the attributes; what is not an attribute stands in parentheses: `(status)` for
//! taint, `(provider)`, `(dependencies)`. `(private)` belongs to the provider and is always masked.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use super::address::{element, member};
use super::content::{Content, Instance, is_sensitive};
use super::content::{Mode, NotReadable};
use super::mask::{Marks, Mask, SENSITIVE, Secrets};
use super::operation::Changes;
use super::state::{Census, StateImage};

/// What happened to a resource or an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Action {
    /// Only in the second state.
    Add,
    /// In both, and different; a replacement, too.
    Change,
    /// Only in the first state.
    Remove,
}

/// One attribute that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct AttributeChange {
    /// Where: `input.tags["a b"][0]`.
    pub(crate) path: String,
    /// What it was, as short JSON; none where there was nothing.
    pub(crate) before: Option<String>,
    /// What it is, as short JSON; none where there is nothing.
    pub(crate) after: Option<String>,
    /// Whether something of either value was masked.
    pub(crate) sensitive: bool,
}

/// One resource instance that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct ResourceChange {
    /// Its address, as Terraform writes it.
    pub(crate) address: String,
    /// The key of a deposed object.
    pub(crate) deposed: Option<String>,
    /// Managed or data.
    pub(crate) mode: Mode,
    /// What happened to it.
    pub(crate) action: Action,
    /// What differs; of what was added or removed, every attribute that is not null.
    pub(crate) attributes: Vec<AttributeChange>,
    /// `attributes.id` (of the second state, where it is there), where it is a string that is not
    /// sensitive.
    pub(crate) id: Option<String>,
}

/// One output that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct OutputChange {
    /// Its name.
    pub(crate) name: String,
    /// What happened to it.
    pub(crate) action: Action,
    /// What it was, as short JSON.
    pub(crate) before: Option<String>,
    /// What it is, as short JSON.
    pub(crate) after: Option<String>,
    /// Whether something of either value was masked.
    pub(crate) sensitive: bool,
}

/// What differs between two states.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct StateDiff {
    /// Instances, by address; data and deposed ones too.
    pub(crate) resources: Vec<ResourceChange>,
    /// Outputs, by name.
    pub(crate) outputs: Vec<OutputChange>,
    /// How many managed instances differ, deposed ones excepted.
    pub(crate) changes: Changes,
}

impl StateDiff {
    /// Compares two states; `None` is a state that is not there.
    ///
    /// # Errors
    /// One of the two is invalid, encrypted, or nests too deep.
    pub(crate) fn between(
        before: Option<&StateImage>,
        after: Option<&StateImage>,
    ) -> Result<Self, NotReadable> {
        let contents = [Content::read(before)?, Content::read(after)?];
        let none = Census::default();
        let [was, is] = [before, after].map(|state| state.map_or(&none, |s| &s.scan().census));
        let mut secrets = Secrets::default();
        for content in &contents {
            content.teach(&mut secrets);
        }
        let [old, new] = &contents;
        let keys: BTreeSet<_> = old.instances.keys().chain(new.instances.keys()).collect();
        let resources = keys.into_iter().filter_map(|key| {
            let pair = Pair { old: old.instances.get(key), new: new.instances.get(key) };
            let action = pair.action(was, is)?;
            let shown = pair.new.or(pair.old)?;
            Some(ResourceChange {
                address: key.0.clone(),
                deposed: key.1.clone(),
                mode: shown.mode,
                action,
                attributes: pair.attributes(&secrets),
                id: shown.id(&secrets),
            })
        });
        Ok(Self {
            resources: resources.collect(),
            outputs: compare_outputs(old, new, &secrets),
            changes: was.changes(is),
        })
    }

    /// Whether nothing differs.
    pub(crate) fn is_empty(&self) -> bool {
        self.resources.is_empty() && self.outputs.is_empty()
    }
}

/// One instance in both states.
struct Pair<'a> {
    old: Option<&'a Instance>,
    new: Option<&'a Instance>,
}

impl Pair<'_> {
    fn action(&self, was: &Census, is: &Census) -> Option<Action> {
        let (old, new) = match (self.old, self.new) {
            (None, None) => return None,
            (None, Some(_)) => return Some(Action::Add),
            (Some(_), None) => return Some(Action::Remove),
            (Some(old), Some(new)) => (old, new),
        };
        let is_same = match (old.print, new.print) {
            (Some(before), Some(after)) => was.content(before) == is.content(after),
            _ => {
                old.provider == new.provider
                    && old.attributes == new.attributes
                    && old.rest == new.rest
            }
        };
        (!is_same).then_some(Action::Change)
    }

    fn attributes(&self, secrets: &Secrets) -> Vec<AttributeChange> {
        let mut marks = Marks::default();
        for instance in self.old.into_iter().chain(self.new) {
            instance.mark(&mut marks);
        }
        let mut found = Found { mask: Mask { secrets, marks: &marks }, changes: Vec::new() };
        let [old, new] = [self.old, self.new].map(|side| side.map(|i| &i.attributes));
        found.compare("", old, new);
        if let (Some(old), Some(new)) = (self.old, self.new) {
            found.compare_rest(old, new);
        }
        found.changes
    }
}

/// Collects what differs within one instance.
struct Found<'a> {
    mask: Mask<'a>,
    changes: Vec<AttributeChange>,
}

impl Found<'_> {
    /// Goes as deep as both sides have the same shape, but not beyond what is marked. The attributes
    /// themselves (the empty path) are always opened, so that what was added is listed one by one.
    fn compare(&mut self, path: &str, old: Option<&Value>, new: Option<&Value>) {
        if old == new || (path.is_empty() && [old, new].into_iter().flatten().all(Value::is_null)) {
            return;
        }
        let is_open = !self.mask.marks.has(path);
        match (old, new) {
            (Some(Value::Object(a)), Some(Value::Object(b))) if is_open => {
                let names = a.keys().chain(b.keys().filter(|name| !a.contains_key(*name)));
                for name in names {
                    let sides = [a.get(name), b.get(name)];
                    if self.mask.hides_name(path, name) {
                        self.push_masked(member(path, SENSITIVE), sides);
                        continue;
                    }
                    let [old, new] = sides;
                    self.compare(&member(path, name), old, new);
                }
            }
            (Some(Value::Array(a)), Some(Value::Array(b))) if is_open => {
                for at in 0..a.len().max(b.len()) {
                    self.compare(&element(path, at), a.get(at), b.get(at));
                }
            }
            (Some(Value::Object(only)), None | Some(Value::Null)) if path.is_empty() => {
                for (name, value) in only.iter().filter(|(_, value)| !value.is_null()) {
                    self.push(&member("", name), Some(value), None);
                }
            }
            (None | Some(Value::Null), Some(Value::Object(only))) if path.is_empty() => {
                for (name, value) in only.iter().filter(|(_, value)| !value.is_null()) {
                    self.push(&member("", name), None, Some(value));
                }
            }
            (old, new) => self.push(path, old, new),
        }
    }

    fn push(&mut self, path: &str, old: Option<&Value>, new: Option<&Value>) {
        let [before, after] = [old, new].map(|side| side.map(|value| self.mask.show(path, value)));
        let sensitive = before.iter().chain(&after).any(|shown| shown.is_masked);
        self.changes.push(AttributeChange {
            path: path.to_owned(),
            before: before.map(|shown| shown.text),
            after: after.map(|shown| shown.text),
            sensitive,
        });
    }

    fn push_masked(&mut self, path: String, sides: [Option<&Value>; 2]) {
        let [old, new] = sides;
        if old != new {
            let [before, after] = sides.map(|side| side.map(|_| SENSITIVE.to_owned()));
            self.changes.push(AttributeChange { path, before, after, sensitive: true });
        }
    }

    fn compare_rest(&mut self, old: &Instance, new: &Instance) {
        let names = old.rest.keys().chain(new.rest.keys().filter(|n| !old.rest.contains_key(*n)));
        for name in names {
            let [before, after] = [old, new].map(|side| side.rest.get(name));
            match name.as_str() {
                // In any order, and no part of what the resource is.
                "sensitive_attributes" => {}
                "private" => self.push_masked("(private)".to_owned(), [before, after]),
                _ => self.compare(&format!("({name})"), before, after),
            }
        }
        let [before, after] = [old, new].map(|side| Value::from(side.provider.as_str()));
        self.compare("(provider)", Some(&before), Some(&after));
    }
}

fn compare_outputs(old: &Content, new: &Content, secrets: &Secrets) -> Vec<OutputChange> {
    let marks = Marks::default();
    let mask = Mask { secrets, marks: &marks };
    let names: BTreeSet<_> = old.outputs.keys().chain(new.outputs.keys()).collect();
    let changes = names.into_iter().filter_map(|name| {
        let sides = [old.outputs.get(name), new.outputs.get(name)];
        let action = match sides {
            [None, None] => return None,
            [None, Some(_)] => Action::Add,
            [Some(_), None] => Action::Remove,
            [Some(before), Some(after)] if before == after => return None,
            [Some(_), Some(_)] => Action::Change,
        };
        let is_marked = sides.into_iter().flatten().any(is_sensitive);
        let shown = sides.map(|side| {
            side.map(|output| mask.show("", output.get("value").unwrap_or(&Value::Null)))
        });
        let sensitive = is_marked || shown.iter().flatten().any(|shown| shown.is_masked);
        let [before, after] = shown.map(|side| {
            side.map(|shown| if is_marked { SENSITIVE.to_owned() } else { shown.text })
        });
        Some(OutputChange { name: name.clone(), action, before, after, sensitive })
    });
    changes.collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Just, Strategy, any, prop, prop_oneof, proptest};
    use serde_json::{Value, json};

    use super::{Action, AttributeChange, Mode, StateDiff};
    use crate::model::content::list_resources;
    use crate::model::operation::Changes;
    use crate::model::state::StateImage;

    fn state(resources: &Value, outputs: &Value) -> StateImage {
        let whole = json!({
            "version": 4, "serial": 1, "lineage": "l", "outputs": outputs, "resources": resources,
        });
        StateImage::new(whole.to_string().into_bytes())
    }

    fn one(instance: &Value) -> StateImage {
        let resource = json!([{
            "mode": "managed", "type": "t", "name": "n", "provider": "p", "instances": [instance],
        }]);
        state(&resource, &json!({}))
    }

    fn changed(
        path: &str,
        before: Option<&str>,
        after: Option<&str>,
        sensitive: bool,
    ) -> AttributeChange {
        AttributeChange {
            path: path.to_owned(),
            before: before.map(str::to_owned),
            after: after.map(str::to_owned),
            sensitive,
        }
    }

    #[test]
    fn attributes_are_named_by_their_paths() {
        let old = one(&json!({"attributes": {"id": "i", "tags": {"a b": [1, 2]}, "x": null}}));
        let new = one(
            &json!({"status": "tainted", "attributes": {"id": "i", "tags": {"a b": [1, 3, 4]}, "x": "y"}}),
        );
        let diff = StateDiff::between(Some(&old), Some(&new)).unwrap();
        let resource = diff.resources.first().unwrap();
        assert_eq!((resource.address.as_str(), resource.action), ("t.n", Action::Change));
        assert_eq!(resource.id.as_deref(), Some("i"));
        assert_eq!(
            resource.attributes,
            [
                changed(r#"tags["a b"][1]"#, Some("2"), Some("3"), false),
                changed(r#"tags["a b"][2]"#, None, Some("4"), false),
                changed("x", Some("null"), Some("\"y\""), false),
                changed("(status)", None, Some("\"tainted\""), false),
            ]
        );
        assert_eq!(diff.changes, Changes { add: 0, change: 1, remove: 0 });
    }

    #[test]
    fn what_came_or_went_lists_its_attributes() {
        let new = one(&json!({"attributes": {"id": "i", "x": null, "n": 1}}));
        let diff = StateDiff::between(None, Some(&new)).unwrap();
        let resource = diff.resources.first().unwrap();
        assert_eq!(resource.action, Action::Add);
        assert_eq!(resource.attributes.len(), 2);
        let diff = StateDiff::between(Some(&new), Some(&StateImage::new(Vec::new()))).unwrap();
        assert_eq!(diff.changes, Changes { add: 0, change: 0, remove: 1 });
        assert_eq!(diff.resources.first().unwrap().mode, Mode::Managed);
    }

    #[test]
    fn no_secret_is_shown() {
        let marks = json!([[{"type": "get_attr", "value": "password"}]]);
        let make = |secret: &str, flag: u64| {
            let resources = json!([{
                "mode": "managed", "type": "t", "name": "n", "provider": "p", "instances": [{
                    "attributes": {
                        "id": secret, "password": {"inner": secret}, "copy": [secret, flag],
                        "m": {"k": {secret: flag}},
                    },
                    "sensitive_attributes": marks, "private": secret,
                }],
            }, {
                "mode": "data", "type": "t", "name": "n", "provider": "p",
                "instances": [{"attributes": {"x": format!("{secret}-out"), "y": flag}}],
            }]);
            let outputs = json!({
                "o": {"value": format!("{secret}-out"), "type": "string", "sensitive": true},
                "p": {"value": {"deep": secret}, "type": "string"},
            });
            state(&resources, &outputs)
        };
        let diff =
            StateDiff::between(Some(&make("C4N4RY-1", 1)), Some(&make("C4N4RY-2", 2))).unwrap();
        let text = serde_json::to_string(&diff).unwrap();
        assert!(!text.contains("C4N4RY"), "{text}");
        assert!(text.contains(r#""path":"password","before":"(sensitive)""#), "{text}");
        let alone = StateDiff::between(None, Some(&make("C4N4RY-1", 1))).unwrap();
        assert!(!serde_json::to_string(&alone).unwrap().contains("C4N4RY"));
        let listed = list_resources(&make("C4N4RY-1", 1)).unwrap();
        assert!(!serde_json::to_string(&listed).unwrap().contains("C4N4RY"));
        assert_eq!(listed.len(), 2);
    }

    #[test]
    fn a_number_beyond_64_bits_is_a_change_all_the_same() {
        let make = |digits: &str| {
            let text = r#"{"version":4,"lineage":"l","resources":[{"type":"t","name":"n","instances":[{"attributes":{"x":N}}]}]}"#;
            StateImage::new(text.replace('N', digits).into_bytes())
        };
        let (old, new) =
            (make("123456789012345678901234567890"), make("123456789012345678901234567891"));
        let diff = StateDiff::between(Some(&old), Some(&new)).unwrap();
        assert_eq!(diff.changes.change, 1);
        assert_eq!(diff.resources.len(), 1);
    }

    #[test]
    fn what_cannot_be_read_is_an_error() {
        let bad = StateImage::new(b"{".to_vec());
        assert!(StateDiff::between(Some(&bad), None).is_err());
    }

    /// A few resources from a small world, so that two states share most addresses.
    fn resources() -> impl Strategy<Value = Value> {
        let index = prop_oneof![
            Just(json!(null)),
            (0_u8..2).prop_map(|n| json!(n)),
            prop::sample::select(vec!["0", "a\"b"]).prop_map(|key| json!(key)),
        ];
        let attributes = prop_oneof![
            Just(json!({})),
            (0_u8..3).prop_map(|n| json!({"id": "i", "n": n})),
            any::<f64>().prop_map(|n| json!({"deep": [{"n": n}]})),
        ];
        let instance =
            (index, attributes, any::<bool>(), prop::option::weighted(0.2, Just("0011aabb")))
                .prop_map(|(index, attributes, is_tainted, deposed)| {
                    let mut instance = json!({"index_key": index, "attributes": attributes});
                    if is_tainted {
                        instance["status"] = json!("tainted");
                    }
                    if let Some(deposed) = deposed {
                        instance["deposed"] = json!(deposed);
                    }
                    instance
                });
        let resource = (
            prop::sample::select(vec!["managed", "managed", "data"]),
            prop::sample::select(vec!["", "module.m"]),
            prop::sample::select(vec!["a", "b"]),
            prop::sample::select(vec!["p", "p", "q"]),
            prop::collection::vec(instance, 0..4),
        );
        let resource = resource.prop_map(|(mode, module, name, provider, mut instances)| {
            let mut seen = Vec::new();
            instances.retain(|instance| {
                let key = (instance["index_key"].clone(), instance.get("deposed").cloned());
                let is_new = !seen.contains(&key);
                seen.push(key);
                is_new
            });
            json!({
                "module": module, "mode": mode, "type": "t", "name": name, "provider": provider,
                "instances": instances,
            })
        });
        prop::collection::vec(resource, 0..5).prop_map(|mut resources| {
            let mut seen = Vec::new();
            resources.retain(|resource| {
                let key =
                    [&resource["mode"], &resource["module"], &resource["name"]].map(Value::clone);
                let is_new = !seen.contains(&key);
                seen.push(key);
                is_new
            });
            Value::Array(resources)
        })
    }

    proptest! {
        #[test]
        fn the_list_agrees_with_the_count(a in resources(), b in resources()) {
            let [old, new] = [a, b].map(|resources| state(&resources, &json!({})));
            let diff = StateDiff::between(Some(&old), Some(&new)).unwrap();
            let counted = old.scan().census.changes(&new.scan().census);
            let listed = |action| {
                let is_it = |r: &&super::ResourceChange| {
                    r.action == action && r.mode == Mode::Managed && r.deposed.is_none()
                };
                u64::try_from(diff.resources.iter().filter(is_it).count()).unwrap()
            };
            let listed = Changes {
                add: listed(Action::Add), change: listed(Action::Change), remove: listed(Action::Remove),
            };
            assert_eq!(listed, counted);
            assert_eq!(diff.changes, counted);
            for resource in diff.resources.iter().filter(|r| r.action == Action::Change) {
                assert!(!resource.attributes.is_empty(), "{resource:?}");
            }
        }
    }
}
