//! A task's tags: a small sorted set, so that equal sets are equal bytes everywhere.

use std::collections::BTreeSet;

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

    /// These and `more`; `None` if that would be more than [`limits::TAGS_MAX`].
    #[must_use]
    pub fn with(&self, more: &Self) -> Option<Self> {
        let tags: BTreeSet<_> = self.iter().chain(more.iter()).cloned().collect();
        (tags.len() <= limits::TAGS_MAX).then(|| Self(tags.into_iter().collect()))
    }

    /// These but `fewer`.
    #[must_use]
    pub fn without(&self, fewer: &Self) -> Self {
        Self(self.iter().filter(|tag| !fewer.0.contains(tag)).cloned().collect())
    }
}

impl From<Tag> for Tags {
    fn from(tag: Tag) -> Self {
        Self(vec![tag])
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

crate::schema!(Tags, |generator| {
    "type": "array",
    "items": generator.subschema_for::<Tag>(),
    "maxItems": limits::TAGS_MAX,
    "uniqueItems": true,
    "description": "A set of tags; the order given does not matter.",
});
