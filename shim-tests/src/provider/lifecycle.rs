//! What happens to a resource: planned, written, read. The same for all types, which change it where
//! they are odd.
//!
//! Easy to get wrong: Terraform asks for a plan twice where an object is replaced, the second time
//! without the prior state; and an attribute that was planned as known must come out of the apply as it
//! was planned.

use super::cloud::World;
use super::resource::{Presence, Resource};
use super::value::{Attributes, Value};

/// The attribute that changes with every update, where a type has it.
const ETAG: &str = "etag";

/// A planned change.
#[derive(Debug, PartialEq)]
pub(crate) struct Planned {
    /// What the object shall be.
    pub(crate) attributes: Attributes,
    /// The attributes because of which it must be replaced; none: it need not.
    pub(crate) replacing: Vec<&'static str>,
}

/// Plans what was proposed: the configuration, with what is computed as it was.
pub(crate) fn plan(
    resource: &dyn Resource,
    world: &World,
    prior: Option<Attributes>,
    proposed: Attributes,
) -> Planned {
    let schema = resource.schema();
    let mut planned = schema.complete(proposed);
    let prior = prior.map(|prior| schema.complete(prior));
    let unknown: Vec<&str> = match &prior {
        None => schema.computed().collect(),
        Some(prior) if *prior != planned => schema.computed().filter(|n| *n == ETAG).collect(),
        Some(_) => Vec::new(),
    };
    for name in unknown {
        planned.insert(name.to_owned(), Value::Unknown);
    }
    resource.plan(world, prior.as_ref(), &mut planned);
    let replacing = prior.map_or_else(Vec::new, |prior| {
        schema.forcing_new().filter(|name| prior[*name] != planned[*name]).collect()
    });
    Planned { attributes: planned, replacing }
}

/// Creates or updates an object as planned and returns what it is now.
pub(crate) fn write(
    resource: &dyn Resource,
    world: &mut World,
    planned: Attributes,
    config: &Attributes,
) -> Attributes {
    let schema = resource.schema();
    let mut attributes = schema.complete(planned);
    let id = match attributes["id"].as_text() {
        Some(id) => id.to_owned(),
        None => resource.id(world, &attributes),
    };
    attributes.insert("id".to_owned(), id.as_str().into());
    if attributes.get(ETAG) == Some(&Value::Unknown) {
        let etag = format!("{id}-v{}", world.next(&format!("{ETAG} of {id}")));
        attributes.insert(ETAG.to_owned(), etag.into());
    }
    resource.settle(world, &id, config, &mut attributes);
    world.put(resource.name(), &id, attributes.clone());
    schema.complete(attributes)
}

/// Reads an object; `None` where it is not found.
pub(crate) fn read(resource: &dyn Resource, world: &mut World, id: &str) -> Option<Attributes> {
    let mut attributes = world.find(resource.name(), id)?.clone();
    match resource.read(world, id, &mut attributes) {
        Presence::Here => Some(resource.schema().complete(attributes)),
        Presence::Gone => None,
    }
}
