//! Lists: a tenant's tasks, filtered and sorted, a page at a time.
//!
//! A page begins after a task, not after a number of tasks: what others create, change or delete
//! meanwhile neither repeats nor skips what keeps its place.

mod body;
mod order;
mod statements;
mod title_text;

use domain::{Assignee, DueDate, Priority, Status, Tag, Task, TenantId, Timestamp};
use serde::Serialize;
use sqlx::types::Uuid;

pub use self::body::PageBody;
pub use self::order::{Sort, SortKey, Start};
use self::statements::{List, Row};
pub use self::title_text::TitleText;
use crate::error::ReadError;
use crate::store::Store;

/// Which tasks a list has: those that fit everything that is given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Filter {
    /// In this state.
    pub status: Option<Status>,
    /// To be done by this one.
    pub assignee: Option<Assignee>,
    /// With this among their tags.
    pub tag: Option<Tag>,
    /// This urgent.
    pub priority: Option<Priority>,
    /// Due on an earlier day.
    pub due_before: Option<DueDate>,
    /// Due on a later day.
    pub due_after: Option<DueDate>,
    /// Last changed then or later.
    pub updated_since: Option<Timestamp>,
    /// With this text in the title.
    pub title: Option<TitleText>,
}

/// Some of a tenant's tasks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The tasks, in the order of the list.
    pub tasks: Vec<Task>,
    /// The identifiers of tasks that belong on the page and cannot be read from the database.
    pub unreadable: Vec<Uuid>,
    /// Where the next page begins, if there is one.
    pub next: Option<Start>,
}

impl Store {
    /// A page of at most `limit` tasks from `start` on. Deleted tasks are in no list. A task that
    /// cannot be read is named, logged and counted; the others are answered.
    ///
    /// # Errors
    /// When PostgreSQL does not answer.
    pub async fn tasks(
        &self,
        tenant: &TenantId,
        filter: &Filter,
        start: Start,
        limit: u16,
    ) -> Result<Page, ReadError> {
        // One more shows whether there is a next page.
        let list = List { pool: &self.pool, tenant, filter, limit: i64::from(limit) + 1 };
        let mut rows = list.rows(&start).await?;
        let more = rows.len() > usize::from(limit);
        rows.truncate(limit.into());
        let next = rows.last().filter(|_| more).map(|row| start.after(row));
        let mut page = Page { tasks: Vec::with_capacity(rows.len()), unreadable: Vec::new(), next };
        for Row { id, task, .. } in rows {
            match task {
                Ok(task) => page.tasks.push(task),
                Err(why) => {
                    why.report("tasks", id);
                    page.unreadable.push(id);
                }
            }
        }
        Ok(page)
    }
}
