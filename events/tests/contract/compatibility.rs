//! The gate: what was released stays valid.
//!
//! `events/released/` holds the schemas of the last release. A producer that follows a released
//! command schema must not be refused by today's; a consumer that follows a released fact schema
//! must be able to read today's facts. A change that breaks either needs a new version of its type,
//! beside the old one.

use schema_compatibility::{narrowed, unreadable};
use serde_json::Value;

use crate::files;

/// What the schemas say otherwise than they did at the last release, while the events that anybody sends are
/// as they were: what the comparison finds begins so; and why it breaks nobody. A release empties this.
const RESPELT: [(&str, &str); 3] = [
    (
        "dev.task-app.command.rejected.v1.schema.json: a consumer of the released facts, reading new ones: \
         `/data`: {",
        "the same members, with the codes as one enum: no alternatives beside them",
    ),
    (
        "dev.task-app.create-task.v1.schema.json: a producer of the released commands: `/data/title`: pattern",
        "titles that show nothing, or change how their neighbours are shown, were a fault of the rule",
    ),
    (
        "dev.task-app.update-task.v1.schema.json: a producer of the released commands: `/data/patch/title`: \
         pattern",
        "as above",
    ),
];

#[test]
fn what_was_released_stays_valid() {
    let current = files("schemas");
    let mut breaks = Vec::new();
    for (file, released) in files("released") {
        let released: Value = serde_json::from_str(&released).expect("a schema is JSON");
        let Some(current) = current.get(&file) else {
            breaks.push(format!("{file}: the type is gone"));
            continue;
        };
        let current: Value = serde_json::from_str(current).expect("a schema is JSON");
        let is_fact = file.contains(".task.") || file.contains(".command.");
        let (found, who) = if is_fact {
            (unreadable(&released, &current), "a consumer of the released facts, reading new ones")
        } else {
            (narrowed(&released, &current), "a producer of the released commands")
        };
        breaks.extend(found.into_iter().map(|found| format!("{file}: {who}: {found}")));
    }
    for (respelt, why) in RESPELT {
        let found = breaks.iter().position(|found| found.starts_with(respelt));
        let found = found.unwrap_or_else(|| panic!("nothing to excuse by: {respelt}: {why}"));
        breaks.remove(found);
    }
    assert!(breaks.is_empty(), "make a new version of the type instead:\n{}", breaks.join("\n"));
}
