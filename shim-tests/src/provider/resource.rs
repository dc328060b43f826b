//! What a resource type is to the provider: a schema, and where it does not behave.
//!
//! Every method but name and schema has a default, and the defaults together are a resource that keeps
//! its promises: what was planned is what is stored is what is read. A type overrides the one method in
//! which it is odd.
//!
//! Easy to get wrong: Terraform holds a provider to its plan. What is planned as known must come out of
//! the apply as planned, unless the type says that it [`is_legacy`](Resource::is_legacy); so most oddities
//! belong into [`read`](Resource::read).

use std::time::Duration;

use super::cloud::{Step, World};
use super::schema::Schema;
use super::value::Attributes;

/// What goes wrong on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The step is refused, nothing is done.
    Refused,
    /// The step is done and reported as failed.
    Halfway,
    /// The provider dies.
    Crash,
}

/// How long a step takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pause {
    /// If nothing cuts it short.
    pub(crate) duration: Duration,
    /// Whether an interruption of Terraform does.
    pub(crate) can_be_cut_short: bool,
}

/// Whether an object is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    /// It is.
    Here,
    /// Somebody must have deleted it.
    Gone,
}

/// A resource type.
pub(crate) trait Resource: Sync {
    /// Returns the name of the type.
    fn name(&self) -> &'static str;

    /// Returns what it looks like.
    fn schema(&self) -> Schema;

    /// Whether Terraform shall forgive that a result differs from the plan, as it does for providers
    /// made with the old SDK.
    fn is_legacy(&self) -> bool {
        false
    }

    /// Returns what is wrong with a configuration.
    fn complaint(&self, _config: &Attributes) -> Option<&'static str> {
        None
    }

    /// Returns how long a step takes with an object.
    fn pause(&self, _step: Step, _attributes: &Attributes) -> Pause {
        Pause::default()
    }

    /// Returns what goes wrong at a step with an object.
    fn trouble(&self, _step: Step, _attributes: &Attributes) -> Option<Trouble> {
        None
    }

    /// Changes a plan in which everything computed is unknown for a new object, and for an old one as it
    /// was, except `etag` where something differs.
    fn plan(&self, _world: &World, _prior: Option<&Attributes>, _planned: &mut Attributes) {}

    /// Returns the id of a new object.
    fn id(&self, world: &mut World, _planned: &Attributes) -> String {
        world.next_id(self.name())
    }

    /// Changes what is about to be stored under that id: gives everything a value that is still unknown,
    /// `id` and `etag` excepted. What the cloud knew of the object is still in `world`.
    fn settle(
        &self,
        _world: &mut World,
        _id: &str,
        _config: &Attributes,
        _attributes: &mut Attributes,
    ) {
    }

    /// Changes what is read of an object.
    fn read(&self, _world: &mut World, _id: &str, _attributes: &mut Attributes) -> Presence {
        Presence::Here
    }
}
