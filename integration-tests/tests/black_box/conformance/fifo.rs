//! Groups: side by side, each in its order.

use serde_json::json;

use super::Host;
use super::letter::Dead;
use super::scenario::{Scenario, groups};
use super::stage::{Effect, Stage, message};

pub(crate) async fn groups_run_side_by_side_and_each_in_order(host: Host) {
    let stage = Stage::new().await;
    let scenario = Scenario {
        messages: vec![
            message("g", "a1", &json!([{"slow": 2}])),
            message("g", "a2", &json!(["ack"])),
            message("h", "b1", &json!([{"slow": 2}])),
            message("h", "b2", &json!(["ack"])),
        ],
        groups: groups(&[("g", &["a1: ack", "a2: ack"]), ("h", &["b1: ack", "b2: ack"])]),
        ..Scenario::default()
    };
    scenario.check_on(&stage, host).await;
    let effects = stage.effects();
    let place = |id: &str, what: &str| {
        let is_it = |effect: &Effect| effect.id == id && effect.what == what;
        effects.iter().position(is_it).expect("an effect")
    };
    assert!(place("a1", "began") < place("b1", "ack"), "{effects:?}");
    assert!(place("b1", "began") < place("a1", "ack"), "{effects:?}");
    assert!(place("a1", "ack") < place("a2", "began"), "{effects:?}");
}

pub(crate) async fn a_retry_holds_back_the_rest_of_its_group_only(host: Host) {
    Scenario {
        messages: vec![
            message("g", "a1", &json!(["ack"])),
            message("g", "a2", &json!([{"retry_after": 1}, "ack"])),
            message("g", "a3", &json!(["ack"])),
            message("g", "a4", &json!(["ack"])),
            message("h", "b1", &json!(["ack"])),
        ],
        groups: groups(&[
            ("g", &["a1: ack", "a2: retry", "a2: ack", "a3: ack", "a4: ack"]),
            ("h", &["b1: ack"]),
        ]),
        ..Scenario::default()
    }
    .check(host)
    .await;
}

pub(crate) async fn a_reject_holds_nothing_back(host: Host) {
    let bad = message("g", "a1", &json!(["reject"]));
    Scenario {
        dead: vec![Dead::of(&bad, "told_to_reject", "as the message asked", 1)],
        messages: vec![bad, message("g", "a2", &json!(["ack"]))],
        groups: groups(&[("g", &["a1: reject", "a2: ack"])]),
        ..Scenario::default()
    }
    .check(host)
    .await;
}
