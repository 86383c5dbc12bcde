//! What filters select, and what they say of a mistake.

use messages::Attribute;
use serde_json::json;

use super::*;
use crate::dead_letter::Summary;

fn dead_letter() -> DeadLetter {
    let body = json!({"data": {"title": "Milk", "tags": ["a", "b"]}}).to_string();
    let example = DeadLetter::example(&body);
    let summary = Summary {
        sent_at: DateTime::from_timestamp(1_000, 0),
        reason: Some("schema_violation".to_owned()),
        attempts: Some(3),
        group: Some("g".to_owned()),
        r#type: Some("create-task.v1".to_owned()),
        source: Some("/shop".to_owned()),
        tenant: Some("acme".to_owned()),
        task: Some("t".to_owned()),
        ..example.summary
    };
    let priority = Attribute { data_type: "String".to_owned(), value: "high".to_owned() };
    DeadLetter { summary, attributes: [("priority".to_owned(), priority)].into(), ..example }
}

/// A minute after it was sent.
fn fits(filter: &Filter) -> bool {
    filter.fits(&dead_letter(), DateTime::from_timestamp(1_060, 0).unwrap())
}

fn filter(conditions: &[(Kind, &str)]) -> Filter {
    let parsed = conditions.iter().map(|(kind, text)| Condition::parse(*kind, text).unwrap());
    Filter::new(parsed, Vec::new())
}

#[test]
fn each_kind_selects_and_each_is_negated() {
    for (kind, name, right, wrong) in [
        (Kind::Reason, "reason", "schema_*", "malformed_json"),
        (Kind::Type, "type", "create-task.v1", "create-task"),
        (Kind::Source, "source", "/sh*", "-"),
        (Kind::Tenant, "tenant", "acme", "acm"),
        (Kind::Task, "task", "t", "T"),
        (Kind::Group, "group", "g", "-"),
        (Kind::OlderThan, "older-than", "59s", "1m"),
        (Kind::NewerThan, "newer-than", "61s", "1m"),
        (Kind::Attempts, "attempts", "2..3", "4.."),
        (Kind::Attribute, "attribute", "priority=hi*", "priority=low"),
        (Kind::Attribute, "attribute", "priority", "other"),
        (Kind::Attribute, "attribute", "other=-", "priority=-"),
        (Kind::Body, "body", "\"M[a-z]+\"", "^Milk"),
        (Kind::BodyPath, "body-path", "$.data[?@ == 'Milk']", "$.data.colour"),
        (Kind::BodyPath, "body-path", "$[?length(@.tags) == 2]", "$[?length(@.tags) == 3]"),
    ] {
        assert!(fits(&filter(&[(kind, right)])), "{name} {right}");
        assert!(!fits(&filter(&[(kind, wrong)])), "{name} {wrong}");
        let without = |text| Filter::new([], vec![negated(&format!("{name}={text}")).unwrap()]);
        assert!(!fits(&without(right)), "not {name} {right}");
        assert!(fits(&without(wrong)), "not {name} {wrong}");
    }
}

#[test]
fn one_of_a_kind_is_enough_and_each_kind_counts() {
    assert!(fits(&Filter::default()));
    assert!(fits(&filter(&[(Kind::Tenant, "other"), (Kind::Tenant, "acme")])));
    assert!(!fits(&filter(&[(Kind::Tenant, "acme"), (Kind::Group, "other")])));
}

#[test]
fn a_filter_says_what_was_asked_for() {
    let wanted = [(Kind::Tenant, "acme"), (Kind::Reason, "a=b"), (Kind::Reason, "-")];
    let wanted = wanted.map(|(kind, text)| Condition::parse(kind, text).unwrap());
    let filter = Filter::new(wanted, vec![negated("older-than=2h").unwrap()]);
    assert_eq!(filter.texts(), ["reason=a=b", "reason=-", "tenant=acme", "not older-than=2h"]);
}

#[test]
fn what_is_unknown_is_neither_old_nor_new_nor_tried() {
    let mut unknown = dead_letter();
    unknown.summary.sent_at = None;
    unknown.summary.attempts = None;
    for condition in [(Kind::OlderThan, "0s"), (Kind::NewerThan, "9w"), (Kind::Attempts, "0..")] {
        assert!(!filter(&[condition]).fits(&unknown, DateTime::UNIX_EPOCH));
    }
}

#[test]
fn a_mistake_is_pointed_at() {
    let regex = Condition::parse(Kind::Body, "create-(task").unwrap_err().to_string();
    assert!(regex.contains("    create-(task\n           ^\nerror: unclosed group"), "{regex}");
    let path = Condition::parse(Kind::BodyPath, "$.data[").unwrap_err().to_string();
    assert!(path.starts_with("no JSONPath: ") && path.contains("\n  $.data[\n"), "{path}");
    let name = negated("raeson=x").unwrap_err().to_string();
    assert!(name.contains("reason, type") && name.ends_with("  raeson=x\n  ^"), "{name}");
    let value = negated("attempts=3..x").unwrap_err().to_string();
    assert!(value.ends_with("  attempts=3..x\n              ^"), "{value}");
    assert!(negated("reason").is_err());
    assert!(Condition::parse(Kind::Body, &"(a{1000}){1000}".repeat(9)).is_err(), "too large");
}
