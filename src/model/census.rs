//! How many instances differ between two states, without keeping either.
//!
//! One streaming pass takes a fingerprint of every managed instance that is not deposed. Fingerprints
//! live only in memory and only count; what must be proven is proven with SHA-256. What is easy to get
//! wrong: the names of a resource may follow its instances, so an address is only made when the
//! resource has been read to its end.

use std::cmp::Ordering;

use super::json::{Fault, Token, TokenKind, Tokenizer};
use super::json_text::{decode, name_is};
use super::operation::Changes;

/// A fingerprint per managed, non-deposed instance: enough to count what differs between two states
/// without keeping either in memory.
#[derive(Clone, Default)]
pub(crate) struct Census {
    /// (address, content) pairs, sorted by address.
    entries: Vec<(u64, u64)>,
}

impl Census {
    /// Orders the fingerprints. An address that is there twice (no Terraform writes that) becomes one
    /// entry whose content is both.
    pub(crate) fn of(mut entries: Vec<(u64, u64)>) -> Self {
        entries.sort_unstable();
        entries.dedup_by(|later, kept| {
            let same = later.0 == kept.0;
            if same {
                kept.1 = fold(kept.1 ^ later.1, SEEDS[2]);
            }
            same
        });
        Self { entries }
    }

    /// Number of managed instances, deposed ones excepted.
    pub(crate) fn len(&self) -> u64 {
        u64::try_from(self.entries.len()).unwrap_or(u64::MAX)
    }

    /// Whether there is no managed instance.
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// What differs, with `self` as the first state and `other` as the second.
    pub(crate) fn changes(&self, other: &Self) -> Changes {
        let mut changes = Changes::default();
        let (mut mine, mut theirs) =
            (self.entries.iter().peekable(), other.entries.iter().peekable());
        loop {
            let order = match (mine.peek(), theirs.peek()) {
                (None, None) => return changes,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(a), Some(b)) => a.0.cmp(&b.0),
            };
            let left = if order.is_le() { mine.next() } else { None };
            let right = if order.is_ge() { theirs.next() } else { None };
            let counter = match (left, right) {
                (Some(_), None) => &mut changes.remove,
                (None, Some(_)) => &mut changes.add,
                (Some(a), Some(b)) if a.1 != b.1 => &mut changes.change,
                _ => continue,
            };
            *counter = counter.saturating_add(1);
        }
    }

    /// The fingerprint of the content at an address.
    pub(crate) fn content(&self, address: AddressPrint) -> Option<u64> {
        let found = self.entries.binary_search_by_key(&address.0, |entry| entry.0).ok()?;
        self.entries.get(found).map(|entry| entry.1)
    }
}

/// Fingerprint of the address of a managed instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AddressPrint(u64);

impl AddressPrint {
    /// Of the decoded module, type and name, and the index: its text, with quotes where it is a string.
    pub(crate) fn of(module: &str, kind: &str, name: &str, index: Option<&str>) -> Self {
        let mut print = Print::new();
        for part in [module, kind, name, index.unwrap_or_default()] {
            print.write(part.as_bytes());
        }
        Self(print.finish())
    }
}

/// One instance while its resource is being read.
struct Instance<'a> {
    index: Option<Token<'a>>,
    deposed: bool,
    content: u64,
}

/// Reads one resource, whose `{` has been read, and adds its instances to `entries`. `Err(None)` where
/// it is JSON but no resource as Terraform would read it.
pub(super) fn read_resource<'a>(
    tokens: &mut Tokenizer<'a>,
    entries: &mut Vec<(u64, u64)>,
) -> Result<(), Option<Fault>> {
    let mut names: [Option<Token<'a>>; 5] = [None; 5];
    let mut instances = Vec::new();
    loop {
        let key = tokens.expect_token()?;
        if key.kind == TokenKind::ObjectEnd {
            break;
        }
        let value = tokens.expect_token()?;
        if name_is(key.text, "instances") {
            instances.clear();
            read_instances(tokens, value, &mut instances)?;
            continue;
        }
        let known = ["module", "mode", "type", "name", "provider"];
        for (slot, name) in names.iter_mut().zip(known) {
            if name_is(key.text, name) {
                match value.kind {
                    TokenKind::String => *slot = Some(value),
                    TokenKind::Null => {}
                    _ => return Err(None),
                }
            }
        }
        tokens.finish_value(value, |_| {})?;
    }
    let [module, mode, kind, name, provider] =
        names.map(|token| token.map(|token| decode(token.text)).unwrap_or_default());
    if mode == "data" {
        return Ok(());
    }
    for instance in instances.iter().filter(|instance| !instance.deposed) {
        let index = instance.index.map(|token| match token.kind {
            TokenKind::String => format!("\"{}\"", decode(token.text)),
            _ => String::from_utf8_lossy(token.text).into_owned(),
        });
        let address = AddressPrint::of(&module, &kind, &name, index.as_deref());
        let mut content = Print(instance.content);
        content.write(provider.as_bytes());
        entries.push((address.0, content.finish()));
    }
    Ok(())
}

fn read_instances<'a>(
    tokens: &mut Tokenizer<'a>,
    first: Token<'a>,
    instances: &mut Vec<Instance<'a>>,
) -> Result<(), Option<Fault>> {
    match first.kind {
        TokenKind::ArrayStart => {}
        TokenKind::Null => return Ok(()),
        _ => return Err(None),
    }
    loop {
        let token = tokens.expect_token()?;
        match token.kind {
            TokenKind::ArrayEnd => return Ok(()),
            TokenKind::ObjectStart => instances.push(read_instance(tokens)?),
            _ => return Err(None),
        }
    }
}

/// Reads one instance, whose `{` has been read.
fn read_instance<'a>(tokens: &mut Tokenizer<'a>) -> Result<Instance<'a>, Fault> {
    let mut instance = Instance { index: None, deposed: false, content: 0 };
    let mut print = Print::new();
    loop {
        let key = tokens.expect_token()?;
        if key.kind == TokenKind::ObjectEnd {
            instance.content = print.finish();
            return Ok(instance);
        }
        let value = tokens.expect_token()?;
        // Which paths are marked is told in any order, and is no part of what the resource is.
        if name_is(key.text, "sensitive_attributes") {
            tokens.finish_value(value, |_| {})?;
            continue;
        }
        print.write(key.text);
        if name_is(key.text, "index_key") {
            instance.index = (value.kind != TokenKind::Null).then_some(value);
        } else if name_is(key.text, "deposed") {
            instance.deposed = value.kind == TokenKind::String && value.text != b"\"\"";
        }
        tokens.finish_value(value, |token| print.write(token.text))?;
    }
}

/// Odd constants without pattern: digits of the fractions of the square roots of 2, 3 and 5.
const SEEDS: [u64; 3] = [0x6a09_e667_f3bc_c909, 0xbb67_ae85_84ca_a73b, 0x3c6e_f372_fe94_f82b];

/// A 64-bit hash of a sequence of byte strings; not for anything an attacker gains from.
pub(super) struct Print(u64);

impl Print {
    pub(super) fn new() -> Self {
        Self(SEEDS[0])
    }

    /// Takes the next byte string; the length goes in too, so that `ab`, `c` is not `a`, `bc`.
    #[inline]
    pub(super) fn write(&mut self, bytes: &[u8]) {
        let (words, tail) = bytes.as_chunks::<8>();
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let mut hash = self.0 ^ length.wrapping_mul(SEEDS[2]);
        for word in words {
            hash = fold(hash ^ u64::from_le_bytes(*word), SEEDS[1]);
        }
        let last = tail.iter().rev().fold(0_u64, |last, byte| last << 8 | u64::from(*byte));
        self.0 = fold(hash ^ last, SEEDS[1]).wrapping_add(SEEDS[2]);
    }

    pub(super) fn finish(&self) -> u64 {
        fold(self.0, SEEDS[0])
    }
}

/// Multiplies to 128 bits and folds the halves, as wyhash does.
#[inline]
fn fold(a: u64, b: u64) -> u64 {
    let [low, high] = {
        let product = u128::from(a).wrapping_mul(u128::from(b));
        [product, product >> 64].map(|half| u64::try_from(half & u128::from(u64::MAX)))
    };
    low.unwrap_or_default() ^ high.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{Census, Print};
    use crate::model::operation::Changes;

    fn print_of(parts: &[&str]) -> u64 {
        let mut print = Print::new();
        for part in parts {
            print.write(part.as_bytes());
        }
        print.finish()
    }

    #[test]
    fn counts_what_came_went_and_changed() {
        let a = Census::of(vec![(1, 10), (2, 20), (4, 40)]);
        let b = Census::of(vec![(4, 40), (3, 30), (2, 21)]);
        assert_eq!(a.changes(&b), Changes { add: 1, change: 1, remove: 1 });
        assert_eq!(b.changes(&a), Changes { add: 1, change: 1, remove: 1 });
        assert_eq!(a.changes(&a), Changes::default());
        assert_eq!(Census::default().changes(&a), Changes { add: 3, change: 0, remove: 0 });
    }

    #[test]
    fn the_same_address_twice_is_one_entry() {
        let twice = Census::of(vec![(1, 10), (1, 11)]);
        let once = Census::of(vec![(1, 10)]);
        assert_eq!(twice.len(), 1);
        assert_eq!(twice.changes(&once), Changes { add: 0, change: 1, remove: 0 });
    }

    #[test]
    fn boundaries_between_parts_count() {
        assert_ne!(print_of(&["ab", "c"]), print_of(&["a", "bc"]));
        assert_ne!(print_of(&["a", ""]), print_of(&["a"]));
        assert_ne!(print_of(&["a"]), print_of(&["a\0"]));
        assert_ne!(print_of(&["12345678"]), print_of(&["12345678", ""]));
    }
}
