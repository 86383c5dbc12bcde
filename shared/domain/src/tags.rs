//! A task's tags: a small sorted set, so that equal sets are equal bytes everywhere.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::limits;
use crate::text::Tag;
use crate::values::Invalid;

/// At most [`limits::TAGS_MAX`] different tags, in alphabetical order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Vec<Tag>")]
pub struct Tags(Vec<Tag>);

impl Tags {
    /// The tags in alphabetical order.
    pub fn iter(&self) -> impl Iterator<Item = &Tag> {
        self.0.iter()
    }
}

impl TryFrom<Vec<Tag>> for Tags {
    type Error = Invalid;

    fn try_from(mut tags: Vec<Tag>) -> Result<Self, Invalid> {
        let given = tags.len();
        tags.sort_unstable();
        tags.dedup();
        if given == tags.len() && given <= limits::TAGS_MAX {
            Ok(Self(tags))
        } else {
            Err(Invalid::set("Tags", "different from each other", limits::TAGS_MAX))
        }
    }
}

impl JsonSchema for Tags {
    fn schema_name() -> Cow<'static, str> {
        "Tags".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "array",
            "items": generator.subschema_for::<Tag>(),
            "maxItems": limits::TAGS_MAX,
            "uniqueItems": true,
            "description": "A set of tags; the order given does not matter.",
        })
    }
}
