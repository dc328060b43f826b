//! Terraform's values, as small as our schemas let them be, and their two encodings.
//!
//! On the wire a value is `MessagePack` with one addition: an unknown value is an extension, of type 0
//! or, with refinements, 12 (`docs/plugin-protocol/object-wire-format.md` of Terraform 1.11). Refinements
//! are dropped; nobody may rely on them. A stored state comes as JSON and has no unknown values.
//!
//! Easy to get wrong: the encoding says nothing of types. A list, a set and a tuple look the same, so do
//! a map and an object; the schema must know. None of our schemas has an attribute of any type, which
//! would carry its type along.

use std::collections::BTreeMap;

use rmpv::Value as Packed;
use serde_json::Value as Json;

/// The attributes of an object, and its blocks, by name.
pub type Attributes = BTreeMap<String, Value>;

/// A value of Terraform.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// None.
    #[default]
    Null,
    /// Known after apply.
    Unknown,
    /// A bool.
    Flag(bool),
    /// A number; exact up to 2⁵³.
    Number(f64),
    /// A string.
    Text(String),
    /// A list, a set, or the blocks of one type.
    List(Vec<Value>),
    /// A map or an object.
    Map(Attributes),
}

impl Value {
    /// Returns the text of a string.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// Returns the number, if it is one.
    #[must_use]
    pub fn as_number(&self) -> Option<f64> {
        if let Self::Number(number) = self { Some(*number) } else { None }
    }

    /// Whether it is the bool `true`.
    #[must_use]
    pub fn is_true(&self) -> bool {
        *self == Self::Flag(true)
    }

    /// Decodes `MessagePack`.
    ///
    /// # Errors
    /// If the bytes are no value of Terraform.
    pub(crate) fn unpack(mut bytes: &[u8]) -> Result<Self, String> {
        let packed = rmpv::decode::read_value(&mut bytes).map_err(|error| error.to_string())?;
        Self::from_packed(packed)
    }

    /// Encodes as `MessagePack`.
    pub(crate) fn pack(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        rmpv::encode::write_value(&mut bytes, &self.to_packed()).expect("a Vec takes everything");
        bytes
    }

    /// Takes what `MessagePack` holds.
    fn from_packed(packed: Packed) -> Result<Self, String> {
        Ok(match packed {
            Packed::Nil => Self::Null,
            Packed::Ext(_, _) => Self::Unknown,
            Packed::Boolean(flag) => Self::Flag(flag),
            Packed::Integer(_) | Packed::F32(_) | Packed::F64(_) => {
                Self::Number(packed.as_f64().ok_or("a number beyond all bounds")?)
            }
            Packed::String(text) => Self::Text(text.into_str().ok_or("a string is UTF-8")?),
            Packed::Binary(_) => return Err("Terraform has no binary values".to_owned()),
            Packed::Array(items) => {
                Self::List(items.into_iter().map(Self::from_packed).collect::<Result<_, _>>()?)
            }
            Packed::Map(entries) => {
                let entry = |(key, value): (Packed, Packed)| {
                    let key = key.as_str().ok_or("a key is a string")?.to_owned();
                    Ok::<_, String>((key, Self::from_packed(value)?))
                };
                Self::Map(entries.into_iter().map(entry).collect::<Result<_, _>>()?)
            }
        })
    }

    /// Returns what `MessagePack` shall hold.
    fn to_packed(&self) -> Packed {
        match self {
            Self::Null => Packed::Nil,
            Self::Unknown => Packed::Ext(0, vec![0]),
            Self::Flag(flag) => Packed::Boolean(*flag),
            Self::Number(number) => Packed::F64(*number),
            Self::Text(text) => Packed::from(text.as_str()),
            Self::List(items) => Packed::Array(items.iter().map(Self::to_packed).collect()),
            Self::Map(entries) => {
                let entry = |(key, value): (&String, &Self)| {
                    (Packed::from(key.as_str()), value.to_packed())
                };
                Packed::Map(entries.iter().map(entry).collect())
            }
        }
    }
}

impl From<Json> for Value {
    fn from(json: Json) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(flag) => Self::Flag(flag),
            Json::Number(number) => Self::Number(number.as_f64().unwrap_or(f64::NAN)),
            Json::String(text) => Self::Text(text),
            Json::Array(items) => Self::List(items.into_iter().map(Self::from).collect()),
            Json::Object(entries) => {
                Self::Map(entries.into_iter().map(|(key, value)| (key, value.into())).collect())
            }
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl<const N: usize> From<[&str; N]> for Value {
    fn from(items: [&str; N]) -> Self {
        Self::List(items.into_iter().map(Self::from).collect())
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Value {
    fn from(entries: [(&str, &str); N]) -> Self {
        Self::Map(entries.into_iter().map(|(key, value)| (key.to_owned(), value.into())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::Value;

    #[test]
    fn every_kind_of_value_survives_the_wire() {
        let all = Value::List(vec![
            Value::Null,
            Value::Unknown,
            Value::Flag(true),
            Value::Number(-1.5),
            Value::Number(8080.0),
            "text".into(),
            [("key", "value")].into(),
        ]);
        assert_eq!(Value::unpack(&all.pack()), Ok(all));
    }

    #[test]
    fn an_unknown_value_with_refinements_is_unknown() {
        // Extension 12 of two bytes: a map of one refinement, as Terraform sends for "not null".
        assert_eq!(Value::unpack(&[0xd5, 0x0c, 0x81, 0x01]), Ok(Value::Unknown));
    }
}
