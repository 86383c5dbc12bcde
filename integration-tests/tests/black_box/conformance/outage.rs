//! A dependency that is unavailable: the row in which the hosts differ. A pod receives nothing until
//! the dependency's check passes; a Lambda cannot stop its mapping, and each message waits by itself.

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

use runtime::sqs::MAX_RECEIVE_COUNT;
use serde_json::json;
use tokio::time::sleep;

use super::Host;
use super::fixture::{Fixture, message};
use crate::support::event_source_mapping::TIME;
use crate::support::system::eventually;

const MESSAGES: usize = 8;
/// In a Lambda shorter than its first wait.
const OUTAGE: Duration = Duration::from_secs(10);

pub(crate) async fn an_outage_costs_a_message_two_deliveries(host: Host) {
    let fixture = Fixture::new().await;
    fixture.allow_deliveries(MAX_RECEIVE_COUNT.into()).await;
    let dependency = fixture.path("dependency");
    let steps = json!([{"needs": dependency}]);
    let ids: Vec<_> = (0..MESSAGES).map(|number| format!("m{number}")).collect();
    let messages: Vec<_> = ids.iter().map(|id| message(id, id, &steps)).collect();
    fs::write(&dependency, "").expect("a file");
    let settings = [("DEPENDENCY_FILE", dependency.to_str().expect("UTF-8"))];
    let _running = host.start(&fixture, &settings, TIME).await;

    fs::remove_file(&dependency).expect("removed");
    fixture.send(&messages).await;
    eventually("a message is handled", async || (!fixture.effects().is_empty()).then_some(()))
        .await;
    sleep(OUTAGE).await;
    let handled = deliveries(&fixture);
    assert!(handled.values().all(|deliveries| *deliveries == 1), "{handled:?}");
    fs::write(&dependency, "").expect("a file");
    fixture.empty().await;
    assert!(fixture.take_dead_letters().await.is_empty());
    let acked = fixture.effects().iter().filter(|effect| effect.what == "ack").count();
    assert_eq!(acked, MESSAGES);
    let handled = deliveries(&fixture);
    assert!(handled.values().all(|deliveries| *deliveries <= 2), "{handled:?}");
}

/// How often each message was handled.
fn deliveries(fixture: &Fixture) -> HashMap<String, usize> {
    let mut deliveries = HashMap::new();
    for effect in fixture.effects().into_iter().filter(|effect| effect.what == "began") {
        *deliveries.entry(effect.id).or_default() += 1;
    }
    deliveries
}
