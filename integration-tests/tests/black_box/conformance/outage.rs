//! A dependency that is away: the row in which the hosts differ. A pod pauses and probes; a Lambda
//! cannot pause its mapping, and each message backs off by itself.

use std::collections::HashMap;
use std::fs;

use serde_json::json;

use super::Host;
use super::stage::{Stage, message};
use crate::mapping::TIME;
use crate::world::eventually;

const MESSAGES: usize = 8;
/// Probes during the outage.
const PROBES: usize = 2;

pub(crate) async fn messages_outlast_a_dependency_that_is_away(host: Host) {
    let stage = Stage::new().await;
    stage.allow_deliveries(1_000).await;
    let dependency = stage.path("dependency");
    let steps = json!([{"needs": dependency}]);
    let ids: Vec<_> = (0..MESSAGES).map(|number| format!("m{number}")).collect();
    let messages: Vec<_> = ids.iter().map(|id| message(id, id, &steps)).collect();
    stage.send(&messages).await;
    let _running = host.start(&stage, &[], TIME).await;

    let deliveries = eventually("deliveries enough", async || {
        let deliveries = deliveries(&stage);
        let all: usize = deliveries.values().sum();
        let enough = match host {
            Host::Pod => all >= MESSAGES + PROBES,
            Host::Lambda => ids.iter().all(|id| deliveries.get(id).is_some_and(|count| *count > 4)),
        };
        enough.then_some(deliveries)
    })
    .await;
    if host == Host::Pod {
        let all: usize = deliveries.values().sum();
        let most = deliveries.values().max().copied().unwrap_or_default();
        assert!(all <= MESSAGES + PROBES && most <= 1 + PROBES, "{deliveries:?}");
    }
    fs::write(&dependency, "").expect("a file");
    stage.empty().await;
    assert!(stage.take_dead_letters().await.is_empty());
    let acked = stage.effects().iter().filter(|effect| effect.what == "ack").count();
    assert_eq!(acked, MESSAGES);
}

fn deliveries(stage: &Stage) -> HashMap<String, usize> {
    let mut deliveries = HashMap::new();
    for effect in stage.effects().into_iter().filter(|effect| effect.what == "began") {
        *deliveries.entry(effect.id).or_default() += 1;
    }
    deliveries
}
