//! The cloud behind the provider: objects in memory, what was asked of them, and what shall go wrong.
//!
//! A [`Cloud`] is a handle that the test and the provider share. Nothing is held across a pause of the
//! provider, so a test can look and change while an apply dawdles.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

use tokio::sync::Notify;

use super::value::{Attributes, Value};

/// What Terraform asks of a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// To plan a change of a resource; not of its destruction.
    Plan,
    /// To create an object.
    Create,
    /// To read an object.
    Read,
    /// To change an object in place.
    Update,
    /// To delete an object.
    Delete,
    /// To import an object.
    Import,
    /// To read a data source.
    Lookup,
    /// To open an ephemeral resource.
    Open,
    /// To close an ephemeral resource.
    Close,
    /// To hurry, because the user has interrupted.
    Stop,
}

/// One thing that Terraform has asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// What.
    pub step: Step,
    /// Of which type, empty for [`Step::Stop`].
    pub kind: String,
    /// Of which object, where there is one already.
    pub id: Option<String>,
}

/// The handle of a cloud.
#[derive(Clone, Debug, Default)]
pub struct Cloud {
    /// What is in it.
    world: Arc<Mutex<World>>,
    /// Rung when a step is let go.
    released: Arc<Notify>,
}

impl Cloud {
    /// Returns the ids of all objects of a type, in their order as text.
    #[must_use]
    pub fn ids(&self, kind: &str) -> Vec<String> {
        let world = self.lock();
        let of_kind = world.objects.iter().filter(|(_, object)| object.kind == kind);
        of_kind.map(|(id, _)| id.clone()).collect()
    }

    /// Returns every object, by id.
    #[must_use]
    pub fn objects(&self) -> BTreeMap<String, Attributes> {
        let world = self.lock();
        let objects = world.objects.iter();
        objects.map(|(id, object)| (id.clone(), object.attributes.clone())).collect()
    }

    /// Returns the attributes of an object as the cloud holds them, write-only ones included.
    #[must_use]
    pub fn object(&self, id: &str) -> Option<Attributes> {
        self.lock().objects.get(id).map(|object| object.attributes.clone())
    }

    /// Returns an attribute of an object, null where it has no such attribute.
    ///
    /// # Panics
    /// If there is no such object.
    #[must_use]
    #[track_caller]
    pub fn attribute(&self, id: &str, name: &str) -> Value {
        let object = self.object(id).unwrap_or_else(|| panic!("there is no object `{id}`"));
        object.get(name).cloned().unwrap_or_default()
    }

    /// Changes an attribute of an object behind Terraform's back; nothing else changes, `etag` included.
    ///
    /// # Panics
    /// If there is no such object.
    #[track_caller]
    pub fn set(&self, id: &str, name: &str, value: impl Into<Value>) {
        let mut world = self.lock();
        let Some(object) = world.objects.get_mut(id) else {
            drop(world);
            panic!("there is no object `{id}`");
        };
        object.attributes.insert(name.to_owned(), value.into());
    }

    /// Makes an object that Terraform knows nothing of and returns its id.
    #[expect(clippy::must_use_candidate, reason = "the object is the use, found by its name too")]
    pub fn insert<const N: usize>(&self, kind: &str, attributes: [(&str, Value); N]) -> String {
        let mut world = self.lock();
        let id = world.next_id(kind);
        let attributes = attributes.map(|(name, value)| (name.to_owned(), value)).into();
        world.put(kind, &id, attributes);
        id
    }

    /// Deletes an object behind Terraform's back; says whether it was there.
    #[expect(clippy::must_use_candidate, reason = "the deletion is the use")]
    pub fn delete(&self, id: &str) -> bool {
        self.lock().delete(id)
    }

    /// Makes the next call of this kind fail, whatever it concerns. Said twice, two calls fail.
    pub fn fail_next(&self, step: Step) {
        self.lock().failures.push(step);
    }

    /// Makes every call of this kind that concerns a resource wait, once it is written down, until
    /// [`Cloud::release`].
    pub fn hold(&self, step: Step) {
        self.lock().held.push(step);
    }

    /// Lets go what waits, and what would.
    pub fn release(&self, step: Step) {
        self.lock().held.retain(|held| *held != step);
        self.released.notify_waiters();
    }

    /// Returns what was asked for so far, in order.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.lock().calls.clone()
    }

    /// Counts the calls of a kind that concerned a type.
    #[must_use]
    pub fn count(&self, step: Step, kind: &str) -> usize {
        let world = self.lock();
        world.calls.iter().filter(|call| call.step == step && call.kind == kind).count()
    }

    /// Forgets what was asked for.
    pub fn forget_calls(&self) {
        self.lock().calls.clear();
    }

    /// Waits while a step is held.
    pub(crate) async fn wait_for_release(&self, step: Step) {
        loop {
            let mut released = std::pin::pin!(self.released.notified());
            // Listening comes first, or a release between the look and the wait would be missed.
            released.as_mut().enable();
            if !self.lock().held.contains(&step) {
                return;
            }
            released.await;
        }
    }

    /// Takes what is in it.
    pub(crate) fn lock(&self) -> MutexGuard<'_, World> {
        self.world.lock().expect("no holder panics")
    }
}

/// What is in a cloud.
#[derive(Debug, Default)]
pub(crate) struct World {
    /// Every object, by id.
    objects: BTreeMap<String, Object>,
    /// What was counted so far, by what is counted.
    counters: BTreeMap<String, u64>,
    /// What was asked for.
    calls: Vec<Call>,
    /// What shall fail.
    failures: Vec<Step>,
    /// What waits.
    held: Vec<Step>,
    /// Old values that are still seen, by the id of the object.
    pub(crate) stale: BTreeMap<String, Stale>,
}

/// One object.
#[derive(Debug)]
struct Object {
    /// The resource type.
    kind: String,
    /// What it holds.
    attributes: Attributes,
}

/// A value that is seen although another one has been written.
#[derive(Debug)]
pub(crate) struct Stale {
    /// What is seen.
    pub(crate) seen: Value,
    /// What has been written.
    pub(crate) written: Value,
    /// How many more reads see it.
    pub(crate) reads: u64,
    /// Until when every read sees it.
    pub(crate) until: Instant,
}

impl World {
    /// Counts one more of something, from 1.
    pub(crate) fn next(&mut self, what: &str) -> u64 {
        let counter = self.counters.entry(what.to_owned()).or_default();
        *counter += 1;
        *counter
    }

    /// Returns an unused id for an object of a type: `thing-1` for the first `fake_thing`.
    pub(crate) fn next_id(&mut self, kind: &str) -> String {
        let number = self.next(kind);
        format!("{}-{number}", kind.trim_start_matches("fake_"))
    }

    /// Returns what an object holds, if it is there and of that type.
    pub(crate) fn find(&self, kind: &str, id: &str) -> Option<&Attributes> {
        let found = self.objects.get(id).filter(|object| object.kind == kind);
        found.map(|object| &object.attributes)
    }

    /// Returns what the first object of that name holds, whatever its type.
    pub(crate) fn find_named(&self, name: &str) -> Option<&Attributes> {
        let is_it = |held: &&Attributes| held.get("name").and_then(Value::as_text) == Some(name);
        self.objects.values().map(|object| &object.attributes).find(is_it)
    }

    /// Stores an object in place of what was there.
    pub(crate) fn put(&mut self, kind: &str, id: &str, mut attributes: Attributes) {
        attributes.insert("id".to_owned(), id.into());
        self.objects.insert(id.to_owned(), Object { kind: kind.to_owned(), attributes });
    }

    /// Deletes an object; says whether it was there.
    pub(crate) fn delete(&mut self, id: &str) -> bool {
        self.stale.remove(id);
        self.objects.remove(id).is_some()
    }

    /// Writes down a call and says whether it is one that shall fail.
    pub(crate) fn record(&mut self, step: Step, kind: &str, id: Option<&str>) -> bool {
        self.calls.push(Call { step, kind: kind.to_owned(), id: id.map(str::to_owned) });
        let Some(found) = self.failures.iter().position(|failing| *failing == step) else {
            return false;
        };
        self.failures.remove(found);
        true
    }
}
