//! Whether two values are the same thing in other words, and in which.
//!
//! Providers write what they read back in a way of their own: JSON with other blanks, names in lower case,
//! `3600s` for `1h`. Each comparison here is one such habit. They go from the narrow to the wide, because
//! what differs only in blanks could also be called the same words in lower case.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::DateTime;
use serde_json::{Map, Value};

use super::paths::left_over;

/// How two values are alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Likeness {
    /// The same elements in another order.
    Order,
    /// Texts that are the same JSON.
    Json,
    /// Texts that differ in blanks and line breaks.
    WhiteSpace,
    /// Texts that differ in case.
    Case,
    /// The same in another notation.
    Spelling(Notation),
    /// What is there has something that is not wanted.
    Added,
    /// What is wanted is not there, or not all of it.
    Lacking,
}

impl Likeness {
    /// Whether both values are the same thing, so that nothing is added or lost.
    pub(super) fn is_rewriting(self) -> bool {
        match self {
            Self::Order | Self::Json | Self::WhiteSpace | Self::Case | Self::Spelling(_) => true,
            Self::Added | Self::Lacking => false,
        }
    }
}

/// What notation two values differ in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Notation {
    /// Nothing, an empty value, zero or false.
    Empty,
    /// A number or a truth value, and the same as text.
    Type,
    /// Numbers, quantities.
    Number,
    /// A slash or a dot at the end.
    Ending,
    /// Durations.
    Duration,
    /// Points in time.
    Time,
    /// Addresses and networks.
    Network,
    /// Base64.
    Base64,
}

/// Tells how what is there and what is wanted are alike; none if they are not.
pub(super) fn likeness(current: Option<&Value>, wanted: Option<&Value>) -> Option<Likeness> {
    let (current, wanted) = (current.unwrap_or(&Value::Null), wanted.unwrap_or(&Value::Null));
    if is_void(current) && is_void(wanted) {
        return Some(Likeness::Spelling(Notation::Empty));
    }
    match (is_nothing(current), is_nothing(wanted)) {
        (true, _) => return Some(Likeness::Lacking),
        (false, true) => return Some(Likeness::Added),
        (false, false) => {}
    }
    match (current, wanted) {
        (Value::Array(a), Value::Array(b)) => of_lists(a, b),
        (Value::Object(a), Value::Object(b)) => of_objects(a, b),
        (Value::String(a), Value::String(b)) => of_texts(a, b),
        (Value::Number(a), Value::Number(b)) => {
            (a.as_f64() == b.as_f64()).then_some(Likeness::Spelling(Notation::Number))
        }
        (Value::String(text), Value::Number(_) | Value::Bool(_)) => of_types(wanted, text),
        (Value::Number(_) | Value::Bool(_), Value::String(text)) => of_types(current, text),
        _ => None,
    }
}

/// Whether a value is one that providers take for nothing: they do not tell zero and false from null.
fn is_void(value: &Value) -> bool {
    match value {
        Value::Bool(truth) => !truth,
        Value::Number(number) => number.as_f64() == Some(0.0),
        other => is_nothing(other),
    }
}

/// Whether a value is empty. Zero and false are values that somebody may want.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(_) | Value::Number(_) => false,
        Value::String(text) => text.is_empty(),
        Value::Array(elements) => elements.is_empty(),
        Value::Object(members) => members.values().all(Value::is_null),
    }
}

/// How two lists are alike, whatever they list.
fn of_lists(current: &[Value], wanted: &[Value]) -> Option<Likeness> {
    match (left_over(current, wanted).as_slice(), left_over(wanted, current).as_slice()) {
        ([], []) => Some(Likeness::Order),
        ([], _) => Some(Likeness::Lacking),
        (_, []) => Some(Likeness::Added),
        _ => {
            let folded = |list: &[Value]| {
                let mut texts: Vec<_> = list.iter().map(|v| v.to_string().to_lowercase()).collect();
                texts.sort_unstable();
                texts
            };
            (folded(current) == folded(wanted)).then_some(Likeness::Case)
        }
    }
}

/// How two maps are alike: one may have all of the other.
fn of_objects(current: &Map<String, Value>, wanted: &Map<String, Value>) -> Option<Likeness> {
    let lacks = |from: &Map<String, Value>, other: &Map<String, Value>| {
        let has = |(name, value): (&String, &Value)| other.get(name) == Some(value);
        from.iter().any(|member| !has(member))
    };
    match (lacks(wanted, current), lacks(current, wanted)) {
        (false, false) => Some(Likeness::Order),
        (false, true) => Some(Likeness::Added),
        (true, false) => Some(Likeness::Lacking),
        (true, true) => None,
    }
}

/// Whether a text is what a number or a truth value is written as.
fn of_types(plain: &Value, text: &str) -> Option<Likeness> {
    let same = plain.as_f64().is_some_and(|number| text.trim().parse() == Ok(number))
        || plain.as_bool().is_some_and(|truth| truth.to_string().eq_ignore_ascii_case(text));
    same.then_some(Likeness::Spelling(Notation::Type))
}

/// How two texts are alike.
fn of_texts(current: &str, wanted: &str) -> Option<Likeness> {
    let both = |fold: fn(&str) -> String| fold(current) == fold(wanted);
    if is_same_json(current, wanted) {
        return Some(Likeness::Json);
    }
    if both(|text| text.split_whitespace().collect::<Vec<_>>().join(" ")) {
        return Some(Likeness::WhiteSpace);
    }
    if both(str::to_lowercase) {
        return Some(Likeness::Case);
    }
    if is_same_list(current, wanted) {
        return Some(Likeness::Order);
    }
    if both(|text| text.trim_end_matches(['/', '.']).to_owned()) {
        return Some(Likeness::Spelling(Notation::Ending));
    }
    notation(current, wanted).map(Likeness::Spelling)
}

/// The notation in which two texts say the same.
fn notation(a: &str, b: &str) -> Option<Notation> {
    let agree = |x: Option<f64>, y: Option<f64>| x.is_some() && x == y;
    if a.parse::<f64>().ok().is_some_and(|number| b.parse() == Ok(number)) {
        return Some(Notation::Number);
    }
    if agree(duration(a), duration(b)) {
        return Some(Notation::Duration);
    }
    if agree(quantity(a), quantity(b)) {
        return Some(Notation::Number);
    }
    let times = [a, b].map(|text| DateTime::parse_from_rfc3339(text).ok());
    if let [Some(x), Some(y)] = times
        && x == y
    {
        return Some(Notation::Time);
    }
    if let (Some(x), Some(y)) = (network(a), network(b))
        && x == y
    {
        return Some(Notation::Network);
    }
    let is_coded = |plain: &str, coded: &str| STANDARD.encode(plain) == coded;
    (is_coded(a, b) || is_coded(b, a)).then_some(Notation::Base64)
}

/// Whether two texts are the same JSON, a single element and the list of it taken for the same, and lists
/// for sets: policies are read that way. Plain words and numbers are no JSON here.
fn is_same_json(a: &str, b: &str) -> bool {
    let parse = |text: &str| {
        let is_json = text.trim_start().starts_with(['{', '[']);
        is_json.then(|| serde_json::from_str::<Value>(text).ok()).flatten()
    };
    matches!((parse(a), parse(b)), (Some(x), Some(y)) if canonical(&x) == canonical(&y))
}

/// Writes JSON so that what means the same is the same text.
fn canonical(value: &Value) -> String {
    match value {
        Value::Array(elements) => {
            let mut parts: Vec<_> = elements.iter().map(canonical).collect();
            parts.sort_unstable();
            match parts.as_slice() {
                [only] => only.clone(),
                _ => format!("[{}]", parts.join(",")),
            }
        }
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| {
                format!("{}:{}", Value::from(name.as_str()), canonical(value))
            };
            let mut parts: Vec<_> = members.iter().map(member).collect();
            parts.sort_unstable();
            format!("{{{}}}", parts.join(","))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
    }
}

/// Whether two texts list the same words in another order.
fn is_same_list(a: &str, b: &str) -> bool {
    let words = |text: &str| {
        let separators = [',', ';', ' ', '\n'];
        let mut words: Vec<_> = text
            .split(separators)
            .map(str::trim)
            .filter(|w| !w.is_empty())
            .map(str::to_owned)
            .collect();
        words.sort_unstable();
        words
    };
    let left = words(a);
    left.len() > 1 && left == words(b)
}

/// The seconds of a duration as Go, systemd or ISO 8601 write it: `1h30m`, `90 min`, `PT90M`.
fn duration(text: &str) -> Option<f64> {
    let lower = text.trim().to_ascii_lowercase();
    let mut rest = lower.strip_prefix('p').unwrap_or(&lower).replace(['t', ' '], "");
    let mut seconds = 0.0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at(digits);
        let letters = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        let factor = match unit {
            "ms" => 0.001,
            "s" | "sec" | "secs" | "second" | "seconds" => 1.0,
            "m" | "min" | "mins" | "minute" | "minutes" => 60.0,
            "h" | "hr" | "hour" | "hours" => 3_600.0,
            "d" | "day" | "days" => 86_400.0,
            "w" | "week" | "weeks" => 604_800.0,
            _ => return None,
        };
        seconds += number.parse::<f64>().ok()? * factor;
        rest = tail.to_owned();
    }
    Some(seconds)
}

/// The amount of a quantity as Kubernetes writes it: `1Gi`, `500m`, `2k`.
fn quantity(text: &str) -> Option<f64> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor = match unit {
        "" => 1.0,
        "m" => 0.001,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "Ki" => 1_024.0,
        "Mi" => 1_048_576.0,
        "Gi" => 1_073_741_824.0,
        "Ti" => 1_099_511_627_776.0,
        _ => return None,
    };
    Some(number.parse::<f64>().ok()? * factor)
}

/// The network of an address, with or without the length of its prefix; what lies in the host's part is
/// dropped, as many services do.
fn network(text: &str) -> Option<(u128, u8, bool)> {
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, Some(length.parse::<u8>().ok()?)),
        None => (text, None),
    };
    let (bits, width, is_four) = match address.parse::<IpAddr>().ok()? {
        IpAddr::V4(address) => (u128::from(address.to_bits()), 32_u8, true),
        IpAddr::V6(address) => (address.to_bits(), 128, false),
    };
    let length = length.unwrap_or(width);
    let host = width.checked_sub(length)?;
    let mask = u128::MAX.checked_shl(u32::from(host)).unwrap_or_default();
    Some((bits & mask, length, is_four))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Likeness, Notation, likeness};

    fn like(current: &Value, wanted: &Value) -> Option<Likeness> {
        likeness(Some(current), Some(wanted))
    }

    #[test]
    fn the_same_in_other_words_is_recognised() {
        let spelling = Likeness::Spelling;
        for (current, wanted, expected) in [
            (json!(["b", "a"]), json!(["a", "b"]), Likeness::Order),
            (json!("b, a"), json!("a,b"), Likeness::Order),
            (json!({"a": 1, "b": 2}), json!({"a": 1}), Likeness::Added),
            (json!(["a"]), json!(["a", "b"]), Likeness::Lacking),
            (json!(["B", "a"]), json!(["a", "b"]), Likeness::Case),
            (json!("{ \"a\": [1, 2] }"), json!("{\"a\":[1,2]}"), Likeness::Json),
            (json!("{\"a\":\"x\"}"), json!("{\"a\":[\"x\"]}"), Likeness::Json),
            (json!("a b"), json!("a  b\n"), Likeness::WhiteSpace),
            (json!("Abc"), json!("aBC"), Likeness::Case),
            (json!("example.org."), json!("example.org"), spelling(Notation::Ending)),
            (json!("https://a/"), json!("https://a"), spelling(Notation::Ending)),
            (json!(""), json!(null), spelling(Notation::Empty)),
            (json!(null), json!(false), spelling(Notation::Empty)),
            (json!("5"), json!(5), spelling(Notation::Type)),
            (json!(true), json!("true"), spelling(Notation::Type)),
            (json!("1.0"), json!("1"), spelling(Notation::Number)),
            (json!("1024Mi"), json!("1Gi"), spelling(Notation::Number)),
            (json!("1h0m0s"), json!("3600s"), spelling(Notation::Duration)),
            (json!("P1DT2H"), json!("26h"), spelling(Notation::Duration)),
            (
                json!("2027-01-01T01:00:00+01:00"),
                json!("2027-01-01T00:00:00Z"),
                spelling(Notation::Time),
            ),
            (json!("10.0.0.0/24"), json!("10.0.0.7/24"), spelling(Notation::Network)),
            (json!("2001:db8::1"), json!("2001:0db8:0::1"), spelling(Notation::Network)),
            (json!("aGk="), json!("hi"), spelling(Notation::Base64)),
        ] {
            assert_eq!(like(&current, &wanted), Some(expected), "{current} {wanted}");
        }
    }

    #[test]
    fn other_values_are_not_alike() {
        for (current, wanted) in [
            (json!("a"), json!("b")),
            (json!(0), json!(5)),
            (json!(false), json!(true)),
            (json!("{\"a\":1}"), json!("{\"a\":2}")),
            (json!("10.0.0.0/24"), json!("10.0.0.0/25")),
            (json!("1h"), json!("2h")),
            (json!("é"), json!("1é")),
            (json!(["a"]), json!(["b"])),
            (json!({"a": 1}), json!({"a": 2})),
            (json!("1.1.1.1/99"), json!("1.1.1.2/99")),
        ] {
            assert_eq!(like(&current, &wanted), None, "{current} {wanted}");
        }
    }
}
