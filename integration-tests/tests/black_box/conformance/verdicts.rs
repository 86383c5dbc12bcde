//! Ack, retry, reject and panic.

use serde_json::{Value, json};

use super::Host;
use super::dead_letter::Dead;
use super::fixture::{Fixture, message};
use super::host::NAME;
use super::scenario::{Scenario, groups};
use crate::support::system::PANICKED;

/// Fails at once until the last delivery that the queue allows, which takes `step`.
pub(crate) fn at_last(step: &str) -> Value {
    let again = json!({"retry_after": 0});
    json!([again, again, again, again, step])
}

/// What the handler is seen to do on the way there.
const BEFORE: [&str; 4] = ["a: retry"; 4];

/// Fails to the end, and is a dead letter for `reason`.
pub(crate) fn dead_at_the_last_delivery(
    step: &str,
    end: &str,
    reason: &str,
    detail: &str,
) -> Scenario {
    let failing = message("g", "a", &at_last(step));
    let dead = vec![Dead::of(&failing, reason, detail, 5)];
    let groups = groups(&[("g", &[&BEFORE[..], &[end]].concat())]);
    Scenario { messages: vec![failing], groups, dead, ..Scenario::default() }
}

pub(crate) async fn an_ack_deletes(host: Host) {
    let messages = vec![message("g", "a", &json!(["ack"]))];
    Scenario { messages, groups: groups(&[("g", &["a: ack"])]), ..Scenario::default() }
        .check(host)
        .await;
}

pub(crate) async fn a_retry_comes_again(host: Host) {
    Scenario {
        messages: vec![message("g", "a", &json!(["retry", {"retry_after": 0}, "ack"]))],
        groups: groups(&[("g", &["a: retry", "a: retry", "a: ack"])]),
        ..Scenario::default()
    }
    .check(host)
    .await;
}

pub(crate) async fn a_retry_waits_as_long_as_it_says(host: Host) {
    let fixture = Fixture::new().await;
    let scenario = Scenario {
        messages: vec![message("g", "a", &json!([{"retry_after": 3}, "ack"]))],
        groups: groups(&[("g", &["a: retry", "a: ack"])]),
        ..Scenario::default()
    };
    scenario.check_on(&fixture, host).await;
    let times: Vec<_> = fixture.effects().iter().map(|effect| effect.at_ms).collect();
    assert!(times[2] - times[1] >= 3_000, "not after the backoff, which is shorter: {times:?}");
}

pub(crate) async fn a_reject_is_a_dead_letter_at_once(host: Host) {
    let bad = message("g", "a", &json!(["reject"]));
    Scenario {
        dead: vec![Dead::of(&bad, "scripted_reject", "as scripted", 1)],
        messages: vec![bad],
        groups: groups(&[("g", &["a: reject"])]),
        ..Scenario::default()
    }
    .check(host)
    .await;
}

pub(crate) async fn a_panic_retries_its_own_message_only(host: Host) {
    let fixture = Fixture::new().await;
    let scenario = Scenario {
        messages: vec![
            message("g", "a", &json!(["ack"])),
            message("h", "b", &json!(["panic", "ack"])),
            message("i", "c", &json!([{"slow": 1}])),
        ],
        groups: groups(&[("g", &["a: ack"]), ("h", &["b: no end", "b: ack"]), ("i", &["c: ack"])]),
        ..Scenario::default()
    };
    scenario.check_on(&fixture, host).await;
    // By this line every system finds panics that nobody wanted.
    fixture.system.logged(NAME, |line| line["message"] == PANICKED).await;
}

pub(crate) async fn a_panic_is_in_the_dead_letter(host: Host) {
    let detail = "a panic, as scripted";
    dead_at_the_last_delivery("panic", "a: no end", "handler_panicked", detail).check(host).await;
}

pub(crate) async fn the_last_delivery_is_rejected_for_the_last_reason(host: Host) {
    dead_at_the_last_delivery("retry", "a: retry", "scripted_retry", "as scripted")
        .check(host)
        .await;
}
