//! SIGTERM in the middle of work.

use serde_json::json;

use super::Host;
use super::fixture::{Fixture, message};
use super::scenario::{Scenario, groups};
use crate::support::system::eventually;

/// The pod handles one batch at a time, and the rest waits inside it. Only it can give that back: the
/// test would not live to see its visibility end.
const SETTINGS: [(&str, &str); 3] =
    [("QUEUE_CONCURRENCY", "1"), ("QUEUE_BATCH_SIZE", "3"), ("QUEUE_VISIBILITY_SECONDS", "3600")];

pub(crate) async fn what_has_begun_is_finished_and_nothing_is_lost(host: Host) {
    let fixture = Fixture::new().await;
    let slow = |group, id| message(group, id, &json!([{"slow": 3}]));
    let scenario = Scenario {
        messages: vec![slow("g", "a"), slow("h", "b"), slow("i", "c")],
        groups: groups(&[("g", &["a: ack"]), ("h", &["b: ack"]), ("i", &["c: ack"])]),
        ..Scenario::default()
    };
    let (first, rest) = scenario.messages.split_at(1);
    fixture.send(first).await;
    if host == Host::Lambda {
        // It begins whatever an invocation brings: nothing waits inside it.
        fixture.send(rest).await;
    }
    let mut running = host.start(&fixture, &SETTINGS, scenario.limit).await;
    eventually("work has begun", async || (!fixture.effects().is_empty()).then_some(())).await;
    if host == Host::Pod {
        fixture.send(rest).await;
        eventually("the rest waits", async || (fixture.in_flight().await == 3).then_some(())).await;
    }
    let status = running.stop().await;
    assert!(status.success(), "{status}");
    let ended = fixture.effects();
    assert_eq!(ended.len() % 2, 0, "what has begun has ended: {ended:?}");
    running.restart(&fixture).await;
    fixture.empty().await;
    scenario.compare(&fixture).await;
}

/// Only a pod has a drain that can be cut off: what it holds is free at once, long before its visibility
/// ends.
#[tokio::test]
async fn a_drain_that_is_cut_off_releases_what_it_holds() {
    let fixture = Fixture::new().await;
    let hang = |group, id| message(group, id, &json!(["hang", "ack"]));
    fixture.send(&[hang("g", "a"), hang("g", "b"), hang("h", "c")]).await;
    let settings = [("QUEUE_VISIBILITY_SECONDS", "3600"), ("DRAIN_TIMEOUT_SECONDS", "1")];
    let mut running = Host::Pod.start(&fixture, &settings, Scenario::default().limit).await;
    eventually("work has begun", async || (fixture.effects().len() == 2).then_some(())).await;
    assert!(fixture.in_flight().await > 0);
    let status = running.stop().await;
    assert!(!status.success(), "it was cut off: {status}");
    assert_eq!(fixture.in_flight().await, 0);
    running.restart(&fixture).await;
    fixture.empty().await;
    assert!(fixture.take_dead_letters().await.is_empty());
}
