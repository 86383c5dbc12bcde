//! What a list should have: the same rules once more, over tasks in memory.

use std::cmp::Ordering;
use std::collections::HashMap;

use domain::{Priority, Task, TaskId};
use store::{Sort, SortKey};

use super::random::Choice;

/// A tenant's tasks by their identifiers, deleted ones too.
pub(super) type Tasks = HashMap<TaskId, Task>;

/// Whether the list has the task.
pub(super) fn fits(choice: &Choice, task: &Task) -> bool {
    let filter = &choice.filter;
    let found = |text: &str| task.title.as_str().to_lowercase().contains(&text.to_lowercase());
    !task.is_deleted()
        && filter.status.is_none_or(|status| task.status == status)
        && filter.assignee.as_ref().is_none_or(|name| task.assignee.as_ref() == Some(name))
        && filter.tag.as_ref().is_none_or(|tag| task.tags.iter().any(|one| one == tag))
        && filter.priority.is_none_or(|priority| task.priority == priority)
        && filter.due_before.is_none_or(|day| task.due_date.is_some_and(|due| due < day))
        && filter.due_after.is_none_or(|day| task.due_date.is_some_and(|due| due > day))
        && filter.updated_since.is_none_or(|time| task.updated_at >= time)
        && choice.text.is_none_or(found)
}

/// How two tasks stand in the list.
pub(super) fn compare(sort: Sort, a: &Task, b: &Task) -> Ordering {
    let directed = |order: Ordering| if sort.descending { order.reverse() } else { order };
    let by_key = match sort.key {
        SortKey::Created => directed(a.created_at.cmp(&b.created_at)),
        SortKey::Updated => directed(a.updated_at.cmp(&b.updated_at)),
        SortKey::Priority => directed(rank(a.priority).cmp(&rank(b.priority))),
        SortKey::Due => match (a.due_date, b.due_date) {
            (Some(a), Some(b)) => directed(a.cmp(&b)),
            (a, b) => a.is_none().cmp(&b.is_none()),
        },
    };
    by_key.then_with(|| directed(a.id.cmp(&b.id)))
}

/// The list from after `last` on.
pub(super) fn list(tasks: &Tasks, choice: &Choice, last: Option<&Task>) -> Vec<Task> {
    let after = |task: &Task| last.is_none_or(|last| compare(choice.sort, last, task).is_lt());
    let fitting = tasks.values().filter(|task| fits(choice, task) && after(task));
    let mut sorted: Vec<_> = fitting.cloned().collect();
    sorted.sort_by(|a, b| compare(choice.sort, a, b));
    sorted
}

fn rank(priority: Priority) -> u8 {
    match priority {
        Priority::Low => 1,
        Priority::Normal => 2,
        Priority::High => 3,
        Priority::Urgent => 4,
    }
}
