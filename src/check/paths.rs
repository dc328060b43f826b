//! Where two values of one object differ, as paths that can be written into an accept rule.
//!
//! A list whose elements only changed places, or that grew or shrank, differs as a whole: an index means
//! nothing then, and sets look like lists in a plan. Nothing is looked into that is marked as sensitive, because
//! the names in a sensitive map may be secrets themselves.

use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap};

use serde_json::Value;

use crate::model::address::{element, member};
use crate::model::plan::{Action, ResourceChange, Wiring, is_marked_within};

/// Most paths that are told of one object; beyond, their parents are.
const MOST: usize = 20;

/// What a plan wants a value to be.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Wanted<'a> {
    /// This; none where nothing is wanted.
    Known(Option<&'a Value>),
    /// It is known only after the apply.
    Unknown,
}

/// One place where an object is not what the plan wants.
#[derive(Clone)]
pub(super) struct Difference<'a> {
    /// Names and numbers that lead there.
    pub(super) steps: Vec<Value>,
    /// What is there; none where there is nothing. Null is nothing.
    pub(super) current: Option<&'a Value>,
    /// What should be there.
    pub(super) wanted: Wanted<'a>,
}

impl Difference<'_> {
    /// The path: `tags["Name"]`.
    pub(super) fn path(&self) -> String {
        write(&self.steps)
    }
}

/// The differences that a planned update or replacement would remove.
///
/// What is known only after the apply counts where the configuration names it. Elsewhere it is a value that
/// the provider computes anew, as it does with every change, and it is told only of an update that has nothing
/// else.
pub(super) fn differences<'a>(change: &'a ResourceChange, wiring: &Wiring) -> Vec<Difference<'a>> {
    let (before, after) = (change.before.reveal(), change.after.reveal());
    if before.is_null() || after.is_null() {
        return Vec::new();
    }
    let mut found = Vec::new();
    let sides = Sides {
        current: Some(before),
        wanted: Some(after),
        unknown: change.after_unknown.reveal(),
        marks: [change.before_sensitive.reveal(), change.after_sensitive.reveal()],
    };
    compare(&mut Vec::new(), &sides, &mut found);
    let is_meant = |difference: &Difference| {
        difference.wanted != Wanted::Unknown
            || wiring.configures(&change.address, &difference.steps)
            || change.replace_paths.iter().any(|path| is_at_or_below(path, &difference.steps))
    };
    // A new object has all its computed values anew, whatever the reason for it.
    if !change.has(Action::Update) || found.iter().any(is_meant) {
        found.retain(is_meant);
    }
    found
}

/// The differences of two plain values, as of an output.
pub(super) fn differences_between<'a>(
    current: &'a Value,
    wanted: &'a Value,
) -> Vec<Difference<'a>> {
    let mut found = Vec::new();
    let sides = Sides {
        current: Some(current),
        wanted: Some(wanted),
        unknown: &Value::Null,
        marks: [&Value::Null; 2],
    };
    compare(&mut Vec::new(), &sides, &mut found);
    found
}

/// The paths of differences and of what forces a replacement, sorted, with parents in place of too many.
pub(super) fn told(differences: &[Difference], change: &ResourceChange) -> Vec<String> {
    let mut all: Vec<&[Value]> = differences.iter().map(|d| d.steps.as_slice()).collect();
    for forced in &change.replace_paths {
        let is_there = |steps: &&[Value]| is_related(forced, steps);
        if !all.iter().any(is_there) {
            all.push(forced);
        }
    }
    let deepest = all.iter().map(|steps| steps.len()).max().unwrap_or_default();
    let cut = |depth: usize| -> BTreeSet<String> {
        all.iter().map(|steps| write(steps.get(..depth).unwrap_or(steps))).collect()
    };
    let paths = (1..=deepest).rev().map(cut).find(|paths| paths.len() <= MOST);
    let mut paths: Vec<_> = paths.unwrap_or_else(|| cut(1)).into_iter().collect();
    paths.sort_by(|a, b| natural(a, b));
    paths
}

/// The value to which steps lead; none where there is nothing. Null is nothing.
pub(super) fn value_at<'a>(value: &'a Value, steps: &[Value]) -> Option<&'a Value> {
    let found = steps.iter().try_fold(value, |value, step| match step.as_str() {
        Some(name) => value.get(name),
        None => value.get(usize::try_from(step.as_u64()?).ok()?),
    });
    found.filter(|value| !value.is_null())
}

/// Whether one path leads to, or into, what the other leads to.
pub(super) fn is_related(a: &[Value], b: &[Value]) -> bool {
    is_at_or_below(a, b) || is_at_or_below(b, a)
}

/// Whether `steps` lead to `path` or further.
fn is_at_or_below(path: &[Value], steps: &[Value]) -> bool {
    steps.starts_with(path)
}

/// Compares two texts as people sort them: numbers by their value.
pub(super) fn natural(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a, b);
    loop {
        let (Some(x), Some(y)) = (left.chars().next(), right.chars().next()) else {
            return left.len().cmp(&right.len()).then_with(|| a.cmp(b));
        };
        let order = if x.is_ascii_digit() && y.is_ascii_digit() {
            let (number_left, rest_left) = split_number(left);
            let (number_right, rest_right) = split_number(right);
            (left, right) = (rest_left, rest_right);
            let [less, more] =
                [number_left, number_right].map(|digits| digits.trim_start_matches('0'));
            less.len().cmp(&more.len()).then_with(|| less.cmp(more))
        } else {
            left = left.get(x.len_utf8()..).unwrap_or_default();
            right = right.get(y.len_utf8()..).unwrap_or_default();
            x.cmp(&y)
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

/// Splits off the digits at the beginning.
fn split_number(text: &str) -> (&str, &str) {
    let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    text.split_at(end)
}

/// Both values at one place, and what is known about them there.
struct Sides<'a, 'm> {
    /// What is there.
    current: Option<&'a Value>,
    /// What should be there, as far as it is known.
    wanted: Option<&'a Value>,
    /// `true` where it is not known yet.
    unknown: &'m Value,
    /// `true` where either is sensitive.
    marks: [&'m Value; 2],
}

impl<'m> Sides<'_, 'm> {
    /// Both values of a member.
    fn member(&self, name: &str) -> Self {
        let inside = |value: &'m Value| value.get(name).unwrap_or(&Value::Null);
        Self {
            current: self.current.and_then(|value| value.get(name)),
            wanted: self.wanted.and_then(|value| value.get(name)),
            unknown: inside(self.unknown),
            marks: self.marks.map(inside),
        }
    }

    /// Both values of an element.
    fn element(&self, index: usize) -> Self {
        let inside = |value: &'m Value| value.get(index).unwrap_or(&Value::Null);
        Self {
            current: self.current.and_then(|value| value.get(index)),
            wanted: self.wanted.and_then(|value| value.get(index)),
            unknown: inside(self.unknown),
            marks: self.marks.map(inside),
        }
    }
}

/// Collects what differs. `steps` is the path so far, and is as it was when this returns.
fn compare<'a>(steps: &mut Vec<Value>, sides: &Sides<'a, '_>, found: &mut Vec<Difference<'a>>) {
    let present = |value: Option<&'a Value>| value.filter(|value| !value.is_null());
    let (current, wanted) = (present(sides.current), present(sides.wanted));
    let has_unknown = is_marked_within(sides.unknown);
    if !has_unknown && current == wanted {
        return;
    }
    let is_open = sides.marks.iter().all(|marks| **marks != Value::Bool(true));
    match (current, wanted, sides.unknown) {
        (_, _, Value::Bool(true)) => {
            found.push(Difference { steps: steps.clone(), current, wanted: Wanted::Unknown });
        }
        (Some(Value::Object(a)), Some(Value::Object(b)), unknown) if is_open => {
            let unknown = unknown.as_object().into_iter().flat_map(|members| members.keys());
            let names: BTreeSet<_> = a.keys().chain(b.keys()).chain(unknown).collect();
            for name in names {
                steps.push(Value::from(name.as_str()));
                compare(steps, &sides.member(name), found);
                steps.pop();
            }
        }
        (Some(Value::Array(a)), Some(Value::Array(b)), _)
            if is_open && a.len() == b.len() && (has_unknown || is_in_place(a, b)) =>
        {
            for index in 0..a.len() {
                steps.push(Value::from(index));
                compare(steps, &sides.element(index), found);
                steps.pop();
            }
        }
        (current, _, _) if has_unknown => {
            found.push(Difference { steps: steps.clone(), current, wanted: Wanted::Unknown });
        }
        (current, wanted, _) => {
            found.push(Difference { steps: steps.clone(), current, wanted: Wanted::Known(wanted) });
        }
    }
}

/// Whether what differs between two lists of one length differs at the same indices: nothing moved.
fn is_in_place(a: &[Value], b: &[Value]) -> bool {
    let apart = a.iter().zip(b).filter(|(x, y)| x != y).count();
    left_over(a, b).len() == apart
}

/// The elements of one list that the other does not have, as often as it does not have them.
pub(super) fn left_over<'a>(of: &'a [Value], without: &[Value]) -> Vec<&'a Value> {
    let mut there: HashMap<String, usize> = HashMap::new();
    for value in without {
        let count = there.entry(value.to_string()).or_default();
        *count = count.saturating_add(1);
    }
    let is_left = |value: &&Value| match there.get_mut(&value.to_string()) {
        Some(count) if *count > 0 => {
            *count = count.saturating_sub(1);
            false
        }
        Some(_) | None => true,
    };
    of.iter().filter(is_left).collect()
}

/// Writes a path. The first step is an attribute, whatever letters it has.
fn write(steps: &[Value]) -> String {
    steps.iter().fold(String::new(), |path, step| match step {
        Value::String(name) => member(&path, name),
        other => match other.as_u64().and_then(|index| usize::try_from(index).ok()) {
            Some(index) => element(&path, index),
            None => path,
        },
    })
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use proptest::prelude::{Just, Strategy, any, prop, prop_oneof, proptest};
    use serde_json::{Value, json};

    use super::{differences, differences_between, natural, told};
    use crate::model::plan::Plan;

    fn between(current: &Value, wanted: &Value) -> Vec<String> {
        differences_between(current, wanted).iter().map(super::Difference::path).collect()
    }

    /// The paths of an update whose change has further members.
    fn planned(change: &Value) -> Vec<String> {
        let mut whole = json!({"actions": ["update"]});
        for (name, value) in change.as_object().unwrap() {
            whole[name] = value.clone();
        }
        let document = json!({"format_version": "1.2",
            "resource_changes": [{"address": "t.n", "type": "t", "change": whole}],
            "configuration": {"root_module": {"resources": [
                {"address": "t.n", "expressions": {"set": {}, "l": {}}}]}}});
        let plan = Plan::parse(document.to_string().as_bytes()).unwrap();
        let change = plan.changes.first().unwrap();
        told(&differences(change, &plan.wiring), change)
    }

    #[test]
    fn paths_lead_as_deep_as_both_sides_have_one_shape() {
        let current =
            json!({"tags": {"a b": "x", "c": 1}, "rule": [{"port": 1}, {"port": 2}], "n": null});
        let wanted = json!({"tags": {"a b": "y", "c": 1}, "rule": [{"port": 1}, {"port": 3}]});
        assert_eq!(between(&current, &wanted), ["rule[1].port", r#"tags["a b"]"#]);
    }

    #[test]
    fn a_list_that_grew_or_changed_places_differs_as_a_whole() {
        let lists = |a: Value, b: Value| between(&json!({"l": a}), &json!({"l": b}));
        assert_eq!(lists(json!([1, 2]), json!([1, 2, 3])), ["l"]);
        assert_eq!(lists(json!([1, 2, 3]), json!([3, 2, 1])), ["l"]);
        assert_eq!(lists(json!([1, 2, 3]), json!([2, 3, 4])), ["l"]);
        assert_eq!(lists(json!([1, 2, 3]), json!([1, 2, 4])), ["l[2]"]);
    }

    #[test]
    fn what_is_known_only_later_counts_where_it_is_configured() {
        let change = json!({"before": {"set": 1, "made": 1}, "after": {}, "after_unknown": {"set": true, "made": true}});
        assert_eq!(planned(&change), ["set"]);
        let change = json!({"before": {"made": 1}, "after": {}, "after_unknown": {"made": true}});
        assert_eq!(planned(&change), ["made"]);
        let change = json!({"before": {"l": [1, {"x": 1}]}, "after": {"l": [null, {}]},
            "after_unknown": {"l": [true, {"x": true}]}});
        assert_eq!(planned(&change), ["l[0]", "l[1].x"]);
    }

    #[test]
    fn names_within_a_sensitive_value_are_not_told() {
        let change = json!({"before": {"m": {"secret": 1}}, "after": {"m": {"other": 1}},
            "before_sensitive": {"m": true}});
        assert_eq!(planned(&change), ["m"]);
    }

    #[test]
    fn too_many_paths_become_their_parents() {
        let many = |value: u8| -> Value {
            (0..30)
                .map(|n| (format!("k{n}"), json!(value)))
                .collect::<serde_json::Map<_, _>>()
                .into()
        };
        let change = json!({"before": {"x": {"m": many(1)}}, "after": {"x": {"m": many(2)}}});
        assert_eq!(planned(&change), ["x.m"]);
    }

    #[test]
    fn forced_paths_are_told_once() {
        let change = json!({"before": {"set": {"a": 1}}, "after": {"set": {"a": 2}},
            "replace_paths": [["set"], ["zone"]]});
        assert_eq!(planned(&change), ["set.a", "zone"]);
    }

    #[test]
    fn numbers_in_names_are_sorted_by_value() {
        let mut names = ["t.n[10]", "t.n[9]", "t.n", "t.n[09]", "t.m2"];
        names.sort_by(|a, b| natural(a, b));
        assert_eq!(names, ["t.m2", "t.n", "t.n[09]", "t.n[9]", "t.n[10]"]);
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(json!(null)),
            any::<bool>().prop_map(|b| json!(b)),
            (0_u8..3).prop_map(|n| json!(n))
        ];
        leaf.prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::Array),
                prop::collection::btree_map("[ab]", inner, 0..3)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    fn without_nulls(value: &Value) -> Value {
        match value {
            Value::Object(members) => {
                let kept = members.iter().filter(|(_, value)| !value.is_null());
                Value::Object(
                    kept.map(|(name, value)| (name.clone(), without_nulls(value))).collect(),
                )
            }
            Value::Array(elements) => elements.iter().map(without_nulls).collect(),
            other => other.clone(),
        }
    }

    proptest! {
        #[test]
        fn values_differ_somewhere_or_are_the_same(a in value(), b in value()) {
            let found = between(&a, &b);
            assert_eq!(found.is_empty(), without_nulls(&a) == without_nulls(&b), "{a} {b} {found:?}");
        }

        #[test]
        fn the_natural_order_is_one(a in "[a0-2]{0,4}", b in "[a0-2]{0,4}", c in "[a0-2]{0,4}") {
            assert_eq!(natural(&a, &b), natural(&b, &a).reverse());
            assert_eq!(natural(&a, &b) == Ordering::Equal, a == b);
            if natural(&a, &b) == Ordering::Less && natural(&b, &c) == Ordering::Less {
                assert_eq!(natural(&a, &c), Ordering::Less);
            }
        }
    }
}
