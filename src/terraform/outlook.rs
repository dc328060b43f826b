//! What a saved plan will have done to the number of resources.
//!
//! Read from the plan file itself, because `show -json` of a plan needs the providers. In the member `tfplan`
//! (`planfile.proto`, Terraform 1.11.4) field 3 is the change of one instance: 7 the key of a deposed object,
//! 9 the change, whose field 1 is the action, 13 the address. The member `tfstate` is the state that Terraform
//! starts from: refreshed, moved, and with what is imported already in it (seen with 1.11.4). So what drifted
//! since the state was last written is no surprise here.

use std::io::Read;
use std::path::Path;

use crate::model::address::module_of;
use crate::model::state::Scan;

use super::planfile::Archive;
use super::protobuf::{each, field, number};

/// What is there when a plan has been applied whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outlook {
    /// Managed resource instances that the state then has, deposed ones excepted.
    pub(crate) resources: u64,
    /// Whether any of them is to be made, changed or taken away.
    pub(crate) has_changes: bool,
}

/// What an action does to the number of resources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    /// Nothing is done.
    Nothing,
    /// There is one more.
    More,
    /// It is changed, or replaced.
    Same,
    /// There is one less: deleted, or forgotten.
    Less,
}

impl Outlook {
    /// Reads it from a saved plan; none where it cannot be told, as of a plan with actions that we do not know,
    /// or with a larger state than that.
    pub(crate) fn of(plan: &Path, most_bytes: u64) -> Option<Self> {
        let mut archive = Archive::open(plan)?.ok()?;
        let mut state = Vec::new();
        archive.member("tfstate").ok()?.take(most_bytes).read_to_end(&mut state).ok()?;
        let start = Scan::of(&state).header?;
        Self::read(archive.member("tfplan").ok()?, start.resources)
    }

    /// Adds what is made to the resources that are there, and takes away what goes.
    fn read(plan: impl Read, resources: u64) -> Option<Self> {
        let mut outlook = Self { resources, has_changes: false };
        each(plan, 3, |instance| outlook.take(&instance))?;
        Some(outlook)
    }

    /// Takes one change of an instance in.
    fn take(&mut self, instance: &[u8]) -> Option<()> {
        let address = String::from_utf8(field(instance, 13)?).ok()?;
        if is_data(&address) {
            return Some(());
        }
        let effect = Effect::of(number(&*field(instance, 9)?, 1)?)?;
        self.has_changes |= effect != Effect::Nothing;
        let is_deposed = field(instance, 7).is_some_and(|key| !key.is_empty());
        self.resources = match effect {
            Effect::More if !is_deposed => self.resources.checked_add(1)?,
            Effect::Less if !is_deposed => self.resources.checked_sub(1)?,
            Effect::Nothing | Effect::Same | Effect::More | Effect::Less => self.resources,
        };
        Some(())
    }
}

impl Effect {
    /// Of an action by its number (`Action` in `planfile.proto`, Terraform 1.11.4).
    fn of(action: u64) -> Option<Self> {
        match action {
            0 => Some(Self::Nothing),
            1 => Some(Self::More),
            // Update, and the two orders of a replacement.
            3 | 6 | 7 => Some(Self::Same),
            // Delete, forget.
            5 | 8 => Some(Self::Less),
            _ => None,
        }
    }
}

/// Whether an address is that of a data source.
fn is_data(address: &str) -> bool {
    let rest = address.get(module_of(address).len()..).unwrap_or_default();
    rest.trim_start_matches('.').starts_with("data.")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One change of an instance, as a field of a plan.
    fn change(address: &str, action: u8, deposed: &str) -> Vec<u8> {
        let text = |tag: u8, text: &str| {
            [&[tag << 3 | 2, u8::try_from(text.len()).unwrap()], text.as_bytes()].concat()
        };
        let action = [9 << 3 | 2, 2, 1 << 3, action];
        let body = [text(13, address), text(7, deposed), action.to_vec()].concat();
        [&[3 << 3 | 2, u8::try_from(body.len()).unwrap()], body.as_slice()].concat()
    }

    fn outlook(changes: &[(&str, u8, &str)], resources: u64) -> Option<(u64, bool)> {
        let plan: Vec<u8> = changes.iter().flat_map(|(a, n, d)| change(a, *n, d)).collect();
        Outlook::read(&*plan, resources).map(|outlook| (outlook.resources, outlook.has_changes))
    }

    #[test]
    fn creations_add_and_what_goes_takes_away() {
        let changes = [("a.b", 1, ""), ("a.c", 1, ""), ("a.d", 5, ""), ("a.e", 8, "")];
        assert_eq!(outlook(&changes, 5), Some((5, true)));
        assert_eq!(outlook(&[("a.b", 3, ""), ("a.c", 6, ""), ("a.d", 7, "")], 5), Some((5, true)));
        assert_eq!(outlook(&[("a.b", 0, "")], 5), Some((5, false)));
        assert_eq!(outlook(&[], 5), Some((5, false)));
    }

    #[test]
    fn data_sources_and_deposed_objects_do_not_count() {
        let data = [("data.a.b", 5, ""), ("module.m[\"x.y\"].data.a.b", 1, "")];
        assert_eq!(outlook(&data, 5), Some((5, false)));
        assert_eq!(outlook(&[("module.data.a.b", 5, "")], 5), Some((4, true)));
        assert_eq!(outlook(&[("a.b", 5, "0badcafe")], 5), Some((5, true)));
    }

    #[test]
    fn an_action_of_a_later_terraform_makes_no_promise() {
        assert_eq!(outlook(&[("a.b", 1, ""), ("a.c", 9, "")], 5), None);
        assert_eq!(outlook(&[("a.b", 5, "")], 0), None);
    }
}
