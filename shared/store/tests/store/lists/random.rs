//! Tasks, changes and lists at random. There are few values of each kind, so that many tasks are
//! equal in what they are sorted by, and lists have many tasks.

use chrono::{Days, NaiveDate, TimeDelta};
use domain::{
    Action, ChangeTags, CreateTask, DueDate, Expected, Patch, Priority, Status, Tags, TaskPatch,
    Timestamp, UpdateTask,
};
use rand::RngExt as _;
use rand::rngs::StdRng;
use store::{Filter, Sort, SortKey, TitleText};

use crate::fixture::now;

/// Words of titles, and what is searched for: some only look like wildcards or SQL.
const WORDS: [&str; 6] =
    ["Milk", "100% sure", "a_bcd", r"back\slash", "'; DROP TABLE", "MILKSHAKE"];
const TEXTS: [&str; 7] = ["milk", "100%", "a_bcd", r"k\sla", "'; drop", "sure a", "nothing"];
const NAMES: [&str; 3] = ["ann", "bob", "';--"];
const TAGS: [&str; 3] = ["home", "work", "x:1"];

/// A list: which tasks and in which order. `text` is what the filter looks for in the title.
#[derive(Debug)]
pub(super) struct Choice {
    pub(super) filter: Filter,
    pub(super) text: Option<&'static str>,
    pub(super) sort: Sort,
}

pub(super) fn choice(random: &mut StdRng) -> Choice {
    let text = rarely(random, |random| *pick(random, &TEXTS));
    let filter = Filter {
        status: rarely(random, |random| {
            *pick(random, &[Status::Open, Status::Completed, Status::Cancelled])
        }),
        assignee: rarely(random, |random| pick(random, &NAMES).parse().expect("a name")),
        tag: rarely(random, |random| pick(random, &TAGS).parse().expect("a tag")),
        priority: rarely(random, priority),
        due_before: rarely(random, day),
        due_after: rarely(random, day),
        updated_since: rarely(random, time),
        title: text.map(|text| TitleText::try_from(text.to_owned()).expect("a text")),
    };
    let keys = [SortKey::Created, SortKey::Updated, SortKey::Due, SortKey::Priority];
    let sort = Sort { key: *pick(random, &keys), descending: random.random() };
    Choice { filter, text, sort }
}

pub(super) fn new(random: &mut StdRng) -> Action {
    Action::Create(CreateTask {
        title: title(random).parse().expect("a title"),
        description: None,
        priority: priority(random),
        assignee: maybe(random, |random| pick(random, &NAMES).parse().expect("a name")),
        due_date: maybe(random, day),
        tags: tags(random),
    })
}

pub(super) fn change(random: &mut StdRng) -> Action {
    let patch = match random.random_range(0..10) {
        0 => return Action::Complete(Expected::default()),
        1 => return Action::Reopen(Expected::default()),
        2 => return Action::Cancel(Expected::default()),
        3 => return Action::Delete(Expected::default()),
        4 => return Action::Tag(ChangeTags { expected_version: None, tags: tags(random) }),
        5 => TaskPatch { due_date: Patch::Set(day(random)), ..TaskPatch::default() },
        6 => TaskPatch { due_date: Patch::Clear, ..TaskPatch::default() },
        7 => TaskPatch { priority: Some(priority(random)), ..TaskPatch::default() },
        8 => TaskPatch { assignee: Patch::Clear, ..TaskPatch::default() },
        _ => TaskPatch { title: title(random).parse().ok(), ..TaskPatch::default() },
    };
    Action::Update(UpdateTask { expected_version: None, patch })
}

/// One of twenty points in time, to the microsecond, as PostgreSQL keeps it.
pub(super) fn time(random: &mut StdRng) -> Timestamp {
    let start: Timestamp = now() - TimeDelta::nanoseconds(789);
    start + TimeDelta::microseconds(random.random_range(0..20))
}

fn title(random: &mut StdRng) -> String {
    format!("{} {}", pick(random, &WORDS), pick(random, &WORDS))
}

fn day(random: &mut StdRng) -> DueDate {
    let first = NaiveDate::from_ymd_opt(2026, 2, 26).expect("a day");
    let day = first + Days::new(random.random_range(0..6));
    day.try_into().expect("a due date")
}

fn priority(random: &mut StdRng) -> Priority {
    *pick(random, &[Priority::Low, Priority::Normal, Priority::High, Priority::Urgent])
}

fn tags(random: &mut StdRng) -> Tags {
    pick(random, &TAGS).parse::<domain::Tag>().expect("a tag").into()
}

pub(super) fn pick<'a, T>(random: &mut StdRng, from: &'a [T]) -> &'a T {
    &from[random.random_range(0..from.len())]
}

fn maybe<T>(random: &mut StdRng, make: impl FnOnce(&mut StdRng) -> T) -> Option<T> {
    random.random_ratio(2, 3).then(|| make(random))
}

fn rarely<T>(random: &mut StdRng, make: impl FnOnce(&mut StdRng) -> T) -> Option<T> {
    random.random_ratio(1, 8).then(|| make(random))
}
