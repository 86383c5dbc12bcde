//! In which order a list goes, and where a page of it begins.

use std::borrow::Cow;

use domain::{DueDate, Priority, Task, TaskId, Timestamp};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

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
        json_schema!({
            "type": "string",
            "enum": sorts.collect::<Vec<_>>(),
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Start {
    pub(super) place: Place,
    pub(super) descending: bool,
}

/// After which task of which order; `None` is the beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Place {
    Created(Option<After<Timestamp>>),
    Updated(Option<After<Timestamp>>),
    Due(Option<After<Option<DueDate>>>),
    Priority(Option<After<Priority>>),
}

/// The last task of the page before, as it was then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct After<K> {
    pub(super) key: K,
    pub(super) id: TaskId,
}

impl Start {
    /// The place after `task` in the same order.
    pub(super) fn after(self, task: &Task) -> Self {
        let id = task.id;
        let place = match self.place {
            Place::Created(_) => Place::Created(Some(After { key: task.created_at, id })),
            Place::Updated(_) => Place::Updated(Some(After { key: task.updated_at, id })),
            Place::Due(_) => Place::Due(Some(After { key: task.due_date, id })),
            Place::Priority(_) => Place::Priority(Some(After { key: task.priority, id })),
        };
        Self { place, ..self }
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
