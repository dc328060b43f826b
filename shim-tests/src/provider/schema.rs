//! What a resource type, a data source or an ephemeral resource looks like: attributes and blocks.
//!
//! One description serves three ends: the schema that Terraform is told, the planning (which attributes
//! are computed, which force a replacement), and the completion of a state that lacks attributes.

use super::protocol::tfplugin6::{self, schema};
use super::value::{Attributes, Value};

/// The type of an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// `string`.
    Text,
    /// `number`.
    Number,
    /// `bool`.
    Flag,
    /// `list(string)`.
    TextList,
    /// `set(string)`.
    TextSet,
    /// `map(string)`.
    TextMap,
}

impl Shape {
    /// Returns the type as the protocol writes it: JSON.
    fn json(self) -> &'static str {
        match self {
            Self::Text => r#""string""#,
            Self::Number => r#""number""#,
            Self::Flag => r#""bool""#,
            Self::TextList => r#"["list","string"]"#,
            Self::TextSet => r#"["set","string"]"#,
            Self::TextMap => r#"["map","string"]"#,
        }
    }
}

/// Who gives an attribute its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Giver {
    /// The configuration, always.
    Required,
    /// The configuration, or nobody.
    Optional,
    /// The provider.
    Computed,
}

/// What Terraform does with a value besides keeping it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Care {
    /// Nothing special.
    Plain,
    /// It is not shown.
    Sensitive,
    /// It is handed over and kept nowhere.
    WriteOnly,
}

/// One attribute.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attribute {
    /// Its name.
    pub(crate) name: &'static str,
    /// What it means, one sentence.
    description: &'static str,
    /// Its type.
    shape: Shape,
    /// Who gives it.
    giver: Giver,
    /// How it is treated.
    care: Care,
    /// Whether a change replaces the object.
    forces_new: bool,
}

impl Attribute {
    /// Makes one that the configuration may give.
    pub(crate) const fn optional(
        name: &'static str,
        shape: Shape,
        description: &'static str,
    ) -> Self {
        let (giver, care) = (Giver::Optional, Care::Plain);
        Self { name, description, shape, giver, care, forces_new: false }
    }

    /// Makes one that the configuration must give.
    pub(crate) const fn required(
        name: &'static str,
        shape: Shape,
        description: &'static str,
    ) -> Self {
        Self { giver: Giver::Required, ..Self::optional(name, shape, description) }
    }

    /// Makes one that the provider gives.
    pub(crate) const fn computed(
        name: &'static str,
        shape: Shape,
        description: &'static str,
    ) -> Self {
        Self { giver: Giver::Computed, ..Self::optional(name, shape, description) }
    }

    /// Makes a change of it replace the object.
    pub(crate) const fn forcing_new(self) -> Self {
        Self { forces_new: true, ..self }
    }

    /// Keeps it from being shown.
    pub(crate) const fn sensitive(self) -> Self {
        Self { care: Care::Sensitive, ..self }
    }

    /// Keeps it out of plan and state.
    pub(crate) const fn write_only(self) -> Self {
        Self { care: Care::WriteOnly, ..self }
    }

    /// Returns the message for Terraform.
    fn message(self) -> schema::Attribute {
        schema::Attribute {
            name: self.name.to_owned(),
            r#type: self.shape.json().into(),
            description: self.description.to_owned(),
            required: self.giver == Giver::Required,
            optional: self.giver == Giver::Optional,
            computed: self.giver == Giver::Computed,
            sensitive: self.care == Care::Sensitive,
            write_only: self.care == Care::WriteOnly,
        }
    }
}

/// A description of one type.
#[derive(Clone, Debug)]
pub(crate) struct Schema {
    /// What it is for, one sentence.
    description: &'static str,
    /// Its attributes.
    attributes: Vec<Attribute>,
    /// Its blocks, each of which may be there any number of times, in order.
    blocks: Vec<(&'static str, Vec<Attribute>)>,
}

impl Schema {
    /// Makes a schema without blocks.
    pub(crate) fn new(
        description: &'static str,
        attributes: impl IntoIterator<Item = Attribute>,
    ) -> Self {
        Self { description, attributes: attributes.into_iter().collect(), blocks: Vec::new() }
    }

    /// Makes a schema of a managed resource, which has an id besides its own attributes.
    pub(crate) fn of_resource(
        description: &'static str,
        attributes: impl IntoIterator<Item = Attribute>,
    ) -> Self {
        let id = Attribute::computed("id", Shape::Text, "What the cloud calls the object.");
        Self::new(description, std::iter::once(id).chain(attributes))
    }

    /// Adds a block.
    pub(crate) fn with_block(
        mut self,
        name: &'static str,
        attributes: impl IntoIterator<Item = Attribute>,
    ) -> Self {
        self.blocks.push((name, attributes.into_iter().collect()));
        self
    }

    /// Returns the names of the attributes that the provider gives.
    pub(crate) fn computed(&self) -> impl Iterator<Item = &'static str> {
        self.names(|attribute| attribute.giver == Giver::Computed)
    }

    /// Returns the names of the attributes whose change replaces the object.
    pub(crate) fn forcing_new(&self) -> impl Iterator<Item = &'static str> {
        self.names(|attribute| attribute.forces_new)
    }

    /// Returns the names of the attributes that are kept nowhere.
    pub(crate) fn write_only(&self) -> impl Iterator<Item = &'static str> {
        self.names(|attribute| attribute.care == Care::WriteOnly)
    }

    /// Makes an object of this type out of what is there: what is unknown to the schema goes, what is
    /// missing is null, and a write-only attribute always is. Terraform takes nothing else.
    pub(crate) fn complete(&self, mut given: Attributes) -> Attributes {
        let mut complete = Attributes::new();
        for attribute in &self.attributes {
            let value = given.remove(attribute.name).unwrap_or_default();
            let is_kept = attribute.care != Care::WriteOnly;
            complete.insert(attribute.name.to_owned(), if is_kept { value } else { Value::Null });
        }
        for (name, _) in &self.blocks {
            let blocks = given.remove(*name).unwrap_or_else(|| Value::List(Vec::new()));
            complete.insert((*name).to_owned(), blocks);
        }
        complete
    }

    /// Returns the message for Terraform.
    pub(crate) fn message(&self) -> tfplugin6::Schema {
        let nested = self.blocks.iter().map(|(name, attributes)| schema::NestedBlock {
            type_name: (*name).to_owned(),
            block: Some(block(attributes)),
            nesting: schema::nested_block::NestingMode::List.into(),
        });
        let block = schema::Block {
            block_types: nested.collect(),
            description: self.description.to_owned(),
            ..block(&self.attributes)
        };
        tfplugin6::Schema { version: 0, block: Some(block) }
    }

    /// Returns the names of the attributes of a kind.
    fn names(&self, kind: impl Fn(&Attribute) -> bool) -> impl Iterator<Item = &'static str> {
        self.attributes.iter().filter(move |attribute| kind(attribute)).map(|found| found.name)
    }
}

/// Returns a block with these attributes and nothing else.
fn block(attributes: &[Attribute]) -> schema::Block {
    schema::Block {
        attributes: attributes.iter().map(|attribute| attribute.message()).collect(),
        ..schema::Block::default()
    }
}
