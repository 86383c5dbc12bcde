//! The other shape of a handler: a batch, and a verdict for each of its messages.

use serde_json::json;

use super::Host;
use super::dead_letter::Dead;
use super::fixture::{Fixture, message};
use super::scenario::{Scenario, groups};
use super::verdicts::dead_at_the_last_delivery;
use crate::support::event_source_mapping::TIME;
use crate::support::system::eventually;

const BATCH: [(&str, &str); 1] = [("HANDLER_SHAPE", "batch")];

fn batch(scenario: Scenario) -> Scenario {
    Scenario { settings: BATCH.into(), ..scenario }
}

pub(crate) async fn each_message_of_a_batch_has_its_own_verdict(host: Host) {
    let bad = message("i", "c", &json!(["reject"]));
    let scenario = Scenario {
        dead: vec![Dead::of(&bad, "scripted_reject", "as scripted", 1)],
        messages: vec![
            message("g", "a", &json!(["ack"])),
            message("h", "b", &json!([{"retry_after": 0}, "ack"])),
            bad,
        ],
        groups: groups(&[
            ("g", &["a: ack"]),
            ("h", &["b: retry", "b: ack"]),
            ("i", &["c: reject"]),
        ]),
        ..Scenario::default()
    };
    batch(scenario).check(host).await;
}

/// The handler has seen the rest of the group, and whatever it said of it, it sees it again.
pub(crate) async fn a_retry_in_a_batch_holds_back_its_group(host: Host) {
    let scenario = Scenario {
        messages: vec![
            message("g", "a1", &json!([{"retry_after": 1}, "ack"])),
            message("g", "a2", &json!(["ack"])),
        ],
        groups: groups(&[("g", &["a1: retry", "a2: ack", "a1: ack", "a2: ack"])]),
        ..Scenario::default()
    };
    batch(scenario).check(host).await;
}

/// A pod handles one batch at a time and has received all that comes while it handled the first.
pub(crate) async fn a_batch_may_be_larger_than_a_receive(host: Host) {
    let fixture = Fixture::new().await;
    let gate = fixture.path("gate");
    let names: Vec<_> = (0..35).map(|number| format!("m{number}")).collect();
    let step = json!([{"await": gate}]);
    let messages: Vec<_> = names.iter().map(|name| message(name, name, &step)).collect();
    fixture.send(&messages).await;
    let one = [("QUEUE_CONCURRENCY", "1"), ("QUEUE_RECEIVERS", "1")];
    let _running = host.start(&fixture, &[&BATCH[..], &one].concat(), TIME).await;
    if host == Host::Pod {
        let received = async || (fixture.in_flight().await == 35).then_some(());
        eventually("every message is received", received).await;
    }
    std::fs::write(&gate, "").expect("a file");
    fixture.empty().await;
    let acked = |name: &String| (name.clone(), vec![format!("{name}: ack")]);
    let groups = names.iter().map(acked).collect();
    Scenario { groups, ..Scenario::default() }.compare(&fixture).await;
    let largest = fixture.effects().iter().map(|effect| effect.batch).max().expect("an effect");
    match host {
        Host::Pod => assert!(largest > 10, "several receives make a batch: {largest}"),
        Host::Lambda => assert!(largest <= 10, "batches are the mapping's: {largest}"),
    }
}

pub(crate) async fn a_wrong_number_of_verdicts_retries_the_batch(host: Host) {
    let scenario = Scenario {
        messages: vec![
            message("g", "a", &json!(["omit", "ack"])),
            message("h", "b", &json!(["ack"])),
        ],
        groups: groups(&[("g", &["a: omitted", "a: ack"]), ("h", &["b: ack", "b: ack"])]),
        ..Scenario::default()
    };
    batch(scenario).check(host).await;
}

pub(crate) async fn a_wrong_number_of_verdicts_is_in_the_dead_letter(host: Host) {
    let detail = "0 verdicts for 1 messages";
    let scenario =
        dead_at_the_last_delivery("omit", "a: omitted", "wrong_number_of_verdicts", detail);
    batch(scenario).check(host).await;
}
