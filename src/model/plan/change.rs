//! What a plan would do to one object, and what a refresh found to have happened to it.
//!
//! Terraform tells a move and an import beside the actions, with the word `no-op` if there is nothing else
//! to do, and a replacement as two words in either order (`internal/command/jsonplan`, 1.11). Here each is an
//! [`Action`], so that nobody can overlook one; nothing to do is an empty list.

use serde_json::Value;

use super::hidden::Hidden;
use super::wire::WireChange;
use super::{Action, PlanError};

/// One entry of `resource_changes` or `resource_drift`.
#[derive(Clone, Debug)]
pub(crate) struct ResourceChange {
    /// The instance, as Terraform writes it.
    pub(crate) address: String,
    /// The instance that it was, where a `moved` block says so.
    pub(crate) previous_address: Option<String>,
    /// The type of the resource.
    pub(crate) kind: String,
    /// The provider, as `hashicorp/aws`: without the public registries' names.
    pub(crate) provider: String,
    /// Whether it is a data source.
    pub(crate) is_data: bool,
    /// The key of a deposed object.
    pub(crate) deposed: Option<String>,
    /// Why Terraform does it, where it says so.
    pub(crate) reason: Option<Reason>,
    /// What would be done, in the order of [`Action::ALL`]; empty for nothing.
    pub(crate) actions: Vec<Action>,
    /// The object before; null where there is none.
    pub(crate) before: Hidden,
    /// The object after, without what is not known yet; null where there will be none.
    pub(crate) after: Hidden,
    /// `true` where the value after is not known yet.
    pub(crate) after_unknown: Hidden,
    /// `true` where the value before is sensitive.
    pub(crate) before_sensitive: Hidden,
    /// `true` where the value after is sensitive.
    pub(crate) after_sensitive: Hidden,
    /// Attributes whose change cannot be an update: names and numbers.
    pub(crate) replace_paths: Vec<Vec<Value>>,
}

impl ResourceChange {
    /// Takes what a document says.
    pub(super) fn of(wire: WireChange) -> Result<Self, PlanError> {
        let previous_address = wire.previous_address.filter(|previous| *previous != wire.address);
        let mut actions = read_actions(&wire.change.actions)?;
        actions.extend(previous_address.as_ref().map(|_| Action::Move));
        actions.extend(wire.change.importing.map(|_| Action::Import));
        let provider = ["registry.terraform.io/", "registry.opentofu.org/"]
            .into_iter()
            .find_map(|registry| wire.provider_name.strip_prefix(registry))
            .unwrap_or(&wire.provider_name);
        Ok(Self {
            provider: provider.to_owned(),
            address: wire.address,
            previous_address,
            kind: wire.kind,
            is_data: wire.mode.is_some_and(|mode| mode != "managed"),
            deposed: wire.deposed.filter(|key| !key.is_empty()),
            reason: wire.action_reason.as_deref().and_then(Reason::of_word),
            actions,
            before: wire.change.before,
            after: wire.change.after,
            after_unknown: wire.change.after_unknown,
            before_sensitive: wire.change.before_sensitive,
            after_sensitive: wire.change.after_sensitive,
            replace_paths: wire.change.replace_paths,
        })
    }

    /// Whether a managed object would be touched, moved, imported or forgotten. Reading data is not that.
    pub(crate) fn is_pending(&self) -> bool {
        !self.is_data && !self.actions.is_empty()
    }

    /// Whether an apply would have the provider write: to create, update, delete or replace.
    pub(crate) fn is_written(&self) -> bool {
        let writes = |action: &Action| match action {
            Action::Create | Action::Update | Action::Delete | Action::Replace => true,
            Action::Read | Action::Forget | Action::Move | Action::Import => false,
        };
        !self.is_data && self.actions.iter().any(writes)
    }

    /// Whether an apply would delete a managed object, to create another in its place or not. To forget one
    /// is not that: it goes on to be.
    pub(crate) fn is_deleted(&self) -> bool {
        !self.is_data && (self.has(Action::Delete) || self.has(Action::Replace))
    }

    /// Whether one of the actions is this one.
    pub(crate) fn has(&self, action: Action) -> bool {
        self.actions.contains(&action)
    }
}

/// Reads the words of `actions`. A word that we do not know is an error, because to pass over it could
/// make a plan look empty that is not.
pub(super) fn read_actions(words: &[String]) -> Result<Vec<Action>, PlanError> {
    let mut actions = Vec::new();
    for word in words.iter().filter(|word| *word != "no-op") {
        actions.push(Action::of_word(word).ok_or(PlanError::Action)?);
    }
    actions.sort_unstable();
    Ok(match actions.as_slice() {
        [Action::Create, Action::Delete] => vec![Action::Replace],
        _ => actions,
    })
}

/// Why Terraform plans an action, as `action_reason` says (`internal/command/jsonplan`, 1.11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The last apply left it tainted.
    Tainted,
    /// An attribute cannot be updated.
    CannotUpdate,
    /// `-replace` asks for it.
    Request,
    /// `replace_triggered_by` asks for it.
    Triggers,
    /// The resource's block is gone.
    NoResourceConfig,
    /// The module instance is gone.
    NoModule,
    /// `count` or `for_each` came or went.
    WrongRepetition,
    /// The index is beyond `count`.
    CountIndex,
    /// The key is none of `for_each`.
    EachKey,
    /// The block that a `moved` block names is gone.
    NoMoveTarget,
}

impl Reason {
    /// The reason of a word; none for those of data sources, and for words of later versions.
    fn of_word(word: &str) -> Option<Self> {
        match word {
            "replace_because_tainted" => Some(Self::Tainted),
            "replace_because_cannot_update" => Some(Self::CannotUpdate),
            "replace_by_request" => Some(Self::Request),
            "replace_by_triggers" => Some(Self::Triggers),
            "delete_because_no_resource_config" => Some(Self::NoResourceConfig),
            "delete_because_no_module" => Some(Self::NoModule),
            "delete_because_wrong_repetition" => Some(Self::WrongRepetition),
            "delete_because_count_index" => Some(Self::CountIndex),
            "delete_because_each_key" => Some(Self::EachKey),
            "delete_because_no_move_target" => Some(Self::NoMoveTarget),
            _ => None,
        }
    }
}
