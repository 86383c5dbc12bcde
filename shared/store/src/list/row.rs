//! A row of a list, before a page is made of it.

use domain::Task;
use sqlx::types::Uuid;

use crate::stored::{Measured, Unreadable};

/// A task of the list, and what is known of its place even if it cannot be read.
pub(super) struct Row {
    pub(super) id: Uuid,
    /// What the list is sorted by, as PostgreSQL writes it.
    pub(super) key: Option<String>,
    /// `None` if the tasks before it fill a page already.
    pub(super) task: Option<Body>,
}

/// A task and how many bytes its JSON has.
pub(super) struct Body {
    pub(super) task: Result<Task, Unreadable>,
    pub(super) bytes: usize,
}

impl From<Measured<Task>> for Body {
    fn from(Measured { value, bytes }: Measured<Task>) -> Self {
        Self { task: value.0, bytes }
    }
}
