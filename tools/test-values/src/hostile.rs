//! Values at the edge of what the domain accepts, for every ring of tests.
//!
//! They are JSON, so that each ring gives them to its own door.

use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value, json};
use unicode_normalization::UnicodeNormalization as _;

/// Characters that some reader, queue, header or database treats in a way of its own.
const ODD: &str = "\u{80}\u{85}\u{9f}\u{a0}\u{ad}\u{300}\u{200b}\u{2028}\u{2029}\u{202e}\u{d7ff}\u{e000}\u{fdd0}\u{feff}\u{fffd}\u{fffe}\u{ffff}\u{10000}\u{1f600}\u{1fffe}\u{10ffff}\"\\/%'&<>+?#{}";
/// As above, where there may be more than one line.
const CONTROLS: &str = "\u{1}\u{8}\t\n\u{b}\u{c}\r\u{1b}\u{1f}\u{7f}";

fn text(of: &str, most: usize) -> impl Strategy<Value = String> + use<> {
    let odd = select(of.chars().collect::<Vec<_>>());
    let character = prop_oneof![3 => odd, 1 => any::<char>()];
    // Short ones, and ones as long as may be.
    let length = prop_oneof![4 => 1..12_usize, 1 => Just(most)];
    length
        .prop_flat_map(move |length| prop::collection::vec(character.clone(), length))
        .prop_map(|characters| characters.into_iter().collect())
}

/// No part of a title: controls, line breaks, what turns the direction of text.
fn is_refused(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A title, which begins with a letter so that it is not blank, in the normal form in which it is stored.
pub fn title() -> impl Strategy<Value = String> {
    text(ODD, 199).prop_map(|text| {
        let line = text.chars().map(|c| if is_refused(c) { '\u{ffff}' } else { c });
        format!("x{}", line.collect::<String>()).nfc().take(200).collect()
    })
}

/// A description.
pub fn description() -> impl Strategy<Value = String> {
    text(&format!("{ODD}{CONTROLS}"), 10_000).prop_map(|text| text.replace('\0', "\u{1}"))
}

/// A due date.
pub fn due_date() -> impl Strategy<Value = String> {
    let edge = select(vec!["0001-01-01", "0004-02-29", "0999-12-31", "1582-10-10", "9999-12-31"]);
    prop_oneof![edge.prop_map(ToOwned::to_owned), "[1-9][0-9]{3}-(01|12)-(01|31)"]
}

/// The body of a request, and the data of an event, that creates a task.
pub fn new_task() -> impl Strategy<Value = Value> {
    let tags = prop::collection::btree_set("[a-z0-9][a-z0-9._:-]{0,49}", 0..=20);
    let optional = (
        prop::option::of(description()),
        prop::option::of("[!-~]{1,100}"),
        prop::option::of(due_date()),
    );
    (title(), select(vec!["low", "urgent"]), tags, optional).prop_map(
        |(title, priority, tags, (description, assignee, due_date))| {
            let mut task = Map::new();
            task.insert("title".to_owned(), title.into());
            task.insert("priority".to_owned(), priority.into());
            task.insert("tags".to_owned(), json!(tags));
            let optional =
                [("description", description), ("assignee", assignee), ("due_date", due_date)];
            for (name, value) in optional {
                task.extend(value.map(|value| (name.to_owned(), value.into())));
            }
            Value::Object(task)
        },
    )
}

/// The largest task that there can be, however it is written: every character takes six bytes.
#[must_use]
pub fn largest_task() -> Value {
    let tags: Vec<_> = (10..30).map(|number| format!("{number}{}", "t".repeat(48))).collect();
    json!({
        "title": "\u{ffff}".repeat(200),
        "description": "\u{1}".repeat(10_000),
        "priority": "normal",
        "assignee": "\\".repeat(100),
        "due_date": "9999-12-31",
        "tags": tags,
    })
}

/// So many tasks, the same each time, and the largest one.
#[must_use]
pub fn new_tasks(count: usize) -> Vec<Value> {
    let (mut runner, strategy) = (TestRunner::deterministic(), new_task());
    let mut next = || strategy.new_tree(&mut runner).expect("a task").current();
    let mut tasks: Vec<_> = (0..count).map(|_| next()).collect();
    tasks.push(largest_task());
    tasks
}
