//! The rules: one pure function from a task and a command to what follows.

use chrono::TimeDelta;

use crate::command::{Action, Command, CreateTask, TaskPatch};
use crate::fact::Fact;
use crate::refusal::Refusal;
use crate::task::{Status, Task};
use crate::time::Timestamp;
use crate::values::Version;

/// What a command that is not refused does.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "short-lived, and nearly always the large one")]
pub enum Decision {
    /// The task becomes this one, and the fact is published.
    Changed {
        /// The task after the command, one version later.
        task: Task,
        /// What happened to it.
        fact: Fact,
    },
    /// The task is already as it should be: no new version, no fact.
    Unchanged,
}

/// Decides what `command` does to `task` (`None`: there never was one) at the time `now`.
///
/// Hosts' clocks differ. A task's times never go back all the same: a change is later than the one
/// before it, by a microsecond at least, which is what PostgreSQL keeps.
///
/// A task of another identifier or tenant than the command's is a caller's mistake and is treated
/// as no task at all.
pub fn decide(task: Option<&Task>, command: &Command, now: Timestamp) -> Result<Decision, Refusal> {
    let task = task.filter(|task| task.id == command.task && task.tenant == command.tenant);
    match (&command.action, task) {
        (Action::Create(_), Some(_)) => Err(Refusal::TaskAlreadyExists),
        (Action::Create(new), None) => Ok(create(command, new, now)),
        (action, task) => {
            let task = task.filter(|task| !task.is_deleted()).ok_or(Refusal::TaskNotFound)?;
            change(task, action, now)
        }
    }
}

fn create(command: &Command, new: &CreateTask, now: Timestamp) -> Decision {
    let new = new.clone();
    let task = Task {
        id: command.task,
        tenant: command.tenant.clone(),
        title: new.title.into(),
        description: new.description,
        status: Status::Open,
        priority: new.priority,
        assignee: new.assignee,
        due_date: new.due_date,
        tags: new.tags,
        version: 1,
        created_at: now,
        updated_at: now,
        completed_at: None,
        deleted_at: None,
    };
    Decision::Changed { task, fact: Fact::Created }
}

fn change(task: &Task, action: &Action, now: Timestamp) -> Result<Decision, Refusal> {
    let mut after = task.clone();
    let now = now.max(next_moment(task.updated_at));
    expect(task, action.expected_version())?;
    let fact = match action {
        Action::Create(_) => return Err(Refusal::TaskAlreadyExists),
        Action::Update(update) => {
            patch(&mut after, &update.patch);
            Fact::Updated
        }
        Action::Assign(assign) => {
            after.assignee = Some(assign.assignee.clone());
            Fact::Assigned
        }
        Action::Complete(_) => {
            move_to(&mut after, Status::Completed, now)?;
            Fact::Completed
        }
        Action::Reopen(_) => {
            move_to(&mut after, Status::Open, now)?;
            Fact::Reopened
        }
        Action::Cancel(_) => {
            move_to(&mut after, Status::Cancelled, now)?;
            Fact::Cancelled
        }
        Action::Delete(_) => {
            after.deleted_at = Some(now);
            Fact::Deleted
        }
        Action::Tag(change) => {
            after.tags = task.tags.with(&change.tags).ok_or(Refusal::TooManyTags)?;
            Fact::Tagged
        }
        Action::Untag(change) => {
            after.tags = task.tags.without(&change.tags);
            Fact::Untagged
        }
    };
    if after == *task {
        return Ok(Decision::Unchanged);
    }
    after.version += 1;
    after.updated_at = now;
    Ok(Decision::Changed { task: after, fact })
}

fn next_moment(time: Timestamp) -> Timestamp {
    time.checked_add_signed(TimeDelta::microseconds(1)).unwrap_or(time)
}

fn expect(task: &Task, expected: Option<Version>) -> Result<(), Refusal> {
    match expected {
        Some(expected) if expected != task.version => {
            Err(Refusal::VersionConflict { expected, actual: task.version })
        }
        _ => Ok(()),
    }
}

/// An open task is completed or cancelled, and what is either can only be reopened.
fn move_to(task: &mut Task, next: Status, now: Timestamp) -> Result<(), Refusal> {
    match (task.status, next) {
        (Status::Open, Status::Open) => return Err(Refusal::TaskAlreadyOpen),
        (Status::Completed, Status::Completed | Status::Cancelled) => {
            return Err(Refusal::TaskAlreadyCompleted);
        }
        (Status::Cancelled, Status::Completed | Status::Cancelled) => {
            return Err(Refusal::TaskAlreadyCancelled);
        }
        (Status::Open, _) | (_, Status::Open) => {}
    }
    task.status = next;
    task.completed_at = (next == Status::Completed).then_some(now);
    Ok(())
}

fn patch(task: &mut Task, patch: &TaskPatch) {
    let TaskPatch { title, description, priority, assignee, due_date, tags } = patch;
    if let Some(title) = title {
        task.title = title.clone().into();
    }
    if let Some(priority) = priority {
        task.priority = *priority;
    }
    if let Some(tags) = tags {
        task.tags.clone_from(tags);
    }
    description.apply(&mut task.description);
    assignee.apply(&mut task.assignee);
    due_date.apply(&mut task.due_date);
}
