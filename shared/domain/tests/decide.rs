//! Properties that hold for any sequence of commands on any task.
#![expect(clippy::expect_used, reason = "a test that cannot build its input has failed")]

use chrono::{DateTime, Duration, Utc};
use domain::{
    Action, AssignTask, ChangeTags, Command, CreateTask, Decision, Expected, Fact, Patch, Priority,
    Refusal, Status, Tags, Task, TaskId, TaskPatch, Timestamp, UpdateTask, decide, limits,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

fn start() -> Timestamp {
    DateTime::<Utc>::UNIX_EPOCH + Duration::days(20_000)
}

fn task_id() -> TaskId {
    "0192f1a0-7c3e-7b44-9a53-3a1d0d4f5e10".parse().expect("a valid identifier")
}

fn priority() -> impl Strategy<Value = Priority> {
    prop_oneof![
        Just(Priority::Low),
        Just(Priority::Normal),
        Just(Priority::High),
        Just(Priority::Urgent)
    ]
}

fn tags() -> impl Strategy<Value = Tags> {
    prop::collection::btree_set("[a-c]", 0..3).prop_map(|tags| {
        let tags: Vec<_> = tags.iter().map(|tag| tag.parse().expect("a valid tag")).collect();
        Tags::try_from(tags).expect("a few different tags")
    })
}

fn patch_of<T: Clone + std::fmt::Debug>(
    value: impl Strategy<Value = T>,
) -> impl Strategy<Value = Patch<T>> {
    option::of(option::of(value)).prop_map(|patch| match patch {
        None => Patch::Keep,
        Some(None) => Patch::Clear,
        Some(Some(value)) => Patch::Set(value),
    })
}

fn create() -> impl Strategy<Value = Action> {
    ("[a-z]{1,5}", priority(), tags()).prop_map(|(title, priority, tags)| {
        Action::Create(CreateTask {
            title: title.parse().expect("a valid title"),
            description: None,
            priority,
            assignee: None,
            due_date: None,
            tags,
        })
    })
}

fn update() -> impl Strategy<Value = Action> {
    let patch = (
        option::of("[a-b]"),
        patch_of("[a-b]{0,2}"),
        option::of(priority()),
        patch_of("[a-b]"),
        option::of(tags()),
    );
    (option::of(1..6_i64), patch).prop_map(|(expected_version, patch)| {
        let (title, description, priority, assignee, tags) = patch;
        Action::Update(UpdateTask {
            expected_version,
            patch: TaskPatch {
                title: title.map(|text| text.parse().expect("a valid title")),
                description: parsed(&description),
                priority,
                assignee: parsed(&assignee),
                due_date: Patch::Keep,
                tags,
            },
        })
    })
}

fn parsed<T: std::str::FromStr>(patch: &Patch<String>) -> Patch<T> {
    match patch {
        Patch::Keep => Patch::Keep,
        Patch::Clear => Patch::Clear,
        Patch::Set(text) => text.parse().map_or(Patch::Clear, Patch::Set),
    }
}

fn action() -> impl Strategy<Value = Action> {
    let expected = || option::of(1..6_i64).prop_map(|v| Expected { expected_version: v });
    prop_oneof![
        2 => create(),
        5 => update(),
        2 => assign(),
        2 => expected().prop_map(Action::Complete),
        2 => expected().prop_map(Action::Reopen),
        1 => expected().prop_map(Action::Cancel),
        1 => expected().prop_map(Action::Delete),
        2 => change_tags().prop_map(Action::Tag),
        1 => change_tags().prop_map(Action::Untag),
    ]
}

fn assign() -> impl Strategy<Value = Action> {
    (option::of(1..6_i64), "[a-b]").prop_map(|(expected_version, assignee)| {
        let assignee = assignee.parse().expect("a valid assignee");
        Action::Assign(AssignTask { expected_version, assignee })
    })
}

fn change_tags() -> impl Strategy<Value = ChangeTags> {
    (option::of(1..6_i64), tags())
        .prop_map(|(expected_version, tags)| ChangeTags { expected_version, tags })
}

fn command(action: Action) -> Command {
    Command { tenant: "acme".parse().expect("a valid tenant"), task: task_id(), action }
}

/// Folds the actions over no task, a second apart, and shows each step to `check`.
fn fold(
    actions: Vec<Action>,
    mut check: impl FnMut(Option<&Task>, &Action, &Result<Decision, Refusal>, Timestamp),
) {
    let mut task: Option<Task> = None;
    for (second, action) in (0..).zip(actions) {
        let now = start() + Duration::seconds(second);
        let command = command(action);
        let result = decide(task.as_ref(), &command, now);
        check(task.as_ref(), &command.action, &result, now);
        if let Ok(Decision::Changed { task: after, .. }) = result {
            task = Some(after);
        }
    }
}

proptest! {
    #[test]
    fn the_version_grows_by_one_per_change(actions in vec(action(), 0..30)) {
        fold(actions, |before, _, result, now| {
            if let Ok(Decision::Changed { task, .. }) = result {
                assert_eq!(task.version, before.map_or(0, |task| task.version) + 1);
                assert_eq!(task.updated_at, now);
                assert_eq!(task.created_at, before.map_or(now, |task| task.created_at));
            }
        });
    }

    #[test]
    fn no_time_of_a_task_ever_goes_back(steps in vec((action(), -3..3_i64), 0..30)) {
        let mut before: Option<Task> = None;
        for (action, second) in steps {
            // Each command is decided by another host, whose clock is another one.
            let now = start() + Duration::seconds(second);
            let Ok(Decision::Changed { task, .. }) = decide(before.as_ref(), &command(action), now)
            else {
                continue;
            };
            if let Some(before) = before {
                prop_assert!(task.updated_at > before.updated_at);
                prop_assert!(task.updated_at >= now);
                prop_assert_eq!(task.created_at, before.created_at);
            }
            for time in [task.completed_at, task.deleted_at].into_iter().flatten() {
                prop_assert!(task.created_at <= time && time <= task.updated_at);
            }
            before = Some(task);
        }
    }

    #[test]
    fn a_change_has_the_fact_of_its_kind(actions in vec(action(), 0..30)) {
        fold(actions, |_, action, result, _| {
            if let Ok(Decision::Changed { fact, .. }) = result {
                let expected = match action {
                    Action::Create(_) => Fact::Created,
                    Action::Update(_) => Fact::Updated,
                    Action::Assign(_) => Fact::Assigned,
                    Action::Complete(_) => Fact::Completed,
                    Action::Reopen(_) => Fact::Reopened,
                    Action::Cancel(_) => Fact::Cancelled,
                    Action::Delete(_) => Fact::Deleted,
                    Action::Tag(_) => Fact::Tagged,
                    Action::Untag(_) => Fact::Untagged,
                };
                assert_eq!(*fact, expected);
            }
        });
    }

    #[test]
    fn an_identifier_is_created_once(actions in vec(action(), 0..30)) {
        fold(actions, |before, action, result, _| {
            if matches!(action, Action::Create(_)) {
                match before {
                    None => assert!(matches!(result, Ok(Decision::Changed { .. }))),
                    Some(_) => assert_eq!(*result, Err(Refusal::TaskAlreadyExists)),
                }
            }
        });
    }

    #[test]
    fn a_task_that_is_not_open_can_only_be_reopened(actions in vec(action(), 0..30)) {
        fold(actions, |before, action, result, _| {
            let open = before.is_some_and(|task| task.status == Status::Open);
            match action {
                Action::Reopen(_) if open => assert!(result.is_err()),
                Action::Complete(_) | Action::Cancel(_) if !open => assert!(result.is_err()),
                _ => {}
            }
            if let Ok(Decision::Changed { task, .. }) = result {
                assert_eq!(task.completed_at.is_some(), task.status == Status::Completed);
            }
        });
    }

    #[test]
    fn nothing_happens_to_a_deleted_task(actions in vec(action(), 0..30)) {
        fold(actions, |before, _, result, _| {
            if before.is_some_and(Task::is_deleted) {
                assert!(matches!(
                    result,
                    Err(Refusal::TaskNotFound | Refusal::TaskAlreadyExists)
                ));
            }
        });
    }

    #[test]
    fn an_expected_version_is_held_to(actions in vec(action(), 0..30)) {
        fold(actions, |before, action, result, _| {
            let expected = action.expected_version();
            let alive = before.filter(|task| !task.is_deleted());
            if let (Some(task), Some(expected)) = (alive, expected)
                && task.version != expected
            {
                let conflict = Refusal::VersionConflict { expected, actual: task.version };
                assert_eq!(*result, Err(conflict));
            }
        });
    }

    #[test]
    fn the_same_update_twice_changes_once(first in create(), update in update()) {
        let now = start();
        let Ok(Decision::Changed { task, .. }) = decide(None, &command(first), now) else {
            unreachable!("a first create is never refused")
        };
        let mut update = command(update);
        if let Action::Update(update) = &mut update.action {
            update.expected_version = None;
        }
        let after = match decide(Some(&task), &update, now) {
            Ok(Decision::Changed { task, .. }) => task,
            _ => task,
        };
        assert_eq!(decide(Some(&after), &update, now), Ok(Decision::Unchanged));
    }

    #[test]
    fn tags_are_added_up_to_the_limit_and_removed_again(extra in 0..3_usize) {
        let tag = |number: usize| -> Tags {
            let tag: domain::Tag = format!("t{number}").parse().expect("a valid tag");
            tag.into()
        };
        let none = Tags::default();
        let full = (0..limits::TAGS_MAX).try_fold(none, |tags, number| tags.with(&tag(number)));
        let full = full.expect("as many tags as a task may have");
        prop_assert_eq!(full.with(&tag(extra)), Some(full.clone()));
        prop_assert_eq!(full.with(&tag(limits::TAGS_MAX + extra)), None);
        let fewer = full.without(&tag(extra));
        prop_assert_eq!(fewer.iter().count(), limits::TAGS_MAX - 1);
        prop_assert_eq!(fewer.with(&tag(extra)), Some(full));
    }

    #[test]
    fn another_tenants_task_is_no_task(first in create(), action in action()) {
        let Ok(Decision::Changed { task, .. }) = decide(None, &command(first), start()) else {
            unreachable!("a first create is never refused")
        };
        let mut command = command(action);
        command.tenant = "other".parse().expect("a valid tenant");
        assert_eq!(decide(Some(&task), &command, start()), decide(None, &command, start()));
    }
}
