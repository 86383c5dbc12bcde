//! Groups: side by side, each in its order.

use serde_json::json;

use super::Host;
use super::dead_letter::Dead;
use super::fixture::{Effect, Fixture, Sent, message};
use super::scenario::{Scenario, groups};
use crate::support::event_source_mapping::TIME;

pub(crate) async fn groups_run_side_by_side_and_each_in_order(host: Host) {
    let fixture = Fixture::new().await;
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
    scenario.check_on(&fixture, host).await;
    let effects = fixture.effects();
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
        dead: vec![Dead::of(&bad, "scripted_reject", "as scripted", 1)],
        messages: vec![bad, message("g", "a2", &json!(["ack"]))],
        groups: groups(&[("g", &["a1: reject", "a2: ack"])]),
        ..Scenario::default()
    }
    .check(host)
    .await;
}

/// A poison message and nine good ones behind it, which are received together with it each time.
fn poisoned(step: &str) -> (Vec<Sent>, Vec<String>) {
    let good: Vec<_> = (1..10).map(|number| format!("a{number}")).collect();
    let mut messages = vec![message("g", "poison", &json!([step]))];
    messages.extend(good.iter().map(|id| message("g", id, &json!(["ack"]))));
    (messages, good)
}

pub(crate) async fn a_poison_message_dies_alone(host: Host) {
    let (messages, good) = poisoned("panic");
    let poison = ["poison: no end"; 5].map(str::to_owned);
    let handled = poison.into_iter().chain(good.iter().map(|id| format!("{id}: ack")));
    Scenario {
        dead: vec![Dead::of(&messages[0], "handler_panicked", "a panic, as scripted", 5)],
        messages,
        groups: [("g".to_owned(), handled.collect())].into(),
        ..Scenario::default()
    }
    .check(host)
    .await;
}

/// The same with a batch handler, which fails as a whole.
pub(crate) async fn a_poison_message_in_a_batch_dies_alone(host: Host) {
    for (step, reason) in [("panic", "handler_panicked"), ("omit", "wrong_number_of_verdicts")] {
        let fixture = Fixture::new().await;
        let (messages, good) = poisoned(step);
        fixture.send(&messages).await;
        let settings = [("HANDLER_SHAPE", "batch")];
        let _running = host.start(&fixture, &settings, TIME).await;
        fixture.empty().await;
        let dead: Vec<_> = fixture.take_dead_letters().await;
        let reasons = dead.iter().map(|dead_letter| {
            let attributes = dead_letter.message_attributes().expect("attributes");
            attributes["DeadLetterReason"].string_value().expect("a text")
        });
        assert_eq!(reasons.collect::<Vec<_>>(), [reason]);
        let alone = fixture.effects().into_iter().filter(|effect| effect.batch == 1);
        let acked = alone.filter(|effect| effect.what == "ack").map(|effect| effect.id);
        assert_eq!(acked.collect::<Vec<_>>(), good, "in order, after the poison");
    }
}
