//! Older versions of commands' data, each with its way to the newest.
//!
//! A version that was released stays accepted: its data keeps a type of its own, which is converted
//! before anything else sees it. Rules and store know the newest meaning only.

use domain::json::from_one;
use domain::limits::VERSION_MAX;
use domain::{ChangeTags, Tag, Version};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One label to add or to remove, whatever others there are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeTagV1 {
    /// The version that the task must have; any, when absent.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "from_one")]
    #[schemars(range(min = 1, max = VERSION_MAX))]
    pub expected_version: Option<Version>,
    /// The label.
    pub tag: Tag,
}

impl From<ChangeTagV1> for ChangeTags {
    fn from(older: ChangeTagV1) -> Self {
        Self { expected_version: older.expected_version, tags: older.tag.into() }
    }
}
