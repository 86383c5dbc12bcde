//! What a dead letter keeps of its message.

use serde_json::json;

use super::Host;
use super::dead_letter::Dead;
use super::fixture::{Fixture, Sent, message, raw};
use super::scenario::{Scenario, groups};

fn rejected(sent: &Sent) -> Dead {
    Dead::of(sent, "scripted_reject", "as scripted", 1)
}

pub(crate) async fn a_body_survives_byte_for_byte(host: Host) {
    let body = "\t{ \"id\" :\"a\",\"steps\":[\"reject\" ]\n}\r\n\n";
    let odd = raw("g", body);
    let wide = message("h", "b\u{fc}\u{1f980}\u{2028}\u{feff}", &json!(["reject"]));
    let bad = raw("i", "\u{feff}{} no script");
    let detail = "expected value at line 1 column 1";
    Scenario {
        dead: vec![rejected(&odd), rejected(&wide), Dead::of(&bad, "unreadable", detail, 1)],
        messages: vec![odd, wide, bad],
        groups: groups(&[
            ("g", &["a: reject"]),
            ("h", &["b\u{fc}\u{1f980}\u{2028}\u{feff}: reject"]),
        ]),
        ..Scenario::default()
    }
    .check(host)
    .await;
}

pub(crate) async fn attributes_survive_and_are_no_more_than_ten(host: Host) {
    let few = message("g", "a", &json!(["reject"])).with_text("shop", "north \u{e9}");
    let mut many = message("h", "b", &json!(["reject"])).with_bytes("0", &[0, 159, 146, 255]);
    for name in ["1", "2", "3", "4", "5", "6", "7", "8"] {
        many = many.with_text(name, name);
    }
    let many = many.with_bytes("9", &[255, 0]);
    Scenario {
        dead: vec![rejected(&few), rejected(&many)],
        messages: vec![few, many],
        groups: groups(&[("g", &["a: reject"]), ("h", &["b: reject"])]),
        ..Scenario::default()
    }
    .check(host)
    .await;
}

pub(crate) async fn a_standard_queue_has_no_groups_to_keep(host: Host) {
    let fixture = Fixture::standard().await;
    let bad = message("", "a", &json!(["reject"])).with_text("shop", "north");
    let scenario = Scenario {
        dead: vec![Dead { group: None, ..rejected(&bad) }],
        messages: vec![bad],
        groups: groups(&[("", &["a: reject"])]),
        ..Scenario::default()
    };
    scenario.check_on(&fixture, host).await;
}
