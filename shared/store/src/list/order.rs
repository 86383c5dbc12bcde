//! In which order a list goes, and where a page of it begins.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use sqlx::types::Uuid;

use super::row::Row;

/// What a list is sorted by; tasks that are equal in it, by their identifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortKey {
    /// When the task was created.
    Created,
    /// When it was last changed.
    Updated,
    /// The day by which it is to be done. Tasks without one come last, in both directions.
    Due,
    /// How urgent it is.
    Priority,
}

/// What a list is sorted by, and in which direction. As text a key, such as `due`, with `-` before
/// it when descending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Sort {
    /// What it is sorted by.
    pub key: SortKey,
    /// Whether the greatest comes first.
    pub descending: bool,
}

impl Default for Sort {
    /// The newest first.
    fn default() -> Self {
        Self { key: SortKey::Created, descending: true }
    }
}

impl TryFrom<String> for Sort {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        let greatest_first = text.strip_prefix('-');
        let key = match greatest_first.unwrap_or(&text) {
            "created" => SortKey::Created,
            "updated" => SortKey::Updated,
            "due" => SortKey::Due,
            "priority" => SortKey::Priority,
            _ => {
                return Err("expected `created`, `updated`, `due` or `priority`, \
                            with `-` before it for the greatest first");
            }
        };
        Ok(Self { key, descending: greatest_first.is_some() })
    }
}

impl JsonSchema for Sort {
    fn schema_name() -> Cow<'static, str> {
        "Sort".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let keys = ["created", "updated", "due", "priority"];
        let sorts = keys.iter().flat_map(|key| [(*key).to_owned(), format!("-{key}")]);
        let names = keys.iter().map(|key| key.to_uppercase());
        let names = names.flat_map(|name| [name.clone(), format!("{name}_DESCENDING")]);
        json_schema!({
            "type": "string",
            "enum": sorts.collect::<Vec<_>>(),
            // Generators of clients name the values by these: a name does not begin with `-`.
            "x-enum-varnames": names.collect::<Vec<_>>(),
            "default": "-created",
        })
    }
}

impl From<Sort> for Start {
    /// The beginning of the list.
    fn from(sort: Sort) -> Self {
        let place = match sort.key {
            SortKey::Created => Place::Created(None),
            SortKey::Updated => Place::Updated(None),
            SortKey::Due => Place::Due(None),
            SortKey::Priority => Place::Priority(None),
        };
        Self { place, descending: sort.descending }
    }
}

/// Where a page begins, and in which order the list goes on from there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Start {
    pub(super) place: Place,
    pub(super) descending: bool,
}

/// After which task of which order; `None` is the beginning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Place {
    Created(Option<After>),
    Updated(Option<After>),
    Due(Option<After>),
    Priority(Option<After>),
}

/// The last task of the page before, as it was then. Its key is the text that PostgreSQL wrote and
/// will read: so a page may end with a task that this version cannot read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct After {
    pub(super) key: Option<String>,
    pub(super) id: Uuid,
}

impl Start {
    /// The place after `row` in the same order.
    pub(super) fn after(&self, row: &Row) -> Self {
        let after = Some(After { key: row.key.clone(), id: row.id });
        let place = match self.place {
            Place::Created(_) => Place::Created(after),
            Place::Updated(_) => Place::Updated(after),
            Place::Due(_) => Place::Due(after),
            Place::Priority(_) => Place::Priority(after),
        };
        Self { place, descending: self.descending }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sort_is_a_key_with_a_sign() {
        let parse = |text: &str| Sort::try_from(text.to_owned());
        assert_eq!(parse("-created"), Ok(Sort::default()));
        assert_eq!(parse("due"), Ok(Sort { key: SortKey::Due, descending: false }));
        for bad in ["", "-", "--due", "+due", "Due", "title"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
