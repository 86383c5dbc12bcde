//! The document is whole: what it refers to is there, and no operation is without what its readers
//! need.

use std::collections::{BTreeMap, BTreeSet};

use http_support::contract;
use serde_json::Value;

use crate::{committed, elements, inlined, members, operations};

#[test]
fn every_reference_leads_somewhere_and_every_component_is_used() {
    let document = committed();
    inlined(&document, &document);
    let text = document.to_string();
    for kind in ["schemas", "headers", "examples"] {
        for (name, _) in members(&document["components"][kind]) {
            let used = text.contains(&format!("\"#/components/{kind}/{name}\""));
            assert!(used, "nothing refers to the {kind} {name}");
        }
    }
}

#[test]
fn every_operation_is_described_and_shown() {
    let document = committed();
    let tags: Vec<_> = elements(&document["tags"]).map(|tag| &tag["name"]).collect();
    let mut ids = BTreeSet::new();
    for (name, operation) in operations(&inlined(&document, &document)) {
        for text in ["operationId", "summary", "description"] {
            let text = operation[text].as_str().unwrap_or_default();
            assert!(!text.is_empty(), "{name} lacks {text}");
        }
        assert!(ids.insert(operation["operationId"].to_string()), "{name}: the id is taken");
        assert!(elements(&operation["tags"]).all(|tag| tags.contains(&tag)), "{name}: a new tag");
        assert_eq!(elements(&operation["security"]).count(), 1, "{name} is open to everybody");
        let bodies = members(&operation["requestBody"]["content"]);
        let answers = members(&operation["responses"]).filter(|(status, _)| *status != "default");
        let answered = answers.flat_map(|(_, answer)| members(&answer["content"]));
        for (kind, content) in bodies.chain(answered) {
            let shown = content.get("example").or(content.get("examples"));
            assert!(shown.is_some(), "{name}: no example of {kind}");
        }
    }
}

#[test]
fn every_parameter_of_a_path_is_described() {
    for (name, operation) in operations(&committed()) {
        let in_path: Vec<_> =
            name.split('{').skip(1).filter_map(|part| part.split('}').next()).collect();
        let described = elements(&operation["parameters"]).filter(|one| one["in"] == "path");
        let described: Vec<_> = described.filter_map(|one| one["name"].as_str()).collect();
        assert_eq!(in_path, described, "{name}");
    }
}

#[test]
fn every_operation_says_that_it_can_be_refused() {
    for (name, operation) in operations(&committed()) {
        for status in ["400", "401", "403", "413", "429", "431", "500", "503", "default"] {
            assert!(operation["responses"].get(status).is_some(), "{name} lacks {status}");
        }
        let (body, refused) = (operation.get("requestBody"), operation["responses"].get("415"));
        assert_eq!(body.is_some(), refused.is_some(), "{name}");
    }
}

#[test]
fn every_link_leads_to_an_operation_that_takes_its_parameters() {
    let document = committed();
    let operations = operations(&document);
    let find = |id: &Value| operations.values().find(|one| one["operationId"] == *id);
    for (name, operation) in &operations {
        let answers = members(&operation["responses"]);
        for (_, link) in answers.flat_map(|(_, answer)| members(&answer["links"])) {
            let target = find(&link["operationId"]).unwrap_or_else(|| panic!("{name}: {link}"));
            for (parameter, _) in members(&link["parameters"]) {
                let mut taken = elements(&target["parameters"]);
                assert!(taken.any(|one| one["name"] == **parameter), "{name}: {link}");
            }
        }
    }
}

#[test]
fn a_405_names_the_methods_that_the_document_has() {
    let document = committed();
    let mut known = BTreeMap::new();
    for (path, methods) in contract::TASKS.iter().chain(contract::ATTACHMENTS) {
        let methods = methods.split(',').filter(|method| *method != "HEAD");
        known.insert((*path).to_owned(), methods.map(str::to_lowercase).collect::<BTreeSet<_>>());
    }
    let described = members(&document["paths"]).map(|(path, item)| {
        (path.clone(), members(item).map(|(method, _)| method.clone()).collect::<BTreeSet<_>>())
    });
    assert_eq!(known, described.collect());
}

#[test]
fn a_member_of_an_answer_is_absent_and_never_null() {
    let document = committed();
    for (name, operation) in operations(&inlined(&document, &document)) {
        let answers = operation["responses"].to_string();
        assert!(!answers.contains("null"), "{name}");
    }
}
