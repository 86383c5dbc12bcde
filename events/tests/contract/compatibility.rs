//! The gate: what was released stays valid.
//!
//! `events/released/` holds the schemas of the last release. A producer that follows a released
//! command schema must not be refused by today's; a consumer that follows a released fact schema
//! must be able to read today's facts. A change that breaks either needs a new version of its type,
//! beside the old one.

use schema_compatibility::{narrowed, unreadable};
use serde_json::Value;

use crate::files;

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
    assert!(breaks.is_empty(), "make a new version of the type instead:\n{}", breaks.join("\n"));
}
