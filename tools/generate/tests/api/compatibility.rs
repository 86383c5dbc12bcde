//! The gate: what was released stays valid.
//!
//! `shared/http-support/released/openapi.json` is the document of the last release. A request that followed
//! it must be taken as before, and a client that reads by it must be able to read today's answers. A
//! change that breaks either needs another path, beside the old one.

use std::collections::BTreeSet;

use schema_compatibility::{narrowed, unreadable};
use serde_json::Value;

use crate::{committed, elements, file, inlined, members, operations};

#[test]
fn what_was_released_stays_valid() {
    let breaks = breaks(&file("released/openapi.json"), &committed());
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
