//! The gate: what was released stays valid.
//!
//! `shared/http-support/released/openapi.json` is the document of the last release. A request that followed
//! it must be taken as before, and a client that reads by it must be able to read today's answers. A
//! change that breaks either needs another path, beside the old one.

use std::collections::BTreeSet;

use schema_compatibility::{narrowed, unreadable};
use serde_json::Value;

use crate::{committed, elements, file, inlined, members, operations};

/// What the document says otherwise than it did at the last release, while the requests that anybody sends,
/// and answers, are as they were: what the comparison finds begins so; and why it breaks nobody. A release
/// empties this.
const RESPELT: [(&str, &str); 11] = [
    (FLAT[0], "the same members, with the statuses as one enum: no alternatives beside them"),
    (FLAT[1], "as above"),
    (FLAT[2], "as above"),
    (
        FLAT[3],
        "as above; a generator makes one object of two alternatives, with the members of both",
    ),
    (
        "GET /v1/tasks: the parameter \"query\" \"title\": ``: pattern is tighter",
        "it says less: classes of Unicode, which not every validator knows, are prose",
    ),
    (
        "POST /v1/tasks: the request's body: `/title`: pattern is tighter",
        "titles that show nothing, or change how their neighbours are shown, were a fault of the rule",
    ),
    ("PATCH /v1/tasks/{id}: the request's body: `/title`: pattern is tighter", "as above"),
    (
        "PATCH /v1/tasks/{id}: the request's body: `/title`: pattern is tighter",
        "its other media type",
    ),
    (
        "POST /v1/tasks/{id}/attachments: the request's body: `/name`: pattern is tighter",
        "as above, for names of files",
    ),
    (BATCH[0], "the alternative of a task to create, whose title has the rule above"),
    (
        BATCH[1],
        "an element is typed, so that a client finds a typing error; what does not fit it is answered \
         in its place, as before",
    ),
];
const BATCH: [&str; 2] = [
    "POST /v1/tasks/batch: the request's body: `/tasks/*`: {\"additionalProperties\":false",
    "POST /v1/tasks/batch: the request's body: `/tasks/*`: {\"description\":\"Anything else",
];
const FLAT: [&str; 4] = [
    "GET /v1/tasks/{id}/attachments: a client that reads the answer 200: `/attachments/*`: {",
    "GET /v1/tasks/{id}/attachments/{attachment}: a client that reads the answer 200: ``: {",
    "POST /v1/tasks/{id}/attachments: a client that reads the answer 201: ``: {",
    "POST /v1/tasks/batch: a client that reads the answer 207: `/results/*`: {",
];

#[test]
fn what_was_released_stays_valid() {
    let mut breaks = breaks(&file("released/openapi.json"), &committed());
    for (respelt, why) in RESPELT {
        let found = breaks.iter().position(|found| found.starts_with(respelt));
        let found = found.unwrap_or_else(|| panic!("nothing to excuse by: {respelt}: {why}"));
        breaks.remove(found);
    }
    assert!(breaks.is_empty(), "make a new version beside it instead:\n{}", breaks.join("\n"));
}

/// What `current` breaks of `released`: the operation, the part of it, and what is wrong there.
pub(crate) fn breaks(released: &Value, current: &Value) -> Vec<String> {
    let (before, after) = (inlined(released, released), inlined(current, current));
    let (before, after) = (operations(&before), operations(&after));
    let mut breaks = Vec::new();
    for (name, before) in &before {
        match after.get(name) {
            None => breaks.push(format!("{name}: the operation is gone")),
            Some(after) => {
                let found = operation(before, after);
                breaks.extend(found.into_iter().map(|found| format!("{name}: {found}")));
            }
        }
    }
    breaks
}

fn operation(before: &Value, after: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for same in ["operationId", "security"] {
        if before[same] != after[same] {
            found.push(format!("`{same}` has changed from {} to {}", before[same], after[same]));
        }
    }
    parameters(before, after, &mut found);
    body(&before["requestBody"], &after["requestBody"], &mut found);
    for (status, before) in members(&before["responses"]) {
        match after["responses"].get(status) {
            None => found.push(format!("the answer {status} is gone")),
            Some(after) => answer(status, before, after, &mut found),
        }
    }
    found
}

fn parameters(before: &Value, after: &Value, found: &mut Vec<String>) {
    let name = |parameter: &Value| format!("{} {}", parameter["in"], parameter["name"]);
    let same = |list: &Value, wanted: &Value| -> Option<Value> {
        elements(&list["parameters"]).find(|one| name(one) == name(wanted)).cloned()
    };
    for before in elements(&before["parameters"]) {
        let Some(after) = same(after, before) else {
            found.push(format!("the parameter {} is gone", name(before)));
            continue;
        };
        let narrower = narrowed(&before["schema"], &after["schema"]);
        found.extend(named(&format!("the parameter {}", name(before)), narrower));
    }
    for after in elements(&after["parameters"]) {
        let required = |parameter: &Value| parameter["required"] == true;
        let before = same(before, after);
        if required(after) && !before.is_some_and(|before| required(&before)) {
            found.push(format!("the parameter {} is now required", name(after)));
        }
    }
}

fn body(before: &Value, after: &Value, found: &mut Vec<String>) {
    if after["required"] == true && before["required"] != true {
        found.push("a body is now required".to_owned());
    }
    for (kind, before) in members(&before["content"]) {
        match after["content"].get(kind) {
            None => found.push(format!("a body may no longer be {kind}")),
            Some(after) => {
                let narrower = narrowed(&before["schema"], &after["schema"]);
                found.extend(named("the request's body", narrower));
            }
        }
    }
}

fn answer(status: &str, before: &Value, after: &Value, found: &mut Vec<String>) {
    let always = |headers: &Value, name: &str| headers[name]["required"] == true;
    let names = |answer: &Value| -> BTreeSet<_> {
        members(&answer["headers"]).map(|(name, _)| name.clone()).collect()
    };
    for gone in names(before).difference(&names(after)) {
        found.push(format!("the answer {status}: the header {gone} is gone"));
    }
    for name in names(before).intersection(&names(after)) {
        if always(&before["headers"], name) && !always(&after["headers"], name) {
            found.push(format!("the answer {status}: the header {name} may now be left out"));
        }
    }
    for (kind, before) in members(&before["content"]) {
        match after["content"].get(kind) {
            None => found.push(format!("the answer {status} is no longer {kind}")),
            Some(after) => {
                let changed = unreadable(&before["schema"], &after["schema"]);
                found.extend(named(&format!("a client that reads the answer {status}"), changed));
            }
        }
    }
}

fn named(who: &str, found: Vec<String>) -> impl Iterator<Item = String> {
    found.into_iter().map(move |found| format!("{who}: {found}"))
}
