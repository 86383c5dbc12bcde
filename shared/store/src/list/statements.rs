//! The statements of lists: one per order, so that each follows an index.
//!
//! Each reads a page of every status and keeps the first of them all: the indexes have the status
//! first, since it goes with age. A filter that is not given is `NULL`, and PostgreSQL drops its
//! condition because it plans each execution anew ([`Store::for_lists`](crate::Store::for_lists)).
//! So a few statements do for all combinations, and none is put together from text at run time.

use domain::{Assignee, DueDate, Priority, Status, Tag, Task, TenantId};
use sqlx::types::Uuid;

use super::order::{After, Place, Start};
use super::row::{Body, Row};
use super::{Filter, Search};
use crate::pool::Pool;
use crate::stored::Measured;

/// Which tasks to read, and how many at most.
#[derive(Clone, Copy)]
pub(super) struct List<'a> {
    pub(super) pool: &'a Pool,
    pub(super) tenant: &'a TenantId,
    pub(super) filter: &'a Filter,
    pub(super) search: &'a Search,
    pub(super) limit: i64,
}

type Rows = Result<Vec<Row>, sqlx::Error>;

/// Reads tasks that fit the filter and a condition on `$14`, the identifier of the last task, and on
/// `$15`, its key. Tasks that come after 512 KiB of text are not sent, for they are on another page:
/// [`limits::PAGE_BYTES_MAX`](domain::limits::PAGE_BYTES_MAX), since its JSON is no shorter.
macro_rules! read {
    ($list:expr, $column:literal, [$($condition:literal)+], [$($order:literal)+], $id:expr $(, $key:expr)?) => {
        sqlx::query!(
            "SELECT page.id AS \"id!\", page." + $column + r#"::text AS key,
                CASE WHEN coalesce(
                    sum(octet_length(title) + coalesce(octet_length(description), 0))
                        OVER (ORDER BY "# $(+ $order)+ + " ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING),
                    0
                ) < 524288 THEN to_jsonb(page) END AS \"task?: Measured<Task>\"
            FROM unnest($2::text[]) AS wanted (status)
            CROSS JOIN LATERAL (
                SELECT * FROM listed_tasks
                WHERE tenant = $1 AND listed_tasks.status = wanted.status
                AND ($3::text IS NULL OR assignee = $3)
                AND ($4::text IS NULL OR tags @> ARRAY[$4])
                AND ($5::text IS NULL OR priority = $5)
                AND ($6::date IS NULL OR due_date < $6)
                AND ($7::date IS NULL OR due_date > $7)
                AND ($8::timestamptz IS NULL OR updated_at >= $8)
                AND ($9::text IS NULL OR title ILIKE $9)
                AND ($11::text IS NULL OR title %>> $10::text
                    OR short_terms(cjk_title(title)) @> string_to_array(lower($11), ' '))
                AND ($12::text IS NULL OR regexp_like(lower(title), lower($12)))
                " $(+ $condition)+ + " ORDER BY " $(+ $order)+ + " LIMIT $13
            ) AS page
            ORDER BY " $(+ $order)+ + " LIMIT $13",
            $list.tenant.as_str(),
            &statuses($list.filter) as &[&str],
            $list.filter.assignee.as_ref().map(Assignee::as_str),
            $list.filter.tag.as_ref().map(Tag::as_str),
            $list.filter.priority.map(Priority::as_str),
            $list.filter.due_before.map(DueDate::as_date),
            $list.filter.due_after.map(DueDate::as_date),
            $list.filter.updated_since,
            $list.search.contained,
            $list.search.words,
            $list.search.terms,
            $list.search.expression,
            $list.limit,
            $id
            $(, $key)?
        )
        .fetch_all($list.pool)
        .await
        .map(|rows| {
            let row = |task: Option<Measured<Task>>| task.map(Body::from);
            rows.into_iter().map(|one| Row { id: one.id, key: one.key, task: row(one.task) }).collect()
        })
    };
}

/// Reads tasks in the order of a column, which is of a type, after what is in `$after`.
macro_rules! read_by {
    ($column:literal, $type:literal, $also:literal, $list:expr, $descending:expr, $after:expr) => {{
        let (id, key) = split($after);
        if $descending {
            read!(
                $list,
                $column,
                [$also "AND ($14::uuid IS NULL OR (" $column ", id) < ($15::text::" $type ", $14))"],
                [$column " DESC, id DESC"],
                id,
                key
            )
        } else {
            read!(
                $list,
                $column,
                [$also "AND ($14::uuid IS NULL OR (" $column ", id) > ($15::text::" $type ", $14))"],
                [$column ", id"],
                id,
                key
            )
        }
    }};
}

impl List<'_> {
    pub(super) async fn rows(&self, start: &Start) -> Rows {
        let descending = start.descending;
        match &start.place {
            Place::Created(after) => self.by_created(after.as_ref(), descending).await,
            Place::Updated(after) => self.by_updated(after.as_ref(), descending).await,
            Place::Due(after) => self.by_due(after.as_ref(), descending).await,
            Place::Priority(after) => self.by_priority(after.as_ref(), descending).await,
        }
    }

    /// How many tasks are missing from the page; none if it is full of text already.
    fn left(&self, rows: &[Row]) -> i64 {
        if rows.last().is_some_and(|row| row.task.is_none()) {
            return 0;
        }
        i64::try_from(rows.len()).map_or(0, |read| self.limit - read)
    }

    async fn by_created(&self, after: Option<&After>, descending: bool) -> Rows {
        read_by!("created_at", "timestamptz", "", self, descending, after)
    }

    async fn by_updated(&self, after: Option<&After>, descending: bool) -> Rows {
        read_by!("updated_at", "timestamptz", "", self, descending, after)
    }

    /// One priority after the other, until the page is full: their names do not sort as they do,
    /// and where many tasks have the same one, PostgreSQL misjudges how many come after a task.
    async fn by_priority(&self, after: Option<&After>, descending: bool) -> Rows {
        let (mut last, key) = split(after);
        let mut rows = Vec::new();
        for priority in priorities(self.filter.priority, key, descending) {
            let filter = Filter { priority: Some(priority), ..self.filter.clone() };
            let rest = List { filter: &filter, limit: self.left(&rows), ..*self };
            if rest.limit > 0 {
                rows.extend(rest.by_id(last.take(), descending).await?);
            }
        }
        Ok(rows)
    }

    async fn by_id(&self, id: Option<Uuid>, descending: bool) -> Rows {
        if descending {
            read!(self, "priority", ["AND ($14::uuid IS NULL OR id < $14)"], ["id DESC"], id)
        } else {
            read!(self, "priority", ["AND ($14::uuid IS NULL OR id > $14)"], ["id"], id)
        }
    }

    /// No one index has the tasks without a day last in both directions: they are read afterwards,
    /// when the others do not fill the page.
    async fn by_due(&self, after: Option<&After>, descending: bool) -> Rows {
        let (mut rows, last_undated) = match after {
            Some(After { key: None, id }) => (Vec::new(), Some(*id)),
            _ => (self.dated(after, descending).await?, None),
        };
        let rest = Self { limit: self.left(&rows), ..*self };
        if rest.limit > 0 {
            rows.extend(rest.undated(last_undated, descending).await?);
        }
        Ok(rows)
    }

    async fn dated(&self, after: Option<&After>, descending: bool) -> Rows {
        read_by!("due_date", "date", "AND due_date IS NOT NULL ", self, descending, after)
    }

    /// Sorted by the day, too, though there is none: so the index is seen to have the order.
    async fn undated(&self, id: Option<Uuid>, descending: bool) -> Rows {
        if descending {
            read!(
                self,
                "due_date",
                ["AND due_date IS NULL AND ($14::uuid IS NULL OR id < $14)"],
                ["due_date DESC, id DESC"],
                id
            )
        } else {
            read!(
                self,
                "due_date",
                ["AND due_date IS NULL AND ($14::uuid IS NULL OR id > $14)"],
                ["due_date, id"],
                id
            )
        }
    }
}

/// Those that the filter lets through, from the last task's on.
fn priorities(
    filter: Option<Priority>,
    last: Option<&str>,
    descending: bool,
) -> impl Iterator<Item = Priority> {
    let mut all = [Priority::Low, Priority::Normal, Priority::High, Priority::Urgent];
    if descending {
        all.reverse();
    }
    let before = move |priority: &Priority| last.is_some_and(|last| last != priority.as_str());
    let wanted = move |priority: &Priority| filter.is_none_or(|one| one == *priority);
    all.into_iter().skip_while(before).filter(wanted)
}

fn statuses(filter: &Filter) -> Vec<&'static str> {
    let all = [Status::Open, Status::Completed, Status::Cancelled];
    let wanted = |status: &Status| filter.status.is_none_or(|one| one == *status);
    all.into_iter().filter(wanted).map(Status::as_str).collect()
}

fn split(after: Option<&After>) -> (Option<Uuid>, Option<&str>) {
    after.map_or((None, None), |after| (Some(after.id), after.key.as_deref()))
}
