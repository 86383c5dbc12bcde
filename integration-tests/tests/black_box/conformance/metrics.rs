//! What a pod shows to Prometheus and a Lambda writes to its log: the same.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Host;
use super::fixture::{Fixture, message};
use super::host::{NAME, Running};
use crate::support::event_source_mapping::TIME;
use crate::support::system::eventually;

/// By name, verdict and reason.
type Counts = BTreeMap<String, f64>;

pub(crate) async fn what_is_counted_has_the_same_names_and_values(host: Host) {
    let fixture = Fixture::new().await;
    let messages = [
        message("g", "a", &json!(["ack"])),
        message("h", "b", &json!([{"retry_after": 0}, "ack"])),
        message("i", "c", &json!(["reject"])),
        message("j", "d", &json!(["panic", "ack"])),
    ];
    fixture.send(&messages).await;
    let running = host.start(&fixture, &[], TIME).await;
    fixture.empty().await;
    let expected = [
        ("messages_received_total", 6.0),
        ("messages_dead_lettered_total", 1.0),
        ("messages_settled_total ack", 3.0),
        ("messages_settled_total reject scripted_reject", 1.0),
        ("messages_settled_total retry handler_panicked", 1.0),
        ("messages_settled_total retry scripted_retry", 1.0),
        ("handler_batch_size", 6.0),
        ("circuit_breaker_state", 0.0),
    ];
    let expected: Counts = expected.map(|(name, count)| (name.to_owned(), count)).into();
    let counts = eventually("the last is counted", async || {
        let counts = match host {
            Host::Pod => prometheus(&fixture, &running).await,
            Host::Lambda => embedded(&fixture.system.log(NAME)),
        };
        (counts.get("messages_settled_total ack") == Some(&3.0)).then_some(counts)
    })
    .await;
    assert_eq!(counts, expected);
}

fn is_counted(name: &str) -> bool {
    name.starts_with("messages_") && name != "messages_in_flight"
        || ["handler_batch_size", "circuit_breaker_state"].contains(&name)
}

/// The lines `name{label="value",...} number`; of a histogram its sum.
async fn prometheus(fixture: &Fixture, running: &Running) -> Counts {
    let request = fixture.system.client.get(running.health_url("metrics")).send();
    let text = request.await.expect("an answer").text().await.expect("a text");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let count = lines.filter_map(|line| {
        let (series, number) = line.rsplit_once(' ')?;
        let (name, labels) = series.split_once('{')?;
        let name = name.strip_suffix("_sum").unwrap_or(name);
        let label = |wanted: &str| {
            labels.split(['"', '=', ',']).skip_while(move |text| *text != wanted).nth(2)
        };
        let key = [Some(name), label("verdict"), label("reason")];
        let key: Vec<_> = key.into_iter().flatten().filter(|text| !text.is_empty()).collect();
        // Counters begin at 0; in a Lambda's log they appear when they are counted.
        let has_begun = number == "0" && name.ends_with("_total");
        let number = || number.parse().expect("a number");
        (is_counted(name) && !has_begun).then(|| (key.join(" "), number()))
    });
    count.collect()
}

/// What the lines in CloudWatch's embedded metric format add up to.
fn embedded(log: &[Value]) -> Counts {
    let mut counts = Counts::new();
    for line in log.iter().filter(|line| line["_aws"].is_object()) {
        let values = line.as_object().expect("an object").iter();
        for (name, values) in values.filter(|(name, _)| is_counted(name)) {
            let key = [Some(name.as_str()), line["verdict"].as_str(), line["reason"].as_str()];
            let key: Vec<_> = key.into_iter().flatten().collect();
            let values = values.as_array().expect("values").iter().filter_map(Value::as_f64);
            *counts.entry(key.join(" ")).or_default() += values.sum::<f64>();
        }
    }
    counts
}
