//! Lists: a tenant's tasks, filtered and sorted, a page at a time.
//!
//! A page begins after a task, not after a number of tasks: what others create, change or delete
//! meanwhile neither repeats nor skips what keeps its place.

mod body;
mod order;
mod row;
mod search;
mod statements;
#[cfg(test)]
mod tests;
mod title_text;

use domain::{Assignee, DueDate, Priority, Status, Tag, Task, TenantId, Timestamp, limits};
use serde::Serialize;
use sqlx::types::Uuid;

pub use self::body::PageBody;
pub use self::order::{Sort, SortKey, Start};
use self::row::Row;
use self::search::Search;
use self::statements::List;
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
    /// A page of at most `limit` tasks from `start` on, and of [`limits::PAGE_BYTES_MAX`]. Deleted tasks are in no list. A task that
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
        let search = &filter.title.as_ref().map(TitleText::search).unwrap_or_default();
        // One more shows whether there is a next page.
        let list = List { pool: &self.pool, tenant, filter, search, limit: i64::from(limit) + 1 };
        let mut rows = list.rows(&start).await?;
        let fitting = fitting(&rows, limit.into());
        let more = rows.len() > fitting;
        rows.truncate(fitting);
        let next = rows.last().filter(|_| more).map(|row| start.after(row));
        let mut page = Page { tasks: Vec::with_capacity(rows.len()), unreadable: Vec::new(), next };
        for Row { id, task, .. } in rows {
            match task.map(|body| body.task) {
                Some(Ok(task)) => page.tasks.push(task),
                Some(Err(why)) => {
                    why.report("tasks", id);
                    page.unreadable.push(id);
                }
                None => {}
            }
        }
        Ok(page)
    }
}

/// How many of these rows are one page: at most `limit`, and no more bytes than a page may have,
/// unless the first alone has more.
fn fitting(rows: &[Row], limit: usize) -> usize {
    let mut left = limits::PAGE_BYTES_MAX;
    let fits = |(index, row): &(usize, &Row)| {
        let rest = row.task.as_ref().and_then(|body| left.checked_sub(body.bytes));
        left = rest.unwrap_or(0);
        rest.is_some() || *index == 0
    };
    rows.iter().take(limit).enumerate().take_while(fits).count()
}
