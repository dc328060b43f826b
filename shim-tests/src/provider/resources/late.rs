//! `fake_late`: what was written is seen late. Until then the value before is, null for a new object.
//!
//! Writing the value again that is still to come changes nothing, neither now nor later.
//!
//! ```hcl
//! resource "fake_late" "a" {
//!   value    = "v"
//!   reads    = 1    # so many reads see the value before,
//!   delay_ms = 1000 # and so does every read for so long after the write
//! }
//! ```

use std::time::{Duration, Instant};

use super::count;
use crate::provider::cloud::{Stale, World};
use crate::provider::resource::{Presence, Resource};
use crate::provider::schema::{Attribute, Schema, Shape};
use crate::provider::value::Attributes;

/// The type.
pub(super) struct Late;

impl Resource for Late {
    fn name(&self) -> &'static str {
        "fake_late"
    }

    fn schema(&self) -> Schema {
        let attributes = [
            Attribute::optional("value", Shape::Text, "A text."),
            Attribute::optional("reads", Shape::Number, "How many reads see the value before."),
            Attribute::optional(
                "delay_ms",
                Shape::Number,
                "For how long the value before is seen.",
            ),
        ];
        Schema::of_resource("Takes its time to become true.", attributes)
    }

    fn settle(
        &self,
        world: &mut World,
        id: &str,
        _config: &Attributes,
        attributes: &mut Attributes,
    ) {
        let written = attributes["value"].clone();
        let stale = world.stale.remove(id);
        let before = world.find(self.name(), id).map(|held| held["value"].clone());
        let stale = match stale {
            Some(stale) if stale.written == written => stale,
            _ => Stale {
                seen: before.unwrap_or_default(),
                written,
                reads: count(attributes, "reads"),
                until: Instant::now() + Duration::from_millis(count(attributes, "delay_ms")),
            },
        };
        world.stale.insert(id.to_owned(), stale);
    }

    fn read(&self, world: &mut World, id: &str, attributes: &mut Attributes) -> Presence {
        let Some(stale) = world.stale.get_mut(id) else { return Presence::Here };
        if stale.reads == 0 && Instant::now() >= stale.until {
            world.stale.remove(id);
            return Presence::Here;
        }
        stale.reads = stale.reads.saturating_sub(1);
        attributes.insert("value".to_owned(), stale.seen.clone());
        Presence::Here
    }
}
